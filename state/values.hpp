#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/bytes.hpp"
#include "core/types/account.hpp"
#include "core/types/address.hpp"
#include "core/u256.hpp"
#include "state/change_set.hpp"

namespace keel::state {

struct SlotValue {
    core::U256 slot;
    core::U256 value;

    friend bool operator==(const SlotValue&, const SlotValue&) = default;
};

struct AccountValue {
    core::Address address;
    std::optional<core::Account> account;  // none: absent
    uint32_t first_slot = 0;               // in Values::slots
    uint32_t slot_count = 0;

    friend bool operator==(const AccountValue&, const AccountValue&) = default;
};

/// One side of a block's changes: the values of all keys that it changes, before it or after it.
/// In the order of ChangeSet, storage roots resolved.
struct Values {
    std::vector<AccountValue> accounts;  // ascending by address
    std::vector<SlotValue> slots;        // of the accounts in their order, ascending within each

    std::span<const SlotValue> slots_of(const AccountValue& account) const {
        return std::span(slots).subspan(account.first_slot, account.slot_count);
    }
    std::span<SlotValue> slots_of(const AccountValue& account) {
        return std::span(slots).subspan(account.first_slot, account.slot_count);
    }
    friend bool operator==(const Values&, const Values&) = default;
};

Values before_values(const ChangeSet& changes);
Values after_values(const ChangeSet& changes);

// Compact form, what ForwardChangeSet keeps of a block that is not canonical. For each account:
//
//   address (20) ‖ length of the slim account (1; 0: absent) ‖ slim account
//   ‖ count of slots (LEB128) ‖ for each: length (1) ‖ slot ‖ length (1) ‖ value
//
// slot and value big-endian without leading zeros.
void append_values(core::Bytes& to, const Values& values);
/// The same of the after-values, without making them first.
void append_after_values(core::Bytes& to, const ChangeSet& changes);
/// Throws Fault::Damaged.
Values decode_values(core::ByteView row);

}  // namespace keel::state
