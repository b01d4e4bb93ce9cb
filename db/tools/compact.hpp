#pragma once

// A store written anew without what it does not need: the log folded into a fresh image, or
// liblmdb's file without its free pages. Content, uid and view id stay.

#include <filesystem>

#include "core/files.hpp"
#include "db/open.hpp"
#include "db/tools/progress.hpp"

namespace keel::db::tools {

struct CompactReport {
    uint64_t view_id = 0;
    uint64_t bytes_before = 0;  // of the files with the data
    uint64_t bytes_after = 0;
};

/// The caller holds the directory's lock, and nobody else of this process has it open. The new file
/// takes the old one's place by rename: a crash leaves one of the two. Progress counts pages.
/// Throws InUse where a reader of another process would go on in the old file.
CompactReport compact(Backend backend, const OpenOptions& options, const Progress& progress = {});

}  // namespace keel::db::tools
