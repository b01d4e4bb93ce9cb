#pragma once

// Parameters of a call as types: the rules for QUANTITY, DATA and block parameters.
// Source: execution-apis, schemas/base-types; EIP-1898.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/bytes.hpp"
#include "core/types/address.hpp"
#include "core/types/hash.hpp"
#include "core/u256.hpp"
#include "rpc/error.hpp"
#include "rpc/json_in.hpp"

namespace keel::rpc {

/// Which block a call means.
struct BlockSelector {
    enum class Kind : uint8_t { Latest, Earliest, Pending, Safe, Finalized, Number, Hash };
    Kind kind = Kind::Latest;
    uint64_t number = 0;
    core::Hash32 hash;
    bool require_canonical = false;
};

// Conversions of one value; the error is the reason, without the place.
template <class T>
using Converted = core::Result<T, std::string>;

Converted<core::U256> to_u256(JsonValue value);
Converted<uint64_t> to_uint64(JsonValue value);
Converted<core::Bytes> to_bytes(JsonValue value);
Converted<core::Address> to_address(JsonValue value);
Converted<core::Hash32> to_hash(JsonValue value);
Converted<bool> to_bool(JsonValue value);
/// Any string; lives as the value does.
Converted<std::string_view> to_text(JsonValue value);
Converted<BlockSelector> to_block(JsonValue value);
/// A storage key is taken leniently: prefix optional, any count of digits up to 64.
Converted<core::U256> to_storage_key(JsonValue value);

/// Reads the positional parameters of a call and remembers the first error, so that a method is a
/// list of its parameters: read all, then ask error().
class Args {
  public:
    /// `params` none: as an empty list. `count_max`: more are refused.
    Args(std::optional<JsonValue> params, size_t count_max);

    template <class T>
    T required(size_t index, Converted<T> (*convert)(JsonValue)) {
        if (error_) return {};
        const std::optional<JsonValue> value = find(index);
        if (!value) {
            missing(index);
            return {};
        }
        Converted<T> converted = convert(*value);
        if (converted) return *std::move(converted);
        fail_argument(index, converted.error());
        return {};
    }

    core::Address address(size_t index) { return required(index, to_address); }
    core::Hash32 hash(size_t index) { return required(index, to_hash); }
    core::Bytes bytes(size_t index) { return required(index, to_bytes); }
    uint64_t uint64(size_t index) { return required(index, to_uint64); }
    bool boolean(size_t index) { return required(index, to_bool); }
    BlockSelector block(size_t index) { return required(index, to_block); }
    BlockSelector block_or_latest(size_t index);
    /// The text of the error is the reason alone, as geth words it.
    core::U256 storage_key(size_t index);
    /// None where it is missing or null.
    template <class T>
    std::optional<T> optional(size_t index, Converted<T> (*convert)(JsonValue)) {
        if (error_ || !find(index)) return std::nullopt;
        return required(index, convert);
    }
    /// An object; none: refused, as error() says.
    std::optional<JsonValue> object(size_t index);
    /// An object, or none where it is missing or null.
    std::optional<JsonValue> optional_object(size_t index);

    bool ok() const noexcept { return !error_; }
    core::unexpected<Error> error() const { return core::unexpected(*error_); }

  private:
    std::optional<JsonValue> find(size_t index) const;
    void fail_argument(size_t index, std::string_view reason);
    void missing(size_t index);

    std::optional<JsonValue> list_;
    std::optional<Error> error_;
};

}  // namespace keel::rpc
