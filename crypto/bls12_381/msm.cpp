#include "crypto/bls12_381/msm.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "core/base.hpp"
#include "crypto/curve/bucket_sums.hpp"
#include "crypto/curve/signed_windows.hpp"

namespace keel::crypto::bls12_381 {
namespace {

using core::U256;
using core::uint128_t;
using curve::kOddMultiples;

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

// --- Few points: one chain of doublings, tables of odd multiples (Straus) ---

template <class F>
Jacobian<F> sum_of_few(std::span<const Affine<F>> points, std::span<const U256> scalars) {
    using Parts = Split<F>;
    const size_t count = points.size();
    // Odd multiples of every point, then their images, so that table (part, point) begins at
    // (part * count + point) * kOddMultiples.
    std::vector<Jacobian<F>> multiples(count * kOddMultiples);
    for (size_t i = 0; i < count; ++i) {
        curve::odd_multiples(points[i], &multiples[i * kOddMultiples]);
    }
    std::vector<Affine<F>> tables(Parts::kParts * count * kOddMultiples);
    std::vector<F> scratch(multiples.size());
    curve::to_affine<F>(multiples, tables.data(), scratch.data());
    for (size_t i = count * kOddMultiples; i < tables.size(); ++i) {
        tables[i] = Parts::image(tables[i - count * kOddMultiples]);
    }
    std::vector<std::array<int8_t, Parts::kBits + 1>> digits(Parts::kParts * count);
    for (size_t i = 0; i < count; ++i) {
        const auto parts = Parts::parts(scalars[i]);
        for (size_t part = 0; part < Parts::kParts; ++part) {
            curve::signed_windows(parts[part], digits[part * count + i]);
        }
    }
    Jacobian<F> sum = Jacobian<F>::infinity();
    for (size_t bit = Parts::kBits + 1; bit-- > 0;) {
        if (!sum.is_infinity()) sum = twice(sum);
        for (size_t i = 0; i < digits.size(); ++i) {
            curve::add_multiple(sum, &tables[i * kOddMultiples], digits[i][bit]);
        }
    }
    return sum;
}

// --- Many points: buckets (Pippenger) ---

// Bits of a window. Each window costs one addition a part, and two a bucket of a point that is not
// affine, in products of the field.
size_t window_of(size_t parts, size_t bits) noexcept {
    constexpr size_t kAffine = 7, kJacobian = 14;
    const auto cost = [parts, bits](size_t window) {
        return (bits / window + 1) *
               (parts * kAffine + (size_t{1} << (window - 1)) * 2 * kJacobian);
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
    // Some windows together, so that few points share an inversion with others.
    constexpr size_t kPointsTogether = 1'024;
    const auto buckets = static_cast<size_t>(half_range);
    const size_t together = std::clamp<size_t>(kPointsTogether / parts.size(), 1, windows);
    curve::BucketSums<F> bucket_sums;
    Jacobian<F> sum = Jacobian<F>::infinity();
    for (size_t end = windows; end > 0;) {
        const size_t begin = end > together ? end - together : 0;
        bucket_sums.reset((end - begin) * buckets);
        for (size_t w = begin; w < end; ++w) {
            const int16_t* digit = &digits[w * parts.size()];
            for (size_t i = 0; i < parts.size(); ++i) {
                if (digit[i] == 0) continue;
                const size_t bucket = static_cast<size_t>(std::abs(digit[i])) - 1;
                bucket_sums.add((w - begin) * buckets + bucket,
                                digit[i] > 0 ? images[i] : -images[i]);
            }
        }
        const auto sums = bucket_sums.sums();
        for (size_t w = end; w-- > begin;) {
            for (size_t i = 0; i < window && !sum.is_infinity(); ++i) sum = twice(sum);
            // Bucket k counts k + 1 times.
            Jacobian<F> running = Jacobian<F>::infinity();
            for (size_t k = buckets; k-- > 0;) {
                running = running + sums[(w - begin) * buckets + k];
                sum = sum + running;
            }
        }
        end = begin;
    }
    return sum;
}

// Up to so many parts of scalars the tables cost less than the buckets (measured, both groups).
constexpr size_t kFewParts = 48;

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
    return finite.size() * Split<F>::kParts <= kFewParts ? sum_of_few<F>(finite, factors)
                                                         : sum_of_many<F>(finite, factors);
}

}  // namespace

Jacobian<Fp> multiply_sum(std::span<const G1> points, std::span<const U256> scalars) {
    return sum_of<Fp>(points, scalars);
}
Jacobian<Fp2> multiply_sum(std::span<const G2> points, std::span<const U256> scalars) {
    return sum_of<Fp2>(points, scalars);
}

Jacobian<Fp> operator*(const Jacobian<Fp>& point, const Fr& factor) {
    if (point.is_infinity() || factor.is_zero()) return Jacobian<Fp>::infinity();
    const G1 affine = to_affine(point);
    const U256 scalar = factor.value();
    return sum_of_few<Fp>(std::span(&affine, 1), std::span(&scalar, 1));
}

}  // namespace keel::crypto::bls12_381
