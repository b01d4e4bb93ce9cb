#include "crypto/bn254/bn254.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <random>

#include "core/hex.hpp"
#include "crypto/bn254/pairing.hpp"
#include "crypto/curve/testing/reference.hpp"

namespace keel::crypto {
namespace {

using namespace bn254;
using core::Bytes;
using core::U256;
using curve::testing::random_number;
using curve::testing::slow_multiply;

U256 number(std::string_view digits) {
    return *U256::from_hex_digits(digits);
}

const G1 kG1{Fp::of(1), Fp::of(2)};
// The generator of EIP-197.
const G2 kG2{{Fp::of(number("1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed")),
              Fp::of(number("198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2"))},
             {Fp::of(number("12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa")),
              Fp::of(number("090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b"))}};

void append(Bytes& to, const U256& value) {
    core::append(to, value.to_be32());
}
void append(Bytes& to, const G1& point) {
    append(to, point.x.value());
    append(to, point.y.value());
}
void append(Bytes& to, const G2& point) {
    append(to, point.x.c1.value());
    append(to, point.x.c0.value());
    append(to, point.y.c1.value());
    append(to, point.y.c0.value());
}

template <class F>
F power(const F& base, const U256& exponent) {
    F result = F::one();
    for (unsigned i = exponent.bit_length(); i-- > 0;) {
        result = result * result;
        if (exponent.bit(i)) result = result * base;
    }
    return result;
}

// Roots by the rule for primes that are 3 modulo 4, and by the complex method over them.
std::optional<Fp> root(const Fp& a) {
    const Fp candidate = power(a, (kPrime + U256(1)) >> 2);
    if (square(candidate) != a) return std::nullopt;
    return candidate;
}
std::optional<Fp2> root(const Fp2& a) {
    const auto norm = root(square(a.c0) + square(a.c1));
    if (!norm) return std::nullopt;
    for (const Fp& n : {*norm, -*norm}) {
        const auto real = root(half(a.c0 + n));
        if (!real || real->is_zero()) continue;
        const Fp2 candidate{*real, a.c1 * twice(*real).inverse()};
        if (square(candidate) == a) return candidate;
    }
    return std::nullopt;
}

// A point of the twist, hardly ever of order r: the twist has 2 p - r times as many points.
G2 random_twist_point(std::mt19937_64& random) {
    while (true) {
        const Fp2 x{Fp::of(random_number(random) % kPrime), Fp::of(random_number(random) % kPrime)};
        const auto y = root(square(x) * x + kTwistB);
        if (y) return {x, *y};
    }
}

Bytes mul_input(const G1& point, const U256& scalar) {
    Bytes input;
    append(input, point);
    append(input, scalar);
    return input;
}

TEST(Bn254, doubled_generator_is_the_known_point) {
    Bytes out(64);
    ASSERT_EQ(bn254_mul(mul_input(kG1, 2), out.data()), CurveResult::Ok);
    EXPECT_EQ(core::to_hex(out),
              "030644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd3"
              "15ed738c0e0a7c92e7845f96b2ae9c0a68a6a449e3538fc7ff3ebf7a5a18a2c4");
    Bytes both, sum(64);
    append(both, kG1);
    append(both, kG1);
    ASSERT_EQ(bn254_add(both, sum.data()), CurveResult::Ok);
    EXPECT_EQ(sum, out);
}

TEST(Bn254, multiplication_by_any_scalar_is_repeated_addition) {
    std::mt19937_64 random(1);
    G1 point = kG1;
    for (int i = 0; i < 300; ++i) {
        U256 scalar = random_number(random);
        if (i < 40) scalar = U256(static_cast<uint64_t>(i));
        if (i >= 40 && i < 60) scalar = kOrder - U256(static_cast<uint64_t>(i - 40));
        if (i >= 60 && i < 80) scalar = kOrder + U256(static_cast<uint64_t>(i - 60));
        if (i >= 80 && i < 90) scalar = U256::max() - U256(static_cast<uint64_t>(i - 80));
        if (i >= 90 && i < 200) scalar = scalar >> static_cast<unsigned>(i);
        const G1 expected = slow_multiply(point, scalar);
        ASSERT_EQ(to_affine(multiply(point, scalar)), expected) << scalar.to_quantity();
        ASSERT_TRUE(on_curve(expected));
        if (!expected.is_infinity()) point = expected;
    }
}

TEST(Bn254, the_group_has_order_r) {
    EXPECT_TRUE(to_affine(multiply(kG1, kOrder)).is_infinity());
    EXPECT_TRUE(slow_multiply(kG1, kOrder).is_infinity());
    EXPECT_TRUE(slow_multiply(kG2, kOrder).is_infinity());
}

TEST(Bn254, addition_with_infinity_and_with_the_opposite) {
    Bytes out(64), zero(64), generator;
    append(generator, kG1);
    Bytes input(128);
    ASSERT_EQ(bn254_add(input, out.data()), CurveResult::Ok);
    EXPECT_EQ(out, zero);
    std::copy(generator.begin(), generator.end(), input.begin());
    ASSERT_EQ(bn254_add(input, out.data()), CurveResult::Ok);
    EXPECT_EQ(out, generator);
    input.resize(64);
    append(input, -kG1);
    ASSERT_EQ(bn254_add(input, out.data()), CurveResult::Ok);
    EXPECT_EQ(out, zero);
}

TEST(Bn254, points_that_are_none_are_refused) {
    Bytes out(64);
    Bytes input = mul_input(kG1, 1);
    input[63] = 3;
    EXPECT_EQ(bn254_mul(input, out.data()), CurveResult::NotOnCurve);
    Bytes large;
    append(large, kPrime + U256(1));  // 1 modulo p
    append(large, U256(2));
    append(large, U256(1));
    EXPECT_EQ(bn254_mul(large, out.data()), CurveResult::NotCanonical);
    Bytes zero_as_prime;  // not another spelling of infinity
    append(zero_as_prime, kPrime);
    append(zero_as_prime, U256{});
    append(zero_as_prime, U256(1));
    EXPECT_EQ(bn254_mul(zero_as_prime, out.data()), CurveResult::NotCanonical);
}

TEST(Bn254Pairing, is_bilinear_and_not_degenerate) {
    std::mt19937_64 random(2);
    for (int i = 0; i < 6; ++i) {
        const U256 a = random_number(random), b = random_number(random);
        const G1 p = to_affine(multiply(kG1, random_number(random)));
        const G2 q = slow_multiply(kG2, random_number(random) % kOrder);
        // e(aP, bQ) = e(abP, Q)
        Bytes input;
        append(input, to_affine(multiply(p, a)));
        append(input, slow_multiply(q, b));
        append(input, -to_affine(multiply(p, core::mul_mod(a, b, kOrder))));
        append(input, q);
        EXPECT_EQ(bn254_pairing(input), true);
        // e(P, Q) e(P, -Q) = 1, each alone is not.
        Bytes opposite;
        append(opposite, p);
        append(opposite, q);
        EXPECT_EQ(bn254_pairing(opposite), false);
        append(opposite, p);
        append(opposite, -q);
        EXPECT_EQ(bn254_pairing(opposite), true);
    }
}

TEST(Bn254Pairing, sums_of_many_pairs) {
    // e(P, Q)^(1 + 2 + ... + 9) e(-45 P, Q) = 1.
    Bytes input;
    for (uint64_t i = 1; i <= 9; ++i) {
        append(input, slow_multiply(kG1, U256(i)));
        append(input, kG2);
    }
    EXPECT_EQ(bn254_pairing(input), false);
    append(input, -slow_multiply(kG1, U256(45)));
    append(input, kG2);
    EXPECT_EQ(bn254_pairing(input), true);
}

TEST(Bn254Pairing, pairs_with_infinity_are_worth_one_but_must_be_valid) {
    EXPECT_EQ(bn254_pairing({}), true);
    EXPECT_EQ(bn254_pairing(Bytes(192)), true);
    Bytes with_g1, with_g2(64);
    append(with_g1, kG1);
    with_g1.resize(192);
    append(with_g2, kG2);
    EXPECT_EQ(bn254_pairing(with_g1), true);
    EXPECT_EQ(bn254_pairing(with_g2), true);
    with_g1[63] = 3;
    EXPECT_EQ(bn254_pairing(with_g1), std::nullopt);
    with_g2.back() ^= 1;
    EXPECT_EQ(bn254_pairing(with_g2), std::nullopt);
}

TEST(Bn254Pairing, points_of_the_twist_outside_the_subgroup_are_refused) {
    std::mt19937_64 random(3);
    EXPECT_TRUE(in_subgroup(kG2));
    EXPECT_TRUE(in_subgroup(G2{}));
    // 2 p - r: a multiple of it brings every point of the twist into the subgroup.
    const U256 cofactor = kPrime - kOrder + kPrime;
    for (int i = 0; i < 20; ++i) {
        const G2 point = random_twist_point(random);
        ASSERT_TRUE(on_curve(point));
        ASSERT_FALSE(slow_multiply(point, kOrder).is_infinity());
        EXPECT_FALSE(in_subgroup(point));
        Bytes input;
        append(input, kG1);
        append(input, point);
        EXPECT_EQ(bn254_pairing(input), std::nullopt);
        // What is left when the part of order r is taken away, and that part alone.
        EXPECT_FALSE(in_subgroup(slow_multiply(point, kOrder)));
        EXPECT_TRUE(in_subgroup(slow_multiply(point, cofactor)));
        EXPECT_TRUE(slow_multiply(slow_multiply(point, cofactor), kOrder).is_infinity());
    }
}

}  // namespace
}  // namespace keel::crypto
