#pragma once

#include <cstdint>

#include "core/u256.hpp"

namespace keel::evm {

// Division on stack words, and other arithmetic too large to stand inside the loop. The results are
// those of the instructions: 0 for a divisor 0. `to` may be one of the operands.

/// The low 256 bits of a product.
void multiply_large(core::U256& to, const core::U256& a, const core::U256& b) noexcept;
void divide_words(core::U256& to, const core::U256& a, const core::U256& b) noexcept;
void modulo_words(core::U256& to, const core::U256& a, const core::U256& b) noexcept;
void divide_signed_words(core::U256& to, const core::U256& a, const core::U256& b) noexcept;
void modulo_signed_words(core::U256& to, const core::U256& a, const core::U256& b) noexcept;
/// `number` is not 0.
void divide_by_number(core::U256& to, const core::U256& a, uint64_t number) noexcept;
void divide_signed_by_number(core::U256& to, const core::U256& a, uint64_t number) noexcept;
void modulo_number(core::U256& to, const core::U256& a, uint64_t number) noexcept;
void add_modulo_words(core::U256& to, const core::U256& a, const core::U256& b,
                      const core::U256& modulus) noexcept;
void raise_words(core::U256& to, const core::U256& base, const core::U256& exponent) noexcept;

}  // namespace keel::evm
