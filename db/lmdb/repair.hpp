#pragma once

#include "db/tools/repair.hpp"

namespace keel::db::lmdb {

/// Puts the whole one of the two header pages in the place of the damaged one: the store falls back
/// to that commit (KV.md X35). See db/tools/repair.hpp.
tools::RepairReport repair(core::FileSystem& files, const std::filesystem::path& directory,
                           bool change);

}  // namespace keel::db::lmdb
