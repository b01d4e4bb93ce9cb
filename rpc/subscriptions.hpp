#pragma once

// Who wants to be told, and telling them: new heads, logs, transactions. Source: RPC.md 3.3.
//
// S1  Heads are told of in the order in which they came, each block that became canonical once, and
//     only when whoever is told can read it.
// S2  Telling queues and returns: no client can make the caller wait.

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "chain/block_store.hpp"
#include "chain/fork_schedule.hpp"
#include "db/database.hpp"
#include "rpc/error.hpp"
#include "rpc/head_change.hpp"
#include "rpc/pool/pool.hpp"
#include "rpc/subscription.hpp"
#include "state/tables.hpp"

namespace keel::rpc {

/// Any thread.
class Subscriptions {
  public:
    static constexpr size_t kPerConnectionMax = 1024;

    /// lifetime: tables and schedule.
    Subscriptions(db::Database database, const state::Tables& tables,
                  const chain::ForkSchedule& schedule);

    /// Nothing is sent before activate().
    Answer<std::shared_ptr<Subscription>> begin(Subscriber& subscriber, Subscription::Wish wish);
    /// False: the connection has no such subscription.
    bool end(const Subscriber& subscriber, std::string_view id);

    /// Tells of all that has changed since the last call. To be called behind each commit that
    /// moves the head, before whoever moved it is answered.
    void head_changed();
    /// Tells of transactions that have become executable.
    void txs_executable(const std::vector<pool::TxHandle>& txs);

    size_t size() const;

  private:
    using List = std::vector<std::shared_ptr<Subscription>>;

    List active(Topic topic);
    void tell_logs(Snapshot& snapshot, const List& to, const chain::BlockId& id, bool removed);
    void tell_head(Snapshot& snapshot, const List& to, const chain::BlockId& id);
    void tell_receipts(Snapshot& snapshot, const List& to, const chain::BlockId& id);

    const db::Database database_;
    const state::Tables& tables_;
    const chain::ForkSchedule& schedule_;
    mutable std::mutex mutex_;  // guards all_; held over no call
    std::unordered_map<std::string, std::shared_ptr<Subscription>> all_;
    std::mutex telling_;  // guards head_; held while a change is told of
    chain::BlockId head_;
};

}  // namespace keel::rpc
