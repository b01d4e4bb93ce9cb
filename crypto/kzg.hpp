#pragma once

#include <optional>

#include "core/bytes.hpp"
#include "core/types/hash.hpp"

namespace keel::crypto {

// Polynomial commitments of EIP-4844 over BLS12-381. Any thread.

/// 0x01, then the last 31 bytes of the SHA-256 of a commitment.
core::Hash32 kzg_versioned_hash(core::ByteView commitment) noexcept;

/// Whether the polynomial of `commitment` (48 bytes) has the value y at z (32 bytes each,
/// big-endian), by `proof` (48 bytes). No value when a length is wrong, z or y is not below r, or a
/// point is not a compressed point of G1. Source: EIP-4844, verify_kzg_proof. The first call
/// prepares the lines of the two fixed points.
std::optional<bool> verify_kzg_proof(core::ByteView commitment, core::ByteView z, core::ByteView y,
                                     core::ByteView proof);

}  // namespace keel::crypto
