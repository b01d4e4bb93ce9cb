#include "tests/differential/world.hpp"

#include <algorithm>
#include <utility>

namespace keel::differential {
namespace {

const Address kRipemd = [] {
    Address address;
    address[19] = 3;
    return address;
}();

}  // namespace

void World::begin_transaction() {
    for (Account& account : rows.accounts) {
        account.touched = account.created = account.destructed = account.warm = false;
    }
    for (Slot& slot : rows.slots) {
        slot.original = slot.value;
        slot.warm = false;
    }
    rows.transients.clear();
    rows.log_count = 0;
    rows.refund = 0;
    logs.clear();
}

void World::end_transaction(bool eip_158) {
    for (Account& account : rows.accounts) {
        const bool swept = eip_158 && account.touched && account.exists && account.empty();
        if (!account.destructed && !swept) continue;
        std::erase_if(rows.slots,
                      [&](const Slot& slot) { return slot.address == account.address; });
        const Address address = account.address;
        account = {};
        account.address = address;
    }
}

World::Account& World::account(const Address& address) {
    for (Account& account : rows.accounts) {
        if (account.address == address) return account;
    }
    Account& account = rows.accounts.emplace_back();
    account.address = address;
    return account;
}

const World::Account* World::find(const Address& address) const {
    for (const Account& account : rows.accounts) {
        if (account.address == address) return &account;
    }
    return nullptr;
}

World::Slot& World::slot(const Address& address, const U256& key) {
    for (Slot& slot : rows.slots) {
        if (slot.address == address && slot.key == key) return slot;
    }
    Slot& slot = rows.slots.emplace_back();
    slot.address = address;
    slot.key = key;
    return slot;
}

bool World::has_storage(const Address& address) const {
    return std::ranges::any_of(rows.slots, [&](const Slot& slot) {
        return slot.address == address && slot.value != U256();
    });
}

U256 World::transient(const Address& address, const U256& key) const {
    for (const TransientSlot& slot : rows.transients) {
        if (slot.address == address && slot.key == key) return slot.value;
    }
    return {};
}

void World::set_transient(const Address& address, const U256& key, const U256& value) {
    for (TransientSlot& slot : rows.transients) {
        if (slot.address == address && slot.key == key) {
            slot.value = value;
            return;
        }
    }
    rows.transients.push_back({address, key, value});
}

ByteView World::keep_code(ByteView code) {
    return codes_.emplace_back(code.begin(), code.end());
}

void World::restore(Rows&& saved) {
    const Account* const ripemd = find(kRipemd);
    const bool touched = ripemd != nullptr && ripemd->touched;
    rows = std::move(saved);
    logs.resize(rows.log_count);
    if (touched) account(kRipemd).touched = true;
}

}  // namespace keel::differential
