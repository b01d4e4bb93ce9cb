#pragma once

// An image file of the mem backend as it lies there, read without opening the database it belongs
// to. docs/store-format.md has the byte tables.

#include <filesystem>
#include <string>
#include <vector>

#include "core/files.hpp"
#include "db/backend.hpp"
#include "db/tools/progress.hpp"

namespace keel::db::tools {

struct ImageTable {
    std::string name;
    TableStat stat;  // as the catalogue says
    bool append_only = false;
    uint32_t root = 0;
    uint64_t free_bytes = 0;  // in its leaves and branches
};

struct ImageIssue {
    uint64_t offset = 0;
    std::string what;
};

struct ImageReport {
    std::string path;
    uint64_t bytes = 0;
    uint64_t pages = 0;
    uint64_t commit_id = 0;
    uint64_t time_s = 0;  // since 1970
    std::string uid;
    std::string producer;
    bool has_log = false;  // a log goes on where the image ends
    uint64_t digest = 0;   // of the content: XXH3-64 of the checksums of all pages
    uint32_t catalogue_root = 0;
    uint64_t leaves = 0, branches = 0, runs = 0, run_pages = 0;  // the catalogue's among them
    std::vector<ImageTable> tables;
    std::vector<ImageIssue> issues;  // the first hundred
    uint64_t issues_found = 0;
    bool sound() const noexcept { return issues_found == 0; }
};

/// Reads the whole file: header, checksum and layout of every page, the digest, and each tree:
/// order, separators, counts, that every page belongs to one place. Throws Corrupt or
/// VersionMismatch where the header is not right; what is wrong behind it is in the report.
/// Progress counts pages.
ImageReport inspect_image(core::FileSystem& files, const std::filesystem::path& path,
                          const Progress& progress = {});

/// An entry of a leaf, or a link of a branch.
struct ImageItem {
    Bytes key;           // of a link: its separator's
    Bytes value;         // of a leaf's entry whose value lies in the page; a separator's
    uint32_t page = 0;   // child, or first page of the value's run; 0: none
    uint64_t count = 0;  // entries under a link, bytes of a value
};
struct ImagePage {
    uint32_t number = 0;
    std::string type;  // leaf, branch, run
    unsigned level = 0;
    uint64_t checksum = 0;
    bool checksum_right = false;
    uint64_t free_bytes = 0;
    uint32_t run_pages = 0;
    uint64_t value_bytes = 0;  // of a run
    Bytes prefix;
    std::vector<ImageItem> items;
};
/// Throws Corrupt for a page that cannot be told, NotFound for one that is not there. Pages inside
/// a run are none.
ImagePage read_image_page(core::FileSystem& files, const std::filesystem::path& path,
                          uint64_t number);

}  // namespace keel::db::tools
