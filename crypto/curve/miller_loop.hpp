#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "crypto/curve/short_weierstrass.hpp"
#include "crypto/curve/tower.hpp"

namespace keel::crypto::curve {

/// A pair of a pairing, none of both at infinity.
template <class Fp>
struct Pair {
    Affine<Fp> p;       // of the curve
    Affine<Fp2<Fp>> q;  // of its twist over Fp2
};

/// A line through points of the twist, of_y * y_P + of_x * x_P + constant with powers of w that
/// depend on the twist, up to a factor in a subfield, which the final exponentiation removes.
template <class Fp>
struct Line {
    Fp2<Fp> of_y, of_x, constant;
};

/// The point (x / z, y / z) of the twist.
template <class Fp>
struct Projective {
    Fp2<Fp> x, y, z;
};

/// Tangent at t; t = 2 t (Aranha, Karabina, Longa, Gebotys, Lopez, "Faster explicit formulas for
/// computing pairings over ordinary curves", 2011, section 4), the point scaled by 4 to avoid
/// halves. Curve::times_3b multiplies by three times the twist's constant.
template <class Curve, class Fp>
Line<Fp> double_step(Projective<Fp>& t) noexcept {
    const Fp2<Fp> a = twice(t.x * t.y);
    const Fp2<Fp> b = square(t.y);
    const Fp2<Fp> c = square(t.z);
    const Fp2<Fp> e = Curve::times_3b(c);
    const Fp2<Fp> f = twice(e) + e;
    const Fp2<Fp> h = square(t.y + t.z) - (b + c);
    const Fp2<Fp> xx = square(t.x);
    const Fp2<Fp> ee = twice(twice(square(e)));
    t = {a * (b - f), square(b + f) - (twice(ee) + ee), twice(twice(b * h))};
    return {-h, twice(xx) + xx, e - b};
}

/// Line through t and q; t = t + q. They are different and not opposite: t is a multiple of q below
/// the order.
template <class Fp>
Line<Fp> add_step(Projective<Fp>& t, const Affine<Fp2<Fp>>& q) noexcept {
    const Fp2<Fp> theta = t.y - q.y * t.z;
    const Fp2<Fp> lambda = t.x - q.x * t.z;
    const Fp2<Fp> d = square(lambda);
    const Fp2<Fp> e = lambda * d;
    const Fp2<Fp> f = t.z * square(theta);
    const Fp2<Fp> g = t.x * d;
    const Fp2<Fp> h = e + f - twice(g);
    t = {lambda * h, theta * (g - h) - e * t.y, t.z * e};
    return {lambda, -theta, theta * q.x - lambda * q.y};
}

/// The Miller loop of many pairs at once, which share all squarings. Curve::multiply_by(f, of_y,
/// of_x, constant) multiplies f by a line whose first two coefficients have been multiplied by y_P
/// and x_P.
template <class Curve, class Fp>
class MillerLoop {
  public:
    explicit MillerLoop(std::span<const Pair<Fp>> pairs) : pairs_(pairs) {
        points_.reserve(pairs.size());
        for (const Pair<Fp>& pair : pairs) points_.push_back({pair.q.x, pair.q.y, Fp2<Fp>::one()});
    }

    /// f_{n,Q}(P) for n = 2^digits.size() + ... with the digits -1, 0, 1 of n below its highest,
    /// highest first.
    void run(std::span<const int8_t> digits) noexcept {
        bool first = true;
        for (const int8_t digit : digits) {
            if (!first) value_ = square(value_);
            first = false;
            for (size_t i = 0; i < pairs_.size(); ++i) {
                multiply(double_step<Curve>(points_[i]), pairs_[i].p);
                if (digit != 0) add(i, digit > 0 ? pairs_[i].q : -pairs_[i].q);
            }
        }
    }
    /// The line through the point that pair `index` has come to and q.
    void add(size_t index, const Affine<Fp2<Fp>>& q) noexcept {
        multiply(add_step(points_[index], q), pairs_[index].p);
    }
    const Fp12<Fp>& value() const noexcept { return value_; }

  private:
    void multiply(const Line<Fp>& line, const Affine<Fp>& p) noexcept {
        // References: lines copied in halves of 16 bytes would wait for the words just stored.
        Curve::multiply_by(value_, line.of_y * p.y, line.of_x * p.x, line.constant);
    }

    std::span<const Pair<Fp>> pairs_;
    std::vector<Projective<Fp>> points_;
    Fp12<Fp> value_ = Fp12<Fp>::one();
};

}  // namespace keel::crypto::curve
