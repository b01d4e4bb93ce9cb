#pragma once

// Search within one page. Inline: a descent is a few of these in a row, and their calls would cost
// as much as they do.

#include <algorithm>

#include "db/mem/page.hpp"

namespace keel::db::mem {

/// What is sought. `past_group`: the place behind all entries of `key`, whatever their values.
struct Target {
    ByteView key;
    ByteView value = {};
    bool past_group = false;
};

struct LeafPlace {
    uint16_t index;
    bool exact;  // the entry there is the target itself
};

// Heads below a limit are counted by vector registers where the processor has them: all lines of
// heads are fetched side by side, where halving waits for one after the other.

/// Heads of one page lie in whole pieces of so many, whatever stands behind the last one.
inline constexpr size_t kHeadsAtOnce = 64;
using HeadsBelow = size_t (*)(const uint64_t* heads, size_t count, uint64_t head) noexcept;
/// Chosen at start for this processor. `count` is at most kHeadsAtOnce, and at `heads` there are
/// kHeadsAtOnce words that may be read.
extern const HeadsBelow kHeadsBelow;
/// By halving: for processors without vector registers, and as the others' oracle.
size_t heads_below_by_halves(const uint64_t* heads, size_t count, uint64_t head) noexcept;

/// How a search counts heads: by the function that was chosen at start. What is compiled for one
/// processor says itself which.
struct ChosenHeads {
    static size_t below(const uint64_t* from, size_t count, uint64_t head) noexcept {
        return kHeadsBelow(from, count, head);
    }
};

/// Number of the page's `count` heads from `heads` on that are smaller than `head`; they ascend.
template <class Heads = ChosenHeads>
inline size_t heads_below(const uint64_t* heads, size_t count, uint64_t head) noexcept {
    // Large branches are cached mostly: there a few steps of halving are cheaper than all lines.
    const uint64_t* from = heads;
    while (count > kHeadsAtOnce) {
        const size_t half = count / 2;
        from += from[half - 1] < head ? half : 0;
        count -= half;
    }
    return static_cast<size_t>(from - heads) + Heads::below(from, count, head);
}

/// Number of heads from `first` on that equal `head`. Ties are short mostly; where a whole page
/// ties, halving finds the end.
inline size_t heads_equal(const uint64_t* from, size_t first, size_t count,
                          uint64_t head) noexcept {
    size_t last = first;
    while (last < count && last < first + 4 && from[last] == head) ++last;
    if (last < first + 4 || last == count || from[last] != head) return last - first;
    if (head == UINT64_MAX) return count - first;
    return last + heads_below_by_halves(from + last, count - last, head + 1) - first;
}

int long_prefix_order(const uint8_t* page, ByteView key) noexcept;

/// Where `key` stands to the keys of a page with this prefix: 0 = it starts with it, else below or
/// above all of them.
inline int prefix_order(const uint8_t* page, ByteView key) noexcept {
    const PageHeader& head = header(page);
    if (head.prefix_bytes == 0) return 0;
    if (head.prefix_bytes > kHeadBytes || key.size() < kHeadBytes)
        return long_prefix_order(page, key);
    const uint64_t mask = ~uint64_t{0} << (8 * (kHeadBytes - head.prefix_bytes));
    const uint64_t key_head = core::load_be<uint64_t>(key.data()) & mask;
    if (key_head == head.prefix_head) [[likely]]
        return 0;
    return key_head < head.prefix_head ? -1 : 1;
}

/// Is the separator at `index` <= target? For equal heads only.
bool separator_not_after(const uint8_t* page, size_t index, const Target& target,
                         bool dup) noexcept;
/// Order of an entry to the target.
std::strong_ordering entry_order(const uint8_t* page, size_t index, const Target& target,
                                 bool dup) noexcept;

/// First entry of a leaf that is not smaller than the target. `dup`: values take part in the order.
template <class Heads = ChosenHeads>
inline LeafPlace leaf_lower_bound(const uint8_t* page, const Target& target, bool dup) noexcept {
    const size_t count = header(page).count;
    const int order = prefix_order(page, target.key);
    if (order != 0) return {order < 0 ? uint16_t{0} : header(page).count, false};
    const uint64_t head = head_of(target.key, header(page).prefix_bytes);
    const uint64_t* const from = heads(page);
    size_t first = heads_below<Heads>(from, count, head);
    size_t last = first + heads_equal(from, first, count, head);
    while (first < last) {
        const size_t middle = (first + last) / 2;
        const auto middle_order = entry_order(page, middle, target, dup);
        if (middle_order == 0) return {static_cast<uint16_t>(middle), true};
        if (middle_order < 0) {
            first = middle + 1;
        } else {
            last = middle;
        }
    }
    return {static_cast<uint16_t>(first), false};
}

/// Is the key behind all of the leaf's, by its head alone? False: it may be all the same.
inline bool is_behind(const uint8_t* page, ByteView key) noexcept {
    const PageHeader& head = header(page);
    return prefix_order(page, key) == 0 &&
           head_of(key, head.prefix_bytes) > heads(page)[head.count - 1U];
}

/// The only entry of a plain table's leaf that can have this key, by its head alone: first of
/// those whose heads tie; its record is asked for. count: there is none.
template <class Heads = ChosenHeads>
inline uint16_t leaf_candidate(const uint8_t* page, ByteView key) noexcept {
    const PageHeader& head = header(page);
    if (prefix_order(page, key) != 0) return head.count;
    const uint64_t key_head = head_of(key, head.prefix_bytes);
    const size_t index = heads_below<Heads>(heads(page), head.count, key_head);
    if (index == head.count || heads(page)[index] != key_head) return head.count;
    // A record of some hundred bytes: the key's lines, and where its value begins.
    const uint8_t* const record = page + leaf_slots(page)[index];
    __builtin_prefetch(record);
    __builtin_prefetch(record + kLineBytes);
    return static_cast<uint16_t>(index);
}

/// The entry with this key, `candidate` or behind it; count: none.
inline uint16_t leaf_exact(const uint8_t* page, ByteView key, uint16_t candidate) noexcept {
    const uint16_t count = header(page).count;
    if (candidate == count) return count;
    const uint64_t head = heads(page)[candidate];
    for (uint16_t i = candidate; i < count && heads(page)[i] == head; ++i)
        if (leaf_key(page, i) == key) return i;
    return count;
}

/// Index of the link under which the target belongs.
template <class Heads = ChosenHeads>
inline uint16_t branch_child(const uint8_t* page, const Target& target, bool dup) noexcept {
    const size_t count = header(page).count;
    if (count == 1) return 0;
    const int order = prefix_order(page, target.key);
    if (order != 0) return order < 0 ? uint16_t{0} : static_cast<uint16_t>(count - 1);
    const uint64_t head = head_of(target.key, header(page).prefix_bytes);
    const uint64_t* const from = heads(page);
    size_t first = 1 + heads_below<Heads>(from + 1, count - 1, head);
    size_t last = first + heads_equal(from, first, count, head);
    while (first < last) {
        const size_t middle = (first + last) / 2;
        if (separator_not_after(page, middle, target, dup)) {
            first = middle + 1;
        } else {
            last = middle;
        }
    }
    return static_cast<uint16_t>(first - 1);
}

}  // namespace keel::db::mem
