#include "crypto/ripemd160.hpp"

#include <bit>
#include <cstring>
#include <utility>

#include "core/endian.hpp"

namespace keel::crypto {
namespace {

constexpr size_t kBlockBytes = 64;

// Message word and rotation of each step, left and right line (RIPEMD-160: A Strengthened Version
// of RIPEMD, appendix A).
constexpr uint8_t kWordLeft[80] = {0, 1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14, 15,
                                   7, 4,  13, 1,  10, 6,  15, 3,  12, 0, 9,  5,  2,  14, 11, 8,
                                   3, 10, 14, 4,  9,  15, 8,  1,  2,  7, 0,  6,  13, 11, 5,  12,
                                   1, 9,  11, 10, 0,  8,  12, 4,  13, 3, 7,  15, 14, 5,  6,  2,
                                   4, 0,  5,  9,  7,  12, 2,  10, 14, 1, 3,  8,  11, 6,  15, 13};
constexpr uint8_t kWordRight[80] = {5,  14, 7,  0, 9, 2,  11, 4,  13, 6,  15, 8,  1,  10, 3,  12,
                                    6,  11, 3,  7, 0, 13, 5,  10, 14, 15, 8,  12, 4,  9,  1,  2,
                                    15, 5,  1,  3, 7, 14, 6,  9,  11, 8,  12, 2,  10, 0,  4,  13,
                                    8,  6,  4,  1, 3, 11, 15, 0,  5,  12, 2,  13, 9,  7,  10, 14,
                                    12, 15, 10, 4, 1, 5,  8,  7,  6,  2,  13, 14, 0,  3,  9,  11};
constexpr uint8_t kRotateLeft[80] = {11, 14, 15, 12, 5,  8,  7,  9,  11, 13, 14, 15, 6,  7,  9,  8,
                                     7,  6,  8,  13, 11, 9,  7,  15, 7,  12, 15, 9,  11, 7,  13, 12,
                                     11, 13, 6,  7,  14, 9,  13, 15, 14, 8,  13, 6,  5,  12, 7,  5,
                                     11, 12, 14, 15, 14, 15, 9,  8,  9,  14, 5,  6,  8,  6,  5,  12,
                                     9,  15, 5,  11, 6,  8,  13, 12, 5,  12, 13, 14, 11, 8,  5,  6};
constexpr uint8_t kRotateRight[80] = {
    8,  9,  9,  11, 13, 15, 15, 5, 7,  7,  8,  11, 14, 14, 12, 6,  9,  13, 15, 7,
    12, 8,  9,  11, 7,  7,  12, 7, 6,  15, 13, 11, 9,  7,  15, 11, 8,  6,  6,  14,
    12, 13, 5,  14, 13, 13, 7,  5, 15, 5,  8,  11, 14, 14, 6,  14, 6,  9,  12, 9,
    12, 5,  15, 8,  8,  5,  12, 9, 12, 5,  14, 6,  8,  13, 6,  5,  15, 13, 11, 11};
constexpr uint32_t kAddLeft[5] = {0, 0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xa953fd4e};
constexpr uint32_t kAddRight[5] = {0x50a28be6, 0x5c4dd124, 0x6d703ef3, 0x7a6d76e9, 0};

template <size_t kFunction>
[[gnu::always_inline]] inline uint32_t mix(uint32_t x, uint32_t y, uint32_t z) noexcept {
    if constexpr (kFunction == 0) return x ^ y ^ z;
    if constexpr (kFunction == 1) return ((y ^ z) & x) ^ z;
    if constexpr (kFunction == 2) return (x | ~y) ^ z;
    if constexpr (kFunction == 3) return ((x ^ y) & z) ^ y;
    if constexpr (kFunction == 4) return x ^ (y | ~z);
}

// One step; which word of the line plays A ... E moves by one a step instead of the words.
template <size_t kStep, size_t kFunction>
[[gnu::always_inline]] inline void step(uint32_t* line, uint32_t word, uint32_t add,
                                        int rotation) noexcept {
    uint32_t& a = line[(80 - kStep) % 5];
    const uint32_t b = line[(81 - kStep) % 5];
    uint32_t& c = line[(82 - kStep) % 5];
    const uint32_t d = line[(83 - kStep) % 5];
    const uint32_t e = line[(84 - kStep) % 5];
    a = std::rotl(a + mix<kFunction>(b, c, d) + word + add, rotation) + e;
    c = std::rotl(c, 10);
}

template <size_t... kSteps>
[[gnu::always_inline]] inline void all_steps(uint32_t* left, uint32_t* right, const uint32_t* words,
                                             std::index_sequence<kSteps...>) noexcept {
    ((step<kSteps, kSteps / 16>(left, words[kWordLeft[kSteps]], kAddLeft[kSteps / 16],
                                kRotateLeft[kSteps]),
      step<kSteps, 4 - kSteps / 16>(right, words[kWordRight[kSteps]], kAddRight[kSteps / 16],
                                    kRotateRight[kSteps])),
     ...);
}

void absorb(uint32_t* state, const uint8_t* block) noexcept {
    uint32_t words[16], left[5], right[5];
    for (size_t i = 0; i < 16; ++i) words[i] = core::load_le<uint32_t>(block + 4 * i);
    for (size_t i = 0; i < 5; ++i) left[i] = right[i] = state[i];
    all_steps(left, right, words, std::make_index_sequence<80>{});
    const uint32_t first = state[1] + left[2] + right[3];
    state[1] = state[2] + left[3] + right[4];
    state[2] = state[3] + left[4] + right[0];
    state[3] = state[4] + left[0] + right[1];
    state[4] = state[0] + left[1] + right[2];
    state[0] = first;
}

}  // namespace

std::array<uint8_t, 20> ripemd160(core::ByteView data) noexcept {
    uint32_t state[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    const uint8_t* at = data.data();
    size_t left = data.size();
    for (; left >= kBlockBytes; at += kBlockBytes, left -= kBlockBytes) absorb(state, at);
    uint8_t tail[2 * kBlockBytes] = {};
    if (left != 0) std::memcpy(tail, at, left);
    tail[left] = 0x80;
    const size_t tail_bytes = left < kBlockBytes - 8 ? kBlockBytes : 2 * kBlockBytes;
    core::store_le(tail + tail_bytes - 8, static_cast<uint64_t>(data.size()) * 8);
    absorb(state, tail);
    if (tail_bytes > kBlockBytes) absorb(state, tail + kBlockBytes);
    std::array<uint8_t, 20> digest;
    for (size_t i = 0; i < 5; ++i) core::store_le(digest.data() + 4 * i, state[i]);
    return digest;
}

}  // namespace keel::crypto
