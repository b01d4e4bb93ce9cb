#include "evm/division.hpp"

#include <gtest/gtest.h>

#include <random>

#include "evm/moduli.hpp"
#include "evm/words.hpp"

namespace keel::evm {
namespace {

using core::U256;

/// Numbers of every length, many of them with limbs that are all ones, zero or a single bit.
class Numbers {
  public:
    U256 next() {
        U256 number;
        const auto limbs = random_() % 5;
        for (size_t i = 0; i < limbs; ++i) {
            const uint64_t limb = random_();
            const uint64_t kinds[] = {limb,      ~uint64_t{0}, 0, uint64_t{1} << (limb % 64),
                                      limb % 16, limb};
            number.limbs[i] = kinds[random_() % 6];
        }
        return random_() % 4 == 0 ? -number : number;
    }

  private:
    std::mt19937_64 random_{20'061};
};

TEST(Division, agrees_with_the_arithmetic_of_core) {
    Numbers numbers;
    for (int i = 0; i < 200'000; ++i) {
        const U256 a = numbers.next(), b = numbers.next(), m = numbers.next();
        U256 r;
        divide_words(r, a, b);
        ASSERT_EQ(r, a / b) << a.to_quantity() << ' ' << b.to_quantity();
        modulo_words(r, a, b);
        ASSERT_EQ(r, a % b) << a.to_quantity() << ' ' << b.to_quantity();
        divide_signed_words(r, a, b);
        ASSERT_EQ(r, core::sdiv(a, b)) << a.to_quantity() << ' ' << b.to_quantity();
        modulo_signed_words(r, a, b);
        ASSERT_EQ(r, core::smod(a, b)) << a.to_quantity() << ' ' << b.to_quantity();
        add_modulo_words(r, a, b, m);
        ASSERT_EQ(r, core::add_mod(a, b, m)) << a.to_quantity() << ' ' << m.to_quantity();
        multiply_large(r, a, b);
        ASSERT_EQ(r, a * b) << a.to_quantity() << ' ' << b.to_quantity();
        const uint64_t number = b.low64() == 0 ? 3 : b.low64();
        divide_signed_by_number(r, a, number);
        ASSERT_EQ(r, core::sdiv(a, U256(number))) << a.to_quantity() << ' ' << number;
        if (i % 100 == 0) {
            raise_words(r, a, b);
            ASSERT_EQ(r, core::exp(a, b)) << a.to_quantity() << ' ' << b.to_quantity();
        }
    }
}

TEST(Moduli, products_agree_with_core_with_and_without_a_reciprocal) {
    Numbers numbers;
    Moduli moduli;
    for (int i = 0; i < 20'000; ++i) {
        const U256 m = i % 50 == 0   ? U256(0, 0, 0, static_cast<uint64_t>(1 + i % 3))
                       : i % 50 == 1 ? U256::max()
                                     : numbers.next();
        for (int j = 0; j < 6; ++j) {
            const U256 a = numbers.next(), b = j == 5 ? U256::max() : numbers.next();
            U256 r;
            moduli.multiply(r, a, b, m);
            ASSERT_EQ(r, core::mul_mod(a, b, m))
                << a.to_quantity() << ' ' << b.to_quantity() << ' ' << m.to_quantity();
        }
    }
}

TEST(Words, agree_with_the_arithmetic_of_core) {
    Numbers numbers;
    for (int i = 0; i < 200'000; ++i) {
        const U256 a = numbers.next(), b = numbers.next();
        const uint64_t number = b.low64();
        const auto count = static_cast<unsigned>(number % 256);
        U256 r;
        add_words(r, a, b);
        ASSERT_EQ(r, a + b);
        sub_words(r, a, b);
        ASSERT_EQ(r, a - b);
        add_number(r, a, number);
        ASSERT_EQ(r, a + U256(number));
        sub_number(r, a, number);
        ASSERT_EQ(r, a - U256(number));
        multiply_number(r, a, number);
        ASSERT_EQ(r, a * U256(number));
        multiply_words(r, a, b);
        ASSERT_EQ(r, a * b);
        ASSERT_EQ(less(a, b), a < b);
        ASSERT_EQ(less_signed(a, b), core::slt(a, b));
        ASSERT_EQ(below_number(a, number), a < U256(number));
        ASSERT_EQ(above_number(a, number), U256(number) < a);
        ASSERT_EQ(equal_number(a, number), a == U256(number));
        shift_left_word(r, a, count);
        ASSERT_EQ(r, a << count);
        shift_right_word(r, a, count);
        ASSERT_EQ(r, a >> count);
        shift_right_signed_word(r, a, count);
        ASSERT_EQ(r, core::is_negative(a) ? ~(~a >> count) : a >> count);
    }
}

TEST(Words, a_sign_is_extended_from_each_byte) {
    Numbers numbers;
    for (int i = 0; i < 10'000; ++i) {
        const U256 a = numbers.next();
        for (unsigned last = 0; last < 31; ++last) {
            const unsigned unused = 248 - 8 * last;
            const U256 up = a << unused;
            U256 r;
            sign_extend_word(r, a, last);
            ASSERT_EQ(r, core::is_negative(up) ? ~(~up >> unused) : up >> unused) << last;
        }
    }
}

}  // namespace
}  // namespace keel::evm
