#include "crypto/bn254/fp.hpp"

#include "crypto/carry_chains.hpp"
#include "crypto/modular_inverse.hpp"

namespace keel::crypto::bn254 {
namespace {

constexpr ModularInverse kInverse(kPrime);

#ifdef __OPTIMIZE__  // without optimisation the operands take more registers than there are

// clang-format off

// A4 A3 A2 A1 A0 += a * b[OFFSET / 8]; A4 holds nothing before. No carry leaves it: p is below 2^254.
#define KEEL_ROW(OFFSET, A0, A1, A2, A3, A4)           \
    "movq " OFFSET "(%[b]), %%rdx\n\t"                 \
    "xorl %k[" A4 "], %k[" A4 "]\n\t"                  \
    KEEL_MULTIPLY_ADD("a", A0, A1, A2, A3, A4)         \
    "movl $0, %k[low]\n\t"                             \
    "adcxq %[low], %[" A4 "]\n\t"
// A4 A3 A2 A1 = (A4 A3 A2 A1 A0 + p * (A0 * -1/p mod 2^64)) / 2^64; A0 is free afterwards.
#define KEEL_REDUCE(A0, A1, A2, A3, A4)                \
    "movq %[" A0 "], %%rdx\n\t"                        \
    "imulq %[inverse], %%rdx\n\t"                      \
    "xorl %k[low], %k[low]\n\t"                        \
    KEEL_MULTIPLY_ADD("p", A0, A1, A2, A3, A4)         \
    "movl $0, %k[" A0 "]\n\t"                          \
    "adcxq %[" A0 "], %[" A4 "]\n\t"

void multiply_adx(Fp& out, const Fp& a, const Fp& b) noexcept {
    uint64_t t0, t1, t2, t3, t4, low, high;
    asm("movq (%[b]), %%rdx\n\t"
        "xorl %k[t4], %k[t4]\n\t"
        "mulxq (%[a]), %[t0], %[t1]\n\t"
        "mulxq 8(%[a]), %[low], %[t2]\n\t"
        "adcxq %[low], %[t1]\n\t"
        "mulxq 16(%[a]), %[low], %[t3]\n\t"
        "adcxq %[low], %[t2]\n\t"
        "mulxq 24(%[a]), %[low], %[high]\n\t"
        "adcxq %[low], %[t3]\n\t"
        "adcxq %[high], %[t4]\n\t"
        KEEL_REDUCE("t0", "t1", "t2", "t3", "t4")
        KEEL_ROW("8", "t1", "t2", "t3", "t4", "t0")
        KEEL_REDUCE("t1", "t2", "t3", "t4", "t0")
        KEEL_ROW("16", "t2", "t3", "t4", "t0", "t1")
        KEEL_REDUCE("t2", "t3", "t4", "t0", "t1")
        KEEL_ROW("24", "t3", "t4", "t0", "t1", "t2")
        KEEL_REDUCE("t3", "t4", "t0", "t1", "t2")
        KEEL_SUBTRACT("p", "t4", "t0", "t1", "t2", "", "t3", "low", "high")
        : [t0] "=&r"(t0), [t1] "=&r"(t1), [t2] "=&r"(t2), [t3] "=&r"(t3), [t4] "=&r"(t4),
          [low] "=&r"(low), [high] "=&r"(high)
        : [a] "r"(a.form.limbs), [b] "r"(b.form.limbs), [p] "r"(kPrime.limbs),
          [inverse] "m"(kNegativeInverse), "m"(a), "m"(b), "m"(kPrime)
        : "rdx", "cc");
    out.form = {t4, t0, t1, t2};
}

#undef KEEL_ROW
#undef KEEL_REDUCE
// clang-format on

#endif

}  // namespace

void multiply(Fp& out, const Fp& a, const Fp& b) noexcept {
#ifdef __OPTIMIZE__
    // Two loads and a branch that never changes: cheaper than a call through a pointer.
    if (__builtin_cpu_supports("bmi2") && __builtin_cpu_supports("adx")) [[likely]] {
        return multiply_adx(out, a, b);
    }
#endif
    out = detail::multiply_portable(a, b);
}

Fp Fp::inverse() const noexcept {
    // (x R)^-1 is x^-1 R^-1: two factors R more make the form of x^-1, one of them beyond what a
    // product takes away.
    constexpr Fp kCubeOfR = Fp{kSquareOfR} * Fp{kSquareOfR};
    return Fp{kInverse.of(form)} * kCubeOfR;
}

}  // namespace keel::crypto::bn254
