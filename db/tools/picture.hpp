#pragma once

#include <string>

#include "db/tools/inspect.hpp"

namespace keel::db::tools {

/// The figures of a store as one HTML page that needs nothing else: what lies where, how large each
/// table is, how full and how deep, who reads.
std::string to_html(const StoreReport& report);

}  // namespace keel::db::tools
