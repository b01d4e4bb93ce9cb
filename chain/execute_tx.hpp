#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "chain/fork_schedule.hpp"
#include "chain/tx_rules.hpp"
#include "chain/verdict.hpp"
#include "core/result.hpp"
#include "core/types/header.hpp"
#include "core/types/receipt.hpp"
#include "core/types/tx.hpp"
#include "evm/call.hpp"
#include "evm/host.hpp"
#include "state/journal.hpp"

namespace keel::chain {

/// What is the same for all transactions of one block.
struct BlockEnv {
    BlockRules rules;
    evm::BlockContext context;
    uint64_t chain_id = 1;
};
/// The environment of a block from its header. Excess blob gas is the header's own.
BlockEnv block_env(const core::Header& header, const BlockRules& rules, const ChainConfig& config);

/// The room in an empty block.
TxRoom tx_room(const BlockEnv& env) noexcept;

struct TxOutcome {
    evm::Status status = evm::Status::Success;
    uint64_t gas_used = 0;  // what the sender pays and the receipt counts
    uint64_t gas_before_refund = 0;
    int64_t refund = 0;                    // counter at the end, before the cap
    core::U256 effective_price;            // wei a gas
    core::Bytes output;                    // of the top frame: return or revert data
    std::optional<core::Address> created;  // of a create, whether it succeeded or not
    std::vector<core::Log> logs;           // empty unless Success
    bool succeeded() const noexcept { return status == evm::Status::Success; }
};

/// Buys gas, runs, refunds and pays (EVM.md 4.4). The journal is between transactions before and
/// after; a refused transaction changes nothing. Without the check of the
/// balance no fee is taken from the sender nor paid to the coinbase. Calls nest on the native
/// stack, about 1.5 MiB at most: a thread of the usual 8 MiB is enough, under a sanitizer one of 64
/// MiB.
[[nodiscard]] core::Result<TxOutcome, Rejection> execute_tx(
    evm::Workspace& workspace, state::Journal& journal, const BlockEnv& env, const core::Tx& tx,
    const core::Address& sender, const TxRoom& room, const TxChecks& checks = {});

}  // namespace keel::chain
