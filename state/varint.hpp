#pragma once

#include <cstdint>
#include <optional>

#include "core/bytes.hpp"

namespace keel::state {

// LEB128: seven bits a byte from the lowest on, the top bit says that more follow.

inline void append_varint(core::Bytes& to, uint64_t number) {
    while (number >= 0x80) {
        to.push_back(static_cast<uint8_t>(number | 0x80));
        number >>= 7;
    }
    to.push_back(static_cast<uint8_t>(number));
}

/// Takes the number off the front of `from`; none: cut off or wider than 64 bits.
inline std::optional<uint64_t> read_varint(core::ByteView& from) noexcept {
    uint64_t number = 0;
    size_t at = 0;
    for (unsigned shift = 0; shift < 64 && at < from.size(); shift += 7) {
        const uint8_t byte = from[at++];
        number |= static_cast<uint64_t>(byte & 0x7f) << shift;
        if (byte < 0x80) {
            from = from.sub(at);
            return number;
        }
    }
    return std::nullopt;
}

}  // namespace keel::state
