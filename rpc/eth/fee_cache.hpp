#pragma once

// What blocks paid, kept by their hashes: eth_feeHistory asks for the same ones again and again,
// and each would be decoded for it. All of it follows from the block, so that nothing becomes
// stale.

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/types/hash.hpp"
#include "core/u256.hpp"

namespace keel::rpc::eth {

/// Of one block, and what follows from it for the next.
struct BlockFees {
    struct Paid {
        core::U256 tip;  // a gas
        uint64_t gas = 0;
    };
    core::Hash32 parent;
    std::optional<core::U256> base_fee, next_base_fee;
    core::U256 blob_fee, next_blob_fee;
    double gas_ratio = 0;
    double blob_ratio = 0;
    uint64_t gas_used = 0;
    std::vector<Paid> paid;          // by transaction, the lowest tip first
    std::vector<core::U256> lowest;  // tips that count for a suggestion, ascending
};

/// Any thread.
class FeeCache {
  public:
    static constexpr size_t kBlocksMax = 2048;  // two of the longest histories

    /// Null: not here.
    std::shared_ptr<const BlockFees> find(const core::Hash32& hash);
    /// The oldest entries make room.
    void put(const core::Hash32& hash, std::shared_ptr<const BlockFees> fees);

  private:
    static constexpr size_t kShards = 16;
    struct HashOfHash {
        size_t operator()(const core::Hash32& hash) const noexcept;
    };
    struct Shard {
        std::mutex mutex;  // guards the two below
        std::unordered_map<core::Hash32, std::shared_ptr<const BlockFees>, HashOfHash> by_hash;
        std::deque<core::Hash32> order;
    };
    Shard& shard_of(const core::Hash32& hash) noexcept { return shards_[hash[1] % kShards]; }

    std::array<Shard, kShards> shards_;
};

}  // namespace keel::rpc::eth
