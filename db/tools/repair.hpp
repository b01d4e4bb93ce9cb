#pragma once

// Brings a damaged store back to its newest whole commit, where there is one. What is taken away is
// kept beside it, under its name with `.damaged` behind; nothing else of the store is changed. A
// store whose pages are damaged has no whole commit: it is made anew from its source.

#include <filesystem>
#include <string>
#include <vector>

#include "core/files.hpp"
#include "db/open.hpp"

namespace keel::db::tools {

struct RepairReport {
    std::vector<std::string> found;  // what is damaged, with file and offset; none: nothing to do
    uint64_t commit_id = 0;          // the newest whole commit
    std::vector<std::string> kept;   // files with what was taken away
};

/// Looks, and with `change` repairs. The caller holds the directory's lock. Throws Corrupt where
/// nothing can be done.
RepairReport repair(Backend backend, core::FileSystem& files,
                    const std::filesystem::path& directory, bool change);

/// For the backends: the name that damaged content is kept under; one that is not taken.
std::filesystem::path damaged_name(core::FileSystem& files, const std::filesystem::path& path);

}  // namespace keel::db::tools
