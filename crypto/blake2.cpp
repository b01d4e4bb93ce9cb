#include "crypto/blake2.hpp"

#include <immintrin.h>

#include <algorithm>
#include <bit>
#include <cstddef>

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

KEEL_AVX2 void compress_avx2(uint32_t rounds, uint64_t* h, const uint64_t* m, uint64_t t0,
                             uint64_t t1, bool final) noexcept {
    // Message words in the order in which rounds use them: x and y of the columns, x and y of the
    // diagonals. The diagonals' lanes begin with the mixing of v[3], since below row a is turned
    // and row b stays.
    alignas(32) uint64_t words[kSchedules][16];
    const size_t schedules = std::min<size_t>(rounds, kSchedules);
    for (size_t i = 0; i < schedules; ++i) {
        for (size_t lane = 0; lane < 4; ++lane) {
            const size_t diagonal = 8 + 2 * ((lane + 3) % 4);
            words[i][lane] = m[kSigma[i][2 * lane]];
            words[i][4 + lane] = m[kSigma[i][2 * lane + 1]];
            words[i][8 + lane] = m[kSigma[i][diagonal]];
            words[i][12 + lane] = m[kSigma[i][diagonal + 1]];
        }
    }
    alignas(32) uint64_t v[16];
    initial_rows(v, h, t0, t1, final);
    auto* const rows = reinterpret_cast<__m256i*>(v);
    __m256i a = _mm256_load_si256(rows), b = _mm256_load_si256(rows + 1);
    __m256i c = _mm256_load_si256(rows + 2), d = _mm256_load_si256(rows + 3);
    size_t schedule = 0;
    for (uint32_t round = 0; round < rounds; ++round) {
        const auto* const w = reinterpret_cast<const __m256i*>(words[schedule]);
        schedule = schedule + 1 == kSchedules ? 0 : schedule + 1;
        mix_rows(a, b, c, d, w, w + 1);
        // Diagonals: row b, at the end of the longest chain, stays; the others are turned beside
        // it.
        a = _mm256_permute4x64_epi64(a, 0x93);
        d = _mm256_permute4x64_epi64(d, 0x4e);
        c = _mm256_permute4x64_epi64(c, 0x39);
        mix_rows(a, b, c, d, w + 2, w + 3);
        a = _mm256_permute4x64_epi64(a, 0x39);
        d = _mm256_permute4x64_epi64(d, 0x4e);
        c = _mm256_permute4x64_epi64(c, 0x93);
    }
    _mm256_store_si256(rows, _mm256_xor_si256(a, c));
    _mm256_store_si256(rows + 1, _mm256_xor_si256(b, d));
    for (size_t i = 0; i < 8; ++i) h[i] ^= v[i];
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
