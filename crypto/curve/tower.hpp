#pragma once

#include <array>

#include "crypto/curve/prime_field.hpp"

namespace keel::crypto::curve {

// Fp2 = Fp[i] / (i^2 + 1), Fp6 = Fp2[v] / (v^3 - xi), Fp12 = Fp6[w] / (w^2 - v): the tower over a
// prime that is 3 modulo 4, for curves of embedding degree 12. Products by Karatsuba, as in
// Devegili, O hEigeartaigh, Scott, Dahab, "Multiplication and squaring on pairing-friendly fields"
// (2006).

/// What a curve says of its tower, as static members of a specialisation:
/// times_xi(a), a * xi for a in Fp2; kRootOfXi = xi^((p - 1) / 6).
template <class Fp>
struct Tower;

template <class Fp>
struct Fp2 {
    Fp c0, c1;

    static constexpr Fp2 one() noexcept { return {Fp::one(), Fp{}}; }
    constexpr bool is_zero() const noexcept { return c0.is_zero() && c1.is_zero(); }
    Fp2 inverse() const noexcept {  // 0 for 0
        const Fp norm = (square(c0) + square(c1)).inverse();
        return {c0 * norm, -(c1 * norm)};
    }

    friend constexpr bool operator==(const Fp2&, const Fp2&) noexcept = default;
};

template <class Fp>
constexpr Fp2<Fp> operator+(const Fp2<Fp>& a, const Fp2<Fp>& b) noexcept {
    return {a.c0 + b.c0, a.c1 + b.c1};
}
template <class Fp>
constexpr Fp2<Fp> operator-(const Fp2<Fp>& a, const Fp2<Fp>& b) noexcept {
    return {a.c0 - b.c0, a.c1 - b.c1};
}
template <class Fp>
constexpr Fp2<Fp> operator-(const Fp2<Fp>& a) noexcept {
    return {-a.c0, -a.c1};
}
template <class Fp>
constexpr Fp2<Fp> operator*(const Fp2<Fp>& a, const Fp2<Fp>& b) noexcept {
    if (std::is_constant_evaluated()) {
        return {a.c0 * b.c0 - a.c1 * b.c1, a.c0 * b.c1 + a.c1 * b.c0};
    }
    // Two sums with one reduction each (Longa, "Efficient algorithms for large prime characteristic
    // fields and their application to bilinear pairings", 2023).
    Fp2<Fp> product;
    const Fp2<Fp> negated{a.c0, -a.c1};
    sum_of_products(product.c0, negated, b, false);
    sum_of_products(product.c1, a, b, true);
    return product;
}
template <class Fp>
constexpr Fp2<Fp> operator*(const Fp2<Fp>& a, const Fp& b) noexcept {
    return {a.c0 * b, a.c1 * b};
}
template <class Fp>
constexpr Fp2<Fp> twice(const Fp2<Fp>& a) noexcept {
    return a + a;
}
template <class Fp>
constexpr Fp2<Fp> half(const Fp2<Fp>& a) noexcept {
    return {half(a.c0), half(a.c1)};
}
template <class Fp>
constexpr Fp2<Fp> square(const Fp2<Fp>& a) noexcept {
    return {add_unreduced(a.c0, a.c1) * (a.c0 - a.c1), add_unreduced(a.c0, a.c0) * a.c1};
}
template <class Fp>
constexpr Fp2<Fp> conjugate(const Fp2<Fp>& a) noexcept {
    return {a.c0, -a.c1};
}
template <class Fp>
constexpr Fp2<Fp> times_xi(const Fp2<Fp>& a) noexcept {
    return Tower<Fp>::times_xi(a);
}

template <class Fp>
struct Fp6 {
    Fp2<Fp> c0, c1, c2;

    static constexpr Fp6 one() noexcept { return {Fp2<Fp>::one(), Fp2<Fp>{}, Fp2<Fp>{}}; }
    Fp6 inverse() const noexcept {
        // The adjugate: (c0 + c1 v + c2 v^2) (x0 + x1 v + x2 v^2) is in Fp2.
        const Fp2<Fp> x0 = square(c0) - times_xi(c1 * c2);
        const Fp2<Fp> x1 = times_xi(square(c2)) - c0 * c1;
        const Fp2<Fp> x2 = square(c1) - c0 * c2;
        const Fp2<Fp> norm = (c0 * x0 + times_xi(c2 * x1 + c1 * x2)).inverse();
        return {x0 * norm, x1 * norm, x2 * norm};
    }

