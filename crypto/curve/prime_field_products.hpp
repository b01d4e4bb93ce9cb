#pragma once

#include "crypto/curve/prime_field.hpp"
#include "crypto/curve/tower.hpp"
#include "crypto/modular_inverse.hpp"
#include "crypto/processor.hpp"

// The functions of a prime field that are no one-liners. A field's source file includes this and
// instantiates what it needs.

namespace keel::crypto::curve {

namespace detail {

// Two rows are added before a word is reduced, so that the sum costs one reduction.
template <class Field>
Field sum_of_products_portable(const Fp2<Field>& a, const Field& b0, const Field& b1) noexcept {
    typename Field::Words t{};
#pragma GCC unroll 6
    for (size_t i = 0; i < Field::kWords; ++i) {
        uint64_t c = 0, d = 0, e = 0;
        uint64_t low = multiply_add(a.c0.form[0], b0.form[i], t[0], c);
        low = multiply_add(a.c1.form[0], b1.form[i], low, e);
        const uint64_t factor = low * Field::kNegativeInverse;
        multiply_add(factor, Field::kPrime[0], low, d);
#pragma GCC unroll 5
        for (size_t j = 1; j < Field::kWords; ++j) {
            uint64_t word = multiply_add(a.c0.form[j], b0.form[i], t[j], c);
            word = multiply_add(a.c1.form[j], b1.form[i], word, e);
            t[j - 1] = multiply_add(factor, Field::kPrime[j], word, d);
        }
        t[Field::kWords - 1] = c + d + e;
    }
    return subtract_prime_once<Field>(t);
}

#ifdef KEEL_CARRY_CHAINS

// clang-format off

// Four words. t4 ... t0 = a * the word of b at OFFSET.
#define KEEL_FIRST_ROW(OFFSET)                         \
    "movq " OFFSET "(%[b]), %%rdx\n\t"                 \
    "mulxq (%[a]), %[t0], %[t1]\n\t"                   \
    "mulxq 8(%[a]), %[low], %[t2]\n\t"                 \
    "addq %[low], %[t1]\n\t"                           \
    "mulxq 16(%[a]), %[low], %[t3]\n\t"                \
    "adcq %[low], %[t2]\n\t"                           \
    "mulxq 24(%[a]), %[low], %[t4]\n\t"                \
    "adcq %[low], %[t3]\n\t"                           \
    "adcq $0, %[t4]\n\t"
// A4 ... A0 += a * the word of b at OFFSET; A4 holds nothing before. No carry leaves it.
#define KEEL_ROW(OFFSET, A0, A1, A2, A3, A4)           \
    "movq " OFFSET "(%[b]), %%rdx\n\t"                 \
    "xorl %k[" A4 "], %k[" A4 "]\n\t"                  \
    KEEL_MULTIPLY_ADD("a", A0, A1, A2, A3, A4)         \
    "movl $0, %k[low]\n\t"                             \
    "adcxq %[low], %[" A4 "]\n\t"
// The same with the second element at a, onto an A4 in use.
#define KEEL_SECOND_ROW(OFFSET, A0, A1, A2, A3, A4)    \
    "movq " OFFSET "(%[b]), %%rdx\n\t"                 \
    "xorl %k[low], %k[low]\n\t"                        \
    KEEL_MULTIPLY_ADD_SECOND("a", A0, A1, A2, A3, A4)  \
    "movl $0, %k[low]\n\t"                             \
    "adcxq %[low], %[" A4 "]\n\t"
// A4 ... A1 = (A4 ... A0 + p * (A0 * -1/p mod 2^64)) / 2^64; A0 is free afterwards.
#define KEEL_REDUCE(A0, A1, A2, A3, A4)                \
    "movq %[" A0 "], %%rdx\n\t"                        \
    "imulq %[inverse], %%rdx\n\t"                      \
    "xorl %k[low], %k[low]\n\t"                        \
    KEEL_MULTIPLY_ADD("p", A0, A1, A2, A3, A4)         \
    "movl $0, %k[" A0 "]\n\t"                          \
    "adcxq %[" A0 "], %[" A4 "]\n\t"
#define KEEL_ROUND(O, ...) KEEL_ROW(O, __VA_ARGS__) KEEL_REDUCE(__VA_ARGS__)
#define KEEL_ROUND_OF_TWO(O0, O1, ...) \
    KEEL_ROW(O0, __VA_ARGS__) KEEL_SECOND_ROW(O1, __VA_ARGS__) KEEL_REDUCE(__VA_ARGS__)
// Four rounds turn t0 ... t4 around once; what is left stands in t4, t0, t1, t2.
#define KEEL_LAST KEEL_SUBTRACT("p", "t4", "t0", "t1", "t2", "", "t3", "low", "high")
#define KEEL_OPERANDS                                                                         \
        : [t0] "=&r"(t0), [t1] "=&r"(t1), [t2] "=&r"(t2), [t3] "=&r"(t3), [t4] "=&r"(t4),     \
          [low] "=&r"(low), [high] "=&r"(high)                                                \
        : [a] "r"(&a), [b] "r"(&b), [p] "r"(&Field::kPrime),                                  \
          [inverse] "m"(Field::kNegativeInverse), "m"(a), "m"(b), "m"(Field::kPrime)          \
        : "rdx", "cc"

template <class Field>
    requires(Field::kWords == 4)
inline void multiply_adx(Field& out, const Field& a, const Field& b) noexcept {
    uint64_t t0, t1, t2, t3, t4, low, high;
    asm(KEEL_FIRST_ROW("0")
        KEEL_REDUCE("t0", "t1", "t2", "t3", "t4")
        KEEL_ROUND("8", "t1", "t2", "t3", "t4", "t0")
        KEEL_ROUND("16", "t2", "t3", "t4", "t0", "t1")
        KEEL_ROUND("24", "t3", "t4", "t0", "t1", "t2")
        KEEL_LAST KEEL_OPERANDS);
    out.form = {t4, t0, t1, t2};
}

template <bool kCrosswise, class Field>
    requires(Field::kWords == 4)
inline void sum_of_products_adx(Field& out, const Fp2<Field>& a, const Fp2<Field>& b) noexcept {
    uint64_t t0, t1, t2, t3, t4, low, high;
    if constexpr (kCrosswise) {
        asm(KEEL_FIRST_ROW("32")
            KEEL_SECOND_ROW("0", "t0", "t1", "t2", "t3", "t4")
            KEEL_REDUCE("t0", "t1", "t2", "t3", "t4")
            KEEL_ROUND_OF_TWO("40", "8", "t1", "t2", "t3", "t4", "t0")
            KEEL_ROUND_OF_TWO("48", "16", "t2", "t3", "t4", "t0", "t1")
            KEEL_ROUND_OF_TWO("56", "24", "t3", "t4", "t0", "t1", "t2")
            KEEL_LAST KEEL_OPERANDS);
    } else {
        asm(KEEL_FIRST_ROW("0")
            KEEL_SECOND_ROW("32", "t0", "t1", "t2", "t3", "t4")
            KEEL_REDUCE("t0", "t1", "t2", "t3", "t4")
            KEEL_ROUND_OF_TWO("8", "40", "t1", "t2", "t3", "t4", "t0")
            KEEL_ROUND_OF_TWO("16", "48", "t2", "t3", "t4", "t0", "t1")
            KEEL_ROUND_OF_TWO("24", "56", "t3", "t4", "t0", "t1", "t2")
            KEEL_LAST KEEL_OPERANDS);
    }
    out.form = {t4, t0, t1, t2};
}

#undef KEEL_FIRST_ROW
#undef KEEL_ROW
#undef KEEL_SECOND_ROW
#undef KEEL_REDUCE
#undef KEEL_LAST
#undef KEEL_OPERANDS

// The same for six words.
#define KEEL_FIRST_ROW(OFFSET)                         \
    "movq " OFFSET "(%[b]), %%rdx\n\t"                 \
    "mulxq (%[a]), %[t0], %[t1]\n\t"                   \
    "mulxq 8(%[a]), %[low], %[t2]\n\t"                 \
    "addq %[low], %[t1]\n\t"                           \
    "mulxq 16(%[a]), %[low], %[t3]\n\t"                \
    "adcq %[low], %[t2]\n\t"                           \
    "mulxq 24(%[a]), %[low], %[t4]\n\t"                \
    "adcq %[low], %[t3]\n\t"                           \
    "mulxq 32(%[a]), %[low], %[t5]\n\t"                \
    "adcq %[low], %[t4]\n\t"                           \
    "mulxq 40(%[a]), %[low], %[t6]\n\t"                \
    "adcq %[low], %[t5]\n\t"                           \
    "adcq $0, %[t6]\n\t"
#define KEEL_ROW(OFFSET, A0, A1, A2, A3, A4, A5, A6)   \
    "movq " OFFSET "(%[b]), %%rdx\n\t"                 \
    "xorl %k[" A6 "], %k[" A6 "]\n\t"                  \
    KEEL_MULTIPLY_ADD_6("a", A0, A1, A2, A3, A4, A5, A6) \
    "movl $0, %k[low]\n\t"                             \
    "adcxq %[low], %[" A6 "]\n\t"
#define KEEL_SECOND_ROW(OFFSET, A0, A1, A2, A3, A4, A5, A6) \
    "movq " OFFSET "(%[b]), %%rdx\n\t"                 \
    "xorl %k[low], %k[low]\n\t"                        \
    KEEL_MULTIPLY_ADD_SECOND_6("a", A0, A1, A2, A3, A4, A5, A6) \
    "movl $0, %k[low]\n\t"                             \
    "adcxq %[low], %[" A6 "]\n\t"
#define KEEL_REDUCE(A0, A1, A2, A3, A4, A5, A6)        \
    "movq %[" A0 "], %%rdx\n\t"                        \
    "imulq %[inverse], %%rdx\n\t"                      \
    "xorl %k[low], %k[low]\n\t"                        \
    KEEL_MULTIPLY_ADD_6("p", A0, A1, A2, A3, A4, A5, A6) \
    "movl $0, %k[" A0 "]\n\t"                          \
    "adcxq %[" A0 "], %[" A6 "]\n\t"
#define KEEL_OPERANDS                                                                         \
        : [t0] "=&r"(t0), [t1] "=&r"(t1), [t2] "=&r"(t2), [t3] "=&r"(t3), [t4] "=&r"(t4),     \
          [t5] "=&r"(t5), [t6] "=&r"(t6), [low] "=&r"(low), [high] "=&r"(high)                \
        : [a] "r"(&a), [b] "r"(&b), [p] "r"(&Field::kPrime),                                  \
          [inverse] "m"(Field::kNegativeInverse), "m"(a), "m"(b), "m"(Field::kPrime)          \
        : "rdx", "cc"

template <class Field>
    requires(Field::kWords == 6)
inline void multiply_adx(Field& out, const Field& a, const Field& b) noexcept {
    uint64_t t0, t1, t2, t3, t4, t5, t6, low, high;
    asm(KEEL_FIRST_ROW("0")
        KEEL_REDUCE("t0", "t1", "t2", "t3", "t4", "t5", "t6")
        KEEL_ROUND("8", "t1", "t2", "t3", "t4", "t5", "t6", "t0")
        KEEL_ROUND("16", "t2", "t3", "t4", "t5", "t6", "t0", "t1")
        KEEL_ROUND("24", "t3", "t4", "t5", "t6", "t0", "t1", "t2")
        KEEL_ROUND("32", "t4", "t5", "t6", "t0", "t1", "t2", "t3")
        KEEL_ROUND("40", "t5", "t6", "t0", "t1", "t2", "t3", "t4")
        KEEL_OPERANDS);
    // Six rounds turn t0 ... t6 around once.
    reduce_in_registers(out.form, {t6, t0, t1, t2, t3, t4}, Field::kPrime);
}

template <bool kCrosswise, class Field>
    requires(Field::kWords == 6)
inline void sum_of_products_adx(Field& out, const Fp2<Field>& a, const Fp2<Field>& b) noexcept {
    uint64_t t0, t1, t2, t3, t4, t5, t6, low, high;
    if constexpr (kCrosswise) {
        asm(KEEL_FIRST_ROW("48")
            KEEL_SECOND_ROW("0", "t0", "t1", "t2", "t3", "t4", "t5", "t6")
            KEEL_REDUCE("t0", "t1", "t2", "t3", "t4", "t5", "t6")
            KEEL_ROUND_OF_TWO("56", "8", "t1", "t2", "t3", "t4", "t5", "t6", "t0")
            KEEL_ROUND_OF_TWO("64", "16", "t2", "t3", "t4", "t5", "t6", "t0", "t1")
            KEEL_ROUND_OF_TWO("72", "24", "t3", "t4", "t5", "t6", "t0", "t1", "t2")
            KEEL_ROUND_OF_TWO("80", "32", "t4", "t5", "t6", "t0", "t1", "t2", "t3")
            KEEL_ROUND_OF_TWO("88", "40", "t5", "t6", "t0", "t1", "t2", "t3", "t4")
            KEEL_OPERANDS);
    } else {
        asm(KEEL_FIRST_ROW("0")
            KEEL_SECOND_ROW("48", "t0", "t1", "t2", "t3", "t4", "t5", "t6")
            KEEL_REDUCE("t0", "t1", "t2", "t3", "t4", "t5", "t6")
            KEEL_ROUND_OF_TWO("8", "56", "t1", "t2", "t3", "t4", "t5", "t6", "t0")
            KEEL_ROUND_OF_TWO("16", "64", "t2", "t3", "t4", "t5", "t6", "t0", "t1")
            KEEL_ROUND_OF_TWO("24", "72", "t3", "t4", "t5", "t6", "t0", "t1", "t2")
            KEEL_ROUND_OF_TWO("32", "80", "t4", "t5", "t6", "t0", "t1", "t2", "t3")
            KEEL_ROUND_OF_TWO("40", "88", "t5", "t6", "t0", "t1", "t2", "t3", "t4")
            KEEL_OPERANDS);
    }
    // Six rounds turn t0 ... t6 around once.
    reduce_in_registers(out.form, {t6, t0, t1, t2, t3, t4}, Field::kPrime);
}

#undef KEEL_FIRST_ROW
#undef KEEL_ROW
#undef KEEL_SECOND_ROW
#undef KEEL_REDUCE
#undef KEEL_ROUND
#undef KEEL_ROUND_OF_TWO
#undef KEEL_OPERANDS
// clang-format on

#endif

// Apart from the fast path, which would save their registers otherwise.
template <class Field>
[[gnu::noinline]] void multiply_elsewhere(Field& out, const Field& a, const Field& b) noexcept {
    out = detail::multiply_portable(a, b);
}
template <class Field>
[[gnu::noinline]] void sum_of_products_elsewhere(Field& out, const Fp2<Field>& a,
                                                 const Fp2<Field>& b, bool crosswise) noexcept {
    out = crosswise ? detail::sum_of_products_portable(a, b.c1, b.c0)
                    : detail::sum_of_products_portable(a, b.c0, b.c1);
}

}  // namespace detail

template <class Modulus>
void multiply(PrimeField<Modulus>& out, const PrimeField<Modulus>& a,
              const PrimeField<Modulus>& b) noexcept {
#ifdef KEEL_CARRY_CHAINS
    if (has_adx()) [[likely]] {
        return detail::multiply_adx(out, a, b);
    }
#endif
    detail::multiply_elsewhere(out, a, b);
}

template <class Modulus>
void sum_of_products(PrimeField<Modulus>& out, const Fp2<PrimeField<Modulus>>& a,
                     const Fp2<PrimeField<Modulus>>& b, bool crosswise) noexcept {
    static_assert(PrimeField<Modulus>::kPrime[PrimeField<Modulus>::kWords - 1] < ~0ull >> 2);
#ifdef KEEL_CARRY_CHAINS
    if (has_adx()) [[likely]] {
        return crosswise ? detail::sum_of_products_adx<true>(out, a, b)
                         : detail::sum_of_products_adx<false>(out, a, b);
    }
#endif
    detail::sum_of_products_elsewhere(out, a, b, crosswise);
}

template <class Modulus>
PrimeField<Modulus> PrimeField<Modulus>::inverse() const noexcept {
    static constexpr InverseOfWords<kWords> kInverse(kPrime);
    // (x R)^-1 is x^-1 R^-1: two factors R more make the form of x^-1, one of them beyond what a
    // product takes away.
    constexpr PrimeField kCubeOfR = of(of(one().form).form);
    return PrimeField{kInverse.of(form)} * kCubeOfR;
}

}  // namespace keel::crypto::curve
