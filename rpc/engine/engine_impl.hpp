#pragma once

// What engine.cpp and forkchoice.cpp share.

#include <mutex>

#include "chain/chain.hpp"
#include "core/clock.hpp"
#include "rpc/engine/engine.hpp"
#include "rpc/engine/orphans.hpp"

namespace keel::rpc::engine {

struct Engine::Impl {
    Impl(const db::Database& from, Options engine_options)
        : database(from),
          options(std::move(engine_options)),
          chain(database, {.producer = options.producer, .tracer = options.tracer}) {}

    // new_payload
    PayloadStatus new_payload(db::WriteTxn& txn, crypto::SealedBlock&& block);
    /// Executes a block on its parent, which is stored, and stores what comes of it.
    PayloadStatus execute(db::WriteTxn& txn, crypto::SealedBlock& block);

    // forkchoice_updated
    Answer<ForkchoiceUpdated> set_forkchoice(db::WriteTxn& txn, const ForkchoiceState& state);
    /// Executes what is kept of the branch that ends in `hash`, oldest first. Syncing: something is
    /// missing. Valid: the block is stored now.
    PayloadStatus connect(db::WriteTxn& txn, const core::Hash32& hash);
    /// Whether a consensus client may take the block for head: one of stake, the terminal block or
    /// one behind it, or the genesis.
    bool is_valid_end_of_work(const chain::BlockReader& reader, const chain::BlockId& head) const;
    Answer<void> check_depth(const chain::BlockReader& reader, const chain::BlockId& head) const;
    void index_behind(db::WriteTxn& txn, uint64_t head_number);

    /// The answer for a block that is marked bad; none: it is not.
    std::optional<PayloadStatus> status_of_bad(const db::ReadTxn& txn,
                                               const core::Hash32& hash) const;
    PayloadStatus invalid_after(const db::ReadTxn& txn, const chain::BlockId& last_valid,
                                std::string text) const;
    db::WriteTxn begin() const;
    /// Commits what `call` has changed; an exception takes it back.
    template <class Call>
    auto with_txn(const Call& call) {
        db::WriteTxn txn = begin();
        changed = false;
        try {
            auto answer = call(txn);
            if (changed) {
                const uint64_t began = core::monotonic_ns();
                txn.commit();
                chain.on_commit();
                did({.part = BlockWork::Part::Commit, .ns = core::monotonic_ns() - began});
            }
            return answer;
        } catch (...) {
            txn.abort();
            chain.on_abort();
            throw;
        }
    }
    void did(const BlockWork& work) const {
        if (options.on_work) options.on_work(work);
    }
    void note(std::string_view text) const {
        if (options.on_note) options.on_note(text);
    }

    std::mutex mutex;  // guards all below; held while a block is executed: calls come one by one
    db::Database database;
    Options options;
    chain::Chain chain;
    Orphans orphans;
    bool changed = false;     // in the open transaction
    bool head_moved = false;  // by the call
};

/// Whether `block` is `head` or an ancestor of it; both are stored.
bool is_in_branch(const chain::BlockReader& reader, const chain::BlockId& block,
                  const chain::BlockId& head);

}  // namespace keel::rpc::engine