    friend constexpr bool operator==(const Fp6&, const Fp6&) noexcept = default;
};

template <class Fp>
constexpr Fp6<Fp> operator+(const Fp6<Fp>& a, const Fp6<Fp>& b) noexcept {
    return {a.c0 + b.c0, a.c1 + b.c1, a.c2 + b.c2};
}
template <class Fp>
constexpr Fp6<Fp> operator-(const Fp6<Fp>& a, const Fp6<Fp>& b) noexcept {
    return {a.c0 - b.c0, a.c1 - b.c1, a.c2 - b.c2};
}
template <class Fp>
constexpr Fp6<Fp> operator-(const Fp6<Fp>& a) noexcept {
    return {-a.c0, -a.c1, -a.c2};
}
template <class Fp>
constexpr Fp6<Fp> twice(const Fp6<Fp>& a) noexcept {
    return a + a;
}
/// a * v.
template <class Fp>
constexpr Fp6<Fp> times_v(const Fp6<Fp>& a) noexcept {
    return {times_xi(a.c2), a.c0, a.c1};
}
template <class Fp>
Fp6<Fp> operator*(const Fp6<Fp>& a, const Fp6<Fp>& b) noexcept {
    const Fp2<Fp> v0 = a.c0 * b.c0, v1 = a.c1 * b.c1, v2 = a.c2 * b.c2;
    return {times_xi((a.c1 + a.c2) * (b.c1 + b.c2) - v1 - v2) + v0,
            (a.c0 + a.c1) * (b.c0 + b.c1) - v0 - v1 + times_xi(v2),
            (a.c0 + a.c2) * (b.c0 + b.c2) - v0 - v2 + v1};
}
template <class Fp>
Fp6<Fp> operator*(const Fp6<Fp>& a, const Fp2<Fp>& b) noexcept {
    return {a.c0 * b, a.c1 * b, a.c2 * b};
}
/// a * (b0 + b1 v).
template <class Fp>
Fp6<Fp> multiply_by_01(const Fp6<Fp>& a, const Fp2<Fp>& b0, const Fp2<Fp>& b1) noexcept {
    const Fp2<Fp> v0 = a.c0 * b0, v1 = a.c1 * b1;
    return {times_xi((a.c1 + a.c2) * b1 - v1) + v0, (a.c0 + a.c1) * (b0 + b1) - v0 - v1,
            (a.c0 + a.c2) * b0 - v0 + v1};
}
/// a * (v b1).
template <class Fp>
Fp6<Fp> multiply_by_1(const Fp6<Fp>& a, const Fp2<Fp>& b1) noexcept {
    return {times_xi(a.c2 * b1), a.c0 * b1, a.c1 * b1};
}

/// xi^(j (p^k - 1) / 6) at [k - 1][j - 1], for k = 1, 2, 3 and j = 1 ... 5: what w^j is multiplied
/// by under the p^k-th power.
template <class Fp>
using FrobeniusFactors = std::array<std::array<Fp2<Fp>, 5>, 3>;

template <class Fp>
inline constexpr FrobeniusFactors<Fp> kFrobenius = [] {
    FrobeniusFactors<Fp> factors{};
    Fp2<Fp> power = Fp2<Fp>::one();
    for (size_t j = 0; j < 5; ++j) {
        power = power * Tower<Fp>::kRootOfXi;
        // p^k - 1 = (p - 1) + p (p^(k - 1) - 1), and the p-th power of Fp2 is the conjugate.
        factors[0][j] = power;
        factors[1][j] = power * conjugate(factors[0][j]);
        factors[2][j] = power * conjugate(factors[1][j]);
    }
    return factors;
}();

template <class Fp>
struct Fp12 {
    Fp6<Fp> c0, c1;

    static constexpr Fp12 one() noexcept { return {Fp6<Fp>::one(), Fp6<Fp>{}}; }
    Fp12 inverse() const noexcept {
        const Fp6<Fp> norm = (c0 * c0 - times_v(c1 * c1)).inverse();
        return {c0 * norm, -(c1 * norm)};
    }
    /// The p^power-th power, for 1, 2 or 3.
    Fp12 frobenius(size_t power) const noexcept {
        // The element is the sum of a_j w^j with a_0, a_2, a_4 in c0 and a_1, a_3, a_5 in c1.
        const auto& factor = kFrobenius<Fp>[power - 1];
        const auto image = [power](const Fp2<Fp>& a) { return power % 2 == 1 ? conjugate(a) : a; };
        return {{image(c0.c0), image(c0.c1) * factor[1], image(c0.c2) * factor[3]},
                {image(c1.c0) * factor[0], image(c1.c1) * factor[2], image(c1.c2) * factor[4]}};
    }

