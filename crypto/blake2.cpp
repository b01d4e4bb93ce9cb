#include "crypto/blake2.hpp"

#include <immintrin.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <utility>

#include "crypto/processor.hpp"

#define KEEL_AVX2 __attribute__((target("avx2")))
#define KEEL_AVX2_INLINE __attribute__((target("avx2"), always_inline)) inline

namespace keel::crypto {
namespace {

constexpr uint64_t kIv[8] = {  // RFC 7693, 2.6
    0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
    0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};

constexpr size_t kSchedules = 10;             // they repeat from round 10 on
constexpr uint8_t kSigma[kSchedules][16] = {  // RFC 7693, 2.7
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
    {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
    {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
    {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
    {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0}};

// Rows of the working vector v of RFC 7693, 3.2: v[0..3], v[4..7], v[8..11], v[12..15].
void initial_rows(uint64_t* v, const uint64_t* h, uint64_t t0, uint64_t t1, bool final) noexcept {
    std::copy_n(h, 8, v);
    std::copy_n(kIv, 8, v + 8);
    v[12] ^= t0;
    v[13] ^= t1;
    if (final) v[14] = ~v[14];
}

void mix(uint64_t& a, uint64_t& b, uint64_t& c, uint64_t& d, uint64_t x, uint64_t y) noexcept {
    a += b + x;
    d = std::rotr(d ^ a, 32);
    c += d;
    b = std::rotr(b ^ c, 24);
    a += b + y;
    d = std::rotr(d ^ a, 16);
    c += d;
    b = std::rotr(b ^ c, 63);
}

void compress_plain(uint32_t rounds, uint64_t* h, const uint64_t* m, uint64_t t0, uint64_t t1,
                    bool final) noexcept {
    uint64_t v[16];
    initial_rows(v, h, t0, t1, final);
    for (uint32_t round = 0; round < rounds; ++round) {
        const uint8_t* s = kSigma[round % kSchedules];
        mix(v[0], v[4], v[8], v[12], m[s[0]], m[s[1]]);
        mix(v[1], v[5], v[9], v[13], m[s[2]], m[s[3]]);
        mix(v[2], v[6], v[10], v[14], m[s[4]], m[s[5]]);
        mix(v[3], v[7], v[11], v[15], m[s[6]], m[s[7]]);
        mix(v[0], v[5], v[10], v[15], m[s[8]], m[s[9]]);
        mix(v[1], v[6], v[11], v[12], m[s[10]], m[s[11]]);
        mix(v[2], v[7], v[8], v[13], m[s[12]], m[s[13]]);
        mix(v[3], v[4], v[9], v[14], m[s[14]], m[s[15]]);
    }
    for (size_t i = 0; i < 8; ++i) h[i] ^= v[i] ^ v[i + 8];
}

// The four mixings of a half round at once, one in each lane.
KEEL_AVX2_INLINE void mix_rows(__m256i& a, __m256i& b, __m256i& c, __m256i& d, const __m256i* x,
                               const __m256i* y) noexcept {
    const __m256i right24 = _mm256_setr_epi8(3, 4, 5, 6, 7, 0, 1, 2, 11, 12, 13, 14, 15, 8, 9, 10,
                                             3, 4, 5, 6, 7, 0, 1, 2, 11, 12, 13, 14, 15, 8, 9, 10);
    const __m256i right16 = _mm256_setr_epi8(2, 3, 4, 5, 6, 7, 0, 1, 10, 11, 12, 13, 14, 15, 8, 9,
                                             2, 3, 4, 5, 6, 7, 0, 1, 10, 11, 12, 13, 14, 15, 8, 9);
    a = _mm256_add_epi64(_mm256_add_epi64(a, _mm256_load_si256(x)), b);
    d = _mm256_shuffle_epi32(_mm256_xor_si256(d, a), 0xb1);
    c = _mm256_add_epi64(c, d);
    b = _mm256_shuffle_epi8(_mm256_xor_si256(b, c), right24);
    a = _mm256_add_epi64(_mm256_add_epi64(a, _mm256_load_si256(y)), b);
    d = _mm256_shuffle_epi8(_mm256_xor_si256(d, a), right16);
    c = _mm256_add_epi64(c, d);
    b = _mm256_xor_si256(b, c);
    b = _mm256_or_si256(_mm256_add_epi64(b, b), _mm256_srli_epi64(b, 63));
}

struct Rows {
    __m256i a, b, c, d;
};

// A round, with its words: x and y of the columns, x and y of the diagonals. The diagonals' lanes
// begin with the mixing of v[3], since row a is turned and row b stays: it is at the end of the
// longest chain.
KEEL_AVX2_INLINE void mix_all(Rows& r, const __m256i* words) noexcept {
    mix_rows(r.a, r.b, r.c, r.d, words, words + 1);
    r.a = _mm256_permute4x64_epi64(r.a, 0x93);
    r.d = _mm256_permute4x64_epi64(r.d, 0x4e);
    r.c = _mm256_permute4x64_epi64(r.c, 0x39);
    mix_rows(r.a, r.b, r.c, r.d, words + 2, words + 3);
    r.a = _mm256_permute4x64_epi64(r.a, 0x39);
    r.d = _mm256_permute4x64_epi64(r.d, 0x4e);
    r.c = _mm256_permute4x64_epi64(r.c, 0x93);
}

KEEL_AVX2_INLINE __m256i gather(const uint64_t* m, size_t i0, size_t i1, size_t i2,
                                size_t i3) noexcept {
    const auto pair = [m](size_t low, size_t high) KEEL_AVX2 {
        const __m128i first = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(m + low));
        return _mm_insert_epi64(first, static_cast<long long>(m[high]), 1);
    };
    return _mm256_set_m128i(pair(i2, i3), pair(i0, i1));
}

// Rounds 0 ... 9, of which as many as there are. Their words are gathered beside the mixing, which
// leaves the processor the time for it, and kept for the rounds that use them again.
template <size_t... kRounds>
KEEL_AVX2_INLINE void first_rounds(Rows& r, uint32_t rounds, const uint64_t* m, __m256i (*words)[4],
                                   std::index_sequence<kRounds...>) noexcept {
    const auto round = [&]<size_t kRound>() KEEL_AVX2 {
        if (kRound >= rounds) return false;
        constexpr const auto& s = kSigma[kRound];
        __m256i* const w = words[kRound];
        w[0] = gather(m, s[0], s[2], s[4], s[6]);
        w[1] = gather(m, s[1], s[3], s[5], s[7]);
        w[2] = gather(m, s[14], s[8], s[10], s[12]);
        w[3] = gather(m, s[15], s[9], s[11], s[13]);
        mix_all(r, w);
        return true;
    };
    (round.template operator()<kRounds>() && ...);
}

KEEL_AVX2 void compress_avx2(uint32_t rounds, uint64_t* h, const uint64_t* m, uint64_t t0,
                             uint64_t t1, bool final) noexcept {
    // The vector v straight from what it is made of, h by halves: a load of more than what one
    // store has just written waits for it to reach the cache.
    const auto half = [h](size_t word) KEEL_AVX2 {
        return _mm_loadu_si128(reinterpret_cast<const __m128i*>(h + word));
    };
    auto* const state = reinterpret_cast<__m256i*>(h);
    const auto* const iv = reinterpret_cast<const __m256i*>(kIv);
    const __m256i counter =
        _mm256_setr_epi64x(static_cast<int64_t>(t0), static_cast<int64_t>(t1), final ? -1 : 0, 0);
    Rows r{_mm256_set_m128i(half(2), half(0)), _mm256_set_m128i(half(6), half(4)),
           _mm256_loadu_si256(iv), _mm256_xor_si256(_mm256_loadu_si256(iv + 1), counter)};
    const __m256i before[] = {r.a, r.b};
    __m256i words[kSchedules][4];
    first_rounds(r, rounds, m, words, std::make_index_sequence<kSchedules>{});
    size_t schedule = 0;
    for (uint32_t round = kSchedules; round < rounds; ++round) {
        mix_all(r, words[schedule]);
        schedule = schedule + 1 == kSchedules ? 0 : schedule + 1;
    }
    _mm256_storeu_si256(state, _mm256_xor_si256(before[0], _mm256_xor_si256(r.a, r.c)));
    _mm256_storeu_si256(state + 1, _mm256_xor_si256(before[1], _mm256_xor_si256(r.b, r.d)));
}

using Compress = void (*)(uint32_t, uint64_t*, const uint64_t*, uint64_t, uint64_t, bool) noexcept;

}  // namespace

void blake2b_compress(uint32_t rounds, uint64_t h[8], const uint64_t m[16], uint64_t t0,
                      uint64_t t1, bool final) noexcept {
    // Asked once; a constant inside the function, so that it may be used while other constants are
    // being made.
    static const Compress chosen = has_avx2() ? compress_avx2 : compress_plain;
    chosen(rounds, h, m, t0, t1, final);
}

}  // namespace keel::crypto
