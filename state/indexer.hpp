#pragma once

#include <cstdint>

#include "db/database.hpp"
#include "state/tables.hpp"
#include "state/unwind.hpp"

namespace keel::state {

/// Takes the change sets of the blocks [first, end) into AccountHistory and StorageHistory. They
/// follow those that are there already.
void index_history(db::WriteTxn& txn, const Tables& tables, uint64_t first, uint64_t end);

/// Takes the blocks above `number` out again; `unwound` has gone through all of them.
void unindex_history(db::WriteTxn& txn, const Tables& tables, const StateShift& unwound,
                     uint64_t number);

}  // namespace keel::state
