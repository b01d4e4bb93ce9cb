#include "crypto/sha256.hpp"

#include <immintrin.h>
#include <openssl/sha.h>

#include <cstring>
#include <utility>

#include "core/endian.hpp"
#include "crypto/processor.hpp"

#define KEEL_SHA __attribute__((target("sha,sse4.1")))
#define KEEL_SHA_INLINE __attribute__((target("sha,sse4.1"), always_inline)) inline

namespace keel::crypto {
namespace {

using core::ByteView;
using core::Hash32;

constexpr size_t kBlockBytes = 64;

// Fractional parts of the cube roots of the first 64 primes (FIPS 180-4, 4.2.2).
alignas(16) constexpr uint32_t kRoundConstants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

// The instruction set's order of the state: words (f e b a) and (h g d c), lowest first.
struct State {
    __m128i abef;
    __m128i cdgh;
};

// Rounds 4 * kGroup to 4 * kGroup + 3; words[kGroup % 4] holds their message words and then those
// of 16 rounds later.
template <size_t kGroup>
KEEL_SHA_INLINE void four_rounds(State& state, __m128i* words) noexcept {
    const __m128i constants =
        _mm_load_si128(reinterpret_cast<const __m128i*>(kRoundConstants) + kGroup);
    const __m128i sum = _mm_add_epi32(words[kGroup % 4], constants);
    state.cdgh = _mm_sha256rnds2_epu32(state.cdgh, state.abef, sum);
    state.abef = _mm_sha256rnds2_epu32(state.abef, state.cdgh, _mm_shuffle_epi32(sum, 0x0e));
    if constexpr (kGroup < 12) {
        const __m128i seven_back =
            _mm_alignr_epi8(words[(kGroup + 3) % 4], words[(kGroup + 2) % 4], 4);
        const __m128i partial = _mm_add_epi32(
            _mm_sha256msg1_epu32(words[kGroup % 4], words[(kGroup + 1) % 4]), seven_back);
        words[kGroup % 4] = _mm_sha256msg2_epu32(partial, words[(kGroup + 3) % 4]);
    }
}

template <size_t... kGroups>
KEEL_SHA_INLINE void all_rounds(State& state, __m128i* words,
                                std::index_sequence<kGroups...>) noexcept {
    (four_rounds<kGroups>(state, words), ...);
}

KEEL_SHA_INLINE void absorb(State& state, const uint8_t* block) noexcept {
    const __m128i big_endian = _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3);
    const auto* rows = reinterpret_cast<const __m128i*>(block);
    __m128i words[4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) words[i] = _mm_shuffle_epi8(_mm_loadu_si128(rows + i), big_endian);
    const State before = state;
    all_rounds(state, words, std::make_index_sequence<16>{});
    state.abef = _mm_add_epi32(state.abef, before.abef);
    state.cdgh = _mm_add_epi32(state.cdgh, before.cdgh);
}

KEEL_SHA void sha256_ni(const uint8_t* data, size_t size, uint8_t* digest) noexcept {
    // Square roots of the first eight primes (FIPS 180-4, 5.3.3).
    State state{_mm_set_epi32(0x6a09e667, static_cast<int>(0xbb67ae85), 0x510e527f,
                              static_cast<int>(0x9b05688c)),
                _mm_set_epi32(0x3c6ef372, static_cast<int>(0xa54ff53a), 0x1f83d9ab, 0x5be0cd19)};
    size_t left = size;
    for (; left >= kBlockBytes; data += kBlockBytes, left -= kBlockBytes) absorb(state, data);
    uint8_t tail[2 * kBlockBytes] = {};
    if (left != 0) std::memcpy(tail, data, left);
    tail[left] = 0x80;
    const size_t tail_bytes = left < kBlockBytes - 8 ? kBlockBytes : 2 * kBlockBytes;
    core::store_be(tail + tail_bytes - 8, static_cast<uint64_t>(size) * 8);
    absorb(state, tail);
    if (tail_bytes > kBlockBytes) absorb(state, tail + kBlockBytes);
    const __m128i big_endian = _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const __m128i abcd = _mm_unpackhi_epi64(state.cdgh, state.abef);
    const __m128i efgh = _mm_unpacklo_epi64(state.cdgh, state.abef);
    auto* out = reinterpret_cast<__m128i*>(digest);
    _mm_storeu_si128(out, _mm_shuffle_epi8(abcd, big_endian));
    _mm_storeu_si128(out + 1, _mm_shuffle_epi8(efgh, big_endian));
}

void sha256_openssl(const uint8_t* data, size_t size, uint8_t* digest) noexcept {
    SHA256(data, size, digest);
}

using Sha256 = void (*)(const uint8_t*, size_t, uint8_t*) noexcept;

}  // namespace

Hash32 sha256(ByteView data) noexcept {
    // Asked once; a constant inside the function, so that it may be used while other constants are
    // being made.
    static const Sha256 chosen = has_sha() ? sha256_ni : sha256_openssl;
    Hash32 out;
    chosen(data.data(), data.size(), out.data());
    return out;
}

}  // namespace keel::crypto
