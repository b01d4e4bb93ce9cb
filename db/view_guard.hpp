#pragma once

#include <memory>

#include "db/backend.hpp"

namespace keel::db {

/// A store that hands out each view as a copy of its own and frees the copy when the view's
/// validity ends (KV.md R1): at the end of a read transaction, in a write transaction at its next
/// call that writes. Under AddressSanitizer a late use then stops at once and shows where the view
/// came from and what ended it; elsewhere the bytes have been overwritten. Works for every backend;
/// on in the sanitizer build (KEEL_VIEW_GUARD).
std::shared_ptr<detail::StoreImpl> guard_views(std::shared_ptr<detail::StoreImpl> store);

}  // namespace keel::db
