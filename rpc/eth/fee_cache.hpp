#pragma once

// What blocks paid, kept by their hashes: eth_feeHistory asks for the same ones again and again,
// and each would be decoded for it. All of it follows from the block, so that nothing becomes
// stale.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/u256.hpp"
#include "rpc/eth/block_cache.hpp"

namespace keel::rpc::eth {

/// Of one block, and what follows from it for the next.
struct BlockFees {
    struct Paid {
        core::U256 tip;    // a gas
        uint64_t gas = 0;  // of this transaction and of those with lower tips
    };
    core::Hash32 parent;
    std::optional<core::U256> base_fee, next_base_fee;
    core::U256 blob_fee, next_blob_fee;
    std::string gas_ratio;  // as JSON writes it: its digits cost more than all else
    std::string blob_ratio;
    uint64_t gas_used = 0;
    std::vector<Paid> paid;          // by transaction, the lowest tip first
    std::vector<core::U256> lowest;  // tips that count for a suggestion, ascending
};

inline constexpr size_t kFeeBlocksMax = 2048;  // two of the longest histories
using FeeCache = BlockCache<BlockFees>;

}  // namespace keel::rpc::eth
