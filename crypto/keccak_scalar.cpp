// The permutation on general registers. This file is compiled without vectorising: gcc and clang
// otherwise pack the lanes into vectors, which takes up to twice the time.

#include <bit>

#include "crypto/keccak_permutation.hpp"

namespace keel::crypto {
namespace {

struct Parity {  // of the five columns
    uint64_t c0, c1, c2, c3, c4;
};

[[gnu::always_inline]] inline Parity column_parity(const uint64_t* a) noexcept {
    return {a[0] ^ a[5] ^ a[10] ^ a[15] ^ a[20], a[1] ^ a[6] ^ a[11] ^ a[16] ^ a[21],
            a[2] ^ a[7] ^ a[12] ^ a[17] ^ a[22], a[3] ^ a[8] ^ a[13] ^ a[18] ^ a[23],
            a[4] ^ a[9] ^ a[14] ^ a[19] ^ a[24]};
}

// chi on one row, and the row's part of the parity which the next round's theta needs.
[[gnu::always_inline]] inline void chi(uint64_t b0, uint64_t b1, uint64_t b2, uint64_t b3,
                                       uint64_t b4, uint64_t* row, Parity& parity) noexcept {
    parity.c0 ^= row[0] = b0 ^ (~b1 & b2);
    parity.c1 ^= row[1] = b1 ^ (~b2 & b3);
    parity.c2 ^= row[2] = b2 ^ (~b3 & b4);
    parity.c3 ^= row[3] = b3 ^ (~b4 & b0);
    parity.c4 ^= row[4] = b4 ^ (~b0 & b1);
}

// theta, rho and pi read from `a`, chi and iota write to `e`; `parity` is that of `a` before and of
// `e` after.
[[gnu::always_inline]] inline void round(const uint64_t* a, uint64_t* e, uint64_t constant,
                                         Parity& parity) noexcept {
    const uint64_t d0 = parity.c4 ^ std::rotl(parity.c1, 1);
    const uint64_t d1 = parity.c0 ^ std::rotl(parity.c2, 1);
    const uint64_t d2 = parity.c1 ^ std::rotl(parity.c3, 1);
    const uint64_t d3 = parity.c2 ^ std::rotl(parity.c4, 1);
    const uint64_t d4 = parity.c3 ^ std::rotl(parity.c0, 1);
    parity = {constant, 0, 0, 0, 0};
    chi(a[0] ^ d0, std::rotl(a[6] ^ d1, 44), std::rotl(a[12] ^ d2, 43), std::rotl(a[18] ^ d3, 21),
        std::rotl(a[24] ^ d4, 14), e, parity);
    e[0] ^= constant;
    chi(std::rotl(a[3] ^ d3, 28), std::rotl(a[9] ^ d4, 20), std::rotl(a[10] ^ d0, 3),
        std::rotl(a[16] ^ d1, 45), std::rotl(a[22] ^ d2, 61), e + 5, parity);
    chi(std::rotl(a[1] ^ d1, 1), std::rotl(a[7] ^ d2, 6), std::rotl(a[13] ^ d3, 25),
        std::rotl(a[19] ^ d4, 8), std::rotl(a[20] ^ d0, 18), e + 10, parity);
    chi(std::rotl(a[4] ^ d4, 27), std::rotl(a[5] ^ d0, 36), std::rotl(a[11] ^ d1, 10),
        std::rotl(a[17] ^ d2, 15), std::rotl(a[23] ^ d3, 56), e + 15, parity);
    chi(std::rotl(a[2] ^ d2, 62), std::rotl(a[8] ^ d3, 55), std::rotl(a[14] ^ d4, 39),
        std::rotl(a[15] ^ d0, 41), std::rotl(a[21] ^ d1, 2), e + 20, parity);
}

[[gnu::always_inline]] inline void permute(uint64_t* state) noexcept {
    uint64_t other[25];
    Parity parity = column_parity(state);
#pragma GCC unroll 1
    for (int i = 0; i < 24; i += 2) {
        round(state, other, kKeccakRoundConstants[i], parity);
        round(other, state, kKeccakRoundConstants[i + 1], parity);
    }
}

}  // namespace

void keccak_permute_plain(uint64_t state[25]) noexcept {
    permute(state);
}

// andn saves an instruction for each lane in chi, rorx the copies before each rotation.
__attribute__((target("bmi,bmi2"))) void keccak_permute_bmi(uint64_t state[25]) noexcept {
    permute(state);
}

}  // namespace keel::crypto
