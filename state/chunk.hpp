#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/bytes.hpp"
#include "db/database.hpp"

namespace keel::state {

// The chunked indexes (AccountHistory, StorageHistory, LogIndex): for each key the ascending
// numbers of the blocks in which something happened to it, cut into rows.
//
//   key ‖ last number of the chunk -> first number (8 bytes big-endian) ‖ differences (LEB128)
//
// I1. A chunk with kChunkNumbers numbers is closed and named by its last one.
// I2. What is left is in the open chunk, named ff…ff; there is none when nothing is left.
// I3. So the rows depend on the numbers alone, however they came in and went out again.
//
// All keys of a table have one length for one first byte, so that no key is the beginning of
// another.

inline constexpr size_t kChunkNumbers = 256;
inline constexpr size_t kChunkKeyBytesMax = 52;  // address ‖ slot

/// The numbers ascend and are above all that the key has.
void add_numbers(db::WriteTxn& txn, db::Table table, core::ByteView key,
                 std::span<const uint64_t> numbers);
/// Takes out every number above `number`.
void remove_numbers_above(db::WriteTxn& txn, db::Table table, core::ByteView key, uint64_t number);
/// The first number above `number`. `cursor` is one of the table.
std::optional<uint64_t> first_number_above(db::ReadCursor& cursor, core::ByteView key,
                                           uint64_t number);
/// Every number of a chunk, ascending. Throws Fault::Damaged.
void decode_chunk(core::ByteView chunk, std::vector<uint64_t>& into);

}  // namespace keel::state
