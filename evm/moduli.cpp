#include "evm/moduli.hpp"

#include <algorithm>

#include "crypto/carry_chains.hpp"
#include "crypto/processor.hpp"
#include "evm/long_division.hpp"
#include "evm/words.hpp"

namespace keel::evm {
namespace {

using core::U256;

void reduce(U256& to, const uint64_t* wide, int count, const U256& modulus) noexcept {
    const int m = limb_count(modulus.limbs, 4);
    const int n = limb_count(wide, count);
    if (m == 0) {
        to = U256{};
    } else if (n < m) {
        U256 result;
        for (int i = 0; i < n; ++i) result.limbs[i] = wide[i];
        to = result;
    } else if (m == 1) {
        to = U256(short_remainder(wide, n, modulus.limbs[0]));
    } else {
        uint64_t q[9];
        U256 result;
        long_division(wide, n, modulus.limbs, m, q, result.limbs);
        to = result;
    }
}

/// acc += a * b, carry out.
[[gnu::always_inline]] inline uint64_t multiply_add(uint64_t& acc, uint64_t a, uint64_t b,
                                                    uint64_t carry) noexcept {
    const uint128_t t = static_cast<uint128_t>(a) * b + acc + carry;
    acc = static_cast<uint64_t>(t);
    return static_cast<uint64_t>(t >> 64);
}

[[gnu::always_inline]] inline void full_product(uint64_t* to, const U256& a,
                                                const U256& b) noexcept {
    to[0] = to[1] = to[2] = to[3] = 0;
#pragma GCC unroll 4
    for (size_t i = 0; i < 4; ++i) {
        uint64_t carry = 0;
#pragma GCC unroll 4
        for (size_t j = 0; j < 4; ++j)
            carry = multiply_add(to[i + j], a.limbs[i], b.limbs[j], carry);
        to[i + 4] = carry;
    }
}

/// x (512 bits) mod m; m has four limbs, `reciprocal` is 2^512 / m.
[[gnu::always_inline]] inline void reduce_with(U256& to, const uint64_t* x, const U256& m,
                                               const std::array<uint64_t, 5>& reciprocal) noexcept {
    // x >> 192, five limbs, times the reciprocal; what counts are the limbs from 5 on. Limbs 0 to 2
    // of the product are left out: the quotient gets at most one smaller by that.
    uint64_t product[10] = {};
#pragma GCC unroll 5
    for (size_t i = 0; i < 5; ++i) {
        uint64_t carry = 0;
        const size_t first = i < 3 ? 3 - i : 0;
#pragma GCC unroll 5
        for (size_t j = first; j < 5; ++j)
            carry = multiply_add(product[i + j], x[3 + i], reciprocal[j], carry);
        product[i + 5] = carry;
    }
    const uint64_t* quotient = product + 5;
    // quotient * m, the low five limbs.
    uint64_t taken[5] = {};
#pragma GCC unroll 5
    for (size_t i = 0; i < 5; ++i) {
        uint64_t carry = 0;
        const size_t last = std::min<size_t>(4, 5 - i);
#pragma GCC unroll 4
        for (size_t j = 0; j < last; ++j)
            carry = multiply_add(taken[i + j], quotient[i], m.limbs[j], carry);
        if (i == 0) taken[4] = carry;
    }
    // The quotient is at most three too small (HAC 14.43, and one for what was left out).
    U256 rest;
    uint64_t borrow = 0;
#pragma GCC unroll 4
    for (size_t i = 0; i < 4; ++i) {
        const uint128_t t = static_cast<uint128_t>(x[i]) - taken[i] - borrow;
        rest.limbs[i] = static_cast<uint64_t>(t);
        borrow = static_cast<uint64_t>(t >> 64) & 1;
    }
    uint64_t highest = x[4] - taken[4] - borrow;
    while (highest != 0 || !less(rest, m)) {
        highest -= less(rest, m) ? 1 : 0;
        sub_words(rest, rest, m);
    }
    copy_word(to, rest);
}

/// 2^256 is 1 modulo 2^256 - 1, so that the upper half of the product is added to the lower one.
/// The way in which contracts find the upper half.
void multiply_modulo_max(U256& to, const U256& a, const U256& b) noexcept {
    uint64_t product[8];
    full_product(product, a, b);
    const U256 low(product[0], product[1], product[2], product[3]);
    const U256 high(product[4], product[5], product[6], product[7]);
    U256 sum;
    add_words(sum, low, high);
    add_number(sum, sum, less(sum, low) ? 1 : 0);
    if (equal(sum, U256::max())) sum = U256{};
    copy_word(to, sum);
}

void multiply_reduced(U256& to, const U256& a, const U256& b, const U256& m,
                      const std::array<uint64_t, 5>& reciprocal) {
    uint64_t product[8];
    full_product(product, a, b);
    reduce_with(to, product, m, reciprocal);
}

#if defined(__x86_64__)

// r += a * b[0..n), with mulx and two carry chains. The last r takes the carries and overflows no
// more; in the low rows what goes beyond it is lost.
// clang-format off
#define KEEL_ROW_2 KEEL_STEP("b", "0", "r0", "r1") KEEL_STEP("b", "8", "r1", "r2")
#define KEEL_ROW_3 KEEL_ROW_2 KEEL_STEP("b", "16", "r2", "r3")
#define KEEL_ROW_4 KEEL_ROW_3 KEEL_STEP("b", "24", "r3", "r4")
#define KEEL_ROW_5 KEEL_ROW_4 KEEL_STEP("b", "32", "r4", "r5")
#define KEEL_LOW_STEP(OFFSET, R) "mulxq " OFFSET "(%[b]), %[low], %[high]\n\t" "adcxq %[low], %[" R "]\n\t"
#define KEEL_LOW_ROW_2 KEEL_STEP("b", "0", "r0", "r1") KEEL_LOW_STEP("8", "r1")
#define KEEL_LOW_ROW_3 KEEL_ROW_2 KEEL_LOW_STEP("16", "r2")
#define KEEL_LOW_ROW_4 KEEL_ROW_3 KEEL_LOW_STEP("24", "r3")
#define KEEL_LAST_CARRY(R) "adcxq %[zero], %[" R "]"
#define KEEL_MULTIPLY(ROW, N, ...)                                                                \
    uint64_t low, high, zero;                                                                     \
    asm("xorl %k[zero], %k[zero]\n\t" ROW                                                         \
        : __VA_ARGS__, [low] "=&r"(low), [high] "=&r"(high), [zero] "=&r"(zero)                   \
        : [b] "r"(b), "d"(a), "m"(*reinterpret_cast<const uint64_t(*)[N]>(b))                     \
        : "cc")
#define KEEL_R2 [r0] "+&r"(r0), [r1] "+&r"(r1)
#define KEEL_R3 KEEL_R2, [r2] "+&r"(r2)
#define KEEL_R4 KEEL_R3, [r3] "+&r"(r3)
#define KEEL_R5 KEEL_R4, [r4] "+&r"(r4)
#define KEEL_R6 KEEL_R5, [r5] "+&r"(r5)
#define KEEL_INLINE [[gnu::always_inline]] inline void
using Word = uint64_t;

KEEL_INLINE row_2(Word a, const Word* b, Word& r0, Word& r1, Word& r2) noexcept {
    KEEL_MULTIPLY(KEEL_ROW_2 KEEL_LAST_CARRY("r2"), 2, KEEL_R3);
}
KEEL_INLINE row_3(Word a, const Word* b, Word& r0, Word& r1, Word& r2, Word& r3) noexcept {
    KEEL_MULTIPLY(KEEL_ROW_3 KEEL_LAST_CARRY("r3"), 3, KEEL_R4);
}
KEEL_INLINE row_4(Word a, const Word* b, Word& r0, Word& r1, Word& r2, Word& r3, Word& r4) noexcept {
    KEEL_MULTIPLY(KEEL_ROW_4 KEEL_LAST_CARRY("r4"), 4, KEEL_R5);
}
KEEL_INLINE row_5(Word a, const Word* b, Word& r0, Word& r1, Word& r2, Word& r3, Word& r4, Word& r5) noexcept {
    KEEL_MULTIPLY(KEEL_ROW_5 KEEL_LAST_CARRY("r5"), 5, KEEL_R6);
}
KEEL_INLINE low_row_4(Word a, const Word* b, Word& r0, Word& r1, Word& r2, Word& r3) noexcept {
    KEEL_MULTIPLY(KEEL_LOW_ROW_4, 4, KEEL_R4);
}
KEEL_INLINE low_row_3(Word a, const Word* b, Word& r0, Word& r1, Word& r2) noexcept {
    KEEL_MULTIPLY(KEEL_LOW_ROW_3, 3, KEEL_R3);
}
KEEL_INLINE low_row_2(Word a, const Word* b, Word& r0, Word& r1) noexcept {
    KEEL_MULTIPLY(KEEL_LOW_ROW_2, 2, KEEL_R2);
}
#undef KEEL_ROW_2
#undef KEEL_ROW_3
#undef KEEL_ROW_4
#undef KEEL_ROW_5
#undef KEEL_LOW_STEP
#undef KEEL_LOW_ROW_2
#undef KEEL_LOW_ROW_3
#undef KEEL_LOW_ROW_4
#undef KEEL_LAST_CARRY
#undef KEEL_MULTIPLY
#undef KEEL_R2
#undef KEEL_R3
#undef KEEL_R4
#undef KEEL_R5
#undef KEEL_R6
#undef KEEL_INLINE
// clang-format on

/// As multiply_reduced, for processors with BMI2 and ADX.
void multiply_reduced_adx(U256& to, const U256& a, const U256& b, const U256& m,
                          const std::array<uint64_t, 5>& reciprocal) {
    uint64_t x[8] = {};
    row_4(a.limbs[0], b.limbs, x[0], x[1], x[2], x[3], x[4]);
    row_4(a.limbs[1], b.limbs, x[1], x[2], x[3], x[4], x[5]);
    row_4(a.limbs[2], b.limbs, x[2], x[3], x[4], x[5], x[6]);
    row_4(a.limbs[3], b.limbs, x[3], x[4], x[5], x[6], x[7]);

    uint64_t p[7] = {};  // limbs 3 to 9 of (x >> 192) * reciprocal
    const uint64_t* const k = reciprocal.data();
    row_2(x[3], k + 3, p[0], p[1], p[2]);
    row_3(x[4], k + 2, p[0], p[1], p[2], p[3]);
    row_4(x[5], k + 1, p[0], p[1], p[2], p[3], p[4]);
    row_5(x[6], k, p[0], p[1], p[2], p[3], p[4], p[5]);
    row_5(x[7], k, p[1], p[2], p[3], p[4], p[5], p[6]);

    uint64_t t[5] = {};  // quotient p[2..6] times m
    row_4(p[2], m.limbs, t[0], t[1], t[2], t[3], t[4]);
    low_row_4(p[3], m.limbs, t[1], t[2], t[3], t[4]);
    low_row_3(p[4], m.limbs, t[2], t[3], t[4]);
    low_row_2(p[5], m.limbs, t[3], t[4]);
    t[4] += p[6] * m.limbs[0];

    // NOLINTNEXTLINE(misc-const-correctness): the asm statement writes them.
    uint64_t w0 = x[0], w1 = x[1], w2 = x[2], w3 = x[3], w4 = x[4];
    asm("subq %5, %0\n\tsbbq %6, %1\n\tsbbq %7, %2\n\tsbbq %8, %3\n\tsbbq %9, %4"
        : "+&r"(w0), "+&r"(w1), "+&r"(w2), "+&r"(w3), "+&r"(w4)
        : "rm"(t[0]), "rm"(t[1]), "rm"(t[2]), "rm"(t[3]), "rm"(t[4])
        : "cc");
    U256 rest(w0, w1, w2, w3);
    while (w4 != 0 || !less(rest, m)) {  // at most three times, mostly none
        w4 -= less(rest, m) ? 1 : 0;
        sub_words(rest, rest, m);
    }
    copy_word(to, rest);
}
#endif

}  // namespace

void Moduli::multiply(U256& to, const U256& a, const U256& b, const U256& modulus) noexcept {
    const uint64_t mixed = (modulus.limbs[0] ^ modulus.limbs[3]) * 0x9e3779b97f4a7c15;
    Entry& entry = entries_[mixed >> 60];
    if (equal(modulus, U256::max())) return multiply_modulo_max(to, a, b);
    if (equal(entry.modulus, modulus) && entry.has_reciprocal) [[likely]] {
#if defined(__x86_64__)
        if (crypto::has_adx()) [[likely]]
            return multiply_reduced_adx(to, a, b, modulus, entry.reciprocal);
#endif
        return multiply_reduced(to, a, b, modulus, entry.reciprocal);
    }
    multiply_slowly(entry, to, a, b, modulus);
}

void Moduli::multiply_slowly(Entry& entry, U256& to, const U256& a, const U256& b,
                             const U256& modulus) noexcept {
    // 2^512 / 2^192 would need a sixth limb.
    const bool has_short_reciprocal =
        modulus.limbs[3] > 1 ||
        (modulus.limbs[3] == 1 && (modulus.limbs[0] | modulus.limbs[1] | modulus.limbs[2]) != 0);
    if (has_short_reciprocal && equal(entry.modulus, modulus)) {
        // Seen twice: a reciprocal costs as much as one reduction.
        const uint64_t power[9] = {0, 0, 0, 0, 0, 0, 0, 0, 1};
        uint64_t quotient[6];
        U256 remainder;
        long_division(power, 9, modulus.limbs, 4, quotient, remainder.limbs);
        std::copy_n(quotient, 5, entry.reciprocal.begin());
        entry.has_reciprocal = true;
    } else {
        entry.modulus = modulus;
        entry.has_reciprocal = false;
    }
    uint64_t product[8];
    full_product(product, a, b);
    reduce(to, product, 8, modulus);
}

}  // namespace keel::evm
