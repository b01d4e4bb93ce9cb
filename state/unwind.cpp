#include "state/unwind.hpp"

#include <algorithm>
#include <numeric>

#include "core/random.hpp"
#include "state/index_table.hpp"
#include "state/reader.hpp"

namespace keel::state {

using core::Account;
using core::Address;
using core::U256;

struct StateShift::Impl {
    struct AccountEntry {
        Address address;
        std::optional<Account> newest;
        std::optional<Account> now;
    };
    struct SlotEntry {
        uint32_t account;  // in accounts
        U256 slot;
        U256 newest;
        U256 now;
    };

    Impl(const db::ReadTxn& txn, const Tables& tables)
        : state(txn, tables), hash(core::random_bytes<32>()) {}

    uint32_t account_at(const Address& address) {
        const uint64_t key = hash(address);
        const uint32_t found = account_index.find(
            key, [&](uint32_t index) { return accounts[index].address == address; });
        if (found != IndexTable::kNone) return found;
        const auto newest = state.account(address);
        accounts.push_back({address, newest, newest});
        return account_index.insert(key);
    }
    uint32_t slot_at(uint32_t account, const U256& slot) {
        const uint64_t key = hash(account, slot);
        const uint32_t found = slot_index.find(key, [&](uint32_t index) {
            return slots[index].account == account && slots[index].slot == slot;
        });
        if (found != IndexTable::kNone) return found;
        const U256 newest = state.storage(accounts[account].address, slot);
        slots.push_back({account, slot, newest, newest});
        return slot_index.insert(key);
    }

    NewestState state;
    KeyHash hash;
    IndexTable account_index, slot_index;
    std::vector<AccountEntry> accounts;
    std::vector<SlotEntry> slots;
};

StateShift::StateShift(const db::ReadTxn& txn, const Tables& tables)
    : impl_(std::make_unique<Impl>(txn, tables)) {}

StateShift::~StateShift() = default;

void StateShift::exchange(Values& values) {
    for (AccountValue& value : values.accounts) {
        const uint32_t account = impl_->account_at(value.address);
        std::swap(impl_->accounts[account].now, value.account);
        for (SlotValue& slot : values.slots_of(value)) {
            std::swap(impl_->slots[impl_->slot_at(account, slot.slot)].now, slot.value);
        }
    }
}

ChangeSet StateShift::net() const {
    std::vector<uint32_t> accounts(impl_->accounts.size());
    std::iota(accounts.begin(), accounts.end(), 0u);
    std::ranges::sort(accounts, [&](uint32_t a, uint32_t b) {
        return impl_->accounts[a].address < impl_->accounts[b].address;
    });
    std::vector<uint32_t> rank(accounts.size());  // of an account in that order
    for (uint32_t i = 0; i < accounts.size(); ++i) rank[accounts[i]] = i;

    std::vector<uint32_t> slots;
    slots.reserve(impl_->slots.size());
    for (uint32_t i = 0; i < impl_->slots.size(); ++i) {
        if (impl_->slots[i].now != impl_->slots[i].newest) slots.push_back(i);
    }
    std::ranges::sort(slots, [&](uint32_t a, uint32_t b) {
        const Impl::SlotEntry& left = impl_->slots[a];
        const Impl::SlotEntry& right = impl_->slots[b];
        if (left.account != right.account) return rank[left.account] < rank[right.account];
        return left.slot < right.slot;
    });

    ChangeSet changes;
    changes.slots.reserve(slots.size());
    auto next = slots.begin();
    for (const uint32_t index : accounts) {
        const Impl::AccountEntry& entry = impl_->accounts[index];
        AccountChange change;
        change.address = entry.address;
        change.first_slot = static_cast<uint32_t>(changes.slots.size());
        for (; next != slots.end() && impl_->slots[*next].account == index; ++next) {
            const Impl::SlotEntry& slot = impl_->slots[*next];
            changes.slots.push_back({slot.slot, slot.newest, slot.now});
        }
        change.slot_count = static_cast<uint32_t>(changes.slots.size()) - change.first_slot;
        if (change.slot_count == 0 && entry.now == entry.newest) continue;
        change.before = entry.newest;
        change.after = entry.now;
        if (change.after) {
            change.after->storage_root =
                change.before ? change.before->storage_root : core::kEmptyTrieRoot;
        }
        changes.accounts.push_back(change);
    }
    return changes;
}

std::vector<Address> StateShift::touched_accounts() const {
    std::vector<Address> touched;
    touched.reserve(impl_->accounts.size());
    for (const auto& entry : impl_->accounts) touched.push_back(entry.address);
    return touched;
}

std::vector<StateShift::Slot> StateShift::touched_slots() const {
    std::vector<Slot> touched;
    touched.reserve(impl_->slots.size());
    for (const auto& entry : impl_->slots) {
        touched.push_back({impl_->accounts[entry.account].address, entry.slot});
    }
    return touched;
}

}  // namespace keel::state
