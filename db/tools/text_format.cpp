#include "db/tools/text_format.hpp"

#include "core/hex.hpp"

namespace keel::db::tools {
namespace {

// The blank in front of the data is column 1.
constexpr uint64_t kFirstColumn = 2;

bool printable(uint8_t byte) {
    return byte >= 0x20 && byte < 0x7f;
}

void decode_hex(std::string_view text, uint64_t line, core::Bytes& to) {
    if (text.size() % 2 != 0)
        throw DumpError(line, kFirstColumn + text.size(), "odd number of hex digits");
    to.resize(text.size() / 2);
    for (size_t i = 0; i < to.size(); ++i) {
        const int high = core::hex_digit(text[2 * i]);
        const int low = core::hex_digit(text[2 * i + 1]);
        if (high < 0 || low < 0)
            throw DumpError(line, kFirstColumn + 2 * i + (high < 0 ? 0 : 1), "not a hex digit");
        to[i] = static_cast<uint8_t>(high << 4 | low);
    }
}

void decode_print(std::string_view text, core::Bytes& to) {
    to.clear();
    for (size_t i = 0; i < text.size(); ++i) {
        const bool escape = text[i] == '\\';
        if (escape && i + 1 < text.size() && text[i + 1] == '\\') {
            to.push_back('\\');
            i += 1;
            continue;
        }
        const int high = escape && i + 2 < text.size() ? core::hex_digit(text[i + 1]) : -1;
        const int low = high >= 0 ? core::hex_digit(text[i + 2]) : -1;
        if (low >= 0) {
            to.push_back(static_cast<uint8_t>(high << 4 | low));
            i += 2;
            continue;
        }
        to.push_back(static_cast<uint8_t>(text[i]));
    }
}

}  // namespace

DumpError::DumpError(uint64_t line, uint64_t column, const std::string& what)
    : core::Fault(core::FaultKind::Usage, "dump, line " + std::to_string(line) + ", column " +
                                              std::to_string(column) + ": " + what),
      line_(line),
      column_(column) {}

void append_encoded(std::string& to, core::ByteView bytes, TextFormat format) {
    if (format == TextFormat::ByteValue) {
        const size_t size = to.size();
        to.resize(size + 2 * bytes.size());
        core::write_hex(to.data() + size, bytes);
        return;
    }
    for (const uint8_t& byte : bytes) {
        if (byte == '\\') {
            to += "\\\\";
        } else if (printable(byte)) {
            to += static_cast<char>(byte);
        } else {
            char digits[2];
            core::write_hex(digits, {&byte, 1});
            to += '\\';
            to.append(digits, sizeof digits);
        }
    }
}

void decode(std::string_view text, TextFormat format, uint64_t line, core::Bytes& to) {
    if (format == TextFormat::ByteValue) {
        decode_hex(text, line, to);
    } else {
        decode_print(text, to);
    }
}

}  // namespace keel::db::tools
