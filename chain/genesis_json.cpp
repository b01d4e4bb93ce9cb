#include "chain/genesis_json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <nlohmann/json.hpp>

#include "core/fault.hpp"
#include "core/hex.hpp"

namespace keel::chain {
namespace {

using core::U256;
using Json = nlohmann::json;

constexpr size_t kDepthMax = 64;           // of nesting; a genesis file needs 5
constexpr size_t kShownTextBytesMax = 80;  // of a value in a message
constexpr int kExponentMax = 80;           // 10^77 < 2^256 < 10^78

[[noreturn]] void throw_usage(std::string message) {
    throw core::Fault(core::FaultKind::Usage, std::move(message));
}

// Builds the tree. An open container's vector does not grow while a container inside is open, so
// the pointers stay right.
class TreeBuilder final : public nlohmann::json_sax<Json> {
  public:
    explicit TreeBuilder(const std::string& document) : document_(document) {}

    bool null() override { return add(JsonNode::Kind::Null, {}); }
    bool boolean(bool value) override {
        return add(JsonNode::Kind::Bool, value ? "true" : "false");
    }
    bool number_integer(number_integer_t value) override {
        return add(JsonNode::Kind::Number, std::to_string(value));
    }
    bool number_unsigned(number_unsigned_t value) override {
        return add(JsonNode::Kind::Number, std::to_string(value));
    }
    bool number_float(number_float_t, const string_t& text) override {
        return add(JsonNode::Kind::Number, text);
    }
    bool string(string_t& text) override { return add(JsonNode::Kind::String, std::move(text)); }
    bool binary(binary_t&) override { return false; }
    bool start_object(size_t) override { return open(JsonNode::Kind::Object); }
    bool key(string_t& name) override {
        name_ = std::move(name);
        return true;
    }
    bool end_object() override { return close(); }
    bool start_array(size_t) override { return open(JsonNode::Kind::Array); }
    bool end_array() override { return close(); }
    bool parse_error(size_t, const std::string&, const Json::exception& error) override {
        throw_usage(fmt::format("{}: not JSON: {}", document_, error.what()));
    }
    JsonNode take() { return std::move(root_); }

  private:
    JsonNode& place() {
        if (open_.empty()) return root_;
        auto& members = open_.back()->members;
        members.emplace_back().name = std::move(name_);
        name_.clear();
        return members.back();
    }
    bool add(JsonNode::Kind kind, std::string text) {
        JsonNode& node = place();
        node.kind = kind;
        node.text = std::move(text);
        return true;
    }
    bool open(JsonNode::Kind kind) {
        if (open_.size() == kDepthMax) {
            throw_usage(fmt::format("{}: nested deeper than {}", document_, kDepthMax));
        }
        JsonNode& node = place();
        node.kind = kind;
        open_.push_back(&node);
        return true;
    }
    bool close() {
        open_.pop_back();
        return true;
    }

