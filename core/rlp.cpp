#include "core/rlp.hpp"

#include <algorithm>

namespace keel::core {
namespace {

constexpr uint8_t kShortString = 0x80, kLongString = 0xb7, kShortList = 0xc0, kLongList = 0xf7;
constexpr size_t kShortMax = 55;  // longest payload whose length stands in the first byte

unsigned length_bytes(size_t value) noexcept {
    return (64 - static_cast<unsigned>(std::countl_zero(static_cast<uint64_t>(value))) + 7) / 8;
}

// The header before a payload: first byte, then the big-endian length in the long form.
size_t write_header(uint8_t* to, size_t payload_bytes, uint8_t short_base, uint8_t long_base) {
    if (payload_bytes <= kShortMax) {
        to[0] = static_cast<uint8_t>(short_base + payload_bytes);
        return 1;
    }
    const unsigned count = length_bytes(payload_bytes);
    to[0] = static_cast<uint8_t>(long_base + count);
    for (unsigned i = 0; i < count; ++i) {
        to[1 + i] = static_cast<uint8_t>(payload_bytes >> (8 * (count - 1 - i)));
    }
    return 1 + count;
}

}  // namespace

const char* to_string(RlpError error) noexcept {
    switch (error) {
        case RlpError::InputTooShort:
            return "rlp: value size exceeds available input length";
        case RlpError::LeadingZeros:
            return "rlp: non-canonical integer (leading zero bytes)";
        case RlpError::NonCanonicalSize:
            return "rlp: non-canonical size information";
        case RlpError::ExpectedList:
            return "rlp: expected List";
        case RlpError::ExpectedString:
            return "rlp: expected String or Byte";
        case RlpError::UnexpectedLength:
            return "rlp: input string of unexpected length";
        case RlpError::Overflow:
            return "rlp: input string too long for integer";
        case RlpError::ListTooShort:
            return "rlp: too few elements";
        case RlpError::ListTooLong:
            return "rlp: input list has too many elements";
        case RlpError::TrailingBytes:
            return "rlp: input contains more than one value";
        case RlpError::TypeNotSupported:
            return "transaction type not supported";
        case RlpError::InvalidValue:
            return "rlp: value out of range";
    }
    return "rlp: unknown error";
}

RlpResult<RlpReader::Item> RlpReader::peek() const {
    if (rest_.empty()) return unexpected(RlpError::ListTooShort);
    const uint8_t first = rest_[0];
    if (first < kShortString) return Item{false, 0, 1};
    const bool is_list = first >= kShortList;
    const uint8_t short_base = is_list ? kShortList : kShortString;
    const uint8_t long_base = is_list ? kLongList : kLongString;
    Item found{is_list, 1, 0};
    if (first <= long_base) {
        found.payload_bytes = static_cast<size_t>(first - short_base);
    } else {
        const auto count = static_cast<size_t>(first - long_base);
        if (rest_.size() < 1 + count) return unexpected(RlpError::InputTooShort);
        if (rest_[1] == 0) return unexpected(RlpError::NonCanonicalSize);
        uint64_t length = 0;
        for (size_t i = 0; i < count; ++i) length = (length << 8) | rest_[1 + i];
        if (length <= kShortMax) return unexpected(RlpError::NonCanonicalSize);
        found.header_bytes = 1 + count;
        found.payload_bytes = length;
    }
    if (found.payload_bytes > rest_.size() - found.header_bytes) {
        return unexpected(RlpError::InputTooShort);
    }
    if (!is_list && found.payload_bytes == 1 && rest_[found.header_bytes] < kShortString) {
        return unexpected(RlpError::NonCanonicalSize);
    }
    return found;
}

RlpResult<ByteView> RlpReader::string() {
    const auto found = peek();
    if (!found) return unexpected(found.error());
    if (found->is_list) return unexpected(RlpError::ExpectedString);
    const ByteView content = rest_.sub(found->header_bytes, found->payload_bytes);
    rest_ = rest_.sub(found->header_bytes + found->payload_bytes);
    return content;
}

RlpResult<RlpReader> RlpReader::list() {
    const auto found = peek();
    if (!found) return unexpected(found.error());
    if (!found->is_list) return unexpected(RlpError::ExpectedList);
    const ByteView payload = rest_.sub(found->header_bytes, found->payload_bytes);
    rest_ = rest_.sub(found->header_bytes + found->payload_bytes);
    return RlpReader(payload);
}

RlpResult<ByteView> RlpReader::item() {
    const auto found = peek();
    if (!found) return unexpected(found.error());
    const size_t length = found->header_bytes + found->payload_bytes;
    const ByteView whole = rest_.sub(0, length);
    rest_ = rest_.sub(length);
    return whole;
}

RlpResult<uint64_t> RlpReader::uint64() {
    const auto bytes = string();
    if (!bytes) return unexpected(bytes.error());
    if (!bytes->empty() && (*bytes)[0] == 0) return unexpected(RlpError::LeadingZeros);
    if (bytes->size() > 8) return unexpected(RlpError::Overflow);
    uint64_t value = 0;
    for (const uint8_t byte : *bytes) value = (value << 8) | byte;
    return value;
}

RlpResult<U256> RlpReader::u256() {
    const auto bytes = string();
    if (!bytes) return unexpected(bytes.error());
    if (!bytes->empty() && (*bytes)[0] == 0) return unexpected(RlpError::LeadingZeros);
    if (bytes->size() > 32) return unexpected(RlpError::Overflow);
    return U256::from_be(*bytes);
}

RlpResult<size_t> rlp_item_length(ByteView input) {
    RlpReader reader(input);
    const auto whole = reader.item();
    if (!whole) return unexpected(whole.error());
    return whole->size();
}

RlpResult<RlpReader> rlp_outer_list(ByteView input) {
    RlpReader reader(input);
    auto payload = reader.list();
    if (payload && !reader.at_end()) return unexpected(RlpError::TrailingBytes);
    return payload;
}

void rlp_append_string(Bytes& to, ByteView value) {
    if (value.size() == 1 && value[0] < kShortString) {
        to.push_back(value[0]);
        return;
    }
    uint8_t header[9];
    append(to, {header, write_header(header, value.size(), kShortString, kLongString)});
    append(to, value);
}

void rlp_append_uint(Bytes& to, uint64_t value) {
    uint8_t bytes[8];
    store_be(bytes, value);
    const auto zeros = static_cast<size_t>(std::countl_zero(value)) / 8;
    rlp_append_string(to, {bytes + zeros, 8 - zeros});
}

void rlp_append_uint(Bytes& to, const U256& value) {
    uint8_t bytes[32];
    value.store_be32(bytes);
    const size_t count = value.byte_length();
    rlp_append_string(to, {bytes + (32 - count), count});
}

void rlp_append_string_header(Bytes& to, size_t bytes) {
    uint8_t header[9];
    append(to, {header, write_header(header, bytes, kShortString, kLongString)});
}

void rlp_append_list_header(Bytes& to, size_t payload_bytes) {
    uint8_t header[9];
    append(to, {header, write_header(header, payload_bytes, kShortList, kLongList)});
}

void rlp_end_list(Bytes& to, size_t begin) {
    uint8_t header[9];
    const size_t length = write_header(header, to.size() - begin, kShortList, kLongList);
    to.insert(to.begin() + static_cast<std::ptrdiff_t>(begin), header, header + length);
}

size_t rlp_header_length(size_t payload_bytes) noexcept {
    return payload_bytes <= kShortMax ? 1 : 1 + length_bytes(payload_bytes);
}

size_t rlp_string_length(ByteView value) noexcept {
    if (value.size() == 1 && value[0] < kShortString) return 1;
    return rlp_header_length(value.size()) + value.size();
}

}  // namespace keel::core
