#pragma once

#include <type_traits>

#include "core/u256.hpp"
#include "crypto/carry_chains.hpp"
#include "crypto/words.hpp"

namespace keel::crypto::curve {

namespace detail {

template <size_t kCount>
constexpr Words<kCount> twice_modulo(const Words<kCount>& a, const Words<kCount>& prime) noexcept {
    Words<kCount> doubled{}, reduced{};
    add_words(doubled, a, a);
    return subtract_words(reduced, doubled, prime) != 0 ? doubled : reduced;
}

// 2^(64 * kCount) modulo the prime.
template <size_t kCount>
constexpr Words<kCount> montgomery_one(const Words<kCount>& prime) noexcept {
    Words<kCount> power{1};
    for (size_t i = 0; i < 64 * kCount; ++i) power = twice_modulo(power, prime);
    return power;
}

}  // namespace detail

/// An element of the field of a prime p of four or six words, as x * R mod p for R = 2^(64 *
/// kWords), always below p. Modulus::kPrime holds p, which is below R / 2.
template <class Modulus>
struct PrimeField {
    // Hidden, so that inline assembly reaches it without a register for its address.
    [[gnu::visibility("hidden")]] static constexpr auto kPrime = Modulus::kPrime;
    static constexpr size_t kWords = kPrime.size();
    using Words = crypto::Words<kWords>;
    static_assert(kWords == 4 || kWords == 6);
    // Two elements fit into the words, and sums within a product need no word beyond them.
    static_assert(kPrime[kWords - 1] < ~0ull >> 1);
    [[gnu::visibility("hidden")]] static constexpr uint64_t kNegativeInverse =
        negative_inverse(kPrime[0]);

    Words form;

    /// `words` are below p.
    static constexpr PrimeField of(const Words& words) noexcept;
    static constexpr PrimeField of(uint64_t value) noexcept { return of(Words{value}); }
    static constexpr PrimeField of(const core::U256& value) noexcept
        requires(kWords == 4)
    {
        return of(words_of(value));
    }
    constexpr Words words() const noexcept { return (*this * PrimeField{Words{1}}).form; }
    constexpr core::U256 value() const noexcept
        requires(kWords == 4)
    {
        return number_of(words());
    }
    static constexpr PrimeField one() noexcept;
    constexpr bool is_zero() const noexcept { return *this == PrimeField{}; }
    PrimeField inverse() const noexcept;  // 0 for 0

    /// Whether a number is below p.
    static constexpr bool is_canonical(const Words& words) noexcept {
        Words difference{};
        return subtract_words(difference, words, kPrime) != 0;
    }