    const std::string& document_;
    JsonNode root_;
    std::vector<JsonNode*> open_;
    std::string name_;
};

bool equal_but_for_case(std::string_view a, std::string_view b) {
    return std::ranges::equal(
        a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

void append_json(std::string& to, const JsonNode& node) {
    switch (node.kind) {
        case JsonNode::Kind::Null:
            to += "null";
            return;
        case JsonNode::Kind::Bool:
        case JsonNode::Kind::Number:
            to += node.text;
            return;
        case JsonNode::Kind::String:
            to += Json(node.text).dump();
            return;
        case JsonNode::Kind::Array:
        case JsonNode::Kind::Object:
            break;
    }
    const bool is_object = node.kind == JsonNode::Kind::Object;
    to += is_object ? '{' : '[';
    bool first = true;
    for (const JsonNode& member : node.members) {
        if (!first) to += ',';
        first = false;
        if (is_object) to += Json(member.name).dump() + ":";
        append_json(to, member);
    }
    to += is_object ? '}' : ']';
}

std::string_view without_prefix(std::string_view text) {
    if (text.starts_with("0x") || text.starts_with("0X")) text.remove_prefix(2);
    return text;
}

// "5.875e+22", "1E3", "10.0": digits with a point or an exponent, if the value is an integer.
std::optional<U256> parse_scientific(std::string_view text) {
    int exponent = 0;
    if (const size_t at = text.find_first_of("eE"); at != std::string_view::npos) {
        std::string_view digits = text.substr(at + 1);
        if (digits.starts_with('+')) digits.remove_prefix(1);
        const auto [end, error] =
            std::from_chars(digits.data(), digits.data() + digits.size(), exponent);
        if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
        if (exponent < -kExponentMax || exponent > kExponentMax) return std::nullopt;
        text = text.substr(0, at);
    }
    if (text.find_first_of("0123456789") != 0) return std::nullopt;
    std::string digits(text);
    if (const size_t point = digits.find('.'); point != std::string::npos) {
        exponent -= static_cast<int>(std::min<size_t>(digits.size() - point - 1, INT16_MAX));
        digits.erase(point, 1);
    }
    for (; exponent < 0 && digits.ends_with('0'); ++exponent) digits.pop_back();
    if (digits.empty()) return U256();  // "0.0"
    if (exponent < 0) return std::nullopt;
    digits.append(static_cast<size_t>(exponent), '0');
    return U256::from_decimal(digits);
}

}  // namespace

const JsonNode* JsonNode::find(std::string_view wanted) const {
    const auto present = [](const JsonNode& node) {
        return node.kind == Kind::Null ? nullptr : &node;
    };
    for (auto member = members.rbegin(); member != members.rend(); ++member) {
        if (member->name == wanted) return present(*member);
    }
    for (auto member = members.rbegin(); member != members.rend(); ++member) {
        if (equal_but_for_case(member->name, wanted)) return present(*member);
    }
    return nullptr;
}

std::string JsonNode::to_json() const {
    std::string json;
    append_json(json, *this);
    return json;
}

std::string JsonPlace::pointer() const {
    if (parent_ == nullptr) return {};
    std::string pointer = parent_->pointer() + "/";
    for (const char c : name_) {  // RFC 6901
        if (c == '~') {
            pointer += "~0";
        } else if (c == '/') {
            pointer += "~1";
        } else {
            pointer += c;
        }
    }
    return pointer;
}

void JsonPlace::refuse(std::string_view reason) const {
    const bool is_container =
        node_->kind == JsonNode::Kind::Array || node_->kind == JsonNode::Kind::Object;
    std::string value = is_container ? std::string() : node_->to_json();
    if (value.size() > kShownTextBytesMax) value = value.substr(0, kShownTextBytesMax) + "…";
    throw_usage(fmt::format("{}: {}: {}{}{}", *document_, parent_ == nullptr ? "/" : pointer(),
                            value, value.empty() ? "" : ": ", reason));
}

void JsonPlace::need_object() const {
    if (node_->kind != JsonNode::Kind::Object) refuse("not an object");
}

bool JsonPlace::boolean() const {
    if (node_->kind != JsonNode::Kind::Bool) refuse("not true or false");
    return node_->text == "true";
}

U256 JsonPlace::u256() const {
    const bool has_text =
        node_->kind == JsonNode::Kind::Number || node_->kind == JsonNode::Kind::String;
    const auto value = has_text ? parse_number(node_->text) : std::nullopt;
    if (!value) refuse("not a whole number of at most 256 bits");
    return *value;
}

uint64_t JsonPlace::uint64() const {
    const U256 value = u256();
    if (!value.fits_uint64()) refuse("more than 64 bits");
    return value.low64();
}

core::Bytes JsonPlace::bytes() const {
    const auto value =
        node_->kind == JsonNode::Kind::String ? core::from_hex(node_->text) : std::nullopt;
    if (!value) refuse("not whole bytes in hex");
    return *value;
}

core::Hash32 JsonPlace::hash() const {
    const core::Bytes value = bytes();
    if (value.size() != core::Hash32::kSize) refuse("not 32 bytes");
    return core::Hash32(core::ByteView(value));
}

core::Address JsonPlace::address() const {
    const core::Bytes value = bytes();
    if (value.size() != core::Address::kSize) refuse("not an address of 20 bytes");
    return core::Address(core::ByteView(value));
}

JsonNode parse_json(std::string_view json, const std::string& document) {
    TreeBuilder builder(document);
    Json::sax_parse(json.begin(), json.end(), &builder);
    return builder.take();
}

std::optional<U256> parse_number(std::string_view text) {
    if (text.empty()) return U256();
    if (text.starts_with("0x") || text.starts_with("0X")) return parse_hex_word(text);
    if (const auto value = U256::from_decimal(text)) return value;
    return parse_scientific(text);
}

std::optional<U256> parse_hex_word(std::string_view text) {
    std::string_view digits = without_prefix(text);
    while (digits.size() > 1 && digits.front() == '0') digits.remove_prefix(1);
    if (digits.empty()) return U256();
    return U256::from_hex_digits(digits);
}

}  // namespace keel::chain
