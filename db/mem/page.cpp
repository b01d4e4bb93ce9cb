#include "db/mem/page.hpp"

#include <algorithm>

#include "db/mem/leaf_entries.hpp"
#include "db/mem/page_search.hpp"

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

// Most records are not larger. So many bytes are copied without asking how many they are, since a
// branch on that would be guessed wrongly at every other record.
constexpr size_t kRecordPieceBytes = 160;

size_t gap_bytes(const uint8_t* page, size_t entry_bytes) noexcept {
    return header(page).heap - (kBodyAt + entry_bytes * header(page).count);
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

/// The record at an offset is nobody's any more.
void give_up_record(uint8_t* page, uint16_t at, size_t bytes) noexcept {
    PageHeader& head = header(page);
    if (at == head.heap) {
        head.heap = static_cast<uint16_t>(head.heap + bytes);
    } else {
        head.dead = static_cast<uint16_t>(head.dead + bytes);
    }
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

}  // namespace

void leaf_init(uint8_t* page) noexcept {
    std::memset(page, 0, sizeof(PageHeader));
    header(page).type = PageType::Leaf;
    header(page).heap = kPageBytes;
}

void leaf_insert(uint8_t* page, size_t index, const LeafRecord& record) noexcept {
    if (gap_bytes(page, kLeafEntryBytes) < kLeafEntryBytes + record_bytes(record))
        leaf_compact(page);
    KEEL_ASSERT(gap_bytes(page, kLeafEntryBytes) >= kLeafEntryBytes + record_bytes(record));
    const PageHeader& head = header(page);
    if (head.count == 0) {
        set_prefix(page, record.key);
    } else if (prefix_order(page, record.key) != 0) {
        leaf_shorten_prefix(
            page, common_bytes(record.key, mem::leaf_key(page, 0).sub(0, head.prefix_bytes)));
    }
    kPlaceRecord(page, index, record);
}

void leaf_erase_one(uint8_t* page, size_t index, size_t bytes) noexcept {
    KEEL_ASSERT(index < header(page).count && header(page).count > 1);
    give_up_record(page, leaf_slots(page)[index], bytes);
    close_ranks(page, index, index + 1);
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
        give_up_record(page, at, stored_bytes(page, at));
    }
    close_ranks(page, first, last);
}

bool leaf_replace(uint8_t* page, size_t index, const LeafRecord& record) noexcept {
    const uint16_t at = leaf_slots(page)[index];
    const size_t old_bytes = stored_bytes(page, at);
    const size_t new_bytes = record_bytes(record);
    if (new_bytes > old_bytes) {
        if (gap_bytes(page, kLeafEntryBytes) < new_bytes) return false;
        leaf_slots(page)[index] = push_record(page, record);
        header(page).dead = static_cast<uint16_t>(header(page).dead + old_bytes);
        return true;
    }
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
    const size_t old_heap = head.heap;
    size_t heap = old_heap;
    for (size_t i = 0; i < added; ++i) {
        heap -= stored_bytes(from, from_slots[first + i]);
        to_slots[i] = static_cast<uint16_t>(heap);
    }
    head.heap = static_cast<uint16_t>(heap);
    // From the lowest up, so that what is copied beyond a record is overwritten by the next one.
    for (size_t i = added; i > 0; --i) {
        const uint16_t at = from_slots[first + i - 1];
        const size_t place = to_slots[i - 1];
        const size_t end = i > 1 ? to_slots[i - 2] : old_heap;
        const size_t bytes = end - place;
        if (bytes <= kRecordPieceBytes && at + kRecordPieceBytes <= kPageBytes &&
            place + kRecordPieceBytes <= old_heap) [[likely]] {
            std::memcpy(to + place, from + at, kRecordPieceBytes);
        } else {
            std::memcpy(to + place, from + at, bytes);
        }
    }
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
