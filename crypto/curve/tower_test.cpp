#include "crypto/curve/tower.hpp"

#include <gmp.h>
#include <gtest/gtest.h>

#include <random>

#include "crypto/bls12_381/pairing.hpp"
#include "crypto/bn254/pairing.hpp"
#include "crypto/curve/prime_field_products.hpp"

namespace keel::crypto::curve {
namespace {

template <class Fp>
class Random {
  public:
    explicit Random(uint64_t seed) : random_(seed) {}
    // Below p; some are near 0, p or a power of two.
    typename Fp::Words words() {
        typename Fp::Words out{};
        const uint64_t kind = random_() % 24;
        for (uint64_t& word : out) word = random_();
        if (kind == 0) out = {random_() % 4};
        if (kind == 1) subtract_words(out, Fp::kPrime, typename Fp::Words{random_() % 4 + 1});
        if (kind == 2) {
            out = {};
            out[random_() % Fp::kWords] = uint64_t{1} << random_() % 64;
        }
        while (!Fp::is_canonical(out)) out[Fp::kWords - 1] >>= 1;
        return out;
    }
    Fp fp() { return Fp::of(words()); }
    Fp2<Fp> fp2() { return {fp(), fp()}; }
    Fp6<Fp> fp6() { return {fp2(), fp2(), fp2()}; }
    Fp12<Fp> fp12() { return {fp6(), fp6()}; }

  private:
    std::mt19937_64 random_;
};

// Arithmetic modulo p by GMP.
template <class Fp>
class Number {
  public:
    Number() { mpz_init(value_); }
    explicit Number(const typename Fp::Words& words) : Number() {
        mpz_import(value_, words.size(), -1, sizeof(uint64_t), 0, 0, words.data());
    }
    Number(const Number&) = delete;
    Number& operator=(const Number&) = delete;
    ~Number() { mpz_clear(value_); }

    mpz_ptr get() { return value_; }
    typename Fp::Words modulo_p() {
        Number prime(Fp::kPrime);
        mpz_mod(value_, value_, prime.get());
        typename Fp::Words out{};
        mpz_export(out.data(), nullptr, -1, sizeof(uint64_t), 0, 0, value_);
        return out;
    }

