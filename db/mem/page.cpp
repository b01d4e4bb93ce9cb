#include "db/mem/page.hpp"

#include <immintrin.h>

#include <algorithm>

namespace keel::db::mem {
namespace {

// Room that BranchItems needs for two whole branches and what is added to them.
constexpr size_t kLinksMax = kBodyBytes / kBranchEntryBytes;
constexpr size_t kItemBytesMax =
    2 * (kLinksMax * (kKeyBytesMax + kHeadBytes)) + 4 * (kKeyBytesMax + kDupValueBytesMax);

uint64_t* heads(uint8_t* page) noexcept {
    return reinterpret_cast<uint64_t*>(page + kBodyAt);
}
uint16_t* leaf_slots(uint8_t* page) noexcept {
    return reinterpret_cast<uint16_t*>(page + kBodyAt + kHeadBytes * header(page).count);
}
const uint64_t* heads_of(const uint8_t* page) noexcept {
    return mem::heads(page);
}

size_t gap_bytes(const uint8_t* page, size_t entry_bytes) noexcept {
    return header(page).heap - (kBodyAt + entry_bytes * header(page).count);
}

/// Number of heads from `first` on that equal `head`. Ties are short mostly; where a whole page
/// ties, halving finds the end.
size_t heads_equal(const uint64_t* from, size_t first, size_t count, uint64_t head) noexcept {
    size_t last = first;
    while (last < count && last < first + 4 && from[last] == head) ++last;
    if (last < first + 4 || last == count || from[last] != head) return last - first;
    if (head == UINT64_MAX) return count - first;
    return last + mem::heads_below(from + last, count - last, head + 1) - first;
}

/// Where `key` stands to the keys of a page with this prefix: 0 = it starts with it, else below or
/// above all of them.
int long_prefix_order(const uint8_t* page, ByteView key) noexcept;

inline int prefix_order(const uint8_t* page, ByteView key) noexcept {
    return header(page).prefix_bytes == 0 ? 0 : long_prefix_order(page, key);
}

int long_prefix_order(const uint8_t* page, ByteView key) noexcept {
    const PageHeader& head = header(page);
    const size_t shown = std::min<size_t>(head.prefix_bytes, kHeadBytes);
    const uint64_t mask = ~uint64_t{0} << (8 * (kHeadBytes - shown));
    const uint64_t key_head = head_of(key, 0) & mask;
    if (key_head != head.prefix_head) return key_head < head.prefix_head ? -1 : 1;
    // Equal so far, zero padding included: a key that ends inside the prefix is smaller than all.
    if (key.size() < shown) return -1;
    if (head.prefix_bytes <= kHeadBytes) return 0;
    const uint8_t* const prefix =
        head.type == PageType::Leaf ? mem::leaf_key(page, 0).data() : page + head.prefix_at;
    const size_t compared = std::min<size_t>(key.size(), head.prefix_bytes);
    const int order = std::memcmp(key.data(), prefix, compared);
    if (order != 0) return order;
    return key.size() < head.prefix_bytes ? -1 : 0;
}

/// Is the separator at `index` <= target? For equal heads only.
bool separator_not_after(const uint8_t* page, size_t index, const Target& target,
                         bool dup) noexcept {
    const uint16_t slot = mem::links(page)[index].slot;
    if (slot <= kHeadBytes) {
        // The heads agree with zeros for what is missing, so the shorter is the smaller. Its value
        // is empty.
        return slot <= target.key.size() - header(page).prefix_bytes;
    }
    const uint8_t* const record = page + slot;
    const uint16_t key_bytes = core::load_le<uint16_t>(record);
    const uint16_t value_bytes = core::load_le<uint16_t>(record + 2);
    const ByteView key(record + kRecordHeadBytes, key_bytes);
    const auto order = key <=> target.key;
    if (order != 0) return order < 0;
    if (target.past_group || !dup) return true;
    return ByteView(key.data() + key_bytes, value_bytes) <= target.value;
}

/// Order of an entry to the target.
std::strong_ordering entry_order(const uint8_t* page, size_t index, const Target& target,
                                 bool dup) noexcept {
    const uint8_t* const record = page + mem::leaf_slots(page)[index];
    const uint16_t key_bytes = core::load_le<uint16_t>(record);
    const ByteView key(record + kRecordHeadBytes, key_bytes);
    const auto order = key <=> target.key;
    if (order != 0) return order;
    if (target.past_group) return std::strong_ordering::less;
    if (!dup) return std::strong_ordering::equal;
    const ByteView value(key.data() + key_bytes, core::load_le<uint16_t>(record + 2));
    return value <=> target.value;
}

void set_prefix(uint8_t* page, ByteView prefix) noexcept {
    header(page).prefix_bytes = static_cast<uint16_t>(prefix.size());
    header(page).prefix_head = head_of(prefix.sub(0, kHeadBytes), 0);
}

/// Shortens the prefix of a leaf to `bytes` and makes its heads anew.
void leaf_shorten_prefix(uint8_t* page, size_t bytes) noexcept {
    const ByteView prefix = mem::leaf_key(page, 0).sub(0, bytes);
    set_prefix(page, prefix);
    const size_t count = header(page).count;
    for (size_t i = 0; i < count; ++i) heads(page)[i] = head_of(mem::leaf_key(page, i), bytes);
}

/// Bytes of the record at an offset of a leaf.
size_t stored_bytes(const uint8_t* page, uint16_t at) noexcept {
    const uint16_t value_bytes = core::load_le<uint16_t>(page + at + 2);
    return kRecordHeadBytes + core::load_le<uint16_t>(page + at) +
           (value_bytes == kInRun ? kRunReferenceBytes : value_bytes);
}

/// Writes the record at the lower end of the heap; returns its offset.
uint16_t push_record(uint8_t* page, const LeafRecord& record) noexcept {
    const size_t bytes = record_bytes(record);
    const auto at = static_cast<uint16_t>(header(page).heap - bytes);
    uint8_t* to = page + at;
    const bool in_run = record.run != kNoPage;
    core::store_le(to, static_cast<uint16_t>(record.key.size()));
    core::store_le(to + 2, in_run ? kInRun : static_cast<uint16_t>(record.value.size()));
    to += kRecordHeadBytes;
    if (!record.key.empty()) std::memcpy(to, record.key.data(), record.key.size());
    to += record.key.size();
    if (in_run) {
        core::store_le(to, record.run);
        core::store_le(to + 4, record.run_bytes);
    } else if (!record.value.empty()) {
        std::memcpy(to, record.value.data(), record.value.size());
    }
    header(page).heap = at;
    return at;
}

size_t separator_record_bytes(const Separator& separator) noexcept {
    return kRecordHeadBytes + separator.key.size() + separator.value.size();
}

bool separator_is_inline(const Separator& separator, size_t prefix_bytes) noexcept {
    return separator.value.empty() && separator.key.size() - prefix_bytes <= kHeadBytes;
}

uint16_t push_separator(uint8_t* page, const Separator& separator) noexcept {
    const auto at = static_cast<uint16_t>(header(page).heap - separator_record_bytes(separator));
    uint8_t* to = page + at;
    core::store_le(to, static_cast<uint16_t>(separator.key.size()));
    core::store_le(to + 2, static_cast<uint16_t>(separator.value.size()));
    to += kRecordHeadBytes;
    if (!separator.key.empty()) std::memcpy(to, separator.key.data(), separator.key.size());
    to += separator.key.size();
    if (!separator.value.empty()) std::memcpy(to, separator.value.data(), separator.value.size());
    header(page).heap = at;
    return at;
}

size_t branch_prefix_bytes(const BranchItem* first, const BranchItem* last) noexcept {
    if (last - first < 2) return 0;
    return common_bytes(first[1].separator.key, last[-1].separator.key);
}

using HeadsBelow = size_t (*)(const uint64_t* heads, size_t count, uint64_t head) noexcept;

// All heads of a page are read at once: their lines are fetched side by side, where halving waits
// for one after the other.
[[gnu::target("avx512f")]] size_t heads_below_avx512(const uint64_t* from, size_t count,
                                                     uint64_t head) noexcept {
    constexpr size_t kLanes = 8;
    const __m512i wanted = _mm512_set1_epi64(static_cast<int64_t>(head));
    size_t below = 0;
    size_t at = 0;
    for (; at + kLanes <= count; at += kLanes) {
        const __mmask8 mask = _mm512_cmplt_epu64_mask(_mm512_loadu_si512(from + at), wanted);
        below += static_cast<size_t>(std::popcount(static_cast<unsigned>(mask)));
    }
    if (at == count) return below;
    const auto rest = static_cast<__mmask8>((1U << (count - at)) - 1);
    const __mmask8 mask =
        _mm512_mask_cmplt_epu64_mask(rest, _mm512_maskz_loadu_epi64(rest, from + at), wanted);
    return below + static_cast<size_t>(std::popcount(static_cast<unsigned>(mask)));
}

[[gnu::target("avx2")]] size_t heads_below_avx2(const uint64_t* from, size_t count,
                                                uint64_t head) noexcept {
    constexpr size_t kLanes = 4;
    // The compare is of signed numbers: turning the top bits over keeps the order.
    const __m256i top = _mm256_set1_epi64x(INT64_MIN);
    const __m256i wanted = _mm256_xor_si256(_mm256_set1_epi64x(static_cast<int64_t>(head)), top);
    __m256i below = _mm256_setzero_si256();
    size_t at = 0;
    for (; at + kLanes <= count; at += kLanes) {
        const __m256i heads = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + at));
        below = _mm256_sub_epi64(below, _mm256_cmpgt_epi64(wanted, _mm256_xor_si256(heads, top)));
    }
    uint64_t lanes[kLanes];
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(lanes), below);
    size_t total = lanes[0] + lanes[1] + lanes[2] + lanes[3];
    for (; at < count; ++at) total += from[at] < head ? 1 : 0;
    return total;
}

