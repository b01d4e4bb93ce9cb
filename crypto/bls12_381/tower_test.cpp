#include "crypto/bls12_381/tower.hpp"

#include <gmp.h>
#include <gtest/gtest.h>

#include <random>

#include "crypto/bls12_381/pairing.hpp"

namespace keel::crypto::bls12_381 {
namespace {

class Random {
  public:
    explicit Random(uint64_t seed) : random_(seed) {}
    // Below p; one in eight is near 0, p or a power of two.
    Fp words() {
        Fp out{};
        const uint64_t kind = random_() % 24;
        for (uint64_t& word : out.form) word = random_();
        if (kind == 0) out = Fp{{random_() % 4}};
        if (kind == 1) {
            detail::subtract_words(out.form, kPrime, Fp{{random_() % 4 + 1}}.form, kFpWords);
        }
        if (kind == 2) {
            out = Fp{};
            out.form[random_() % kFpWords] = uint64_t{1} << random_() % 61;
        }
        out.form[kFpWords - 1] &= (uint64_t{1} << 61) - 1;
        while (!is_canonical(out)) out.form[kFpWords - 1] >>= 1;
        return out;
    }
    Fp fp() { return Fp::of(words()); }
    Fp2 fp2() { return {fp(), fp()}; }
    Fp6 fp6() { return {fp2(), fp2(), fp2()}; }
    Fp12 fp12() { return {fp6(), fp6()}; }

  private:
    std::mt19937_64 random_;
};

// Arithmetic modulo p by GMP.
class Number {
  public:
    Number() { mpz_init(value_); }
    explicit Number(const Fp& words) : Number() {
        mpz_import(value_, kFpWords, -1, sizeof(uint64_t), 0, 0, words.form);
    }
    Number(const Number&) = delete;
    Number& operator=(const Number&) = delete;
    ~Number() { mpz_clear(value_); }

    mpz_ptr get() { return value_; }
    Fp modulo_p() {
        static constexpr Fp kWords{
            {kPrime[0], kPrime[1], kPrime[2], kPrime[3], kPrime[4], kPrime[5]}};
        Number prime(kWords);
        mpz_mod(value_, value_, prime.get());
        Fp out{};
        mpz_export(out.form, nullptr, -1, sizeof(uint64_t), 0, 0, value_);
        return out;
    }

