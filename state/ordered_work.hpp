#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

#include "core/base.hpp"

namespace keel::state {

/// Threads that pay for `items` pieces of work: one a processor, the caller's among them.
inline size_t threads_for(size_t items) {
    constexpr size_t kThreadsMax = 16;
    // Asked once: the C library reads it from a file of the kernel.
    static const size_t processors = std::max<size_t>(std::thread::hardware_concurrency(), 1);
    return std::max<size_t>(std::min({items, processors, kThreadsMax}), 1);
}

/// Pieces of work that are made on several threads and taken in their order. Made ahead of the one
/// that is taken are at most `window` pieces, so that memory stays bounded; whoever waits for a
/// piece makes others meanwhile. next() by one thread. A piece that fails does so in next().
template <class Piece>
class OrderedWork {
  public:
    /// `make` runs on any thread, for several pieces at once. The threads start here.
    OrderedWork(size_t count, size_t window, size_t threads, std::function<Piece(size_t)> make)
        : count_(count), window_(window), make_(std::move(make)) {
        for (size_t i = 1; i < threads; ++i)
            threads_.emplace_back([this](const std::stop_token& stop) { work(stop); });
    }
    ~OrderedWork() {
        for (std::jthread& thread : threads_) thread.request_stop();
        const std::lock_guard guard(mutex_);
        changed_.notify_all();
    }
    OrderedWork(const OrderedWork&) = delete;
    OrderedWork& operator=(const OrderedWork&) = delete;

    size_t count() const noexcept { return count_; }
    /// The next piece; none behind the last one.
    std::optional<Piece> next() {
        std::unique_lock lock(mutex_);
        if (taken_ == count_) return std::nullopt;
        while (ahead_.empty() || !ahead_.front().done()) {
            if (claimed_ < end_of_window()) {
                make_one(lock);
            } else {
                changed_.wait(lock);
            }
        }
        Slot slot = std::move(ahead_.front());
        ahead_.pop_front();
        ++taken_;
        changed_.notify_all();
        if (slot.failed) std::rethrow_exception(slot.failed);
        return std::move(slot.piece);
    }

  private:
    struct Slot {
        std::optional<Piece> piece;
        std::exception_ptr failed;
        bool done() const noexcept { return piece.has_value() || failed != nullptr; }
    };

    size_t end_of_window() const noexcept { return std::min(count_, taken_ + window_); }

    void make_one(std::unique_lock<std::mutex>& lock) {
        const size_t index = claimed_++;
        ahead_.emplace_back();
        lock.unlock();
        Slot made;
        try {
            made.piece.emplace(make_(index));
        } catch (...) {
            made.failed = std::current_exception();
        }
        lock.lock();
        ahead_[index - taken_] = std::move(made);
        changed_.notify_all();
    }

    void work(const std::stop_token& stop) {
        std::unique_lock lock(mutex_);
        while (!stop.stop_requested() && claimed_ < count_) {
            if (claimed_ < end_of_window()) {
                make_one(lock);
            } else {
                changed_.wait(lock);
            }
        }
    }

    const size_t count_;
    const size_t window_;
    const std::function<Piece(size_t)> make_;
    std::mutex mutex_;
    std::condition_variable changed_;
    // Under the mutex: pieces [taken_, claimed_), finished or not.
    std::deque<Slot> ahead_;
    size_t claimed_ = 0;
    size_t taken_ = 0;
    std::vector<std::jthread> threads_;  // the last member: they end before the others go
};

}  // namespace keel::state
