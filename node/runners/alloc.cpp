#include "node/runners/alloc.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "chain/genesis_changes.hpp"
#include "core/hex.hpp"

namespace keel::node::runners {
namespace {

std::string value_difference(std::string_view name, const core::U256& expected,
                             const core::U256& actual) {
    return fmt::format("{} is {}, expected {}", name, actual.to_quantity(), expected.to_quantity());
}

/// Code in a message: enough of it to tell which one it is.
std::string shown(const core::Bytes& code) {
    constexpr size_t kShownBytes = 32;
    if (code.size() <= kShownBytes) return core::to_hex_prefixed(code);
    return fmt::format("{}… ({} bytes)",
                       core::to_hex_prefixed(core::ByteView(code).sub(0, kShownBytes)),
                       code.size());
}

std::optional<std::string> storage_difference(const std::map<core::U256, core::U256>& expected,
                                              const std::map<core::U256, core::U256>& actual) {
    auto want = expected.begin();
    auto have = actual.begin();
    while (want != expected.end() || have != actual.end()) {
        const bool missing =
            have == actual.end() || (want != expected.end() && want->first < have->first);
        const bool extra =
            want == expected.end() || (have != actual.end() && have->first < want->first);
        const core::U256& slot = missing ? want->first : have->first;
        const core::U256 expected_value = extra ? core::U256() : want->second;
        const core::U256 actual_value = missing ? core::U256() : have->second;
        if (expected_value != actual_value) {
            return value_difference(fmt::format("slot {}", slot.to_quantity()), expected_value,
                                    actual_value);
        }
        ++want;
        ++have;
    }
    return std::nullopt;
}

std::optional<std::string> account_difference(const chain::GenesisAccount& expected,
                                              const chain::GenesisAccount& actual) {
    if (expected.nonce != actual.nonce) {
        return value_difference("nonce", expected.nonce, actual.nonce);
    }
    if (expected.balance != actual.balance) {
        return value_difference("balance", expected.balance, actual.balance);
    }
    if (expected.code != actual.code) {
        return fmt::format("code is {}, expected {}", shown(actual.code), shown(expected.code));
    }
    return storage_difference(expected.storage, actual.storage);
}

}  // namespace

AllocState::AllocState(const Alloc& alloc)
    : content_(chain::genesis_changes(alloc)), root_(chain::resolve_genesis(content_, &tries_)) {
    std::ranges::sort(content_.codes, {}, &state::NewCode::hash);
}

const state::AccountChange* AllocState::find_account(const core::Address& address) const {
    const auto found =
        std::ranges::lower_bound(content_.accounts, address, {}, &state::AccountChange::address);
    return found != content_.accounts.end() && found->address == address ? &*found : nullptr;
}

std::optional<core::Account> AllocState::account(const core::Address& address) {
    const state::AccountChange* const found = find_account(address);
    return found == nullptr ? std::nullopt : found->after;
}

core::U256 AllocState::storage(const core::Address& address, const core::U256& slot) {
    const state::AccountChange* const found = find_account(address);
    if (found == nullptr) return {};
    const auto slots = content_.slots_of(*found);
    const auto at = std::ranges::lower_bound(slots, slot, {}, &state::SlotChange::slot);
    return at != slots.end() && at->slot == slot ? at->after : core::U256();
}

std::optional<core::ByteView> AllocState::code(const core::Hash32& hash) {
    const auto found = std::ranges::lower_bound(content_.codes, hash, {}, &state::NewCode::hash);
    if (found == content_.codes.end() || found->hash != hash) return std::nullopt;
    return core::ByteView(found->code);
}

void AllocState::each_slot(const core::Address& address, const OnSlot& on_slot) {
    const state::AccountChange* const found = find_account(address);
    if (found == nullptr) return;
    for (const state::SlotChange& slot : content_.slots_of(*found)) on_slot(slot.slot, slot.after);
}

std::optional<core::ByteView> AllocState::account_node(core::ByteView path) {
    const auto row = tries_.account.find(path);
    return row ? row->rlp : std::nullopt;
}

std::optional<core::ByteView> AllocState::storage_node(const core::Address& address,
                                                       core::ByteView path) {
    core::Bytes key = address.view().to_bytes();
    core::append(key, path);
    const auto row = tries_.storage.find(key);
    return row ? row->rlp : std::nullopt;
}

Alloc applied(const Alloc& before, const state::ChangeSet& changes) {
    Alloc after = before;
    for (const state::AccountChange& change : changes.accounts) {
        if (!change.after) {
            after.erase(change.address);
            continue;
        }
        chain::GenesisAccount& account = after[change.address];
        account.nonce = change.after->nonce;
        account.balance = change.after->balance;
        if (change.after->code_hash == core::kEmptyCodeHash) account.code.clear();
        const auto code =
            std::ranges::find(changes.codes, change.after->code_hash, &state::NewCode::hash);
        if (code != changes.codes.end()) account.code = code->code;
        for (const state::SlotChange& slot : changes.slots_of(change)) {
            if (slot.after.is_zero()) {
                account.storage.erase(slot.slot);
            } else {
                account.storage[slot.slot] = slot.after;
            }
        }
    }
    return after;
}

std::optional<std::string> first_difference(const Alloc& expected, const Alloc& actual) {
    auto want = expected.begin();
    auto have = actual.begin();
    while (want != expected.end() || have != actual.end()) {
        if (have == actual.end() || (want != expected.end() && want->first < have->first)) {
            return fmt::format("account {}: is missing", core::to_hex_prefixed(want->first));
        }
        if (want == expected.end() || have->first < want->first) {
            return fmt::format("account {}: is there, not expected",
                               core::to_hex_prefixed(have->first));
        }
        if (const auto difference = account_difference(want->second, have->second)) {
            return fmt::format("account {}: {}", core::to_hex_prefixed(want->first), *difference);
        }
        ++want;
        ++have;
    }
    return std::nullopt;
}

}  // namespace keel::node::runners
