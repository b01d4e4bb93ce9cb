#pragma once

#include "rpc/json_out.hpp"

namespace keel::rpc {

/// Replaces the text by its gzip form (RFC 1952), level 1: half the size at little time.
void gzip(JsonOut& out);

}  // namespace keel::rpc
