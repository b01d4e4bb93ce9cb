#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "core/bytes.hpp"
#include "core/types/hash.hpp"

namespace keel::crypto {

// Keccak as Ethereum uses it: the submission of 2011 (padding 0x01 ... 0x80), not the later FIPS
// 202 SHA-3 (0x06 ... 0x80). Any thread.

core::Hash32 keccak256(core::ByteView data) noexcept;

/// Hash of `first` followed by `second`, without joining them in memory.
core::Hash32 keccak256(core::ByteView first, core::ByteView second) noexcept;

/// 512-bit digest (rate 72 bytes): ethash only.
std::array<uint8_t, 64> keccak512(core::ByteView data) noexcept;

/// out[i] = keccak256(inputs[i]); both spans have the same size, the lengths of the inputs may
/// differ. Eight (AVX-512) or four (AVX2) inputs are hashed at once where the machine can: about a
/// quarter of the time of single calls.
void keccak256_batch(std::span<const core::ByteView> inputs, std::span<core::Hash32> out) noexcept;

/// A message that lies in memory in two parts.
struct TwoParts {
    core::ByteView first;
    core::ByteView second;
};
/// The same; nothing is joined in memory.
void keccak256_batch(std::span<const TwoParts> inputs, std::span<core::Hash32> out) noexcept;

}  // namespace keel::crypto
