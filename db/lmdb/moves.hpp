#pragma once

// Absolute positioning of a liblmdb cursor, safe from any position it was left in. Each call
// answers a liblmdb code; MDB_NOTFOUND leaves `key` and `value` undefined. A null cursor stands for
// a table that is not there: all absent. Keys and values are in stored form (db/lmdb/stored.hpp)
// unless they are ByteView.

#include <lmdb.h>

#include "db/lmdb/stored.hpp"

namespace keel::db::lmdb {

inline int move(MDB_cursor* cursor, MDB_cursor_op op, MDB_val& key, MDB_val& value) noexcept {
    return cursor == nullptr ? MDB_NOTFOUND : mdb_cursor_get(cursor, &key, &value, op);
}

/// First value of `wanted`.
inline int find_key(MDB_cursor* cursor, const MDB_val& wanted, MDB_val& key,
                    MDB_val& value) noexcept {
    key = wanted;
    return move(cursor, MDB_SET_KEY, key, value);
}

/// First entry whose key is not below `wanted`.
inline int find_from(MDB_cursor* cursor, const MDB_val& wanted, MDB_val& key,
                     MDB_val& value) noexcept {
    key = wanted;
    return move(cursor, MDB_SET_RANGE, key, value);
}

/// First entry whose key is above `wanted`.
inline int find_behind(MDB_cursor* cursor, const MDB_val& wanted, MDB_val& key,
                       MDB_val& value) noexcept {
    const int rc = find_from(cursor, wanted, key, value);
    if (rc != 0 || !same(key, wanted)) return rc;
    return move(cursor, MDB_NEXT_NODUP, key, value);
}

/// Last entry whose key is below `wanted`.
inline int find_before(MDB_cursor* cursor, const MDB_val& wanted, MDB_val& key,
                       MDB_val& value) noexcept {
    const int rc = find_from(cursor, wanted, key, value);
    if (rc == MDB_NOTFOUND) return move(cursor, MDB_LAST, key, value);
    return rc != 0 ? rc : move(cursor, MDB_PREV_NODUP, key, value);
}

/// find_from with a key of any length: stored keys end at the limit, so beyond it only greater ones
/// count.
inline int seek_key(MDB_cursor* cursor, ByteView wanted, MDB_val& key, MDB_val& value) noexcept {
    if (wanted.size() <= kKeyBytesMax) return find_from(cursor, to_stored(wanted), key, value);
    return find_behind(cursor, to_stored(wanted.sub(0, kKeyBytesMax)), key, value);
}

/// Last value of the group of `wanted` (DupSort tables).
inline int find_last_dup(MDB_cursor* cursor, const MDB_val& wanted, MDB_val& key,
                         MDB_val& value) noexcept {
    const int rc = find_key(cursor, wanted, key, value);
    if (rc != 0) return rc;
    MDB_val ignored;  // LAST_DUP returns the value only
    return move(cursor, MDB_LAST_DUP, ignored, value);
}

/// First value of the group of `wanted` that is not below `from` (DupSort tables). GET_BOTH_RANGE
/// with an absent key returns pairs that never existed, so the key is looked up first, and the pair
/// is read back.
inline int find_dup_from(MDB_cursor* cursor, const MDB_val& wanted, const MDB_val& from,
                         MDB_val& key, MDB_val& value) noexcept {
    int rc = find_key(cursor, wanted, key, value);
    if (rc != 0) return rc;
    key = wanted;
    value = from;
    rc = move(cursor, MDB_GET_BOTH_RANGE, key, value);
    return rc != 0 ? rc : move(cursor, MDB_GET_CURRENT, key, value);
}

/// The pair itself (DupSort tables).
inline int find_pair(MDB_cursor* cursor, const MDB_val& wanted, const MDB_val& wanted_value,
                     MDB_val& key, MDB_val& value) noexcept {
    int rc = find_key(cursor, wanted, key, value);
    if (rc != 0) return rc;
    key = wanted;
    value = wanted_value;
    rc = move(cursor, MDB_GET_BOTH, key, value);
    return rc != 0 ? rc : move(cursor, MDB_GET_CURRENT, key, value);
}

/// find_dup_from with a value of any length.
inline int seek_dup(MDB_cursor* cursor, const MDB_val& wanted, ByteView from, MDB_val& key,
                    MDB_val& value) noexcept {
    if (from.size() <= kDupValueBytesMax)
        return find_dup_from(cursor, wanted, to_stored(from), key, value);
    const MDB_val prefix = to_stored(from.sub(0, kDupValueBytesMax));
    const int rc = find_dup_from(cursor, wanted, prefix, key, value);
    if (rc != 0 || !same(value, prefix)) return rc;
    return move(cursor, MDB_NEXT_DUP, key, value);
}

}  // namespace keel::db::lmdb
