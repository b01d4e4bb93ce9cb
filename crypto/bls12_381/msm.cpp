#include "crypto/bls12_381/msm.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <vector>

#include "core/base.hpp"

namespace keel::crypto::bls12_381 {
namespace {

using core::U256;
using core::uint128_t;

// A scalar is split into parts by an endomorphism, which makes the loop over its bits shorter:
// scalar = sum of part[i] * m^i modulo r, where image^i of a point of order r is m^i times it
// (Gallant, Lambert, Vanstone 2001; Galbraith, Lin, Scott 2011).
template <class F>
struct Split;

template <>
struct Split<Fp> {
    static constexpr size_t kParts = 2;
    static constexpr size_t kBits = 128;
    using Parts = std::array<uint128_t, kParts>;

    // m = x^2.
    static G1 image(const G1& p) noexcept { return {p.x * kBeta, -p.y}; }
    static Parts parts(const U256& scalar) noexcept {
        constexpr uint128_t kSquare = static_cast<uint128_t>(kMinusX) * kMinusX;
        constexpr U256 kM{static_cast<uint64_t>(kSquare), static_cast<uint64_t>(kSquare >> 64), 0,
                          0};
        const auto [quotient, rest] = core::div_mod(scalar % kOrder, kM);
        return {low_half(rest), low_half(quotient)};
    }

  private:
    static uint128_t low_half(const U256& value) noexcept {
        return static_cast<uint128_t>(value.limbs[1]) << 64 | value.limbs[0];
    }
};

template <>
struct Split<Fp2> {
    static constexpr size_t kParts = 4;
    static constexpr size_t kBits = 64;
    using Parts = std::array<uint128_t, kParts>;