    friend constexpr bool operator==(const PrimeField& a, const PrimeField& b) noexcept {
        uint64_t differing = 0;
        for (size_t i = 0; i < kWords; ++i) differing |= a.form[i] ^ b.form[i];
        return differing == 0;
    }
};

template <class Fp>
struct Fp2;

// Out may be one of the operands. Both take mulx and the two carry chains (BMI2, ADX) where the
// machine has them. They are defined in prime_field_products.hpp, for one source file a field.

/// out = a * b. One of the two may be up to twice p where p is below R / 4.
template <class Modulus>
void multiply(PrimeField<Modulus>& out, const PrimeField<Modulus>& a,
              const PrimeField<Modulus>& b) noexcept;
/// out = a.c0 * b.c0 + a.c1 * b.c1; `crosswise` a.c0 * b.c1 + a.c1 * b.c0. The parts of a may be p.
/// p is below R / 4.
template <class Modulus>
void sum_of_products(PrimeField<Modulus>& out, const Fp2<PrimeField<Modulus>>& a,
                     const Fp2<PrimeField<Modulus>>& b, bool crosswise) noexcept;

namespace detail {

template <size_t kCount>
constexpr Words<kCount> select(bool first, const Words<kCount>& a,
                               const Words<kCount>& b) noexcept {
    // Which of the two cannot be foreseen: a branch would be mispredicted every other time.
    const uint64_t mask = first ? ~0ull : 0;
    Words<kCount> out{};
    for (size_t i = 0; i < kCount; ++i) out[i] = (a[i] & mask) | (b[i] & ~mask);
    return out;
}

// A number below 2 p brought below p.
template <class Field>
constexpr Field subtract_prime_once(const typename Field::Words& a) noexcept {
    typename Field::Words reduced{};
    const bool below = subtract_words(reduced, a, Field::kPrime) != 0;
    return {select(below, a, reduced)};
}

template <class Field>
constexpr Field add_portable(const Field& a, const Field& b) noexcept {
    typename Field::Words sum{};
    add_words(sum, a.form, b.form);
    return subtract_prime_once<Field>(sum);
}

template <class Field>
constexpr Field subtract_portable(const Field& a, const Field& b) noexcept {
    typename Field::Words difference{}, wrapped{};
    const bool below = subtract_words(difference, a.form, b.form) != 0;
    add_words(wrapped, difference, Field::kPrime);
    return {select(below, wrapped, difference)};
}

// Montgomery product by coarsely integrated operand scanning (Koc, Acar, Kaliski 1996).
template <class Field>
constexpr Field multiply_portable(const Field& a, const Field& b) noexcept {
    typename Field::Words t{};
#pragma GCC unroll 6
    for (size_t i = 0; i < Field::kWords; ++i) {
        uint64_t c = 0, d = 0;
        t[0] = multiply_add(a.form[0], b.form[i], t[0], c);
        const uint64_t factor = t[0] * Field::kNegativeInverse;
        multiply_add(factor, Field::kPrime[0], t[0], d);
#pragma GCC unroll 5
        for (size_t j = 1; j < Field::kWords; ++j) {
            t[j] = multiply_add(a.form[j], b.form[i], t[j], c);
            t[j - 1] = multiply_add(factor, Field::kPrime[j], t[j], d);
        }
        t[Field::kWords - 1] = c + d;
    }
    return subtract_prime_once<Field>(t);
}

#ifdef KEEL_CARRY_CHAINS

// Compilers rebuild the carry between the words otherwise.

inline void add_in_registers(Words<4>& out, const Words<4>& a, const Words<4>& b,
                             const Words<4>& p) noexcept {
    uint64_t s0 = a[0], s1 = a[1], s2 = a[2], s3 = a[3];
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
        : [b0] "m"(b[0]), [b1] "m"(b[1]), [b2] "m"(b[2]), [b3] "m"(b[3]), [p0] "m"(p[0]),
          [p1] "m"(p[1]), [p2] "m"(p[2]), [p3] "m"(p[3])
        : "cc");
    out = {s0, s1, s2, s3};
}

inline void subtract_in_registers(Words<4>& out, const Words<4>& a, const Words<4>& b,
                                  const Words<4>& p) noexcept {
    uint64_t d0 = a[0], d1 = a[1], d2 = a[2], d3 = a[3];
    uint64_t mask;
    asm("subq %[b0], %[d0]\n\t"
        "sbbq %[b1], %[d1]\n\t"
        "sbbq %[b2], %[d2]\n\t"
        "sbbq %[b3], %[d3]\n\t"
        "sbbq %[mask], %[mask]"
        : [d0] "+&r"(d0), [d1] "+&r"(d1), [d2] "+&r"(d2), [d3] "+&r"(d3), [mask] "=&r"(mask)
        : [b0] "m"(b[0]), [b1] "m"(b[1]), [b2] "m"(b[2]), [b3] "m"(b[3])
        : "cc");
    const uint64_t p0 = p[0] & mask, p1 = p[1] & mask, p2 = p[2] & mask, p3 = p[3] & mask;
    asm("addq %[p0], %[d0]\n\t"
        "adcq %[p1], %[d1]\n\t"
        "adcq %[p2], %[d2]\n\t"
        "adcq %[p3], %[d3]"
        : [d0] "+&r"(d0), [d1] "+&r"(d1), [d2] "+&r"(d2), [d3] "+&r"(d3)
        : [p0] "r"(p0), [p1] "r"(p1), [p2] "r"(p2), [p3] "r"(p3)
        : "cc");
    out = {d0, d1, d2, d3};
}

inline void add_unreduced_in_registers(Words<4>& out, const Words<4>& a,
                                       const Words<4>& b) noexcept {
    uint64_t s0 = a[0], s1 = a[1], s2 = a[2], s3 = a[3];
    asm("addq %[b0], %[s0]\n\t"
        "adcq %[b1], %[s1]\n\t"
        "adcq %[b2], %[s2]\n\t"
        "adcq %[b3], %[s3]"
        : [s0] "+&r"(s0), [s1] "+&r"(s1), [s2] "+&r"(s2), [s3] "+&r"(s3)
        : [b0] "m"(b[0]), [b1] "m"(b[1]), [b2] "m"(b[2]), [b3] "m"(b[3])
        : "cc");
    out = {s0, s1, s2, s3};
}

inline void add_unreduced_in_registers(Words<6>& out, const Words<6>& a,
                                       const Words<6>& b) noexcept {
    uint64_t s0 = a[0], s1 = a[1], s2 = a[2], s3 = a[3], s4 = a[4], s5 = a[5];
    asm("addq %[b0], %[s0]\n\t"
        "adcq %[b1], %[s1]\n\t"
        "adcq %[b2], %[s2]\n\t"
        "adcq %[b3], %[s3]\n\t"
        "adcq %[b4], %[s4]\n\t"
        "adcq %[b5], %[s5]"
        : [s0] "+&r"(s0), [s1] "+&r"(s1), [s2] "+&r"(s2), [s3] "+&r"(s3), [s4] "+&r"(s4),
          [s5] "+&r"(s5)
        : [b0] "m"(b[0]), [b1] "m"(b[1]), [b2] "m"(b[2]), [b3] "m"(b[3]), [b4] "m"(b[4]),
          [b5] "m"(b[5])
        : "cc");
    out = {s0, s1, s2, s3, s4, s5};
}

// Six words below 2 p brought below p.
inline void reduce_in_registers(Words<6>& out, const Words<6>& a, const Words<6>& p) noexcept {
    uint64_t d0 = a[0], d1 = a[1], d2 = a[2], d3 = a[3], d4 = a[4], d5 = a[5];
    asm("subq %[p0], %[d0]\n\t"
        "sbbq %[p1], %[d1]\n\t"
        "sbbq %[p2], %[d2]\n\t"
        "sbbq %[p3], %[d3]\n\t"
        "sbbq %[p4], %[d4]\n\t"
        "sbbq %[p5], %[d5]\n\t"
        "cmovcq %[w0], %[d0]\n\t"
        "cmovcq %[w1], %[d1]\n\t"
        "cmovcq %[w2], %[d2]\n\t"
        "cmovcq %[w3], %[d3]\n\t"
        "cmovcq %[w4], %[d4]\n\t"
        "cmovcq %[w5], %[d5]"
        : [d0] "+&r"(d0), [d1] "+&r"(d1), [d2] "+&r"(d2), [d3] "+&r"(d3), [d4] "+&r"(d4),
          [d5] "+&r"(d5)
        : [w0] "rm"(a[0]), [w1] "rm"(a[1]), [w2] "rm"(a[2]), [w3] "rm"(a[3]), [w4] "rm"(a[4]),
          [w5] "rm"(a[5]), [p0] "m"(p[0]), [p1] "m"(p[1]), [p2] "m"(p[2]), [p3] "m"(p[3]),
          [p4] "m"(p[4]), [p5] "m"(p[5])
        : "cc");
    out = {d0, d1, d2, d3, d4, d5};
}

inline void add_in_registers(Words<6>& out, const Words<6>& a, const Words<6>& b,
                             const Words<6>& p) noexcept {
    Words<6> sum;
    add_unreduced_in_registers(sum, a, b);
    reduce_in_registers(out, sum, p);
}

inline void subtract_in_registers(Words<6>& out, const Words<6>& a, const Words<6>& b,
                                  const Words<6>& p) noexcept {
    uint64_t d0 = a[0], d1 = a[1], d2 = a[2], d3 = a[3], d4 = a[4], d5 = a[5];
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
        : [b0] "m"(b[0]), [b1] "m"(b[1]), [b2] "m"(b[2]), [b3] "m"(b[3]), [b4] "m"(b[4]),
          [b5] "m"(b[5])
        : "cc");
    const uint64_t p0 = p[0] & mask, p1 = p[1] & mask, p2 = p[2] & mask;
    const uint64_t p3 = p[3] & mask, p4 = p[4] & mask, p5 = p[5] & mask;
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
    out = {d0, d1, d2, d3, d4, d5};
}

