#pragma once

#include "crypto/bls12_381/fp.hpp"

namespace keel::crypto::bls12_381 {

// Fp2 = Fp[i] / (i^2 + 1), Fp6 = Fp2[v] / (v^3 - xi) with xi = 1 + i, Fp12 = Fp6[w] / (w^2 - v).
// Products by Karatsuba, as in Devegili, O hEigeartaigh, Scott, Dahab, "Multiplication and squaring
// on pairing-friendly fields" (2006).

struct Fp2 {
    Fp c0, c1;

    static constexpr Fp2 one() noexcept { return {Fp::one(), Fp{}}; }
    constexpr bool is_zero() const noexcept { return c0.is_zero() && c1.is_zero(); }
    Fp2 inverse() const noexcept;  // 0 for 0

    friend constexpr bool operator==(const Fp2&, const Fp2&) noexcept = default;
};

constexpr Fp2 operator+(const Fp2& a, const Fp2& b) noexcept {
    return {a.c0 + b.c0, a.c1 + b.c1};
}
constexpr Fp2 operator-(const Fp2& a, const Fp2& b) noexcept {
    return {a.c0 - b.c0, a.c1 - b.c1};
}
constexpr Fp2 operator-(const Fp2& a) noexcept {
    return {-a.c0, -a.c1};
}
constexpr Fp2 operator*(const Fp2& a, const Fp2& b) noexcept {
    if (std::is_constant_evaluated()) {
        return {a.c0 * b.c0 - a.c1 * b.c1, a.c0 * b.c1 + a.c1 * b.c0};
    }
    // Two sums with one reduction each (Longa, "Efficient algorithms for large prime characteristic
    // fields and their application to bilinear pairings", 2023).
    Fp2 product;
    const Fp2 negated{a.c0, -a.c1};
    sum_of_products(product.c0, negated, b, false);
    sum_of_products(product.c1, a, b, true);
    return product;
}
constexpr Fp2 operator*(const Fp2& a, const Fp& b) noexcept {
    return {a.c0 * b, a.c1 * b};
}
constexpr Fp2 twice(const Fp2& a) noexcept {
    return a + a;
}
constexpr Fp2 half(const Fp2& a) noexcept {
    return {half(a.c0), half(a.c1)};
}
constexpr Fp2 square(const Fp2& a) noexcept {
    if (std::is_constant_evaluated()) {
        return {(a.c0 + a.c1) * (a.c0 - a.c1), twice(a.c0 * a.c1)};
    }
    return {detail::add_unreduced(a.c0, a.c1) * (a.c0 - a.c1),
            detail::add_unreduced(a.c0, a.c0) * a.c1};
}
constexpr Fp2 conjugate(const Fp2& a) noexcept {
    return {a.c0, -a.c1};
}
/// a * (1 + i).
constexpr Fp2 times_xi(const Fp2& a) noexcept {
    return {a.c0 - a.c1, a.c0 + a.c1};
}
inline Fp2 Fp2::inverse() const noexcept {
    const Fp norm = (bls12_381::square(c0) + bls12_381::square(c1)).inverse();
    return {c0 * norm, -(c1 * norm)};
}

struct Fp6 {
    Fp2 c0, c1, c2;

    static constexpr Fp6 one() noexcept { return {Fp2::one(), Fp2{}, Fp2{}}; }
    Fp6 inverse() const noexcept;

    friend constexpr bool operator==(const Fp6&, const Fp6&) noexcept = default;
};

constexpr Fp6 operator+(const Fp6& a, const Fp6& b) noexcept {
    return {a.c0 + b.c0, a.c1 + b.c1, a.c2 + b.c2};
}
constexpr Fp6 operator-(const Fp6& a, const Fp6& b) noexcept {
    return {a.c0 - b.c0, a.c1 - b.c1, a.c2 - b.c2};
}
constexpr Fp6 operator-(const Fp6& a) noexcept {
    return {-a.c0, -a.c1, -a.c2};
}
constexpr Fp6 twice(const Fp6& a) noexcept {
    return a + a;
}
/// a * v.
constexpr Fp6 times_v(const Fp6& a) noexcept {
    return {times_xi(a.c2), a.c0, a.c1};
}
Fp6 operator*(const Fp6& a, const Fp6& b) noexcept;
Fp6 operator*(const Fp6& a, const Fp2& b) noexcept;
/// a * (b0 + b1 v).
Fp6 multiply_by_01(const Fp6& a, const Fp2& b0, const Fp2& b1) noexcept;

struct Fp12 {
    Fp6 c0, c1;

    static constexpr Fp12 one() noexcept { return {Fp6::one(), Fp6{}}; }
    Fp12 inverse() const noexcept;
    /// The p^power-th power, for 1, 2 or 3.
    Fp12 frobenius(int power) const noexcept;

    friend constexpr bool operator==(const Fp12&, const Fp12&) noexcept = default;
};

Fp12 operator*(const Fp12& a, const Fp12& b) noexcept;
Fp12 square(const Fp12& a) noexcept;
/// The p^6-th power; in the cyclotomic subgroup the inverse.
constexpr Fp12 conjugate(const Fp12& a) noexcept {
    return {a.c0, -a.c1};
}
/// a^2 for a in the cyclotomic subgroup of order p^4 - p^2 + 1 (Granger, Scott 2010).
Fp12 cyclotomic_square(const Fp12& a) noexcept;
/// a * (b0 + b1 v + b4 v w): a line of the Miller loop.
Fp12 multiply_by_line(const Fp12& a, const Fp2& b0, const Fp2& b1, const Fp2& b4) noexcept;
/// a * (b0 + b1 v + v w).
Fp12 multiply_by_line(const Fp12& a, const Fp2& b0, const Fp2& b1) noexcept;

/// xi^(j (p^k - 1) / 6) for k = 1, 2, 3 and j = 1 ... 5: what w^j is multiplied by under the p^k-th
/// power.
extern const Fp2 kFrobenius[3][5];

}  // namespace keel::crypto::bls12_381
