#pragma once

// Loading many entries at once: a table's tree is built anew, bottom-up, out of what it has and
// what comes, and takes the old one's place.

#include "db/backend.hpp"
#include "db/mem/page_tree.hpp"

namespace keel::db::mem {

/// Is it worth it? Few entries into a large tree are put one by one.
bool builds_whole(const Tree& tree, uint64_t coming) noexcept;
/// Returns the number of entries that came. Sizes of keys and values are checked already.
uint64_t load_whole(OwnedPages& pages, TreeEditor& editor, Tree& tree, SortedEntries& entries);

}  // namespace keel::db::mem
