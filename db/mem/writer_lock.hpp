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
///
/// Who gives it back stores that it is free, then looks whether anybody waits; who is about to wait
/// stores that he does, then looks whether it is free. Between the two steps each needs a full
/// barrier, or both would see the old state. The one who is about to wait has time: where the
/// system can, it orders the barrier of all threads, and giving back is two plain accesses.
class WriterLock {
    static constexpr uint64_t kFree = 0;
    static constexpr uint64_t kGranted = 1;  // to the first who waited, who is waking up

  public:
    /// `barrier`: does core::process_memory_barrier() work?
    explicit WriterLock(bool barrier) noexcept : barrier_(barrier) {}

    /// None: taken.
    std::optional<Refused> lock(std::stop_token stop, Deadline deadline);
    std::optional<Refused> try_lock();
    /// Takes it where it is free and nobody waits.
    bool take() noexcept {
        // Whoever waits when this is read comes first: unlock() leaves the state free for a moment.
        return !any_waits_.load(std::memory_order_relaxed) && exchange_free(thread_number());
    }
    /// By whoever ends the transaction; hands over to the first who waits.
    void unlock() {
        if (barrier_) [[likely]] {
            holder_.store(kFree, std::memory_order_release);
            std::atomic_signal_fence(std::memory_order_seq_cst);
        } else {
            holder_.exchange(kFree, std::memory_order_seq_cst);
        }
        if (any_waits_.load(std::memory_order_seq_cst)) [[unlikely]]
            hand_over();
    }
    bool held_by_this_thread() const noexcept {
        return holder_.load(std::memory_order_relaxed) == thread_number();
    }

  private:
    bool exchange_free(uint64_t holder) noexcept {
        uint64_t free = kFree;
        return holder_.compare_exchange_strong(free, holder, std::memory_order_seq_cst);
    }
    void hand_over();

    struct Waiter {
        std::condition_variable_any granted_changed;
        bool granted = false;
    };

    const bool barrier_;
    // Its thread's number, or one of the above. acquire by the taker pairs with release by
    // unlock().
    std::atomic<uint64_t> holder_ = kFree;
    std::atomic<bool> any_waits_ = false;  // written with mutex_ held
    std::mutex mutex_;                     // guards waiters_; innermost
    std::deque<Waiter*> waiters_;
};

}  // namespace keel::db::mem
