#pragma once

#include <span>

#include "crypto/bls12_381/point.hpp"

namespace keel::crypto::bls12_381 {

/// The sum of scalars[i] * points[i], for any scalars of 256 bits. All points are of order r (or at
/// infinity).
Jacobian<Fp> multiply_sum(std::span<const G1> points, std::span<const core::U256> scalars);
Jacobian<Fp2> multiply_sum(std::span<const G2> points, std::span<const core::U256> scalars);

/// A multiple of a point of order r.
Jacobian<Fp> operator*(const Jacobian<Fp>& point, const Fr& factor);
inline Jacobian<Fp>& operator*=(Jacobian<Fp>& point, const Fr& factor) {
    return point = point * factor;
}

}  // namespace keel::crypto::bls12_381
