#pragma once

#include "core/u256.hpp"
#include "evm/division.hpp"
#include "evm/frame.hpp"

namespace keel::evm {

inline core::U256 shift_left(const core::U256& count, const core::U256& value) noexcept {
    return count < core::U256(256) ? value << static_cast<unsigned>(count.low64()) : core::U256{};
}
inline core::U256 shift_right(const core::U256& count, const core::U256& value) noexcept {
    return count < core::U256(256) ? value >> static_cast<unsigned>(count.low64()) : core::U256{};
}
inline core::U256 shift_right_signed(const core::U256& count, const core::U256& value) noexcept {
    if (!core::is_negative(value)) return shift_right(count, value);
    // ~(~x >> n) fills with ones.
    return ~shift_right(count, ~value);
}

/// Byte `index` of `value` counted from the highest.
inline core::U256 byte_of(const core::U256& index, const core::U256& value) noexcept {
    if (!(index < core::U256(32))) return {};
    const auto from_low = 31 - static_cast<unsigned>(index.low64());
    return (value.limbs[from_low / 8] >> (from_low % 8 * 8)) & 0xff;
}

/// Repeats the sign of the number that has its lowest byte at 0 and its highest at `last_byte`.
inline core::U256 sign_extend(const core::U256& last_byte, const core::U256& value) noexcept {
    if (!(last_byte < core::U256(31))) return value;
    const auto unused = 248 - 8 * static_cast<unsigned>(last_byte.low64());
    return shift_right_signed(core::U256(unused), value << unused);
}

[[gnu::noinline]] inline Status op_exp(Frame& frame, core::U256* top) {
    const core::U256& exponent = top[-2];
    const int64_t per_byte = frame.evm.rules.eip_160 ? 50 : 10;
    if (!frame.charge(per_byte * static_cast<int64_t>(exponent.byte_length()))) {
        return Status::OutOfGas;
    }
    raise_words(top[-2], top[-1], exponent);
    return Status::Success;
}

}  // namespace keel::evm
