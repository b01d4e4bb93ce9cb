#pragma once

#include <cstdint>

#include "core/bytes.hpp"

namespace keel::crypto {

/// base ^ exponent mod modulus, numbers big-endian of any length, leading zeros allowed; an empty
/// base or exponent is 0, and 0 ^ 0 is 1. Writes modulus.size() bytes to `out`. A modulus of value
/// 0 gives 0 (EIP-198), one of 1 gives 0. Time is that of the numbers' bit lengths: the caller has
/// charged for it. Any thread.
void modexp(core::ByteView base, core::ByteView exponent, core::ByteView modulus, uint8_t* out);

}  // namespace keel::crypto
