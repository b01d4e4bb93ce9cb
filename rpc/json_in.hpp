#pragma once

// A JSON text as a flat list of its values, in the order in which they stand: what requests are
// read from. Text stays where it was received; nothing is converted before a method asks.

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace keel::rpc {

inline constexpr unsigned kJsonDepthMax = 64;
inline constexpr size_t kJsonValuesMax = 500'000;
/// Bytes that can be read behind a text that is parsed; their content does not matter.
inline constexpr size_t kJsonPadding = 64;

enum class JsonKind : uint8_t { Null, False, True, Number, String, Array, Object };

struct JsonNode {
    const char* text = nullptr;  // a string's content without escapes; else the token
    const char* raw = nullptr;   // the token as it was sent
    const char* key = nullptr;   // of a member
    uint32_t text_bytes = 0;
    uint32_t raw_bytes = 0;
    uint32_t key_bytes = 0;
    uint32_t span = 1;  // nodes of this value, itself counted
    uint32_t children = 0;
    JsonKind kind = JsonKind::Null;
};

/// One value of a JsonIn; lives as long as its text. Cheap to copy.
class JsonValue {
  public:
    explicit JsonValue(const JsonNode* node) noexcept : node_(node) {}

    JsonKind kind() const noexcept { return node_->kind; }
    bool is(JsonKind kind) const noexcept { return node_->kind == kind; }
    bool is_scalar() const noexcept { return !is(JsonKind::Array) && !is(JsonKind::Object); }
    std::string_view text() const noexcept { return {node_->text, node_->text_bytes}; }
    std::string_view raw() const noexcept { return {node_->raw, node_->raw_bytes}; }
    std::string_view key() const noexcept { return {node_->key, node_->key_bytes}; }

    /// Elements of an array, members of an object.
    size_t size() const noexcept { return node_->children; }
    /// The member of that name, the last one if there are several.
    std::optional<JsonValue> member(std::string_view name) const noexcept;

    class Iterator {
      public:
        Iterator(const JsonNode* node, uint32_t left) noexcept : node_(node), left_(left) {}
        JsonValue operator*() const noexcept { return JsonValue(node_); }
        Iterator& operator++() noexcept {
            node_ += node_->span;
            --left_;
            return *this;
        }
        bool operator!=(const Iterator& other) const noexcept { return left_ != other.left_; }

      private:
        const JsonNode* node_;
        uint32_t left_;
    };
    Iterator begin() const noexcept { return {node_ + 1, node_->children}; }
    Iterator end() const noexcept { return {nullptr, 0}; }

  private:
    const JsonNode* node_;
};

enum class JsonVerdict : uint8_t {
    Ok,
    Malformed,
    TooDeep,
    TooManyValues,
};

/// Parses one text after the other and keeps its memory. One thread.
class JsonIn {
  public:
    JsonIn();
    JsonIn(const JsonIn&) = delete;
    JsonIn& operator=(const JsonIn&) = delete;
    ~JsonIn();

    /// `text` has kJsonPadding readable bytes behind it and lives as long as the values are used.
    [[nodiscard]] JsonVerdict parse(std::string_view text);
    /// The outermost value of the last text that was Ok.
    JsonValue root() const noexcept { return JsonValue(nodes_.data()); }
    /// Gives back what an unusually large text took.
    void trim();

  private:
    struct Parser;
    std::unique_ptr<Parser> parser_;
    std::vector<JsonNode> nodes_;
};

}  // namespace keel::rpc
