#pragma once

#include <array>
#include <cstdint>

#include "core/bytes.hpp"

namespace keel::crypto {

/// RIPEMD-160 (Dobbertin, Bosselaers, Preneel 1996). Any thread.
std::array<uint8_t, 20> ripemd160(core::ByteView data) noexcept;

}  // namespace keel::crypto
