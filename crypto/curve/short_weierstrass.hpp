#pragma once

#include <cstddef>
#include <span>

namespace keel::crypto::curve {

/// A point of y^2 = x^3 + b, b not 0, in affine coordinates; (0, 0), which is not on the curve, is
/// the point at infinity.
template <class F>
struct Affine {
    F x, y;

    constexpr bool is_infinity() const noexcept { return x.is_zero() && y.is_zero(); }
    friend constexpr bool operator==(const Affine&, const Affine&) noexcept = default;
};

/// The same as (x / z^2, y / z^3); z = 0 is the point at infinity.
template <class F>
struct Jacobian {
    F x, y, z;

    static constexpr Jacobian infinity() noexcept { return {F::one(), F::one(), F{}}; }
    static constexpr Jacobian of(const Affine<F>& a) noexcept {
        return a.is_infinity() ? infinity() : Jacobian{a.x, a.y, F::one()};
    }
    constexpr bool is_infinity() const noexcept { return z.is_zero(); }

    /// Whether both are the same point.
    friend constexpr bool operator==(const Jacobian& a, const Jacobian& b) noexcept {
        if (a.is_infinity() || b.is_infinity()) return a.is_infinity() == b.is_infinity();
        const F aa = square(a.z), bb = square(b.z);
        return a.x * bb == b.x * aa && a.y * bb * b.z == b.y * aa * a.z;
    }
};

// Formulas of the Explicit-Formulas Database for a = 0: dbl-2009-l, madd-2007-bl, add-2007-bl.

template <class F>
constexpr Jacobian<F> twice(const Jacobian<F>& p) noexcept {
    // Without a branch for infinity: z = 0 gives z = 0. No point has y = 0, since the orders are
    // odd.
    const F a = square(p.x), b = square(p.y), c = square(b);
    const F d = twice(square(p.x + b) - a - c);
    const F e = twice(a) + a;
    const F x = square(e) - twice(d);
    return {x, e * (d - x) - twice(twice(twice(c))), twice(p.y * p.z)};
}

template <class F>
constexpr Jacobian<F> operator+(const Jacobian<F>& p, const Affine<F>& q) noexcept {
    if (q.is_infinity()) return p;
    if (p.is_infinity()) return Jacobian<F>::of(q);
    const F zz = square(p.z);
    const F h = q.x * zz - p.x;
    const F r_half = q.y * p.z * zz - p.y;
    if (h.is_zero()) return r_half.is_zero() ? twice(p) : Jacobian<F>::infinity();
    const F hh = square(h);
    const F i = twice(twice(hh));
    const F j = h * i, v = p.x * i, r = twice(r_half);
    const F x = square(r) - j - twice(v);
    return {x, r * (v - x) - twice(p.y * j), square(p.z + h) - zz - hh};
}

template <class F>
constexpr Jacobian<F> operator+(const Jacobian<F>& p, const Jacobian<F>& q) noexcept {
    if (q.is_infinity()) return p;
    if (p.is_infinity()) return q;
    const F pp = square(p.z), qq = square(q.z);
    const F u = p.x * qq;
    const F s = p.y * q.z * qq;
    const F h = q.x * pp - u;
    const F r_half = q.y * p.z * pp - s;
    if (h.is_zero()) return r_half.is_zero() ? twice(p) : Jacobian<F>::infinity();
    const F i = square(twice(h));
    const F j = h * i, v = u * i, r = twice(r_half);
    const F x = square(r) - j - twice(v);
    return {x, r * (v - x) - twice(s * j), (square(p.z + q.z) - pp - qq) * h};
}

template <class F>
constexpr Jacobian<F> operator-(const Jacobian<F>& p) noexcept {
    return {p.x, -p.y, p.z};
}
template <class F>
constexpr Jacobian<F> operator-(const Jacobian<F>& p, const Jacobian<F>& q) noexcept {
    return p + -q;
}
template <class F>
constexpr Affine<F> operator-(const Affine<F>& p) noexcept {
    return {p.x, -p.y};
}

template <class F>
constexpr Affine<F> to_affine(const Jacobian<F>& p) noexcept {
    if (p.is_infinity()) return {};
    const F inverse = p.z.inverse();
    const F inverse_squared = square(inverse);
    return {p.x * inverse_squared, p.y * inverse_squared * inverse};
}

/// Brings points, none of them at infinity, to affine coordinates with one inversion (Montgomery's
/// trick). `scratch` is as long as `points`.
template <class F>
constexpr void to_affine(std::span<const Jacobian<F>> points, Affine<F>* out, F* scratch) noexcept {
    if (points.empty()) return;
    scratch[0] = points[0].z;  // the products of all z up to here
    for (size_t i = 1; i < points.size(); ++i) scratch[i] = scratch[i - 1] * points[i].z;
    F inverse = scratch[points.size() - 1].inverse();
    for (size_t i = points.size(); i-- > 0;) {
        const F z = i == 0 ? inverse : inverse * scratch[i - 1];
        inverse = inverse * points[i].z;
        const F zz = square(z);
        out[i] = {points[i].x * zz, points[i].y * zz * z};
    }
}

/// The sum without leaving affine coordinates, for a single addition: one inversion.
template <class F>
constexpr Affine<F> operator+(const Affine<F>& p, const Affine<F>& q) noexcept {
    if (p.is_infinity()) return q;
    if (q.is_infinity()) return p;
    F rise = q.y - p.y, run = q.x - p.x;
    if (run.is_zero()) {
        if (!rise.is_zero()) return {};  // opposite points
        const F xx = square(p.x);
        rise = twice(xx) + xx;
        run = twice(p.y);
    }
    const F slope = rise * run.inverse();
    const F x = square(slope) - p.x - q.x;
    return {x, slope * (p.x - x) - p.y};
}

}  // namespace keel::crypto::curve
