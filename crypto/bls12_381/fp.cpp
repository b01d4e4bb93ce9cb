#include "crypto/bls12_381/fp.hpp"

#include <algorithm>
#include <array>

#include "crypto/bls12_381/tower.hpp"
#include "crypto/modular_inverse.hpp"

namespace keel::crypto::bls12_381 {
namespace {

constexpr InverseOfWords<kFpWords> kInverse({kPrime[0], kPrime[1], kPrime[2], kPrime[3], kPrime[4],
                                             kPrime[5]});

// Two rows are added before a word is reduced, so that the sum costs one reduction.
Fp sum_of_products_portable(const Fp2& a, const Fp& b0, const Fp& b1) noexcept {
    Fp t{};
    for (size_t i = 0; i < kFpWords; ++i) {
        uint64_t c = 0, d = 0, e = 0;
        uint64_t low = detail::multiply_add(a.c0.form[0], b0.form[i], t.form[0], c);
        low = detail::multiply_add(a.c1.form[0], b1.form[i], low, e);
        const uint64_t factor = low * kNegativeInverse;
        detail::multiply_add(factor, kPrime[0], low, d);
        for (size_t j = 1; j < kFpWords; ++j) {
            uint64_t word = detail::multiply_add(a.c0.form[j], b0.form[i], t.form[j], c);
            word = detail::multiply_add(a.c1.form[j], b1.form[i], word, e);
            t.form[j - 1] = detail::multiply_add(factor, kPrime[j], word, d);
        }
        t.form[kFpWords - 1] = c + d + e;
    }
    return detail::subtract_prime_once(t);
}

#ifdef KEEL_BLS_IN_REGISTERS

bool has_adx() noexcept {
    // Two loads and a branch that never changes: cheaper than a call through a pointer.
    return __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("adx");
}

// clang-format off

// The carry chains of crypto/carry_chains.hpp for six words: A6 ... A0 += rdx * the six words at
// OFFSET from the address in P. Both flags are clear before.
#define KEEL_STEP(P, OFFSET, A0, A1)                   \
    "mulxq " OFFSET "(%[" P "]), %[low], %[high]\n\t"  \
    "adcxq %[low], %[" A0 "]\n\t"                      \
    "adoxq %[high], %[" A1 "]\n\t"
#define KEEL_MULTIPLY_ADD(P, O0, O1, O2, O3, O4, O5, A0, A1, A2, A3, A4, A5, A6) \
    KEEL_STEP(P, O0, A0, A1) KEEL_STEP(P, O1, A1, A2) KEEL_STEP(P, O2, A2, A3)   \
    KEEL_STEP(P, O3, A3, A4) KEEL_STEP(P, O4, A4, A5) KEEL_STEP(P, O5, A5, A6)
#define KEEL_FIRST "0", "8", "16", "24", "32", "40"
#define KEEL_SECOND "48", "56", "64", "72", "80", "88"
#define KEEL_MULTIPLY_ADD_AT(...) KEEL_MULTIPLY_ADD(__VA_ARGS__)

// A6 ... A0 += a * the word of b at OFFSET; A6 holds nothing before. No carry leaves it: the sums
// are below 2^64 * 4 p.
#define KEEL_ROW(OFFSET, A0, A1, A2, A3, A4, A5, A6)   \
    "movq " OFFSET "(%[b]), %%rdx\n\t"                 \
    "xorl %k[" A6 "], %k[" A6 "]\n\t"                  \
    KEEL_MULTIPLY_ADD_AT("a", KEEL_FIRST, A0, A1, A2, A3, A4, A5, A6) \
    "movl $0, %k[low]\n\t"                             \
    "adcxq %[low], %[" A6 "]\n\t"
// The same with the second element at a, onto an A6 in use.
#define KEEL_SECOND_ROW(OFFSET, A0, A1, A2, A3, A4, A5, A6) \
    "movq " OFFSET "(%[b]), %%rdx\n\t"                 \
    "xorl %k[low], %k[low]\n\t"                        \
    KEEL_MULTIPLY_ADD_AT("a", KEEL_SECOND, A0, A1, A2, A3, A4, A5, A6) \
    "movl $0, %k[low]\n\t"                             \
    "adcxq %[low], %[" A6 "]\n\t"
// A6 ... A1 = (A6 ... A0 + p * (A0 * -1/p mod 2^64)) / 2^64; A0 is free afterwards.
#define KEEL_REDUCE(A0, A1, A2, A3, A4, A5, A6)        \
    "movq %[" A0 "], %%rdx\n\t"                        \
    "imulq %[inverse], %%rdx\n\t"                      \
    "xorl %k[low], %k[low]\n\t"                        \
    KEEL_MULTIPLY_ADD_AT("p", KEEL_FIRST, A0, A1, A2, A3, A4, A5, A6) \
    "movl $0, %k[" A0 "]\n\t"                          \
    "adcxq %[" A0 "], %[" A6 "]\n\t"
#define KEEL_ROUND(O, ...) KEEL_ROW(O, __VA_ARGS__) KEEL_REDUCE(__VA_ARGS__)
#define KEEL_ROUND_OF_TWO(O0, O1, ...) \
    KEEL_ROW(O0, __VA_ARGS__) KEEL_SECOND_ROW(O1, __VA_ARGS__) KEEL_REDUCE(__VA_ARGS__)
// t6 ... t0 = a * the word of b at OFFSET.
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
#define KEEL_OPERANDS                                                                         \
        : [t0] "=&r"(t0), [t1] "=&r"(t1), [t2] "=&r"(t2), [t3] "=&r"(t3), [t4] "=&r"(t4),     \
          [t5] "=&r"(t5), [t6] "=&r"(t6), [low] "=&r"(low), [high] "=&r"(high)                \
        : [a] "r"(&a), [b] "r"(&b), [p] "r"(kPrime), [inverse] "m"(kNegativeInverse),         \
          "m"(a), "m"(b), "m"(kPrime)                                                         \
        : "rdx", "cc"

// Six rounds turn t0 ... t6 once around; the result stands in t6, t0 ... t4.
inline Fp reduced(uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3, uint64_t w4,
                  uint64_t w5) noexcept {
    uint64_t d0 = w0, d1 = w1, d2 = w2, d3 = w3, d4 = w4, d5 = w5;
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
        : [w0] "rm"(w0), [w1] "rm"(w1), [w2] "rm"(w2), [w3] "rm"(w3), [w4] "rm"(w4),
          [w5] "rm"(w5), [p0] "m"(kPrime[0]), [p1] "m"(kPrime[1]), [p2] "m"(kPrime[2]),
          [p3] "m"(kPrime[3]), [p4] "m"(kPrime[4]), [p5] "m"(kPrime[5])
        : "cc");
    return {{d0, d1, d2, d3, d4, d5}};
}

Fp multiply_adx(const Fp& a, const Fp& b) noexcept {
    uint64_t t0, t1, t2, t3, t4, t5, t6, low, high;
    asm(KEEL_FIRST_ROW("0")
        KEEL_REDUCE("t0", "t1", "t2", "t3", "t4", "t5", "t6")
        KEEL_ROUND("8", "t1", "t2", "t3", "t4", "t5", "t6", "t0")
        KEEL_ROUND("16", "t2", "t3", "t4", "t5", "t6", "t0", "t1")
        KEEL_ROUND("24", "t3", "t4", "t5", "t6", "t0", "t1", "t2")
        KEEL_ROUND("32", "t4", "t5", "t6", "t0", "t1", "t2", "t3")
        KEEL_ROUND("40", "t5", "t6", "t0", "t1", "t2", "t3", "t4")
        KEEL_OPERANDS);
    return reduced(t6, t0, t1, t2, t3, t4);
}

template <bool kCrosswise>
Fp sum_of_products_adx(const Fp2& a, const Fp2& b) noexcept {
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
    return reduced(t6, t0, t1, t2, t3, t4);
}

#undef KEEL_STEP
#undef KEEL_MULTIPLY_ADD
#undef KEEL_MULTIPLY_ADD_AT
#undef KEEL_FIRST
#undef KEEL_SECOND
#undef KEEL_ROW
#undef KEEL_SECOND_ROW
#undef KEEL_REDUCE
#undef KEEL_ROUND
#undef KEEL_ROUND_OF_TWO
#undef KEEL_FIRST_ROW
#undef KEEL_OPERANDS
// clang-format on

#endif

// (p - 3) / 4.
constexpr uint64_t kRootExponent[kFpWords] = {0xee7fbfffffffeaaa, 0x07aaffffac54ffff,
                                              0xd9cc34a83dac3d89, 0xd91dd2e13ce144af,
                                              0x92c6e9ed90d2eb35, 0x0680447a8e5ff9a6};
constexpr int kRootExponentBits = 379;

}  // namespace

