#pragma once

// Pieces of inline assembly for Montgomery products of four words with mulx and the two carry
// chains (BMI2, ADX). They work on named operands of one asm statement: [low] and [high] are
// scratch, rdx is a factor. Compilers build neither chain from C++ at present.

// clang-format off

// A4 A3 A2 A1 A0 += rdx * the four words at the address in P. Both flags are clear before; the low
// halves of the products run through the carry flag, the high halves through the overflow flag.
// These then hold what is left to add to A4 (carry) and to the word above it (overflow).
#define KEEL_MULTIPLY_ADD(P, A0, A1, A2, A3, A4)       \
    "mulxq (%[" P "]), %[low], %[high]\n\t"            \
    "adcxq %[low], %[" A0 "]\n\t"                      \
    "adoxq %[high], %[" A1 "]\n\t"                     \
    "mulxq 8(%[" P "]), %[low], %[high]\n\t"           \
    "adcxq %[low], %[" A1 "]\n\t"                      \
    "adoxq %[high], %[" A2 "]\n\t"                     \
    "mulxq 16(%[" P "]), %[low], %[high]\n\t"          \
    "adcxq %[low], %[" A2 "]\n\t"                      \
    "adoxq %[high], %[" A3 "]\n\t"                     \
    "mulxq 24(%[" P "]), %[low], %[high]\n\t"          \
    "adcxq %[low], %[" A3 "]\n\t"                      \
    "adoxq %[high], %[" A4 "]\n\t"

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
