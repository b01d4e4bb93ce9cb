#pragma once

#include <cstdint>

#include "core/u256.hpp"

namespace keel::crypto {

/// Products modulo one odd number below 2^256 that is known only at run time. Numbers in form are a
/// * 2^256 mod m.
class Montgomery256 {
  public:
    explicit Montgomery256(const core::U256& modulus) noexcept
        : modulus_(modulus), negative_inverse_(negative_inverse(modulus.limbs[0])) {
        // 2^256 mod m.
        one_ = (core::U256::max() % modulus) + core::U256(1);
        if (one_ == modulus) one_ = {};
    }

    /// `value` may be any number of 256 bits.
    core::U256 to_form(const core::U256& value) const noexcept {
        return core::mul_mod(value, one_, modulus_);
    }
    core::U256 from_form(const core::U256& value) const noexcept {
        return multiply(value, core::U256(1));
    }
    /// a * b / 2^256 mod m, for a * b < 2^256 m.
    core::U256 multiply(const core::U256& a, const core::U256& b) const noexcept {
        // Coarsely integrated operand scanning (Koc, Acar, Kaliski 1996). The sum stays below 2 m.
        uint64_t t[5] = {0, 0, 0, 0, 0};
#pragma GCC unroll 4
        for (int i = 0; i < 4; ++i) {
            uint64_t carry = 0;
#pragma GCC unroll 4
            for (int j = 0; j < 4; ++j) t[j] = multiply_add(a.limbs[j], b.limbs[i], t[j], carry);
            const core::uint128_t top = static_cast<core::uint128_t>(t[4]) + carry;
            const uint64_t factor = t[0] * negative_inverse_;
            carry = 0;
            multiply_add(factor, modulus_.limbs[0], t[0], carry);
#pragma GCC unroll 3
            for (int j = 1; j < 4; ++j) {
                t[j - 1] = multiply_add(factor, modulus_.limbs[j], t[j], carry);
            }
            const core::uint128_t sum = top + carry;
            t[3] = static_cast<uint64_t>(sum);
            t[4] = static_cast<uint64_t>(sum >> 64);
        }
        const core::U256 value{t[0], t[1], t[2], t[3]};
        bool borrow = false;
        const core::U256 reduced = core::sub_borrow(value, modulus_, borrow);
        // Without a branch: which of the two it is cannot be foreseen.
        const uint64_t keep = (borrow && t[4] == 0) ? ~0ull : 0;
        return {(value.limbs[0] & keep) | (reduced.limbs[0] & ~keep),
                (value.limbs[1] & keep) | (reduced.limbs[1] & ~keep),
                (value.limbs[2] & keep) | (reduced.limbs[2] & ~keep),
                (value.limbs[3] & keep) | (reduced.limbs[3] & ~keep)};
    }

    /// -1 / odd modulo 2^64.
    static constexpr uint64_t negative_inverse(uint64_t odd) noexcept {
        uint64_t inverse = odd;  // right in 3 bits; each step of Newton doubles them
        for (int i = 0; i < 5; ++i) inverse *= 2 - odd * inverse;
        return ~inverse + 1;
    }

  private:
    // a * b + c + carry, which fits into 128 bits.
    static uint64_t multiply_add(uint64_t a, uint64_t b, uint64_t c, uint64_t& carry) noexcept {
        const core::uint128_t t = static_cast<core::uint128_t>(a) * b + c + carry;
        carry = static_cast<uint64_t>(t >> 64);
        return static_cast<uint64_t>(t);
    }

    core::U256 modulus_;
    core::U256 one_;  // in form
    uint64_t negative_inverse_;
};

}  // namespace keel::crypto