#endif

}  // namespace detail

template <class Modulus>
constexpr PrimeField<Modulus> operator*(const PrimeField<Modulus>& a,
                                        const PrimeField<Modulus>& b) noexcept {
    if (std::is_constant_evaluated()) return detail::multiply_portable(a, b);
    PrimeField<Modulus> product;
    multiply(product, a, b);
    return product;
}

/// In place: a product that is copied to where it belongs, in halves of 16 bytes, would wait for
/// the words just stored.
template <class Modulus>
constexpr PrimeField<Modulus>& operator*=(PrimeField<Modulus>& a,
                                          const PrimeField<Modulus>& b) noexcept {
    if (std::is_constant_evaluated()) return a = detail::multiply_portable(a, b);
    multiply(a, a, b);
    return a;
}

template <class Modulus>
constexpr PrimeField<Modulus> operator+(const PrimeField<Modulus>& a,
                                        const PrimeField<Modulus>& b) noexcept {
#ifdef KEEL_CARRY_CHAINS
    if (!std::is_constant_evaluated()) {
        PrimeField<Modulus> sum;
        detail::add_in_registers(sum.form, a.form, b.form, PrimeField<Modulus>::kPrime);
        return sum;
    }
#endif
    return detail::add_portable(a, b);
}

template <class Modulus>
constexpr PrimeField<Modulus> operator-(const PrimeField<Modulus>& a,
                                        const PrimeField<Modulus>& b) noexcept {
#ifdef KEEL_CARRY_CHAINS
    if (!std::is_constant_evaluated()) {
        PrimeField<Modulus> difference;
        detail::subtract_in_registers(difference.form, a.form, b.form, PrimeField<Modulus>::kPrime);
        return difference;
    }
#endif
    return detail::subtract_portable(a, b);
}

