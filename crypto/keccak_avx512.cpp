// The permutation on vector registers with AVX-512: rotations (vprolq) and three-input functions
// (vpternlogq) are single instructions, and the 25 lanes of the state fit into the 32 registers.
// The same text serves one state (xmm) and eight (zmm).

#if defined(__GNUC__) && !defined(__clang__)
// g++ 12 takes the deliberately undefined operand of its own AVX-512 intrinsics for a mistake (GCC
// bug 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#include <immintrin.h>

#include <cstring>

#include "core/endian.hpp"
#include "crypto/keccak_permutation.hpp"

#define KEEL_AVX512 __attribute__((target("avx512f,avx512vl,avx512bw")))
#define KEEL_AVX512_INLINE \
    __attribute__((target("avx512f,avx512vl,avx512bw"), always_inline)) inline

namespace keel::crypto {
namespace {

// Truth tables of vpternlogq.
constexpr int kXor3 = 0x96;  // a ^ b ^ c
constexpr int kChi = 0xd2;   // a ^ (~b & c)

struct One {
    using Vector = __m128i;
    template <int kBits>
    KEEL_AVX512_INLINE static Vector rotate(Vector a) noexcept {
        return _mm_rol_epi64(a, kBits);
    }
    KEEL_AVX512_INLINE static Vector add(Vector a, Vector b) noexcept {
        return _mm_xor_si128(a, b);
    }
    KEEL_AVX512_INLINE static Vector add(Vector a, Vector b, Vector c) noexcept {
        return _mm_ternarylogic_epi64(a, b, c, kXor3);
    }
    KEEL_AVX512_INLINE static Vector chi(Vector a, Vector b, Vector c) noexcept {
        return _mm_ternarylogic_epi64(a, b, c, kChi);
    }
    KEEL_AVX512_INLINE static Vector constant(uint64_t value) noexcept {
        return _mm_cvtsi64_si128(static_cast<long long>(value));
    }
};

struct Eight {
    using Vector = __m512i;
    template <int kBits>
    KEEL_AVX512_INLINE static Vector rotate(Vector a) noexcept {
        return _mm512_rol_epi64(a, kBits);
    }
    KEEL_AVX512_INLINE static Vector add(Vector a, Vector b) noexcept {
        return _mm512_xor_si512(a, b);
    }
    KEEL_AVX512_INLINE static Vector add(Vector a, Vector b, Vector c) noexcept {
        return _mm512_ternarylogic_epi64(a, b, c, kXor3);
    }
    KEEL_AVX512_INLINE static Vector chi(Vector a, Vector b, Vector c) noexcept {
        return _mm512_ternarylogic_epi64(a, b, c, kChi);
    }
    KEEL_AVX512_INLINE static Vector constant(uint64_t value) noexcept {
        return _mm512_set1_epi64(static_cast<long long>(value));
    }
};

template <class Lanes, class Vector = typename Lanes::Vector>
KEEL_AVX512_INLINE void chi(Vector b0, Vector b1, Vector b2, Vector b3, Vector b4,
                            Vector* row) noexcept {
    row[0] = Lanes::chi(b0, b1, b2);
    row[1] = Lanes::chi(b1, b2, b3);
    row[2] = Lanes::chi(b2, b3, b4);
    row[3] = Lanes::chi(b3, b4, b0);
    row[4] = Lanes::chi(b4, b0, b1);
}

template <class Lanes, class Vector = typename Lanes::Vector>
KEEL_AVX512_INLINE void round(Vector* a, uint64_t constant) noexcept {
    // theta. The five d are formed (not folded into three-input functions below), since 25 + 10
    // values would spill.
    const Vector c0 = Lanes::add(Lanes::add(a[0], a[5], a[10]), a[15], a[20]);
    const Vector c1 = Lanes::add(Lanes::add(a[1], a[6], a[11]), a[16], a[21]);
    const Vector c2 = Lanes::add(Lanes::add(a[2], a[7], a[12]), a[17], a[22]);
    const Vector c3 = Lanes::add(Lanes::add(a[3], a[8], a[13]), a[18], a[23]);
    const Vector c4 = Lanes::add(Lanes::add(a[4], a[9], a[14]), a[19], a[24]);
    const Vector d0 = Lanes::add(c4, Lanes::template rotate<1>(c1));
    const Vector d1 = Lanes::add(c0, Lanes::template rotate<1>(c2));
    const Vector d2 = Lanes::add(c1, Lanes::template rotate<1>(c3));
    const Vector d3 = Lanes::add(c2, Lanes::template rotate<1>(c4));
    const Vector d4 = Lanes::add(c3, Lanes::template rotate<1>(c0));
    // rho and pi.
    const Vector b0 = Lanes::add(a[0], d0);
    const Vector b1 = Lanes::template rotate<44>(Lanes::add(a[6], d1));
    const Vector b2 = Lanes::template rotate<43>(Lanes::add(a[12], d2));
    const Vector b3 = Lanes::template rotate<21>(Lanes::add(a[18], d3));
    const Vector b4 = Lanes::template rotate<14>(Lanes::add(a[24], d4));
    const Vector b5 = Lanes::template rotate<28>(Lanes::add(a[3], d3));
    const Vector b6 = Lanes::template rotate<20>(Lanes::add(a[9], d4));
    const Vector b7 = Lanes::template rotate<3>(Lanes::add(a[10], d0));
    const Vector b8 = Lanes::template rotate<45>(Lanes::add(a[16], d1));
    const Vector b9 = Lanes::template rotate<61>(Lanes::add(a[22], d2));
    const Vector b10 = Lanes::template rotate<1>(Lanes::add(a[1], d1));
    const Vector b11 = Lanes::template rotate<6>(Lanes::add(a[7], d2));
    const Vector b12 = Lanes::template rotate<25>(Lanes::add(a[13], d3));
    const Vector b13 = Lanes::template rotate<8>(Lanes::add(a[19], d4));
    const Vector b14 = Lanes::template rotate<18>(Lanes::add(a[20], d0));
    const Vector b15 = Lanes::template rotate<27>(Lanes::add(a[4], d4));
    const Vector b16 = Lanes::template rotate<36>(Lanes::add(a[5], d0));
    const Vector b17 = Lanes::template rotate<10>(Lanes::add(a[11], d1));
    const Vector b18 = Lanes::template rotate<15>(Lanes::add(a[17], d2));
    const Vector b19 = Lanes::template rotate<56>(Lanes::add(a[23], d3));
    const Vector b20 = Lanes::template rotate<62>(Lanes::add(a[2], d2));
    const Vector b21 = Lanes::template rotate<55>(Lanes::add(a[8], d3));
    const Vector b22 = Lanes::template rotate<39>(Lanes::add(a[14], d4));
    const Vector b23 = Lanes::template rotate<41>(Lanes::add(a[15], d0));
    const Vector b24 = Lanes::template rotate<2>(Lanes::add(a[21], d1));
    chi<Lanes>(b0, b1, b2, b3, b4, a);
    a[0] = Lanes::add(a[0], Lanes::constant(constant));  // iota
    chi<Lanes>(b5, b6, b7, b8, b9, a + 5);
    chi<Lanes>(b10, b11, b12, b13, b14, a + 10);
    chi<Lanes>(b15, b16, b17, b18, b19, a + 15);
    chi<Lanes>(b20, b21, b22, b23, b24, a + 20);
}

template <class Lanes, class Vector = typename Lanes::Vector>
KEEL_AVX512_INLINE void permute(Vector* a) noexcept {
#pragma GCC unroll 1
    for (const uint64_t constant : kKeccakRoundConstants) round<Lanes>(a, constant);
}

// Rows of eight words of eight blocks become eight vectors of one word of each block.
KEEL_AVX512_INLINE void transpose(const __m512i* rows, __m512i* columns) noexcept {
    __m512i pairs[8];  // [2i]: even words of rows 2i, 2i + 1 in turn; [2i + 1]: odd words
#pragma GCC unroll 4
    for (int i = 0; i < 8; i += 2) {
        pairs[i] = _mm512_unpacklo_epi64(rows[i], rows[i + 1]);
        pairs[i + 1] = _mm512_unpackhi_epi64(rows[i], rows[i + 1]);
    }
#pragma GCC unroll 2
    for (int odd = 0; odd < 2; ++odd) {
        // 128-bit parts k of pairs (0 1) (2 3) and (4 5) (6 7): parts 0 and 2, then 1 and 3.
        const __m512i low02 = _mm512_shuffle_i64x2(pairs[odd], pairs[odd + 2], 0x88);
        const __m512i low13 = _mm512_shuffle_i64x2(pairs[odd], pairs[odd + 2], 0xdd);
        const __m512i high02 = _mm512_shuffle_i64x2(pairs[odd + 4], pairs[odd + 6], 0x88);
        const __m512i high13 = _mm512_shuffle_i64x2(pairs[odd + 4], pairs[odd + 6], 0xdd);
        columns[odd] = _mm512_shuffle_i64x2(low02, high02, 0x88);
        columns[odd + 2] = _mm512_shuffle_i64x2(low13, high13, 0x88);
        columns[odd + 4] = _mm512_shuffle_i64x2(low02, high02, 0xdd);
        columns[odd + 6] = _mm512_shuffle_i64x2(low13, high13, 0xdd);
    }
}

}  // namespace

KEEL_AVX512 void keccak_permute_avx512(uint64_t state[25]) noexcept {
    __m128i a[25];
#pragma GCC unroll 25
    for (int i = 0; i < 25; ++i) {
        a[i] = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(state + i));
    }
    permute<One>(a);
#pragma GCC unroll 25
    for (int i = 0; i < 25; ++i) _mm_storel_epi64(reinterpret_cast<__m128i*>(state + i), a[i]);
}

