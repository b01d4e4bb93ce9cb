#include "rpc/json_out.hpp"

#include <algorithm>
#include <charconv>

#include "core/base.hpp"

namespace keel::rpc {
namespace {

constexpr size_t kFirstBytes = 4096;
constexpr char kDigits[] = "0123456789abcdef";
constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD

/// Length of the UTF-8 sequence at the start of `text`; 0: it is none (RFC 3629).
size_t utf8_length(std::string_view text) noexcept {
    const auto byte = [text](size_t at) -> unsigned {
        return at < text.size() ? static_cast<uint8_t>(text[at]) : 0;
    };
    const auto follows = [&](size_t at) { return (byte(at) & 0xc0) == 0x80; };
    const unsigned first = byte(0);
    if (first < 0x80) return 1;
    if (first >= 0xc2 && first < 0xe0 && follows(1)) return 2;
    if (first >= 0xe0 && first < 0xf0 && follows(1) && follows(2)) {
        const unsigned point = ((first & 0x0f) << 12) | ((byte(1) & 0x3f) << 6);
        if (point >= 0x800 && (point < 0xd800 || point >= 0xe000)) return 3;
    }
    if (first >= 0xf0 && first < 0xf5 && follows(1) && follows(2) && follows(3)) {
        const unsigned point = ((first & 0x07) << 18) | ((byte(1) & 0x3f) << 12);
        if (point >= 0x10000 && point < 0x110000) return 4;
    }
    return 0;
}

}  // namespace

void JsonOut::clear(size_t keep_bytes) noexcept {
    if (static_cast<size_t>(limit_ - begin_) > keep_bytes) {
        memory_.reset();
        front_ = begin_ = end_ = limit_ = nullptr;
        return;
    }
    front_ = begin_;
    end_ = begin_;
}

void JsonOut::prepend(std::string_view text) {
    if (begin_ == nullptr) enlarge(0);
    KEEL_ASSERT(text.size() <= kHeadroomBytes - static_cast<size_t>(begin_ - front_));
    front_ -= text.size();
    std::memcpy(front_, text.data(), text.size());
}

void JsonOut::enlarge(size_t bytes) {
    const size_t used = size();
    const size_t prepended = static_cast<size_t>(begin_ - front_);
    const size_t capacity =
        std::max({kFirstBytes, 2 * static_cast<size_t>(limit_ - begin_), used + bytes});
    auto memory = std::make_unique_for_overwrite<char[]>(kHeadroomBytes + capacity);
    char* const begin = memory.get() + kHeadroomBytes;
    if (used + prepended > 0) std::memcpy(begin - prepended, front_, prepended + used);
    memory_ = std::move(memory);
    begin_ = begin;
    front_ = begin - prepended;
    end_ = begin + used;
    limit_ = begin + capacity;
}

void JsonOut::key(std::string_view name) {
    comma();
    put('"');
    raw(name);
    raw("\":");
}

void JsonOut::number(uint64_t value) {
    comma();
    constexpr size_t kDigitsMax = 20;
    char* const to = grow(kDigitsMax);
    end_ = std::to_chars(to, to + kDigitsMax, value).ptr;
}

void JsonOut::number(int64_t value) {
    comma();
    constexpr size_t kDigitsMax = 20;
    char* const to = grow(kDigitsMax);
    end_ = std::to_chars(to, to + kDigitsMax, value).ptr;
}

void JsonOut::number(double value) {
    comma();
    constexpr size_t kDigitsMax = 32;
    char* const to = grow(kDigitsMax);
    end_ = std::to_chars(to, to + kDigitsMax, value).ptr;
}

void JsonOut::quantity(uint64_t value) {
    JsonRun(*this, JsonRun::kQuantityBytes).quantity(value);
}

void JsonOut::quantity(const core::U256& value) {
    JsonRun(*this, JsonRun::kWideBytes).quantity(value);
}

void JsonOut::data(core::ByteView bytes) {
    JsonRun(*this, JsonRun::kDataBytes + 2 * bytes.size()).data(bytes);
}

void JsonOut::string(std::string_view text) {
    comma();
    put('"');
    for (size_t at = 0; at < text.size();) {
        const char character = text[at];
        const size_t length = utf8_length(text.substr(at));
        if (length == 0) {
            raw(kReplacement);
            ++at;
            continue;
        }
        if (character == '"' || character == '\\') {
            put('\\');
            put(character);
        } else if (character == '\n') {
            raw("\\n");
        } else if (static_cast<uint8_t>(character) < 0x20) {
            raw("\\u00");
            put(kDigits[character >> 4]);
            put(kDigits[character & 15]);
        } else {
            raw(text.substr(at, length));
        }
        at += length;
    }
    put('"');
}

}  // namespace keel::rpc
