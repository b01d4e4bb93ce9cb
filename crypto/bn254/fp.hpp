#pragma once

#include <cstdint>
#include <type_traits>

#include "core/u256.hpp"

namespace keel::crypto::bn254 {

/// The prime of the field: 36 t^4 + 36 t^3 + 24 t^2 + 6 t + 1 for t = 4965661367192848881
/// (EIP-196).
inline constexpr core::U256 kPrime{0x3c208c16d87cfd47, 0x97816a916871ca8d, 0xb85045b68181585d,
                                   0x30644e72e131a029};
/// -1 / p modulo 2^64.
inline constexpr uint64_t kNegativeInverse = 0x87d20782e4866389;
/// 2^512 mod p, which brings a number into Montgomery form.
inline constexpr core::U256 kSquareOfR{0xf32cfc5b538afa89, 0xb5e71911d44501fb, 0x47ab1eff0a417ff6,
                                       0x06d89f71cab8351f};

/// An element of the field, as x * 2^256 mod p, always below p.
struct Fp {
    core::U256 form;

    /// `value` is below p.
    static constexpr Fp of(const core::U256& value) noexcept;
    constexpr core::U256 value() const noexcept;
    static constexpr Fp one() noexcept;
    constexpr bool is_zero() const noexcept { return form.is_zero(); }
    Fp inverse() const noexcept;  // 0 for 0

    friend constexpr bool operator==(const Fp&, const Fp&) noexcept = default;
};

/// out = a * b; out may be a or b. Takes mulx and the two carry chains (BMI2, ADX) where the
/// machine has them.
void multiply(Fp& out, const Fp& a, const Fp& b) noexcept;

namespace detail {

// Which of the two a condition chooses cannot be foreseen: a branch would be mispredicted every
// other time.
constexpr core::U256 select(bool first, const core::U256& a, const core::U256& b) noexcept {
    const uint64_t mask = first ? ~0ull : 0;
    return {(a.limbs[0] & mask) | (b.limbs[0] & ~mask), (a.limbs[1] & mask) | (b.limbs[1] & ~mask),
            (a.limbs[2] & mask) | (b.limbs[2] & ~mask), (a.limbs[3] & mask) | (b.limbs[3] & ~mask)};
}

// a * b + c + carry, which fits into 128 bits.
constexpr uint64_t multiply_add(uint64_t a, uint64_t b, uint64_t c, uint64_t& carry) noexcept {
    const core::uint128_t t = static_cast<core::uint128_t>(a) * b + c + carry;
    carry = static_cast<uint64_t>(t >> 64);
    return static_cast<uint64_t>(t);
}

// Montgomery product by coarsely integrated operand scanning (Koc, Acar, Kaliski 1996). As p is
// below 2^254 the top words need no carry of their own.
constexpr Fp multiply_portable(const Fp& a, const Fp& b) noexcept {
    uint64_t t[4] = {0, 0, 0, 0};
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
        uint64_t c = 0, d = 0;
        const uint64_t word = b.form.limbs[i];
        t[0] = multiply_add(a.form.limbs[0], word, t[0], c);
        const uint64_t factor = t[0] * kNegativeInverse;
        multiply_add(factor, kPrime.limbs[0], t[0], d);
#pragma GCC unroll 3
        for (int j = 1; j < 4; ++j) {
            t[j] = multiply_add(a.form.limbs[j], word, t[j], c);
            t[j - 1] = multiply_add(factor, kPrime.limbs[j], t[j], d);
        }
        t[3] = c + d;
    }
    const core::U256 value{t[0], t[1], t[2], t[3]};
    bool borrow = false;
    const core::U256 reduced = core::sub_borrow(value, kPrime, borrow);
    return {select(borrow, value, reduced)};
}

#ifdef __OPTIMIZE__  // without optimisation the operands take more registers than there are

// Carry chains: compilers rebuild the carry between the words otherwise.
inline Fp add_in_registers(const Fp& a, const Fp& b) noexcept {
    uint64_t s0 = a.form.limbs[0], s1 = a.form.limbs[1], s2 = a.form.limbs[2], s3 = a.form.limbs[3];
    uint64_t d0, d1, d2, d3;
    asm("addq %[b0], %[s0]\n\t"
        "adcq %[b1], %[s1]\n\t"
        "adcq %[b2], %[s2]\n\t"
        "adcq %[b3], %[s3]\n\t"
        "movq %[s0], %[d0]\n\t"
        "subq %[p0], %[d0]\n\t"
        "movq %[s1], %[d1]\n\t"
        "sbbq %[p1], %[d1]\n\t"
        "movq %[s2], %[d2]\n\t"
        "sbbq %[p2], %[d2]\n\t"
        "movq %[s3], %[d3]\n\t"
        "sbbq %[p3], %[d3]\n\t"
        "cmovncq %[d0], %[s0]\n\t"
        "cmovncq %[d1], %[s1]\n\t"
        "cmovncq %[d2], %[s2]\n\t"
        "cmovncq %[d3], %[s3]"
        : [s0] "+&r"(s0), [s1] "+&r"(s1), [s2] "+&r"(s2), [s3] "+&r"(s3), [d0] "=&r"(d0),
          [d1] "=&r"(d1), [d2] "=&r"(d2), [d3] "=&r"(d3)
        : [b0] "m"(b.form.limbs[0]), [b1] "m"(b.form.limbs[1]), [b2] "m"(b.form.limbs[2]),
          [b3] "m"(b.form.limbs[3]), [p0] "m"(kPrime.limbs[0]), [p1] "m"(kPrime.limbs[1]),
          [p2] "m"(kPrime.limbs[2]), [p3] "m"(kPrime.limbs[3])
        : "cc");
    return {core::U256{s0, s1, s2, s3}};
}

inline Fp subtract_in_registers(const Fp& a, const Fp& b) noexcept {
    uint64_t d0 = a.form.limbs[0], d1 = a.form.limbs[1], d2 = a.form.limbs[2], d3 = a.form.limbs[3];
    uint64_t mask;
    asm("subq %[b0], %[d0]\n\t"
        "sbbq %[b1], %[d1]\n\t"
        "sbbq %[b2], %[d2]\n\t"
        "sbbq %[b3], %[d3]\n\t"
        "sbbq %[mask], %[mask]"
        : [d0] "+&r"(d0), [d1] "+&r"(d1), [d2] "+&r"(d2), [d3] "+&r"(d3), [mask] "=&r"(mask)
        : [b0] "m"(b.form.limbs[0]), [b1] "m"(b.form.limbs[1]), [b2] "m"(b.form.limbs[2]),
          [b3] "m"(b.form.limbs[3])
        : "cc");
    const uint64_t p0 = kPrime.limbs[0] & mask, p1 = kPrime.limbs[1] & mask;
    const uint64_t p2 = kPrime.limbs[2] & mask, p3 = kPrime.limbs[3] & mask;
    asm("addq %[p0], %[d0]\n\t"
        "adcq %[p1], %[d1]\n\t"
        "adcq %[p2], %[d2]\n\t"
        "adcq %[p3], %[d3]"
        : [d0] "+&r"(d0), [d1] "+&r"(d1), [d2] "+&r"(d2), [d3] "+&r"(d3)
        : [p0] "r"(p0), [p1] "r"(p1), [p2] "r"(p2), [p3] "r"(p3)
        : "cc");
    return {core::U256{d0, d1, d2, d3}};
}

#endif

}  // namespace detail

