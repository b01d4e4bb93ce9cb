#pragma once

// One page of the tree: 4 KiB, little-endian, the same in memory and in the image.
// docs/store-format.md has the byte tables.
//
//   leaf    header | heads, 8 bytes each | slots, 2 bytes each | free | records
//   branch  header | heads, 8 bytes each | links, 12 bytes each | free | prefix, records
//   run     header | bytes of one large value, through as many pages as it takes
//
// P1  Entries are ordered by key, in a DupSort table by (key, value); the two are never compared as
// concatenation. P2  prefix = bytes that all keys of the page start with (in a branch: all
// separators); it need not be the longest. P3  head = the 8 bytes of the key behind the prefix,
// big-endian, padded with zeros. head(a) < head(b) implies a < b;
//     equal heads decide nothing.
// P4  A record of a leaf holds the whole key, so that its view is one piece.
// P5  Link 0 of a branch has no separator: its child takes all that is smaller than separator 1.
// Every key under link i is
//     >= separator i and < separator i+1.
// P6  A link's count is the number of entries under its child.

#include <emmintrin.h>

#include <bit>
#include <cstdint>
#include <cstring>
#include <vector>

#include "core/base.hpp"
#include "core/bytes.hpp"
#include "core/endian.hpp"
#include "db/table.hpp"

namespace keel::db::mem {

using core::Bytes;
using core::ByteView;
using PageNo = uint32_t;

inline constexpr size_t kPageBytes = 4096;
inline constexpr size_t kLineBytes = 64;  // of the processor's caches
inline constexpr PageNo kNoPage =
    0;  // the image's header stands there, so it is never a tree's page

enum class PageType : uint8_t { Leaf = 1, Branch = 2, Run = 3 };

struct PageHeader {
    uint64_t checksum;  // XXH3-64 of everything behind this field; image only
    PageNo number;      // its own; image only
    PageType type;
    uint8_t level;   // leaves are 0
    uint16_t count;  // entries or links; 0 in a run
    uint16_t heap;   // offset of the lowest record
    uint16_t dead;   // bytes of records that no slot names
    uint16_t prefix_bytes;
    uint16_t prefix_at;    // branch: offset of the prefix where it is longer than prefix_head
    uint64_t prefix_head;  // first 8 bytes of the prefix, big-endian, padded with zeros
};
static_assert(sizeof(PageHeader) == 32);
static_assert(offsetof(PageHeader, number) == 8 && offsetof(PageHeader, type) == 12 &&
              offsetof(PageHeader, count) == 14 && offsetof(PageHeader, heap) == 16 &&
              offsetof(PageHeader, prefix_bytes) == 20 && offsetof(PageHeader, prefix_head) == 24);
static_assert(std::endian::native == std::endian::little, "pages are used as they lie in the file");

/// A run's header carries its sizes where a tree page has its heap.
struct RunHeader {
    uint64_t checksum;  // XXH3-64 of everything behind this field, the value's bytes included,
                        // padding not
    PageNo number;
    PageType type;
    uint8_t level;
    uint16_t count;
    uint32_t page_count;
    uint32_t reserved;
    uint64_t value_bytes;
};
static_assert(sizeof(RunHeader) == sizeof(PageHeader) && offsetof(RunHeader, type) == 12);

struct Link {
    PageNo child;
    uint32_t count_low;
    uint16_t count_high;
    uint16_t slot;  // <= kHeadBytes: the separator is the prefix and that many bytes of the head;
                    // else offset of its record

