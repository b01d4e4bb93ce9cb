#pragma once

#include <span>

#include "core/bytes.hpp"
#include "core/types/hash.hpp"

namespace keel::state {

/// Root of the trie that has rlp(index) -> values[index]: transactions, receipts, withdrawals.
/// Values are the encoded forms (typed ones as type ‖ payload) and not empty.
core::Hash32 ordered_root(std::span<const core::ByteView> values);

}  // namespace keel::state
