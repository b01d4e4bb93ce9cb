#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>

#include "core/result.hpp"
#include "db/backend.hpp"

namespace keel::db::lmdb {

/// The right to write, handed on in the order of asking (R12). Any thread.
class WriterQueue {
  public:
    enum class Turn : uint8_t { Taken, Busy, Cancelled, Closed };

    /// `self` names the calling thread. Busy at once when it holds the right already.
    Turn acquire(uint64_t self, const std::stop_token& stop, Deadline deadline);
    Turn try_acquire(uint64_t self);
    void release();
    /// Waiters and later callers get Closed. Waits for the holder until `deadline`; false when it
    /// is still there, or is the calling thread itself, which would wait for ever.
    bool close(uint64_t self, Deadline deadline);

    bool held() const;
    size_t waiting() const;

    /// The holder's last handle went away on another thread, which must not end it: the holder's
    /// own thread does at its next begin, or whoever finds that thread gone.
    void abandon();
    bool abandoned_by(uint64_t self) const;
    /// The abandoned holder, if there is one.
    std::optional<uint64_t> abandoned() const;

  private:
    struct Waiter {
        std::condition_variable_any granted_or_closed;
        bool granted = false;
        uint64_t thread = 0;
    };

    mutable std::mutex mutex_;  // innermost: nothing is called under it
    std::condition_variable_any freed_;
    std::deque<Waiter*> waiting_;
    uint64_t holder_ = 0;  // 0: free
    bool abandoned_ = false;
    bool closed_ = false;
};

}  // namespace keel::db::lmdb
