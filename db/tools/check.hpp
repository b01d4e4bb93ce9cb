#pragma once

#include <string>
#include <vector>

#include "db/database.hpp"
#include "db/tools/progress.hpp"

namespace keel::db::tools {

struct CheckIssue {
    std::string table;  // empty: the store
    std::string what;
};

struct CheckReport {
    uint64_t view_id = 0;
    uint64_t tables = 0;
    uint64_t entries = 0;
    uint64_t bytes = 0;  // of keys and values
    std::vector<CheckIssue> issues;
    bool sound() const noexcept { return issues.empty(); }
};

/// Walks every table of the newest snapshot both ways: order, limits, counts, every byte readable,
/// the same entries back as forth. A backend with checksums verifies each page as it is touched.
/// Damage in one table does not keep the others from being checked. Progress counts entries, each
/// forth and back.
CheckReport check(const Database& database, const Progress& progress = {});

}  // namespace keel::db::tools
