#pragma once

#include <optional>
#include <vector>

#include "chain/execute_tx.hpp"
#include "chain/fork_schedule.hpp"
#include "chain/receipts.hpp"
#include "chain/requests.hpp"
#include "chain/verdict.hpp"
#include "core/result.hpp"
#include "core/types/receipt.hpp"
#include "core/types/request.hpp"
#include "crypto/seal.hpp"
#include "state/change_set.hpp"
#include "state/journal.hpp"
#include "state/state_root.hpp"

namespace keel::chain {

/// What execution of a block leads to; nothing of it is stored yet.
struct BlockOutcome {
    std::vector<core::Receipt> receipts;
    ReceiptRow receipt_row;  // of the receipts
    core::Bloom bloom;
    uint64_t gas_used = 0;
    core::Requests requests;  // EIP-7685, ascending by type, none empty
    state::ChangeSet changes;
    state::TrieChanges tries;
    state::TrieChanges tries_before;  // the same rows as they were
    core::Hash32 state_root;
};

/// Kept from block to block: the memory of journal and interpreter. One thread.
struct Executor {
    evm::Workspace workspace;
    state::Journal journal;
    bool state_roots = true;  // false: the outcome has the header's, and no rows of tries
};

/// Everything of EVM.md 3.1 in its order: system calls, DAO, transactions, withdrawals, rewards,
/// requests, state root. `reader`, `tries` and `hashes` are those of the parent. Senders of
/// `sealed` are recovered already.
[[nodiscard]] core::Result<BlockOutcome, Rejection> execute_block(
    Executor& executor, const ForkSchedule& schedule, const BlockRules& rules,
    const crypto::SealedBlock& sealed, state::StateReader& reader, state::TrieReader& tries,
    state::BlockHashes& hashes);

/// The outcome against the header: gas used, bloom, receipts root, requests hash, state root, in
/// this order.
[[nodiscard]] core::Result<void, Rejection> verify_outcome(const core::Header& header,
                                                           const BlockOutcome& outcome,
                                                           const core::ForkRules& rules);

}  // namespace keel::chain
