#pragma once

// JSON written straight into the buffer that goes to the socket: no tree, no second copy.

#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

#include "core/bytes.hpp"
#include "core/u256.hpp"
#include "rpc/hex_out.hpp"

namespace keel::rpc {

/// A buffer that only grows, with room in front for what is known last: the HTTP header. Commas
/// come by themselves: before a key or an element unless a container has just been opened. The
/// caller closes what it opens. One thread.
class JsonOut {
  public:
    static constexpr size_t kHeadroomBytes = 1024;

    JsonOut() = default;
    JsonOut(JsonOut&&) noexcept = default;
    JsonOut& operator=(JsonOut&&) noexcept = default;

    std::string_view text() const noexcept { return {begin_, size()}; }
    size_t size() const noexcept { return static_cast<size_t>(end_ - begin_); }
    /// Forgets the text and keeps the memory, unless that is more than `keep_bytes`.
    void clear(size_t keep_bytes = SIZE_MAX) noexcept;
    /// Takes back everything behind the first `size` bytes.
    void truncate(size_t size) noexcept { end_ = begin_ + size; }
    /// Takes back everything but the last byte, and what was prepended.
    void keep_last() noexcept {
        *begin_ = end_[-1];
        end_ = begin_ + 1;
        front_ = begin_;
    }
    /// Text in front of all there is; at most kHeadroomBytes between two clears.
    void prepend(std::string_view text);
    /// Everything, with what was prepended.
    std::string_view whole() const noexcept { return {front_, static_cast<size_t>(end_ - front_)}; }

    void raw(std::string_view text) {
        if (text.empty()) return;
        std::memcpy(grow(text.size()), text.data(), text.size());
        end_ += text.size();
    }
    void begin_object() { open('{'); }
    void end_object() { put('}'); }
    void begin_array() { open('['); }
    void end_array() { put(']'); }

    template <size_t N>
    void key(const char (&name)[N]) {
        comma();
        char* to = grow(N + 2);
        *to++ = '"';
        std::memcpy(to, name, N - 1);
        to += N - 1;
        *to++ = '"';
        *to++ = ':';
        end_ = to;
    }
    /// A key that is not known when compiling; it has nothing to escape.
    void key(std::string_view name);

    // Values; as elements of an array too.
    void null() { literal("null"); }
    void boolean(bool value) { literal(value ? "true" : "false"); }
    /// A JSON number.
    void number(uint64_t value);
    void number(int64_t value);
    /// As few digits as give the same number back; finite.
    void number(double value);
    void quantity(uint64_t value);
    void quantity(const core::U256& value);
    void data(core::ByteView bytes);
    /// Escaped. Bytes that are not UTF-8 become U+FFFD.
    void string(std::string_view text);

    // Members.
    template <size_t N, class T>
    void quantity(const char (&name)[N], const T& value) {
        key(name);
        quantity(value);
    }
    template <size_t N>
    void data(const char (&name)[N], core::ByteView bytes) {
        key(name);
        data(bytes);
    }
    template <size_t N>
    void null(const char (&name)[N]) {
        key(name);
        null();
    }

  private:
    friend class JsonRun;

    /// Room for `bytes` more; where they go.
    char* grow(size_t bytes) {
        if (static_cast<size_t>(limit_ - end_) < bytes) enlarge(bytes);
        return end_;
    }
    void enlarge(size_t bytes);
    void put(char character) {
        *grow(1) = character;
        ++end_;
    }
    /// Nothing that ends in one of these is followed by a sibling.
    void comma() {
        if (end_ == begin_) return;
        const char last = end_[-1];
        if (last != '{' && last != '[' && last != ':' && last != ',') put(',');
    }
    void open(char bracket) {
        comma();
        put(bracket);
    }
    void literal(std::string_view text) {
        comma();
        raw(text);
    }

    std::unique_ptr<char[]> memory_;
    char* front_ = nullptr;  // first byte of what was prepended; begin_ without
    char* begin_ = nullptr;
    char* end_ = nullptr;
    char* limit_ = nullptr;
};

/// A piece of JSON whose length is bounded before it is written: nothing is asked or moved on the
/// way. While one lives its JsonOut is not touched.
class JsonRun {
  public:
    /// The next element or member's value; at most `bytes_max` and kSlack of it are written.
    JsonRun(JsonOut& out, size_t bytes_max) : out_(out) {
        out.comma();
        at_ = out.grow(bytes_max + kSlack);
    }
    JsonRun(const JsonRun&) = delete;
    JsonRun& operator=(const JsonRun&) = delete;
    ~JsonRun() { out_.end_ = at_; }

    /// As it stands.
    template <size_t N>
    JsonRun& text(const char (&text)[N]) noexcept {
        std::memcpy(at_, text, N - 1);
        at_ += N - 1;
        return *this;
    }
    JsonRun& text(std::string_view text) noexcept {
        std::memcpy(at_, text.data(), text.size());
        at_ += text.size();
        return *this;
    }
    /// "0x…", two digits a byte.
    JsonRun& data(core::ByteView bytes) noexcept {
        text("\"0x");
        at_ = write_bytes(at_, bytes);
        *at_++ = '"';
        return *this;
    }
    /// "0x…", without leading zeros.
    template <class T>
    JsonRun& quantity(const T& value) noexcept {
        text("\"0x");
        at_ = write_quantity(at_, value);
        *at_++ = '"';
        return *this;
    }

    static constexpr size_t kDataBytes = 4;       // of data(), beside its digits
    static constexpr size_t kQuantityBytes = 20;  // of 64 bits
    static constexpr size_t kWideBytes = 68;      // of 256

  private:
    static constexpr size_t kSlack = 16;  // write_quantity

    JsonOut& out_;
    char* at_;
};

}  // namespace keel::rpc
