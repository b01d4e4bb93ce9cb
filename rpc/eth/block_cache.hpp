#pragma once

// What follows from a block and is dear to make, kept by the block's hash. Nothing in it can
// become stale: another block has another hash. Whoever asks has found the hash in its snapshot.

#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <deque>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "core/types/hash.hpp"

namespace keel::rpc::eth {

/// Bounded by weight, in units of the user's choice. Any thread.
template <class T>
class BlockCache {
  public:
    using Entry = std::shared_ptr<const T>;

    explicit BlockCache(size_t weight_max) : weight_max_(weight_max) {}

    /// Null: not here.
    Entry find(const core::Hash32& hash) {
        Shard& shard = shard_of(hash);
        const std::scoped_lock lock(shard.mutex);
        const auto found = shard.by_hash.find(hash);
        return found == shard.by_hash.end() ? nullptr : found->second.entry;
    }
    /// The oldest entries make room.
    void put(const core::Hash32& hash, Entry entry, size_t weight = 1) {
        Shard& shard = shard_of(hash);
        const std::scoped_lock lock(shard.mutex);
        if (!shard.by_hash.emplace(hash, Kept{std::move(entry), weight}).second) return;
        shard.order.push_back(hash);
        shard.weight += weight;
        while (shard.weight > weight_max_ / kShards && shard.order.size() > 1) {
            const auto oldest = shard.by_hash.find(shard.order.front());
            shard.weight -= oldest->second.weight;
            shard.by_hash.erase(oldest);
            shard.order.pop_front();
        }
    }
    /// Whether the block was asked for lately: what costs more to make for all of a block than for
    /// a part pays from the second time on.
    bool is_wanted_again(const core::Hash32& hash) noexcept {
        uint32_t word = 0;
        std::memcpy(&word, hash.data() + 4, sizeof word);
        return seen_[word % kSeen].exchange(word, std::memory_order_relaxed) == word;
    }
    size_t size() {
        size_t count = 0;
        for (Shard& shard : shards_) {
            const std::scoped_lock lock(shard.mutex);
            count += shard.order.size();
        }
        return count;
    }

  private:
    static constexpr size_t kShards = 16;
    static constexpr size_t kSeen = 1024;

    struct Kept {
        Entry entry;
        size_t weight;
    };
    struct HashOfHash {
        size_t operator()(const core::Hash32& hash) const noexcept {
            size_t word = 0;
            std::memcpy(&word, hash.data() + 8, sizeof word);
            return word;
        }
    };
    struct alignas(64) Shard {
        std::mutex mutex;  // guards all below
        std::unordered_map<core::Hash32, Kept, HashOfHash> by_hash;
        std::deque<core::Hash32> order;
        size_t weight = 0;
    };
    Shard& shard_of(const core::Hash32& hash) noexcept { return shards_[hash[1] % kShards]; }

    const size_t weight_max_;
    std::array<Shard, kShards> shards_;
    std::array<std::atomic<uint32_t>, kSeen> seen_ = {};
};

}  // namespace keel::rpc::eth
