#pragma once

#include "core/bytes.hpp"

namespace keel::core {

/// 32 bytes that come out of a hash, or that the protocol treats as such (slots in proofs, beacon
/// roots, topics).
using Hash32 = FixedBytes<32, struct Hash32Tag>;

}  // namespace keel::core
