#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>

#include "chain/bad_blocks.hpp"
#include "chain/block_store.hpp"
#include "chain/execute_block.hpp"
#include "chain/fork_schedule.hpp"
#include "chain/header_rules.hpp"
#include "chain/verdict.hpp"
#include "core/result.hpp"
#include "crypto/ethash.hpp"
#include "crypto/seal.hpp"
#include "db/database.hpp"
#include "state/reader.hpp"
#include "state/tables.hpp"
#include "state/values.hpp"

namespace keel::chain {

/// When a block that is valid becomes head.
enum class HeadRule : uint8_t {
    Import,  // before the merge by total difficulty, the first at equality; then the last one given
    Never,   // only set_head moves it: the Engine API
};

struct Inserted {
    BlockId id;
    bool known = false;  // it was there: nothing done, no head moved
    bool became_head = false;
    uint64_t gas_used = 0;
    uint64_t tx_count = 0;
};

/// The chain of one data directory, for whoever writes: one thread, one write transaction at a
/// time. Keeps what pays to keep from block to block (executor, headers, layers of executed blocks
/// that are not canonical). Opened on a directory that has a genesis.
class Chain {
  public:
    struct Options {
        bool verify_seal = false;  // ethash
        HeaderChecks header_checks = {};
        /// false: state roots are neither made nor compared, and the tries of the store stay as
        /// they are. For measurements: nothing of the chain can be trusted or continued then.
        bool state_roots = true;
        /// Shared by chains of one thread, because its cache takes a while to make; none: an own
        /// one. lifetime: outlives the chain.
        crypto::Ethash* ethash = nullptr;
        /// Version and commit of the program, for marks in BadBlock: those of another are dropped
        /// and the block judged anew.
        std::string producer = {};
        /// Watches the execution of blocks; may be null. lifetime: outlives the chain.
        evm::Tracer* tracer = nullptr;
    };
    /// Throws Fault::Usage when there is no genesis; the message names `init`.
    Chain(const db::Database& database, Options options);
    ~Chain();

    const ForkSchedule& schedule() const noexcept;
    const state::Tables& tables() const noexcept;

    /// The one road of a block into the chain: header, body, senders (recovered here unless they
    /// are), execution, outcome; then stored, and made head if the rule says so. A refused block
    /// changes nothing but, perhaps, its mark in BadBlock. Commits nothing.
    core::Result<Inserted, Rejection> insert_block(db::WriteTxn& txn, crypto::SealedBlock& sealed,
                                                   HeadRule rule);

    /// Makes a stored block head: unwinds to the common ancestor, applies the kept changes of the
    /// branch, resolves the root once. Executes nothing. Any depth, backwards too. False: unknown.
    bool set_head(db::WriteTxn& txn, const core::Hash32& hash);
    /// None clears it. They stay as they are when the head moves.
    void set_safe(db::WriteTxn& txn, const std::optional<BlockId>& id);
    void set_finalized(db::WriteTxn& txn, const std::optional<BlockId>& id);

    /// Gives keys of the head's state other values, as if its block had left them so (solo mode):
    /// they join its change set, so that a way back restores what was before the block, and the
    /// root of every later block has them; the header keeps its root, and what the state hashes to
    /// is kept beside it (BlockReader::edited_root). `values`: what the keys shall be, storage
    /// roots of any value; gets what they were. Sorted as Values says.
    void edit_head(db::WriteTxn& txn, state::Values& values,
                   std::span<const state::NewCode> codes = {});

    /// The mark of a block that was found invalid, by this program; its RLP lives as views do.
    std::optional<BadBlock> bad_block(const db::ReadTxn& txn, const core::Hash32& hash) const;

    /// What was written in a transaction that is not committed is forgotten here too.
    void on_abort();
    /// Bytes of changes since the last commit, for batches.
    size_t pending_bytes() const noexcept;
    void on_commit();

    /// Brings the chunked indexes (AccountHistory, StorageHistory, LogIndex) up to the head, at
    /// most `blocks_max` blocks in this transaction; true: all done.
    bool index(db::WriteTxn& txn, uint64_t blocks_max);

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// The state after a canonical block, as queries see it: newest for the head, else through the
/// history. lifetime: transaction and tables.
std::unique_ptr<state::StateReader> state_at(const db::ReadTxn& txn, const state::Tables& tables,
                                             uint64_t canonical_number);

/// What leads from the newest state back to that of a canonical block, with its storage roots not
/// yet resolved: a state root or a proof of the past is made of it (state/layer.hpp).
state::ChangeSet changes_back_to(const db::ReadTxn& txn, const state::Tables& tables,
                                 uint64_t canonical_number);

/// BLOCKHASH for a block whose parent is given: walks the headers of its own branch.
std::unique_ptr<state::BlockHashes> ancestor_hashes(const db::ReadTxn& txn,
                                                    const state::Tables& tables,
                                                    const BlockId& parent);

}  // namespace keel::chain
