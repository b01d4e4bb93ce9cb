#pragma once

// The wrapper's own table. liblmdb's main table says which tables there are; this one holds what it
// cannot:
//   key "!store"      -> format u32, uid 32 hex digits, producer text
//   key <stored name> -> flags u8 (1 = dropped), sequence u64
// All little-endian. No record of a table: not dropped, sequence 0. A table's stored name is its
// name, with "~2" behind it when it was dropped and made anew with the other kind before the store
// was opened again.

#include <lmdb.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "db/table.hpp"

namespace keel::db::lmdb {

inline constexpr const char* kCatalogueName = "_keel_meta";
inline constexpr std::string_view kStoreKey = "!store";
inline constexpr uint32_t kFormat = 1;
inline constexpr const char* kSecondPlace = "~2";

struct StoreRecord {
    uint32_t format = kFormat;
    std::string uid;
    std::string producer;
};

struct TableRecord {
    bool dropped = false;
    uint64_t sequence = 0;
    friend bool operator==(const TableRecord&, const TableRecord&) = default;
};

// Each answers a liblmdb code; a record of an impossible size is MDB_CORRUPTED.
int read_store_record(MDB_txn* txn, MDB_dbi catalogue, StoreRecord& record);
int write_store_record(MDB_txn* txn, MDB_dbi catalogue, const StoreRecord& record);
int read_table_record(MDB_txn* txn, MDB_dbi catalogue, std::string_view stored_name,
                      TableRecord& record);
int write_table_record(MDB_txn* txn, MDB_dbi catalogue, std::string_view stored_name,
                       const TableRecord& record);

/// The table's name without a mark of the second place.
std::string_view logical_name(std::string_view stored_name) noexcept;
bool is_own_name(std::string_view stored_name) noexcept;
/// 1 to 64 of [A-Za-z0-9_.-], not starting with "_keel".
bool is_table_name(std::string_view name) noexcept;

}  // namespace keel::db::lmdb
