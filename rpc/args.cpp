#include "rpc/args.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/hex.hpp"

namespace keel::rpc {
namespace {

constexpr size_t kHashTextBytes = 2 + 2 * core::Hash32::kSize;
constexpr size_t kUint64Digits = 16;
constexpr size_t kU256Digits = 64;
constexpr uint64_t kBlockNumberMax = (uint64_t{1} << 63) - 1;  // geth's int64

core::unexpected<std::string> because(std::string reason) {
    return core::unexpected(std::move(reason));
}

bool has_prefix(std::string_view text) noexcept {
    return text.size() >= 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
}

/// Value of a hex digit; negative: it is none.
constexpr std::array<int8_t, 256> kDigitValues = [] {
    std::array<int8_t, 256> values{};
    values.fill(-1);
    for (size_t i = 0; i < 10; ++i) values['0' + i] = static_cast<int8_t>(i);
    for (size_t i = 0; i < 6; ++i) {
        values['a' + i] = values['A' + i] = static_cast<int8_t>(10 + i);
    }
    return values;
}();

bool all_hex(std::string_view digits) noexcept {
    return std::ranges::all_of(digits, [](char digit) { return core::hex_digit(digit) >= 0; });
}

/// Digits of a QUANTITY of at most `digits_max`, checked.
Converted<std::string_view> quantity_digits(JsonValue value, size_t digits_max) {
    if (!value.is(JsonKind::String)) return because("not a hex string");
    const std::string_view text = value.text();
    if (text.empty()) return because("empty hex string");
    if (!has_prefix(text)) return because("hex string without 0x prefix");
    const std::string_view digits = text.substr(2);
    if (digits.empty()) return because("hex string \"0x\"");
    if (digits.size() > 1 && digits[0] == '0') {
        return because("hex number with leading zero digits");
    }
    if (!all_hex(digits)) return because("invalid hex string");
    if (digits.size() > digits_max) {
        return because(fmt::format("hex number > {} bits", digits_max * 4));
    }
    return digits;
}

/// Decodes exactly `bytes` bytes of DATA.
template <class Fixed>
Converted<Fixed> to_fixed(JsonValue value) {
    if (!value.is(JsonKind::String)) return because("not a hex string");
    const std::string_view text = value.text();
    if (!has_prefix(text)) return because("hex string without 0x prefix");
    const std::string_view digits = text.substr(2);
    if (digits.size() % 2 != 0) return because("hex string of odd length");
    if (digits.size() != 2 * Fixed::kSize) {
        return because(
            fmt::format("hex string has length {}, want {}", digits.size(), 2 * Fixed::kSize));
    }
    Fixed fixed;
    int wrong = 0;
    for (size_t i = 0; i < Fixed::kSize; ++i) {
        const int high = kDigitValues[static_cast<uint8_t>(digits[2 * i])];
        const int low = kDigitValues[static_cast<uint8_t>(digits[2 * i + 1])];
        wrong |= high | low;  // negative if one is
        fixed[i] = static_cast<uint8_t>(high * 16 + low);
    }
    if (wrong < 0) return because("invalid hex string");
    return fixed;
}

Converted<BlockSelector> to_block_object(JsonValue value) {
    const auto number = value.member("blockNumber");
    const auto hash = value.member("blockHash");
    if (number && hash) {
        return because("cannot specify both BlockHash and BlockNumber, choose one or the other");
    }
    BlockSelector selector;
    if (number) {
        if (number->is(JsonKind::Object)) return because("not a block number");
        return to_block(*number);
    }
    if (!hash) return because("neither BlockHash nor BlockNumber is specified");
    const auto decoded = to_hash(*hash);
    if (!decoded) return because(decoded.error());
    selector.kind = BlockSelector::Kind::Hash;
    selector.hash = *decoded;
    if (const auto canonical = value.member("requireCanonical")) {
        const auto flag = to_bool(*canonical);
        if (!flag) return because(flag.error());
        selector.require_canonical = *flag;
    }
    return selector;
}

}  // namespace

Converted<core::U256> to_u256(JsonValue value) {
    const auto digits = quantity_digits(value, kU256Digits);
    if (!digits) return because(digits.error());
    return *core::U256::from_hex_digits(*digits);
}

Converted<uint64_t> to_uint64(JsonValue value) {
    const auto digits = quantity_digits(value, kUint64Digits);
    if (!digits) return because(digits.error());
    uint64_t number = 0;
    for (const char digit : *digits) {
        number = number << 4 | static_cast<uint64_t>(core::hex_digit(digit));
    }
    return number;
}

Converted<core::Bytes> to_bytes(JsonValue value) {
    if (!value.is(JsonKind::String)) return because("not a hex string");
    const std::string_view text = value.text();
    if (!has_prefix(text)) return because("hex string without 0x prefix");
    if (text.size() % 2 != 0) return because("hex string of odd length");
    auto bytes = core::from_hex(text);
    if (!bytes) return because("invalid hex string");
    return *std::move(bytes);
}

Converted<core::Address> to_address(JsonValue value) {
    return to_fixed<core::Address>(value);
}

Converted<core::Hash32> to_hash(JsonValue value) {
    return to_fixed<core::Hash32>(value);
}

Converted<bool> to_bool(JsonValue value) {
    if (value.is(JsonKind::True)) return true;
    if (value.is(JsonKind::False)) return false;
    return because("not a boolean");
}

Converted<std::string_view> to_text(JsonValue value) {
    if (value.is(JsonKind::String)) return value.text();
    return because("not a string");
}

Converted<BlockSelector> to_block(JsonValue value) {
    using Kind = BlockSelector::Kind;
    if (value.is(JsonKind::Object)) return to_block_object(value);
    if (!value.is(JsonKind::String)) return because("not a block number, tag or hash");
    const std::string_view text = value.text();
    if (text == "latest") return BlockSelector{.kind = Kind::Latest, .hash = {}};
    if (text == "earliest") return BlockSelector{.kind = Kind::Earliest, .hash = {}};
    if (text == "pending") return BlockSelector{.kind = Kind::Pending, .hash = {}};
    if (text == "safe") return BlockSelector{.kind = Kind::Safe, .hash = {}};
    if (text == "finalized") return BlockSelector{.kind = Kind::Finalized, .hash = {}};
    if (text.size() == kHashTextBytes) {
        const auto hash = to_hash(value);
        if (!hash) return because(hash.error());
        return BlockSelector{.kind = Kind::Hash, .hash = *hash};
    }
    const auto number = to_uint64(value);
    if (!number) return because(number.error());
    if (*number > kBlockNumberMax) return because("block number larger than int64");
    return BlockSelector{.kind = Kind::Number, .number = *number, .hash = {}};
}

Converted<core::U256> to_storage_key(JsonValue value) {
    if (!value.is(JsonKind::String)) return because("storage key is not a string");
    const std::string_view text = value.text();
    const std::string_view digits = has_prefix(text) ? text.substr(2) : text;
    if (digits.size() > kU256Digits) {
        return because(fmt::format("storage key too long (want at most 32 bytes): \"{}\"",
                                   text.substr(0, 2 * kHashTextBytes)));
    }
    if (!all_hex(digits)) return because(fmt::format("invalid hex in storage key: \"{}\"", text));
    return digits.empty() ? core::U256{} : *core::U256::from_hex_digits(digits);
}

Args::Args(std::optional<JsonValue> params, size_t count_max) {
    if (!params || params->is(JsonKind::Null)) return;
    if (!params->is(JsonKind::Array)) {
        error_ = Error{.code = Code::InvalidParams, .message = "non-array args"};
        return;
    }
    if (params->size() > count_max) {
        error_ = Error{.code = Code::InvalidParams,
                       .message = fmt::format("too many arguments, want at most {}", count_max)};
        return;
    }
    list_ = params;
}

BlockSelector Args::block_or_latest(size_t index) {
    return error_ || !find(index) ? BlockSelector{} : block(index);
}

core::U256 Args::storage_key(size_t index) {
    if (error_) return {};
    const std::optional<JsonValue> value = find(index);
    if (!value) {
        missing(index);
        return {};
    }
    const Converted<core::U256> key = to_storage_key(*value);
    if (key) return *key;
    error_ = Error{.code = Code::InvalidParams, .message = key.error()};
    return {};
}

std::optional<JsonValue> Args::object(size_t index) {
    if (!error_ && !find(index)) missing(index);
    return optional_object(index);
}

std::optional<JsonValue> Args::optional_object(size_t index) {
    if (error_) return std::nullopt;
    const std::optional<JsonValue> value = find(index);
    if (value && !value->is(JsonKind::Object)) {
        fail_argument(index, "not an object");
        return std::nullopt;
    }
    return value;
}

std::optional<JsonValue> Args::find(size_t index) const {
    if (!list_ || index >= list_->size()) return std::nullopt;
    auto at = list_->begin();
    for (size_t i = 0; i < index; ++i) ++at;
    if ((*at).is(JsonKind::Null)) return std::nullopt;
    return *at;
}

void Args::fail_argument(size_t index, std::string_view reason) {
    error_ = Error{.code = Code::InvalidParams,
                   .message = fmt::format("invalid argument {}: {}", index, reason)};
}

void Args::missing(size_t index) {
    error_ = Error{.code = Code::InvalidParams,
                   .message = fmt::format("missing value for required argument {}", index)};
}

}  // namespace keel::rpc
