#include "crypto/modexp.hpp"

#include <gmp.h>
#include <gtest/gtest.h>

#include <random>

#include "core/hex.hpp"

namespace keel::crypto {
namespace {

using core::Bytes;

Bytes power(const Bytes& base, const Bytes& exponent, const Bytes& modulus) {
    Bytes out(modulus.size(), 0xee);
    modexp(base, exponent, modulus, out.data());
    return out;
}

Bytes power_by_gmp(const Bytes& base, const Bytes& exponent, const Bytes& modulus) {
    mpz_t b, e, m;
    mpz_inits(b, e, m, nullptr);
    mpz_import(b, base.size(), 1, 1, 1, 0, base.data());
    mpz_import(e, exponent.size(), 1, 1, 1, 0, exponent.data());
    mpz_import(m, modulus.size(), 1, 1, 1, 0, modulus.data());
    Bytes out(modulus.size());
    if (mpz_sgn(m) != 0) {
        mpz_powm(b, b, e, m);
        const size_t used = (mpz_sizeinbase(b, 2) + 7) / 8;
        if (mpz_sgn(b) != 0) {
            mpz_export(out.data() + out.size() - used, nullptr, 1, 1, 1, 0, b);
        }
    }
    mpz_clears(b, e, m, nullptr);
    return out;
}

Bytes hex(std::string_view digits) {
    return *core::from_hex(digits);
}

TEST(Modexp, example_of_eip_198) {
    // Fermat: 3^(p - 1) = 1 modulo the prime of secp256k1.
    EXPECT_EQ(
        power(hex("03"), hex("fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2e"),
              hex("fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f")),
        hex("0000000000000000000000000000000000000000000000000000000000000001"));
}

TEST(Modexp, zeros_and_ones) {
    EXPECT_EQ(power({}, {}, hex("05")), hex("01"));  // 0^0
    EXPECT_EQ(power(hex("0000"), {}, hex("05")), hex("01"));
    EXPECT_EQ(power({}, hex("02"), hex("0005")), hex("0000"));
    EXPECT_EQ(power(hex("03"), {}, hex("01")), hex("00"));  // everything is 0 modulo 1
    EXPECT_EQ(power({}, {}, hex("000001")), hex("000000"));
    EXPECT_EQ(power(hex("03"), hex("02"), hex("0000")), hex("0000"));
    EXPECT_EQ(power(hex("03"), hex("02"), {}), Bytes{});
    EXPECT_EQ(power(hex("000003"), hex("000002"), hex("00000a")), hex("000009"));
}

TEST(Modexp, agrees_with_gmp_for_all_shapes) {
    std::mt19937_64 random(1);
    const auto number = [&random](size_t size) {
        Bytes bytes(size);
        const auto kind = random() % 4;
        for (uint8_t& byte : bytes) {
            byte = kind == 0 ? 0 : kind == 1 ? 0xff : static_cast<uint8_t>(random());
        }
        if (size != 0 && random() % 3 == 0) bytes[0] = 0;
        return bytes;
    };
    for (int i = 0; i < 20'000; ++i) {
        const Bytes base = number(random() % 70), exponent = number(random() % 50);
        Bytes modulus = number(1 + random() % 70);
        if (random() % 2 == 0) modulus.back() |= 1;
        ASSERT_EQ(power(base, exponent, modulus), power_by_gmp(base, exponent, modulus))
            << core::to_hex(base) << " " << core::to_hex(exponent) << " " << core::to_hex(modulus);
    }
}

TEST(Modexp, agrees_with_gmp_for_numbers_of_eight_words) {
    std::mt19937_64 random(3);
    for (int i = 0; i < 300; ++i) {
        Bytes base(64), exponent(57 + random() % 8), modulus(64);
        for (uint8_t& byte : base) byte = static_cast<uint8_t>(random());
        for (uint8_t& byte : exponent) byte = static_cast<uint8_t>(random());
        for (uint8_t& byte : modulus) byte = static_cast<uint8_t>(random());
        modulus[0] |= 0x80;
        modulus.back() |= 1;
        if (i % 5 == 0) base = modulus;  // 0
        if (i % 7 == 0) base.insert(base.begin(), 9, 0xff);
        if (i % 11 == 0) modulus.assign(64, 0xff);
        ASSERT_EQ(power(base, exponent, modulus), power_by_gmp(base, exponent, modulus));
    }
}

TEST(Modexp, agrees_with_gmp_for_numbers_of_four_words) {
    std::mt19937_64 random(4);
    for (int i = 0; i < 20'000; ++i) {
        Bytes base(32), exponent(1 + random() % 32), modulus(25 + random() % 8);
        for (uint8_t& byte : base) byte = static_cast<uint8_t>(random());
        for (uint8_t& byte : exponent) byte = static_cast<uint8_t>(random());
        for (uint8_t& byte : modulus) byte = static_cast<uint8_t>(random() % 3 - 1);  // 0, 1, ff
        if (i % 2 == 0) modulus.assign(32, 0xff);
        if (i % 4 == 0) modulus[random() % 32] = static_cast<uint8_t>(random());
        modulus.back() |= 1;
        ASSERT_EQ(power(base, exponent, modulus), power_by_gmp(base, exponent, modulus));
    }
}

TEST(Modexp, agrees_with_gmp_for_long_numbers) {
    std::mt19937_64 random(2);
    for (const size_t size : {128u, 191u, 192u, 256u, 300u, 1'024u}) {
        for (const size_t exponent_size : {1u, 3u, 8u, 9u, 33u}) {
            Bytes base(size + 5), exponent(exponent_size), modulus(size);
            for (uint8_t& byte : base) byte = static_cast<uint8_t>(random());
            for (uint8_t& byte : exponent) byte = static_cast<uint8_t>(random());
            for (uint8_t& byte : modulus) byte = static_cast<uint8_t>(random());
            EXPECT_EQ(power(base, exponent, modulus), power_by_gmp(base, exponent, modulus));
            modulus.back() ^= 1;
            EXPECT_EQ(power(base, exponent, modulus), power_by_gmp(base, exponent, modulus));
        }
    }
}

}  // namespace
}  // namespace keel::crypto