    // m = -x.
    static G2 image(const G2& p) noexcept { return -psi(p); }
    static Parts parts(const U256& scalar) noexcept {
        Parts parts{};
        U256 rest = scalar % kOrder;
        for (uint128_t& part : parts) {
            const auto [quotient, digit] = core::div_mod(rest, U256(kMinusX));
            part = digit.limbs[0];
            rest = quotient;
        }
        return parts;
    }
};

// Brings all points to affine coordinates with one inversion (Montgomery's trick); none is at
// infinity.
template <class F>
void normalize(std::span<const Jacobian<F>> points, Affine<F>* out) {
    std::vector<F> products(points.size());  // of z up to here
    products[0] = points[0].z;
    for (size_t i = 1; i < points.size(); ++i) products[i] = products[i - 1] * points[i].z;
    F inverse = products.back().inverse();
    for (size_t i = points.size(); i-- > 0;) {
        const F z = i == 0 ? inverse : inverse * products[i - 1];
        inverse = inverse * points[i].z;
        const F zz = square(z);
        out[i] = {points[i].x * zz, points[i].y * zz * z};
    }
}

// --- Few points: one chain of doublings, tables of odd multiples (Straus) ---

// Signed windows of odd digits below 16, at most one digit other than 0 in five.
constexpr int kWindow = 5;
constexpr size_t kTableSize = size_t{1} << (kWindow - 2);  // P, 3 P, 5 P ... 15 P

template <size_t kBits>
using Digits = std::array<int8_t, kBits + 1>;

// `value` is below 2^128 - 16.
template <size_t kBits>
void signed_windows(uint128_t value, Digits<kBits>& digits) noexcept {
    digits.fill(0);
    for (size_t i = 0; value != 0;) {
        if ((value & 1) == 0) {
            const auto low = static_cast<uint64_t>(value);
            const int zeros = low == 0 ? 64 : std::countr_zero(low);
            value = zeros == 64 ? value >> 32 >> 32 : value >> zeros;
            i += static_cast<size_t>(zeros);
            continue;
        }
        int digit = static_cast<int>(value & ((1 << kWindow) - 1));
        if (digit >= 1 << (kWindow - 1)) {
            digit -= 1 << kWindow;
            value += static_cast<uint128_t>(-digit);
        } else {
            value -= static_cast<uint128_t>(digit);
        }
        digits[i] = static_cast<int8_t>(digit);
    }
}

template <class F>
Jacobian<F> sum_of_few(std::span<const Affine<F>> points, std::span<const U256> scalars) {
    using Parts = Split<F>;
    const size_t count = points.size();
    // Odd multiples of every point, then their images, so that table (part, point) begins at
    // (part * count + point) * kTableSize.
    std::vector<Jacobian<F>> multiples(count * kTableSize);
    for (size_t i = 0; i < count; ++i) {
        Jacobian<F>* table = &multiples[i * kTableSize];
        table[0] = Jacobian<F>::of(points[i]);
        const Jacobian<F> doubled = twice(table[0]);
        for (size_t j = 1; j < kTableSize; ++j) table[j] = table[j - 1] + doubled;
    }
    std::vector<Affine<F>> tables(Parts::kParts * count * kTableSize);
    normalize<F>(multiples, tables.data());
    for (size_t i = count * kTableSize; i < tables.size(); ++i) {
        tables[i] = Parts::image(tables[i - count * kTableSize]);
    }
    std::vector<Digits<Parts::kBits>> digits(Parts::kParts * count);
    for (size_t i = 0; i < count; ++i) {
        const auto parts = Parts::parts(scalars[i]);
        for (size_t part = 0; part < Parts::kParts; ++part) {
            signed_windows<Parts::kBits>(parts[part], digits[part * count + i]);
        }
    }
    Jacobian<F> sum = Jacobian<F>::infinity();
    for (size_t bit = Parts::kBits + 1; bit-- > 0;) {
        if (!sum.is_infinity()) sum = twice(sum);
        for (size_t i = 0; i < digits.size(); ++i) {
            const int digit = digits[i][bit];
            const Affine<F>* table = &tables[i * kTableSize];
            if (digit > 0) sum = sum + table[digit / 2];
            if (digit < 0) sum = sum + -table[-digit / 2];
        }
    }
    return sum;
}

// --- Many points: buckets (Pippenger) ---

// Bits of a window. Each window costs one addition of an affine point a part, and two of Jacobian
// points a bucket, in products of the field.
size_t window_of(size_t parts, size_t bits) noexcept {
    constexpr size_t kAffine = 11, kJacobian = 16;
    const auto cost = [parts, bits](size_t window) {
        return (bits / window + 1) * (parts * kAffine + (size_t{1} << window) * kJacobian);
    };
    size_t best = 4;
    for (size_t window = best + 1; window <= 13; ++window) {
        if (cost(window) < cost(best)) best = window;
    }
    return best;
}

template <class F>
Jacobian<F> sum_of_many(std::span<const Affine<F>> points, std::span<const U256> scalars) {
    using Parts = Split<F>;
    std::vector<Affine<F>> images;
    images.reserve(points.size() * Parts::kParts);
    std::vector<uint128_t> parts;
    parts.reserve(points.size() * Parts::kParts);
    for (size_t i = 0; i < points.size(); ++i) {
        Affine<F> image = points[i];
        for (const uint128_t part : Parts::parts(scalars[i])) {
            images.push_back(image);
            parts.push_back(part);
            image = Parts::image(image);
        }
    }
    // Digits in [-2^(window - 1), 2^(window - 1)): a digit above takes one from the next window.
    const size_t window = window_of(parts.size(), Parts::kBits);
    const size_t windows = Parts::kBits / window + 1;
    const auto half_range = static_cast<int32_t>(1) << (window - 1);
    std::vector<int16_t> digits(windows * parts.size());
    for (size_t i = 0; i < parts.size(); ++i) {
        int32_t carry = 0;
        uint128_t rest = parts[i];
        for (size_t w = 0; w < windows; ++w) {
            int32_t digit = static_cast<int32_t>(rest & ((1u << window) - 1)) + carry;
            rest >>= window;
            carry = digit >= half_range ? 1 : 0;
            digit -= carry << window;
            digits[w * parts.size() + i] = static_cast<int16_t>(digit);
        }
        KEEL_ASSERT(carry == 0 && rest == 0);
    }
    std::vector<Jacobian<F>> buckets(static_cast<size_t>(half_range));
    Jacobian<F> sum = Jacobian<F>::infinity();
    for (size_t w = windows; w-- > 0;) {
        for (size_t i = 0; i < window && !sum.is_infinity(); ++i) sum = twice(sum);
        std::fill(buckets.begin(), buckets.end(), Jacobian<F>::infinity());
        const int16_t* digit = &digits[w * parts.size()];
        for (size_t i = 0; i < parts.size(); ++i) {
            if (digit[i] == 0) continue;
            auto& bucket = buckets[static_cast<size_t>(std::abs(digit[i])) - 1];
            bucket = bucket + (digit[i] > 0 ? images[i] : -images[i]);
        }
        // Bucket k counts k + 1 times.
        Jacobian<F> running = Jacobian<F>::infinity();
        for (size_t k = buckets.size(); k-- > 0;) {
            running = running + buckets[k];
            sum = sum + running;
        }
    }
    return sum;
}

// Up to here the tables cost less than the buckets.
constexpr size_t kFew = 40;

template <class F>
Jacobian<F> sum_of(std::span<const Affine<F>> points, std::span<const U256> scalars) {
    KEEL_ASSERT(points.size() == scalars.size());
    std::vector<Affine<F>> finite;
    std::vector<U256> factors;
    finite.reserve(points.size());
    factors.reserve(points.size());
    for (size_t i = 0; i < points.size(); ++i) {
        if (points[i].is_infinity() || scalars[i].is_zero()) continue;
        finite.push_back(points[i]);
        factors.push_back(scalars[i]);
    }
    if (finite.empty()) return Jacobian<F>::infinity();
    return finite.size() <= kFew ? sum_of_few<F>(finite, factors) : sum_of_many<F>(finite, factors);
}

}  // namespace

Jacobian<Fp> multiply_sum(std::span<const G1> points, std::span<const U256> scalars) {
    return sum_of<Fp>(points, scalars);
}
Jacobian<Fp2> multiply_sum(std::span<const G2> points, std::span<const U256> scalars) {
    return sum_of<Fp2>(points, scalars);
}

}  // namespace keel::crypto::bls12_381
