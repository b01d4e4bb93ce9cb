#pragma once

#include "core/bytes.hpp"

namespace keel::core {

/// The 20 bytes that name an account.
using Address = FixedBytes<20, struct AddressTag>;

}  // namespace keel::core
