#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "core/u256.hpp"
#include "crypto/curve/short_weierstrass.hpp"

namespace keel::crypto::curve {

// Multiples by windows of odd signed digits below 16, of which at most one in five is not 0.

inline constexpr int kWindow = 5;
/// Odd multiples that the digits choose from: P, 3 P, 5 P ... 15 P.
inline constexpr size_t kOddMultiples = size_t{1} << (kWindow - 2);

/// Digits of `value`, lowest first, the others 0; returns how many there are up to the highest one.
/// `value` is below 2^128 - 16 and has at most kSize - 1 bits.
template <size_t kSize>
constexpr size_t signed_windows(core::uint128_t value, std::array<int8_t, kSize>& digits) noexcept {
    digits.fill(0);
    size_t at = 0, count = 0;
    while (value != 0) {
        if ((value & 1) == 0) {
            const auto low = static_cast<uint64_t>(value);
            const int zeros = low == 0 ? 63 : std::countr_zero(low);
            value >>= zeros;
            at += static_cast<size_t>(zeros);
            continue;
        }
        int digit = static_cast<int>(value & ((1 << kWindow) - 1));
        if (digit >= 1 << (kWindow - 1)) {
            digit -= 1 << kWindow;
            value += static_cast<core::uint128_t>(-digit);
        } else {
            value -= static_cast<core::uint128_t>(digit);
        }
        digits[at] = static_cast<int8_t>(digit);
        count = at + 1;
    }
    return count;
}

/// P, 3 P, 5 P ...
template <class F>
void odd_multiples(const Affine<F>& p, Jacobian<F>* table) noexcept {
    table[0] = Jacobian<F>::of(p);
    const Jacobian<F> doubled = twice(table[0]);
    for (size_t i = 1; i < kOddMultiples; ++i) table[i] = table[i - 1] + doubled;
}

/// sum += digit * P for a table of the odd multiples of P.
template <class F>
void add_multiple(Jacobian<F>& sum, const Affine<F>* table, int digit) noexcept {
    if (digit > 0) sum = sum + table[digit / 2];
    if (digit < 0) sum = sum + -table[-digit / 2];
}

}  // namespace keel::crypto::curve
