#pragma once

#include <span>
#include <vector>

#include "core/bytes.hpp"
#include "crypto/bls12_381/fp.hpp"
#include "crypto/kzg.hpp"

namespace keel::crypto::kzg {

using bls12_381::Fr;

/// Coefficients, that of x^0 first.
using Polynomial = std::vector<Fr>;

inline constexpr size_t kExtendedElements = 2 * kBlobElements;

/// Powers w^0, w^1 ... w^(kExtendedElements - 1) of a root of unity w of that order.
std::span<const Fr> roots_of_unity();

/// `index` with its lowest `bits` bits in reverse.
constexpr size_t reverse_bits(size_t index, unsigned bits) noexcept {
    size_t reversed = 0;
    for (unsigned i = 0; i < bits; ++i) reversed |= ((index >> i) & 1) << (bits - 1 - i);
    return reversed;
}

// Transforms of a power of two of values, in place, without any permutation: coefficients are in
// their order, values at the roots of unity of that order stand where the bits of the exponent, in
// reverse, say. T is Fr or a type with sums, differences and products with an Fr.

/// From coefficients to values (Gentleman, Sande 1966).
template <class T>
void evaluate_all(std::span<T> a) {
    const auto roots = roots_of_unity();
    for (size_t half = a.size() / 2; half != 0; half /= 2) {
        const size_t stride = kExtendedElements / (2 * half);
        for (size_t begin = 0; begin < a.size(); begin += 2 * half) {
            for (size_t j = 0; j < half; ++j) {
                T &x = a[begin + j], &y = a[begin + half + j];
                const T sum = x + y;
                y = x - y;
                if (j != 0) y *= roots[j * stride];
                x = sum;
            }
        }
    }
}

/// From values to coefficients (Cooley, Tukey 1965), without the division by a.size().
template <class T>
void interpolate_all(std::span<T> a) {
    const auto roots = roots_of_unity();
    for (size_t half = 1; half < a.size(); half *= 2) {
        const size_t stride = kExtendedElements / (2 * half);
        for (size_t begin = 0; begin < a.size(); begin += 2 * half) {
            for (size_t j = 0; j < half; ++j) {
                T &x = a[begin + j], &y = a[begin + half + j];
                if (j != 0) y *= roots[kExtendedElements - j * stride];
                const T sum = x + y;
                y = x - y;
                x = sum;
            }
        }
    }
}

/// interpolate_all() with the division.
void interpolate(std::span<Fr> values);

/// a[i] *= factor^i.
void scale_by_powers(std::span<Fr> a, const Fr& factor);

/// Each becomes its inverse, with one inversion for all; none is 0.
void invert_all(std::span<Fr> values);

Fr evaluate(std::span<const Fr> polynomial, const Fr& z) noexcept;

/// The quotient by x - z, whose rest is the value at z.
struct Division {
    Polynomial quotient;
    Fr rest;
};
Division divide_by_linear(std::span<const Fr> polynomial, const Fr& z);

/// Canonical numbers of 32 bytes each; false when one is not below r.
bool load(core::ByteView bytes, std::span<Fr> out) noexcept;
void store(std::span<const Fr> values, uint8_t* out) noexcept;

/// The polynomial of a blob; none when its length or a number is wrong.
std::optional<Polynomial> polynomial_of_blob(core::ByteView blob);

}  // namespace keel::crypto::kzg
