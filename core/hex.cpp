#include "core/hex.hpp"

#include <array>

namespace keel::core {
namespace {

constexpr char kDigits[] = "0123456789abcdef";

std::string_view without_prefix(std::string_view text) {
    if (text.size() >= 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        text.remove_prefix(2);
    }
    return text;
}

// Values of all characters; negative where there is none, so that one test after a loop tells.
constexpr auto kValues = [] {
    std::array<int8_t, 256> values{};
    values.fill(-1);
    for (uint8_t i = 0; i < 10; ++i) values['0' + i] = static_cast<int8_t>(i);
    for (uint8_t i = 0; i < 6; ++i) {
        values['a' + i] = values['A' + i] = static_cast<int8_t>(10 + i);
    }
    return values;
}();

int value_of(char digit) noexcept {
    return kValues[static_cast<uint8_t>(digit)];
}

std::optional<Bytes> decode(std::string_view digits) {
    Bytes bytes((digits.size() + 1) / 2);
    uint8_t* to = bytes.data();
    const char* from = digits.data();
    const char* const end = from + digits.size();
    int seen = 0;
    if (digits.size() % 2 != 0) {
        seen = value_of(*from++);
        *to++ = static_cast<uint8_t>(seen);
    }
    while (from != end) {
        const int high = value_of(*from++);
        const int low = value_of(*from++);
        seen |= high | low;
        *to++ = static_cast<uint8_t>(high << 4 | low);
    }
    if (seen < 0) return std::nullopt;
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
    return value_of(digit);
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
