#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/bytes.hpp"

namespace keel::core {

/// Lower-case hex digits, two a byte, without prefix.
std::string to_hex(ByteView bytes);
/// The same behind "0x".
std::string to_hex_prefixed(ByteView bytes);
/// Writes 2 * bytes.size() digits to `to`; returns the end. For writers that own their buffer.
char* write_hex(char* to, ByteView bytes) noexcept;

/// Value of one digit, or -1.
int hex_digit(char digit) noexcept;
/// Bytes of hex digits with or without "0x"/"0X", any case, even count; none on anything else.
std::optional<Bytes> from_hex(std::string_view text);
/// As above, but an odd count is padded with a zero digit on the left.
std::optional<Bytes> from_hex_lenient(std::string_view text);
/// Exactly N bytes into a FixedBytes type, "0x" optional; none on another length.
template <class Fixed>
std::optional<Fixed> fixed_from_hex(std::string_view text) {
    const auto bytes = from_hex(text);
    if (!bytes || bytes->size() != Fixed::kSize) return std::nullopt;
    return Fixed(ByteView(*bytes));
}

}  // namespace keel::core
