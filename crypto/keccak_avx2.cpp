// Four states at once with AVX2, which has neither rotations nor enough registers: still about half
// the time of four single permutations.

#include <immintrin.h>

#include <cstring>

#include "crypto/keccak_permutation.hpp"

#define KEEL_AVX2 __attribute__((target("avx2")))
#define KEEL_AVX2_INLINE __attribute__((target("avx2"), always_inline)) inline

namespace keel::crypto {
namespace {

template <int kBits>
KEEL_AVX2_INLINE __m256i rotate(__m256i a) noexcept {
    if constexpr (kBits == 8 || kBits == 56) {  // whole bytes: one shuffle
        const __m256i bytes =
            kBits == 8 ? _mm256_set_epi8(14, 13, 12, 11, 10, 9, 8, 15, 6, 5, 4, 3, 2, 1, 0, 7, 14,
                                         13, 12, 11, 10, 9, 8, 15, 6, 5, 4, 3, 2, 1, 0, 7)
                       : _mm256_set_epi8(8, 15, 14, 13, 12, 11, 10, 9, 0, 7, 6, 5, 4, 3, 2, 1, 8,
                                         15, 14, 13, 12, 11, 10, 9, 0, 7, 6, 5, 4, 3, 2, 1);
        return _mm256_shuffle_epi8(a, bytes);
    } else {
        return _mm256_or_si256(_mm256_slli_epi64(a, kBits), _mm256_srli_epi64(a, 64 - kBits));
    }
}
KEEL_AVX2_INLINE __m256i add(__m256i a, __m256i b) noexcept {
    return _mm256_xor_si256(a, b);
}
KEEL_AVX2_INLINE __m256i chi(__m256i a, __m256i b, __m256i c) noexcept {
    return _mm256_xor_si256(a, _mm256_andnot_si256(b, c));
}

KEEL_AVX2_INLINE void chi(__m256i b0, __m256i b1, __m256i b2, __m256i b3, __m256i b4,
                          __m256i* row) noexcept {
    row[0] = chi(b0, b1, b2);
    row[1] = chi(b1, b2, b3);
    row[2] = chi(b2, b3, b4);
    row[3] = chi(b3, b4, b0);
    row[4] = chi(b4, b0, b1);
}

KEEL_AVX2_INLINE __m256i column(const __m256i* a) noexcept {
    return add(add(add(a[0], a[5]), add(a[10], a[15])), a[20]);
}

// From `a` to `e`.
KEEL_AVX2_INLINE void round(const __m256i* a, __m256i* e, uint64_t constant) noexcept {
    const __m256i c0 = column(a), c1 = column(a + 1), c2 = column(a + 2), c3 = column(a + 3),
                  c4 = column(a + 4);
    const __m256i d0 = add(c4, rotate<1>(c1));
    const __m256i d1 = add(c0, rotate<1>(c2));
    const __m256i d2 = add(c1, rotate<1>(c3));
    const __m256i d3 = add(c2, rotate<1>(c4));
    const __m256i d4 = add(c3, rotate<1>(c0));
    chi(add(a[0], d0), rotate<44>(add(a[6], d1)), rotate<43>(add(a[12], d2)),
        rotate<21>(add(a[18], d3)), rotate<14>(add(a[24], d4)), e);
    e[0] = add(e[0], _mm256_set1_epi64x(static_cast<long long>(constant)));
    chi(rotate<28>(add(a[3], d3)), rotate<20>(add(a[9], d4)), rotate<3>(add(a[10], d0)),
        rotate<45>(add(a[16], d1)), rotate<61>(add(a[22], d2)), e + 5);
    chi(rotate<1>(add(a[1], d1)), rotate<6>(add(a[7], d2)), rotate<25>(add(a[13], d3)),
        rotate<8>(add(a[19], d4)), rotate<18>(add(a[20], d0)), e + 10);
    chi(rotate<27>(add(a[4], d4)), rotate<36>(add(a[5], d0)), rotate<10>(add(a[11], d1)),
        rotate<15>(add(a[17], d2)), rotate<56>(add(a[23], d3)), e + 15);
    chi(rotate<62>(add(a[2], d2)), rotate<55>(add(a[8], d3)), rotate<39>(add(a[14], d4)),
        rotate<41>(add(a[15], d0)), rotate<2>(add(a[21], d1)), e + 20);
}

}  // namespace

KEEL_AVX2 void keccak_step_x4_avx2(uint64_t* state, const KeccakBlock* blocks,
                                   unsigned fresh) noexcept {
    alignas(32) uint8_t padded[4][160];
    const uint8_t* rows_of[4];
    for (int lane = 0; lane < 4; ++lane) {
        const size_t size = blocks[lane].size;
        rows_of[lane] = blocks[lane].at;
        if (size == kKeccakRateBytes) continue;
        std::memset(padded[lane], 0, kKeccakRateBytes);
        if (size != 0) std::memcpy(padded[lane], blocks[lane].at, size);
        padded[lane][size] ^= 0x01;
        padded[lane][kKeccakRateBytes - 1] ^= 0x80;
        rows_of[lane] = padded[lane];
    }
    __m256i a[25], e[25];
    const auto kept = [fresh](unsigned lane) {
        return static_cast<long long>(static_cast<uint64_t>((fresh >> lane) & 1) - 1);
    };
    const __m256i mask = _mm256_set_epi64x(kept(3), kept(2), kept(1), kept(0));
    auto* const rows = reinterpret_cast<__m256i*>(state);
    for (int i = 0; i < 25; ++i) a[i] = _mm256_and_si256(mask, _mm256_load_si256(rows + i));
    for (int i = 0; i < 4; ++i) {  // four words of each block: a 4 x 4 transposition
        const auto load = [rows_of, i](int lane) __attribute__((target("avx2"))) {
            return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(rows_of[lane] + 32 * i));
        };
        const __m256i row0 = load(0), row1 = load(1), row2 = load(2), row3 = load(3);
        const __m256i low01 = _mm256_unpacklo_epi64(row0, row1);
        const __m256i high01 = _mm256_unpackhi_epi64(row0, row1);
        const __m256i low23 = _mm256_unpacklo_epi64(row2, row3);
        const __m256i high23 = _mm256_unpackhi_epi64(row2, row3);
        a[4 * i] = add(a[4 * i], _mm256_permute2x128_si256(low01, low23, 0x20));
        a[4 * i + 1] = add(a[4 * i + 1], _mm256_permute2x128_si256(high01, high23, 0x20));
        a[4 * i + 2] = add(a[4 * i + 2], _mm256_permute2x128_si256(low01, low23, 0x31));
        a[4 * i + 3] = add(a[4 * i + 3], _mm256_permute2x128_si256(high01, high23, 0x31));
    }
    long long last[4];
    for (int lane = 0; lane < 4; ++lane) std::memcpy(&last[lane], rows_of[lane] + 128, 8);
    a[16] = add(a[16], _mm256_set_epi64x(last[3], last[2], last[1], last[0]));
#pragma GCC unroll 1
    for (int i = 0; i < 24; i += 2) {
        round(a, e, kKeccakRoundConstants[i]);
        round(e, a, kKeccakRoundConstants[i + 1]);
    }
    for (int i = 0; i < 25; ++i) _mm256_store_si256(rows + i, a[i]);
}

}  // namespace keel::crypto
