#pragma once

#include "rpc/args.hpp"

namespace keel::rpc::debug {

/// A small number of things: QUANTITY or a whole JSON number, as geth takes both.
Converted<uint64_t> to_count(JsonValue value);

}  // namespace keel::rpc::debug
