#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/u256.hpp"

namespace keel::crypto {

// Numbers of a fixed number of 64-bit words, little-endian.

template <size_t kCount>
using Words = std::array<uint64_t, kCount>;

constexpr Words<4> words_of(const core::U256& value) noexcept {
    return {value.limbs[0], value.limbs[1], value.limbs[2], value.limbs[3]};
}
constexpr core::U256 number_of(const Words<4>& words) noexcept {
    return {words[0], words[1], words[2], words[3]};
}

/// The low word of a * b + c + carry, which fits into 128 bits; `carry` becomes the high one.
constexpr uint64_t multiply_add(uint64_t a, uint64_t b, uint64_t c, uint64_t& carry) noexcept {
    const core::uint128_t t = static_cast<core::uint128_t>(a) * b + c + carry;
    carry = static_cast<uint64_t>(t >> 64);
    return static_cast<uint64_t>(t);
}

/// out = a + b; returns the carry. Out may be one of both.
template <size_t kCount>
constexpr uint64_t add_words(Words<kCount>& out, const Words<kCount>& a,
                             const Words<kCount>& b) noexcept {
    uint64_t carry = 0;
    for (size_t i = 0; i < kCount; ++i) {
        const core::uint128_t t = static_cast<core::uint128_t>(a[i]) + b[i] + carry;
        out[i] = static_cast<uint64_t>(t);
        carry = static_cast<uint64_t>(t >> 64);
    }
    return carry;
}

/// out = a - b; returns the borrow. Out may be one of both.
template <size_t kCount>
constexpr uint64_t subtract_words(Words<kCount>& out, const Words<kCount>& a,
                                  const Words<kCount>& b) noexcept {
    uint64_t borrow = 0;
    for (size_t i = 0; i < kCount; ++i) {
        const core::uint128_t t = static_cast<core::uint128_t>(a[i]) - b[i] - borrow;
        out[i] = static_cast<uint64_t>(t);
        borrow = static_cast<uint64_t>(t >> 64) & 1;
    }
    return borrow;
}

/// -1 / odd modulo 2^64.
constexpr uint64_t negative_inverse(uint64_t odd) noexcept {
    uint64_t inverse = odd;  // right in 3 bits; each step of Newton doubles them
    for (int i = 0; i < 5; ++i) inverse *= 2 - odd * inverse;
    return ~inverse + 1;
}

}  // namespace keel::crypto
