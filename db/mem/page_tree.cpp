#include "db/mem/page_tree.hpp"

#include <algorithm>
#include <utility>

namespace keel::db::mem {
namespace {

constexpr size_t kMergedBytesMax = kBodyBytes / 4 * 3;
// A full leaf gives to a neighbour that has at least this share of a page free.
constexpr size_t kShareFreeShare = 3;
// A tree of fewer levels is not worth it: it is a megabyte at most.
constexpr size_t kShareFromDepth = 3;

/// The entries of one leaf or of two neighbours, and one that is added, about to be divided between
/// two pages that are made anew.
struct LeafDivision {
    const uint8_t* left;
    const uint8_t* right;  // null: one leaf
    size_t left_count;
    const LeafRecord& added;
    size_t new_at;  // its place among all
    size_t middle;  // so many of all go into the left page

    size_t count() const noexcept {
        return left_count + 1 + (right != nullptr ? header(right).count : 0);
    }
    LeafRecord entry(size_t i) const noexcept {
        if (i == new_at) return added;
        const size_t old = i < new_at ? i : i - 1;
        return old < left_count ? leaf_record(left, old) : leaf_record(right, old - left_count);
    }
    size_t entry_bytes(size_t i) const noexcept { return kLeafEntryBytes + record_bytes(entry(i)); }
    void fill_left(uint8_t* page) const noexcept { fill(page, 0, middle); }
    void fill_right(uint8_t* page) const noexcept { fill(page, middle, count()); }
    /// Between the two pages.
    Separator separator(bool dup) const noexcept {
        const LeafRecord last = entry(middle - 1);
        const LeafRecord first = entry(middle);
        return shortest_separator({last.key, last.value}, {first.key, first.value}, dup);
    }

