#pragma once

// How keys and dup values stand in liblmdb's pages. It refuses empty keys and loses empty dup
// values, so a string of n zero bytes (n >= 0) is stored as n+1 zero bytes and everything else as
// it is: "" < 00 < 00 00 stays so, no two strings meet, and a view is turned back by dropping its
// last byte.

#include <lmdb.h>

#include <array>
#include <cstdint>
#include <cstring>

#include "core/bytes.hpp"
#include "db/table.hpp"

namespace keel::db::lmdb {

using core::ByteView;

/// liblmdb's own limit, one more than ours: room for the shifted zero byte.
inline constexpr size_t kStoredBytesMax = 511;
static_assert(kKeyBytesMax + 1 == kStoredBytesMax && kDupValueBytesMax + 1 == kStoredBytesMax);

inline constexpr std::array<uint8_t, kStoredBytesMax> kZeros{};

/// Out of line, so that callers on hot paths save no registers for it.
[[gnu::noinline]] inline bool all_as_the_first(const uint8_t* data, size_t size) noexcept {
    return std::memcmp(data, data + 1, size - 1) == 0;
}

inline bool all_zero(const uint8_t* data, size_t size) noexcept {
    // The first and last bytes settle nearly every key; numbers in big-endian end in something.
    return data[0] == 0 && data[size - 1] == 0 && all_as_the_first(data, size);
}

inline MDB_val raw_val(ByteView bytes) noexcept {
    // liblmdb reads through this pointer only.
    return {bytes.size(), const_cast<uint8_t*>(bytes.data())};
}
inline ByteView raw_view(const MDB_val& val) noexcept {
    return {static_cast<const uint8_t*>(val.mv_data), val.mv_size};
}

/// Stored form of at most kKeyBytesMax bytes. Points into `bytes` or into constant memory.
inline MDB_val to_stored(ByteView bytes) noexcept {
    if (bytes.empty() || all_zero(bytes.data(), bytes.size()))
        return {bytes.size() + 1, const_cast<uint8_t*>(kZeros.data())};
    return raw_val(bytes);
}

/// What was stored: the same memory, without the byte that to_stored added.
inline ByteView from_stored(const MDB_val& val) noexcept {
    const auto* data = static_cast<const uint8_t*>(val.mv_data);
    return {data, val.mv_size - (all_zero(data, val.mv_size) ? 1 : 0)};
}

inline bool same(const MDB_val& a, const MDB_val& b) noexcept {
    return a.mv_size == b.mv_size && std::memcmp(a.mv_data, b.mv_data, a.mv_size) == 0;
}

}  // namespace keel::db::lmdb
