#include <algorithm>

#include "crypto/bn254/point.hpp"

namespace keel::crypto::bn254 {
namespace {

using core::U256;

// Order of G1.
constexpr U256 kOrder{0x43e1f593f0000001, 0x2833e84879b97091, 0xb85045b68181585d,
                      0x30644e72e131a029};

// The endomorphism (x, y) -> (beta x, y), beta^3 = 1, multiplies by lambda =
// 0xb3c4d79d41a917585bfc41088d8daaa78b17ea66b99c90dd. (a1, -b1) and (a2, b2) are short vectors (u,
// v) with u + v lambda = 0 modulo the order; b2 = a1 (Gallant, Lambert, Vanstone 2001).
constexpr Fp kBeta =
    Fp::of({0x5763473177fffffe, 0xd4f263f1acdb5c4f, 0x59e26bcea0d48bac, 0x0000000000000000});
constexpr U256 kA1{0x89d3256894d213e3};
constexpr U256 kA2{0x0be4e1541221250b, 0x6f4d8248eeb859fd, 0, 0};
constexpr U256 kB1{0x8211bbeb7d4f1128, 0x6f4d8248eeb859fc, 0, 0};
// 2^256 b2 / order and 2^256 b1 / order, rounded down.
constexpr U256 kShare1{0xd91d232ec7e0b3d7, 0x0000000000000002, 0, 0};
constexpr U256 kShare2{0x7a7bd9d4391eb18d, 0x4ccef014a773d2cf, 0x0000000000000002, 0};

// Signed windows of odd digits below 16, at most one digit other than 0 in five.
constexpr int kWindow = 5;
constexpr size_t kTableSize = size_t{1} << (kWindow - 2);  // P, 3 P, 5 P ... 15 P
constexpr size_t kDigits = 130;  // the halves of a scalar have at most 128 bits and a sign

struct Digits {
    int8_t at[kDigits] = {};
    size_t count = 0;
};

// `value` is two's complement.
Digits signed_windows(U256 value) noexcept {
    const bool negative = core::is_negative(value);
    if (negative) value = -value;
    Digits digits;
    for (size_t i = 0; !value.is_zero(); ++i) {
        if ((value.limbs[0] & 1) != 0) {
            int digit = static_cast<int>(value.limbs[0] & ((1 << kWindow) - 1));
            if (digit >= 1 << (kWindow - 1)) {
                digit -= 1 << kWindow;
                value += U256(static_cast<uint64_t>(-digit));
            } else {
                value -= U256(static_cast<uint64_t>(digit));
            }
            digits.at[i] = static_cast<int8_t>(negative ? -digit : digit);
        }
        value = value >> 1;
        digits.count = i + 1;
    }
    return digits;
}

U256 high_half_of_product(const U256& a, const U256& b) noexcept {
    const auto product = core::mul_full(a, b);
    return {product[4], product[5], product[6], product[7]};
}

// The odd multiples of p in affine coordinates, with one inversion (Montgomery's trick).
void odd_multiples(const G1& p, G1* table) noexcept {
    Jacobian<Fp> points[kTableSize];
    points[0] = Jacobian<Fp>::of(p);
    const Jacobian<Fp> doubled = twice(points[0]);
    for (size_t i = 1; i < kTableSize; ++i) points[i] = points[i - 1] + doubled;
    Fp products[kTableSize];  // of z up to here; none is 0, as the order is a prime above 15
    products[0] = points[0].z;
    for (size_t i = 1; i < kTableSize; ++i) products[i] = products[i - 1] * points[i].z;
    Fp inverse = products[kTableSize - 1].inverse();
    for (size_t i = kTableSize; i-- > 0;) {
        const Fp z = i == 0 ? inverse : inverse * products[i - 1];
        inverse = inverse * points[i].z;
        const Fp zz = square(z);
        table[i] = {points[i].x * zz, points[i].y * zz * z};
    }
}

}  // namespace

Jacobian<Fp> multiply(const G1& p, const U256& scalar) noexcept {
    if (p.is_infinity()) return Jacobian<Fp>::infinity();
    // scalar = first + second * lambda modulo the order.
    const U256 k = scalar % kOrder;
    const U256 c1 = high_half_of_product(k, kShare1), c2 = high_half_of_product(k, kShare2);
    const Digits first = signed_windows(k - c1 * kA1 - c2 * kA2);
    const Digits second = signed_windows(c1 * kB1 - c2 * kA1);

    G1 table[kTableSize], image[kTableSize];
    odd_multiples(p, table);
    for (size_t i = 0; i < kTableSize; ++i) image[i] = {table[i].x * kBeta, table[i].y};
    const auto add = [](Jacobian<Fp>& sum, const G1* multiples, int digit) {
        if (digit > 0) sum = sum + multiples[digit / 2];
        if (digit < 0) sum = sum + -multiples[-digit / 2];
    };
    Jacobian<Fp> sum = Jacobian<Fp>::infinity();
    for (size_t i = std::max(first.count, second.count); i-- > 0;) {
        sum = twice(sum);
        add(sum, table, first.at[i]);
        add(sum, image, second.at[i]);
    }
    return sum;
}

}  // namespace keel::crypto::bn254
