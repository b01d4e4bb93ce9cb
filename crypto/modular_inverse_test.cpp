#include "crypto/modular_inverse.hpp"

#include <gtest/gtest.h>

#include <random>

namespace keel::crypto {
namespace {

using core::U256;

TEST(ModularInverse, product_with_the_number_is_one) {
    constexpr U256 kModuli[] = {
        {0x3c208c16d87cfd47, 0x97816a916871ca8d, 0xb85045b68181585d, 0x30644e72e131a029},
        {0xf3b9cac2fc632551, 0xbce6faada7179e84, 0xffffffffffffffff, 0xffffffff00000000},
        {0xfffffffefffffc2f, ~0ull, ~0ull, ~0ull},
        U256(1'000'003),
        U256(3)};
    std::mt19937_64 random(1);
    for (const U256& modulus : kModuli) {
        const ModularInverse inverse(modulus);
        EXPECT_EQ(inverse.of(U256{}), U256{});
        for (uint64_t i = 1; i < 20'000; ++i) {
            U256 value = U256(random(), random(), random(), random()) % modulus;
            if (i < 10) value = U256(i) % modulus;
            if (i >= 10 && i < 20) value = modulus - U256(i) % modulus;
            if (value.is_zero() || value == modulus) continue;
            const U256 found = inverse.of(value);
            ASSERT_LT(found, modulus);
            ASSERT_EQ(core::mul_mod(value, found, modulus), U256(1)) << value.to_quantity();
        }
    }
}

// Seen: with a modulus near 2^256 a sum below -2^256 was taken for a positive number after one
// addition.
TEST(ModularInverse, intermediate_values_below_minus_2_to_256) {
    const U256 modulus(0xf3b9cac2fc632551, 0xbce6faada7179e84, 0xffffffffffffffff,
                       0xffffffff00000000);
    const U256 value(0xc6766d74f69b79f6, 0x8fe0f01f770fd286, 0x38853265baaca871,
                     0x934fbdac201f3e91);
    EXPECT_EQ(core::mul_mod(ModularInverse(modulus).of(value), value, modulus), U256(1));
}

}  // namespace
}  // namespace keel::crypto
