#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "chain/block_store.hpp"
#include "core/types/address.hpp"
#include "core/types/hash.hpp"
#include "db/database.hpp"
#include "state/tables.hpp"

namespace keel::chain {

// Table LogIndex: in which canonical blocks an address has logged, and in which ones a topic stands
// at one of the four positions.
//
//   00 ‖ address, or 01 … 04 ‖ topic; ‖ last number of the chunk -> chunk (state/chunk.hpp)

/// Takes the logs of the canonical blocks [first, end) in. They follow those that are there.
void index_logs(db::WriteTxn& txn, const state::Tables& tables, uint64_t first, uint64_t end);

/// Takes the blocks above `number` out again: these blocks.
void unindex_logs(db::WriteTxn& txn, const state::Tables& tables, std::span<const BlockId> blocks,
                  uint64_t number);

/// First indexed block above `number` with a log of the address; none: up to `indexed` there is
/// none.
std::optional<uint64_t> next_block_with(const db::ReadTxn& txn, const state::Tables& tables,
                                        const core::Address& address, uint64_t number);
/// The same for a topic at a position from 0 to 3.
std::optional<uint64_t> next_block_with(const db::ReadTxn& txn, const state::Tables& tables,
                                        const core::Hash32& topic, size_t position,
                                        uint64_t number);

}  // namespace keel::chain
