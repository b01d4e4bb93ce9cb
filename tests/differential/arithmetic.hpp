#pragma once

#include "core/u256.hpp"

// The arithmetic of the reference machine, on GMP and by the words of the yellow paper, so that it
// has nothing in common with the one under test.

namespace keel::differential {

using core::U256;

U256 add(const U256& a, const U256& b);
U256 subtract(const U256& a, const U256& b);
U256 multiply(const U256& a, const U256& b);
/// 0 when `b` is 0; the same for the three below.
U256 divide(const U256& a, const U256& b);
U256 modulo(const U256& a, const U256& b);
U256 divide_signed(const U256& a, const U256& b);
U256 modulo_signed(const U256& a, const U256& b);
U256 add_modulo(const U256& a, const U256& b, const U256& m);
U256 multiply_modulo(const U256& a, const U256& b, const U256& m);
U256 power(const U256& base, const U256& exponent);

bool less(const U256& a, const U256& b);
bool less_signed(const U256& a, const U256& b);
bool negative(const U256& a);

/// Operands in the order of the instructions: the uppermost word first.
U256 shift_left(const U256& count, const U256& value);
U256 shift_right(const U256& count, const U256& value);
U256 shift_right_signed(const U256& count, const U256& value);
U256 byte_at(const U256& index, const U256& value);
U256 extend_sign(const U256& last_byte, const U256& value);
U256 count_leading_zeros(const U256& value);
/// Bytes without leading zeros.
int64_t significant_bytes(const U256& value);

}  // namespace keel::differential
