#include "db/mem/descent.hpp"

#include "db/mem/heads_avx512.hpp"

namespace keel::db::mem {
namespace {

void down_first(const PageSpace& space, Path& path, size_t level) {
    for (; level + 1U < path.depth; ++level) {
        const PageNo child = links(space.raw(path.page[level]))[path.index[level]].child;
        path.page[level + 1] = child;
        path.index[level + 1] = 0;
        space.tree_page(child, path.depth - 2U - level);
    }
}

void down_last(const PageSpace& space, Path& path, size_t level) {
    for (; level + 1U < path.depth; ++level) {
        const PageNo child = links(space.raw(path.page[level]))[path.index[level]].child;
        path.page[level + 1] = child;
        path.index[level + 1] = static_cast<uint16_t>(
            header(space.tree_page(child, path.depth - 2U - level)).count - 1);
    }
}

// A descent is compiled as a whole for processors with AVX-512, where its searches are inline:
// called through a pointer each they cost as much as they do.

template <class Heads>
[[gnu::always_inline]] inline bool descend_with(const PageSpace& space, const TreeView& tree,
                                                const Target& target, Path& path,
                                                uint64_t change_in) {
    path.depth = tree.depth;
    if (tree.depth == 0) return false;
    PageNo number = tree.root;
    const size_t leaf = tree.depth - 1U;
    for (size_t level = 0; level < leaf; ++level) {
        const uint8_t* const page = space.tree_page(number, leaf - level);
        const uint16_t index = branch_child<Heads>(page, target, tree.dup);
        path.page[level] = number;
        path.index[level] = index;
        number = links(page)[index].child;
        if (level + 1 == leaf) {
            prefetch_leaf(space.raw(number));
            if (change_in != kNoChange && space.born(number) != change_in)
                prefetch_rest_of_leaf(space.raw(number));
        }
    }
    const LeafPlace place = leaf_lower_bound<Heads>(space.tree_page(number, 0), target, tree.dup);
    path.page[leaf] = number;
    path.index[leaf] = place.index;
    return place.exact;
}

template <class Heads>
[[gnu::always_inline]] inline std::optional<ByteView> get_with(const PageSpace& space,
                                                               const TreeView& tree, ByteView key) {
    if (tree.depth == 0) return std::nullopt;
    const Target target = {key};
    PageNo number = tree.root;
    for (size_t level = tree.depth - 1U; level > 0; --level) {
        const uint8_t* const page = space.tree_page(number, level);
        number = links(page)[branch_child<Heads>(page, target, tree.dup)].child;
        if (level == 1) prefetch_leaf(space.raw(number));
    }
    const uint8_t* const page = space.tree_page(number, 0);
    if (!tree.dup) {
        const uint16_t index = leaf_exact(page, key, leaf_candidate<Heads>(page, key));
        if (index == header(page).count) return std::nullopt;
        return space.value(leaf_record(page, index));
    }
    const LeafPlace place = leaf_lower_bound<Heads>(page, target, true);
    if (place.exact) return leaf_record(page, place.index).value;
    // The group's first value is not the empty one: it is the next entry, perhaps in the next leaf.
    if (place.index < header(page).count) {
        const LeafRecord record = leaf_record(page, place.index);
        return record.key == key ? std::optional(record.value) : std::nullopt;
    }
    Path path;
    descend(space, tree, target, path);
    if (!settle(space, path) || key_at(space, path) != key) return std::nullopt;
    return record_at(space, path).value;
}

struct Avx512Heads {
    KEEL_TARGET_AVX512 static size_t below(const uint64_t* from, size_t count,
                                           uint64_t head) noexcept {
        return heads_below_avx512(from, count, head);
    }
};

KEEL_TARGET_AVX512 [[gnu::flatten]] bool descend_avx512(const PageSpace& space,
                                                        const TreeView& tree, const Target& target,
                                                        Path& path, uint64_t change_in) {
    return descend_with<Avx512Heads>(space, tree, target, path, change_in);
}
bool descend_plainly(const PageSpace& space, const TreeView& tree, const Target& target, Path& path,
                     uint64_t change_in) {
    return descend_with<ChosenHeads>(space, tree, target, path, change_in);
}
KEEL_TARGET_AVX512 [[gnu::flatten]] std::optional<ByteView> get_avx512(const PageSpace& space,
                                                                       const TreeView& tree,
                                                                       ByteView key) {
    return get_with<Avx512Heads>(space, tree, key);
}
std::optional<ByteView> get_plainly(const PageSpace& space, const TreeView& tree, ByteView key) {
    return get_with<ChosenHeads>(space, tree, key);
}

const auto kDescend = has_avx512() ? descend_avx512 : descend_plainly;
const auto kGet = has_avx512() ? get_avx512 : get_plainly;

}  // namespace

bool descend(const PageSpace& space, const TreeView& tree, const Target& target, Path& path,
             uint64_t change_in) {
    return kDescend(space, tree, target, path, change_in);
}

std::optional<ByteView> tree_get(const PageSpace& space, const TreeView& tree, ByteView key) {
    return kGet(space, tree, key);
}

bool descend_first(const PageSpace& space, const TreeView& tree, Path& path) {
    if (tree.depth == 0) return false;
    path.depth = tree.depth;
    path.page[0] = tree.root;
    path.index[0] = 0;
    space.tree_page(tree.root, tree.depth - 1U);
    down_first(space, path, 0);
    return true;
}

bool descend_last(const PageSpace& space, const TreeView& tree, Path& path) {
    if (tree.depth == 0) return false;
    path.depth = tree.depth;
    path.page[0] = tree.root;
    path.index[0] =
        static_cast<uint16_t>(header(space.tree_page(tree.root, tree.depth - 1U)).count - 1);
    down_last(space, path, 0);
    return true;
}

bool settle(const PageSpace& space, Path& path) {
    if (path.depth == 0) return false;
    const size_t leaf = path.leaf();
    if (path.index[leaf] < header(space.raw(path.page[leaf])).count) return true;
    for (size_t level = leaf; level > 0;) {
        --level;
        if (path.index[level] + 1 >= header(space.raw(path.page[level])).count) continue;
        // On a copy: a damaged page on the way leaves the path as it was.
        Path next = path;
        ++next.index[level];
        down_first(space, next, level);
        path = next;
        return true;
    }
    return false;
}

bool step_next(const PageSpace& space, Path& path) {
    const size_t leaf = path.leaf();
    if (path.index[leaf] + 1 < header(space.raw(path.page[leaf])).count) {
        ++path.index[leaf];
        return true;
    }
    Path next = path;
    next.index[leaf] = header(space.raw(path.page[leaf])).count;
    if (!settle(space, next)) return false;
    path = next;
    return true;
}

bool step_prev(const PageSpace& space, Path& path) {
    if (path.depth == 0) return false;
    size_t level = path.leaf();
    if (path.index[level] > 0) {
        --path.index[level];
        return true;
    }
    while (level > 0) {
        --level;
        if (path.index[level] == 0) continue;
        Path before = path;
        --before.index[level];
        down_last(space, before, level);
        path = before;
        return true;
    }
    return false;
}

uint64_t rank(const PageSpace& space, const TreeView& tree, const Target& target) {
    if (tree.depth == 0) return 0;
    uint64_t before = 0;
    PageNo number = tree.root;
    for (size_t level = tree.depth - 1U; level > 0; --level) {
        const uint8_t* const page = space.tree_page(number, level);
        const uint16_t index = branch_child(page, target, tree.dup);
        for (uint16_t i = 0; i < index; ++i) before += links(page)[i].count();
        number = links(page)[index].child;
    }
    return before + leaf_lower_bound(space.tree_page(number, 0), target, tree.dup).index;
}

}  // namespace keel::db::mem
