#pragma once

// The content of one store into another, whatever the backends.

#include "db/tools/checksum.hpp"
#include "db/tools/progress.hpp"

namespace keel::db::tools {

struct TransferReport {
    uint64_t view_id = 0;  // of the store that was read
    uint64_t tables = 0;
    uint64_t entries = 0;
    Digest digest;  // of both
};

/// Copies the newest snapshot of `from`, sequences included, into `to`, whose tables are empty, in
/// one commit; then reads both and compares counts and digests. `from` may be in use. Throws
/// Corrupt when they differ, KeyExists when `to` has entries. Progress counts entries.
TransferReport transfer(const Database& from, const Database& to, const Progress& progress = {});

}  // namespace keel::db::tools