    uint64_t count() const noexcept { return uint64_t{count_high} << 32 | count_low; }
    void set_count(uint64_t count) noexcept {
        count_low = static_cast<uint32_t>(count);
        count_high = static_cast<uint16_t>(count >> 32);
    }
    /// Adds to the count, or takes away what is at most the count: nothing is carried into the slot
    /// behind it.
    void add_count(uint64_t delta) noexcept {
        auto* const at = reinterpret_cast<uint8_t*>(&count_low);
        core::store_le(at, core::load_le<uint64_t>(at) + delta);
    }
    void take_count(uint64_t delta) noexcept {
        auto* const at = reinterpret_cast<uint8_t*>(&count_low);
        core::store_le(at, core::load_le<uint64_t>(at) - delta);
    }
};
static_assert(sizeof(Link) == 12 && alignof(Link) == 4);

inline constexpr size_t kHeadBytes = 8;
inline constexpr size_t kBodyAt = sizeof(PageHeader);
inline constexpr size_t kBodyBytes = kPageBytes - kBodyAt;
inline constexpr size_t kSlotBytes = 2;
inline constexpr size_t kLeafEntryBytes = kHeadBytes + kSlotBytes;      // head and slot
inline constexpr size_t kBranchEntryBytes = kHeadBytes + sizeof(Link);  // head and link
inline constexpr size_t kRecordHeadBytes = 4;                           // key bytes, value bytes
inline constexpr uint16_t kInRun = 0xffff;       // value bytes of a record whose value is in a run
inline constexpr size_t kRunReferenceBytes = 8;  // page number, value bytes
// Two entries fit any leaf, so that a split always has a place.
inline constexpr size_t kRecordBytesMax = kBodyBytes / 2 - kLeafEntryBytes;
inline constexpr size_t kRunBodyAt = sizeof(RunHeader);

inline constexpr uint32_t run_pages(uint64_t value_bytes) noexcept {
    return static_cast<uint32_t>((kRunBodyAt + value_bytes + kPageBytes - 1) / kPageBytes);
}

/// Head and body of a run into its pages; what is behind the value stays.
inline void run_encode(uint8_t* run, ByteView value) noexcept {
    std::memset(run, 0, sizeof(RunHeader));
    auto& head = *reinterpret_cast<RunHeader*>(run);
    head.type = PageType::Run;
    head.page_count = run_pages(value.size());
    head.value_bytes = value.size();
    std::memcpy(run + kRunBodyAt, value.data(), value.size());
}

/// A separator of a branch. In a plain table, and where two keys differ, the value is empty.
struct Separator {
    ByteView key;
    ByteView value;
};

/// An entry as it stands in a leaf.
struct LeafRecord {
    ByteView key;
    ByteView value;        // in the page; empty when in a run
    PageNo run = kNoPage;  // first page of the run
    uint32_t run_bytes = 0;
};

inline PageHeader& header(uint8_t* page) noexcept {
    return *reinterpret_cast<PageHeader*>(page);
}
inline const PageHeader& header(const uint8_t* page) noexcept {
    return *reinterpret_cast<const PageHeader*>(page);
}
inline const uint64_t* heads(const uint8_t* page) noexcept {
    return reinterpret_cast<const uint64_t*>(page + kBodyAt);
}
inline const uint16_t* leaf_slots(const uint8_t* page) noexcept {
    return reinterpret_cast<const uint16_t*>(page + kBodyAt + kHeadBytes * header(page).count);
}
inline const Link* links(const uint8_t* page) noexcept {
    return reinterpret_cast<const Link*>(page + kBodyAt + kHeadBytes * header(page).count);
}
inline Link* links(uint8_t* page) noexcept {
    return reinterpret_cast<Link*>(page + kBodyAt + kHeadBytes * header(page).count);
}

/// The 8 bytes of `key` from `skip` on, as a number that orders like them.
inline uint64_t head_of(ByteView key, size_t skip) noexcept {
    if (key.size() >= skip + kHeadBytes) return core::load_be<uint64_t>(key.data() + skip);
    uint8_t padded[kHeadBytes] = {};
    if (key.size() > skip) std::memcpy(padded, key.data() + skip, key.size() - skip);
    return core::load_be<uint64_t>(padded);
}

/// a == b, for keys of a few dozen bytes: in words that overlap instead of a call.
inline bool same_short(ByteView a, ByteView b) noexcept {
    constexpr size_t kWordBytes = sizeof(uint64_t);
    if (a.size() != b.size()) return false;
    if (a.size() < kWordBytes) return a == b;
    size_t at = 0;
    for (; at + kWordBytes < a.size(); at += kWordBytes)
        if (core::load_le<uint64_t>(a.data() + at) != core::load_le<uint64_t>(b.data() + at))
            return false;
    at = a.size() - kWordBytes;
    return core::load_le<uint64_t>(a.data() + at) == core::load_le<uint64_t>(b.data() + at);
}

inline size_t common_bytes(ByteView a, ByteView b) noexcept {
    const size_t size = std::min(a.size(), b.size());
    size_t same = 0;
    while (same < size && a[same] == b[same]) ++same;
    return same;
}

inline LeafRecord leaf_record_at(const uint8_t* record) noexcept {
    const uint16_t key_bytes = core::load_le<uint16_t>(record);
    const uint16_t value_bytes = core::load_le<uint16_t>(record + 2);
    const uint8_t* const key = record + kRecordHeadBytes;
    const uint8_t* const value = key + key_bytes;
    if (value_bytes != kInRun) return {{key, key_bytes}, {value, value_bytes}};
    return {
        {key, key_bytes}, {}, core::load_le<uint32_t>(value), core::load_le<uint32_t>(value + 4)};
}
inline LeafRecord leaf_record(const uint8_t* page, size_t index) noexcept {
    return leaf_record_at(page + leaf_slots(page)[index]);
}

inline ByteView leaf_key(const uint8_t* page, size_t index) noexcept {
    const uint8_t* const record = page + leaf_slots(page)[index];
    return {record + kRecordHeadBytes, core::load_le<uint16_t>(record)};
}

/// Bytes that a record takes in a leaf's heap.
inline size_t record_bytes(const LeafRecord& record) noexcept {
    return kRecordHeadBytes + record.key.size() +
           (record.run != kNoPage ? kRunReferenceBytes : record.value.size());
}

/// Copies a few dozen bytes, as keys and values are: in pieces that overlap instead of a call.
inline void copy_short(uint8_t* to, const uint8_t* from, size_t bytes) noexcept {
    constexpr size_t kPiece = sizeof(__m128i);
    const auto load = [](const uint8_t* at) {
        return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    };
    const auto store = [](uint8_t* at, __m128i piece) {
        _mm_storeu_si128(reinterpret_cast<__m128i*>(at), piece);
    };
    if (bytes >= kPiece) {
        const __m128i last = load(from + bytes - kPiece);
        for (size_t at = 0; at + kPiece < bytes; at += kPiece) store(to + at, load(from + at));
        store(to + bytes - kPiece, last);
    } else if (bytes >= sizeof(uint64_t)) {
        const auto first = core::load_le<uint64_t>(from);
        const auto last = core::load_le<uint64_t>(from + bytes - sizeof(uint64_t));
        core::store_le(to, first);
        core::store_le(to + bytes - sizeof(uint64_t), last);
    } else {
        for (size_t i = 0; i < bytes; ++i) to[i] = from[i];
    }
}

/// Copies a tree page. What lies in the gap between entries and records is nobody's, and stays
/// behind.
inline void copy_tree_page(uint8_t* to, const uint8_t* from) noexcept {
    const PageHeader& head = header(from);
    const size_t entry_bytes = head.type == PageType::Leaf ? kLeafEntryBytes : kBranchEntryBytes;
    std::memcpy(to, from, kBodyAt + entry_bytes * head.count);
    std::memcpy(to + head.heap, from + head.heap, kPageBytes - head.heap);
}

/// Asks for the lines that the next records but one will be written to: rows that are appended fill
/// pages that no cache has.
inline void prefetch_below_heap(const uint8_t* page) noexcept {
    const uint8_t* const heap = page + header(page).heap;
    for (size_t line = 3; line < 7; ++line) __builtin_prefetch(heap - line * kLineBytes, 1);
}

/// Asks for a leaf's header, heads and slots at once: read one after the other they would be one
/// miss each.
inline constexpr size_t kPrefetchedBytes = 448;  // of some 40 entries
inline void prefetch_leaf(const uint8_t* page) noexcept {
#pragma GCC unroll 7
    for (size_t at = 0; at < kPrefetchedBytes; at += kLineBytes) __builtin_prefetch(page + at);
}

/// Asks for what prefetch_leaf() leaves out.
inline void prefetch_rest_of_leaf(const uint8_t* page) noexcept {
    for (size_t at = kPrefetchedBytes; at < kPageBytes; at += kLineBytes)
        __builtin_prefetch(page + at);
}

// Leaves. `page` is writable and of this transaction.
void leaf_init(uint8_t* page) noexcept;
/// Bytes of header-less content, dead records not counted.
inline size_t leaf_used(const uint8_t* page) noexcept {
    const PageHeader& head = header(page);
    return head.count * kLeafEntryBytes + (kPageBytes - head.heap) - head.dead;
}
inline bool leaf_fits(const uint8_t* page, size_t bytes_of_record) noexcept {
    return leaf_used(page) + kLeafEntryBytes + bytes_of_record <= kBodyBytes;
}
/// Would the record lie between slots and heap as they are, so that no other one moves for it?
inline bool leaf_has_gap(const uint8_t* page, ByteView key, ByteView value) noexcept {
    const size_t bytes = kRecordHeadBytes + key.size() + value.size();
    const PageHeader& head = header(page);
    return bytes <= kRecordBytesMax &&
           kBodyAt + kLeafEntryBytes * (head.count + size_t{1}) + bytes <= head.heap;
}
/// Puts a record that fits before entry `index`. Views of the record must not lie in this page
/// unless it has the gap for it.
void leaf_insert(uint8_t* page, size_t index, const LeafRecord& record) noexcept;
/// Takes out one of several, whose record takes `bytes`.
void leaf_erase_one(uint8_t* page, size_t index, size_t bytes) noexcept;
/// Takes out [first, last).
void leaf_erase(uint8_t* page, size_t first, size_t last) noexcept;
/// Would leaf_replace() do it, neither record being in a run?
inline bool leaf_replaces(const uint8_t* page, size_t index, ByteView value) noexcept {
    const uint8_t* const record = page + leaf_slots(page)[index];
    const size_t key_bytes = core::load_le<uint16_t>(record);
    const size_t old_bytes = core::load_le<uint16_t>(record + 2);
    if (old_bytes == kInRun) return false;
    if (value.size() <= old_bytes) return true;
    const size_t bytes = kRecordHeadBytes + key_bytes + value.size();
    return bytes <= kRecordBytesMax &&
           kBodyAt + kLeafEntryBytes * header(page).count + bytes <= header(page).heap;
}
/// Replaces the record at `index`, in its place or, where it is larger, in the gap. False: there is
/// no room, and nothing is changed. Keys are the same. The value may lie in this page.
bool leaf_replace(uint8_t* page, size_t index, const LeafRecord& record) noexcept;
/// Appends [first, last) of `from` behind the entries of `to`; they fit.
void leaf_append_from(uint8_t* to, const uint8_t* from, size_t first, size_t last) noexcept;
/// Longest prefix, new heads, records without holes.
void leaf_compact(uint8_t* page) noexcept;
/// Adds `up` to the numbers of all runs that the leaf refers to.
void leaf_renumber_runs(uint8_t* page, PageNo up) noexcept;

// Branches.
/// One link with its separator as a whole view.
struct BranchItem {
    Separator separator;
    PageNo child;
    uint64_t count;
};
/// Items of one or two branches, decoded, with copies of their separators in `bytes`.
struct BranchItems {
    std::vector<BranchItem> items;
    std::vector<uint8_t> bytes;

