#include "crypto/bn254/tower.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "crypto/bn254/pairing.hpp"

namespace keel::crypto::bn254 {
namespace {

using core::U256;

class Random {
  public:
    explicit Random(uint64_t seed) : random_(seed) {}
    Fp fp() { return Fp::of(U256(random_(), random_(), random_(), random_()) % kPrime); }
    Fp2 fp2() { return {fp(), fp()}; }
    Fp6 fp6() { return {fp2(), fp2(), fp2()}; }
    Fp12 fp12() { return {fp6(), fp6()}; }

  private:
    std::mt19937_64 random_;
};

template <class F>
F power(const F& base, const U256& exponent) {
    F result = F::one();
    for (unsigned i = exponent.bit_length(); i-- > 0;) {
        result = result * result;
        if (exponent.bit(i)) result = result * base;
    }
    return result;
}

TEST(Bn254Field, agrees_with_arithmetic_of_wide_integers) {
    std::mt19937_64 random(1);
    for (int i = 0; i < 20'000; ++i) {
        U256 a = U256(random(), random(), random(), random()) % kPrime;
        U256 b = U256(random(), random(), random(), random()) % kPrime;
        if (i % 50 == 0) a = kPrime - U256(1);
        if (i % 70 == 0) b = i % 140 == 0 ? U256{} : kPrime - U256(1);
        const Fp x = Fp::of(a), y = Fp::of(b);
        ASSERT_EQ((x * y).value(), core::mul_mod(a, b, kPrime));
        ASSERT_EQ(detail::multiply_portable(x, y), x * y);
        ASSERT_EQ((x + y).value(), core::add_mod(a, b, kPrime));
        ASSERT_EQ((x - y).value(), core::add_mod(a, kPrime - b, kPrime));
        ASSERT_EQ((-x).value(), a.is_zero() ? a : kPrime - a);
        ASSERT_EQ(twice(half(x)), x);
    }
}

TEST(Bn254Field, inverses) {
    Random random(2);
    for (int i = 0; i < 500; ++i) {
        const Fp a = random.fp();
        ASSERT_EQ(a * a.inverse(), Fp::one());
    }
    EXPECT_EQ(Fp{}.inverse(), Fp{});
    EXPECT_EQ(Fp::one().inverse(), Fp::one());
    for (int i = 0; i < 20; ++i) {
        const Fp2 a = random.fp2();
        const Fp6 b = random.fp6();
        const Fp12 c = random.fp12();
        ASSERT_EQ(a * a.inverse(), Fp2::one());
        ASSERT_EQ(b * b.inverse(), Fp6::one());
        ASSERT_EQ(c * c.inverse(), Fp12::one());
    }
}

TEST(Bn254Tower, squares_and_special_products_are_products) {
    Random random(3);
    const Fp2 i{Fp{}, Fp::one()};
    const Fp6 v{Fp2{}, Fp2::one(), Fp2{}};
    const Fp2 xi{Fp::of(9), Fp::one()};
    EXPECT_EQ(i * i, -Fp2::one());
    EXPECT_EQ(v * v * v, (Fp6{xi, Fp2{}, Fp2{}}));
    for (int repeat = 0; repeat < 50; ++repeat) {
        const Fp2 a = random.fp2(), b = random.fp2(), c = random.fp2();
        const Fp6 d = random.fp6();
        const Fp12 e = random.fp12();
        ASSERT_EQ(square(a), a * a);
        ASSERT_EQ(times_xi(a), a * xi);
        ASSERT_EQ(times_v(d), d * v);
        ASSERT_EQ(d * a, d * (Fp6{a, Fp2{}, Fp2{}}));
        ASSERT_EQ(multiply_by_01(d, a, b), d * (Fp6{a, b, Fp2{}}));
        ASSERT_EQ(square(e), e * e);
        ASSERT_EQ(multiply_by_line(e, a, b, c), e * (Fp12{{a, Fp2{}, Fp2{}}, {b, c, Fp2{}}}));
    }
}

TEST(Bn254Tower, products_are_associative_and_distribute) {
    Random random(4);
    for (int repeat = 0; repeat < 20; ++repeat) {
        const Fp12 a = random.fp12(), b = random.fp12(), c = random.fp12();
        ASSERT_EQ((a * b) * c, a * (b * c));
        ASSERT_EQ((Fp12{a.c0 + b.c0, a.c1 + b.c1}) * c,
                  (Fp12{(a * c).c0 + (b * c).c0, (a * c).c1 + (b * c).c1}));
    }
}

TEST(Bn254Tower, frobenius_is_the_pth_power) {
    Random random(5);
    const Fp12 a = random.fp12();
    EXPECT_EQ(a.frobenius(1), power(a, kPrime));
    EXPECT_EQ(a.frobenius(2), a.frobenius(1).frobenius(1));
    EXPECT_EQ(a.frobenius(3), a.frobenius(2).frobenius(1));
    EXPECT_EQ(conjugate(a), a.frobenius(3).frobenius(3));
}

TEST(Bn254Tower, cyclotomic_square_is_the_square_there) {
    Random random(6);
    for (int repeat = 0; repeat < 20; ++repeat) {
        Fp12 a = random.fp12();
        a = conjugate(a) * a.inverse();
        a = a.frobenius(2) * a;
        ASSERT_EQ(cyclotomic_square(a), square(a));
        ASSERT_EQ(conjugate(a) * a, Fp12::one());
    }
}

TEST(Bn254Tower, final_exponentiation_ends_in_the_group_of_order_r) {
    const U256 order(0x43e1f593f0000001, 0x2833e84879b97091, 0xb85045b68181585d,
                     0x30644e72e131a029);
    Random random(7);
    const Fp12 a = final_exponentiation(random.fp12());
    EXPECT_NE(a, Fp12::one());
    EXPECT_EQ(power(a, order), Fp12::one());
}

}  // namespace
}  // namespace keel::crypto::bn254
