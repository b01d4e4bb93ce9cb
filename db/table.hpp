#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace keel::db {

/// Plain: a key has one value. DupSort: a key has a sorted set of values, ordered by (key, value).
enum class Kind : uint8_t { Plain, DupSort };

/// One declared table. `append_only`: keys only ascend, so pages are filled to 100 %.
struct TableSpec {
    std::string name;  // 1 to 64 of [A-Za-z0-9_.-], not starting with "_keel"
    Kind kind = Kind::Plain;
    bool append_only = false;
};

using Schema = std::vector<TableSpec>;

/// Handle of a table of one database, resolved once from its name. Survives commits, aborts, drop
/// and re-creation.
struct Table {
    uint16_t id = 0xffff;
    Kind kind = Kind::Plain;
    friend bool operator==(const Table&, const Table&) = default;
};

// KV.md A.6: one set of limits for both backends.
inline constexpr size_t kKeyBytesMax = 510;
inline constexpr size_t kDupValueBytesMax = 510;
inline constexpr size_t kPlainValueBytesMax = size_t{1} << 30;
inline constexpr size_t kTablesMax = 256;
inline constexpr size_t kTableNameBytesMax = 64;
inline constexpr size_t kReadersMax = 4096;

}  // namespace keel::db
