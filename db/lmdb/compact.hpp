#pragma once

#include "db/open.hpp"
#include "db/tools/progress.hpp"

namespace keel::db::lmdb {

inline constexpr char kCompactTemporaryName[] = "data.mdb.tmp";

/// Copies data.mdb without its free pages and puts the copy, compared entry by entry, in its place.
/// Returns the commit, which stays what it was. See db/tools/compact.hpp.
uint64_t compact(const OpenOptions& options, const tools::Progress& progress);

}  // namespace keel::db::lmdb
