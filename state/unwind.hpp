#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/types/address.hpp"
#include "core/u256.hpp"
#include "db/database.hpp"
#include "state/change_set.hpp"
#include "state/tables.hpp"
#include "state/values.hpp"

namespace keel::state {

/// The newest state on its way to that of another block: block by block the values of the keys that
/// the block changes are exchanged, and at the end there is one change set between where it began
/// and where it stands. However many blocks are unwound and applied, each key is read from the flat
/// tables once. Writes nothing. One thread.
class StateShift {
  public:
    /// lifetime: both; the flat tables must not change before net() is made.
    StateShift(const db::ReadTxn& txn, const Tables& tables);
    ~StateShift();
    StateShift(const StateShift&) = delete;
    StateShift& operator=(const StateShift&) = delete;

    /// Puts `values` in the place of those that stand there, and these into `values`: the values
    /// before a block come in and those after it come out when it is unwound, the other way round
    /// when it is applied.
    void exchange(Values& values);

    /// From the newest state to where the exchanges led; only what differs. Storage roots of the
    /// accounts that stay are those of the newest state, as resolve_state_root wants them.
    ChangeSet net() const;

    /// Every key that was exchanged, in no order.
    struct Slot {
        core::Address address;
        core::U256 slot;
    };
    std::vector<core::Address> touched_accounts() const;
    std::vector<Slot> touched_slots() const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace keel::state
