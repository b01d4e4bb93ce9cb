#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "core/u256.hpp"

// Without optimisation, and with what a sanitizer keeps for itself, the operands of the carry
// chains take more registers than there are.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#elif defined(__has_feature)
#if defined(__OPTIMIZE__) && !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)
#define KEEL_BLS_IN_REGISTERS
#endif
#elif defined(__OPTIMIZE__)
#define KEEL_BLS_IN_REGISTERS
#endif

namespace keel::crypto::bls12_381 {

inline constexpr size_t kFpWords = 6;

/// The prime of the field, little-endian words (EIP-2537, "Curve parameters"). It is about 0.1 *
/// 2^384, so that sums of a few elements fit into six words.
inline constexpr uint64_t kPrime[kFpWords] = {0xb9feffffffffaaab, 0x1eabfffeb153ffff,
                                              0x6730d2a0f6b0f624, 0x64774b84f38512bf,
                                              0x4b1ba7b6434bacd7, 0x1a0111ea397fe69a};
/// -1 / p modulo 2^64.
inline constexpr uint64_t kNegativeInverse = 0x89f3fffcfffcfffd;

struct Fp2;

/// An element of the field, as x * 2^384 mod p, always below p.
struct Fp {
    uint64_t form[kFpWords];

    /// The element of six words, little-endian, which are below p.
    static constexpr Fp of(const Fp& words) noexcept;
    static constexpr Fp of(uint64_t value) noexcept { return of(Fp{{value}}); }
    /// Six words, little-endian, below p.
    constexpr Fp value() const noexcept;
    static constexpr Fp one() noexcept;
    constexpr bool is_zero() const noexcept {
        return (form[0] | form[1] | form[2] | form[3] | form[4] | form[5]) == 0;
    }
    Fp inverse() const noexcept;  // 0 for 0

