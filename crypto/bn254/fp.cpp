#include "crypto/bn254/fp.hpp"

#include "crypto/modular_inverse.hpp"

namespace keel::crypto::bn254 {
namespace {

constexpr ModularInverse kInverse(kPrime);

// One row of the product: words A4 A3 A2 A1 A0 += a * b[OFFSET]; A4 holds nothing before. The low
// halves of the products run through the carry flag, the high halves through the overflow flag.
#define KEEL_BN254_ROW(OFFSET, A0, A1, A2, A3, A4) \
    "movq " OFFSET                                 \
    "(%[b]), %%rdx\n\t"                            \
    "xorl %k[" A4 "], %k[" A4                      \
    "]\n\t"                                        \
    "mulxq (%[a]), %[low], %[high]\n\t"            \
    "adcxq %[low], %[" A0                          \
    "]\n\t"                                        \
    "adoxq %[high], %[" A1                         \
    "]\n\t"                                        \
    "mulxq 8(%[a]), %[low], %[high]\n\t"           \
    "adcxq %[low], %[" A1                          \
    "]\n\t"                                        \
    "adoxq %[high], %[" A2                         \
    "]\n\t"                                        \
    "mulxq 16(%[a]), %[low], %[high]\n\t"          \
    "adcxq %[low], %[" A2                          \
    "]\n\t"                                        \
    "adoxq %[high], %[" A3                         \
    "]\n\t"                                        \
    "mulxq 24(%[a]), %[low], %[high]\n\t"          \
    "adcxq %[low], %[" A3                          \
    "]\n\t"                                        \
    "adoxq %[high], %[" A4                         \
    "]\n\t"                                        \
    "movl $0, %k[low]\n\t"                         \
    "adcxq %[low], %[" A4 "]\n\t"
// A4 A3 A2 A1 += p * (A0 * -1/p mod 2^64) / 2^64, exact; A0 is free afterwards.
#define KEEL_BN254_REDUCE(A0, A1, A2, A3, A4) \
    "movq %[" A0                              \
    "], %%rdx\n\t"                            \
    "imulq %[inverse], %%rdx\n\t"             \
    "xorl %k[low], %k[low]\n\t"               \
    "mulxq (%[p]), %[low], %[high]\n\t"       \
    "adcxq %[low], %[" A0                     \
    "]\n\t"                                   \
    "adoxq %[high], %[" A1                    \
    "]\n\t"                                   \
    "mulxq 8(%[p]), %[low], %[high]\n\t"      \
    "adcxq %[low], %[" A1                     \
    "]\n\t"                                   \
    "adoxq %[high], %[" A2                    \
    "]\n\t"                                   \
    "mulxq 16(%[p]), %[low], %[high]\n\t"     \
    "adcxq %[low], %[" A2                     \
    "]\n\t"                                   \
    "adoxq %[high], %[" A3                    \
    "]\n\t"                                   \
    "mulxq 24(%[p]), %[low], %[high]\n\t"     \
    "adcxq %[low], %[" A3                     \
    "]\n\t"                                   \
    "adoxq %[high], %[" A4                    \
    "]\n\t"                                   \
    "movl $0, %k[" A0                         \
    "]\n\t"                                   \
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
        "adcxq %[high], %[t4]\n\t" KEEL_BN254_REDUCE("t0", "t1", "t2", "t3", "t4") KEEL_BN254_ROW(
            "8", "t1", "t2", "t3", "t4", "t0") KEEL_BN254_REDUCE("t1", "t2", "t3", "t4", "t0")
            KEEL_BN254_ROW("16", "t2", "t3", "t4", "t0", "t1") KEEL_BN254_REDUCE(
                "t2", "t3", "t4", "t0", "t1") KEEL_BN254_ROW("24", "t3", "t4", "t0", "t1", "t2")
                KEEL_BN254_REDUCE("t3", "t4", "t0", "t1", "t2")
        // The result, t2 t1 t0 t4, is below 2 p.
        "movq %[t4], %[t3]\n\t"
        "subq (%[p]), %[t3]\n\t"
        "movq %[t0], %[low]\n\t"
        "sbbq 8(%[p]), %[low]\n\t"
        "movq %[t1], %[high]\n\t"
        "sbbq 16(%[p]), %[high]\n\t"
        "movq %[t2], %%rdx\n\t"
        "sbbq 24(%[p]), %%rdx\n\t"
        "cmovncq %[t3], %[t4]\n\t"
        "cmovncq %[low], %[t0]\n\t"
        "cmovncq %[high], %[t1]\n\t"
        "cmovncq %%rdx, %[t2]"
        : [t0] "=&r"(t0), [t1] "=&r"(t1), [t2] "=&r"(t2), [t3] "=&r"(t3), [t4] "=&r"(t4),
          [low] "=&r"(low), [high] "=&r"(high)
        : [a] "r"(a.form.limbs), [b] "r"(b.form.limbs), [p] "r"(kPrime.limbs),
          [inverse] "m"(kNegativeInverse), "m"(a), "m"(b), "m"(kPrime)
        : "rdx", "cc");
    out.form = {t4, t0, t1, t2};
}

#undef KEEL_BN254_ROW
#undef KEEL_BN254_REDUCE

}  // namespace

void multiply(Fp& out, const Fp& a, const Fp& b) noexcept {
    // Two loads and a branch that never changes: cheaper than a call through a pointer.
    if (__builtin_cpu_supports("bmi2") && __builtin_cpu_supports("adx")) [[likely]] {
        return multiply_adx(out, a, b);
    }
    out = detail::multiply_portable(a, b);
}

Fp Fp::inverse() const noexcept {
    // (x R)^-1 is x^-1 R^-1: two factors R more make the form of x^-1, one of them beyond what a
    // product takes away.
    constexpr Fp kCubeOfR = Fp{kSquareOfR} * Fp{kSquareOfR};
    return Fp{kInverse.of(form)} * kCubeOfR;
}

}  // namespace keel::crypto::bn254