KEEL_AVX512 void keccak_step_x8_avx512(uint64_t* state, const KeccakBlock* blocks,
                                       unsigned fresh) noexcept {
    // What each lane adds to its words 0-7, 8-15 and 16. Loads leave out what is behind the
    // message; where there is room, the padding's first byte follows.
    __m512i rows[2][8], words[2][8];
    alignas(64) uint64_t last[8];
    const __m512i zero = _mm512_setzero_si512();
#pragma GCC unroll 8
    for (int lane = 0; lane < 8; ++lane) {
        const uint8_t* at = blocks[lane].at;
        const size_t size = blocks[lane].size;
        if (size == kKeccakRateBytes) {
            rows[0][lane] = _mm512_loadu_si512(at);
            rows[1][lane] = _mm512_loadu_si512(at + 64);
            std::memcpy(&last[lane], at + 128, 8);
            continue;
        }
        const size_t tail_bytes = size % 64;
        const uint64_t tail_mask = (uint64_t{1} << tail_bytes) - 1;
        const __mmask64 pad_mask = uint64_t{1} << tail_bytes;
        last[lane] = uint64_t{0x80} << 56;
        if (size < 64) {
            rows[0][lane] =
                _mm512_mask_set1_epi8(_mm512_maskz_loadu_epi8(tail_mask, at), pad_mask, 1);
            rows[1][lane] = zero;
        } else if (size < 128) {
            rows[0][lane] = _mm512_loadu_si512(at);
            rows[1][lane] =
                _mm512_mask_set1_epi8(_mm512_maskz_loadu_epi8(tail_mask, at + 64), pad_mask, 1);
        } else {
            rows[0][lane] = _mm512_loadu_si512(at);
            rows[1][lane] = _mm512_loadu_si512(at + 64);
            uint64_t word = 0;
            std::memcpy(&word, at + 128, tail_bytes);
            last[lane] ^= word ^ uint64_t { 1 } << (8 * tail_bytes);
        }
    }
    transpose(rows[0], words[0]);
    transpose(rows[1], words[1]);

    const auto kept = static_cast<__mmask8>(~fresh);
    __m512i a[25];
#pragma GCC unroll 25
    for (int i = 0; i < 25; ++i) a[i] = _mm512_maskz_load_epi64(kept, state + 8 * i);
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) a[i] = _mm512_xor_si512(a[i], words[i / 8][i % 8]);
    a[16] = _mm512_xor_si512(a[16], _mm512_load_si512(last));
    permute<Eight>(a);
#pragma GCC unroll 25
    for (int i = 0; i < 25; ++i) _mm512_store_si512(state + 8 * i, a[i]);
}

}  // namespace keel::crypto
