#pragma once

#include <bit>
#include <cstdint>

#include "core/u256.hpp"

namespace keel::evm {

using core::uint128_t;

struct Digit {
    uint64_t quotient, remainder;
};

/// high:low / divisor; high < divisor, so that the quotient fits.
inline Digit divide_digit(uint64_t high, uint64_t low, uint64_t divisor) noexcept {
#if defined(__x86_64__)
    Digit digit;
    asm("divq %4"
        : "=a"(digit.quotient), "=d"(digit.remainder)
        : "a"(low), "d"(high), "r"(divisor)
        : "cc");
    return digit;
#else
    const uint128_t wide = static_cast<uint128_t>(high) << 64 | low;
    return {static_cast<uint64_t>(wide / divisor), static_cast<uint64_t>(wide % divisor)};
#endif
}

inline int limb_count(const uint64_t* limbs, int count) noexcept {
    while (count > 0 && limbs[count - 1] == 0) --count;
    return count;
}

/// limbs mod divisor.
inline uint64_t short_remainder(const uint64_t* limbs, int count, uint64_t divisor) noexcept {
    uint64_t rest = 0;
    for (int i = count - 1; i >= 0; --i) rest = divide_digit(rest, limbs[i], divisor).remainder;
    return rest;
}

/// Knuth, TAOCP 2, 4.3.1, algorithm D: u (n limbs, at most 9) / v (m >= 2 limbs, the highest not 0,
/// n >= m). Quotient to q (n - m + 1 limbs), remainder to r (m limbs).
inline void long_division(const uint64_t* u, int n, const uint64_t* v, int m, uint64_t* q,
                          uint64_t* r) noexcept {
    const unsigned shift = static_cast<unsigned>(std::countl_zero(v[m - 1]));
    uint64_t un[10], vn[4];
    const auto pair = [shift](uint64_t high, uint64_t low) {
        return (high << shift) | ((low >> 1) >> (63 - shift));
    };
    for (int i = m - 1; i > 0; --i) vn[i] = pair(v[i], v[i - 1]);
    vn[0] = v[0] << shift;
    un[n] = pair(0, u[n - 1]);
    for (int i = n - 1; i > 0; --i) un[i] = pair(u[i], u[i - 1]);
    un[0] = u[0] << shift;
    const uint64_t v1 = vn[m - 1], v2 = vn[m - 2];
    for (int j = n - m; j >= 0; --j) {
        uint64_t guess, rest;
        bool rest_fits = true;
        if (un[j + m] >= v1) {
            guess = ~uint64_t{0};
            rest = un[j + m - 1] + v1;  // un[j + m] == v1
            rest_fits = rest >= v1;
        } else {
            const Digit digit = divide_digit(un[j + m], un[j + m - 1], v1);
            guess = digit.quotient;
            rest = digit.remainder;
        }
        while (rest_fits && static_cast<uint128_t>(guess) * v2 >
                                (static_cast<uint128_t>(rest) << 64 | un[j + m - 2])) {
            --guess;
            rest += v1;
            rest_fits = rest >= v1;
        }
        uint64_t borrow = 0, carry = 0;
        for (int i = 0; i < m; ++i) {
            const uint128_t product = static_cast<uint128_t>(guess) * vn[i] + carry;
            carry = static_cast<uint64_t>(product >> 64);
            const uint128_t t =
                static_cast<uint128_t>(un[i + j]) - static_cast<uint64_t>(product) - borrow;
            un[i + j] = static_cast<uint64_t>(t);
            borrow = static_cast<uint64_t>(t >> 64) & 1;
        }
        const uint128_t t = static_cast<uint128_t>(un[j + m]) - carry - borrow;
        un[j + m] = static_cast<uint64_t>(t);
        if ((static_cast<uint64_t>(t >> 64) & 1) != 0) {  // one too large: added back
            --guess;
            uint64_t c = 0;
            for (int i = 0; i < m; ++i) {
                const uint128_t sum = static_cast<uint128_t>(un[i + j]) + vn[i] + c;
                un[i + j] = static_cast<uint64_t>(sum);
                c = static_cast<uint64_t>(sum >> 64);
            }
            un[j + m] += c;
        }
        q[j] = guess;
    }
    for (int i = 0; i < m; ++i) r[i] = (un[i] >> shift) | ((un[i + 1] << 1) << (63 - shift));
}

}  // namespace keel::evm
