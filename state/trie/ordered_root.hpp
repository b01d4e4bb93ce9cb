#pragma once

#include <span>

#include "core/bytes.hpp"
#include "core/types/hash.hpp"
#include "crypto/keccak.hpp"

namespace keel::state {

/// Root of the trie that has rlp(index) -> values[index]: transactions, receipts, withdrawals.
/// Values are the encoded forms (typed ones as type ‖ payload) and not empty.
core::Hash32 ordered_root(std::span<const core::ByteView> values);
/// The same of values that lie in two parts each. Large second parts are hashed where they are.
core::Hash32 ordered_root_of_parts(std::span<const crypto::TwoParts> values);

}  // namespace keel::state
