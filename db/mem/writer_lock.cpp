#include "db/mem/writer_lock.hpp"

#include <algorithm>
#include <thread>

#include "core/files.hpp"

namespace keel::db::mem {

std::optional<Refused> WriterLock::try_lock() {
    if (take()) return std::nullopt;
    return Refused::Busy;
}

std::optional<Refused> WriterLock::lock(std::stop_token stop, Deadline deadline) {
    if (take()) return std::nullopt;
    if (held_by_this_thread()) return Refused::Busy;
    std::unique_lock guard(mutex_);
    Waiter waiter;
    waiters_.push_back(&waiter);
    any_waits_.store(true, std::memory_order_seq_cst);
    // It worked when the store was opened: that it is refused passes.
    while (barrier_ && !core::process_memory_barrier()) std::this_thread::yield();
    // A holder that did not see the flag has freed the state already; any other comes for the
    // mutex.
    const auto leave = [&] {
        std::erase(waiters_, &waiter);
        any_waits_.store(!waiters_.empty(), std::memory_order_seq_cst);
    };
    if (waiters_.front() == &waiter && exchange_free(thread_number())) {
        leave();
        return std::nullopt;
    }
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
    leave();
    return stop.stop_requested() ? Refused::Cancelled : Refused::Busy;
}

void WriterLock::hand_over() {
    const std::lock_guard guard(mutex_);
    // Somebody may have taken it meanwhile, who does the same when he gives it back.
    if (waiters_.empty() || !exchange_free(kGranted)) return;
    Waiter* const next = waiters_.front();
    waiters_.pop_front();
    any_waits_.store(!waiters_.empty(), std::memory_order_seq_cst);
    next->granted = true;
    next->granted_changed.notify_one();
}

}  // namespace keel::db::mem
