#pragma once

// Hex digits, 16 bytes at a time: a shuffle looks each half byte up.

#include <tmmintrin.h>

#include <bit>
#include <cstdint>

#include "core/bytes.hpp"
#include "core/u256.hpp"

namespace keel::rpc {

struct HexDigits {
    __m128i first, second;  // of bytes 0 to 7, of bytes 8 to 15
};
/// Digits of the 16 bytes, in the order of the bytes.
inline HexDigits hex_digits(__m128i bytes) noexcept {
    const __m128i digits = _mm_setr_epi8('0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b',
                                         'c', 'd', 'e', 'f');
    const __m128i low_half = _mm_set1_epi8(0x0f);
    const __m128i high =
        _mm_shuffle_epi8(digits, _mm_and_si128(_mm_srli_epi16(bytes, 4), low_half));
    const __m128i low = _mm_shuffle_epi8(digits, _mm_and_si128(bytes, low_half));
    return {_mm_unpacklo_epi8(high, low), _mm_unpackhi_epi8(high, low)};
}

inline void write_16_bytes(char* to, __m128i bytes) noexcept {
    const HexDigits digits = hex_digits(bytes);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), digits.first);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + 16), digits.second);
}

/// Two digits a byte; writes nothing behind them. Returns their end.
inline char* write_bytes(char* to, core::ByteView bytes) noexcept {
    const uint8_t* const from = bytes.data();
    const size_t size = bytes.size();
    if (size < 16) {
        for (size_t i = 0; i < size; ++i) {
            *to++ = "0123456789abcdef"[from[i] >> 4];
            *to++ = "0123456789abcdef"[from[i] & 15];
        }
        return to;
    }
    const auto write_at = [&](size_t at) {
        write_16_bytes(to + 2 * at, _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + at)));
    };
    for (size_t at = 0; at + 16 <= size; at += 16) write_at(at);
    // The rest overlaps what is written already.
    if (size % 16 != 0) write_at(size - 16);
    return to + 2 * size;
}

/// Digits of `value`, at least one, without leading zeros. 16 characters behind `to` may be
/// written. Returns their end.
inline char* write_quantity(char* to, uint64_t value) noexcept {
    const int count = (67 - std::countl_zero(value | 1)) / 4;
    const uint64_t first = __builtin_bswap64(value << (64 - 4 * count));
    const __m128i bytes = _mm_cvtsi64_si128(static_cast<long long>(first));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), hex_digits(bytes).first);
    return to + count;
}

/// The same; 64 characters behind `to` may be written.
inline char* write_quantity(char* to, const core::U256& value) noexcept {
    int limb = 3;
    while (limb > 0 && value.limbs[limb] == 0) --limb;
    to = write_quantity(to, value.limbs[limb]);
    while (--limb >= 0) {
        std::array<uint8_t, 8> bytes;
        const uint64_t swapped = __builtin_bswap64(value.limbs[limb]);
        std::memcpy(bytes.data(), &swapped, bytes.size());
        to = write_bytes(to, bytes);
    }
    return to;
}

}  // namespace keel::rpc
