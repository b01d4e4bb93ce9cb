#include "rpc/json_in.hpp"

#include <simdjson.h>

#include <cstring>

namespace keel::rpc {
namespace {

namespace ondemand = simdjson::ondemand;

constexpr size_t kKeepNodes = 4096;
constexpr size_t kKeepTextBytes = size_t{1} << 20;

bool is_digit(char character) noexcept {
    return character >= '0' && character <= '9';
}

/// RFC 8259, 6.
bool is_number(std::string_view text) noexcept {
    size_t at = 0;
    const auto digits = [&] {
        const size_t first = at;
        while (at < text.size() && is_digit(text[at])) ++at;
        return at > first;
    };
    if (at < text.size() && text[at] == '-') ++at;
    if (at < text.size() && text[at] == '0') {
        ++at;
    } else if (!digits()) {
        return false;
    }
    if (at < text.size() && text[at] == '.') {
        ++at;
        if (!digits()) return false;
    }
    if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
        ++at;
        if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
        if (!digits()) return false;
    }
    return at == text.size();
}

/// simdjson's tokens run up to the next one: blanks behind them go.
std::string_view without_blanks(std::string_view token) noexcept {
    while (!token.empty()) {
        const char last = token.back();
        if (last != ' ' && last != '\t' && last != '\n' && last != '\r') break;
        token.remove_suffix(1);
    }
    return token;
}

struct Walk {
    std::vector<JsonNode>& nodes;
    JsonVerdict verdict = JsonVerdict::Ok;

    bool refuse(JsonVerdict why) {
        if (verdict == JsonVerdict::Ok) verdict = why;
        return false;
    }
    bool malformed() { return refuse(JsonVerdict::Malformed); }

    bool array(ondemand::array values, size_t node, unsigned depth) {
        uint32_t count = 0;
        for (auto element : values) {
            ondemand::value inner;
            if (element.get(inner) != simdjson::SUCCESS) return malformed();
            if (!value(inner, {}, depth + 1)) return false;
            ++count;
        }
        return close(node, JsonKind::Array, count);
    }

    bool object(ondemand::object members, size_t node, unsigned depth) {
        uint32_t count = 0;
        for (auto member : members) {
            ondemand::field field;
            if (std::move(member).get(field) != simdjson::SUCCESS) return malformed();
            std::string_view key;
            if (field.unescaped_key().get(key) != simdjson::SUCCESS) return malformed();
            if (!value(field.value(), key, depth + 1)) return false;
            ++count;
        }
        return close(node, JsonKind::Object, count);
    }

    bool close(size_t node, JsonKind kind, uint32_t count) {
        nodes[node].kind = kind;
        nodes[node].children = count;
        nodes[node].span = static_cast<uint32_t>(nodes.size() - node);
        return true;
    }

    bool value(ondemand::value from, std::string_view key, unsigned depth) {
        if (nodes.size() >= kJsonValuesMax) return refuse(JsonVerdict::TooManyValues);
        ondemand::json_type type;
        if (from.type().get(type) != simdjson::SUCCESS) return malformed();
        const size_t at = nodes.size();
        nodes.emplace_back();
        nodes[at].key = key.data();
        nodes[at].key_bytes = static_cast<uint32_t>(key.size());
        if (type == ondemand::json_type::array || type == ondemand::json_type::object) {
            if (depth > kJsonDepthMax) return refuse(JsonVerdict::TooDeep);
            if (type == ondemand::json_type::array) {
                ondemand::array values;
                if (from.get_array().get(values) != simdjson::SUCCESS) return malformed();
                return array(values, at, depth);
            }
            ondemand::object members;
            if (from.get_object().get(members) != simdjson::SUCCESS) return malformed();
            return object(members, at, depth);
        }
        const std::string_view token = without_blanks(from.raw_json_token());
        std::string_view text = token;
        if (type == ondemand::json_type::string) {
            if (token.size() < 2 || token.back() != '"') return malformed();
            text = token.substr(1, token.size() - 2);
            // Strings are consumed here: what simdjson skips itself may have a colon behind it.
            const bool has_escapes = std::memchr(text.data(), '\\', text.size()) != nullptr;
            if (has_escapes ? from.get_string().get(text) != simdjson::SUCCESS
                            : from.get_raw_json_string().error() != simdjson::SUCCESS) {
                return malformed();
            }
        }
        return scalar(nodes[at], type, token, text);
    }

