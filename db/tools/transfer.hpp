#pragma once

// The content of one store into another, whatever the backends.

#include <functional>

#include "db/tools/checksum.hpp"

namespace keel::db::tools {

struct TransferReport {
    uint64_t view_id = 0;  // of the store that was read
    uint64_t tables = 0;
    uint64_t entries = 0;
    Digest digest;  // of both
};

/// Entries done so far, and in all.
using TransferProgress = std::function<void(uint64_t done, uint64_t all)>;

/// Copies the newest snapshot of `from`, sequences included, into `to`, whose tables are empty, in
/// one commit; then reads both and compares counts and digests. `from` may be in use. Throws
/// Corrupt when they differ, KeyExists when `to` has entries.
TransferReport transfer(const Database& from, const Database& to,
                        const TransferProgress& progress = {});

}  // namespace keel::db::tools
