#include "rpc/eth/fee_cache.hpp"

#include <cstring>

namespace keel::rpc::eth {

size_t FeeCache::HashOfHash::operator()(const core::Hash32& hash) const noexcept {
    size_t word = 0;
    std::memcpy(&word, hash.data() + 8, sizeof word);
    return word;
}

std::shared_ptr<const BlockFees> FeeCache::find(const core::Hash32& hash) {
    Shard& shard = shard_of(hash);
    const std::scoped_lock lock(shard.mutex);
    const auto found = shard.by_hash.find(hash);
    return found == shard.by_hash.end() ? nullptr : found->second;
}

void FeeCache::put(const core::Hash32& hash, std::shared_ptr<const BlockFees> fees) {
    Shard& shard = shard_of(hash);
    const std::scoped_lock lock(shard.mutex);
    if (!shard.by_hash.emplace(hash, std::move(fees)).second) return;
    shard.order.push_back(hash);
    if (shard.order.size() <= kBlocksMax / kShards) return;
    shard.by_hash.erase(shard.order.front());
    shard.order.pop_front();
}

}  // namespace keel::rpc::eth
