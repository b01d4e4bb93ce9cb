#include "db/mem/leaf_entries.hpp"

#include <algorithm>

#include "db/mem/heads_avx512.hpp"

namespace keel::db::mem {
namespace {

uint8_t* heads_at(uint8_t* page) noexcept {
    return page + kBodyAt;
}
uint8_t* slots_at(uint8_t* page) noexcept {
    return page + kBodyAt + kHeadBytes * header(page).count;
}

// An entry more or less shifts a few hundred bytes of heads and slots by a few: as loops of whole
// registers these cost half of what calls of memmove do.
inline constexpr size_t kShiftBytes = 32;
struct ShiftPiece {
    __m128i low, high;
};
inline ShiftPiece load_piece(const uint8_t* from) noexcept {
    return {_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)),
            _mm_loadu_si128(reinterpret_cast<const __m128i*>(from) + 1)};
}
inline void store_piece(uint8_t* to, const ShiftPiece& piece) noexcept {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), piece.low);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to) + 1, piece.high);
}

/// Moves [from, from + bytes) up by `by` bytes.
inline void shift_up(uint8_t* from, size_t bytes, size_t by) noexcept {
    if (bytes < kShiftBytes) {
        std::memmove(from + by, from, bytes);
        return;
    }
    const ShiftPiece lowest = load_piece(from);
    size_t left = bytes;
    for (; left >= kShiftBytes; left -= kShiftBytes)
        store_piece(from + left - kShiftBytes + by, load_piece(from + left - kShiftBytes));
    store_piece(from + by, lowest);
}

/// Moves [from, from + bytes) down by `by` bytes.
inline void shift_down(uint8_t* from, size_t bytes, size_t by) noexcept {
    if (bytes < kShiftBytes) {
        std::memmove(from - by, from, bytes);
        return;
    }
    const ShiftPiece highest = load_piece(from + bytes - kShiftBytes);
    for (size_t at = 0; at + kShiftBytes <= bytes; at += kShiftBytes)
        store_piece(from + at - by, load_piece(from + at));
    store_piece(from + bytes - kShiftBytes - by, highest);
}

/// Makes room for a head and a slot at `index`; the count is one more.
void open_ranks(uint8_t* page, size_t index) noexcept {
    PageHeader& head = header(page);
    uint8_t* const slots = slots_at(page);
    const size_t behind = head.count - index;
    // The slots behind make room for both; the heads behind and the slots before them are one
    // piece, which makes room for the head.
    shift_up(slots + kSlotBytes * index, kSlotBytes * behind, kLeafEntryBytes);
    shift_up(heads_at(page) + kHeadBytes * index, kHeadBytes * behind + kSlotBytes * index,
             kHeadBytes);
    ++head.count;
}

/// Writes head and slot of the entry whose record stands at `at`.
inline void set_entry(uint8_t* page, size_t index, ByteView key, uint16_t at) noexcept {
    reinterpret_cast<uint64_t*>(heads_at(page))[index] = head_of(key, header(page).prefix_bytes);
    reinterpret_cast<uint16_t*>(slots_at(page))[index] = at;
}

// With AVX-512 little depends on where the entry stands and how long its record is: each of those
// branches would be guessed wrongly at every other entry. Vectors of all heads, and of all slots,
// are read at their places and one place before, blended at the index, and written; key and value
// are copied through masks. What the vectors write behind the arrays is the gap, so it must be wide
// enough; near the end of a page it is not.
constexpr size_t kHeadLanes = 8;
constexpr size_t kSlotLanes = 32;
constexpr size_t kFewHeads = 40;   // of most leaves
constexpr size_t kManyHeads = 64;  // two vectors of slots
constexpr size_t kSlotVectorsBytes = kManyHeads * kSlotBytes;

constexpr size_t kMaskedBytesMax = 2 * sizeof(__m512i);

/// Do vectors of `lanes` heads, and of the slots behind `count` heads, end below the heap?
bool vectors_fit(size_t heap, size_t lanes, size_t count) noexcept {
    const size_t end = std::max(kHeadBytes * lanes, kHeadBytes * count + kSlotVectorsBytes);
    return kBodyAt + end <= heap;
}

KEEL_TARGET_AVX512 inline __m512i load(const uint8_t* from) noexcept {
    return _mm512_loadu_si512(from);
}

/// Entries from the index on come from one place beside.
struct RankMasks {
    uint64_t moved;
    KEEL_TARGET_AVX512 explicit RankMasks(size_t index) noexcept : moved(~uint64_t{0} << index) {}
    KEEL_TARGET_AVX512 __mmask8 heads(size_t first) const noexcept {
        return static_cast<__mmask8>(moved >> first);
    }
    KEEL_TARGET_AVX512 __mmask32 slots(size_t first) const noexcept {
        return static_cast<__mmask32>(moved >> first);
    }
};