  private:
    void fill(uint8_t* page, size_t first, size_t last) const noexcept {
        leaf_init(page);
        const bool has_new = first <= new_at && new_at < last;
        // By their numbers without the new one.
        const size_t old_first = first - (first > new_at ? 1 : 0);
        const size_t old_last = last - (last > new_at ? 1 : 0);
        if (old_first < left_count)
            leaf_append_from(page, left, old_first, std::min(old_last, left_count));
        if (old_last > left_count)
            leaf_append_from(page, right, std::max(old_first, left_count) - left_count,
                             old_last - left_count);
        if (has_new) leaf_insert(page, new_at - first, added);
    }
};

}  // namespace

ByteView TreeEditor::stable(ByteView view, uint8_t* buffer) const {
    if (view.empty() || !space_.contains(view.data())) return view;
    std::memcpy(buffer, view.data(), view.size());
    return {buffer, view.size()};
}

LeafRecord TreeEditor::make_record(Tree& tree, ByteView key, ByteView value) {
    const ByteView stable_key = stable(key, key_buffer_);
    if (kRecordHeadBytes + key.size() + value.size() <= kRecordBytesMax)
        return {stable_key, stable(value, value_buffer_)};
    // The run is written before anything else changes, so a value that lies in the store is still
    // whole.
    const uint32_t count = run_pages(value.size());
    const PageNo first = pages_.allocate_run(count);
    tree.overflow_pages += count;
    run_encode(pages_.writable(first), value);
    return {stable_key, {}, first, static_cast<uint32_t>(value.size())};
}

void TreeEditor::release_run(Tree& tree, const LeafRecord& record) {
    if (record.run == kNoPage) return;
    const uint32_t count = run_pages(record.run_bytes);
    pages_.release(record.run, count);
    tree.overflow_pages -= count;
}

void TreeEditor::touch(Tree& tree, Path& path, size_t levels) {
    tree.packed = false;
    // What refers to a page of the transaction was changed by it, so it is one as well.
    if (pages_.owned(path.page[path.leaf()])) return;
    for (size_t level = 0; level < levels; ++level) {
        const PageNo number = path.page[level];
        const PageNo owned = pages_.make_owned(number);
        if (owned == number) continue;
        path.page[level] = owned;
        if (level == 0) {
            tree.root = owned;
        } else {
            links(pages_.writable(path.page[level - 1]))[path.index[level - 1]].child = owned;
        }
    }
}

bool TreeEditor::next_leaf_begins_with(const Path& path, ByteView key) const {
    Path next = path;
    next.index[next.leaf()] = header(leaf_page(space_, path)).count;
    return settle(space_, next) && key_at(space_, next) == key;
}

bool TreeEditor::leaf_before_ends_with(const Path& path, ByteView key) const {
    Path before = path;
    before.index[before.leaf()] = 0;
    return step_prev(space_, before) && key_at(space_, before) == key;
}

bool TreeEditor::insert(Tree& tree, Path& path, ByteView key, ByteView value) {
    const bool new_key = !tree.dup || tree.root == kNoPage || key_is_alone(path, key, 0);
    const LeafRecord record = make_record(tree, key, value);
    ++tree.entries;
    if (new_key) ++tree.keys;
    if (tree.root == kNoPage) {
        tree.root = pages_.allocate();
        tree.depth = 1;
        tree.leaf_pages = 1;
        uint8_t* const page = pages_.writable(tree.root);
        leaf_init(page);
        leaf_insert(page, 0, record);
        path.depth = 1;
        path.page[0] = tree.root;
        path.index[0] = 0;
        return true;
    }
    // A leaf that will be divided goes into new pages anyway.
    const bool fits = leaf_fits(leaf_page(space_, path), record_bytes(record));
    touch(tree, path, fits ? path.depth : path.leaf());
    for (size_t level = 0; level + 1U < path.depth; ++level) link_at(path, level).add_count(1);
    return put_record(tree, path, record);
}

bool TreeEditor::put_record(Tree& tree, Path& path, const LeafRecord& record) {
    if (leaf_fits(leaf_page(space_, path), record_bytes(record))) {
        leaf_insert(pages_.writable(path.page[path.leaf()]), path.index[path.leaf()], record);
        return true;
    }
    split_leaf(tree, path, record);
    return false;
}

bool TreeEditor::is_same_size(const Path& path, const LeafRecord& record) const noexcept {
    const LeafRecord old = record_at(space_, path);
    return old.run == kNoPage && record.run == kNoPage && old.value.size() == record.value.size();
}

bool TreeEditor::replace(Tree& tree, Path& path, ByteView value) {
    const LeafRecord record = make_record(tree, key_at(space_, path), value);
    // Other bytes of the same number in a page that stays: the builder would have put them there.
    const bool stays_packed =
        tree.packed && pages_.owned(path.page[path.leaf()]) && is_same_size(path, record);
    touch(tree, path, path.depth);
    tree.packed = stays_packed;
    const size_t index = path.index[path.leaf()];
    uint8_t* const page = pages_.writable(path.page[path.leaf()]);
    release_run(tree, leaf_record(page, index));
    if (leaf_replace(page, index, record)) return true;
    leaf_erase(page, index, index + 1);
    return put_record(tree, path, record);
}

void TreeEditor::split_leaf(Tree& tree, Path& path, const LeafRecord& record) {
    const size_t index = path.index[path.leaf()];
    const PageNo number = path.page[path.leaf()];
    const uint8_t* const page = space_.raw(number);
    const size_t count = header(page).count;
    bool at_end = index == count;
    bool at_start = index == 0;
    for (size_t level = 0; level + 1U < path.depth; ++level) {
        at_end &= path.index[level] + 1U == header(space_.raw(path.page[level])).count;
        at_start &= path.index[level] == 0;
    }
    if (!at_end && !at_start && share_with_neighbour(tree, path, record)) return;
    // Of the count + 1 entries in order, the first `middle` stay. At the tree's ends the keys come
    // in order mostly.
    LeafDivision division = {page, nullptr, count, record, index, count};
    if (at_start) {
        division.middle = 1;
    } else if (!at_end) {
        const size_t total = leaf_used(page) + division.entry_bytes(index);
        size_t before = 0;
        size_t step = 0;
        size_t middle = 0;
        for (; 2 * before < total; before += step) step = division.entry_bytes(middle++);
        // The cut that leaves the larger side smaller.
        if (middle > 1 && 2 * before - total > total - 2 * (before - step)) --middle;
        division.middle = std::min(middle, count);
    }
    const PageNo right = pages_.allocate();
    ++tree.leaf_pages;
    division.fill_right(pages_.writable(right));
    PageNo left = number;
    // An append leaves the left one as it is.
    if (!at_end || header(page).dead > 0) {
        left = pages_.allocate();
        division.fill_left(pages_.writable(left));
    }
    const BranchItem item = {division.separator(tree.dup), right,
                             division.count() - division.middle};
    if (path.depth == 1) {
        new_root(tree, left, division.middle, item);
    } else {
        link_at(path, path.depth - 2U).child = left;
        insert_link(tree, path, path.depth - 2U, path.index[path.depth - 2U] + 1U, item);
    }
    // Last: the separator is a view of it, and a page that is given back is taken again at once.
    if (left != number) pages_.release(number);
}

bool TreeEditor::share_with_neighbour(Tree& tree, Path& path, const LeafRecord& record) {
    if (path.depth < kShareFromDepth) return false;
    const size_t parent_level = path.depth - 2U;
    uint8_t* const parent = pages_.writable(path.page[parent_level]);
    const size_t own_index = path.index[parent_level];
    const PageNo own_number = path.page[path.leaf()];
    // The emptier neighbour; one that is nearly full would be full again soon.
    size_t other_index = own_index;
    size_t least_used = kBodyBytes - kBodyBytes / kShareFreeShare;
    for (const size_t index : {own_index - 1, own_index + 1}) {
        if (index >= header(parent).count) continue;  // -1 too
        const PageNo neighbour = links(parent)[index].child;
        // An image's leaves are full mostly, and the first look at one costs as much as the change.
        if (neighbour < space_.image_pages()) continue;
        const size_t used = leaf_used(space_.tree_page(neighbour, 0));
        if (used >= least_used) continue;
        least_used = used;
        other_index = index;
    }
    if (other_index == own_index) return false;

    const PageNo other_number = links(parent)[other_index].child;
    const uint8_t* const own = space_.raw(own_number);
    const uint8_t* const other = space_.raw(other_number);
    const bool other_is_right = other_index > own_index;
    const size_t place = path.index[path.leaf()];
    const size_t own_count = header(own).count;
    const size_t other_count = header(other).count;
    LeafDivision division =
        other_is_right
            ? LeafDivision{own, other, own_count, record, place, own_count + 1}
            : LeafDivision{other, own, other_count, record, other_count + place, other_count};
    const size_t total = leaf_used(own) + leaf_used(other) + division.entry_bytes(division.new_at);
    // The cut moves from between the two leaves into the fuller one.
    size_t before = other_is_right ? total - least_used : least_used;
    while (2 * before < total) before += division.entry_bytes(division.middle++);
    while (2 * before > total) before -= division.entry_bytes(--division.middle);
    // Long records: no even cut.
    if (division.middle == 0 || division.middle == division.count() || before > kBodyBytes ||
        total - before > kBodyBytes)
        return false;

    // Two pages made anew: nothing is moved within a page.
    const PageNo left = pages_.allocate();
    const PageNo right = pages_.allocate();
    division.fill_left(pages_.writable(left));
    division.fill_right(pages_.writable(right));
    const BranchItem item = {division.separator(tree.dup), right,
                             division.count() - division.middle};
    // As if the left one had all of them, and were cut now.
    const size_t left_index = std::min(own_index, other_index);
    Link& kept = links(parent)[left_index];
    kept.child = left;
    kept.set_count(division.count());
    branch_erase(parent, left_index + 1);
    insert_link(tree, path, parent_level, left_index + 1, item);
    // Last, as above.
    pages_.release(own_number);
    pages_.release(other_number);
    return true;
}

void TreeEditor::new_root(Tree& tree, PageNo left, uint64_t left_count, const BranchItem& right) {
    KEEL_ASSERT(tree.depth < kDepthMax);
    const BranchItem both[] = {{{}, left, left_count}, right};
    tree.root = pages_.allocate();
    branch_encode(pages_.writable(tree.root), tree.depth, both, both + 2);
    ++tree.depth;
    ++tree.branch_pages;
}

void TreeEditor::insert_link(Tree& tree, const Path& path, size_t level, size_t index,
                             const BranchItem& item) {
    uint8_t* const left = pages_.writable(path.page[level]);
    Link& shrunk = links(left)[index - 1];
    shrunk.set_count(shrunk.count() - item.count);
    if (branch_insert_in_place(left, index, item)) return;

    items_.decode(left);
    items_.insert(index, item);
    const BranchItem* const first = items_.items.data();
    const BranchItem* const last = first + items_.items.size();
    const uint8_t branch_level = header(left).level;
    if (branch_bytes(first, last) <= kBodyBytes) {
        branch_encode(left, branch_level, first, last);
        return;
    }
    const auto fits = [&](const BranchItem* middle) {
        return branch_bytes(first, middle) <= kBodyBytes &&
               branch_bytes(middle, last) <= kBodyBytes;
    };
    bool at_end = first + index + 1 == last;
    for (size_t above = 0; above < level; ++above)
        at_end &= path.index[above] + 1U == header(space_.raw(path.page[above])).count;
    const BranchItem* middle = at_end ? last - 1 : first + (last - first) / 2;
    if (!fits(middle)) {
        // Long separators: the most even cut. One always fits: beside the new link, where it does
        // not share the prefix.
        middle = nullptr;
        size_t larger_side = SIZE_MAX;
        for (const BranchItem* cut = first + 1; cut < last; ++cut) {
            const size_t larger = std::max(branch_bytes(first, cut), branch_bytes(cut, last));
            if (larger < larger_side) {
                larger_side = larger;
                middle = cut;
            }
        }
        KEEL_ASSERT(middle != nullptr && larger_side <= kBodyBytes);
    }
    uint64_t right_count = 0;
    uint64_t left_count = 0;
    for (const BranchItem* at = first; at < middle; ++at) left_count += at->count;
    for (const BranchItem* at = middle; at < last; ++at) right_count += at->count;
    const PageNo right_number = pages_.allocate();
    ++tree.branch_pages;
    branch_encode(left, branch_level, first, middle);
    branch_encode(pages_.writable(right_number), branch_level, middle, last);
    // The separator moves up; the level above uses items_ anew.
    uint8_t key[kKeyBytesMax];
    uint8_t value[kDupValueBytesMax];
    Separator separator = middle->separator;
    std::ranges::copy(separator.key, key);
    std::ranges::copy(separator.value, value);
    separator = {{key, separator.key.size()}, {value, separator.value.size()}};
    const BranchItem right = {separator, right_number, right_count};
    if (level == 0) {
        new_root(tree, path.page[0], left_count, right);
    } else {
        insert_link(tree, path, level - 1, path.index[level - 1] + 1U, right);
    }
}

bool TreeEditor::erase_one(Tree& tree, Path& path) {
    const size_t index = path.index[path.leaf()];
    const bool last_of_key = !tree.dup || key_is_alone(path, key_at(space_, path), 1);
    return erase(tree, path, index + 1, last_of_key ? 1 : 0);
}

bool TreeEditor::erase(Tree& tree, Path& path, size_t last, uint64_t keys) {
    touch(tree, path, path.depth);
    const size_t leaf = path.leaf();
    const size_t index = path.index[leaf];
    uint8_t* const page = pages_.writable(path.page[leaf]);
    const uint64_t gone = last - index;
    if (tree.overflow_pages > 0)
        for (size_t i = index; i < last; ++i) release_run(tree, leaf_record(page, i));
    const size_t used_before = leaf_used(page);
    leaf_erase(page, index, last);
    tree.entries -= gone;
    tree.keys -= keys;
    for (size_t level = 0; level + 1U < path.depth; ++level) link_at(path, level).take_count(gone);
    if (header(page).count == 0) {
        remove_page(tree, path, leaf);
        return false;
    }
    if (seeks_neighbour(used_before, leaf_used(page))) return !merge(tree, path, leaf);
    return true;
}

void TreeEditor::remove_page(Tree& tree, const Path& path, size_t level) {
    pages_.release(path.page[level]);
    --(level == path.leaf() ? tree.leaf_pages : tree.branch_pages);
    if (level == 0) {
        tree.root = kNoPage;
        tree.depth = 0;
        return;
    }
    uint8_t* const parent = pages_.writable(path.page[level - 1]);
    const size_t used_before = branch_used(parent);
    branch_erase(parent, path.index[level - 1]);
    if (header(parent).count == 0) {
        remove_page(tree, path, level - 1);
    } else {
        after_shrink(tree, path, level - 1, used_before);
    }
}

void TreeEditor::after_shrink(Tree& tree, const Path& path, size_t level, size_t used_before) {
    if (level > 0) {
        if (seeks_neighbour(used_before, branch_used(space_.raw(path.page[level]))))
            merge(tree, path, level);
        return;
    }
    while (tree.depth > 1) {
        const uint8_t* const root = space_.page(tree.root);
        if (header(root).count > 1) return;
        const PageNo child = links(root)[0].child;
        pages_.release(tree.root);
        tree.root = child;
        --tree.depth;
        --tree.branch_pages;
    }
}

bool TreeEditor::merge(Tree& tree, const Path& path, size_t level) {
    if (level == 0) return false;
    uint8_t* const parent = pages_.writable(path.page[level - 1]);
    const size_t index = path.index[level - 1];
    if (header(parent).count < 2) return false;
    const bool to_right = index + 1U < header(parent).count;
    const size_t left_index = to_right ? index : index - 1;
    const PageNo own_number = path.page[level];
    const PageNo other_number = links(parent)[to_right ? index + 1 : index - 1].child;
    uint8_t* const own = pages_.writable(own_number);
    const uint8_t* const other = space_.tree_page(other_number, header(own).level);
    const uint8_t* const left = to_right ? own : other;
    const uint8_t* const right = to_right ? other : own;
    if (header(own).type == PageType::Leaf) {
        if (leaf_used(left) + leaf_used(right) > kMergedBytesMax) return false;
        alignas(8) uint8_t merged[kPageBytes];
        leaf_init(merged);
        leaf_append_from(merged, left, 0, header(left).count);
        leaf_append_from(merged, right, 0, header(right).count);
        std::memcpy(own, merged, kPageBytes);
        --tree.leaf_pages;
    } else {
        uint8_t buffer[kKeyBytesMax];
        const Separator between = branch_separator(parent, left_index + 1, buffer);
        const uint8_t branch_level = header(own).level;
        items_.decode(left);
        items_.append(right, between);
        const BranchItem* const first = items_.items.data();
        const BranchItem* const last = first + items_.items.size();
        if (branch_bytes(first, last) > kMergedBytesMax) return false;
        branch_encode(own, branch_level, first, last);
        --tree.branch_pages;
    }
    pages_.release(other_number);
    Link& kept = links(parent)[left_index];
    kept.set_count(kept.count() + links(parent)[left_index + 1].count());
    kept.child = own_number;
    const size_t used_before = branch_used(parent);
    branch_erase(parent, left_index + 1);
    after_shrink(tree, path, level - 1, used_before);
    return true;
}

uint64_t TreeEditor::erase_range(Tree& tree, const Target& from, const Target* to) {
    uint8_t last_key[kKeyBytesMax];
    std::optional<ByteView> previous;
    uint64_t gone = 0;
    Path path;
    while (tree.root != kNoPage) {
        descend(space_, tree, from, path);
        if (!settle(space_, path)) break;
        const uint8_t* const page = leaf_page(space_, path);
        const size_t first = path.index[path.leaf()];
        const size_t last =
            to == nullptr ? header(page).count : leaf_lower_bound(page, *to, tree.dup).index;
        if (last <= first) break;
        uint64_t keys = last - first;
        if (tree.dup) {
            keys = 0;
            for (size_t i = first; i < last; ++i) {
                const ByteView key = leaf_key(page, i);
                if (!previous || *previous != key) ++keys;
                previous = key;
            }
            std::copy(previous->begin(), previous->end(), last_key);
            previous = ByteView(last_key, previous->size());
        }
        gone += last - first;
        erase(tree, path, last, keys);
    }
    return gone;
}

void TreeEditor::clear(Tree& tree) {
    if (tree.root != kNoPage) free_subtree(tree, tree.root, tree.depth - 1U);
    tree = Tree{.dup = tree.dup};
}

void TreeEditor::free_subtree(Tree& tree, PageNo number, size_t level) {
    if (level > 0 || tree.overflow_pages > 0) {
        const uint8_t* const page = space_.tree_page(number, level);
        for (size_t i = 0; i < header(page).count; ++i) {
            if (level > 0) {
                free_subtree(tree, links(page)[i].child, level - 1);
            } else {
                release_run(tree, leaf_record(page, i));
            }
        }
    }
    pages_.release(number);
}

}  // namespace keel::db::mem
