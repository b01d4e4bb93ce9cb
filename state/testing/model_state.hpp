#pragma once

// A state as plain maps, and random ones that follow each other: oracle of the tests of history,
// layers and fork choice.

#include <map>
#include <optional>
#include <random>
#include <vector>

#include "core/types/account.hpp"
#include "core/types/address.hpp"
#include "core/u256.hpp"
#include "crypto/keccak.hpp"
#include "state/change_set.hpp"

namespace keel::state::testing {

struct ModelAccount {
    core::Account account;
    std::map<core::U256, core::U256> slots;  // none is zero

    friend bool operator==(const ModelAccount&, const ModelAccount&) = default;
};
using ModelState = std::map<core::Address, ModelAccount>;

inline core::Address model_address(uint64_t index) {
    return core::Address(crypto::keccak256(core::ByteView(std::to_string(index))));
}
inline core::U256 model_slot(uint64_t index) {
    if (index % 2 == 0) return core::U256(index);
    return core::U256::load_be32(crypto::keccak256(std::to_string(index)).data());
}

struct ModelOptions {
    uint64_t accounts = 12;
    uint64_t slots = 8;
    uint64_t steps_max = 12;
};

/// A few random changes: balances, slots set and cleared, accounts wiped, wiped and made anew.
/// Storage roots are left as they are.
inline ModelState random_successor(const ModelState& state, std::mt19937_64& random,
                                   const ModelOptions& options = {}) {
    ModelState next = state;
    const uint64_t steps = random() % (options.steps_max + 1);
    for (uint64_t step = 0; step < steps; ++step) {
        const core::Address address = model_address(random() % options.accounts);
        const uint64_t kind = random() % 10;
        if (kind == 0) {
            next.erase(address);
            continue;
        }
        if (kind == 1) next.erase(address);  // and made anew below
        ModelAccount& account = next[address];
        account.account.nonce += 1;
        if (kind < 5) account.account.balance = core::U256(random() % 1000 + 1);
        if (kind == 5) account.account.code_hash = crypto::keccak256(std::to_string(random() % 5));
        for (uint64_t i = 0; kind > 4 && i < 1 + random() % 4; ++i) {
            const core::U256 slot = model_slot(random() % options.slots);
            if (random() % 3 == 0) {
                account.slots.erase(slot);
            } else {
                account.slots[slot] = core::U256(random() % 300 + 1);
            }
        }
    }
    return next;
}

/// What leads from one to the other. Storage roots of accounts that stay are those of `before`.
inline ChangeSet difference(const ModelState& before, const ModelState& after) {
    ChangeSet changes;
    std::map<core::Address, std::pair<const ModelAccount*, const ModelAccount*>> both;
    for (const auto& [address, account] : before) both[address].first = &account;
    for (const auto& [address, account] : after) both[address].second = &account;
    for (const auto& [address, sides] : both) {
        const auto [old_side, new_side] = sides;
        std::map<core::U256, SlotChange> slots;
        if (old_side != nullptr) {
            for (const auto& [slot, value] : old_side->slots) slots[slot].before = value;
        }
        if (new_side != nullptr) {
            for (const auto& [slot, value] : new_side->slots) slots[slot].after = value;
        }
        AccountChange change;
        change.address = address;
        change.first_slot = static_cast<uint32_t>(changes.slots.size());
        for (auto& [slot, each] : slots) {
            each.slot = slot;
            if (each.before != each.after) changes.slots.push_back(each);
        }
        change.slot_count = static_cast<uint32_t>(changes.slots.size()) - change.first_slot;
        if (old_side != nullptr) change.before = old_side->account;
        if (new_side != nullptr) {
            change.after = new_side->account;
            change.after->storage_root =
                change.before ? change.before->storage_root : core::kEmptyTrieRoot;
        }
        if (change.before == change.after && change.slot_count == 0) continue;
        changes.accounts.push_back(change);
    }
    return changes;
}

/// Takes the storage roots of a resolved change set into the state after it.
inline void adopt_storage_roots(ModelState& state, const ChangeSet& resolved) {
    for (const AccountChange& change : resolved.accounts) {
        if (change.after)
            state.at(change.address).account.storage_root = change.after->storage_root;
    }
}

}  // namespace keel::state::testing
