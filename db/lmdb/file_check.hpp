#pragma once

// What liblmdb does not ask of a file before it maps it. A truncated file is a SIGBUS at the first
// touch there, and a damaged first page an error without a place; here they are found beforehand,
// from the file alone.

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>

#include "core/bytes.hpp"
#include "core/files.hpp"

namespace keel::db::lmdb {

struct DataFile {
    bool exists = false;      // with anything in it
    uint32_t page_bytes = 0;  // as its first page says
};

/// Looks at data.mdb before it is mapped: both meta pages, and that the file holds every page in
/// use. Throws Corrupt or VersionMismatch with file and offset. A missing or empty file is told,
/// not judged; so is one whose creation was cut off.
DataFile check_data_file(core::FileSystem& files, const std::filesystem::path& path);

/// The two header pages, for a repair: at least one of them is whole, or this throws Corrupt.
struct HeaderPages {
    uint32_t page_bytes = 0;
    std::array<std::string, 2> damage;    // empty: that one is whole
    std::array<uint64_t, 2> commit = {};  // of the whole ones
    std::array<core::Bytes, 2> content;   // of the whole ones
    uint64_t newest_commit() const;
    /// The whole page, as it reads in the place of the damaged one.
    core::Bytes whole_page(size_t place) const;
};
/// A header page as it reads in this place, 0 or 1, with the number of this commit.
core::Bytes header_page(core::Bytes page, uint64_t place, uint64_t commit);
HeaderPages read_header_pages(core::FileSystem& files, const std::filesystem::path& path);

}  // namespace keel::db::lmdb