    bool scalar(JsonNode& node, ondemand::json_type type, std::string_view token,
                std::string_view text) {
        node.raw = token.data();
        node.raw_bytes = static_cast<uint32_t>(token.size());
        node.text = text.data();
        node.text_bytes = static_cast<uint32_t>(text.size());
        if (type == ondemand::json_type::string) {
            node.kind = JsonKind::String;
        } else if (type == ondemand::json_type::number) {
            if (!is_number(token)) return malformed();
            node.kind = JsonKind::Number;
        } else if (token == "null") {
            node.kind = JsonKind::Null;
        } else if (token == "true") {
            node.kind = JsonKind::True;
        } else if (token == "false") {
            node.kind = JsonKind::False;
        } else {
            return malformed();
        }
        return true;
    }
};

}  // namespace

struct JsonIn::Parser {
    ondemand::parser parser;
};

std::optional<JsonValue> JsonValue::member(std::string_view name) const noexcept {
    std::optional<JsonValue> found;
    if (!is(JsonKind::Object)) return found;
    for (const JsonValue child : *this) {
        if (child.key() == name) found = child;
    }
    return found;
}

JsonIn::JsonIn() : parser_(std::make_unique<Parser>()) {}
JsonIn::~JsonIn() = default;

JsonVerdict JsonIn::parse(std::string_view text) {
    nodes_.clear();
    ondemand::document document;
    const size_t padded = text.size() + kJsonPadding;
    if (parser_->parser.iterate(text.data(), text.size(), padded).get(document) !=
        simdjson::SUCCESS) {
        return JsonVerdict::Malformed;
    }
    ondemand::json_type type;
    if (document.type().get(type) != simdjson::SUCCESS) return JsonVerdict::Malformed;
    Walk walk{nodes_};
    if (type == ondemand::json_type::array) {
        ondemand::array values;
        if (document.get_array().get(values) != simdjson::SUCCESS) return JsonVerdict::Malformed;
        nodes_.emplace_back();
        walk.array(values, 0, 1);
    } else if (type == ondemand::json_type::object) {
        ondemand::object members;
        if (document.get_object().get(members) != simdjson::SUCCESS) {
            return JsonVerdict::Malformed;
        }
        nodes_.emplace_back();
        walk.object(members, 0, 1);
    } else {
        std::string_view token;
        if (document.raw_json_token().get(token) != simdjson::SUCCESS) {
            return JsonVerdict::Malformed;
        }
        token = without_blanks(token);
        const bool quoted = type == ondemand::json_type::string;
        if (quoted && (token.size() < 2 || token.back() != '"')) return JsonVerdict::Malformed;
        // Nothing may follow.
        if (token.data() + token.size() != text.data() + without_blanks(text).size()) {
            return JsonVerdict::Malformed;
        }
        nodes_.emplace_back();
        walk.scalar(nodes_[0], type, token, quoted ? token.substr(1, token.size() - 2) : token);
        return walk.verdict;
    }
    // Where the walk has ended nothing may follow: only then there is no location.
    const char* behind = nullptr;
    if (document.current_location().get(behind) == simdjson::SUCCESS) walk.malformed();
    return walk.verdict;
}

void JsonIn::trim() {
    if (nodes_.capacity() > kKeepNodes) {
        nodes_.clear();
        nodes_.shrink_to_fit();
    }
    if (parser_->parser.capacity() > kKeepTextBytes) parser_ = std::make_unique<Parser>();
}

}  // namespace keel::rpc
