#pragma once

#include <cstdint>
#include <optional>

#include "core/bytes.hpp"
#include "crypto/curve_result.hpp"

namespace keel::crypto {

// The curve alt_bn128 of EIP-196 and EIP-197: y^2 = x^3 + 3 over the prime p, its twist over Fp2 =
// Fp[i] / (i^2 + 1), and the optimal ate pairing. Numbers are 32 bytes big-endian; a point (0, 0)
// is the one at infinity. Any thread.

/// The sum of the points x1 y1 x2 y2 (128 bytes) as x y (64 bytes, written only when Ok).
CurveResult bn254_add(core::ByteView input, uint8_t* out) noexcept;

/// The point x y times the 256-bit number s (96 bytes, s of any size) as x y (64 bytes, written
/// only when Ok).
CurveResult bn254_mul(core::ByteView input, uint8_t* out) noexcept;

/// Whether the product of the pairings of the given pairs is 1. A pair is 192 bytes: x y of G1,
/// then x, y of the twist, each imaginary part first; `input` is a whole number of pairs, none of
/// them gives true. No value when a pair is not valid.
std::optional<bool> bn254_pairing(core::ByteView input);

}  // namespace keel::crypto
