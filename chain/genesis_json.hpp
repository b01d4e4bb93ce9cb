#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.hpp"
#include "core/types/address.hpp"
#include "core/types/hash.hpp"
#include "core/u256.hpp"

namespace keel::chain {

/// A JSON value whose numbers keep their text: a terminal total difficulty does not fit in a
/// double.
struct JsonNode {
    enum class Kind : uint8_t { Null, Bool, Number, String, Array, Object };
    Kind kind = Kind::Null;
    std::string name;  // as a member of an object
    std::string text;  // of a number or string; "true" or "false"
    std::vector<JsonNode> members;

    /// Member of that name (the last, if there are several), else one that differs from it in case
    /// only. Null or missing: nullptr.
    const JsonNode* find(std::string_view wanted) const;
    /// Compact, members in their order, numbers as they were.
    std::string to_json() const;
};

/// A value and the way to it from the root, for messages. Made on the stack; lifetime: the parent
/// and the document.
class JsonPlace {
  public:
    /// `document` is what messages call it: `invalid genesis file NAME`.
    JsonPlace(const std::string& document, const JsonNode& root)
        : document_(&document), node_(&root) {}
    JsonPlace(const JsonPlace& parent, std::string_view name, const JsonNode& node)
        : document_(parent.document_), parent_(&parent), name_(name), node_(&node) {}

    const JsonNode& node() const noexcept { return *node_; }
    /// Throws Fault::Usage with document, JSON pointer, value and reason.
    [[noreturn]] void refuse(std::string_view reason) const;

    void need_object() const;
    bool boolean() const;
    /// A number in any form: JSON number, decimal or 0x string, empty string (0), integral exponent
    /// form. Source: HIVE.md D.1.2.
    core::U256 u256() const;
    uint64_t uint64() const;
    /// Hex, "0x" optional, whole bytes.
    core::Bytes bytes() const;
    core::Hash32 hash() const;
    core::Address address() const;

  private:
    std::string pointer() const;

    const std::string* document_;
    const JsonPlace* parent_ = nullptr;
    std::string_view name_;
    const JsonNode* node_;
};

/// Throws Fault::Usage with the place of the error.
JsonNode parse_json(std::string_view json, const std::string& document);

/// The number that a text means; none: none, or more than 256 bits.
std::optional<core::U256> parse_number(std::string_view text);
/// Hex digits with or without 0x, any count up to 64, as a number.
std::optional<core::U256> parse_hex_word(std::string_view text);

}  // namespace keel::chain
