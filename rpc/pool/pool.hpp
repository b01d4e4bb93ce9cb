#pragma once

// Transactions that wait for a block. In memory; empty after a restart. Source of rules and texts:
// RPC.md 5.
//
// I1  Of one sender there is one transaction a nonce, all of blobs or none.
// I2  What is in it could be paid by its sender, all together, at the head that it was looked at
//     with; a new head is looked at before the next answer.

#include <map>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "chain/fork_schedule.hpp"
#include "db/database.hpp"
#include "rpc/pool/pooled_tx.hpp"
#include "rpc/snapshot.hpp"

namespace keel::rpc::pool {

struct PoolOptions {
    size_t txs_max = 6'144;
    size_t queued_of_sender_max = 64;
    uint64_t blob_bytes_max = uint64_t{512} << 20;
    bool allows_unprotected = false;                   // legacy ones without a chain id
    uint64_t fee_cap_wei = 1'000'000'000'000'000'000;  // of sendRawTransaction; 0: none
};

using TxHandle = std::shared_ptr<const PooledTx>;

/// Transactions of one sender by nonce.
using BySender = std::map<uint64_t, TxHandle>;

/// What waits at a head: `pending` can be executed one after the other, `queued` wait for a nonce.
struct Content {
    std::map<core::Address, BySender> pending;
    std::map<core::Address, BySender> queued;
};

/// Any thread.
class Pool {
  public:
    /// lifetime: tables and schedule.
    Pool(db::Database database, const state::Tables& tables, const chain::ForkSchedule& schedule,
         PoolOptions options)
        : database_(std::move(database)), tables_(tables), schedule_(schedule), options_(options) {}

    /// Takes a transaction in its network form, or says why not.
    Answer<core::Hash32> add(core::ByteView network_form);
    TxHandle find(const core::Hash32& hash);
    /// One with a blob of that versioned hash and its sidecar; null: none.
    TxHandle find_blob(const core::Hash32& versioned_hash);
    Content content();
    Content content_of(const core::Address& sender);
    /// The nonce behind the executable ones of a sender.
    uint64_t next_nonce(const core::Address& sender);

  private:
    Answer<core::Hash32> admit(Snapshot& snapshot, PooledTx pooled);
    Answer<void> check(Snapshot& snapshot, const PooledTx& pooled) const;
    Answer<void> check_against_sender(state::StateReader& state, const PooledTx& pooled) const;
    Answer<void> make_room(const PooledTx& pooled);
    void insert(PooledTx pooled);
    void erase(const core::Hash32& hash);
    /// Drops what is mined or cannot be paid any more, takes back what a reorg has dropped.
    void follow_head(Snapshot& snapshot);
    void split(state::StateReader& state, const core::Address& sender, Content& into) const;

    const db::Database database_;
    const state::Tables& tables_;
    const chain::ForkSchedule& schedule_;
    const PoolOptions options_;
    std::mutex mutex_;  // guards all below; held over reads of the store, by no reader of others
    std::unordered_map<std::string, TxHandle> by_hash_;  // key: the hash's bytes
    std::map<core::Address, BySender> by_sender_;
    std::optional<chain::BlockId> head_;
    uint64_t arrivals_ = 0;
    uint64_t blob_bytes_ = 0;
};

}  // namespace keel::rpc::pool
