#pragma once

#include "core/types/hash.hpp"
#include "rpc/args.hpp"

namespace keel::rpc::dev {

/// What is signed of a typed data document (EIP-712): the object, or a string that holds it.
Converted<core::Hash32> typed_data_hash(JsonValue document);

}  // namespace keel::rpc::dev
