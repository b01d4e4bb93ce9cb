#pragma once

#include "core/bytes.hpp"
#include "core/types/hash.hpp"

namespace keel::core {

/// 2048 bits over the addresses and topics of logs (yellow paper, 4.3.1).
using Bloom = FixedBytes<256, struct BloomTag>;

/// Sets the three bits of an address or topic whose keccak-256 is `digest`.
constexpr void bloom_add(Bloom& bloom, const Hash32& digest) noexcept {
    for (size_t i = 0; i < 6; i += 2) {
        const unsigned bit = ((static_cast<unsigned>(digest[i]) << 8) | digest[i + 1]) & 2047;
        bloom[255 - bit / 8] = static_cast<uint8_t>(bloom[255 - bit / 8] | (1u << (bit % 8)));
    }
}

/// Whether the three bits of `digest` are set: false means that it is certainly absent.
constexpr bool bloom_may_contain(const Bloom& bloom, const Hash32& digest) noexcept {
    for (size_t i = 0; i < 6; i += 2) {
        const unsigned bit = ((static_cast<unsigned>(digest[i]) << 8) | digest[i + 1]) & 2047;
        if (((static_cast<unsigned>(bloom[255 - bit / 8]) >> (bit % 8)) & 1) == 0) return false;
    }
    return true;
}

constexpr void bloom_merge(Bloom& into, const Bloom& other) noexcept {
    for (size_t i = 0; i < Bloom::kSize; ++i) {
        into[i] = static_cast<uint8_t>(into[i] | other[i]);
    }
}

}  // namespace keel::core
