#include "rpc/head_change.hpp"

#include <algorithm>

namespace keel::rpc {

HeadChange change_since(Snapshot& snapshot, const chain::BlockId& head, size_t blocks_max) {
    const chain::BlockReader& blocks = snapshot.blocks();
    const chain::BlockId newest = snapshot.head();
    HeadChange change;
    chain::BlockId fork = head;
    while (!blocks.is_canonical(fork)) {
        // A chain that was set back may have dropped it.
        if (fork.number == 0 || !blocks.header_rlp(fork)) {
            fork = newest;
            break;
        }
        change.removed.push_back(fork);
        fork = blocks.parent_of(fork);
    }
    std::ranges::reverse(change.removed);
    if (change.removed.size() > blocks_max) change.removed.resize(blocks_max);
    uint64_t number = fork.number + 1;
    // Canonical blocks above the newest head: the old one was ahead on the same chain.
    if (newest.number >= blocks_max) number = std::max(number, newest.number - blocks_max + 1);
    for (; number <= newest.number; ++number) {
        if (const auto hash = blocks.canonical_hash(number))
            change.added.push_back({number, *hash});
    }
    return change;
}

}  // namespace keel::rpc