HeadsBelow choose_heads_below() noexcept {
    if (__builtin_cpu_supports("avx512f")) return heads_below_avx512;
    if (__builtin_cpu_supports("avx2")) return heads_below_avx2;
    return heads_below_by_halves;
}

const HeadsBelow kHeadsBelow = choose_heads_below();

}  // namespace

size_t heads_below(const uint64_t* heads, size_t count, uint64_t head) noexcept {
    // Large branches are cached mostly: there a few steps of halving are cheaper than all lines.
    constexpr size_t kAtOnce = 64;
    const uint64_t* from = heads;
    while (count > kAtOnce) {
        const size_t half = count / 2;
        from += from[half - 1] < head ? half : 0;
        count -= half;
    }
    return static_cast<size_t>(from - heads) + kHeadsBelow(from, count, head);
}

size_t heads_below_by_halves(const uint64_t* heads, size_t count, uint64_t head) noexcept {
    if (count == 0) return 0;
    const uint64_t* at = heads;
    size_t left = count;
    while (left > 1) {
        const size_t half = left / 2;
        at += at[half - 1] < head ? half : 0;
        left -= half;
    }
    return static_cast<size_t>(at - heads) + (*at < head ? 1 : 0);
}

LeafPlace leaf_lower_bound(const uint8_t* page, const Target& target, bool dup) noexcept {
    const size_t count = header(page).count;
    const int order = prefix_order(page, target.key);
    if (order != 0) return {order < 0 ? uint16_t{0} : header(page).count, false};
    const uint64_t head = head_of(target.key, header(page).prefix_bytes);
    const uint64_t* const from = heads_of(page);
    size_t first = mem::heads_below(from, count, head);
    size_t last = first + heads_equal(from, first, count, head);
    const size_t end = last;
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
    KEEL_ASSERT(first <= end);
    return {static_cast<uint16_t>(first), false};
}