    friend constexpr bool operator==(const Fp12&, const Fp12&) noexcept = default;
};

template <class Fp>
Fp12<Fp> operator*(const Fp12<Fp>& a, const Fp12<Fp>& b) noexcept {
    const Fp6<Fp> v0 = a.c0 * b.c0, v1 = a.c1 * b.c1;
    return {v0 + times_v(v1), (a.c0 + a.c1) * (b.c0 + b.c1) - v0 - v1};
}
template <class Fp>
Fp12<Fp> square(const Fp12<Fp>& a) noexcept {
    // (a0 + a1) (a0 + v a1) = a0^2 + v a1^2 + (1 + v) a0 a1.
    const Fp6<Fp> product = a.c0 * a.c1;
    return {(a.c0 + a.c1) * (a.c0 + times_v(a.c1)) - product - times_v(product), twice(product)};
}
/// The p^6-th power; in the cyclotomic subgroup the inverse.
template <class Fp>
constexpr Fp12<Fp> conjugate(const Fp12<Fp>& a) noexcept {
    return {a.c0, -a.c1};
}

/// (c0 + c1 s)^2 in Fp4 = Fp2[s] / (s^2 - xi).
template <class Fp>
struct SquareInFp4 {
    Fp2<Fp> c0, c1;

    SquareInFp4(const Fp2<Fp>& a, const Fp2<Fp>& b) noexcept {
        const Fp2<Fp> aa = square(a), bb = square(b);
        c0 = aa + times_xi(bb);
        c1 = square(a + b) - aa - bb;
    }
};
template <class Fp>
Fp2<Fp> three_minus_two(const Fp2<Fp>& t, const Fp2<Fp>& z) noexcept {
    return twice(t - z) + t;
}
template <class Fp>
Fp2<Fp> three_plus_two(const Fp2<Fp>& t, const Fp2<Fp>& z) noexcept {
    return twice(t + z) + t;
}

/// a^2 for a in the cyclotomic subgroup of order p^4 - p^2 + 1 (Granger, Scott 2010).
template <class Fp>
Fp12<Fp> cyclotomic_square(const Fp12<Fp>& a) noexcept {
    const SquareInFp4<Fp> first(a.c0.c0, a.c1.c1);
    const SquareInFp4<Fp> second(a.c1.c0, a.c0.c2);
    const SquareInFp4<Fp> third(a.c0.c1, a.c1.c2);
    return {{three_minus_two(first.c0, a.c0.c0), three_minus_two(second.c0, a.c0.c1),
             three_minus_two(third.c0, a.c0.c2)},
            {three_plus_two(times_xi(third.c1), a.c1.c0), three_plus_two(first.c1, a.c1.c1),
             three_plus_two(second.c1, a.c1.c2)}};
}

// Products with lines of a Miller loop, named after the powers of w in the order of c0.c0, c0.c1,
// c0.c2, c1.c0, c1.c1, c1.c2 whose coefficients are not 0.

/// a * (b0 + b3 w + b4 v w).
template <class Fp>
Fp12<Fp> multiply_by_034(const Fp12<Fp>& a, const Fp2<Fp>& b0, const Fp2<Fp>& b3,
                         const Fp2<Fp>& b4) noexcept {
    const Fp6<Fp> v0 = a.c0 * b0;
    const Fp6<Fp> v1 = multiply_by_01(a.c1, b3, b4);
    return {v0 + times_v(v1), multiply_by_01(a.c0 + a.c1, b0 + b3, b4) - v0 - v1};
}
/// a * (b0 + b1 v + b4 v w).
template <class Fp>
Fp12<Fp> multiply_by_014(const Fp12<Fp>& a, const Fp2<Fp>& b0, const Fp2<Fp>& b1,
                         const Fp2<Fp>& b4) noexcept {
    const Fp6<Fp> v0 = multiply_by_01(a.c0, b0, b1);
    const Fp6<Fp> v1 = multiply_by_1(a.c1, b4);
    return {v0 + times_v(v1), multiply_by_01(a.c0 + a.c1, b0, b1 + b4) - v0 - v1};
}
/// a * (b0 + b1 v + v w).
template <class Fp>
Fp12<Fp> multiply_by_014(const Fp12<Fp>& a, const Fp2<Fp>& b0, const Fp2<Fp>& b1) noexcept {
    const Fp6<Fp> v0 = multiply_by_01(a.c0, b0, b1);
    const Fp6<Fp> v1 = times_v(a.c1);
    return {v0 + times_v(v1), multiply_by_01(a.c0 + a.c1, b0, b1 + Fp2<Fp>::one()) - v0 - v1};
}

}  // namespace keel::crypto::curve
