#pragma once

// The store with the history's schema on a file system in memory.

#include "db/testing/memory_files.hpp"
#include "tests/torture/history.hpp"

namespace keel::tests {

inline constexpr char kFolder[] = "/data";

inline db::OpenOptions options_on(db::testing::MemoryFiles& files, db::Durability durability,
                                  uint64_t fold_bytes) {
    db::OpenOptions options;
    options.directory = kFolder;
    options.durability = durability;
    options.schema = history_schema();
    options.reserve_bytes = uint64_t{1} << 26;
    options.producer = "keel torture";
    options.fold_bytes_min = fold_bytes;
    options.files = &files;
    return options;
}

}  // namespace keel::tests
