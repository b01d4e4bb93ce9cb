#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "core/types/address.hpp"
#include "core/u256.hpp"
#include "db/database.hpp"
#include "state/change_set.hpp"
#include "state/reader.hpp"
#include "state/tables.hpp"
#include "state/values.hpp"

namespace keel::state {

// A canonical block keeps the values before it:
//
//   AccountChangeSet  number -> address ‖ slim account (nothing: the account was absent)
//   StorageChangeSet  number ‖ address -> slot (32) ‖ value without leading zeros
//
// Both are DupSort, so that one seek reaches the value of one key at one block. Every account that
// has slots in the second has a row in the first, because its storage root changed.

/// The change set of a block that becomes canonical. Its rows are not there yet.
void write_change_set(db::WriteTxn& txn, const Tables& tables, uint64_t number,
                      const ChangeSet& changes);
void write_change_set(db::WriteTxn& txn, const Tables& tables, uint64_t number,
                      const Values& before);
/// Empty where the block changed nothing or has no change set. Throws Fault::Damaged.
Values read_change_set(const db::ReadTxn& txn, const Tables& tables, uint64_t number);
void delete_change_set(db::WriteTxn& txn, const Tables& tables, uint64_t number);

/// How far the history reaches: the newest block, and the last one in the chunked indexes.
struct HistoryEnd {
    uint64_t head = 0;
    uint64_t indexed = 0;
};

/// The state after a canonical block: the newest one, but for keys that changed later, whose value
/// is the one before the first change above it. Up to `indexed` that change is found by one seek,
/// above it by one seek a block.
class PastState final : public StateReader {
  public:
    PastState(const db::ReadTxn& txn, const Tables& tables, uint64_t number, HistoryEnd end);

    std::optional<core::Account> account(const core::Address& address) override;
    core::U256 storage(const core::Address& address, const core::U256& slot) override;
    std::optional<core::ByteView> code(const core::Hash32& hash) override;
    void each_slot(const core::Address& address, const OnSlot& on_slot) override;

  private:
    uint64_t first_unindexed() const noexcept { return std::max(number_, end_.indexed) + 1; }

    uint64_t number_;
    HistoryEnd end_;
    NewestState newest_;
    db::ReadCursor account_history_, storage_history_;
    db::ReadCursor account_changes_, storage_changes_;
};

}  // namespace keel::state
