#pragma once

#include "crypto/bn254/tower.hpp"
#include "crypto/curve/short_weierstrass.hpp"

namespace keel::crypto::bn254 {

using curve::Affine;
using curve::Jacobian;
using G1 = Affine<Fp>;
using G2 = Affine<Fp2>;

/// Of G1 and of the subgroup of the twist.
inline constexpr core::U256 kOrder{0x43e1f593f0000001, 0x2833e84879b97091, 0xb85045b68181585d,
                                   0x30644e72e131a029};

inline constexpr Fp kB = Fp::of(3);
/// 3 / xi: the constant of the twist y^2 = x^3 + b'.
inline constexpr Fp2 kTwistB{
    fp("2b149d40ceb8aaae81be18991be06ac3b5b4c5e559dbefa33267e6dc24a138e5"),
    fp("009713b03af0fed4cd2cafadeed8fdf4a74fa084e52d1852e4a2bd0685c315d2")};

/// Whether the point is at infinity or on its curve.
constexpr bool on_curve(const G1& p) noexcept {
    return p.is_infinity() || square(p.y) == square(p.x) * p.x + kB;
}
constexpr bool on_curve(const G2& p) noexcept {
    return p.is_infinity() || square(p.y) == square(p.x) * p.x + kTwistB;
}

/// scalar * p for any scalar of 256 bits.
Jacobian<Fp> multiply(const G1& p, const core::U256& scalar) noexcept;

/// Whether a point of the twist has order r (or is at infinity).
bool in_subgroup(const G2& p) noexcept;

}  // namespace keel::crypto::bn254
