#include "core/u256.hpp"

#include <gmp.h>
#include <gtest/gtest.h>

#include <random>

namespace keel::core {
namespace {

// GMP is the oracle: the same operands, reduced modulo 2^256.
class Mpz {
  public:
    Mpz() { mpz_init(value_); }
    explicit Mpz(const U256& from) : Mpz() {
        const auto bytes = from.to_be32();
        mpz_import(value_, bytes.size(), 1, 1, 1, 0, bytes.data());
    }
    Mpz(const Mpz&) = delete;
    Mpz& operator=(const Mpz&) = delete;
    ~Mpz() { mpz_clear(value_); }
    mpz_ptr get() { return value_; }
    U256 low256() {
        mpz_t cut;
        mpz_init(cut);
        mpz_fdiv_r_2exp(cut, value_, 256);
        uint8_t bytes[32] = {};
        size_t count = 0;
        uint8_t found[32];
        mpz_export(found, &count, 1, 1, 1, 0, cut);
        std::copy(found, found + count, bytes + (32 - count));
        mpz_clear(cut);
        return U256::load_be32(bytes);
    }

  private:
    mpz_t value_;
};

// Operands of all lengths, with runs of ones and zeros that make carries and the rare branches of
// the division.
U256 random_operand(std::mt19937_64& random) {
    U256 value(random(), random(), random(), random());
    if (random() % 3 == 0) value = value | (U256::max() << static_cast<unsigned>(random() % 256));
    if (random() % 3 == 0) {
        const auto limb = random() % 4;
        value.limbs[limb] = random() % 2 == 0 ? 0 : ~uint64_t{0};
    }
    return value >> static_cast<unsigned>(random() % 257);
}

TEST(U256, arithmetic_equals_gmp_on_random_operands) {
    constexpr uint64_t kSeed = 20260101;
    std::mt19937_64 random(kSeed);
    for (int i = 0; i < 20'000; ++i) {
        const U256 a = random_operand(random), b = random_operand(random),
                   m = random_operand(random);
        SCOPED_TRACE(a.to_quantity() + " " + b.to_quantity() + " " + m.to_quantity());
        Mpz x(a), y(b), z(m), out;
        mpz_add(out.get(), x.get(), y.get());
        ASSERT_EQ(a + b, out.low256());
        mpz_sub(out.get(), x.get(), y.get());
        ASSERT_EQ(a - b, out.low256());
        mpz_mul(out.get(), x.get(), y.get());
        ASSERT_EQ(a * b, out.low256());
        if (!b.is_zero()) {
            Mpz rest;
            mpz_fdiv_qr(out.get(), rest.get(), x.get(), y.get());
            ASSERT_EQ(a / b, out.low256());
            ASSERT_EQ(a % b, rest.low256());
        }
        if (!m.is_zero()) {
            mpz_mul(out.get(), x.get(), y.get());
            mpz_mod(out.get(), out.get(), z.get());
            ASSERT_EQ(mul_mod(a, b, m), out.low256());
            mpz_add(out.get(), x.get(), y.get());
            mpz_mod(out.get(), out.get(), z.get());
            ASSERT_EQ(add_mod(a, b, m), out.low256());
        }
        const auto shift = static_cast<unsigned>(random() % 300);
        mpz_mul_2exp(out.get(), x.get(), shift);
        ASSERT_EQ(a << shift, out.low256());
        mpz_fdiv_q_2exp(out.get(), x.get(), shift);
        ASSERT_EQ(a >> shift, out.low256());
    }
}

TEST(U256, division_by_zero_is_zero_as_in_the_evm) {
    EXPECT_EQ(U256(7) / U256(0), U256(0));
    EXPECT_EQ(U256(7) % U256(0), U256(0));
    EXPECT_EQ(add_mod(U256(7), U256(7), U256(0)), U256(0));
    EXPECT_EQ(mul_mod(U256(7), U256(7), U256(0)), U256(0));
}

TEST(U256, signed_division_follows_twos_complement) {
    const U256 minus_one = U256::max(), minimum = U256(1) << 255;
    EXPECT_EQ(sdiv(minimum, minus_one), minimum);  // the one overflow
    EXPECT_EQ(sdiv(-U256(7), U256(2)), -U256(3));
    EXPECT_EQ(smod(-U256(7), U256(2)), -U256(1));  // the sign is the dividend's
    EXPECT_EQ(smod(U256(7), -U256(2)), U256(1));
    EXPECT_TRUE(slt(minus_one, U256(0)));
    EXPECT_FALSE(slt(U256(0), minimum));
}

TEST(U256, text_forms_go_both_ways) {
    const U256 big = *U256::parse("58750000000000000000000");
    EXPECT_EQ(big.to_decimal(), "58750000000000000000000");
    EXPECT_EQ(U256::parse(big.to_quantity()), big);
    EXPECT_EQ(U256(0).to_quantity(), "0x0");
    EXPECT_EQ(U256(0).to_decimal(), "0");
    EXPECT_EQ(U256::parse(U256::max().to_decimal()), U256::max());
    EXPECT_FALSE(U256::parse(""));
    EXPECT_FALSE(U256::parse("0x"));
    EXPECT_FALSE(U256::parse("12a"));
    EXPECT_FALSE(U256::parse("0x1" + std::string(64, '0')));
    EXPECT_FALSE(U256::parse("1" + U256::max().to_decimal()));
}

TEST(U256, power_wraps) {
    EXPECT_EQ(exp(U256(2), U256(255)), U256(1) << 255);
    EXPECT_EQ(exp(U256(2), U256(256)), U256(0));
    EXPECT_EQ(exp(U256(3), U256::max()) * U256(3), exp(U256(3), U256(0)));  // 3^(2^256) = 1
    EXPECT_EQ(exp(U256(0), U256(0)), U256(1));
}

}  // namespace
}  // namespace keel::core
