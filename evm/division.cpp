#include "evm/division.hpp"

#include <algorithm>
#include <bit>

#include "evm/words.hpp"

namespace keel::evm {
namespace {

using core::U256;
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

int limb_count(const uint64_t* limbs, int count) noexcept {
    while (count > 0 && limbs[count - 1] == 0) --count;
    return count;
}

/// limbs mod divisor.
uint64_t short_remainder(const uint64_t* limbs, int count, uint64_t divisor) noexcept {
    uint64_t rest = 0;
    for (int i = count - 1; i >= 0; --i) rest = divide_digit(rest, limbs[i], divisor).remainder;
    return rest;
}

/// Knuth, TAOCP 2, 4.3.1, algorithm D: u (n limbs, at most 9) / v (m >= 2 limbs, the highest not 0,
/// n >= m). Quotient to q (n - m + 1 limbs), remainder to r (m limbs).
void long_division(const uint64_t* u, int n, const uint64_t* v, int m, uint64_t* q,
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

/// a / b for b above 64 bits.
void divide_long(U256& to, const U256& a, const U256& b) noexcept {
    const int n = limb_count(a.limbs, 4), m = limb_count(b.limbs, 4);
    U256 quotient, remainder;
    if (n >= m && !less(a, b))
        long_division(a.limbs, n, b.limbs, m, quotient.limbs, remainder.limbs);
    copy_word(to, quotient);
}
void modulo_long(U256& to, const U256& a, const U256& b) noexcept {
    const int n = limb_count(a.limbs, 4), m = limb_count(b.limbs, 4);
    if (n < m || less(a, b)) {
        copy_word(to, a);
        return;
    }
    uint64_t quotient[4];
    U256 remainder;
    long_division(a.limbs, n, b.limbs, m, quotient, remainder.limbs);
    copy_word(to, remainder);
}

/// -a if `negates`, else a; without a branch, since signs are hard to predict.
inline void absolute(U256& to, const U256& a, bool negates) noexcept {
    const uint64_t mask = negates ? ~uint64_t{0} : 0;
    const U256 flipped(a.limbs[0] ^ mask, a.limbs[1] ^ mask, a.limbs[2] ^ mask, a.limbs[3] ^ mask);
    add_number(to, flipped, mask & 1);
}

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

using MultiplyReduced = void (*)(U256&, const U256&, const U256&, const U256&,
                                 const std::array<uint64_t, 5>&);

void multiply_reduced(U256& to, const U256& a, const U256& b, const U256& m,
                      const std::array<uint64_t, 5>& reciprocal) {
    uint64_t product[8];
    full_product(product, a, b);
    reduce_with(to, product, m, reciprocal);
}

#if defined(__x86_64__)

// r += a * b[0..n), with mulx and two carry chains. The last r takes the carries and overflows no
// more; in the low_ rows what goes beyond it is lost.
// clang-format off
[[gnu::always_inline]] inline void row_2(uint64_t a, const uint64_t* b, uint64_t& r0, uint64_t& r1, uint64_t& r2) noexcept {
    uint64_t low, high, zero;
    asm("xorl %k[z], %k[z]\n\t"
        "mulxq 0(%[b]), %[l], %[h]\n\t"
        "adcxq %[l], %[r0]\n\t"
        "adoxq %[h], %[r1]\n\t"
        "mulxq 8(%[b]), %[l], %[h]\n\t"
        "adcxq %[l], %[r1]\n\t"
        "adoxq %[h], %[r2]\n\t"
        "adcxq %[z], %[r2]"
        : [r0] "+&r"(r0), [r1] "+&r"(r1), [r2] "+&r"(r2), [l] "=&r"(low), [h] "=&r"(high), [z] "=&r"(zero)
        : [b] "r"(b), "d"(a), "m"(*reinterpret_cast<const uint64_t(*)[2]>(b))
        : "cc");
}
[[gnu::always_inline]] inline void row_3(uint64_t a, const uint64_t* b, uint64_t& r0, uint64_t& r1, uint64_t& r2, uint64_t& r3) noexcept {
    uint64_t low, high, zero;
    asm("xorl %k[z], %k[z]\n\t"
        "mulxq 0(%[b]), %[l], %[h]\n\t"
        "adcxq %[l], %[r0]\n\t"
        "adoxq %[h], %[r1]\n\t"
        "mulxq 8(%[b]), %[l], %[h]\n\t"
        "adcxq %[l], %[r1]\n\t"
        "adoxq %[h], %[r2]\n\t"
        "mulxq 16(%[b]), %[l], %[h]\n\t"
        "adcxq %[l], %[r2]\n\t"
        "adoxq %[h], %[r3]\n\t"
        "adcxq %[z], %[r3]"
        : [r0] "+&r"(r0), [r1] "+&r"(r1), [r2] "+&r"(r2), [r3] "+&r"(r3), [l] "=&r"(low), [h] "=&r"(high), [z] "=&r"(zero)
        : [b] "r"(b), "d"(a), "m"(*reinterpret_cast<const uint64_t(*)[3]>(b))
        : "cc");
}
[[gnu::always_inline]] inline void row_4(uint64_t a, const uint64_t* b, uint64_t& r0, uint64_t& r1, uint64_t& r2, uint64_t& r3, uint64_t& r4) noexcept {
    uint64_t low, high, zero;
    asm("xorl %k[z], %k[z]\n\t"
        "mulxq 0(%[b]), %[l], %[h]\n\t"
        "adcxq %[l], %[r0]\n\t"
        "adoxq %[h], %[r1]\n\t"
        "mulxq 8(%[b]), %[l], %[h]\n\t"
        "adcxq %[l], %[r1]\n\t"
        "adoxq %[h], %[r2]\n\t"
        "mulxq 16(%[b]), %[l], %[h]\n\t"
        "adcxq %[l], %[r2]\n\t"
        "adoxq %[h], %[r3]\n\t"
        "mulxq 24(%[b]), %[l], %[h]\n\t"
        "adcxq %[l], %[r3]\n\t"
        "adoxq %[h], %[r4]\n\t"
        "adcxq %[z], %[r4]"
        : [r0] "+&r"(r0), [r1] "+&r"(r1), [r2] "+&r"(r2), [r3] "+&r"(r3), [r4] "+&r"(r4), [l] "=&r"(low), [h] "=&r"(high), [z] "=&r"(zero)
        : [b] "r"(b), "d"(a), "m"(*reinterpret_cast<const uint64_t(*)[4]>(b))
        : "cc");
}
[[gnu::always_inline]] inline void row_5(uint64_t a, const uint64_t* b, uint64_t& r0, uint64_t& r1, uint64_t& r2, uint64_t& r3, uint64_t& r4, uint64_t& r5) noexcept {
    uint64_t low, high, zero;
    asm("xorl %k[z], %k[z]\n\t"
        "mulxq 0(%[b]), %[l], %[h]\n\t"
        "adcxq %[l], %[r0]\n\t"
        "adoxq %[h], %[r1]\n\t"
        "mulxq 8(%[b]), %[l], %[h]\n\t"
        "adcxq %[l], %[r1]\n\t"
        "adoxq %[h], %[r2]\n\t"
        "mulxq 16(%[b]), %[l], %[h]\n\t"
        "adcxq %[l], %[r2]\n\t"
        "adoxq %[h], %[r3]\n\t"
        "mulxq 24(%[b]), %[l], %[h]\n\t"
        "adcxq %[l], %[r3]\n\t"
        "adoxq %[h], %[r4]\n\t"
        "mulxq 32(%[b]), %[l], %[h]\n\t"
        "adcxq %[l], %[r4]\n\t"
        "adoxq %[h], %[r5]\n\t"
        "adcxq %[z], %[r5]"
        : [r0] "+&r"(r0), [r1] "+&r"(r1), [r2] "+&r"(r2), [r3] "+&r"(r3), [r4] "+&r"(r4), [r5] "+&r"(r5), [l] "=&r"(low), [h] "=&r"(high), [z] "=&r"(zero)
        : [b] "r"(b), "d"(a), "m"(*reinterpret_cast<const uint64_t(*)[5]>(b))
        : "cc");
}
[[gnu::always_inline]] inline void low_row_4(uint64_t a, const uint64_t* b, uint64_t& r0, uint64_t& r1, uint64_t& r2, uint64_t& r3) noexcept {
    uint64_t low, high, zero;
    asm("xorl %k[z], %k[z]\n\t"
        "mulxq 0(%[b]), %[l], %[h]\n\t"
        "adcxq %[l], %[r0]\n\t"
        "adoxq %[h], %[r1]\n\t"
        "mulxq 8(%[b]), %[l], %[h]\n\t"
        "adcxq %[l], %[r1]\n\t"
        "adoxq %[h], %[r2]\n\t"
        "mulxq 16(%[b]), %[l], %[h]\n\t"
        "adcxq %[l], %[r2]\n\t"
        "adoxq %[h], %[r3]\n\t"
        "mulxq 24(%[b]), %[l], %[h]\n\t"
        "adcxq %[l], %[r3]\n\t"
        : [r0] "+&r"(r0), [r1] "+&r"(r1), [r2] "+&r"(r2), [r3] "+&r"(r3), [l] "=&r"(low), [h] "=&r"(high), [z] "=&r"(zero)
        : [b] "r"(b), "d"(a), "m"(*reinterpret_cast<const uint64_t(*)[4]>(b))
        : "cc");
}
[[gnu::always_inline]] inline void low_row_3(uint64_t a, const uint64_t* b, uint64_t& r0, uint64_t& r1, uint64_t& r2) noexcept {
    uint64_t low, high, zero;
    asm("xorl %k[z], %k[z]\n\t"
        "mulxq 0(%[b]), %[l], %[h]\n\t"
        "adcxq %[l], %[r0]\n\t"
        "adoxq %[h], %[r1]\n\t"
        "mulxq 8(%[b]), %[l], %[h]\n\t"
        "adcxq %[l], %[r1]\n\t"
        "adoxq %[h], %[r2]\n\t"
        "mulxq 16(%[b]), %[l], %[h]\n\t"
        "adcxq %[l], %[r2]\n\t"
        : [r0] "+&r"(r0), [r1] "+&r"(r1), [r2] "+&r"(r2), [l] "=&r"(low), [h] "=&r"(high), [z] "=&r"(zero)
        : [b] "r"(b), "d"(a), "m"(*reinterpret_cast<const uint64_t(*)[3]>(b))
        : "cc");
}
[[gnu::always_inline]] inline void low_row_2(uint64_t a, const uint64_t* b, uint64_t& r0, uint64_t& r1) noexcept {
    uint64_t low, high, zero;
    asm("xorl %k[z], %k[z]\n\t"
        "mulxq 0(%[b]), %[l], %[h]\n\t"
        "adcxq %[l], %[r0]\n\t"
        "adoxq %[h], %[r1]\n\t"
        "mulxq 8(%[b]), %[l], %[h]\n\t"
        "adcxq %[l], %[r1]\n\t"
        : [r0] "+&r"(r0), [r1] "+&r"(r1), [l] "=&r"(low), [h] "=&r"(high), [z] "=&r"(zero)
        : [b] "r"(b), "d"(a), "m"(*reinterpret_cast<const uint64_t(*)[2]>(b))
        : "cc");
}
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

MultiplyReduced choose_multiply_reduced() noexcept {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("bmi2") && __builtin_cpu_supports("adx"))
        return multiply_reduced_adx;
#endif
    return multiply_reduced;
}

const MultiplyReduced kMultiplyReduced = choose_multiply_reduced();

}  // namespace

void multiply_large(U256& to, const U256& a, const U256& b) noexcept {
    multiply_words(to, a, b);
}

void divide_by_number(U256& to, const U256& a, uint64_t number) noexcept {
    if (upper_limbs(a) == 0) {
        set_word(to, a.limbs[0] / number);
        return;
    }
    uint64_t w0 = a.limbs[0], w1 = a.limbs[1], w2 = a.limbs[2], w3 = a.limbs[3];
    uint64_t rest = 0;
    const auto step = [&](uint64_t& limb) {
        if (rest == 0 && limb < number) {  // the high limbs of most numbers
            rest = limb;
            limb = 0;
            return;
        }
        const Digit digit = divide_digit(rest, limb, number);
        limb = digit.quotient;
        rest = digit.remainder;
    };
    step(w3);
    step(w2);
    step(w1);
    step(w0);
    to = U256(w0, w1, w2, w3);
}
void modulo_number(U256& to, const U256& a, uint64_t number) noexcept {
    uint64_t rest = 0;
    for (int i = 3; i >= 0; --i) {
        const uint64_t limb = a.limbs[i];
        rest = rest == 0 && limb < number ? limb : divide_digit(rest, limb, number).remainder;
    }
    set_word(to, rest);
}

void divide_words(U256& to, const U256& a, const U256& b) noexcept {
    if (upper_limbs(b) != 0) return divide_long(to, a, b);
    if (b.limbs[0] == 0) return set_word(to, 0);
    divide_by_number(to, a, b.limbs[0]);
}
void modulo_words(U256& to, const U256& a, const U256& b) noexcept {
    if (upper_limbs(b) != 0) return modulo_long(to, a, b);
    if (b.limbs[0] == 0) return set_word(to, 0);
    modulo_number(to, a, b.limbs[0]);
}
void divide_signed_words(U256& to, const U256& a, const U256& b) noexcept {
    const bool a_negative = core::is_negative(a), b_negative = core::is_negative(b);
    U256 dividend, divisor;
    absolute(dividend, a, a_negative);
    absolute(divisor, b, b_negative);
    divide_words(dividend, dividend, divisor);
    absolute(to, dividend, a_negative != b_negative);
}
void divide_signed_by_number(U256& to, const U256& a, uint64_t number) noexcept {
    const bool negative = core::is_negative(a);
    U256 dividend;
    absolute(dividend, a, negative);
    divide_by_number(dividend, dividend, number);
    absolute(to, dividend, negative);
}
void modulo_signed_words(U256& to, const U256& a, const U256& b) noexcept {
    const bool a_negative = core::is_negative(a);
    U256 dividend, divisor;
    absolute(dividend, a, a_negative);
    absolute(divisor, b, core::is_negative(b));
    modulo_words(dividend, dividend, divisor);
    absolute(to, dividend, a_negative);
}

void add_modulo_words(U256& to, const U256& a, const U256& b, const U256& modulus) noexcept {
    if (is_zero(modulus)) {
        set_word(to, 0);
        return;
    }
    // One subtraction makes a small number of what is not much larger than the modulus.
    const auto reduced = [&modulus](const U256& value) {
        if (less(value, modulus)) return value;
        U256 once;
        sub_words(once, value, modulus);
        if (!less(once, modulus)) modulo_words(once, once, modulus);
        return once;
    };
    const U256 x = reduced(a), y = reduced(b);
    bool carry = false;
    const U256 sum = core::add_carry(x, y, carry);
    if (carry || !less(sum, modulus)) {
        sub_words(to, sum, modulus);
    } else {
        to = sum;
    }
}

void raise_words(U256& to, const U256& base, const U256& exponent) noexcept {
    if (equal_number(base, 2)) {
        if (below_number(exponent, 256)) {
            shift_left_word(to, U256(1), static_cast<unsigned>(exponent.limbs[0]));
        } else {
            set_word(to, 0);
        }
        return;
    }
    U256 result = 1;
    for (unsigned bit = exponent.bit_length(); bit-- > 0;) {
        multiply_words(result, result, result);
        if (exponent.bit(bit)) multiply_words(result, result, base);
    }
    to = result;
}

void Moduli::multiply(U256& to, const U256& a, const U256& b, const U256& modulus) noexcept {
    const uint64_t mixed = (modulus.limbs[0] ^ modulus.limbs[3]) * 0x9e3779b97f4a7c15;
    Entry& entry = entries_[mixed >> 60];
    if (equal(modulus, U256::max())) return multiply_modulo_max(to, a, b);
    if (equal(entry.modulus, modulus) && entry.has_reciprocal) [[likely]] {
        kMultiplyReduced(to, a, b, modulus, entry.reciprocal);
        return;
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
