#pragma once

#include "rpc/eth/block_facts.hpp"
#include "rpc/eth/objects.hpp"

namespace keel::rpc::eth {

/// Calls take(log, place, hash of the transaction, index in the block) for the logs of a block that
/// accepts(log) lets through, in their order.
template <class Accepts, class Take>
void visit_logs(const Snapshot& snapshot, const chain::BlockId& id, const Accepts& accepts,
                const Take& take) {
    const chain::BlockView block = snapshot.block(id);
    const size_t count = block.receipt_count();
    MinedPlace place;
    place.block = id;
    uint64_t log_index = 0;
    // One hash by itself, all at once from the second on: eight cost little more than one.
    size_t hashed = 0;
    std::shared_ptr<const TxHashes> all_hashes;
    const auto hash_of = [&](size_t index) {
        if (++hashed == 1) return tx_hash_of(block, index, snapshot.facts());
        if (!all_hashes) all_hashes = tx_hashes_of(block, snapshot.facts());
        return all_hashes->at(index);
    };
    chain::LogView log;
    for (; place.index < count; ++place.index) {
        core::Hash32 tx_hash;
        bool is_hashed = false;
        for (core::ByteView logs = block.receipt(place.index).logs; block.next_log(logs, log);) {
            const uint64_t index = log_index++;
            if (!accepts(log)) continue;
            if (hashed == 0) place.timestamp_s = snapshot.header(id).timestamp;
            if (!is_hashed) tx_hash = hash_of(place.index);
            is_hashed = true;
            take(log, place, tx_hash, index);
        }
    }
}

}  // namespace keel::rpc::eth
