#pragma once

#include "core/bytes.hpp"
#include "crypto/bls12_381/point.hpp"
#include "crypto/curve_result.hpp"

namespace keel::crypto::bls12_381 {

inline constexpr size_t kFpBytes = 48;

/// The element of 48 bytes, big-endian; false when they are not below p.
bool load_fp(const uint8_t* bytes, Fp& out) noexcept;
/// 48 bytes, big-endian.
void store_fp(const Fp& a, uint8_t* out) noexcept;

/// The point of 48 bytes: x with three flags in its top bits (compressed, infinity, y is the larger
/// one of both). The subgroup is checked. Source: EIP-4844, "Helpers" (public keys of BLS
/// signatures, ZCash's encoding).
CurveResult decompress(core::ByteView bytes, G1& out) noexcept;
/// The same without the check of the subgroup.
CurveResult decompress_on_curve(core::ByteView bytes, G1& out) noexcept;
/// 48 bytes.
void compress(const G1& point, uint8_t* out) noexcept;

}  // namespace keel::crypto::bls12_381
