#pragma once

#include "crypto/bn254/fp.hpp"

namespace keel::crypto::bn254 {

// Fp2 = Fp[i] / (i^2 + 1), Fp6 = Fp2[v] / (v^3 - xi) with xi = 9 + i, Fp12 = Fp6[w] / (w^2 - v).
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
    const Fp real = a.c0 * b.c0, imaginary = a.c1 * b.c1;
    return {real - imaginary, (a.c0 + a.c1) * (b.c0 + b.c1) - real - imaginary};
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
    return {(a.c0 + a.c1) * (a.c0 - a.c1), twice(a.c0 * a.c1)};
}
constexpr Fp2 conjugate(const Fp2& a) noexcept {
    return {a.c0, -a.c1};
}
/// a * (9 + i).
constexpr Fp2 times_xi(const Fp2& a) noexcept {
    const Fp2 nine = twice(twice(twice(a))) + a;
    return {nine.c0 - a.c1, nine.c1 + a.c0};
}
inline Fp2 Fp2::inverse() const noexcept {
    const Fp norm = (bn254::square(c0) + bn254::square(c1)).inverse();
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
    /// The p^power-th power, power 1, 2 or 3.
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
/// a * (b0 + b3 w + b4 v w): a line of the Miller loop.
Fp12 multiply_by_line(const Fp12& a, const Fp2& b0, const Fp2& b3, const Fp2& b4) noexcept;

/// xi^(j (p^k - 1) / 6) for k = 1, 2, 3 and j = 1 ... 5: what w^j is multiplied by under the p^k-th
/// power.
extern const Fp2 kFrobenius[3][5];

}  // namespace keel::crypto::bn254
