#pragma once

#include "db/tools/repair.hpp"

namespace keel::db::mem {

/// Makes the log end where its last whole commit ends. See db/tools/repair.hpp.
tools::RepairReport repair(core::FileSystem& files, const std::filesystem::path& directory,
                           bool change);

}  // namespace keel::db::mem