constexpr Fp operator*(const Fp& a, const Fp& b) noexcept {
    if (std::is_constant_evaluated()) return detail::multiply_portable(a, b);
    Fp product;
    multiply(product, a, b);
    return product;
}

constexpr Fp operator+(const Fp& a, const Fp& b) noexcept {
#ifdef __OPTIMIZE__
    if (!std::is_constant_evaluated()) return detail::add_in_registers(a, b);
#endif
    const core::U256 sum = a.form + b.form;  // below 2^255
    return {sum >= kPrime ? sum - kPrime : sum};
}

constexpr Fp operator-(const Fp& a, const Fp& b) noexcept {
#ifdef __OPTIMIZE__
    if (!std::is_constant_evaluated()) return detail::subtract_in_registers(a, b);
#endif
    return {a.form >= b.form ? a.form - b.form : a.form + kPrime - b.form};
}

constexpr Fp operator-(const Fp& a) noexcept {
    return Fp{} - a;
}
constexpr Fp twice(const Fp& a) noexcept {
    return a + a;
}
constexpr Fp square(const Fp& a) noexcept {
    return a * a;
}

/// a / 2.
constexpr Fp half(const Fp& a) noexcept {
    const uint64_t mask = ~(a.form.limbs[0] & 1) + 1;
    const core::U256 odd{kPrime.limbs[0] & mask, kPrime.limbs[1] & mask, kPrime.limbs[2] & mask,
                         kPrime.limbs[3] & mask};
    return {(a.form + odd) >> 1};  // below 2^255
}

constexpr Fp Fp::of(const core::U256& value) noexcept {
    return Fp{value} * Fp{kSquareOfR};
}
constexpr core::U256 Fp::value() const noexcept {
    return (*this * Fp{core::U256(1)}).form;
}
constexpr Fp Fp::one() noexcept {
    return of(core::U256(1));
}

}  // namespace keel::crypto::bn254
