#include "evm/division.hpp"

#include "evm/long_division.hpp"
#include "evm/words.hpp"

namespace keel::evm {
namespace {

using core::U256;

/// a / b for b above 64 bits.
void divide_long(U256& to, const U256& a, const U256& b) noexcept {
    const int n = limb_count(a.limbs, 4), m = limb_count(b.limbs, 4);
    U256 quotient, remainder;
    if (n >= m && !less(a, b))
        long_division(a.limbs, n, b.limbs, m, quotient.limbs, remainder.limbs);
    copy_word(to, quotient);
}
void modulo_long(U256& to, const U256& a, const U256& b) noexcept {
    const int n = limb_count(a.limbs, 4), m = limb_count(b.limbs, 4);
    if (n < m || less(a, b)) {
        copy_word(to, a);
        return;
    }
    uint64_t quotient[4];
    U256 remainder;
    long_division(a.limbs, n, b.limbs, m, quotient, remainder.limbs);
    copy_word(to, remainder);
}

/// -a if `negates`, else a; without a branch, since signs are hard to predict.
inline void absolute(U256& to, const U256& a, bool negates) noexcept {
    const uint64_t mask = negates ? ~uint64_t{0} : 0;
    const U256 flipped(a.limbs[0] ^ mask, a.limbs[1] ^ mask, a.limbs[2] ^ mask, a.limbs[3] ^ mask);
    add_number(to, flipped, mask & 1);
}

}  // namespace

void multiply_large(U256& to, const U256& a, const U256& b) noexcept {
    multiply_words(to, a, b);
}

void divide_by_number(U256& to, const U256& a, uint64_t number) noexcept {
    if (upper_limbs(a) == 0) {
        set_word(to, a.limbs[0] / number);
        return;
    }
    uint64_t w0 = a.limbs[0], w1 = a.limbs[1], w2 = a.limbs[2], w3 = a.limbs[3];
    uint64_t rest = 0;
    const auto step = [&](uint64_t& limb) {
        if (rest == 0 && limb < number) {  // the high limbs of most numbers
            rest = limb;
            limb = 0;
            return;
        }
        const Digit digit = divide_digit(rest, limb, number);
        limb = digit.quotient;
        rest = digit.remainder;
    };
    step(w3);
    step(w2);
    step(w1);
    step(w0);
    to = U256(w0, w1, w2, w3);
}
void modulo_number(U256& to, const U256& a, uint64_t number) noexcept {
    uint64_t rest = 0;
    for (int i = 3; i >= 0; --i) {
        const uint64_t limb = a.limbs[i];
        rest = rest == 0 && limb < number ? limb : divide_digit(rest, limb, number).remainder;
    }
    set_word(to, rest);
}

void divide_words(U256& to, const U256& a, const U256& b) noexcept {
    if (upper_limbs(b) != 0) return divide_long(to, a, b);
    if (b.limbs[0] == 0) return set_word(to, 0);
    divide_by_number(to, a, b.limbs[0]);
}
void modulo_words(U256& to, const U256& a, const U256& b) noexcept {
    if (upper_limbs(b) != 0) return modulo_long(to, a, b);
    if (b.limbs[0] == 0) return set_word(to, 0);
    modulo_number(to, a, b.limbs[0]);
}
void divide_signed_words(U256& to, const U256& a, const U256& b) noexcept {
    const bool a_negative = core::is_negative(a), b_negative = core::is_negative(b);
    U256 dividend, divisor;
    absolute(dividend, a, a_negative);
    absolute(divisor, b, b_negative);
    divide_words(dividend, dividend, divisor);
    absolute(to, dividend, a_negative != b_negative);
}
void divide_signed_by_number(U256& to, const U256& a, uint64_t number) noexcept {
    const bool negative = core::is_negative(a);
    U256 dividend;
    absolute(dividend, a, negative);
    divide_by_number(dividend, dividend, number);
    absolute(to, dividend, negative);
}
void modulo_signed_words(U256& to, const U256& a, const U256& b) noexcept {
    const bool a_negative = core::is_negative(a);
    U256 dividend, divisor;
    absolute(dividend, a, a_negative);
    absolute(divisor, b, core::is_negative(b));
    modulo_words(dividend, dividend, divisor);
    absolute(to, dividend, a_negative);
}

void add_modulo_words(U256& to, const U256& a, const U256& b, const U256& modulus) noexcept {
    if (is_zero(modulus)) {
        set_word(to, 0);
        return;
    }
    // One subtraction makes a small number of what is not much larger than the modulus.
    const auto reduced = [&modulus](const U256& value) {
        if (less(value, modulus)) return value;
        U256 once;
        sub_words(once, value, modulus);
        if (!less(once, modulus)) modulo_words(once, once, modulus);
        return once;
    };
    const U256 x = reduced(a), y = reduced(b);
    bool carry = false;
    const U256 sum = core::add_carry(x, y, carry);
    if (carry || !less(sum, modulus)) {
        sub_words(to, sum, modulus);
    } else {
        to = sum;
    }
}

void raise_words(U256& to, const U256& base, const U256& exponent) noexcept {
    if (equal_number(base, 2)) {
        if (below_number(exponent, 256)) {
            shift_left_word(to, U256(1), static_cast<unsigned>(exponent.limbs[0]));
        } else {
            set_word(to, 0);
        }
        return;
    }
    U256 result = 1;
    for (unsigned bit = exponent.bit_length(); bit-- > 0;) {
        multiply_words(result, result, result);
        if (exponent.bit(bit)) multiply_words(result, result, base);
    }
    to = result;
}

}  // namespace keel::evm
