#include "crypto/bls12_381/map_to_curve.hpp"

#include <iterator>

#include "crypto/bls12_381/isogenies.hpp"

namespace keel::crypto::bls12_381 {
namespace {

// A root of a, or of z^3 a where a is not a square; z is the constant of the map, no square either.
template <class F>
struct Root {
    F root;
    bool is_square;
};

Root<Fp> root_or_twisted(const Fp& a) noexcept {
    constexpr Fp kRootOfMinusCube =  // of -z^3 = -11^3
        fp("03d689d1e0e762cef9f2bec6130316806b4c80eda6fc10ce77ae83eab1ea8b8b8a407c9c6db195e06f2dbea"
           "bc2baeff5");
    const Fp root = a * power_of_root(a);  // of a or of -a
    if (square(root) == a) return {root, true};
    return {root * kRootOfMinusCube, false};
}

Root<Fp2> root_or_twisted(const Fp2& a) noexcept {
    constexpr Fp2 kCube = kIsogeny2.z * kIsogeny2.z * kIsogeny2.z;
    constexpr Fp kRootOfMinusNorm =  // the norm of z^3 is 125
        fp("0810e5a23cbb86fd12ded1af502287a397ed25c1d6fe0444e38c48e9c7ddb3c27cfebdd464e90f201fda0eb"
           "6983f2533");
    // a is a square where its norm is one in Fp.
    const Fp norm = square(a.c0) + square(a.c1);
    Fp root_of_norm = norm * power_of_root(norm);
    const bool is_square = square(root_of_norm) == norm;
    const Fp2 value = is_square ? a : a * kCube;
    if (!is_square) root_of_norm = root_of_norm * kRootOfMinusNorm;
    // (x + y i)^2 = value: x^2 is (c0 + n) / 2 or (c0 - n) / 2 for the root n of the norm, whose
    // product is -(c1 / 2)^2, and y = c1 / (2 x).
    Fp first = half(value.c0 + root_of_norm);
    if (first.is_zero()) first = value.c0;  // c1 is 0: the other one
    const Fp power = power_of_root(first);
    const Fp x = first * power;
    const Fp y = half(value.c1) * power;
    // power * x is 1 where the first one is a square, else -1: then x is a root of -first, y one of
    // the second.
    if (square(x) == first) return {{x, y}, is_square};
    return {{y, -x}, is_square};
}

// RFC 9380, 4.1: sgn0.
bool is_odd(const Fp& a) noexcept {
    return (a.words()[0] & 1) != 0;
}
bool is_odd(const Fp2& a) noexcept {
    return a.c0.is_zero() ? is_odd(a.c1) : is_odd(a.c0);
}

// RFC 9380, 6.6.2.
template <class F, class Curve>
Affine<F> map_to_isogenous(const F& u, const Curve& curve) noexcept {
    const F zuu = curve.z * square(u);
    const F sum = square(zuu) + zuu;
    const F denominator = sum.is_zero() ? curve.a * curve.z : -(curve.a * sum);
    F x = curve.b * (sum + F::one()) * denominator.inverse();
    const F right_side = (square(x) + curve.a) * x + curve.b;
    auto [y, is_square] = root_or_twisted(right_side);
    if (!is_square) {
        // x times z u^2 multiplies the right side by (z u^2)^3.
        x = x * zuu;
        y = y * square(u) * u;
    }
    return {x, is_odd(u) == is_odd(y) ? y : -y};
}

template <class F, size_t kCount>
F evaluate(const F (&coefficients)[kCount], const F& x) noexcept {
    F value = coefficients[kCount - 1];
    for (size_t i = kCount - 1; i-- > 0;) value = value * x + coefficients[i];
    return value;
}

// A zero denominator means infinity, which the product of both as z gives.
template <class F, class Curve>
Jacobian<F> apply_isogeny(const Affine<F>& p, const Curve& curve) noexcept {
    const F x_denominator = evaluate(curve.x_denominator, p.x);
    const F y_denominator = evaluate(curve.y_denominator, p.x);
    const F z = x_denominator * y_denominator;
    const F zz = square(z);
    return {evaluate(curve.x_numerator, p.x) * y_denominator * z,
            p.y * evaluate(curve.y_numerator, p.x) * x_denominator * zz, z};
}

}  // namespace

Jacobian<Fp> map_to_curve(const Fp& u) noexcept {
    const Jacobian<Fp> p = apply_isogeny(map_to_isogenous(u, kIsogeny1), kIsogeny1);
    return times_minus_x(p) + p;  // h_eff = 1 - x: RFC 9380, 8.8.1
}

Jacobian<Fp2> map_to_curve(const Fp2& u) noexcept {
    const Jacobian<Fp2> p = apply_isogeny(map_to_isogenous(u, kIsogeny2), kIsogeny2);
    // (x^2 - x - 1) P + (x - 1) psi(P) + psi^2(2 P): RFC 9380, appendix G.3 (Budroni, Pintore,
    // "Efficient hash maps to G2 on BLS curves", 2017).
    const Jacobian<Fp2> minus_x = times_minus_x(p);
    const Jacobian<Fp2> psi_of_p = psi(p);
    const Jacobian<Fp2> inner = minus_x + -psi_of_p;  // -x (-x P - psi(P)) = x^2 P + x psi(P)
    return times_minus_x(inner) + minus_x + -p + -psi_of_p + psi(psi(twice(p)));
}

}  // namespace keel::crypto::bls12_381
