#pragma once

#include "crypto/bls12_381/tower.hpp"
#include "crypto/curve/short_weierstrass.hpp"

namespace keel::crypto::bls12_381 {

// G1 is the subgroup of order r of y^2 = x^3 + 4, G2 that of the twist y^2 = x^3 + 4 (1 + i)
// (EIP-2537, "Curve parameters").
using curve::Affine;
using curve::Jacobian;
using G1 = Affine<Fp>;
using G2 = Affine<Fp2>;

/// The curve's parameter x is the negative of this; r = x^4 - x^2 + 1.
inline constexpr uint64_t kMinusX = 0xd201000000010000;

inline constexpr Fp kB = Fp::of(4);
inline constexpr Fp2 kTwistB{kB, kB};

inline constexpr G1 kGenerator1{
    fp("17f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb2"
       "2c6bb"),
    fp("08b3f481e3aaa0f1a09e30ed741d8ae4fcf5e095d5d00af600db18cb2c04b3edd03cc744a2888ae40caa232946c"
       "5e7e1")};
inline constexpr G2 kGenerator2{
    {fp("024aa2b2f08f0a91260805272dc51051c6e47ad4fa403b02b4510b647ae3d1770bac0326a805bbefd48056c8c1"
        "21bdb8"),
     fp("13e02b6052719f607dacd3a088274f65596bd0d09920b61ab5da61bbdc7f5049334cf11213945d57e5ac7d055d"
        "042b7e")},
    {fp("0ce5d527727d6e118cc9cdc6da2e351aadfd9baa8cbdd3a76d429a695160d12c923ac9cc3baca289e193548608"
        "b82801"),
     fp("0606c4a02ea734cc32acd2b02bc28b99cb3e287e85a763af267492ab572e99ab3f370d275cec1da1aaa9075ff0"
        "5f79be")}};

/// Whether the point is at infinity or on its curve.
constexpr bool on_curve(const G1& p) noexcept {
    return p.is_infinity() || square(p.y) == square(p.x) * p.x + kB;
}
constexpr bool on_curve(const G2& p) noexcept {
    return p.is_infinity() || square(p.y) == square(p.x) * p.x + kTwistB;
}

/// The endomorphism (x, y) -> (beta x, y), beta^3 = 1. In G1 it multiplies by -x^2.
inline constexpr Fp kBeta =
    fp("5f19672fdf76ce51ba69c6076a0f77eaddb3a93be6f89688de17d813620a00022e01fffffffefffe");

/// The p-th power on the curve, seen on the twist. In G2 it multiplies by x. The factors are
/// (1 + i)^((1 - p) / 3), which has no real part, and (1 + i)^((1 - p) / 2).
inline constexpr Fp kPsiX =
    fp("1a0111ea397fe699ec02408663d4de85aa0d857d89759ad4897d29650fb85f9b409427eb4f49fffd8bfd0000000"
       "0aaad");
inline constexpr Fp2 kPsiY{
    fp("135203e60180a68ee2e9c448d77a2cd91c3dedd930b1cf60ef396489f61eb45e304466cf3e67fa0af1ee7b04121"
       "bdea2"),
    fp("06af0e0437ff400b6831e36d6bd17ffe48395dabc2d3435e77f76e17009241c5ee67992f72ec05f4c81084fbede"
       "3cc09")};
constexpr Fp2 psi_x(const Fp2& x) noexcept {
    return {x.c1 * kPsiX, x.c0 * kPsiX};  // conjugate(x) * kPsiX * i
}
constexpr G2 psi(const G2& p) noexcept {
    return {psi_x(p.x), conjugate(p.y) * kPsiY};
}
constexpr Jacobian<Fp2> psi(const Jacobian<Fp2>& p) noexcept {
    return {psi_x(p.x), conjugate(p.y) * kPsiY, conjugate(p.z)};
}

/// -x * p for the curve's x.
Jacobian<Fp> times_minus_x(const Jacobian<Fp>& p) noexcept;
Jacobian<Fp2> times_minus_x(const Jacobian<Fp2>& p) noexcept;

/// Whether a point of the curve has order r (or is at infinity).
bool in_subgroup(const G1& p) noexcept;
bool in_subgroup(const G2& p) noexcept;

}  // namespace keel::crypto::bls12_381
