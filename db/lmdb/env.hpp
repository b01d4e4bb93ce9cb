#pragma once

#include <memory>

#include "db/open.hpp"

namespace keel::db::lmdb {

/// Opens data.mdb and lock.mdb in the directory; creates them in a read-write open, creation being
/// commit 1. Throws db::Error; a failed open leaves the directory as it was.
std::shared_ptr<detail::StoreImpl> open_store(const OpenOptions& options);

}  // namespace keel::db::lmdb
