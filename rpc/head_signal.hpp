#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

#include "rpc/eth/block_facts.hpp"
#include "rpc/eth/fee_cache.hpp"

namespace keel::rpc {

/// What requests share about heads: being woken by a new one, what past ones paid,
/// and what of blocks is not stored. Any thread.
class HeadSignal {
  public:
    eth::FeeCache& fees() noexcept { return fees_; }
    eth::FactsCache& facts() noexcept { return facts_; }
    /// Behind each commit that moves the head.
    void head_changed() {
        {
            const std::scoped_lock lock(mutex_);
            ++count_;
        }
        changed_.notify_all();
    }
    /// Nobody waits from now on.
    void close() {
        {
            const std::scoped_lock lock(mutex_);
            is_closed_ = true;
        }
        changed_.notify_all();
    }
    /// Heads so far.
    uint64_t count() const {
        const std::scoped_lock lock(mutex_);
        return count_;
    }
    /// Until there were more heads than `seen`, whose new count it returns; false: in vain.
    bool wait_beyond(uint64_t& seen, std::chrono::steady_clock::time_point until) {
        std::unique_lock lock(mutex_);
        changed_.wait_until(lock, until, [&] { return is_closed_ || count_ != seen; });
        const bool is_new = !is_closed_ && count_ != seen;
        seen = count_;
        return is_new;
    }

  private:
    mutable std::mutex mutex_;  // guards the two below
    uint64_t count_ = 0;
    bool is_closed_ = false;
    std::condition_variable changed_;
    eth::FeeCache fees_{eth::kFeeBlocksMax};
    eth::FactsCache facts_;
};

}  // namespace keel::rpc
