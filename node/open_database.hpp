#pragma once

// The one way to a database on disk, for every command (DESIGN.md 2.6).

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/files.hpp"
#include "db/open.hpp"

namespace keel::node {

struct Options {
    std::filesystem::path directory;     // made by a read-write open that may create
    std::optional<db::Backend> backend;  // none: what the directory remembers, else mem
    db::Access access = db::Access::ReadWrite;
    bool create = true;                        // false: writing needs a database that is there, too
    std::optional<db::Durability> durability;  // none: `group`
    db::Schema schema;                         // none: what is stored
    bool allow_network_file_system = false;
    uint64_t size_max_bytes = 0;
    uint64_t reader_warn_ms = 60'000;
    std::string producer;
    /// mem: a log longer than this and than a quarter of the image becomes a new image.
    uint64_t fold_bytes_min = uint64_t{64} << 20;
    /// Beginnings of producers whose data are announced, besides those that the program knows.
    std::vector<std::string> suspect_producers;
    /// How long a directory that another process holds is waited for; 0: not at all.
    std::chrono::milliseconds wait{0};
    std::string command;                // for the lock file; none: this process' command line
    db::Observer* observer = nullptr;   // lifetime: outlives the database
    core::FileSystem* files = nullptr;  // lifetime: outlives the database; null: the system's
};

/// A handle of the process' one store of that directory; its close gives the handle back, the last
/// one saves. Throws InUse, db::Error and core::Fault; a failed open leaves directory, lock and
/// registry as they were.
db::Database open_database(const Options& options);

}  // namespace keel::node
