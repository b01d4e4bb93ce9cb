#include "crypto/bls12_381/point.hpp"

namespace keel::crypto::bls12_381 {
namespace {

template <class F>
Jacobian<F> multiply_by_minus_x(const Jacobian<F>& p) noexcept {
    Jacobian<F> sum = p;
    for (int bit = 62; bit >= 0; --bit) {
        sum = twice(sum);
        if (((kMinusX >> bit) & 1) != 0) sum = sum + p;
    }
    return sum;
}

}  // namespace

Jacobian<Fp> times_minus_x(const Jacobian<Fp>& p) noexcept {
    return multiply_by_minus_x(p);
}
Jacobian<Fp2> times_minus_x(const Jacobian<Fp2>& p) noexcept {
    return multiply_by_minus_x(p);
}

// Scott, "A note on group membership tests for G1, G2 and GT on BLS pairing-friendly curves"
// (2021).

bool in_subgroup(const G1& p) noexcept {
    // The endomorphism solves e^2 + e + 1 = 0 everywhere; where it is -x^2, r = x^4 - x^2 + 1
    // times the point is infinity.
    if (p.is_infinity()) return true;
    const Jacobian<Fp> xx = times_minus_x(times_minus_x(Jacobian<Fp>::of(p)));
    return -xx == Jacobian<Fp>{p.x * kBeta, p.y, Fp::one()};
}

bool in_subgroup(const G2& p) noexcept {
    // psi solves psi^2 - (x + 1) psi + p = 0 everywhere; where it is x, p - x = r (x - 1)^2 / 3
    // times the point is infinity, and the twist's cofactor has no factor in common with
    // (x - 1)^2 / 3.
    if (p.is_infinity()) return true;
    const Jacobian<Fp2> point = Jacobian<Fp2>::of(p);
    return -times_minus_x(point) == psi(point);
}

}  // namespace keel::crypto::bls12_381
