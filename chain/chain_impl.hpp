#pragma once

// What chain.cpp and insert_block.cpp share.

#include <memory>
#include <optional>

#include "chain/chain.hpp"
#include "chain/fork_choice.hpp"
#include "crypto/ethash.hpp"

namespace keel::chain {

/// A stored block, as its children see it.
struct StoredBlock {
    BlockId id;
    core::Header header;
    core::U256 total_difficulty;
    bool proof_of_stake = false;
};

struct Chain::Impl {
    Impl(const db::Database& database, Options chain_options);

    /// None: unknown. lifetime: until the next block is remembered.
    const StoredBlock* find(const db::ReadTxn& txn, const core::Hash32& hash);
    const StoredBlock& head(const db::ReadTxn& txn);

    core::Result<BlockOutcome, Rejection> judge(const db::ReadTxn& txn, crypto::SealedBlock& sealed,
                                                const StoredBlock& parent);
    core::Result<void, Rejection> check_seals(const core::Block& block);
    core::Result<void, Rejection> recover_senders(crypto::SealedBlock& sealed,
                                                  const core::ForkRules& rules) const;
    std::optional<Rejection> refuse_known_bad(db::WriteTxn& txn, const crypto::SealedBlock& sealed);
    Rejection refuse_orphan(db::WriteTxn& txn, const crypto::SealedBlock& sealed, HeadRule rule);
    void mark_bad(db::WriteTxn& txn, const crypto::SealedBlock& sealed, const BlockId& last_valid,
                  const Rejection& rejection);
    bool wins(const StoredBlock& head, const StoredBlock& block) const;

    Options options;
    state::Tables tables;
    ForkSchedule schedule;
    ForkChoice fork_choice;
    Executor executor;
    crypto::Ethash own_ethash;
    crypto::Ethash& ethash;
    // Parents of the blocks to come: their headers need not be decoded again.
    std::optional<StoredBlock> head_block;
    std::optional<StoredBlock> last_block;
    size_t pending_bytes = 0;
};

}  // namespace keel::chain
