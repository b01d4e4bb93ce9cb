#pragma once

#include <optional>
#include <vector>

#include "crypto/keccak.hpp"
#include "rpc/eth/objects.hpp"

namespace keel::rpc::eth {

/// Calls take(log, place, hash of the transaction, index in the block) for the logs of a block that
/// accepts(log) lets through, in their order.
template <class Accepts, class Take>
void visit_logs(const Snapshot& snapshot, const chain::BlockId& id, const Accepts& accepts,
                const Take& take) {
    const chain::BlockReader& blocks = snapshot.blocks();
    const size_t count = blocks.receipt_count(id);
    MinedPlace place;
    place.block = id;
    uint64_t log_index = 0;
    bool is_first = true;
    // One hash by itself, all at once from the second on: eight cost little more than one.
    size_t hashed = 0;
    std::vector<core::Hash32> all_hashes;
    const auto hash_of = [&](size_t index) {
        if (++hashed == 1) return crypto::keccak256(blocks.tx_raw(id, index).value());
        if (all_hashes.empty()) all_hashes = blocks.tx_hashes(id);
        return all_hashes.at(index);
    };
    for (; place.index < count; ++place.index) {
        std::optional<core::Hash32> tx_hash;
        for (const core::Log& log : blocks.logs(id, place.index)) {
            const uint64_t index = log_index++;
            if (!accepts(log)) continue;
            if (is_first) place.timestamp_s = snapshot.header(id).timestamp;
            is_first = false;
            if (!tx_hash) tx_hash = hash_of(place.index);
            take(log, place, *tx_hash, index);
        }
    }
}

}  // namespace keel::rpc::eth
