#pragma once

#include "chain/fork_schedule.hpp"
#include "state/journal.hpp"

namespace keel::chain {

/// Whether this is the block that moves the balances of the DAO.
bool is_dao_block(const ChainConfig& config, uint64_t number) noexcept;

/// Moves the balances of the 116 accounts to the refund contract (EIP-779). Their code and storage
/// stay, and no empty account is removed. Before the transactions of the block, between
/// transactions.
void move_dao_balances(state::Journal& journal, const core::ForkRules& rules);

}  // namespace keel::chain
