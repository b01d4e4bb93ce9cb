#include "crypto/montgomery.hpp"

#include "crypto/carry_chains.hpp"
#include "crypto/processor.hpp"
#include "crypto/words.hpp"

namespace keel::crypto {
namespace {

using core::U256;
using core::uint128_t;

}  // namespace

Montgomery256::Montgomery256(const U256& modulus) noexcept
    : modulus_(modulus), negative_inverse_(negative_inverse(modulus.limbs[0])) {
    // 2^256 mod m.
    one_ = U256::max() % modulus + U256(1);
    if (one_ == modulus) one_ = {};
}

void Montgomery256::multiply(U256& out, const U256& a, const U256& b) const noexcept {
#ifdef KEEL_CARRY_CHAINS
    // Loads and a branch that never changes: cheaper than a call through a pointer.
    if (has_adx()) [[likely]]
        return multiply_adx(out, a, b);
#endif
    out = multiply_portable(a, b);
}

void Montgomery256::square(U256& out, const U256& a) const noexcept {
#ifdef KEEL_CARRY_CHAINS
    if (has_adx()) [[likely]]
        return square_adx(out, a);
#endif
    out = multiply_portable(a, a);
}

// Coarsely integrated operand scanning (Koc, Acar, Kaliski 1996). The sum stays below 2 m.
U256 Montgomery256::multiply_portable(const U256& a, const U256& b) const noexcept {
    uint64_t t[5] = {0, 0, 0, 0, 0};
    for (int i = 0; i < 4; ++i) {
        uint64_t carry = 0;
        for (int j = 0; j < 4; ++j) t[j] = multiply_add(a.limbs[j], b.limbs[i], t[j], carry);
        const uint128_t top = static_cast<uint128_t>(t[4]) + carry;
        const uint64_t factor = t[0] * negative_inverse_;
        carry = 0;
        multiply_add(factor, modulus_.limbs[0], t[0], carry);
        for (int j = 1; j < 4; ++j) {
            t[j - 1] = multiply_add(factor, modulus_.limbs[j], t[j], carry);
        }
        const uint128_t sum = top + carry;
        t[3] = static_cast<uint64_t>(sum);
        t[4] = static_cast<uint64_t>(sum >> 64);
    }
    const U256 value{t[0], t[1], t[2], t[3]};
    bool borrow = false;
    const U256 reduced = core::sub_borrow(value, modulus_, borrow);
    return borrow && t[4] == 0 ? value : reduced;
}

#ifdef KEEL_CARRY_CHAINS

// clang-format off

// A5 A4 A3 A2 A1 A0 += a * b[OFFSET / 8]; A4 is at most 1 before, A5 holds nothing.
#define KEEL_ROW(OFFSET, A0, A1, A2, A3, A4, A5)       \
    "movq " OFFSET "(%[b]), %%rdx\n\t"                 \
    "xorl %k[" A5 "], %k[" A5 "]\n\t"                  \
    KEEL_MULTIPLY_ADD("a", A0, A1, A2, A3, A4)         \
    "movl $0, %k[low]\n\t"                             \
    "adcxq %[low], %[" A4 "]\n\t"                      \
    "adoxq %[low], %[" A5 "]\n\t"                      \
    "adcxq %[low], %[" A5 "]\n\t"
// A5 A4 A3 A2 A1 = (A5 A4 A3 A2 A1 A0 + m * (A0 * -1/m mod 2^64)) / 2^64; A0 is free afterwards.
#define KEEL_REDUCE(A0, A1, A2, A3, A4, A5)            \
    "movq %[" A0 "], %%rdx\n\t"                        \
    "imulq %[inverse], %%rdx\n\t"                      \
    "xorl %k[low], %k[low]\n\t"                        \
    KEEL_MULTIPLY_ADD("m", A0, A1, A2, A3, A4)         \
    "movl $0, %k[" A0 "]\n\t"                          \
    "adcxq %[" A0 "], %[" A4 "]\n\t"                   \
    "adoxq %[" A0 "], %[" A5 "]\n\t"                   \
    "adcxq %[" A0 "], %[" A5 "]\n\t"
// A4 A3 A2 A1 A0 += m * (A0 * -1/m mod 2^64), which clears A0; CARRY holds what the step before
// left for A4, and what this one leaves for the word above A4 is in A0 afterwards.
#define KEEL_CLEAR(A0, A1, A2, A3, A4, CARRY)          \
    "movq %[" A0 "], %%rdx\n\t"                        \
    "imulq %[inverse], %%rdx\n\t"                      \
    "xorl %k[low], %k[low]\n\t"                        \
    KEEL_MULTIPLY_ADD("m", A0, A1, A2, A3, A4)         \
    "movl $0, %k[low]\n\t"                             \
    "adcxq %[" CARRY "], %[" A4 "]\n\t"                \
    "adcxq %[low], %[" A0 "]\n\t"                      \
    "adoxq %[low], %[" A0 "]\n\t"

void Montgomery256::multiply_adx(U256& out, const U256& a, const U256& b) const noexcept {
    uint64_t t0, t1, t2, t3, t4, t5, low, high;
    asm("xorl %k[t0], %k[t0]\n\t"
        "xorl %k[t1], %k[t1]\n\t"
        "xorl %k[t2], %k[t2]\n\t"
        "xorl %k[t3], %k[t3]\n\t"
        "xorl %k[t4], %k[t4]\n\t"
        KEEL_ROW("0", "t0", "t1", "t2", "t3", "t4", "t5")
        KEEL_REDUCE("t0", "t1", "t2", "t3", "t4", "t5")
        KEEL_ROW("8", "t1", "t2", "t3", "t4", "t5", "t0")
        KEEL_REDUCE("t1", "t2", "t3", "t4", "t5", "t0")
        KEEL_ROW("16", "t2", "t3", "t4", "t5", "t0", "t1")
        KEEL_REDUCE("t2", "t3", "t4", "t5", "t0", "t1")
        KEEL_ROW("24", "t3", "t4", "t5", "t0", "t1", "t2")
        KEEL_REDUCE("t3", "t4", "t5", "t0", "t1", "t2")
        KEEL_SUBTRACT("m", "t4", "t5", "t0", "t1", "sbbq $0, %[t2]\n\t", "t3", "low", "high")
        : [t0] "=&r"(t0), [t1] "=&r"(t1), [t2] "=&r"(t2), [t3] "=&r"(t3), [t4] "=&r"(t4),
          [t5] "=&r"(t5), [low] "=&r"(low), [high] "=&r"(high)
        : [a] "r"(a.limbs), [b] "r"(b.limbs), [m] "r"(modulus_.limbs),
          [inverse] "m"(negative_inverse_), "m"(a), "m"(b), "m"(modulus_)
        : "rdx", "cc");
    out = {t4, t5, t0, t1};
}

void Montgomery256::square_adx(U256& out, const U256& a) const noexcept {
    uint64_t t0, t1, t2, t3, t4, t5, t6, t7, low, high;
    // The ten products of pairs, t7 ... t0.
    asm("movq (%[a]), %%rdx\n\t"
        "mulxq 8(%[a]), %[t1], %[t2]\n\t"
        "mulxq 16(%[a]), %[low], %[t3]\n\t"
        "mulxq 24(%[a]), %[high], %[t4]\n\t"
        "addq %[low], %[t2]\n\t"
        "adcq %[high], %[t3]\n\t"
        "adcq $0, %[t4]\n\t"
        "movq 8(%[a]), %%rdx\n\t"
        "xorl %k[t5], %k[t5]\n\t"
        "mulxq 16(%[a]), %[low], %[high]\n\t"
        "adcxq %[low], %[t3]\n\t"
        "adoxq %[high], %[t4]\n\t"
        "mulxq 24(%[a]), %[low], %[high]\n\t"
        "adcxq %[low], %[t4]\n\t"
        "adoxq %[high], %[t5]\n\t"
        "movq 16(%[a]), %%rdx\n\t"
        "mulxq 24(%[a]), %[low], %[t6]\n\t"
        "adcxq %[low], %[t5]\n\t"
        "movl $0, %k[t7]\n\t"
        "adcxq %[t7], %[t6]\n\t"
        // Twice these, and the four squares.
        "xorl %k[t7], %k[t7]\n\t"
        "movq (%[a]), %%rdx\n\t"
        "mulxq %%rdx, %[t0], %[high]\n\t"
        "adcxq %[t1], %[t1]\n\t"
        "adoxq %[high], %[t1]\n\t"
        "movq 8(%[a]), %%rdx\n\t"
        "mulxq %%rdx, %[low], %[high]\n\t"
        "adcxq %[t2], %[t2]\n\t"
        "adoxq %[low], %[t2]\n\t"
        "adcxq %[t3], %[t3]\n\t"
        "adoxq %[high], %[t3]\n\t"
        "movq 16(%[a]), %%rdx\n\t"
        "mulxq %%rdx, %[low], %[high]\n\t"
        "adcxq %[t4], %[t4]\n\t"
        "adoxq %[low], %[t4]\n\t"
        "adcxq %[t5], %[t5]\n\t"
        "adoxq %[high], %[t5]\n\t"
        "movq 24(%[a]), %%rdx\n\t"
        "mulxq %%rdx, %[low], %[high]\n\t"
        "adcxq %[t6], %[t6]\n\t"
        "adoxq %[low], %[t6]\n\t"
        "adcxq %[t7], %[t7]\n\t"
        "adoxq %[high], %[t7]"
        : [t0] "=&r"(t0), [t1] "=&r"(t1), [t2] "=&r"(t2), [t3] "=&r"(t3), [t4] "=&r"(t4),
          [t5] "=&r"(t5), [t6] "=&r"(t6), [t7] "=&r"(t7), [low] "=&r"(low), [high] "=&r"(high)
        : [a] "r"(a.limbs), "m"(a)
        : "rdx", "cc");
    asm(KEEL_CLEAR("t0", "t1", "t2", "t3", "t4", "low")
        KEEL_CLEAR("t1", "t2", "t3", "t4", "t5", "t0")
        KEEL_CLEAR("t2", "t3", "t4", "t5", "t6", "t1")
        KEEL_CLEAR("t3", "t4", "t5", "t6", "t7", "t2")
        KEEL_SUBTRACT("m", "t4", "t5", "t6", "t7", "sbbq $0, %[t3]\n\t", "t0", "low", "high")
        : [t0] "+&r"(t0), [t1] "+&r"(t1), [t2] "+&r"(t2), [t3] "+&r"(t3), [t4] "+&r"(t4),
          [t5] "+&r"(t5), [t6] "+&r"(t6), [t7] "+&r"(t7), [low] "=&r"(low), [high] "=&r"(high)
        : [m] "r"(modulus_.limbs), [inverse] "m"(negative_inverse_), "m"(modulus_)
        : "rdx", "cc");
    out = {t4, t5, t6, t7};
}

#undef KEEL_ROW
#undef KEEL_REDUCE
#undef KEEL_CLEAR
// clang-format on

#endif

}  // namespace keel::crypto
