#include "crypto/bn254/pairing.hpp"

#include "crypto/curve/signed_windows.hpp"

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

// The curve holds (x w^2, y w^3) for (x, y) of the twist.
struct Curve {
    static Fp2 times_3b(const Fp2& a) noexcept { return a * (twice(kTwistB) + kTwistB); }
    static void multiply_by(Fp12& f, const Fp2& of_y, const Fp2& of_x,
                            const Fp2& constant) noexcept {
        f = multiply_by_034(f, of_y, of_x, constant);
    }
};

// The p-th power on the curve, seen on the twist.
G2 frobenius(const G2& q) noexcept {
    return {conjugate(q.x) * curve::kFrobenius<Fp>[0][1],
            conjugate(q.y) * curve::kFrobenius<Fp>[0][2]};
}

// a^t in the cyclotomic subgroup, where the inverse is the conjugate.
Fp12 power_t(const Fp12& a) noexcept {
    Fp12 odd_powers[curve::kOddMultiples];  // a, a^3, a^5 ...
    const Fp12 squared = cyclotomic_square(a);
    odd_powers[0] = a;
    for (size_t i = 1; i < std::size(odd_powers); ++i) odd_powers[i] = odd_powers[i - 1] * squared;
    std::array<int8_t, 65> digits;
    const auto power = [&odd_powers](int digit) {
        return digit > 0 ? odd_powers[digit / 2] : conjugate(odd_powers[-digit / 2]);
    };
    size_t at = curve::signed_windows(kT, digits) - 1;
    Fp12 result = power(digits[at]);
    while (at-- > 0) {
        result = cyclotomic_square(result);
        if (digits[at] != 0) result = result * power(digits[at]);
    }
    return result;
}

}  // namespace

Fp12 miller_loop(std::span<const Pair> pairs) {
    // Vercauteren, "Optimal pairings" (2010), IV: f_{6t+2,Q}(P), then lines to pi(Q) and -pi^2(Q).
    curve::MillerLoop<Curve, Fp> loop(pairs);
    loop.run(kLoop);
    for (size_t i = 0; i < pairs.size(); ++i) {
        const G2 q1 = frobenius(pairs[i].q);
        loop.add(i, q1);
        loop.add(i, -frobenius(q1));
    }
    return loop.value();
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
        return {conjugate(a.x) * curve::kFrobenius<Fp>[0][1],
                conjugate(a.y) * curve::kFrobenius<Fp>[0][2], conjugate(a.z)};
    };
    const Jacobian<Fp2> once = psi(t_times);
    const Jacobian<Fp2> left = t_times + p + once + psi(once);
    return left == psi(psi(twice(once)));
}

}  // namespace keel::crypto::bn254