    void decode(const uint8_t* page);
    /// Adds the links of a second branch, whose link 0 gets the separator `first`.
    void append(const uint8_t* page, const Separator& first);
    /// Adds a copy of an item at `index`.
    void insert(size_t index, const BranchItem& item);

  private:
    ByteView keep(ByteView view);
    void reserve(size_t more);
};

/// Separator `index` (>= 1); its bytes are put together in `buffer` of kKeyBytesMax bytes where
/// needed.
Separator branch_separator(const uint8_t* page, size_t index, uint8_t* buffer) noexcept;
size_t branch_used(const uint8_t* page) noexcept;
/// Bytes that items [first, last) take in a branch of their own, whose link 0 drops its separator.
size_t branch_bytes(const BranchItem* first, const BranchItem* last) noexcept;
void branch_encode(uint8_t* page, uint8_t level, const BranchItem* first,
                   const BranchItem* last) noexcept;
/// Puts a link before `index` (>= 1) where the separator fits the page as it is; false: it must be
/// encoded anew.
bool branch_insert_in_place(uint8_t* page, size_t index, const BranchItem& item) noexcept;
void branch_erase(uint8_t* page, size_t index) noexcept;

/// Shortest separator s with last < s <= first, where `last` and `first` are neighbours.
Separator shortest_separator(Separator last, Separator first, bool dup) noexcept;

/// Text of what is wrong with the layout of a tree page of the image, or null. For pages whose
/// checksum is right this finds only forged ones; it keeps reads inside the page.
const char* page_fault(const uint8_t* page) noexcept;

}  // namespace keel::db::mem
