#pragma once

#include <cstdint>
#include <optional>

#include "core/bytes.hpp"
#include "crypto/curve_result.hpp"

namespace keel::crypto {

// The operations of EIP-2537 on its encodings: a field element is 64 bytes, big-endian, below p; an
// element of Fp2 is c0, c1 of c0 + c1 i; a point is x y (G1 128 bytes, G2 256), all zeros at
// infinity; a scalar is 32 bytes, big-endian, of any value. `out` takes a point and is written only
// when Ok. Any thread.

/// The sum of two points of the curve, in whatever subgroup they are (256 or 512 bytes).
CurveResult bls12_g1_add(core::ByteView input, uint8_t* out) noexcept;
CurveResult bls12_g2_add(core::ByteView input, uint8_t* out) noexcept;

/// The sum of scalar * point over at least one pair of a point and a scalar (160 or 288 bytes
/// each).
CurveResult bls12_g1_msm(core::ByteView input, uint8_t* out);
CurveResult bls12_g2_msm(core::ByteView input, uint8_t* out);

/// Whether the product of the pairings of the given pairs is 1 (a point of G1 and one of G2, 384
/// bytes). No value when a pair is not valid.
std::optional<bool> bls12_pairing(core::ByteView input);

/// The point of a field element (64 or 128 bytes).
CurveResult bls12_map_to_g1(core::ByteView input, uint8_t* out) noexcept;
CurveResult bls12_map_to_g2(core::ByteView input, uint8_t* out) noexcept;

}  // namespace keel::crypto
