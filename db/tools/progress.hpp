#pragma once

#include <cstdint>
#include <functional>

namespace keel::db::tools {

/// Told now and then how much of a long work is done, and of how much. `all` may be an estimate.
using Progress = std::function<void(uint64_t done, uint64_t all)>;

}  // namespace keel::db::tools
