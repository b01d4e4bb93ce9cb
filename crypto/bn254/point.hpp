#pragma once

#include "crypto/bn254/tower.hpp"
#include "crypto/short_weierstrass.hpp"

namespace keel::crypto::bn254 {

using G1 = Affine<Fp>;
using G2 = Affine<Fp2>;

/// 3 / xi: the constant of the twist y^2 = x^3 + b'.
inline constexpr Fp2 kTwistB{
    Fp::of({0x3267e6dc24a138e5, 0xb5b4c5e559dbefa3, 0x81be18991be06ac3, 0x2b149d40ceb8aaae}),
    Fp::of({0xe4a2bd0685c315d2, 0xa74fa084e52d1852, 0xcd2cafadeed8fdf4, 0x009713b03af0fed4})};

/// Whether the point is at infinity or on its curve.
constexpr bool on_curve(const G1& p) noexcept {
    return p.is_infinity() || square(p.y) == square(p.x) * p.x + Fp::of(core::U256(3));
}
constexpr bool on_curve(const G2& p) noexcept {
    return p.is_infinity() || square(p.y) == square(p.x) * p.x + kTwistB;
}

/// scalar * p for any scalar of 256 bits.
Jacobian<Fp> multiply(const G1& p, const core::U256& scalar) noexcept;

/// Whether a point of the twist has order r (or is at infinity).
bool in_subgroup(const G2& p) noexcept;

}  // namespace keel::crypto::bn254
