#pragma once

// One subscription, and who gets its notifications.

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "rpc/eth/log_filter.hpp"

namespace keel::rpc {

class Subscription;

/// A connection that can be written to without having asked. lifetime: held by shared pointers.
class Subscriber {
  public:
    virtual ~Subscriber() = default;
    /// Queues a notification; never waits. `result` is JSON that subscribers may share. Any thread.
    virtual void notify(const Subscription& subscription,
                        std::shared_ptr<const std::string> result) = 0;
    virtual std::weak_ptr<Subscriber> weak_subscriber() = 0;

    std::atomic<size_t> subscription_count = 0;
};

enum class Topic : uint8_t { NewHeads, Logs, PendingTxs, TransactionReceipts, Syncing };

/// What one eth_subscribe has asked for. Any thread.
class Subscription {
  public:
    struct Wish {
        Topic topic = Topic::NewHeads;
        eth::LogFilter logs = {};               // Topic::Logs
        bool full = false;                      // Topic::PendingTxs: objects, not hashes
        std::vector<core::Hash32> tx_hashes{};  // Topic::TransactionReceipts; empty: all
    };
    Subscription(std::string id, Wish wish, Subscriber& subscriber)
        : id_(std::move(id)), wish_(std::move(wish)), subscriber_(subscriber.weak_subscriber()) {
        subscriber.subscription_count.fetch_add(1);
    }

    const std::string& id() const noexcept { return id_; }
    const Wish& wish() const noexcept { return wish_; }
    std::shared_ptr<Subscriber> subscriber() const { return subscriber_.lock(); }

    /// The answer that names the id is in the connection's queue: notifications may follow it.
    void activate() {
        State expected = State::Begun;
        state_.compare_exchange_strong(expected, State::Active);
    }
    void end() {
        if (state_.exchange(State::Ended) == State::Ended) return;
        if (const auto one = subscriber()) one->subscription_count.fetch_sub(1);
    }
    bool is_active() const noexcept { return state_.load() == State::Active; }
    bool has_ended() const noexcept { return state_.load() == State::Ended; }

  private:
    enum class State : uint8_t { Begun, Active, Ended };

    const std::string id_;
    const Wish wish_;
    const std::weak_ptr<Subscriber> subscriber_;
    std::atomic<State> state_ = State::Begun;
};

}  // namespace keel::rpc
