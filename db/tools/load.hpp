#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "db/database.hpp"
#include "db/tools/text_format.hpp"

namespace keel::db::tools {

/// Fills the span as far as it can; 0: no more text.
using TextSource = std::function<size_t(std::span<char>)>;

struct LoadOptions {
    /// Table for a dump that names none (mdb_dump of an environment without named tables).
    std::string unnamed_table;
};

struct LoadedTable {
    std::string name;
    uint64_t entries = 0;  // lines of the dump; an entry that was there counts too
};

struct LoadReport {
    uint64_t view_id = 0;
    std::vector<LoadedTable> tables;   // in the order of the dump
    std::vector<std::string> skipped;  // the backend's own tables, as mdb_dump shows them
};

/// Puts the entries of a dump into the store, creating tables that are not there, in one commit: an
/// error leaves the store as it was. Entries may come in any order. Throws DumpError for the text
/// and db::Error for the store.
LoadReport load(const Database& database, const TextSource& source,
                const LoadOptions& options = {});
LoadReport load(const Database& database, std::string_view text, const LoadOptions& options = {});

}  // namespace keel::db::tools
