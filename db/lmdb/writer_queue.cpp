#include "db/lmdb/writer_queue.hpp"

#include <algorithm>

namespace keel::db::lmdb {

WriterQueue::Turn WriterQueue::try_acquire(uint64_t self) {
    const std::scoped_lock lock(mutex_);
    if (closed_) return Turn::Closed;
    if (holder_ != 0 || !waiting_.empty()) return Turn::Busy;
    holder_ = self;
    return Turn::Taken;
}

WriterQueue::Turn WriterQueue::acquire(uint64_t self, const std::stop_token& stop,
                                       Deadline deadline) {
    std::unique_lock lock(mutex_);
    if (closed_) return Turn::Closed;
    if (holder_ == self) return Turn::Busy;
    if (holder_ == 0 && waiting_.empty()) {
        holder_ = self;
        return Turn::Taken;
    }
    Waiter waiter;
    waiter.thread = self;
    waiting_.push_back(&waiter);
    const auto settled = [&] { return waiter.granted || closed_; };
    if (deadline == kNever) {
        waiter.granted_or_closed.wait(lock, stop, settled);
    } else {
        waiter.granted_or_closed.wait_until(lock, stop, deadline, settled);
    }
    if (waiter.granted) return Turn::Taken;
    std::erase(waiting_, &waiter);
    if (closed_) return Turn::Closed;
    return stop.stop_requested() ? Turn::Cancelled : Turn::Busy;
}

void WriterQueue::release() {
    const std::scoped_lock lock(mutex_);
    holder_ = 0;
    abandoned_ = false;
    if (!closed_ && !waiting_.empty()) {
        Waiter& next = *waiting_.front();
        waiting_.pop_front();
        holder_ = next.thread;
        next.granted = true;
        next.granted_or_closed.notify_one();
        return;
    }
    freed_.notify_all();
}

bool WriterQueue::close(uint64_t self, Deadline deadline) {
    std::unique_lock lock(mutex_);
    closed_ = true;
    for (Waiter* waiter : waiting_) waiter->granted_or_closed.notify_one();
    if (holder_ == self) return false;
    return freed_.wait_until(lock, deadline, [&] { return holder_ == 0 || abandoned_; }) &&
           !abandoned_;
}

bool WriterQueue::held() const {
    const std::scoped_lock lock(mutex_);
    return holder_ != 0;
}

size_t WriterQueue::waiting() const {
    const std::scoped_lock lock(mutex_);
    return waiting_.size();
}

void WriterQueue::abandon() {
    const std::scoped_lock lock(mutex_);
    abandoned_ = true;
    freed_.notify_all();
}

bool WriterQueue::abandoned_by(uint64_t self) const {
    const std::scoped_lock lock(mutex_);
    return abandoned_ && holder_ == self;
}

std::optional<uint64_t> WriterQueue::abandoned() const {
    const std::scoped_lock lock(mutex_);
    return abandoned_ ? std::optional(holder_) : std::nullopt;
}

}  // namespace keel::db::lmdb
