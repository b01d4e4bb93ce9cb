#pragma once

#include <cstddef>
#include <cstdint>

namespace keel::crypto {

// Keccak-f[1600], 24 rounds (Keccak reference 3.0, 1.2), in the variants between which keccak.cpp
// chooses at run time. Lane (x, y) of the reference is word x + 5 * y.

inline constexpr unsigned kKeccakRateWords = 17;                    // of Keccak-256
inline constexpr unsigned kKeccakRateBytes = kKeccakRateWords * 8;  // 136

inline constexpr uint64_t kKeccakRoundConstants[24] = {
    0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000,
    0x000000000000808b, 0x0000000080000001, 0x8000000080008081, 0x8000000000008009,
    0x000000000000008a, 0x0000000000000088, 0x0000000080008009, 0x000000008000000a,
    0x000000008000808b, 0x800000000000008b, 0x8000000000008089, 0x8000000000008003,
    0x8000000000008002, 0x8000000000000080, 0x000000000000800a, 0x800000008000000a,
    0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008};

/// One state, in place.
using KeccakPermute = void (*)(uint64_t state[25]) noexcept;
void keccak_permute_plain(uint64_t state[25]) noexcept;
void keccak_permute_bmi(uint64_t state[25]) noexcept;     // needs BMI1, BMI2
void keccak_permute_avx512(uint64_t state[25]) noexcept;  // needs AVX-512 F, VL

/// What one lane absorbs in a step: kKeccakRateBytes bytes, or the last bytes of a message, fewer
/// than that, which the step pads.
struct KeccakBlock {
    const uint8_t* at;
    size_t size;
};

/// Several states at once: word w of lane l is state[w * lanes + l], aligned to 64 bytes. Lanes
/// whose bit of `fresh` is set begin with the zero state; then blocks[l] is absorbed and the state
/// permuted.
using KeccakStep = void (*)(uint64_t* state, const KeccakBlock* blocks, unsigned fresh) noexcept;
void keccak_step_x4_avx2(uint64_t* state, const KeccakBlock* blocks, unsigned fresh) noexcept;
/// Needs AVX-512 F, VL, BW.
void keccak_step_x8_avx512(uint64_t* state, const KeccakBlock* blocks, unsigned fresh) noexcept;

/// What this machine has, fastest first.
struct KeccakVariants {
    KeccakPermute permute;
    KeccakStep step;  // null: single states only
    unsigned lanes;   // of `step`
};
KeccakVariants choose_keccak_variants() noexcept;

}  // namespace keel::crypto
