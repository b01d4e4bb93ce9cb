#pragma once

#include "db/open.hpp"
#include "db/tools/progress.hpp"

namespace keel::db::mem {

/// Folds the log into a fresh image; the log goes. Returns the commit. See db/tools/compact.hpp.
uint64_t compact(const OpenOptions& options, const tools::Progress& progress);

}  // namespace keel::db::mem
