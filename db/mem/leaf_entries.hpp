#pragma once

// How an entry comes into a leaf, and how entries go: its record at the lower end of the heap, its
// head and its slot in the two arrays, one directly behind the other, of which each change moves
// both.

#include "db/mem/page.hpp"

namespace keel::db::mem {

/// Puts a record before entry `index`. There is the gap for it, and its key starts with the page's
/// prefix.
using PlaceRecord = void (*)(uint8_t* page, size_t index, const LeafRecord& record) noexcept;
/// Chosen at start for this processor.
extern const PlaceRecord kPlaceRecord;
/// For all processors, and as the other's oracle.
void place_record_by_pieces(uint8_t* page, size_t index, const LeafRecord& record) noexcept;

/// Writes the record at the lower end of the heap; returns its offset.
uint16_t push_record(uint8_t* page, const LeafRecord& record) noexcept;
/// Takes [first, last) out of heads and slots.
void close_ranks(uint8_t* page, size_t first, size_t last) noexcept;

}  // namespace keel::db::mem
