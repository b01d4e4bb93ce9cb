#pragma once

// Values as development tools send them: numbers as QUANTITY or as JSON numbers, words of any
// length up to 32 bytes.

#include "rpc/args.hpp"

namespace keel::rpc::dev {

Converted<core::U256> to_amount(JsonValue value);
Converted<uint64_t> to_count(JsonValue value);
/// May be negative where it is a JSON number.
Converted<int64_t> to_seconds(JsonValue value);

}  // namespace keel::rpc::dev
