#include "core/hex.hpp"

namespace keel::core {
namespace {

constexpr char kDigits[] = "0123456789abcdef";

std::string_view without_prefix(std::string_view text) {
    if (text.size() >= 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        text.remove_prefix(2);
    }
    return text;
}

std::optional<Bytes> decode(std::string_view digits) {
    Bytes bytes((digits.size() + 1) / 2);
    const size_t odd = digits.size() % 2;
    for (size_t i = 0; i < digits.size(); ++i) {
        const int value = hex_digit(digits[i]);
        if (value < 0) return std::nullopt;
        uint8_t& byte = bytes[(i + odd) / 2];
        byte = static_cast<uint8_t>((byte << 4) | value);
    }
    return bytes;
}

}  // namespace

char* write_hex(char* to, ByteView bytes) noexcept {
    for (const uint8_t byte : bytes) {
        *to++ = kDigits[byte >> 4];
        *to++ = kDigits[byte & 15];
    }
    return to;
}

std::string to_hex(ByteView bytes) {
    std::string text(bytes.size() * 2, '\0');
    write_hex(text.data(), bytes);
    return text;
}

std::string to_hex_prefixed(ByteView bytes) {
    std::string text(2 + bytes.size() * 2, '\0');
    text[0] = '0';
    text[1] = 'x';
    write_hex(text.data() + 2, bytes);
    return text;
}

int hex_digit(char digit) noexcept {
    if (digit >= '0' && digit <= '9') return digit - '0';
    if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
    return -1;
}

std::optional<Bytes> from_hex(std::string_view text) {
    text = without_prefix(text);
    if (text.size() % 2 != 0) return std::nullopt;
    return decode(text);
}

std::optional<Bytes> from_hex_lenient(std::string_view text) {
    return decode(without_prefix(text));
}

}  // namespace keel::core
