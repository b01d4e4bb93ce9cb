#pragma once

#include <cstdint>

#include "core/u256.hpp"

namespace keel::crypto {

/// Products modulo one odd number below 2^256 that is known only at run time. Numbers in form are a
/// * 2^256 mod m. Takes mulx and the two carry chains (BMI2, ADX) where the machine has them.
class Montgomery256 {
  public:
    explicit Montgomery256(const core::U256& modulus) noexcept;

    /// `value` may be any number of 256 bits.
    core::U256 to_form(const core::U256& value) const noexcept {
        return core::mul_mod(value, one_, modulus_);
    }
    core::U256 from_form(const core::U256& value) const noexcept {
        core::U256 out;
        multiply(out, value, core::U256(1));
        return out;
    }
    /// out = a * b / 2^256 mod m, for a and b below m; out may be a or b.
    void multiply(core::U256& out, const core::U256& a, const core::U256& b) const noexcept;
    /// out = a^2 / 2^256 mod m, for a below m; out may be a.
    void square(core::U256& out, const core::U256& a) const noexcept;

  private:
    core::U256 multiply_portable(const core::U256& a, const core::U256& b) const noexcept;
    void multiply_adx(core::U256& out, const core::U256& a, const core::U256& b) const noexcept;
    void square_adx(core::U256& out, const core::U256& a) const noexcept;

    core::U256 modulus_;
    core::U256 one_;             // in form
    uint64_t negative_inverse_;  // -1 / m modulo 2^64
};

}  // namespace keel::crypto
