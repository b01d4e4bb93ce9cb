#include "state/layer.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <ranges>
#include <utility>

#include "core/base.hpp"

namespace keel::state {

using core::Address;
using core::ByteView;
using core::U256;

namespace {

constexpr size_t kPathBytesMax = 64;  // nibbles of a hash

const AccountChange* find_account(const Layer& layer, const Address& address) {
    const auto& accounts = layer.changes.accounts;
    const auto found = std::ranges::lower_bound(accounts, address, {}, &AccountChange::address);
    return found != accounts.end() && found->address == address ? &*found : nullptr;
}

}  // namespace

Layer way_back(const ChangeSet& changes, TrieChanges tries) {
    Layer back;
    back.changes.accounts = changes.accounts;
    back.changes.slots = changes.slots;
    for (AccountChange& change : back.changes.accounts) std::swap(change.before, change.after);
    for (SlotChange& change : back.changes.slots) std::swap(change.before, change.after);
    back.tries = std::move(tries);
    return back;
}

std::optional<core::Account> LayeredState::account(const Address& address) {
    for (const Layer* layer : layers_ | std::views::reverse) {
        if (const AccountChange* change = find_account(*layer, address)) return change->after;
    }
    return newest_.account(address);
}

U256 LayeredState::storage(const Address& address, const U256& slot) {
    for (const Layer* layer : layers_ | std::views::reverse) {
        const AccountChange* change = find_account(*layer, address);
        if (change == nullptr) continue;
        if (!change->after) return {};
        const auto slots = layer->changes.slots_of(*change);
        const auto found = std::ranges::lower_bound(slots, slot, {}, &SlotChange::slot);
        if (found != slots.end() && found->slot == slot) return found->after;
    }
    return newest_.storage(address, slot);
}

std::optional<ByteView> LayeredState::code(const core::Hash32& hash) {
    // Code is stored as soon as its block is, so it seldom lies in a layer alone; what a way back
    // to an older state brings is stored anyway.
    if (auto stored = newest_.code(hash)) return stored;
    for (const Layer* layer : layers_) {
        for (const NewCode& code : layer->changes.codes) {
            if (code.hash == hash) return ByteView(code.code);
        }
    }
    return std::nullopt;
}

void LayeredState::each_slot(const Address& address, const OnSlot& on_slot) {
    std::map<U256, U256> values;  // the uppermost layer decides
    for (const Layer* layer : layers_ | std::views::reverse) {
        const AccountChange* change = find_account(*layer, address);
        if (change == nullptr) continue;
        for (const SlotChange& slot : layer->changes.slots_of(*change)) {
            values.emplace(slot.slot, slot.after);
        }
    }
    newest_.each_slot(address,
                      [&](const U256& slot, const U256& value) { values.emplace(slot, value); });
    for (const auto& [slot, value] : values) {
        if (!value.is_zero()) on_slot(slot, value);
    }
}

std::optional<ByteView> LayeredTries::account_node(ByteView path) {
    for (const Layer* layer : layers_ | std::views::reverse) {
        if (const auto row = layer->tries.account.find(path)) return row->rlp;
    }
    return newest_.account_node(path);
}

std::optional<ByteView> LayeredTries::storage_node(const Address& address, ByteView path) {
    std::array<uint8_t, Address::kSize + kPathBytesMax> key;
    KEEL_ASSERT(path.size() <= kPathBytesMax);
    std::ranges::copy(address.bytes, key.begin());
    std::ranges::copy(path, key.begin() + Address::kSize);
    const ByteView wanted(key.data(), Address::kSize + path.size());
    for (const Layer* layer : layers_ | std::views::reverse) {
        if (const auto row = layer->tries.storage.find(wanted)) return row->rlp;
    }
    return newest_.storage_node(address, path);
}

}  // namespace keel::state
