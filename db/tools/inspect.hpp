#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "db/database.hpp"

namespace keel::db::tools {

struct NamedTableStat {
    std::string name;
    TableStat stat;
};

/// What `keel db stats` shows.
struct StoreReport {
    Stats store;
    std::vector<NamedTableStat> tables;  // by name
};

/// Counts keys of DupSort tables by walking where the backend does not keep the count.
StoreReport collect_stats(const Database& database);

struct TableCount {
    std::string name;
    Kind kind = Kind::Plain;
    uint64_t entries = 0;
};

/// Tables by name. Touches no entry.
std::vector<TableCount> list_tables(const Database& database);

/// All values of a key in order; at most one in a plain table. Throws NoSuchTable.
std::vector<Bytes> get_values(const Database& database, std::string_view table, ByteView key);

}  // namespace keel::db::tools