template <size_t kLanes>
KEEL_TARGET_AVX512 inline void open_vectors(uint8_t* page, size_t index) noexcept {
    const RankMasks masks(index);
    uint8_t* const heads = heads_at(page);
    const uint8_t* const slots = slots_at(page);
    const __m512i low =
        _mm512_mask_blend_epi16(masks.slots(0), load(slots), load(slots - kSlotBytes));
    const __m512i high = _mm512_mask_blend_epi16(masks.slots(kSlotLanes), load(slots + sizeof low),
                                                 load(slots + sizeof low - kSlotBytes));
#pragma GCC unroll 8
    for (size_t first = kLanes; first > 0;) {
        first -= kHeadLanes;
        uint8_t* const at = heads + kHeadBytes * first;
        _mm512_storeu_si512(
            at, _mm512_mask_blend_epi64(masks.heads(first), load(at), load(at - kHeadBytes)));
    }
    ++header(page).count;
    _mm512_storeu_si512(slots_at(page), low);
    _mm512_storeu_si512(slots_at(page) + sizeof low, high);
}

KEEL_TARGET_AVX512 inline __mmask64 lowest(size_t bytes) noexcept {
    return _bzhi_u64(~uint64_t{0}, static_cast<uint32_t>(bytes));
}

/// At most two vectors of bytes.
KEEL_TARGET_AVX512 inline void copy_masked(uint8_t* to, ByteView from) noexcept {
    constexpr size_t kVectorBytes = sizeof(__m512i);
    const size_t in_low = std::min(from.size(), kVectorBytes);
    const __mmask64 low = lowest(in_low);
    const __mmask64 high = lowest(from.size() - in_low);
    _mm512_mask_storeu_epi8(to, low, _mm512_maskz_loadu_epi8(low, from.data()));
    _mm512_mask_storeu_epi8(to + in_low, high, _mm512_maskz_loadu_epi8(high, from.data() + in_low));
}

KEEL_TARGET_AVX512 void place_record_avx512(uint8_t* page, size_t index,
                                            const LeafRecord& record) noexcept {
    if (record.run != kNoPage || record.key.size() > kMaskedBytesMax ||
        record.value.size() > kMaskedBytesMax)
        return place_record_by_pieces(page, index, record);
    PageHeader& head = header(page);
    const auto at = static_cast<uint16_t>(head.heap - record_bytes(record));
    uint8_t* const to = page + at;
    core::store_le(to, static_cast<uint16_t>(record.key.size()));
    core::store_le(to + 2, static_cast<uint16_t>(record.value.size()));
    copy_masked(to + kRecordHeadBytes, record.key);
    copy_masked(to + kRecordHeadBytes + record.key.size(), record.value);
    head.heap = at;
    const size_t count = head.count + 1U;
    // An append moves slots only; and what was written just now would be read in vectors that no
    // single write filled, which waits for all of them.
    if (index + 1 == count) {
        open_ranks(page, index);
    } else if (count <= kFewHeads && vectors_fit(at, kFewHeads, count)) {
        open_vectors<kFewHeads>(page, index);
    } else if (count <= kManyHeads && vectors_fit(at, kManyHeads, count)) {
        open_vectors<kManyHeads>(page, index);
    } else {
        open_ranks(page, index);
    }
    set_entry(page, index, record.key, at);
}

}  // namespace

const PlaceRecord kPlaceRecord = has_avx512() ? place_record_avx512 : place_record_by_pieces;

void place_record_by_pieces(uint8_t* page, size_t index, const LeafRecord& record) noexcept {
    const uint16_t at = push_record(page, record);
    open_ranks(page, index);
    set_entry(page, index, record.key, at);
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
    copy_short(to, record.key.data(), record.key.size());
    to += record.key.size();
    if (in_run) {
        core::store_le(to, record.run);
        core::store_le(to + 4, record.run_bytes);
    } else {
        copy_short(to, record.value.data(), record.value.size());
    }
    header(page).heap = at;
    return at;
}

void close_ranks(uint8_t* page, size_t first, size_t last) noexcept {
    PageHeader& head = header(page);
    const size_t gone = last - first;
    const size_t behind = head.count - last;
    uint8_t* const slots = slots_at(page);
    shift_down(heads_at(page) + kHeadBytes * last, kHeadBytes * behind + kSlotBytes * first,
               kHeadBytes * gone);
    shift_down(slots + kSlotBytes * last, kSlotBytes * behind, kLeafEntryBytes * gone);
    head.count = static_cast<uint16_t>(head.count - gone);
}

}  // namespace keel::db::mem
