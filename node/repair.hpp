#pragma once

#include "db/tools/repair.hpp"
#include "node/open_database.hpp"

namespace keel::node {

/// Repairs the database of a directory that no other process holds, and with `change` opens it once
/// afterwards, so that what is reported is what is there. See db/tools/repair.hpp.
db::tools::RepairReport repair_directory(const Options& options, bool change);

}  // namespace keel::node
