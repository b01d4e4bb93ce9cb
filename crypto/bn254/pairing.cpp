#include "crypto/bn254/pairing.hpp"

#include <vector>

namespace keel::crypto::bn254 {
namespace {

// The curve's parameter t (EIP-197 calls the loop count 6 t + 2).
constexpr uint64_t kT = 4965661367192848881;

// 6 t + 2 = 29793968203157093288 in non-adjacent form, most significant digit first, without that
// digit.
constexpr int8_t kLoop[65] = {0,  -1, 0, 1,  0, 0,  0,  -1, 0, -1, 0, 0,  0,  -1, 0, 1, 0,
                              -1, 0,  0, -1, 0, 0,  0,  0,  0, 1,  0, 0,  -1, 0,  1, 0, 0,
                              -1, 0,  0, 0,  0, -1, 0,  1,  0, 0,  0, -1, 0,  -1, 0, 0, 1,
                              0,  0,  0, -1, 0, 0,  -1, 0,  1, 0,  1, 0,  0,  0};

// A line through points of the twist as l0 y_P + l3 x_P w + l4 v w, up to a factor in Fp2, which
// the final exponentiation removes.
struct Line {
    Fp2 l0, l3, l4;
};

// The point (x / z, y / z) of the twist.
struct Projective {
    Fp2 x, y, z;
};

// Tangent at t; t = 2 t (Aranha, Karabina, Longa, Gebotys, Lopez, "Faster explicit formulas for
// computing pairings over ordinary curves", 2011, section 4).
Line double_step(Projective& t) noexcept {
    const Fp2 a = half(t.x * t.y);
    const Fp2 b = square(t.y);
    const Fp2 c = square(t.z);
    const Fp2 e = kTwistB * (twice(c) + c);
    const Fp2 f = twice(e) + e;
    const Fp2 g = half(b + f);
    const Fp2 h = square(t.y + t.z) - (b + c);
    const Fp2 xx = square(t.x);
    const Fp2 ee = square(e);
    t = {a * (b - f), square(g) - (twice(ee) + ee), b * h};
    return {-h, twice(xx) + xx, e - b};
}

// Line through t and q; t = t + q. They are different and not opposite: t is a multiple of q below
// the order.
Line add_step(Projective& t, const G2& q) noexcept {
    const Fp2 theta = t.y - q.y * t.z;
    const Fp2 lambda = t.x - q.x * t.z;
    const Fp2 d = square(lambda);
    const Fp2 e = lambda * d;
    const Fp2 f = t.z * square(theta);
    const Fp2 g = t.x * d;
    const Fp2 h = e + f - twice(g);
    t = {lambda * h, theta * (g - h) - e * t.y, t.z * e};
    return {lambda, -theta, theta * q.x - lambda * q.y};
}

// The p-th power on the curve, seen on the twist.
G2 frobenius(const G2& q) noexcept {
    return {conjugate(q.x) * kFrobenius[0][1], conjugate(q.y) * kFrobenius[0][2]};
}

// a^t in the cyclotomic subgroup, where the inverse is the conjugate: signed windows of odd digits
// below 16.
Fp12 power_t(const Fp12& a) noexcept {
    constexpr int kWindow = 5;
    Fp12 odd_powers[1 << (kWindow - 2)];  // a, a^3, a^5 ...
    const Fp12 squared = cyclotomic_square(a);
    odd_powers[0] = a;
    for (size_t i = 1; i < std::size(odd_powers); ++i) odd_powers[i] = odd_powers[i - 1] * squared;
    int8_t digits[66] = {};
    int count = 0;
    for (core::uint128_t rest = kT; rest != 0; ++count) {
        if ((rest & 1) != 0) {
            int digit = static_cast<int>(rest & ((1 << kWindow) - 1));
            if (digit >= 1 << (kWindow - 1)) digit -= 1 << kWindow;
            digits[count] = static_cast<int8_t>(digit);
            rest -= static_cast<core::uint128_t>(static_cast<core::int128_t>(digit));
        }
        rest >>= 1;
    }
    const auto power = [&odd_powers](int digit) {
        return digit > 0 ? odd_powers[digit / 2] : conjugate(odd_powers[-digit / 2]);
    };
    Fp12 result = power(digits[count - 1]);
    for (int i = count - 2; i >= 0; --i) {
        result = cyclotomic_square(result);
        if (digits[i] != 0) result = result * power(digits[i]);
    }
    return result;
}

}  // namespace

Fp12 miller_loop(std::span<const Pair> pairs) {
    // Vercauteren, "Optimal pairings" (2010), IV: f_{6t+2,Q}(P), then lines to pi(Q) and -pi^2(Q).
    std::vector<Projective> points;
    points.reserve(pairs.size());
    for (const Pair& pair : pairs) points.push_back({pair.q.x, pair.q.y, Fp2::one()});
    Fp12 f = Fp12::one();
    const auto multiply = [&f](const Line& line, const G1& p) {
        f = multiply_by_line(f, line.l0 * p.y, line.l3 * p.x, line.l4);
    };
    bool first = true;
    for (const int8_t digit : kLoop) {
        if (!first) f = square(f);
        first = false;
        for (size_t i = 0; i < pairs.size(); ++i) {
            multiply(double_step(points[i]), pairs[i].p);
            if (digit == 0) continue;
            multiply(add_step(points[i], digit > 0 ? pairs[i].q : -pairs[i].q), pairs[i].p);
        }
    }
    for (size_t i = 0; i < pairs.size(); ++i) {
        const G2 q1 = frobenius(pairs[i].q);
        const G2 q2 = -frobenius(q1);
        multiply(add_step(points[i], q1), pairs[i].p);
        multiply(add_step(points[i], q2), pairs[i].p);
    }
    return f;
}

Fp12 final_exponentiation(const Fp12& f) noexcept {
    // (p^6 - 1) (p^2 + 1).
    Fp12 a = conjugate(f) * f.inverse();
    a = a.frobenius(2) * a;
    // 2 t (6 t^2 + 3 t + 1) (p^4 - p^2 + 1) / r (Duquesne, Ghammam, "Memory-saving computation of
    // the pairing final exponentiation on BN curves", 2015); exponents of a beside the lines.
    const Fp12 minus_2t = conjugate(cyclotomic_square(power_t(a)));  // -2t
    const Fp12 minus_6t = cyclotomic_square(minus_2t) * minus_2t;    // -6t
    const Fp12 six_tt = conjugate(power_t(minus_6t));                // 6t^2
    const Fp12 twelve_ttt = power_t(cyclotomic_square(six_tt));      // 12t^3
    const Fp12 x = six_tt * conjugate(minus_6t) * twelve_ttt;        // 12t^3 + 6t^2 + 6t
    const Fp12 y = minus_2t * x;                                     // 12t^3 + 6t^2 + 4t
    const Fp12 z = a * six_tt * x;                                   // 12t^3 + 12t^2 + 6t + 1
    return z * y.frobenius(1) * x.frobenius(2) * (conjugate(a) * y).frobenius(3);
}

bool in_subgroup(const G2& p) noexcept {
    // (t + 1) P + psi(t P) + psi^2(t P) = psi^3(2 t P), psi the p-th power on the twist (Housni,
    // Guillevic, Piellard, "Co-factor clearing and subgroup membership testing on pairing-friendly
    // curves", 2022, 5.1). As an element of Z[psi] the difference has a norm coprime to the twist's
    // cofactor 2 p - r, so only points of order r pass.
    if (p.is_infinity()) return true;
    Jacobian<Fp2> t_times = Jacobian<Fp2>::of(p);
    for (int bit = 61; bit >= 0; --bit) {  // t has 63 bits
        t_times = twice(t_times);
        if (((kT >> bit) & 1) != 0) t_times = t_times + p;
    }
    const auto psi = [](const Jacobian<Fp2>& a) -> Jacobian<Fp2> {
        return {conjugate(a.x) * kFrobenius[0][1], conjugate(a.y) * kFrobenius[0][2],
                conjugate(a.z)};
    };
    const Jacobian<Fp2> once = psi(t_times);
    const Jacobian<Fp2> left = t_times + p + once + psi(once);
    return left == psi(psi(twice(once)));
}

}  // namespace keel::crypto::bn254
