#pragma once

// What liblmdb does not ask of a file before it maps it. A truncated file is a SIGBUS at the first
// touch there, and a damaged first page an error without a place; here they are found beforehand,
// from the file alone.

#include <cstdint>
#include <filesystem>
#include <string>

#include "core/files.hpp"

namespace keel::db::lmdb {

struct DataFile {
    bool exists = false;      // with anything in it
    uint32_t page_bytes = 0;  // as its first page says
};

/// Looks at data.mdb before it is mapped: both meta pages, and that the file holds every page in
/// use. Throws Corrupt or VersionMismatch with file and offset. A missing or empty file is told,
/// not judged.
DataFile check_data_file(core::FileSystem& files, const std::filesystem::path& path);

}  // namespace keel::db::lmdb
