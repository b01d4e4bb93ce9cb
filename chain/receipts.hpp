#pragma once

#include <span>
#include <vector>

#include "core/types/receipt.hpp"

namespace keel::chain {

/// Fills the bloom of every receipt from its logs; returns the one over all of them.
core::Bloom fill_blooms(std::span<core::Receipt> receipts);
/// Root over the receipts, whose key is the index (yellow paper, 4.3.2).
core::Hash32 receipts_root(const std::vector<core::Receipt>& receipts);

}  // namespace keel::chain