    friend constexpr bool operator==(const Fp& a, const Fp& b) noexcept {
        uint64_t differing = 0;
        for (size_t i = 0; i < kFpWords; ++i) differing |= a.form[i] ^ b.form[i];
        return differing == 0;
    }
};

// Out may be one of the operands. Both take mulx and the two carry chains (BMI2, ADX) where the
// machine has them.

/// out = a * b. One of the two may be up to twice p.
void multiply(Fp& out, const Fp& a, const Fp& b) noexcept;
/// out = a.c0 * b.c0 + a.c1 * b.c1; `crosswise` a.c0 * b.c1 + a.c1 * b.c0. The parts of a may be p.
void sum_of_products(Fp& out, const Fp2& a, const Fp2& b, bool crosswise) noexcept;

/// a^((p - 3) / 4): times a, it is a root of a or of -a.
Fp power_of_root(const Fp& a) noexcept;

namespace detail {

/// The words of 1, 2^384 mod p.
inline constexpr Fp kOne{{0x760900000002fffd, 0xebf4000bc40c0002, 0x5f48985753c758ba,
                          0x77ce585370525745, 0x5c071a97a256ec6d, 0x15f65ec3fa80e493}};
/// 2^768 mod p, which brings a number into Montgomery form.
inline constexpr Fp kSquareOfR{{0xf4df1f341c341746, 0x0a76e6a609d104f1, 0x8de5476c4c95b6d5,
                                0x67eb88a9939d83c0, 0x9a793e85b519952d, 0x11988fe592cae3aa}};

// a * b + c + carry, which fits into 128 bits.
constexpr uint64_t multiply_add(uint64_t a, uint64_t b, uint64_t c, uint64_t& carry) noexcept {
    const core::uint128_t t = static_cast<core::uint128_t>(a) * b + c + carry;
    carry = static_cast<uint64_t>(t >> 64);
    return static_cast<uint64_t>(t);
}

constexpr uint64_t add_words(uint64_t* out, const uint64_t* a, const uint64_t* b,
                             size_t count) noexcept {
    uint64_t carry = 0;
    for (size_t i = 0; i < count; ++i) {
        const core::uint128_t t = static_cast<core::uint128_t>(a[i]) + b[i] + carry;
        out[i] = static_cast<uint64_t>(t);
        carry = static_cast<uint64_t>(t >> 64);
    }
    return carry;
}

constexpr uint64_t subtract_words(uint64_t* out, const uint64_t* a, const uint64_t* b,
                                  size_t count) noexcept {
    uint64_t borrow = 0;
    for (size_t i = 0; i < count; ++i) {
        const core::uint128_t t = static_cast<core::uint128_t>(a[i]) - b[i] - borrow;
        out[i] = static_cast<uint64_t>(t);
        borrow = static_cast<uint64_t>(t >> 64) & 1;
    }
    return borrow;
}

// A number below 2 p brought below p.
constexpr Fp subtract_prime_once(const Fp& a) noexcept {
    Fp reduced;
    return subtract_words(reduced.form, a.form, kPrime, kFpWords) != 0 ? a : reduced;
}

constexpr Fp add_portable(const Fp& a, const Fp& b) noexcept {
    Fp sum;
    add_words(sum.form, a.form, b.form, kFpWords);
    return subtract_prime_once(sum);
}

constexpr Fp subtract_portable(const Fp& a, const Fp& b) noexcept {
    Fp difference;
    if (subtract_words(difference.form, a.form, b.form, kFpWords) != 0) {
        add_words(difference.form, difference.form, kPrime, kFpWords);
    }
    return difference;
}

// Montgomery product by coarsely integrated operand scanning (Koc, Acar, Kaliski 1996). As p is
// below 2^381 the top words need no carry of their own.
constexpr Fp multiply_portable(const Fp& a, const Fp& b) noexcept {
    Fp t{};
    for (size_t i = 0; i < kFpWords; ++i) {
        uint64_t c = 0, d = 0;
        t.form[0] = multiply_add(a.form[0], b.form[i], t.form[0], c);
        const uint64_t factor = t.form[0] * kNegativeInverse;
        multiply_add(factor, kPrime[0], t.form[0], d);
        for (size_t j = 1; j < kFpWords; ++j) {
            t.form[j] = multiply_add(a.form[j], b.form[i], t.form[j], c);
            t.form[j - 1] = multiply_add(factor, kPrime[j], t.form[j], d);
        }
        t.form[kFpWords - 1] = c + d;
    }
    return subtract_prime_once(t);
}

#ifdef KEEL_BLS_IN_REGISTERS

// Carry chains: compilers rebuild the carry between the words otherwise.
inline void add_in_registers(Fp& out, const Fp& a, const Fp& b) noexcept {
    uint64_t s0 = a.form[0], s1 = a.form[1], s2 = a.form[2];
    uint64_t s3 = a.form[3], s4 = a.form[4], s5 = a.form[5];
    uint64_t d0, d1, d2, d3, d4, d5;
    asm("addq %[b0], %[s0]\n\t"
        "adcq %[b1], %[s1]\n\t"
        "adcq %[b2], %[s2]\n\t"
        "movq %[s0], %[d0]\n\t"
        "adcq %[b3], %[s3]\n\t"
        "movq %[s1], %[d1]\n\t"
        "adcq %[b4], %[s4]\n\t"
        "movq %[s2], %[d2]\n\t"
        "adcq %[b5], %[s5]\n\t"
        "movq %[s3], %[d3]\n\t"
        "subq %[p0], %[d0]\n\t"
        "movq %[s4], %[d4]\n\t"
        "sbbq %[p1], %[d1]\n\t"
        "movq %[s5], %[d5]\n\t"
        "sbbq %[p2], %[d2]\n\t"
        "sbbq %[p3], %[d3]\n\t"
        "sbbq %[p4], %[d4]\n\t"
        "sbbq %[p5], %[d5]\n\t"
        "cmovncq %[d0], %[s0]\n\t"
        "cmovncq %[d1], %[s1]\n\t"
        "cmovncq %[d2], %[s2]\n\t"
        "cmovncq %[d3], %[s3]\n\t"
        "cmovncq %[d4], %[s4]\n\t"
        "cmovncq %[d5], %[s5]"
        : [s0] "+&r"(s0), [s1] "+&r"(s1), [s2] "+&r"(s2), [s3] "+&r"(s3), [s4] "+&r"(s4),
          [s5] "+&r"(s5), [d0] "=&r"(d0), [d1] "=&r"(d1), [d2] "=&r"(d2), [d3] "=&r"(d3),
          [d4] "=&r"(d4), [d5] "=&r"(d5)
        : [b0] "m"(b.form[0]), [b1] "m"(b.form[1]), [b2] "m"(b.form[2]), [b3] "m"(b.form[3]),
          [b4] "m"(b.form[4]), [b5] "m"(b.form[5]), [p0] "m"(kPrime[0]), [p1] "m"(kPrime[1]),
          [p2] "m"(kPrime[2]), [p3] "m"(kPrime[3]), [p4] "m"(kPrime[4]), [p5] "m"(kPrime[5])
        : "cc");
    out = {{s0, s1, s2, s3, s4, s5}};
}

inline void subtract_in_registers(Fp& out, const Fp& a, const Fp& b) noexcept {
    uint64_t d0 = a.form[0], d1 = a.form[1], d2 = a.form[2];
    uint64_t d3 = a.form[3], d4 = a.form[4], d5 = a.form[5];
    uint64_t mask;
    asm("subq %[b0], %[d0]\n\t"
        "sbbq %[b1], %[d1]\n\t"
        "sbbq %[b2], %[d2]\n\t"
        "sbbq %[b3], %[d3]\n\t"
        "sbbq %[b4], %[d4]\n\t"
        "sbbq %[b5], %[d5]\n\t"
        "sbbq %[mask], %[mask]"
        : [d0] "+&r"(d0), [d1] "+&r"(d1), [d2] "+&r"(d2), [d3] "+&r"(d3), [d4] "+&r"(d4),
          [d5] "+&r"(d5), [mask] "=&r"(mask)
        : [b0] "m"(b.form[0]), [b1] "m"(b.form[1]), [b2] "m"(b.form[2]), [b3] "m"(b.form[3]),
          [b4] "m"(b.form[4]), [b5] "m"(b.form[5])
        : "cc");
    const uint64_t p0 = kPrime[0] & mask, p1 = kPrime[1] & mask, p2 = kPrime[2] & mask;
    const uint64_t p3 = kPrime[3] & mask, p4 = kPrime[4] & mask, p5 = kPrime[5] & mask;
    asm("addq %[p0], %[d0]\n\t"
        "adcq %[p1], %[d1]\n\t"
        "adcq %[p2], %[d2]\n\t"
        "adcq %[p3], %[d3]\n\t"
        "adcq %[p4], %[d4]\n\t"
        "adcq %[p5], %[d5]"
        : [d0] "+&r"(d0), [d1] "+&r"(d1), [d2] "+&r"(d2), [d3] "+&r"(d3), [d4] "+&r"(d4),
          [d5] "+&r"(d5)
        : [p0] "r"(p0), [p1] "r"(p1), [p2] "r"(p2), [p3] "r"(p3), [p4] "r"(p4), [p5] "r"(p5)
        : "cc");
    out = {{d0, d1, d2, d3, d4, d5}};
}

inline void add_unreduced_in_registers(Fp& out, const Fp& a, const Fp& b) noexcept {
    uint64_t s0 = a.form[0], s1 = a.form[1], s2 = a.form[2];
    uint64_t s3 = a.form[3], s4 = a.form[4], s5 = a.form[5];
    asm("addq %[b0], %[s0]\n\t"
        "adcq %[b1], %[s1]\n\t"
        "adcq %[b2], %[s2]\n\t"
        "adcq %[b3], %[s3]\n\t"
        "adcq %[b4], %[s4]\n\t"
        "adcq %[b5], %[s5]"
        : [s0] "+&r"(s0), [s1] "+&r"(s1), [s2] "+&r"(s2), [s3] "+&r"(s3), [s4] "+&r"(s4),
          [s5] "+&r"(s5)
        : [b0] "m"(b.form[0]), [b1] "m"(b.form[1]), [b2] "m"(b.form[2]), [b3] "m"(b.form[3]),
          [b4] "m"(b.form[4]), [b5] "m"(b.form[5])
        : "cc");
    out = {{s0, s1, s2, s3, s4, s5}};
}

#endif

// Below 2 p, for one of the factors of a product.
inline Fp add_unreduced(const Fp& a, const Fp& b) noexcept {
    Fp sum;
#ifdef KEEL_BLS_IN_REGISTERS
    add_unreduced_in_registers(sum, a, b);
#else
    add_words(sum.form, a.form, b.form, kFpWords);
#endif
    return sum;
}

}  // namespace detail

constexpr Fp operator*(const Fp& a, const Fp& b) noexcept {
    if (std::is_constant_evaluated()) return detail::multiply_portable(a, b);
    Fp product;
    multiply(product, a, b);
    return product;
}

constexpr Fp square(const Fp& a) noexcept {
    return a * a;
}

constexpr Fp operator+(const Fp& a, const Fp& b) noexcept {
#ifdef KEEL_BLS_IN_REGISTERS
    if (!std::is_constant_evaluated()) {
        Fp sum;
        detail::add_in_registers(sum, a, b);
        return sum;
    }
#endif
    return detail::add_portable(a, b);
}

constexpr Fp operator-(const Fp& a, const Fp& b) noexcept {
#ifdef KEEL_BLS_IN_REGISTERS
    if (!std::is_constant_evaluated()) {
        Fp difference;
        detail::subtract_in_registers(difference, a, b);
        return difference;
    }
#endif
    return detail::subtract_portable(a, b);
}

constexpr Fp operator-(const Fp& a) noexcept {
    return Fp{} - a;
}
constexpr Fp twice(const Fp& a) noexcept {
    return a + a;
}

/// a / 2.
constexpr Fp half(const Fp& a) noexcept {
    const uint64_t mask = ~(a.form[0] & 1) + 1;
    Fp even;
    for (size_t i = 0; i < kFpWords; ++i) even.form[i] = kPrime[i] & mask;
    detail::add_words(even.form, even.form, a.form, kFpWords);
    for (size_t i = 0; i + 1 < kFpWords; ++i) {
        even.form[i] = (even.form[i] >> 1) | (even.form[i + 1] << 63);
    }
    even.form[kFpWords - 1] >>= 1;
    return even;
}

constexpr Fp Fp::of(const Fp& words) noexcept {
    return words * detail::kSquareOfR;
}
constexpr Fp Fp::value() const noexcept {
    return *this * Fp{{1}};
}
constexpr Fp Fp::one() noexcept {
    return detail::kOne;
}

/// The element of a hexadecimal number without prefix, for constants.
template <size_t kSize>
consteval Fp fp(const char (&digits)[kSize]) {
    Fp words{};
    for (size_t i = 0; i + 1 < kSize; ++i) {
        const char c = digits[kSize - 2 - i];
        const auto digit = static_cast<uint64_t>(c <= '9' ? c - '0' : c - 'a' + 10);
        words.form[i / 16] |= digit << (4 * (i % 16));
    }
    return Fp::of(words);
}

/// Whether six words, little-endian, are below p.
constexpr bool is_canonical(const Fp& words) noexcept {
    Fp difference;
    return detail::subtract_words(difference.form, words.form, kPrime, kFpWords) != 0;
}

}  // namespace keel::crypto::bls12_381
