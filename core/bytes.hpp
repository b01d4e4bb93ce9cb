#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace keel::core {

/// Owned bytes.
using Bytes = std::vector<uint8_t>;

/// Borrowed bytes that are only read: pointer and length, ordered unsigned bytewise (a prefix is
/// smaller). Whoever returns one says how long it lives. A view of length 0 with a non-null pointer
/// is a value; absence is std::nullopt.
class ByteView {
  public:
    constexpr ByteView() noexcept = default;
    constexpr ByteView(const uint8_t* data, size_t size) noexcept : data_(data), size_(size) {}
    ByteView(const Bytes& bytes) noexcept : data_(bytes.data()), size_(bytes.size()) {}
    constexpr ByteView(std::span<const uint8_t> span) noexcept
        : data_(span.data()), size_(span.size()) {}
    template <size_t N>
    constexpr ByteView(const std::array<uint8_t, N>& array) noexcept
        : data_(array.data()), size_(N) {}
    ByteView(std::string_view text) noexcept
        : data_(reinterpret_cast<const uint8_t*>(text.data())), size_(text.size()) {}
    ByteView(const char* text) noexcept : ByteView(std::string_view(text)) {}
    ByteView(const std::string& text) noexcept : ByteView(std::string_view(text)) {}

    constexpr const uint8_t* data() const noexcept { return data_; }
    constexpr size_t size() const noexcept { return size_; }
    constexpr bool empty() const noexcept { return size_ == 0; }
    constexpr const uint8_t* begin() const noexcept { return data_; }
    constexpr const uint8_t* end() const noexcept { return data_ + size_; }
    constexpr uint8_t operator[](size_t index) const noexcept { return data_[index]; }
    constexpr uint8_t back() const noexcept { return data_[size_ - 1]; }

    /// Bytes [first, first + count), cut at the end; `first` beyond the end gives an empty view.
    constexpr ByteView sub(size_t first, size_t count = SIZE_MAX) const noexcept {
        const size_t from = std::min(first, size_);
        return {data_ + from, std::min(count, size_ - from)};
    }
    constexpr bool starts_with(ByteView prefix) const noexcept {
        return size_ >= prefix.size_ && sub(0, prefix.size_) == prefix;
    }
    Bytes to_bytes() const { return Bytes(begin(), end()); }
    std::string_view text() const noexcept { return {reinterpret_cast<const char*>(data_), size_}; }

    friend constexpr bool operator==(ByteView a, ByteView b) noexcept {
        if (a.size_ != b.size_) return false;
        if (std::is_constant_evaluated()) return std::equal(a.begin(), a.end(), b.begin());
        return a.size_ == 0 || std::memcmp(a.data_, b.data_, a.size_) == 0;
    }
    friend std::strong_ordering operator<=>(ByteView a, ByteView b) noexcept {
        const size_t common = std::min(a.size_, b.size_);
        const int order = common == 0 ? 0 : std::memcmp(a.data_, b.data_, common);
        return order != 0 ? order <=> 0 : a.size_ <=> b.size_;
    }

  private:
    const uint8_t* data_ = nullptr;
    size_t size_ = 0;
};

inline void append(Bytes& to, ByteView from) {
    to.insert(to.end(), from.begin(), from.end());
}

/// N bytes that mean one thing: each domain type is its own Tag (core/types), so that two of them
/// never mix.
template <size_t N, class Tag>
struct FixedBytes {
    std::array<uint8_t, N> bytes{};

    static constexpr size_t kSize = N;

    constexpr FixedBytes() noexcept = default;
    constexpr explicit FixedBytes(const std::array<uint8_t, N>& from) noexcept : bytes(from) {}
    /// The first N bytes of `view`, which has at least as many.
    explicit FixedBytes(ByteView view) noexcept { std::memcpy(bytes.data(), view.data(), N); }

    constexpr const uint8_t* data() const noexcept { return bytes.data(); }
    constexpr uint8_t* data() noexcept { return bytes.data(); }
    static constexpr size_t size() noexcept { return N; }
    constexpr uint8_t& operator[](size_t index) noexcept { return bytes[index]; }
    constexpr uint8_t operator[](size_t index) const noexcept { return bytes[index]; }
    constexpr ByteView view() const noexcept { return {bytes.data(), N}; }
    constexpr operator ByteView() const noexcept { return view(); }
    constexpr bool is_zero() const noexcept {
        return std::ranges::all_of(bytes, [](uint8_t byte) { return byte == 0; });
    }
    friend constexpr bool operator==(const FixedBytes&, const FixedBytes&) noexcept = default;
    friend std::strong_ordering operator<=>(const FixedBytes& a, const FixedBytes& b) noexcept {
        return std::memcmp(a.data(), b.data(), N) <=> 0;
    }
};

}  // namespace keel::core

/// The values hashed here are hashes or addresses mostly, but an attacker chooses addresses and
/// slots, so all bytes take part and are mixed.
template <size_t N, class Tag>
struct std::hash<keel::core::FixedBytes<N, Tag>> {
    size_t operator()(const keel::core::FixedBytes<N, Tag>& value) const noexcept {
        __extension__ using Wide = unsigned __int128;
        constexpr uint64_t kMultiplier = 0x9e3779b97f4a7c15;  // 2^64 / golden ratio
        uint64_t mixed = N;
        const auto mix = [&mixed](uint64_t word) {
            const Wide wide = static_cast<Wide>(mixed ^ word) * kMultiplier;
            mixed = static_cast<uint64_t>(wide) ^ static_cast<uint64_t>(wide >> 64);
        };
        size_t at = 0;
        for (; at + 8 <= N; at += 8) {
            uint64_t word;
            std::memcpy(&word, value.data() + at, 8);
            mix(word);
        }
        if constexpr (N % 8 != 0) {
            uint64_t word = 0;
            std::memcpy(&word, value.data() + at, N % 8);
            mix(word);
        }
        return static_cast<size_t>(mixed);
    }
};
