#pragma once

#include "db/tools/compact.hpp"
#include "node/open_database.hpp"

namespace keel::node {

/// Compacts the database of a directory that no other process holds. See db/tools/compact.hpp.
db::tools::CompactReport compact_directory(const Options& options,
                                           const db::tools::Progress& progress = {});

}  // namespace keel::node