void multiply(Fp& out, const Fp& a, const Fp& b) noexcept {
#ifdef KEEL_BLS_IN_REGISTERS
    if (has_adx()) [[likely]] {
        out = multiply_adx(a, b);
        return;
    }
#endif
    out = detail::multiply_portable(a, b);
}

void sum_of_products(Fp& out, const Fp2& a, const Fp2& b, bool crosswise) noexcept {
#ifdef KEEL_BLS_IN_REGISTERS
    if (has_adx()) [[likely]] {
        out = crosswise ? sum_of_products_adx<true>(a, b) : sum_of_products_adx<false>(a, b);
        return;
    }
#endif
    out = crosswise ? sum_of_products_portable(a, b.c1, b.c0)
                    : sum_of_products_portable(a, b.c0, b.c1);
}

Fp Fp::inverse() const noexcept {
    // (x R)^-1 is x^-1 R^-1: two factors R more make the form of x^-1, one of them beyond what a
    // product takes away.
    constexpr Fp kCubeOfR = detail::kSquareOfR * detail::kSquareOfR;
    const auto words = kInverse.of({form[0], form[1], form[2], form[3], form[4], form[5]});
    return Fp{{words[0], words[1], words[2], words[3], words[4], words[5]}} * kCubeOfR;
}

Fp power_of_root(const Fp& a) noexcept {
    // Windows that begin and end with a set bit, of up to five bits.
    constexpr int kWindow = 5;
    std::array<Fp, 1 << (kWindow - 1)> odd_powers;  // a, a^3, a^5 ...
    odd_powers[0] = a;
    const Fp squared = square(a);
    for (size_t i = 1; i < odd_powers.size(); ++i) odd_powers[i] = odd_powers[i - 1] * squared;
    const auto bit = [](int i) { return (kRootExponent[i / 64] >> (i % 64)) & 1; };
    Fp result = Fp::one();
    for (int i = kRootExponentBits - 1; i >= 0;) {
        if (bit(i) == 0) {
            result = square(result);
            --i;
            continue;
        }
        int last = std::max(i - kWindow + 1, 0);
        while (bit(last) == 0) ++last;
        size_t digit = 0;
        for (; i >= last; --i) {
            digit = 2 * digit + bit(i);
            result = square(result);
        }
        result = result * odd_powers[digit / 2];
    }
    return result;
}

}  // namespace keel::crypto::bls12_381