/// The sum below 2 p, for one of the factors of a product.
template <class Modulus>
constexpr PrimeField<Modulus> add_unreduced(const PrimeField<Modulus>& a,
                                            const PrimeField<Modulus>& b) noexcept {
    PrimeField<Modulus> sum{};
#ifdef KEEL_CARRY_CHAINS
    if (!std::is_constant_evaluated()) {
        detail::add_unreduced_in_registers(sum.form, a.form, b.form);
        return sum;
    }
#endif
    add_words(sum.form, a.form, b.form);
    return sum;
}

template <class Modulus>
constexpr PrimeField<Modulus> operator-(const PrimeField<Modulus>& a) noexcept {
    return PrimeField<Modulus>{} - a;
}
template <class Modulus>
constexpr PrimeField<Modulus> twice(const PrimeField<Modulus>& a) noexcept {
    return a + a;
}
template <class Modulus>
constexpr PrimeField<Modulus> square(const PrimeField<Modulus>& a) noexcept {
    return a * a;
}

/// a / 2.
template <class Modulus>
constexpr PrimeField<Modulus> half(const PrimeField<Modulus>& a) noexcept {
    using Field = PrimeField<Modulus>;
    const uint64_t mask = ~(a.form[0] & 1) + 1;
    typename Field::Words even{};
    for (size_t i = 0; i < Field::kWords; ++i) even[i] = Field::kPrime[i] & mask;
    add_words(even, even, a.form);  // below 2 p
    for (size_t i = 0; i + 1 < Field::kWords; ++i) even[i] = (even[i] >> 1) | (even[i + 1] << 63);
    even[Field::kWords - 1] >>= 1;
    return {even};
}

namespace detail {

// Variables of their own, so that a compiler works them out once and not for each constant.

template <class Field>
inline constexpr Field kOne{montgomery_one(Field::kPrime)};

// R^2 mod p: R doubled kWords times, then squared (as R times a power of two) 6 times.
template <class Field>
inline constexpr Field kSquareOfR = [] {
    Field power = kOne<Field>;
    for (size_t i = 0; i < Field::kWords; ++i) power = {twice_modulo(power.form, Field::kPrime)};
    for (size_t doubled = Field::kWords; doubled < 64 * Field::kWords; doubled *= 2) {
        power = multiply_portable(power, power);
    }
    return power;
}();

}  // namespace detail

template <class Modulus>
constexpr PrimeField<Modulus> PrimeField<Modulus>::one() noexcept {
    return detail::kOne<PrimeField>;
}

template <class Modulus>
constexpr PrimeField<Modulus> PrimeField<Modulus>::of(const Words& words) noexcept {
    return PrimeField{words} * detail::kSquareOfR<PrimeField>;
}

/// The element of a hexadecimal number below p, lower case without prefix, for constants.
template <class Field, size_t kSize>
consteval Field field_constant(const char (&digits)[kSize]) {
    typename Field::Words words{};
    for (size_t i = 0; i + 1 < kSize; ++i) {
        const char c = digits[kSize - 2 - i];
        const auto digit = static_cast<uint64_t>(c <= '9' ? c - '0' : c - 'a' + 10);
        words[i / 16] |= digit << (4 * (i % 16));
    }
    return Field::of(words);
}

}  // namespace keel::crypto::curve
