#include "db/mem/writer_lock.hpp"

#include <algorithm>

namespace keel::db::mem {

std::optional<Refused> WriterLock::try_lock() {
    if (take()) return std::nullopt;
    return Refused::Busy;
}

std::optional<Refused> WriterLock::lock(std::stop_token stop, Deadline deadline) {
    if (take()) return std::nullopt;
    if (held_by_this_thread()) return Refused::Busy;
    std::unique_lock guard(mutex_);
    // From here on the holder comes through unlock()'s slow way, which needs the mutex.
    while (true) {
        uint32_t state = state_.load(std::memory_order_relaxed);
        if (state == kFree) {
            if (take()) return std::nullopt;
            continue;
        }
        if (state == kContended ||
            state_.compare_exchange_strong(state, kContended, std::memory_order_relaxed))
            break;
    }
    Waiter waiter;
    waiters_.push_back(&waiter);
    const auto is_granted = [&waiter] { return waiter.granted; };
    if (deadline == kNever) {
        waiter.granted_changed.wait(guard, stop, is_granted);
    } else {
        waiter.granted_changed.wait_until(guard, stop, deadline, is_granted);
    }
    if (waiter.granted) {
        holder_.store(thread_number(), std::memory_order_relaxed);
        return std::nullopt;
    }
    std::erase(waiters_, &waiter);
    return stop.stop_requested() ? Refused::Cancelled : Refused::Busy;
}

void WriterLock::hand_over() {
    const std::lock_guard guard(mutex_);
    if (waiters_.empty()) {
        state_.store(kFree, std::memory_order_release);
        return;
    }
    // Handed over without becoming free, so that nobody comes between; the mutex orders the two
    // threads.
    Waiter* const next = waiters_.front();
    waiters_.pop_front();
    next->granted = true;
    next->granted_changed.notify_one();
}

}  // namespace keel::db::mem
