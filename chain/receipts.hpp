#pragma once

#include <span>
#include <vector>

#include "core/types/receipt.hpp"

namespace keel::chain {

/// Fills the bloom of every receipt from its logs; returns the one over all of them.
core::Bloom fill_blooms(std::span<core::Receipt> receipts);

/// Receipts of a block as table Receipt has them, for each the list [type, status or state root,
/// cumulative gas, logs]. Made once, before the block is judged: its receipts root is hashed from
/// the same bytes, which may be many megabytes.
struct ReceiptRow {
    struct Part {
        size_t begin;
        size_t bytes;
    };
    core::Bytes bytes;
    std::vector<Part> logs;  // of each receipt: where its list of logs lies
};
ReceiptRow encode_receipts(std::span<const core::Receipt> receipts);

/// Root over the receipts, whose key is the index (yellow paper, 4.3.2). `row` is theirs.
core::Hash32 receipts_root(std::span<const core::Receipt> receipts, const ReceiptRow& row);
core::Hash32 receipts_root(const std::vector<core::Receipt>& receipts);

}  // namespace keel::chain
