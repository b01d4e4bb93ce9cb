#pragma once

// The copy-on-write B+tree of one table: the writer's changes. Reading: descent.hpp.
//
// T1  All leaves have the same depth. No leaf is empty; an empty tree has no root.
// T2  A change makes the path from the root to its leaf owned first (owned_pages.hpp O1), then
// works in place. T3  The counts along the path are exact after each change.

#include "db/error.hpp"
#include "db/mem/descent.hpp"
#include "db/mem/owned_pages.hpp"

namespace keel::db::mem {

/// The writer's changes. One for a store. Arguments may be views of the store itself. A change that
/// throws has broken the tree: the transaction is lost.
class TreeEditor {
  public:
    explicit TreeEditor(OwnedPages& pages) : pages_(pages), space_(pages.space()) {}
    const PageSpace& space() const noexcept { return space_; }

    /// Puts an entry at the path, which descend() found for it and which is not exact. True: the
    /// path names the entry now; false: the tree has been reshaped and the path is void.
    bool insert(Tree& tree, Path& path, ByteView key, ByteView value);
    // Most changes are to a leaf of the transaction that has the room, or stays full enough: they
    // are asked for first, and then made with nothing else around them. They leave the path as it
    // is; after an erasure it names the place of the next entry.
    bool inserts_in_place(const Path& path, ByteView key, ByteView value) const noexcept {
        if (path.depth == 0) return false;
        const PageNo number = path.page[path.leaf()];
        return pages_.owned(number) && leaf_has_gap(space_.raw(number), key, value);
    }
    void insert_in_place(Tree& tree, const Path& path, ByteView key, ByteView value) {
        if (!tree.dup || key_is_alone(path, key, 0)) ++tree.keys;
        ++tree.entries;
        tree.packed = false;
        for (size_t level = 0; level + 1U < path.depth; ++level) link_at(path, level).add_count(1);
        leaf_insert(pages_.writable(path.page[path.leaf()]), path.index[path.leaf()], {key, value});
    }
    bool replaces_in_place(const Path& path, ByteView value) const noexcept {
        const PageNo number = path.page[path.leaf()];
        return pages_.owned(number) &&
               leaf_replaces(space_.raw(number), path.index[path.leaf()], value);
    }
    void replace_in_place(Tree& tree, const Path& path, ByteView value) noexcept {
        uint8_t* const page = pages_.writable(path.page[path.leaf()]);
        const size_t index = path.index[path.leaf()];
        const LeafRecord old = leaf_record(page, index);
        if (old.value.size() != value.size()) tree.packed = false;
        leaf_replace(page, index, {old.key, value});
    }
    /// `record`: the one at the path.
    bool erases_in_place(const Tree& tree, const Path& path,
                         const LeafRecord& record) const noexcept {
        const PageNo number = path.page[path.leaf()];
        const uint8_t* const page = space_.raw(number);
        const size_t used = leaf_used(page);
        return pages_.owned(number) && tree.overflow_pages == 0 && header(page).count > 1 &&
               !seeks_neighbour(used, used - kLeafEntryBytes - record_bytes(record));
    }
    void erase_in_place(Tree& tree, const Path& path, const LeafRecord& record) noexcept {
        if (!tree.dup || key_is_alone(path, record.key, 1)) --tree.keys;
        --tree.entries;
        tree.packed = false;
        for (size_t level = 0; level + 1U < path.depth; ++level) link_at(path, level).take_count(1);
        leaf_erase_one(pages_.writable(path.page[path.leaf()]), path.index[path.leaf()],
                       record_bytes(record));
    }
    /// Replaces the value of the plain table's entry at the path. Result as above.
    bool replace(Tree& tree, Path& path, ByteView value);
    /// Takes out the entries of the path's leaf from its index up to `last`. True: the path names
    /// the place of the next. `keys`: how many keys go with them.
    bool erase(Tree& tree, Path& path, size_t last, uint64_t keys);
    /// Takes out the entry at the path.
    bool erase_one(Tree& tree, Path& path);
    /// Takes out all entries from `from` up to `to` (none: all behind). Returns their number.
    uint64_t erase_range(Tree& tree, const Target& from, const Target* to);
    /// Frees all pages, looking at no entry unless some values lie in runs.
    void clear(Tree& tree);