  private:
    mpz_t value_;
};

template <class F>
F power(const F& base, const uint64_t* exponent, size_t words) {
    F result = F::one();
    for (size_t i = 64 * words; i-- > 0;) {
        result = result * result;
        if (((exponent[i / 64] >> (i % 64)) & 1) != 0) result = result * base;
    }
    return result;
}

TEST(Bls12Field, agrees_with_gmp) {
    Random random(1);
    for (int i = 0; i < 20'000; ++i) {
        const Fp a = random.words(), b = random.words();
        const Fp x = Fp::of(a), y = Fp::of(b);
        ASSERT_EQ(x.value(), a);
        Number m(a), n(b), result;
        mpz_mul(result.get(), m.get(), n.get());
        ASSERT_EQ((x * y).value(), result.modulo_p());
        ASSERT_EQ(detail::multiply_portable(x, y), x * y);
        mpz_mul(result.get(), m.get(), m.get());
        ASSERT_EQ(square(x).value(), result.modulo_p());
        mpz_add(result.get(), m.get(), n.get());
        ASSERT_EQ((x + y).value(), result.modulo_p());
        ASSERT_EQ(detail::add_portable(x, y), x + y);
        mpz_sub(result.get(), m.get(), n.get());
        ASSERT_EQ((x - y).value(), result.modulo_p());
        ASSERT_EQ(detail::subtract_portable(x, y), x - y);
        ASSERT_EQ(-x, Fp{} - x);
        ASSERT_EQ(twice(half(x)), x);
    }
}

TEST(Bls12Field, sums_of_products_agree_with_gmp) {
    Random random(2);
    for (int i = 0; i < 20'000; ++i) {
        const Fp w[4] = {random.words(), random.words(), random.words(), random.words()};
        const Fp2 a{Fp::of(w[0]), Fp::of(w[1])}, b{Fp::of(w[2]), Fp::of(w[3])};
        Number n0(w[0]), n1(w[1]), n2(w[2]), n3(w[3]), real, imaginary;
        mpz_mul(real.get(), n0.get(), n2.get());
        mpz_submul(real.get(), n1.get(), n3.get());
        mpz_mul(imaginary.get(), n0.get(), n3.get());
        mpz_addmul(imaginary.get(), n1.get(), n2.get());
        const Fp2 product = a * b;
        ASSERT_EQ(product.c0.value(), real.modulo_p());
        ASSERT_EQ(product.c1.value(), imaginary.modulo_p());
        Fp sum;
        sum_of_products(sum, a, b, false);
        ASSERT_EQ(sum, a.c0 * b.c0 + a.c1 * b.c1);
        ASSERT_EQ(square(a), a * a);
    }
}

TEST(Bls12Field, inverses) {
    Random random(3);
    for (int i = 0; i < 2'000; ++i) {
        const Fp a = random.fp();
        if (a.is_zero()) continue;
        ASSERT_EQ(a * a.inverse(), Fp::one());
    }
    EXPECT_EQ(Fp{}.inverse(), Fp{});
    EXPECT_EQ(Fp::one().inverse(), Fp::one());
    EXPECT_EQ((-Fp::one()).inverse(), -Fp::one());
    for (int i = 0; i < 20; ++i) {
        const Fp2 a = random.fp2();
        const Fp6 b = random.fp6();
        const Fp12 c = random.fp12();
        ASSERT_EQ(a * a.inverse(), Fp2::one());
        ASSERT_EQ(b * b.inverse(), Fp6::one());
        ASSERT_EQ(c * c.inverse(), Fp12::one());
    }
}

TEST(Bls12Field, roots_of_squares) {
    Random random(4);
    for (int i = 0; i < 200; ++i) {
        const Fp a = square(random.fp());
        ASSERT_EQ(square(a * power_of_root(a)), a);
        ASSERT_EQ(square(-a * power_of_root(-a)), a);  // -1 is not a square
    }
}

TEST(Bls12Tower, squares_and_special_products_are_products) {
    Random random(5);
    const Fp2 i{Fp{}, Fp::one()};
    const Fp2 xi{Fp::one(), Fp::one()};
    const Fp6 v{Fp2{}, Fp2::one(), Fp2{}};
    const Fp12 w{Fp6{}, Fp6::one()};
    EXPECT_EQ(i * i, -Fp2::one());
    EXPECT_EQ(v * v * v, (Fp6{xi, Fp2{}, Fp2{}}));
    EXPECT_EQ(w * w, (Fp12{v, Fp6{}}));
    for (int repeat = 0; repeat < 50; ++repeat) {
        const Fp2 a = random.fp2(), b = random.fp2(), c = random.fp2();
        const Fp6 d = random.fp6();
        const Fp12 e = random.fp12();
        ASSERT_EQ(times_xi(a), a * xi);
        ASSERT_EQ(times_v(d), d * v);
        ASSERT_EQ(d * a, d * (Fp6{a, Fp2{}, Fp2{}}));
        ASSERT_EQ(multiply_by_01(d, a, b), d * (Fp6{a, b, Fp2{}}));
        ASSERT_EQ(square(e), e * e);
        ASSERT_EQ(multiply_by_line(e, a, b, c), e * (Fp12{{a, b, Fp2{}}, {Fp2{}, c, Fp2{}}}));
        ASSERT_EQ(multiply_by_line(e, a, b), e * (Fp12{{a, b, Fp2{}}, {Fp2{}, Fp2::one(), Fp2{}}}));
    }
}

TEST(Bls12Tower, products_are_associative_and_distribute) {
    Random random(6);
    for (int repeat = 0; repeat < 20; ++repeat) {
        const Fp12 a = random.fp12(), b = random.fp12(), c = random.fp12();
        ASSERT_EQ((a * b) * c, a * (b * c));
        ASSERT_EQ((Fp12{a.c0 + b.c0, a.c1 + b.c1}) * c,
                  (Fp12{(a * c).c0 + (b * c).c0, (a * c).c1 + (b * c).c1}));
    }
}

TEST(Bls12Tower, frobenius_is_the_pth_power) {
    Random random(7);
    const Fp12 a = random.fp12();
    EXPECT_EQ(a.frobenius(1), power(a, kPrime, kFpWords));
    EXPECT_EQ(a.frobenius(2), a.frobenius(1).frobenius(1));
    EXPECT_EQ(a.frobenius(3), a.frobenius(2).frobenius(1));
    EXPECT_EQ(conjugate(a), a.frobenius(3).frobenius(3));
}

TEST(Bls12Tower, cyclotomic_square_is_the_square_there) {
    Random random(8);
    for (int repeat = 0; repeat < 20; ++repeat) {
        Fp12 a = random.fp12();
        a = conjugate(a) * a.inverse();
        a = a.frobenius(2) * a;
        ASSERT_EQ(cyclotomic_square(a), square(a));
        ASSERT_EQ(conjugate(a) * a, Fp12::one());
    }
}

TEST(Bls12Tower, final_exponentiation_ends_in_the_group_of_order_r) {
    Random random(9);
    const Fp12 a = final_exponentiation(random.fp12());
    EXPECT_NE(a, Fp12::one());
    EXPECT_EQ(power(a, kOrder.limbs, 4), Fp12::one());
}

}  // namespace
}  // namespace keel::crypto::bls12_381
