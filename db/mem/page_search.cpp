#include "db/mem/page_search.hpp"

#include "db/mem/heads_avx512.hpp"

namespace keel::db::mem {
namespace {

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
    if (has_avx512()) return heads_below_avx512;
    if (__builtin_cpu_supports("avx2")) return heads_below_avx2;
    return heads_below_by_halves;
}

}  // namespace

const HeadsBelow kHeadsBelow = choose_heads_below();

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
        head.type == PageType::Leaf ? leaf_key(page, 0).data() : page + head.prefix_at;
    const size_t compared = std::min<size_t>(key.size(), head.prefix_bytes);
    const int order = std::memcmp(key.data(), prefix, compared);
    if (order != 0) return order;
    return key.size() < head.prefix_bytes ? -1 : 0;
}

bool separator_not_after(const uint8_t* page, size_t index, const Target& target,
                         bool dup) noexcept {
    const uint16_t slot = links(page)[index].slot;
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

std::strong_ordering entry_order(const uint8_t* page, size_t index, const Target& target,
                                 bool dup) noexcept {
    const uint8_t* const record = page + leaf_slots(page)[index];
    const uint16_t key_bytes = core::load_le<uint16_t>(record);
    const ByteView key(record + kRecordHeadBytes, key_bytes);
    const auto order = key <=> target.key;
    if (order != 0) return order;
    if (target.past_group) return std::strong_ordering::less;
    if (!dup) return std::strong_ordering::equal;
    const ByteView value(key.data() + key_bytes, core::load_le<uint16_t>(record + 2));
    return value <=> target.value;
}

}  // namespace keel::db::mem
