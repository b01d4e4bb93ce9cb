#pragma once

// Pieces of inline assembly for Montgomery products with mulx and the two carry chains (BMI2, ADX).
// They work on named operands of one asm statement: [low] and [high] are scratch, rdx is a factor.
// Compilers build neither chain from C++ at present.

// Without optimisation, and with what a sanitizer keeps for itself, the operands of the carry
// chains take more registers than there are.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#elif defined(__has_feature)
#if defined(__OPTIMIZE__) && !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)
#define KEEL_CARRY_CHAINS
#endif
#elif defined(__OPTIMIZE__)
#define KEEL_CARRY_CHAINS
#endif

// clang-format off

// A1 A0 += rdx * the word at OFFSET from the address in P: the low half through the carry flag, the
// high half through the overflow flag.
#define KEEL_STEP(P, OFFSET, A0, A1)                   \
    "mulxq " OFFSET "(%[" P "]), %[low], %[high]\n\t"  \
    "adcxq %[low], %[" A0 "]\n\t"                      \
    "adoxq %[high], %[" A1 "]\n\t"

// A4 A3 A2 A1 A0 += rdx * the four words at the address in P. Both flags are clear before; they then
// hold what is left to add to A4 (carry) and to the word above it (overflow).
#define KEEL_MULTIPLY_ADD(P, A0, A1, A2, A3, A4)       \
    KEEL_STEP(P, "0", A0, A1) KEEL_STEP(P, "8", A1, A2)    \
    KEEL_STEP(P, "16", A2, A3) KEEL_STEP(P, "24", A3, A4)
// The same with the four words behind them.
#define KEEL_MULTIPLY_ADD_SECOND(P, A0, A1, A2, A3, A4)    \
    KEEL_STEP(P, "32", A0, A1) KEEL_STEP(P, "40", A1, A2)  \
    KEEL_STEP(P, "48", A2, A3) KEEL_STEP(P, "56", A3, A4)

// The same two for six words.
#define KEEL_MULTIPLY_ADD_6(P, A0, A1, A2, A3, A4, A5, A6) \
    KEEL_STEP(P, "0", A0, A1) KEEL_STEP(P, "8", A1, A2)    \
    KEEL_STEP(P, "16", A2, A3) KEEL_STEP(P, "24", A3, A4)  \
    KEEL_STEP(P, "32", A4, A5) KEEL_STEP(P, "40", A5, A6)
#define KEEL_MULTIPLY_ADD_SECOND_6(P, A0, A1, A2, A3, A4, A5, A6) \
    KEEL_STEP(P, "48", A0, A1) KEEL_STEP(P, "56", A1, A2)  \
    KEEL_STEP(P, "64", A2, A3) KEEL_STEP(P, "72", A3, A4)  \
    KEEL_STEP(P, "80", A4, A5) KEEL_STEP(P, "88", A5, A6)

// A3 A2 A1 A0 less the four words at the address in P, unless it is below them; BORROW takes the
// borrow on to a word above, if there is one. B0 ... B2 and rdx are free.
#define KEEL_SUBTRACT(P, A0, A1, A2, A3, BORROW, B0, B1, B2) \
    "movq %[" A0 "], %[" B0 "]\n\t"                    \
    "subq (%[" P "]), %[" B0 "]\n\t"                   \
    "movq %[" A1 "], %[" B1 "]\n\t"                    \
    "sbbq 8(%[" P "]), %[" B1 "]\n\t"                  \
    "movq %[" A2 "], %[" B2 "]\n\t"                    \
    "sbbq 16(%[" P "]), %[" B2 "]\n\t"                 \
    "movq %[" A3 "], %%rdx\n\t"                        \
    "sbbq 24(%[" P "]), %%rdx\n\t"                     \
    BORROW                                             \
    "cmovncq %[" B0 "], %[" A0 "]\n\t"                 \
    "cmovncq %[" B1 "], %[" A1 "]\n\t"                 \
    "cmovncq %[" B2 "], %[" A2 "]\n\t"                 \
    "cmovncq %%rdx, %[" A3 "]\n\t"

// clang-format on
