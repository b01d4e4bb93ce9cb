#include "crypto/bls12_381/bls12_381.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "core/hex.hpp"
#include "crypto/bls12_381/encoding.hpp"
#include "crypto/bls12_381/map_to_curve.hpp"
#include "crypto/bls12_381/msm.hpp"
#include "crypto/bls12_381/pairing.hpp"
#include "crypto/curve/testing/reference.hpp"

namespace keel::crypto {
namespace {

using namespace bls12_381;
using core::Bytes;
using core::ByteView;
using core::U256;
using curve::testing::random_number;
using curve::testing::slow_multiply;

template <class F>
const Affine<F> kGenerator{};
template <>
const G1 kGenerator<Fp> = kGenerator1;
template <>
const G2 kGenerator<Fp2> = kGenerator2;

// A point of the curve, almost surely outside the subgroup.
G1 point_of_curve(uint64_t x) {
    for (;; ++x) {
        const Fp right_side = square(Fp::of(x)) * Fp::of(x) + kB;
        const Fp y = right_side * power_of_root(right_side);
        if (square(y) == right_side) return {Fp::of(x), y};
    }
}

// The same on the twist: x^3 + b' for x in Fp has a root where its norm has one, and the root has
// a real part whose square is half the real part and the root of the norm.
G2 point_of_twist(uint64_t x) {
    for (;; ++x) {
        const Fp2 at{Fp::of(x), Fp{}};
        const Fp2 right_side = square(at) * at + kTwistB;
        const Fp norm = square(right_side.c0) + square(right_side.c1);
        const Fp root = norm * power_of_root(norm);
        const Fp real_squared = half(right_side.c0 + root);
        const Fp real = real_squared * power_of_root(real_squared);
        if (real.is_zero()) continue;
        const Fp2 y{real, half(right_side.c1) * real.inverse()};
        if (square(y) == right_side) return {at, y};
    }
}

template <class F>
class Bls12Group : public testing::Test {};
using Fields = testing::Types<Fp, Fp2>;
TYPED_TEST_SUITE(Bls12Group, Fields);

TYPED_TEST(Bls12Group, multiples_by_the_parameter) {
    using F = TypeParam;
    std::mt19937_64 random(1);
    for (int i = 0; i < 5; ++i) {
        const Affine<F> a = slow_multiply(kGenerator<F>, random_number(random));
        EXPECT_TRUE(in_subgroup(a));
        EXPECT_EQ(to_affine(times_minus_x(twice(Jacobian<F>::of(a)))),
                  slow_multiply(a, U256(kMinusX) << 1));
    }
}

TEST(Bls12Subgroup, endomorphisms_multiply_by_their_eigenvalues) {
    const U256 x_squared = U256(kMinusX) * U256(kMinusX);
    EXPECT_EQ((G1{kGenerator1.x * kBeta, kGenerator1.y}),
              slow_multiply(kGenerator1, kOrder - x_squared));
    EXPECT_EQ(psi(kGenerator2), slow_multiply(kGenerator2, kOrder - U256(kMinusX)));
}

TEST(Bls12Subgroup, points_of_other_orders_are_refused) {
    for (uint64_t x = 1; x < 400; x += 20) {
        const G1 p = point_of_curve(x);
        const G2 q = point_of_twist(x);
        ASSERT_TRUE(on_curve(p));
        ASSERT_TRUE(on_curve(q));
        ASSERT_EQ(in_subgroup(p), slow_multiply(p, kOrder).is_infinity());
        ASSERT_EQ(in_subgroup(q), slow_multiply(q, kOrder).is_infinity());
        ASSERT_FALSE(in_subgroup(p));
        ASSERT_FALSE(in_subgroup(q));
        // r times the point has an order that divides the cofactor.
        ASSERT_FALSE(in_subgroup(slow_multiply(p, kOrder)));
        ASSERT_FALSE(in_subgroup(slow_multiply(q, kOrder)));
        ASSERT_TRUE(in_subgroup(to_affine(times_minus_x(Jacobian<Fp>::of(p)) + p)));
    }
    EXPECT_TRUE(in_subgroup(G1{}));
    EXPECT_TRUE(in_subgroup(G2{}));
    // (0, 2) has order 3.
    EXPECT_TRUE(on_curve(G1{Fp{}, Fp::of(2)}));
    EXPECT_FALSE(in_subgroup(G1{Fp{}, Fp::of(2)}));
}

TYPED_TEST(Bls12Group, sums_of_multiples) {
    using F = TypeParam;
    std::mt19937_64 random(2);
    const U256 edges[] = {U256{},
                          U256(1),
                          U256(kMinusX),
                          U256(kMinusX) * U256(kMinusX),
                          U256(kMinusX) * U256(kMinusX) - U256(1),
                          kOrder - U256(1),
                          kOrder,
                          kOrder + U256(1),
                          U256::max()};
    for (const U256& scalar : edges) {
        const Affine<F> g = kGenerator<F>;
        EXPECT_EQ(to_affine(multiply_sum(std::span(&g, 1), std::span(&scalar, 1))),
                  slow_multiply(g, scalar));
    }
    for (const size_t count : {1u, 2u, 3u, 8u, 26u, 40u, 64u, 100u, 300u}) {
        std::vector<Affine<F>> points;
        std::vector<U256> scalars;
        // Multiples of one point, so that their sum is one multiplication too.
        U256 total{};
        Jacobian<F> point = Jacobian<F>::of(kGenerator<F>);
        U256 factor(1);
        for (size_t i = 0; i < count; ++i) {
            const U256 scalar = i % 7 == 3 ? edges[i % std::size(edges)] : random_number(random);
            points.push_back(to_affine(point));
            scalars.push_back(scalar);
            total = core::add_mod(total, core::mul_mod(scalar, factor, kOrder), kOrder);
            if (i % 5 == 4) {
                // Equal, opposite points and infinity, with scalars that meet in one bucket.
                points.push_back(i % 2 == 0 ? points.back() : -points.back());
                scalars.push_back(scalars.back());
                const U256 product = core::mul_mod(scalar, factor, kOrder);
                total = core::add_mod(total, i % 2 == 0 ? product : kOrder - product, kOrder);
                points.push_back({});
                scalars.push_back(random_number(random));
            }
            point = twice(point) + kGenerator<F>;
            factor = core::add_mod(factor + factor, U256(1), kOrder);
        }
        EXPECT_EQ(to_affine(multiply_sum(points, scalars)), slow_multiply(kGenerator<F>, total))
            << count;
    }
}

TEST(Bls12Pairing, is_bilinear) {
    std::mt19937_64 random(3);
    const auto value = [](const G1& p, const G2& q) {
        const Pair pair{p, q};
        return final_exponentiation(miller_loop(std::span(&pair, 1)));
    };
    const Fp12 base = value(kGenerator1, kGenerator2);
    EXPECT_NE(base, Fp12::one());
    for (int i = 0; i < 3; ++i) {
        const U256 a = random_number(random) % kOrder, b = random_number(random) % kOrder;
        const G1 ap = slow_multiply(kGenerator1, a);
        const G2 bq = slow_multiply(kGenerator2, b);
        const U256 product = core::mul_mod(a, b, kOrder);
        EXPECT_EQ(value(ap, bq), value(slow_multiply(kGenerator1, product), kGenerator2));
        EXPECT_EQ(value(ap, bq), value(kGenerator1, slow_multiply(kGenerator2, product)));
        EXPECT_EQ(value(ap, kGenerator2) * value(kGenerator1, kGenerator2),
                  value(ap + kGenerator1, kGenerator2));
        EXPECT_EQ(value(-ap, bq), conjugate(value(ap, bq)));
        const Pair pairs[] = {{ap, bq}, {kGenerator1, kGenerator2}};
        EXPECT_EQ(final_exponentiation(miller_loop(pairs)), value(ap, bq) * base);
        const LinesOf lines_of_b(bq), lines_of_generator(kGenerator2);
        const PairOfLines prepared[] = {{ap, &lines_of_b}, {kGenerator1, &lines_of_generator}};
        EXPECT_EQ(final_exponentiation(miller_loop(prepared)), value(ap, bq) * base);
    }
}

// Digits of a number, padded to a field element.
std::string element(std::string_view digits) {
    return std::string(128 - digits.size(), '0') + std::string(digits);
}

TEST(Bls12Map, known_points) {
    // From another implementation of the maps.
    struct Case {
        std::string input, output;
    };
    const Case in_g1[] = {
        {element("1"), element("1073311196f8ef19477219ccee3a48035ff432295aa9419eed45d186027d88b9083"
                               "2e14c4f0e2aa4d15f54d1c3ed0f93") +
                           element("34d6e3755a2073039d609db4cf3aef548283b5cc92f1021cbdb276414bcd807"
                                   "2b112d80a2b0a7dbf22bdaf17e006d45")},
        {element("2"), element("163d8bde8d53a02f733c7c48a57d31e7d3419f7c0ca8eee26bea104da6eed8641b2"
                               "769feda6ba1f8984bcc84d3c9ffdc") +
                           element("843845d8cbf2013d604a35de7c1a2ae5e9d7ca2e048f386e193c661f949a5eb"
                                   "47de84ee3bf0c8567594275da9425d0b")},
        {element("4d"), element("10377c073dbfe7fec36eab2d30edfeeb6765e297fe44973bee50b3070abf03d36f"
                                "2560ee40bf32b96636ecd2babf8640") +
                            element("16212b0f56304cca20c8d32293da782d34a27469c630bf61fbc627bb5ef9b5"
                                    "5b25014aac32d43afde874a3df946be110")},
        {element("1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb"
                 "9feffffffffaaaa"),
         element("1073311196f8ef19477219ccee3a48035ff432295aa9419eed45d186027d88b90832e14c4f0e2aa4d"
                 "15f54d1c3ed0f93") +
             element("16b3a3b2e3dddf6a11459ddaf657fde21c4f10282a56029d9b55ab3ce1f41e1cf39ad27e0ea35"
                     "823c7d3250e81ff3d66")}};
    for (const Case& c : in_g1) {
        Bytes out(128);
        ASSERT_EQ(bls12_map_to_g1(*core::from_hex(c.input), out.data()), CurveResult::Ok);
        EXPECT_EQ(core::to_hex(out), c.output);
    }
    const Case in_g2[] = {{element("1") + element("0"),
                           element("1770d4f641225e1a1c0f7d05857299763e98e47ec6355b81dd6cdaf6db68250"
                                   "52f71d35ede3af8b70f046474c48d712e") +
                               element("e12b55d801607d9760f8637ac80a4fececd3eb74045b342ee3c7dddd203"
                                       "7e72dedccc27e9a89491d4e57bde555fead") +
                               element("5695a740eaae8452a882e7647f22bc17782b00afa7b6be2d974824a2a7c"
                                       "ba7eece26c60671d41145266582912235323") +
                               element("143ef77ba72f284b5b4f5c5ea227d269d98a8cf74a5c048a07852874d50"
                                       "632806cf66bc25db089319df2ee3f0212fc1c")},
                          {element("3") + element("5"),
                           element("d956557a749f7d41cf147736d2ca41cffea6398c7e91fb4f1412823c4cb77a4"
                                   "9af8a7469dc474b950980f6318e2bb17") +
                               element("bb2838cba4a2622f01337f5de6ce21d49be2ed54f8ed9372553a4477188"
                                       "d701c999672662f7c30bc4fc6b09c3428a4e") +
                               element("171c88864cf34b16134aa7663e995d44e7e3203a9760089d1591679264c"
                                       "dd5dbd28d9d83712e5aaeab8aee2034586a4") +
                               element("17600ef2f71fea837c533cfaa55918232185e5ed20dab715e7b19c0d381"
                                       "6d1fbe12fd931596871ce95db7d641f6fcc98")}};
    for (const Case& c : in_g2) {
        Bytes out(256);
        ASSERT_EQ(bls12_map_to_g2(*core::from_hex(c.input), out.data()), CurveResult::Ok);
        EXPECT_EQ(core::to_hex(out), c.output);
    }
}

TEST(Bls12Map, gives_points_of_the_subgroup) {
    for (uint64_t u = 0; u < 20; ++u) {
        const G1 p = to_affine(map_to_curve(Fp::of(u)));
        const G2 q = to_affine(map_to_curve(Fp2{Fp::of(u), Fp::of(u * u % 7)}));
        EXPECT_TRUE(on_curve(p) && in_subgroup(p) && !p.is_infinity()) << u;
        EXPECT_TRUE(on_curve(q) && in_subgroup(q) && !q.is_infinity()) << u;
    }
}

TEST(Bls12Map, refuses_numbers_from_p_on) {
    const std::string prime =
        "1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffff"
        "f"
        "faaab";
    Bytes out(256);
    EXPECT_EQ(bls12_map_to_g1(*core::from_hex(element(prime)), out.data()),
              CurveResult::NotCanonical);
    EXPECT_EQ(bls12_map_to_g2(*core::from_hex(element("1") + element(prime)), out.data()),
              CurveResult::NotCanonical);
    EXPECT_EQ(bls12_map_to_g1(*core::from_hex("01" + element("0").substr(2)), out.data()),
              CurveResult::NotCanonical);
}

Bytes compressed(std::string_view digits) {
    return *core::from_hex(digits);
}

TEST(Bls12Decompress, flags_choose_the_point) {
    const std::string x =
        "17f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb"
        "2"
        "2c6bb";
    G1 point;
    EXPECT_EQ(decompress(compressed("9" + x.substr(1)), point), CurveResult::Ok);
    EXPECT_EQ(point, kGenerator1);
    EXPECT_EQ(decompress(compressed("b" + x.substr(1)), point), CurveResult::Ok);
    EXPECT_EQ(point, -kGenerator1);
    EXPECT_EQ(decompress(compressed(x), point), CurveResult::NotCanonical);
    EXPECT_EQ(decompress(compressed("d" + x.substr(1)), point), CurveResult::NotCanonical);
    const std::string zeros(94, '0');
    EXPECT_EQ(decompress(compressed("c0" + zeros), point), CurveResult::Ok);
    EXPECT_TRUE(point.is_infinity());
    EXPECT_EQ(decompress(compressed("e0" + zeros), point), CurveResult::NotCanonical);
    EXPECT_EQ(decompress(compressed("40" + zeros), point), CurveResult::NotCanonical);
    EXPECT_EQ(decompress(compressed("80" + zeros), point), CurveResult::NotInSubgroup);  // (0, 2)
    EXPECT_EQ(decompress(compressed("9f" + std::string(94, 'f')), point),
              CurveResult::NotCanonical);
    EXPECT_EQ(decompress(Bytes(47), point), CurveResult::NotCanonical);
}

}  // namespace
}  // namespace keel::crypto
