#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/bytes.hpp"
#include "core/types/account.hpp"
#include "core/types/address.hpp"
#include "core/types/hash.hpp"
#include "core/u256.hpp"

namespace keel::state {

/// A storage slot whose value is another now; 0 is absence.
struct SlotChange {
    core::U256 slot;
    core::U256 before;
    core::U256 after;

    friend bool operator==(const SlotChange&, const SlotChange&) = default;
};

/// An account that is another now, or whose storage is. None: absent.
struct AccountChange {
    core::Address address;
    std::optional<core::Account> before;
    /// Its storage root is that of `before` (the empty one if the account is new or was wiped)
    /// until resolve_state_root has put the right one in.
    std::optional<core::Account> after;
    uint32_t first_slot = 0;  // in ChangeSet::slots
    uint32_t slot_count = 0;

    friend bool operator==(const AccountChange&, const AccountChange&) = default;
};

struct NewCode {
    core::Hash32 hash;  // keccak256
    core::Bytes code;   // not empty

    friend bool operator==(const NewCode&, const NewCode&) = default;
};

/// All that a block changed, sorted: the outcome of its execution, and what its undoing needs.
/// Only what differs is in it. A wiped account has all slots that it had.
struct ChangeSet {
    std::vector<AccountChange> accounts;  // ascending by address
    std::vector<SlotChange> slots;        // of the accounts in their order, ascending within each
    std::vector<NewCode> codes;           // each once; those of accounts that are there at the end

    std::span<const SlotChange> slots_of(const AccountChange& account) const {
        return std::span(slots).subspan(account.first_slot, account.slot_count);
    }
    bool empty() const noexcept { return accounts.empty(); }
    friend bool operator==(const ChangeSet&, const ChangeSet&) = default;
};

}  // namespace keel::state
