#pragma once

#include "crypto/bls12_381/point.hpp"

namespace keel::crypto::bls12_381 {

/// The point of G1 or G2 of a field element: simplified SWU map to an isogenous curve, the isogeny,
/// and the cofactor cleared (RFC 9380, 6.6.3 and 7; EIP-2537, "Field-to-curve mapping").
Jacobian<Fp> map_to_curve(const Fp& u) noexcept;
Jacobian<Fp2> map_to_curve(const Fp2& u) noexcept;

}  // namespace keel::crypto::bls12_381
