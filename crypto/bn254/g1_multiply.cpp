#include <algorithm>

#include "crypto/bn254/point.hpp"
#include "crypto/curve/signed_windows.hpp"

namespace keel::crypto::bn254 {
namespace {

using core::U256;

// The endomorphism (x, y) -> (beta x, y), beta^3 = 1, multiplies by lambda =
// 0xb3c4d79d41a917585bfc41088d8daaa78b17ea66b99c90dd. (a1, -b1) and (a2, b2) are short vectors (u,
// v) with u + v lambda = 0 modulo the order; b2 = a1 (Gallant, Lambert, Vanstone 2001).
constexpr Fp kBeta = fp("59e26bcea0d48bacd4f263f1acdb5c4f5763473177fffffe");
constexpr U256 kA1{0x89d3256894d213e3};
constexpr U256 kA2{0x0be4e1541221250b, 0x6f4d8248eeb859fd, 0, 0};
constexpr U256 kB1{0x8211bbeb7d4f1128, 0x6f4d8248eeb859fc, 0, 0};
// 2^256 b2 / order and 2^256 b1 / order, rounded down.
constexpr U256 kShare1{0xd91d232ec7e0b3d7, 0x0000000000000002, 0, 0};
constexpr U256 kShare2{0x7a7bd9d4391eb18d, 0x4ccef014a773d2cf, 0x0000000000000002, 0};

// Of a number below 2^128 in absolute value, in two's complement.
struct Digits {
    explicit Digits(U256 value) noexcept : negative(core::is_negative(value)) {
        if (negative) value = -value;
        count = curve::signed_windows(
            static_cast<core::uint128_t>(value.limbs[1]) << 64 | value.limbs[0], at);
    }
    int of(size_t i) const noexcept { return negative ? -at[i] : at[i]; }

    bool negative;
    std::array<int8_t, 129> at;
    size_t count;
};

U256 high_half_of_product(const U256& a, const U256& b) noexcept {
    const auto product = core::mul_full(a, b);
    return {product[4], product[5], product[6], product[7]};
}

}  // namespace

Jacobian<Fp> multiply(const G1& p, const U256& scalar) noexcept {
    if (p.is_infinity()) return Jacobian<Fp>::infinity();
    // scalar = first + second * lambda modulo the order.
    const U256 k = scalar % kOrder;
    const U256 c1 = high_half_of_product(k, kShare1), c2 = high_half_of_product(k, kShare2);
    const Digits first(k - c1 * kA1 - c2 * kA2);
    const Digits second(c1 * kB1 - c2 * kA1);

    Jacobian<Fp>
        multiples[curve::kOddMultiples];  // none at infinity: the order is a prime above 15
    G1 table[curve::kOddMultiples], image[curve::kOddMultiples];
    Fp scratch[curve::kOddMultiples];
    curve::odd_multiples(p, multiples);
    to_affine<Fp>(multiples, table, scratch);
    for (size_t i = 0; i < curve::kOddMultiples; ++i) image[i] = {table[i].x * kBeta, table[i].y};
    Jacobian<Fp> sum = Jacobian<Fp>::infinity();
    for (size_t i = std::max(first.count, second.count); i-- > 0;) {
        sum = twice(sum);
        curve::add_multiple(sum, table, first.of(i));
        curve::add_multiple(sum, image, second.of(i));
    }
    return sum;
}

}  // namespace keel::crypto::bn254