uint16_t leaf_candidate(const uint8_t* page, ByteView key) noexcept {
    const PageHeader& head = header(page);
    if (prefix_order(page, key) != 0) return head.count;
    const uint64_t key_head = head_of(key, head.prefix_bytes);
    const size_t index = mem::heads_below(heads_of(page), head.count, key_head);
    if (index == head.count || heads_of(page)[index] != key_head) return head.count;
    // A record of some hundred bytes: the key's lines, and where its value begins.
    const uint8_t* const record = page + mem::leaf_slots(page)[index];
    __builtin_prefetch(record);
    __builtin_prefetch(record + kLineBytes);
    return static_cast<uint16_t>(index);
}

uint16_t leaf_exact(const uint8_t* page, ByteView key, uint16_t candidate) noexcept {
    const uint16_t count = header(page).count;
    if (candidate == count) return count;
    const uint64_t head = heads_of(page)[candidate];
    for (uint16_t i = candidate; i < count && heads_of(page)[i] == head; ++i)
        if (mem::leaf_key(page, i) == key) return i;
    return count;
}

uint16_t branch_child(const uint8_t* page, const Target& target, bool dup) noexcept {
    const size_t count = header(page).count;
    if (count == 1) return 0;
    const int order = prefix_order(page, target.key);
    if (order != 0) return order < 0 ? uint16_t{0} : static_cast<uint16_t>(count - 1);
    const uint64_t head = head_of(target.key, header(page).prefix_bytes);
    const uint64_t* const from = heads_of(page);
    size_t first = 1 + mem::heads_below(from + 1, count - 1, head);
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

void leaf_init(uint8_t* page) noexcept {
    std::memset(page, 0, sizeof(PageHeader));
    header(page).type = PageType::Leaf;
    header(page).heap = kPageBytes;
}

size_t leaf_used(const uint8_t* page) noexcept {
    const PageHeader& head = header(page);
    return head.count * kLeafEntryBytes + (kPageBytes - head.heap) - head.dead;
}

void leaf_insert(uint8_t* page, size_t index, const LeafRecord& record) noexcept {
    if (gap_bytes(page, kLeafEntryBytes) < kLeafEntryBytes + record_bytes(record))
        leaf_compact(page);
    KEEL_ASSERT(gap_bytes(page, kLeafEntryBytes) >= kLeafEntryBytes + record_bytes(record));
    PageHeader& head = header(page);
    if (head.count == 0) {
        set_prefix(page, record.key);
    } else if (prefix_order(page, record.key) != 0) {
        leaf_shorten_prefix(
            page, common_bytes(record.key, mem::leaf_key(page, 0).sub(0, head.prefix_bytes)));
    }
    const uint16_t at = push_record(page, record);
    uint64_t* const all_heads = heads(page);
    uint8_t* const old_slots = reinterpret_cast<uint8_t*>(leaf_slots(page));
    const size_t behind = head.count - index;
    if (behind > 0)
        std::memmove(old_slots + kHeadBytes + 2 * (index + 1), old_slots + 2 * index, 2 * behind);
    std::memmove(old_slots + kHeadBytes, old_slots, 2 * index);
    if (behind > 0) std::memmove(all_heads + index + 1, all_heads + index, kHeadBytes * behind);
    all_heads[index] = head_of(record.key, head.prefix_bytes);
    ++head.count;
    leaf_slots(page)[index] = at;
}

void leaf_erase(uint8_t* page, size_t first, size_t last) noexcept {
    PageHeader& head = header(page);
    KEEL_ASSERT(first <= last && last <= head.count);
    if (last - first == head.count) {
        head.count = 0;
        head.heap = kPageBytes;
        head.dead = 0;
        head.prefix_bytes = 0;
        head.prefix_head = 0;
        return;
    }
    for (size_t i = first; i < last; ++i) {
        const uint16_t at = leaf_slots(page)[i];
        const size_t bytes = stored_bytes(page, at);
        if (at == head.heap) {
            head.heap = static_cast<uint16_t>(head.heap + bytes);
        } else {
            head.dead = static_cast<uint16_t>(head.dead + bytes);
        }
    }
    const size_t gone = last - first;
    uint64_t* const all_heads = heads(page);
    const uint8_t* const old_slots = reinterpret_cast<const uint8_t*>(leaf_slots(page));
    const size_t old_count = head.count;
    std::memmove(all_heads + first, all_heads + last, kHeadBytes * (old_count - last));
    head.count = static_cast<uint16_t>(old_count - gone);
    uint8_t* const new_slots = reinterpret_cast<uint8_t*>(leaf_slots(page));
    std::memmove(new_slots, old_slots, 2 * first);
    std::memmove(new_slots + 2 * first, old_slots + 2 * last, 2 * (old_count - last));
}

bool leaf_replace_in_place(uint8_t* page, size_t index, const LeafRecord& record) noexcept {
    const uint16_t at = leaf_slots(page)[index];
    const size_t old_bytes = stored_bytes(page, at);
    const size_t new_bytes = record_bytes(record);
    if (new_bytes > old_bytes) return false;
    uint8_t* const value = page + at + kRecordHeadBytes + record.key.size();
    if (record.run != kNoPage) {
        core::store_le(page + at + 2, kInRun);
        core::store_le(value, record.run);
        core::store_le(value + 4, record.run_bytes);
    } else {
        core::store_le(page + at + 2, static_cast<uint16_t>(record.value.size()));
        if (!record.value.empty()) std::memmove(value, record.value.data(), record.value.size());
    }
    header(page).dead = static_cast<uint16_t>(header(page).dead + (old_bytes - new_bytes));
    return true;
}

void leaf_append_from(uint8_t* to, const uint8_t* from, size_t first, size_t last) noexcept {
    if (first == last) return;
    PageHeader& head = header(to);
    const ByteView first_key = head.count == 0 ? mem::leaf_key(from, first) : mem::leaf_key(to, 0);
    const size_t common = common_bytes(first_key, mem::leaf_key(from, last - 1));
    if (head.count == 0) {
        set_prefix(to, first_key.sub(0, common));
    } else if (common < head.prefix_bytes) {
        leaf_shorten_prefix(to, common);
    }
    // The slots move once, to behind the heads of all.
    const size_t old_count = head.count;
    const size_t added = last - first;
    uint8_t* const old_slots = reinterpret_cast<uint8_t*>(leaf_slots(to));
    std::memmove(old_slots + kHeadBytes * added, old_slots, 2 * old_count);
    head.count = static_cast<uint16_t>(old_count + added);
    const uint16_t* const from_slots = mem::leaf_slots(from);
    uint16_t* const to_slots = leaf_slots(to) + old_count;
    uint64_t* const to_heads = heads(to) + old_count;
    uint16_t heap = head.heap;
    for (size_t i = 0; i < added; ++i) {
        const uint16_t at = from_slots[first + i];
        const size_t bytes = stored_bytes(from, at);
        heap = static_cast<uint16_t>(heap - bytes);
        std::memcpy(to + heap, from + at, bytes);
        to_slots[i] = heap;
    }
    head.heap = heap;
    if (head.prefix_bytes == header(from).prefix_bytes) {
        std::memcpy(to_heads, heads_of(from) + first, kHeadBytes * added);
    } else {
        for (size_t i = 0; i < added; ++i)
            to_heads[i] = head_of(mem::leaf_key(from, first + i), head.prefix_bytes);
    }
    KEEL_ASSERT(head.heap >= kBodyAt + kLeafEntryBytes * head.count);
}

void leaf_compact(uint8_t* page) noexcept {
    alignas(8) uint8_t old[kPageBytes];
    std::memcpy(old, page, kPageBytes);
    leaf_init(page);
    leaf_append_from(page, old, 0, header(static_cast<const uint8_t*>(old)).count);
}

void leaf_renumber_runs(uint8_t* page, PageNo up) noexcept {
    for (size_t i = 0; i < header(page).count; ++i) {
        uint8_t* const record = page + leaf_slots(page)[i];
        if (core::load_le<uint16_t>(record + 2) != kInRun) continue;
        uint8_t* const run = record + kRecordHeadBytes + core::load_le<uint16_t>(record);
        core::store_le(run, core::load_le<PageNo>(run) + up);
    }
}

void BranchItems::reserve(size_t more) {
    if (bytes.capacity() == 0) bytes.reserve(kItemBytesMax);
    KEEL_ASSERT(bytes.size() + more <= bytes.capacity(), "views into the bytes must stay");
}

ByteView BranchItems::keep(ByteView view) {
    reserve(view.size());
    const size_t at = bytes.size();
    core::append(bytes, view);
    return {bytes.data() + at, view.size()};
}

void BranchItems::decode(const uint8_t* page) {
    items.clear();
    bytes.clear();
    append(page, {});
}

void BranchItems::append(const uint8_t* page, const Separator& first) {
    uint8_t buffer[kKeyBytesMax];
    const size_t count = header(page).count;
    for (size_t i = 0; i < count; ++i) {
        const Link& link = mem::links(page)[i];
        Separator separator = i == 0 ? first : branch_separator(page, i, buffer);
        separator.key = keep(separator.key);
        separator.value = keep(separator.value);
        items.push_back({separator, link.child, link.count()});
    }
}

void BranchItems::insert(size_t index, const BranchItem& item) {
    const Separator separator = {keep(item.separator.key), keep(item.separator.value)};
    items.insert(items.begin() + static_cast<ptrdiff_t>(index),
                 {separator, item.child, item.count});
}

Separator branch_separator(const uint8_t* page, size_t index, uint8_t* buffer) noexcept {
    const PageHeader& head = header(page);
    const uint16_t slot = links(page)[index].slot;
    if (slot > kHeadBytes) {
        const uint8_t* const record = page + slot;
        const uint16_t key_bytes = core::load_le<uint16_t>(record);
        const uint8_t* const key = record + kRecordHeadBytes;
        return {{key, key_bytes}, {key + key_bytes, core::load_le<uint16_t>(record + 2)}};
    }
    uint8_t padded[kHeadBytes];
    if (head.prefix_bytes <= kHeadBytes) {
        core::store_be(padded, head.prefix_head);
        std::memcpy(buffer, padded, head.prefix_bytes);
    } else {
        std::memcpy(buffer, page + head.prefix_at, head.prefix_bytes);
    }
    core::store_be(padded, heads_of(page)[index]);
    std::memcpy(buffer + head.prefix_bytes, padded, slot);
    return {{buffer, static_cast<size_t>(head.prefix_bytes + slot)}, {}};
}

size_t branch_used(const uint8_t* page) noexcept {
    const PageHeader& head = header(page);
    return head.count * kBranchEntryBytes + (kPageBytes - head.heap) - head.dead;
}

size_t branch_bytes(const BranchItem* first, const BranchItem* last) noexcept {
    const size_t prefix = branch_prefix_bytes(first, last);
    size_t bytes =
        static_cast<size_t>(last - first) * kBranchEntryBytes + (prefix > kHeadBytes ? prefix : 0);
    for (const BranchItem* item = first + 1; item < last; ++item)
        if (!separator_is_inline(item->separator, prefix))
            bytes += separator_record_bytes(item->separator);
    return bytes;
}

void branch_encode(uint8_t* page, uint8_t level, const BranchItem* first,
                   const BranchItem* last) noexcept {
    std::memset(page, 0, sizeof(PageHeader));
    PageHeader& head = header(page);
    head.type = PageType::Branch;
    head.level = level;
    head.heap = kPageBytes;
    head.count = static_cast<uint16_t>(last - first);
    const size_t prefix = branch_prefix_bytes(first, last);
    if (prefix > 0) set_prefix(page, first[1].separator.key.sub(0, prefix));
    if (prefix > kHeadBytes) {
        head.heap = static_cast<uint16_t>(head.heap - prefix);
        head.prefix_at = head.heap;
        std::memcpy(page + head.heap, first[1].separator.key.data(), prefix);
    }
    for (size_t i = 0; i < head.count; ++i) {
        const BranchItem& item = first[i];
        Link link = {item.child, 0, 0, 0};
        link.set_count(item.count);
        uint64_t key_head = 0;
        if (i > 0) {
            key_head = head_of(item.separator.key, prefix);
            link.slot = separator_is_inline(item.separator, prefix)
                            ? static_cast<uint16_t>(item.separator.key.size() - prefix)
                            : push_separator(page, item.separator);
        }
        heads(page)[i] = key_head;
        links(page)[i] = link;
    }
    KEEL_ASSERT(head.heap >= kBodyAt + kBranchEntryBytes * head.count);
}

bool branch_insert_in_place(uint8_t* page, size_t index, const BranchItem& item) noexcept {
    PageHeader& head = header(page);
    if (head.count < 2 || prefix_order(page, item.separator.key) != 0) return false;
    const bool is_inline = separator_is_inline(item.separator, head.prefix_bytes);
    const size_t need =
        kBranchEntryBytes + (is_inline ? 0 : separator_record_bytes(item.separator));
    if (gap_bytes(page, kBranchEntryBytes) < need) return false;
    Link link = {item.child, 0, 0, 0};
    link.set_count(item.count);
    link.slot = is_inline ? static_cast<uint16_t>(item.separator.key.size() - head.prefix_bytes)
                          : push_separator(page, item.separator);
    uint64_t* const all_heads = heads(page);
    uint8_t* const old_links = reinterpret_cast<uint8_t*>(links(page));
    std::memmove(old_links + kHeadBytes + sizeof(Link) * (index + 1),
                 old_links + sizeof(Link) * index, sizeof(Link) * (head.count - index));
    std::memmove(old_links + kHeadBytes, old_links, sizeof(Link) * index);
    std::memmove(all_heads + index + 1, all_heads + index, kHeadBytes * (head.count - index));
    all_heads[index] = head_of(item.separator.key, head.prefix_bytes);
    ++head.count;
    links(page)[index] = link;
    return true;
}

void branch_erase(uint8_t* page, size_t index) noexcept {
    PageHeader& head = header(page);
    const size_t old_count = head.count;
    KEEL_ASSERT(index < old_count);
    // Whoever becomes link 0 loses its separator.
    const size_t separator_gone = index == 0 ? 1 : index;
    if (separator_gone < old_count) {
        const uint16_t slot = links(page)[separator_gone].slot;
        if (slot > kHeadBytes)
            head.dead = static_cast<uint16_t>(head.dead + kRecordHeadBytes +
                                              core::load_le<uint16_t>(page + slot) +
                                              core::load_le<uint16_t>(page + slot + 2));
    }
    uint64_t* const all_heads = heads(page);
    const uint8_t* const old_links = reinterpret_cast<const uint8_t*>(links(page));
    std::memmove(all_heads + index, all_heads + index + 1, kHeadBytes * (old_count - index - 1));
    --head.count;
    uint8_t* const new_links = reinterpret_cast<uint8_t*>(links(page));
    std::memmove(new_links, old_links, sizeof(Link) * index);
    std::memmove(new_links + sizeof(Link) * index, old_links + sizeof(Link) * (index + 1),
                 sizeof(Link) * (old_count - index - 1));
    if (index == 0 && head.count > 0) {
        all_heads[0] = 0;
        links(page)[0].slot = 0;
    }
}

Separator shortest_separator(Separator last, Separator first, bool dup) noexcept {
    if (last.key != first.key || !dup)
        return {first.key.sub(0, common_bytes(last.key, first.key) + 1), {}};
    return {first.key, first.value.sub(0, common_bytes(last.value, first.value) + 1)};
}

const char* page_fault(const uint8_t* page) noexcept {
    const PageHeader& head = header(page);
    const bool leaf = head.type == PageType::Leaf;
    if (!leaf && head.type != PageType::Branch) return "unknown page type";
    if (leaf != (head.level == 0)) return "level does not fit the page type";
    if (head.count == 0) return "page without entries";
    const size_t entry_bytes = leaf ? kLeafEntryBytes : kBranchEntryBytes;
    if (kBodyAt + entry_bytes * head.count > head.heap || head.heap > kPageBytes)
        return "entries and records overlap";
    if (head.prefix_bytes > kKeyBytesMax) return "prefix too long";
    if (!leaf && head.prefix_bytes > kHeadBytes &&
        (head.prefix_at < head.heap || head.prefix_at + head.prefix_bytes > kPageBytes))
        return "prefix outside the page";
    for (size_t i = 0; i < head.count; ++i) {
        const uint16_t slot = leaf ? leaf_slots(page)[i] : links(page)[i].slot;
        if (!leaf && links(page)[i].child == kNoPage) return "link to no page";
        if (!leaf && slot <= kHeadBytes) {
            if (head.prefix_bytes + slot > kKeyBytesMax) return "separator too long";
            continue;
        }
        if (slot < head.heap || slot + kRecordHeadBytes > kPageBytes)
            return "record outside the page";
        if (core::load_le<uint16_t>(page + slot) > kKeyBytesMax) return "key too long";
        if (slot + stored_bytes(page, slot) > kPageBytes) return "record outside the page";
        if (!leaf && core::load_le<uint16_t>(page + slot + 2) > kDupValueBytesMax)
            return "separator too long";
        if (leaf && core::load_le<uint16_t>(page + slot) < head.prefix_bytes)
            return "key shorter than the prefix";
    }
    return nullptr;
}

}  // namespace keel::db::mem
