#include <gtest/gtest.h>

#include <vector>

#include "crypto/bls12_381/pairing.hpp"
#include "crypto/bn254/pairing.hpp"
#include "crypto/curve/bucket_sums.hpp"
#include "crypto/curve/signed_windows.hpp"
#include "crypto/curve/testing/reference.hpp"

namespace keel::crypto::curve {
namespace {

using core::U256;
using core::uint128_t;
using testing::random_number;
using testing::slow_multiply;

struct Bn254G1 {
    using F = bn254::Fp;
    static constexpr U256 kOrder = bn254::kOrder;
    static Affine<F> generator() { return {F::of(1), F::of(2)}; }
};
struct Bn254G2 {
    using F = bn254::Fp2;
    static constexpr U256 kOrder = bn254::kOrder;
    // EIP-197.
    static Affine<F> generator() {
        using bn254::fp;
        return {{fp("1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed"),
                 fp("198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2")},
                {fp("12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa"),
                 fp("090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b")}};
    }
};
struct Bls12G1 {
    using F = bls12_381::Fp;
    static constexpr U256 kOrder = bls12_381::kOrder;
    static Affine<F> generator() { return bls12_381::kGenerator1; }
};
struct Bls12G2 {
    using F = bls12_381::Fp2;
    static constexpr U256 kOrder = bls12_381::kOrder;
    static Affine<F> generator() { return bls12_381::kGenerator2; }
};

template <class T>
class Group : public ::testing::Test {};
using Groups = ::testing::Types<Bn254G1, Bn254G2, Bls12G1, Bls12G2>;
TYPED_TEST_SUITE(Group, Groups);

TYPED_TEST(Group, generator_has_the_order) {
    const auto g = TypeParam::generator();
    EXPECT_TRUE(on_curve(g));
    EXPECT_FALSE(g.is_infinity());
    EXPECT_TRUE(slow_multiply(g, TypeParam::kOrder).is_infinity());
    EXPECT_EQ(slow_multiply(g, TypeParam::kOrder + U256(1)), g);
    EXPECT_EQ(slow_multiply(g, TypeParam::kOrder - U256(1)), -g);
}

TYPED_TEST(Group, laws_hold_in_all_coordinates) {
    using F = typename TypeParam::F;
    std::mt19937_64 random(1);
    const Affine<F> g = TypeParam::generator();
    const Affine<F> zero{};
    for (int i = 0; i < 10; ++i) {
        const Affine<F> a = slow_multiply(g, random_number(random));
        const Affine<F> b = slow_multiply(g, random_number(random));
        const auto ja = Jacobian<F>::of(a), jb = twice(Jacobian<F>::of(b));
        EXPECT_TRUE(on_curve(a));
        EXPECT_TRUE(on_curve(a + b));
        EXPECT_EQ(a + b, b + a);
        EXPECT_EQ((a + b) + g, a + (b + g));
        EXPECT_EQ(a + -a, zero);
        EXPECT_EQ(a + zero, a);
        EXPECT_EQ(zero + a, a);
        EXPECT_EQ(to_affine(twice(ja)), a + a);
        EXPECT_EQ(to_affine(ja + a), a + a);
        EXPECT_EQ(to_affine(ja + ja), a + a);
        EXPECT_EQ(to_affine(jb + a), b + b + a);
        EXPECT_EQ(to_affine(jb + ja), b + b + a);
        EXPECT_EQ(jb + ja, ja + jb);
        EXPECT_EQ((jb + ja) - ja, jb);
        EXPECT_TRUE((jb - jb).is_infinity());
        EXPECT_TRUE((ja + -a).is_infinity());
        const auto infinity = Jacobian<F>::infinity();
        EXPECT_EQ(infinity + a, ja);
        EXPECT_EQ(jb + zero, jb);
        EXPECT_EQ(infinity + jb, jb);
        EXPECT_EQ(jb + infinity, jb);
        EXPECT_TRUE(twice(infinity).is_infinity());
    }
}

TYPED_TEST(Group, multiples_add_as_scalars_do) {
    std::mt19937_64 random(2);
    const auto g = TypeParam::generator();
    for (int i = 0; i < 5; ++i) {
        const U256 a = random_number(random), b = random_number(random);
        const U256 sum = core::add_mod(a, b, TypeParam::kOrder);
        const U256 product = core::mul_mod(a, b, TypeParam::kOrder);
        EXPECT_EQ(slow_multiply(g, a) + slow_multiply(g, b), slow_multiply(g, sum));
        EXPECT_EQ(slow_multiply(slow_multiply(g, a), b), slow_multiply(g, product));
    }
}

TYPED_TEST(Group, many_points_become_affine_with_one_inversion) {
    using F = typename TypeParam::F;
    for (const size_t count : {0u, 1u, 2u, 9u}) {
        std::vector<Jacobian<F>> points;
        Jacobian<F> point = twice(Jacobian<F>::of(TypeParam::generator()));
        for (size_t i = 0; i < count; ++i) points.push_back(point = twice(point) + point);
        std::vector<Affine<F>> affine(count);
        std::vector<F> scratch(count);
        to_affine<F>(points, affine.data(), scratch.data());
        for (size_t i = 0; i < count; ++i) EXPECT_EQ(affine[i], to_affine(points[i]));
    }
}

TYPED_TEST(Group, sums_of_buckets_are_sums) {
    using F = typename TypeParam::F;
    std::mt19937_64 random(6);
    // Few different points, so that equal and opposite ones meet, in every order.
    std::vector<Affine<F>> points = {Affine<F>{}};
    for (uint64_t i = 1; i <= 4; ++i) {
        points.push_back(slow_multiply(TypeParam::generator(), U256(i)));
        points.push_back(-points.back());
    }
    BucketSums<F> sums;
    for (const size_t count : {0u, 1u, 2u, 3u, 40u, 300u}) {
        constexpr size_t kBuckets = 7;
        std::vector<Jacobian<F>> expected(kBuckets, Jacobian<F>::infinity());
        sums.reset(kBuckets);
        for (size_t i = 0; i < count; ++i) {
            const size_t bucket = std::min<size_t>(random() % 10, kBuckets - 1);
            const Affine<F>& point = points[random() % points.size()];
            sums.add(bucket, point);
            expected[bucket] = expected[bucket] + point;
        }
        const auto found = sums.sums();
        for (size_t b = 0; b < kBuckets; ++b) ASSERT_EQ(found[b], to_affine(expected[b])) << count;
    }
}

TYPED_TEST(Group, odd_multiples) {
    using F = typename TypeParam::F;
    Jacobian<F> table[kOddMultiples];
    odd_multiples(TypeParam::generator(), table);
    Affine<F> affine[kOddMultiples];
    for (size_t i = 0; i < kOddMultiples; ++i) {
        affine[i] = to_affine(table[i]);
        EXPECT_EQ(affine[i], slow_multiply(TypeParam::generator(), U256(2 * i + 1)));
    }
    Jacobian<F> sum = table[0];
    add_multiple(sum, affine, 7);
    add_multiple(sum, affine, -5);
    add_multiple(sum, affine, 0);
    EXPECT_EQ(sum, table[1]);
}

TEST(SignedWindows, digits_are_odd_far_apart_and_add_up) {
    std::mt19937_64 random(3);
    for (int i = 0; i < 20'000; ++i) {
        uint128_t value = static_cast<uint128_t>(random()) << 64 | random();
        value >>= random() % 128;
        if (i < 200) value = static_cast<uint128_t>(i);
        if (i >= 200 && i < 400)
            value = ~static_cast<uint128_t>(0) - 16 - static_cast<uint128_t>(i);
        std::array<int8_t, 129> digits;
        const size_t count = signed_windows(value, digits);
        uint128_t sum = 0;
        size_t last = digits.size();
        for (size_t at = digits.size(); at-- > 0;) {
            sum = 2 * sum + static_cast<uint128_t>(static_cast<core::int128_t>(digits[at]));
            if (digits[at] == 0) continue;
            ASSERT_EQ(digits[at] & 1, 1);
            ASSERT_LT(std::abs(digits[at]), 16);
            ASSERT_LT(at, count);
            ASSERT_TRUE(last == digits.size() || last - at >= 5);
            last = at;
        }
        ASSERT_TRUE(sum == value);
    }
}

// e(a P, b Q) as an element of the field, not only whether products are 1.
template <class Pair, class G1, class G2>
auto pairing(const G1& p, const G2& q) {
    const Pair pair{p, q};
    return final_exponentiation(miller_loop(std::span(&pair, 1)));
}

template <class T1, class T2, class Pair>
void check_bilinear() {
    std::mt19937_64 random(4);
    const auto p = T1::generator();
    const auto q = T2::generator();
    const auto base = pairing<Pair>(p, q);
    EXPECT_NE(base, decltype(base)::one());
    EXPECT_EQ(pairing<Pair>(-p, q), conjugate(base));
    EXPECT_EQ(pairing<Pair>(p, -q), conjugate(base));
    for (int i = 0; i < 3; ++i) {
        const U256 a(random()), b(random());
        const auto left = pairing<Pair>(slow_multiply(p, a), slow_multiply(q, b));
        EXPECT_EQ(left, pairing<Pair>(slow_multiply(p, a * b), q));
        EXPECT_EQ(left, pairing<Pair>(p, slow_multiply(q, a * b)));
        auto power = decltype(base)::one();
        const U256 exponent = a * b;
        for (unsigned bit = exponent.bit_length(); bit-- > 0;) {
            power = square(power);
            if (exponent.bit(bit)) power = power * base;
        }
        EXPECT_EQ(left, power);
        // e(P + P', Q) = e(P, Q) e(P', Q).
        const auto other = slow_multiply(p, b);
        EXPECT_EQ(pairing<Pair>(p + other, q), base * pairing<Pair>(other, q));
    }
}

TEST(Pairing, bn254_is_bilinear_in_its_values) {
    check_bilinear<Bn254G1, Bn254G2, bn254::Pair>();
}

TEST(Pairing, bls12_381_is_bilinear_in_its_values) {
    check_bilinear<Bls12G1, Bls12G2, bls12_381::Pair>();
}

TEST(Pairing, lines_of_a_fixed_point_give_the_same_values) {
    using namespace bls12_381;
    std::mt19937_64 random(5);
    for (int i = 0; i < 3; ++i) {
        const G1 p = slow_multiply(kGenerator1, random_number(random));
        const G2 q = slow_multiply(kGenerator2, random_number(random));
        const LinesOf lines(q), of_generator(kGenerator2);
        const PairOfLines fixed[] = {{p, &lines}, {kGenerator1, &of_generator}};
        const bls12_381::Pair pairs[] = {{p, q}, {kGenerator1, kGenerator2}};
        EXPECT_EQ(final_exponentiation(miller_loop(fixed)),
                  final_exponentiation(miller_loop(pairs)));
    }
}

}  // namespace
}  // namespace keel::crypto::curve
