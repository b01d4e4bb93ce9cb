#pragma once

// Transactions that wait for a block. In memory; empty after a restart. Source of rules and texts:
// RPC.md 5.
//
// I1  Of one sender there is one transaction a nonce, all of blobs or none.
// I2  What is in it could be paid by its sender, all together, at the head that it was looked at
//     with; a new head is looked at before the next answer.
// I3  A mined blob transaction keeps its blobs until its block is final, so that it can come back
//     after a reorganization; the oldest go first when they need more room than there is.

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "chain/fork_schedule.hpp"
#include "db/database.hpp"
#include "rpc/pool/pooled_tx.hpp"
#include "rpc/snapshot.hpp"

namespace keel::rpc::pool {

struct PoolOptions {
    size_t txs_max = 6'144;
    size_t queued_of_sender_max = 64;
    uint64_t blob_bytes_max = uint64_t{512} << 20;     // of waiting and mined ones together
    bool allows_unprotected = false;                   // legacy ones without a chain id
    uint64_t tip_wei_min = 1;                          // a gas
    uint64_t fee_cap_wei = 1'000'000'000'000'000'000;  // of sendRawTransaction; 0: none
    /// Seconds since 1970; empty: the next block is a second behind the head. What the rules of a
    /// block of now allow is taken even if those at the head do not.
    std::function<uint64_t()> now_s = {};
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
    /// One that its sender has not signed (solo mode).
    Answer<core::Hash32> add_unsigned(core::ByteView network_form, const core::Address& sender);
    /// False: it is not here.
    bool drop(const core::Hash32& hash);
    /// All of them, in the order of their arrival.
    std::vector<TxHandle> all();
    /// Those alone from now on; what a reorganisation has dropped stays out.
    void replace(const std::vector<TxHandle>& txs);
    TxHandle find(const core::Hash32& hash);
    /// One with a blob of that versioned hash and its sidecar, waiting or mined; null: none.
    TxHandle find_blob(const core::Hash32& versioned_hash);
    /// The same transaction with proofs of cells (EIP-7594), which it has here from now on. Null:
    /// it has no blobs, or they have no proofs.
    TxHandle with_cells(const TxHandle& handle);
    Content content();
    Content content_of(const core::Address& sender);
    /// The nonce behind the executable ones of a sender.
    uint64_t next_nonce(const core::Address& sender);

    /// Told of transactions that have become executable, each once. Before the first add; must not
    /// call the pool.
    void on_executable(std::function<void(const std::vector<TxHandle>&)> listener) {
        on_executable_ = std::move(listener);
    }
    /// Looks at a new head at once, not with the next answer.
    void follow();
    /// How many have become executable so far.
    uint64_t executable_count();
    /// A transaction that became executable; `tx` null: it has left.
    struct Arrival {
        core::Hash32 hash;
        TxHandle tx;
    };
    /// Those behind the first `count`, which goes on to the present.
    std::vector<Arrival> executable_since(uint64_t& count);

  private:
    struct Mined {
        TxHandle tx;
        uint64_t head_number;  // when it was found mined; its block is not above
    };

    /// Rules of the block behind the head, were it of that time.
    chain::BlockRules rules_behind(Snapshot& snapshot, uint64_t time_s) const;
    /// `sender` none: whoever signed it.
    Answer<core::Hash32> admit(Snapshot& snapshot, PooledTx pooled,
                               const std::optional<core::Address>& sender = {});
    Answer<core::Hash32> add(core::ByteView network_form,
                             const std::optional<core::Address>& sender);
    void put(const TxHandle& handle);
    Answer<void> check(Snapshot& snapshot, const PooledTx& pooled) const;
    Answer<void> check_against_sender(state::StateReader& state, const PooledTx& pooled) const;
    Answer<void> make_room(const PooledTx& pooled);
    void insert(PooledTx pooled);
    void erase(const core::Hash32& hash);
    /// Drops what is mined or cannot be paid any more, takes back what a reorg has dropped.
    void follow_head(Snapshot& snapshot);
    void keep_mined(const TxHandle& handle, uint64_t head_number);
    void drop_oldest_mined();
    /// What a block that is not canonical any more had, with its blobs as far as they are here.
    std::optional<PooledTx> restore(core::ByteView raw);
    void note_executable(state::StateReader& state, const core::Address& sender);
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
    std::deque<Mined> mined_blobs_;  // oldest first
    uint64_t blob_bytes_ = 0;        // network forms of those with blobs, mined ones too
    std::function<void(const std::vector<TxHandle>&)> on_executable_;
    std::unordered_set<std::string> noted_;  // hashes of those that were told of
    std::deque<core::Hash32> executable_;    // the last of them, in their order
    uint64_t executable_first_ = 0;          // count of those before
};

}  // namespace keel::rpc::pool