  private:
    mpz_t value_;
};

template <class F, size_t kCount>
F power(const F& base, const Words<kCount>& exponent) {
    F result = F::one();
    for (size_t i = 64 * kCount; i-- > 0;) {
        result = result * result;
        if (((exponent[i / 64] >> (i % 64)) & 1) != 0) result = result * base;
    }
    return result;
}

template <class Fp>
class Field : public testing::Test {};
using Fields = testing::Types<bn254::Fp, bls12_381::Fp, bls12_381::Fr>;
TYPED_TEST_SUITE(Field, Fields);

TYPED_TEST(Field, agrees_with_gmp_and_the_portable_forms_agree) {
    using Fp = TypeParam;
    Random<Fp> random(1);
    for (int i = 0; i < 20'000; ++i) {
        const auto a = random.words(), b = random.words();
        const Fp x = Fp::of(a), y = Fp::of(b);
        ASSERT_EQ(x.words(), a);
        Number<Fp> m(a), n(b), result;
        mpz_mul(result.get(), m.get(), n.get());
        ASSERT_EQ((x * y).words(), result.modulo_p());
        ASSERT_EQ(detail::multiply_portable(x, y), x * y);
        mpz_mul(result.get(), m.get(), m.get());
        ASSERT_EQ(square(x).words(), result.modulo_p());
        mpz_add(result.get(), m.get(), n.get());
        ASSERT_EQ((x + y).words(), result.modulo_p());
        ASSERT_EQ(detail::add_portable(x, y), x + y);
        mpz_sub(result.get(), m.get(), n.get());
        ASSERT_EQ((x - y).words(), result.modulo_p());
        ASSERT_EQ(detail::subtract_portable(x, y), x - y);
        ASSERT_EQ(-x, Fp{} - x);
        ASSERT_EQ(twice(half(x)), x);
    }
}

TYPED_TEST(Field, inverses) {
    using Fp = TypeParam;
    Random<Fp> random(2);
    for (int i = 0; i < 2'000; ++i) {
        const Fp a = random.fp();
        ASSERT_EQ(a * a.inverse(), a.is_zero() ? Fp{} : Fp::one());
    }
    EXPECT_EQ(Fp{}.inverse(), Fp{});
    EXPECT_EQ(Fp::one().inverse(), Fp::one());
    EXPECT_EQ((-Fp::one()).inverse(), -Fp::one());
}

TYPED_TEST(Field, constants_that_follow_from_the_prime) {
    using Fp = TypeParam;
    EXPECT_EQ(Fp::one().words(), typename Fp::Words{1});
    EXPECT_EQ(Fp::of(7).words(), typename Fp::Words{7});
    EXPECT_FALSE(Fp::is_canonical(Fp::kPrime));
    EXPECT_TRUE(Fp::is_canonical((-Fp::one()).words()));
    EXPECT_EQ(Fp::kPrime[0] * Fp::kNegativeInverse, ~0ull);
}

template <class Fp>
class Towers : public testing::Test {};
using TowerFields = testing::Types<bn254::Fp, bls12_381::Fp>;
TYPED_TEST_SUITE(Towers, TowerFields);

TYPED_TEST(Towers, sums_of_products_agree_with_gmp_and_the_portable_form) {
    using Fp = TypeParam;
    Random<Fp> random(3);
    for (int i = 0; i < 20'000; ++i) {
        const typename Fp::Words w[4] = {random.words(), random.words(), random.words(),
                                         random.words()};
        const Fp2<Fp> a{Fp::of(w[0]), Fp::of(w[1])}, b{Fp::of(w[2]), Fp::of(w[3])};
        Number<Fp> n0(w[0]), n1(w[1]), n2(w[2]), n3(w[3]), real, imaginary;
        mpz_mul(real.get(), n0.get(), n2.get());
        mpz_submul(real.get(), n1.get(), n3.get());
        mpz_mul(imaginary.get(), n0.get(), n3.get());
        mpz_addmul(imaginary.get(), n1.get(), n2.get());
        const Fp2<Fp> product = a * b;
        ASSERT_EQ(product.c0.words(), real.modulo_p());
        ASSERT_EQ(product.c1.words(), imaginary.modulo_p());
        Fp sum;
        sum_of_products(sum, a, b, false);
        ASSERT_EQ(sum, a.c0 * b.c0 + a.c1 * b.c1);
        ASSERT_EQ(detail::sum_of_products_portable(a, b.c0, b.c1), sum);
        ASSERT_EQ(detail::sum_of_products_portable(a, b.c1, b.c0), product.c1);
        ASSERT_EQ(square(a), a * a);
    }
}

TYPED_TEST(Towers, inverses) {
    using Fp = TypeParam;
    Random<Fp> random(4);
    for (int i = 0; i < 20; ++i) {
        const Fp2<Fp> a = random.fp2();
        const Fp6<Fp> b = random.fp6();
        const Fp12<Fp> c = random.fp12();
        ASSERT_EQ(a * a.inverse(), Fp2<Fp>::one());
        ASSERT_EQ(b * b.inverse(), Fp6<Fp>::one());
        ASSERT_EQ(c * c.inverse(), Fp12<Fp>::one());
    }
    EXPECT_EQ(Fp2<Fp>{}.inverse(), Fp2<Fp>{});
}

template <class Fp>
const Fp2<Fp> kXi{};
template <>
const Fp2<bn254::Fp> kXi<bn254::Fp>{bn254::Fp::of(9), bn254::Fp::one()};
template <>
const Fp2<bls12_381::Fp> kXi<bls12_381::Fp>{bls12_381::Fp::one(), bls12_381::Fp::one()};

TYPED_TEST(Towers, squares_and_special_products_are_products) {
    using Fp = TypeParam;
    using F2 = Fp2<Fp>;
    using F6 = Fp6<Fp>;
    using F12 = Fp12<Fp>;
    Random<Fp> random(5);
    const F2 i{Fp{}, Fp::one()};
    const F6 v{F2{}, F2::one(), F2{}};
    const F12 w{F6{}, F6::one()};
    EXPECT_EQ(i * i, -F2::one());
    EXPECT_EQ(v * v * v, (F6{kXi<Fp>, F2{}, F2{}}));
    EXPECT_EQ(w * w, (F12{v, F6{}}));
    for (int repeat = 0; repeat < 50; ++repeat) {
        const F2 a = random.fp2(), b = random.fp2(), c = random.fp2();
        const F6 d = random.fp6();
        const F12 e = random.fp12();
        ASSERT_EQ(times_xi(a), a * kXi<Fp>);
        ASSERT_EQ(times_v(d), d * v);
        ASSERT_EQ(d * a, d * (F6{a, F2{}, F2{}}));
        ASSERT_EQ(multiply_by_1(d, a), d * (F6{F2{}, a, F2{}}));
        ASSERT_EQ(multiply_by_01(d, a, b), d * (F6{a, b, F2{}}));
        ASSERT_EQ(square(e), e * e);
        ASSERT_EQ(multiply_by_034(e, a, b, c), e * (F12{{a, F2{}, F2{}}, {b, c, F2{}}}));
        ASSERT_EQ(multiply_by_014(e, a, b, c), e * (F12{{a, b, F2{}}, {F2{}, c, F2{}}}));
        ASSERT_EQ(multiply_by_014(e, a, b), e * (F12{{a, b, F2{}}, {F2{}, F2::one(), F2{}}}));
    }
}

TYPED_TEST(Towers, products_are_associative_and_distribute) {
    using F12 = Fp12<TypeParam>;
    Random<TypeParam> random(6);
    for (int repeat = 0; repeat < 20; ++repeat) {
        const F12 a = random.fp12(), b = random.fp12(), c = random.fp12();
        ASSERT_EQ((a * b) * c, a * (b * c));
        ASSERT_EQ((F12{a.c0 + b.c0, a.c1 + b.c1}) * c,
                  (F12{(a * c).c0 + (b * c).c0, (a * c).c1 + (b * c).c1}));
    }
}

TYPED_TEST(Towers, frobenius_is_the_pth_power) {
    Random<TypeParam> random(7);
    const Fp12<TypeParam> a = random.fp12();
    EXPECT_EQ(a.frobenius(1), power(a, TypeParam::kPrime));
    EXPECT_EQ(a.frobenius(2), a.frobenius(1).frobenius(1));
    EXPECT_EQ(a.frobenius(3), a.frobenius(2).frobenius(1));
    EXPECT_EQ(conjugate(a), a.frobenius(3).frobenius(3));
}

TYPED_TEST(Towers, cyclotomic_square_is_the_square_there) {
    Random<TypeParam> random(8);
    for (int repeat = 0; repeat < 20; ++repeat) {
        Fp12<TypeParam> a = random.fp12();
        a = conjugate(a) * a.inverse();
        a = a.frobenius(2) * a;
        ASSERT_EQ(cyclotomic_square(a), square(a));
        ASSERT_EQ(conjugate(a) * a, Fp12<TypeParam>::one());
    }
}

TYPED_TEST(Towers, final_exponentiation_ends_in_the_group_of_order_r) {
    constexpr bool kBn = std::is_same_v<TypeParam, bn254::Fp>;
    constexpr core::U256 kOrder = kBn ? bn254::kOrder : bls12_381::kOrder;
    Random<TypeParam> random(9);
    const Fp12<TypeParam> a = final_exponentiation(random.fp12());
    EXPECT_NE(a, Fp12<TypeParam>::one());
    EXPECT_EQ(power(a, words_of(kOrder)), Fp12<TypeParam>::one());
}

TEST(Bls12Field, roots_of_squares) {
    using bls12_381::power_of_root;
    Random<bls12_381::Fp> random(10);
    for (int i = 0; i < 200; ++i) {
        const bls12_381::Fp a = square(random.fp());
        ASSERT_EQ(square(a * power_of_root(a)), a);
        ASSERT_EQ(square(-a * power_of_root(-a)), a);  // -1 is not a square
    }
}

}  // namespace
}  // namespace keel::crypto::curve
