#pragma once

// What differs between two stores.

#include <optional>
#include <string>
#include <vector>

#include "db/database.hpp"

namespace keel::db::tools {

struct TableDifference {
    std::string name;
    bool in_first = false;
    bool in_second = false;
    bool kinds_differ = false;
    bool sequences_differ = false;
    // Entries; of a plain table those with the same key and another value count as changed.
    uint64_t only_first = 0;
    uint64_t only_second = 0;
    uint64_t changed = 0;
    std::optional<Bytes> first_key;  // where the first of these stands

    bool same() const noexcept {
        return in_first && in_second && !kinds_differ && !sequences_differ &&
               only_first + only_second + changed == 0;
    }
};

/// Of all tables of both, by name; those without a difference are left out. Walks both once, side
/// by side.
std::vector<TableDifference> compare(const Database& first, const Database& second);

}  // namespace keel::db::tools
