#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <stop_token>

#include "core/result.hpp"
#include "db/backend.hpp"
#include "db/mem/thread_number.hpp"

namespace keel::db::mem {

/// The right to write: one holder, the others in the order they came. Any thread.
class WriterLock {
    static constexpr uint32_t kFree = 0;
    static constexpr uint32_t kHeld = 1;
    static constexpr uint32_t kContended = 2;  // held, and somebody may wait

  public:
    /// None: taken.
    std::optional<Refused> lock(std::stop_token stop, Deadline deadline);
    std::optional<Refused> try_lock();
    /// Takes it where it is free and nobody waits.
    bool take() noexcept {
        uint32_t free = kFree;
        if (!state_.compare_exchange_strong(free, kHeld, std::memory_order_acquire)) return false;
        holder_.store(thread_number(), std::memory_order_relaxed);
        return true;
    }
    /// By whoever ends the transaction; hands over to the first who waits.
    void unlock() {
        holder_.store(0, std::memory_order_relaxed);
        uint32_t held = kHeld;
        if (!state_.compare_exchange_strong(held, kFree, std::memory_order_release)) [[unlikely]]
            hand_over();
    }
    bool held_by_this_thread() const noexcept {
        return holder_.load(std::memory_order_relaxed) == thread_number();
    }
    bool held() const noexcept { return state_.load(std::memory_order_relaxed) != kFree; }

  private:
    void hand_over();

    struct Waiter {
        std::condition_variable_any granted_changed;
        bool granted = false;
    };

    std::atomic<uint32_t> state_ = kFree;  // acquire by the taker pairs with release by unlock()
    std::atomic<uint64_t> holder_ = 0;     // its thread; 0: none
    std::mutex mutex_;                     // guards waiters_; innermost
    std::deque<Waiter*> waiters_;
};

}  // namespace keel::db::mem
