#include "rpc/dev/typed_data.hpp"

#include <fmt/format.h>

#include <charconv>
#include <set>

#include "core/hex.hpp"
#include "crypto/keccak.hpp"

namespace keel::rpc::dev {
namespace {

using core::Bytes;
using core::Hash32;
using core::U256;
using core::unexpected;

constexpr size_t kWordBytes = 32;
constexpr std::string_view kDomainType = "EIP712Domain";

unexpected<std::string> because(std::string reason) {
    return unexpected(std::move(reason));
}

/// `text` without the array suffixes.
std::string_view element_of_all(std::string_view type) {
    return type.substr(0, type.find('['));
}

/// Counts of bits or bytes behind a type's name; none: there is no number.
std::optional<unsigned> width_of(std::string_view type, std::string_view name) {
    if (!type.starts_with(name)) return std::nullopt;
    const std::string_view digits = type.substr(name.size());
    unsigned width = 0;
    const auto [end, wrong] = std::from_chars(digits.data(), digits.data() + digits.size(), width);
    if (wrong != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
    return width;
}

class Document {
  public:
    explicit Document(JsonValue types) : types_(types) {}

    Converted<Hash32> hash_struct(std::string_view type, JsonValue value) const;

  private:
    std::optional<JsonValue> members_of(std::string_view type) const {
        auto members = types_.member(type);
        if (members && !members->is(JsonKind::Array)) members.reset();
        return members;
    }
    static std::string_view text_of(JsonValue member, std::string_view name) {
        const auto value = member.member(name);
        return value && value->is(JsonKind::String) ? value->text() : std::string_view();
    }
    void gather(std::string_view type, std::set<std::string_view>& found) const;
    std::string encode_type(std::string_view type) const;
    /// The 32 bytes of a member.
    Converted<Hash32> encode(std::string_view type, JsonValue value) const;
    Converted<Hash32> encode_array(std::string_view type, JsonValue value) const;

    JsonValue types_;
};

void Document::gather(std::string_view type, std::set<std::string_view>& found) const {
    const auto members = members_of(type);
    if (!members || !found.insert(type).second) return;
    for (const JsonValue member : *members) {
        gather(element_of_all(text_of(member, "type")), found);
    }
}

std::string Document::encode_type(std::string_view type) const {
    std::set<std::string_view> found;  // by name, as they are written
    gather(type, found);
    found.erase(type);
    std::string text;
    const auto append = [&](std::string_view name) {
        text += name;
        text += '(';
        bool first = true;
        const auto members = members_of(name);
        if (!members) return;
        for (const JsonValue member : *members) {
            if (!first) text += ',';
            first = false;
            text += fmt::format("{} {}", text_of(member, "type"), text_of(member, "name"));
        }
        text += ')';
    };
    append(type);
    for (const std::string_view name : found) append(name);
    return text;
}

Converted<Hash32> right_padded(JsonValue value, unsigned width) {
    const auto bytes = to_bytes(value);
    if (!bytes) return because(bytes.error());
    if (width == 0 || width > kWordBytes || bytes->size() != width) {
        return because(fmt::format("not {} bytes", width));
    }
    Hash32 word;
    std::ranges::copy(*bytes, word.bytes.begin());
    return word;
}

Converted<Hash32> word_of_number(JsonValue value) {
    if (!value.is(JsonKind::String) && !value.is(JsonKind::Number)) {
        return because("not a number");
    }
    std::string_view text = value.text();
    const bool is_negative = text.starts_with('-');
    if (is_negative) text.remove_prefix(1);
    const auto number = U256::parse(text);
    if (!number) return because("not a number");
    const U256 word = is_negative ? U256{} - *number : *number;
    return Hash32(core::ByteView(word.to_be32()));
}

Converted<Hash32> Document::encode_array(std::string_view type, JsonValue value) const {
    const size_t bracket = type.rfind('[');
    if (bracket == std::string_view::npos || !value.is(JsonKind::Array)) {
        return because(fmt::format("not an array of type {}", type));
    }
    const std::string_view count = type.substr(bracket + 1, type.size() - bracket - 2);
    if (!count.empty() && width_of(count, "") != value.size()) {
        return because(fmt::format("not the length of type {}", type));
    }
    Bytes encoded;
    for (const JsonValue element : value) {
        const auto word = encode(type.substr(0, bracket), element);
        if (!word) return word;
        core::append(encoded, *word);
    }
    return crypto::keccak256(encoded);
}

Converted<Hash32> Document::encode(std::string_view type, JsonValue value) const {
    if (type.ends_with(']')) return encode_array(type, value);
    if (members_of(type)) return hash_struct(type, value);
    if (type == "string") {
        const auto text = to_text(value);
        if (!text) return because(text.error());
        return crypto::keccak256(core::ByteView(*text));
    }
    if (type == "bytes") {
        const auto bytes = to_bytes(value);
        if (!bytes) return because(bytes.error());
        return crypto::keccak256(*bytes);
    }
    if (type == "bool") {
        const auto flag = to_bool(value);
        if (!flag) return because(flag.error());
        Hash32 word;
        word[kWordBytes - 1] = *flag ? 1 : 0;
        return word;
    }
    if (type == "address") {
        const auto address = to_address(value);
        if (!address) return because(address.error());
        Hash32 word;
        std::ranges::copy(address->bytes, word.bytes.end() - core::Address::kSize);
        return word;
    }
    if (const auto width = width_of(type, "bytes")) return right_padded(value, *width);
    if (width_of(type, "uint") || width_of(type, "int") || type == "uint" || type == "int") {
        return word_of_number(value);
    }
    return because(fmt::format("unknown type {}", type));
}

Converted<Hash32> Document::hash_struct(std::string_view type, JsonValue value) const {
    const auto members = members_of(type);
    if (!members) return because(fmt::format("types has no {}", type));
    if (!value.is(JsonKind::Object)) return because(fmt::format("{} is not an object", type));
    Bytes encoded;
    core::append(encoded, crypto::keccak256(core::ByteView(encode_type(type))));
    for (const JsonValue member : *members) {
        const std::string_view name = text_of(member, "name");
        const std::string_view member_type = text_of(member, "type");
        const auto found = value.member(name);
        // A struct that is not there is the word 0, as signers of the field have it.
        if (!found || found->is(JsonKind::Null)) {
            if (!members_of(member_type)) {
                return because(fmt::format("{} has no {}", type, name));
            }
            core::append(encoded, Hash32{});
            continue;
        }
        const auto word = encode(member_type, *found);
        if (!word) return because(fmt::format("{}.{}: {}", type, name, word.error()));
        core::append(encoded, *word);
    }
    return crypto::keccak256(encoded);
}

Converted<Hash32> hash_of_object(JsonValue document) {
    const auto types = document.member("types");
    const auto primary = document.member("primaryType");
    const auto domain = document.member("domain");
    const auto message = document.member("message");
    if (!types || !types->is(JsonKind::Object) || !primary || !primary->is(JsonKind::String) ||
        !domain || !message) {
        return because("types, primaryType, domain and message are needed");
    }
    const Document encoder(*types);
    Bytes bytes = {0x19, 0x01};
    const auto separator = encoder.hash_struct(kDomainType, *domain);
    if (!separator) return separator;
    core::append(bytes, *separator);
    // A domain alone may be signed.
    if (primary->text() != kDomainType) {
        const auto hash = encoder.hash_struct(primary->text(), *message);
        if (!hash) return hash;
        core::append(bytes, *hash);
    }
    return crypto::keccak256(bytes);
}

}  // namespace

Converted<Hash32> typed_data_hash(JsonValue document) {
    if (document.is(JsonKind::Object)) return hash_of_object(document);
    if (!document.is(JsonKind::String)) return because("not an object");
    std::string text(document.text());
    const size_t size = text.size();
    text.append(kJsonPadding, ' ');
    JsonIn parser;
    if (parser.parse(std::string_view(text).substr(0, size)) != JsonVerdict::Ok ||
        !parser.root().is(JsonKind::Object)) {
        return because("no JSON object");
    }
    return hash_of_object(parser.root());
}

}  // namespace keel::rpc::dev
