#pragma once

#include <cstdint>
#include <optional>

#include "core/bytes.hpp"
#include "core/result.hpp"
#include "core/u256.hpp"

namespace keel::core {

/// Why bytes are not the RLP that is expected. Source: yellow paper, appendix B; strict: shortest
/// forms only.
enum class RlpError : uint8_t {
    InputTooShort,     // an item runs beyond the end of its list or of the input
    LeadingZeros,      // an integer or a length with leading zeros
    NonCanonicalSize,  // long form where the short one fits, or a single byte below 0x80 as a
                       // string
    ExpectedList,      // string found
    ExpectedString,    // list found
    UnexpectedLength,  // fixed-size field of another size
    Overflow,          // integer wider than its field
    ListTooShort,      // fewer items than the structure has
    ListTooLong,       // more items than the structure has
    TrailingBytes,     // bytes behind the item
    TypeNotSupported,  // unknown transaction type
    InvalidValue,      // well formed, but not in the field's range
};
const char* to_string(RlpError error) noexcept;

template <class T>
using RlpResult = Result<T, RlpError>;

/// Walks over the items of a list payload (or of concatenated items). Views alias the input.
class RlpReader {
  public:
    explicit RlpReader(ByteView payload) noexcept : rest_(payload) {}

    bool at_end() const noexcept { return rest_.empty(); }
    ByteView rest() const noexcept { return rest_; }
    /// Whether the next item is a list; false at the end.
    bool next_is_list() const noexcept { return !rest_.empty() && rest_[0] >= 0xc0; }

    /// Content of the next item, which must be a string.
    [[nodiscard]] RlpResult<ByteView> string();
    /// Payload of the next item, which must be a list.
    [[nodiscard]] RlpResult<RlpReader> list();
    /// The next item whole, with its header.
    [[nodiscard]] RlpResult<ByteView> item();
    [[nodiscard]] RlpResult<uint64_t> uint64();
    [[nodiscard]] RlpResult<U256> u256();
    template <class Fixed>
    [[nodiscard]] RlpResult<Fixed> fixed() {
        const auto bytes = string();
        if (!bytes) return unexpected(bytes.error());
        if (bytes->size() != Fixed::kSize) return unexpected(RlpError::UnexpectedLength);
        return Fixed(*bytes);
    }
    /// Nothing may be left of a list whose items are all read.
    [[nodiscard]] RlpResult<void> end() const {
        if (!at_end()) return unexpected(RlpError::ListTooLong);
        return {};
    }

  private:
    struct Item {
        bool is_list;
        size_t header_bytes;
        size_t payload_bytes;
    };
    RlpResult<Item> peek() const;
    ByteView rest_;
};

/// Length of the item at the start of `input`, header included; checks only that one header (for
/// block files).
RlpResult<size_t> rlp_item_length(ByteView input);
/// The payload of one list that fills `input`.
RlpResult<RlpReader> rlp_outer_list(ByteView input);

// Encoding appends to a buffer that the caller keeps and reuses.
void rlp_append_string(Bytes& to, ByteView value);
void rlp_append_uint(Bytes& to, uint64_t value);
void rlp_append_uint(Bytes& to, const U256& value);
void rlp_append_list_header(Bytes& to, size_t payload_bytes);
/// Of a string whose bytes follow; one of a single byte below 0x80 has none.
void rlp_append_string_header(Bytes& to, size_t bytes);
/// begin remembers where the payload starts; end puts the header before it (moves the payload
/// once).
inline size_t rlp_begin_list(const Bytes& to) {
    return to.size();
}
void rlp_end_list(Bytes& to, size_t begin);
size_t rlp_header_length(size_t payload_bytes) noexcept;
size_t rlp_string_length(ByteView value) noexcept;

}  // namespace keel::core
