#pragma once

// What lies between two heads: blocks that stopped being canonical and blocks that became so.

#include <cstddef>
#include <vector>

#include "rpc/snapshot.hpp"

namespace keel::rpc {

struct HeadChange {
    std::vector<chain::BlockId> removed;  // ascending
    std::vector<chain::BlockId> added;    // ascending
};

/// From a block that was head to the snapshot's. At most `blocks_max` of each, those next to the
/// newer head and those above the fork; blocks that are not stored any more are left out.
HeadChange change_since(Snapshot& snapshot, const chain::BlockId& head, size_t blocks_max);

}  // namespace keel::rpc
