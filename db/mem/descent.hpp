#pragma once

// A tree as a reader and the writer find their way in it: from the root to a leaf, and from entry
// to entry.

#include <array>
#include <optional>

#include "db/mem/page_search.hpp"
#include "db/mem/page_space.hpp"

namespace keel::db::mem {

inline constexpr size_t kDepthMax =
    24;  // a branch has at least three links, a store at most 2^32 pages

/// Root and figures of one table, as the catalogue keeps them.
struct Tree {
    PageNo root = kNoPage;
    uint8_t depth = 0;
    bool dup = false;
    uint64_t entries = 0;
    uint64_t keys = 0;
    uint64_t branch_pages = 0;
    uint64_t leaf_pages = 0;
    uint64_t overflow_pages = 0;
    /// Made by a TreeBuilder into one piece that ends with the root, and not changed since.
    bool packed = false;
};

/// What a reader needs of a tree.
struct TreeView {
    PageNo root = kNoPage;
    uint8_t depth = 0;
    bool dup = false;

    TreeView() = default;
    TreeView(PageNo root_page, uint8_t tree_depth, bool dup_sort) noexcept
        : root(root_page), depth(tree_depth), dup(dup_sort) {}
    TreeView(const Tree& tree) noexcept : root(tree.root), depth(tree.depth), dup(tree.dup) {}
};

/// Pages from the root to a leaf and the index taken in each. The leaf's index may be its count:
/// behind its last entry.
struct Path {
    uint8_t depth = 0;  // 0: empty tree
    std::array<uint16_t, kDepthMax> index;
    std::array<PageNo, kDepthMax> page;

    Path() noexcept {}  // leaves the arrays as they are: a path is made on each descent
    Path(const Path& other) noexcept { *this = other; }
    // Most trees are three or four levels deep: the rest of the arrays is not worth copying.
    Path& operator=(const Path& other) noexcept {
        depth = other.depth;
        for (size_t level = 0; level < other.depth; ++level) {
            index[level] = other.index[level];
            page[level] = other.page[level];
        }
        return *this;
    }
    size_t leaf() const noexcept { return depth - 1U; }
};

// Reading. A function that answers false for "there is none" leaves the path as it was.

/// Path to the first entry that is not smaller than the target, or behind the last entry of a leaf.
/// True: it is the target. `change_in`: the commit in which the leaf will be changed; one of an
/// earlier commit will be copied, and is asked for as a whole before it is searched.
inline constexpr uint64_t kNoChange = 0;
bool descend(const PageSpace& space, const TreeView& tree, const Target& target, Path& path,
             uint64_t change_in = kNoChange);
bool descend_first(const PageSpace& space, const TreeView& tree, Path& path);
bool descend_last(const PageSpace& space, const TreeView& tree, Path& path);
/// From behind the last entry of a leaf to the first of the next one.
bool settle(const PageSpace& space, Path& path);
bool step_next(const PageSpace& space, Path& path);
bool step_prev(const PageSpace& space, Path& path);
inline const uint8_t* leaf_page(const PageSpace& space, const Path& path) noexcept {
    return space.raw(path.page[path.leaf()]);
}
inline LeafRecord record_at(const PageSpace& space, const Path& path) noexcept {
    return leaf_record(leaf_page(space, path), path.index[path.leaf()]);
}
inline ByteView key_at(const PageSpace& space, const Path& path) noexcept {
    return leaf_key(leaf_page(space, path), path.index[path.leaf()]);
}
/// The value of a key; the first of its group.
std::optional<ByteView> tree_get(const PageSpace& space, const TreeView& tree, ByteView key);
/// Number of entries smaller than the target.
uint64_t rank(const PageSpace& space, const TreeView& tree, const Target& target);

}  // namespace keel::db::mem