  private:
    // A page that falls below these looks for a neighbour, and joins it if both leave room for a
    // while. In between it does not look again at every change: pages are often emptied whole.
    static constexpr size_t kMergeBelowBytes = kBodyBytes / 4;
    static constexpr size_t kMergeAgainBelowBytes = kMergeBelowBytes / 2;
    static bool seeks_neighbour(size_t used_before, size_t used_now) noexcept {
        const size_t below =
            used_before >= kMergeBelowBytes ? kMergeBelowBytes : kMergeAgainBelowBytes;
        return used_now < below && used_before >= below;
    }
    /// The branches above a leaf of the transaction are the transaction's as well.
    Link& link_at(const Path& path, size_t level) noexcept {
        KEEL_ASSERT_SLOW(pages_.owned(path.page[level]));
        return links(space_.writable(path.page[level]))[path.index[level]];
    }
    /// Has no entry beside the path's place this key? `behind`: the place's own entry does not
    /// count.
    bool key_is_alone(const Path& path, ByteView key, size_t behind) const {
        const uint8_t* const page = leaf_page(space_, path);
        const size_t index = path.index[path.leaf()];
        // Where the place's own entry has the key, its head settles most cases without a look at
        // another record.
        const auto has_key = [&](size_t other) {
            return (behind == 0 || heads(page)[other] == heads(page)[index]) &&
                   same_short(leaf_key(page, other), key);
        };
        if (index + behind < header(page).count) {
            if (has_key(index + behind)) return false;
        } else if (group_may_go_on(path, true) && next_leaf_begins_with(path, key)) {
            return false;
        }
        if (index > 0) return !has_key(index - 1);
        return !group_may_go_on(path, false) || !leaf_before_ends_with(path, key);
    }
    /// May the leaf's last (or first) group go on in the next leaf (or the one before)? A separator
    /// without a value stands between two keys.
    bool group_may_go_on(const Path& path, bool behind) const noexcept {
        for (size_t level = path.leaf(); level-- > 0;) {
            const uint8_t* const branch = space_.raw(path.page[level]);
            const size_t link = path.index[level] + (behind ? 1U : 0U);
            if (behind ? link < header(branch).count : link > 0)
                return links(branch)[link].slot > kHeadBytes;
        }
        return false;
    }
    bool next_leaf_begins_with(const Path& path, ByteView key) const;
    bool leaf_before_ends_with(const Path& path, ByteView key) const;
    ByteView stable(ByteView view, uint8_t* buffer) const;
    LeafRecord make_record(Tree& tree, ByteView key, ByteView value);
    void release_run(Tree& tree, const LeafRecord& record);
    /// Is the record at the path replaced byte for byte?
    bool is_same_size(const Path& path, const LeafRecord& record) const noexcept;
    /// Makes the path's upper `levels` pages the transaction's own.
    void touch(Tree& tree, Path& path, size_t levels);
    bool put_record(Tree& tree, Path& path, const LeafRecord& record);
    void split_leaf(Tree& tree, Path& path, const LeafRecord& record);
    /// Puts the record in by moving entries to a neighbour with room. False: nothing is changed.
    bool share_with_neighbour(Tree& tree, Path& path, const LeafRecord& record);
    void insert_link(Tree& tree, const Path& path, size_t level, size_t index,
                     const BranchItem& item);
    void new_root(Tree& tree, PageNo left, uint64_t left_count, const BranchItem& right);
    void remove_page(Tree& tree, const Path& path, size_t level);
    /// After the loss of a link.
    void after_shrink(Tree& tree, const Path& path, size_t level, size_t used_before);
    bool merge(Tree& tree, const Path& path, size_t level);
    void free_subtree(Tree& tree, PageNo number, size_t level);

    OwnedPages& pages_;
    PageSpace& space_;
    BranchItems items_;
    uint8_t key_buffer_[kKeyBytesMax];
    uint8_t value_buffer_[kRecordBytesMax];
};

}  // namespace keel::db::mem
