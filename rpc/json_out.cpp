#include "rpc/json_out.hpp"

#include <tmmintrin.h>

#include <algorithm>
#include <bit>
#include <charconv>

#include "core/base.hpp"

namespace keel::rpc {
namespace {

constexpr size_t kFirstBytes = 4096;
constexpr char kDigits[] = "0123456789abcdef";
constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD

/// Digits of 16 bytes at a time: a shuffle looks each half byte up.
char* write_digits(char* to, core::ByteView bytes) noexcept {
    const __m128i digits = _mm_loadu_si128(reinterpret_cast<const __m128i*>(kDigits));
    const __m128i low_half = _mm_set1_epi8(0x0f);
    const uint8_t* from = bytes.data();
    size_t left = bytes.size();
    for (; left >= 16; left -= 16, from += 16, to += 32) {
        const __m128i in = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
        const __m128i high =
            _mm_shuffle_epi8(digits, _mm_and_si128(_mm_srli_epi16(in, 4), low_half));
        const __m128i low = _mm_shuffle_epi8(digits, _mm_and_si128(in, low_half));
        _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm_unpacklo_epi8(high, low));
        _mm_storeu_si128(reinterpret_cast<__m128i*>(to + 16), _mm_unpackhi_epi8(high, low));
    }
    for (; left > 0; --left, ++from) {
        *to++ = kDigits[*from >> 4];
        *to++ = kDigits[*from & 15];
    }
    return to;
}

/// Hex digits of `value` without leading zeros; at least one.
char* write_quantity_digits(char* to, uint64_t value) noexcept {
    const int digits = value == 0 ? 1 : (67 - std::countl_zero(value)) / 4;
    for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) {
        *to++ = kDigits[(value >> shift) & 15];
    }
    return to;
}

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
    if (static_cast<size_t>(limit_ - front_) > keep_bytes) {
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
    comma();
    constexpr size_t kCharactersMax = 20;  // quotes, 0x and 16 digits
    char* to = grow(kCharactersMax);
    std::memcpy(to, "\"0x", 3);
    to = write_quantity_digits(to + 3, value);
    *to++ = '"';
    end_ = to;
}

void JsonOut::quantity(const core::U256& value) {
    if (value.fits_uint64()) {
        quantity(value.low64());
        return;
    }
    comma();
    constexpr size_t kCharactersMax = 68;
    char* to = grow(kCharactersMax);
    std::memcpy(to, "\"0x", 3);
    int limb = 3;
    while (value.limbs[limb] == 0) --limb;
    to = write_quantity_digits(to + 3, value.limbs[limb]);
    while (--limb >= 0) {
        for (int shift = 60; shift >= 0; shift -= 4) {
            *to++ = kDigits[(value.limbs[limb] >> shift) & 15];
        }
    }
    *to++ = '"';
    end_ = to;
}

void JsonOut::data(core::ByteView bytes) {
    comma();
    char* to = grow(4 + 2 * bytes.size());
    std::memcpy(to, "\"0x", 3);
    to = write_digits(to + 3, bytes);
    *to++ = '"';
    end_ = to;
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
