#include "rpc/eth/call_request.hpp"

#include <fmt/format.h>

#include <set>

#include "core/hex.hpp"
#include "crypto/keccak.hpp"
#include "rpc/members.hpp"
#include "rpc/withdrawals.hpp"

namespace keel::rpc::eth {
namespace {

core::unexpected<std::string> because(std::string reason) {
    return core::unexpected(std::move(reason));
}

Converted<core::AccessListEntry> to_access_list_entry(JsonValue value) {
    if (!value.is(JsonKind::Object)) return because("not an object");
    Members members(value);
    core::AccessListEntry entry;
    members.read("address", to_address, entry.address);
    members.read("storageKeys", +[](JsonValue keys) { return to_list(keys, to_hash); }, entry.keys);
    if (members.error()) return because(members.error()->message);
    return entry;
}

Converted<core::AccessList> to_access_list(JsonValue value) {
    return to_list(value, to_access_list_entry);
}

Converted<std::vector<core::Hash32>> to_hashes(JsonValue value) {
    return to_list(value, to_hash);
}

Converted<core::Authorization> to_authorization(JsonValue value) {
    if (!value.is(JsonKind::Object)) return because("not an object");
    Members members(value);
    core::Authorization one;
    uint64_t y_parity = 0;
    members.read("chainId", to_u256, one.chain_id);
    members.read("address", to_address, one.address);
    members.read("nonce", to_uint64, one.nonce);
    members.read("yParity", to_uint64, y_parity);
    members.read("r", to_u256, one.r);
    members.read("s", to_u256, one.s);
    if (y_parity > UINT8_MAX) members.refuse("yParity", "larger than a byte");
    if (members.error()) return because(members.error()->message);
    one.y_parity = static_cast<uint8_t>(y_parity);
    return one;
}

Converted<std::vector<core::Authorization>> to_authorizations(JsonValue value) {
    return to_list(value, to_authorization);
}

/// Slots of `state` or `stateDiff`.
Converted<std::map<core::U256, core::U256>> to_slots(JsonValue value) {
    if (!value.is(JsonKind::Object)) return because("not an object");
    std::map<core::U256, core::U256> slots;
    for (const JsonValue member : value) {
        const auto key = core::fixed_from_hex<core::Hash32>(member.key());
        if (!key) return because("a slot is not 32 bytes of hex");
        const auto word = to_hash(member);
        if (!word) return because(word.error());
        slots[core::U256::load_be32(key->data())] = core::U256::load_be32(word->data());
    }
    return slots;
}

Answer<AccountOverride> parse_account_override(JsonValue object, std::string_view address) {
    AccountOverride change;
    Members members(object);
    members.read("balance", to_u256, change.balance);
    members.read("nonce", to_uint64, change.nonce);
    members.read("code", to_bytes, change.code);
    members.read("movePrecompileToAddress", to_address, change.precompile_moves_to);
    const bool replaced = members.find("state").has_value();
    if (replaced && members.find("stateDiff")) {
        return fail(Code::Failed,
                    fmt::format("account {} has both 'state' and 'stateDiff'", address));
    }
    change.replaces_storage = replaced;
    members.read(replaced ? "state" : "stateDiff", to_slots, change.slots);
    if (members.error()) return core::unexpected(*members.error());
    if (change.code) change.code_hash = crypto::keccak256(*change.code);
    return change;
}

}  // namespace

core::Tx CallRequest::to_tx(uint64_t gas_limit, bool has_dynamic_fee) const {
    core::Tx tx;
    tx.type = core::TxType::Legacy;
    if (authorizations) {
        tx.type = core::TxType::SetCode;
    } else if (blob_hashes) {
        tx.type = core::TxType::Blob;
    } else if (!gas_price && has_dynamic_fee) {
        tx.type = core::TxType::DynamicFee;
    } else if (access_list) {
        tx.type = core::TxType::AccessList;
    }
    tx.nonce = nonce.value_or(0);
    tx.max_fee = gas_price ? *gas_price : max_fee.value_or(core::U256{});
    tx.max_priority_fee = gas_price ? *gas_price : max_priority_fee.value_or(core::U256{});
    tx.gas = gas_limit;
    tx.to = to;
    tx.value = value.value_or(core::U256{});
    tx.data = input;
    if (access_list) tx.access_list = *access_list;
    tx.max_fee_per_blob_gas = max_fee_per_blob_gas.value_or(core::U256{});
    if (blob_hashes) tx.blob_hashes = *blob_hashes;
    if (authorizations) tx.authorizations = *authorizations;
    return tx;
}

Answer<CallRequest> parse_call_request(JsonValue object) {
    CallRequest request;
    Members members(object);
    members.read("from", to_address, request.from);
    members.read("to", to_address, request.to);
    members.read("gas", to_uint64, request.gas);
    members.read("nonce", to_uint64, request.nonce);
    members.read("gasPrice", to_u256, request.gas_price);
    members.read("maxFeePerGas", to_u256, request.max_fee);
    members.read("maxPriorityFeePerGas", to_u256, request.max_priority_fee);
    members.read("maxFeePerBlobGas", to_u256, request.max_fee_per_blob_gas);
    members.read("value", to_u256, request.value);
    members.read("chainId", to_u256, request.chain_id);
    members.read("accessList", to_access_list, request.access_list);
    members.read("blobVersionedHashes", to_hashes, request.blob_hashes);
    members.read("authorizationList", to_authorizations, request.authorizations);
    std::optional<core::Bytes> data;
    std::optional<core::Bytes> input;
    members.read("data", to_bytes, data);
    members.read("input", to_bytes, input);
    if (members.error()) return core::unexpected(*members.error());
    if (data && input && *data != *input) {
        return fail(Code::Failed,
                    "both \"data\" and \"input\" are set and not equal. Please use \"input\" to "
                    "pass transaction call data");
    }
    if (input) {
        request.input = *std::move(input);
    } else if (data) {
        request.input = *std::move(data);
    }
    if (request.gas_price && (request.max_fee || request.max_priority_fee)) {
        return fail(Code::Failed,
                    "both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified");
    }
    return request;
}

Answer<StateOverride> parse_state_override(std::optional<JsonValue> object) {
    StateOverride changes;
    if (!object) return changes;
    for (const JsonValue member : *object) {
        const auto address = core::fixed_from_hex<core::Address>(member.key());
        if (!address || !member.is(JsonKind::Object)) {
            return fail(Code::InvalidParams,
                        fmt::format("invalid state override of \"{}\"", member.key()));
        }
        auto change = parse_account_override(member, member.key());
        if (!change) return core::unexpected(change.error());
        changes[*address] = *std::move(change);
    }
    return changes;
}

Answer<evm::PrecompileOverrides> moved_precompiles(const StateOverride& changes,
                                                   const core::ForkRules& rules) {
    evm::PrecompileOverrides overrides;
    std::set<core::Address> targets;
    const auto at = [&](const core::Address& address) {
        const auto found = overrides.find(address);
        return found != overrides.end() ? found->second : evm::find_precompile(address, rules);
    };
    const auto named = [](const core::Address& address, std::string_view what) {
        return fail(Code::Failed,
                    fmt::format("account {} {}", core::to_hex_prefixed(address), what));
    };
    for (const auto& [address, change] : changes) {
        if (targets.contains(address)) {
            return named(address, "has already been overridden by a precompile");
        }
        const evm::Precompile* const own = at(address);
        if (change.precompile_moves_to) {
            const core::Address& target = *change.precompile_moves_to;
            if (own == nullptr) return named(address, "is not a precompile");
            if (changes.contains(target)) return named(target, "is already overridden");
            overrides[target] = own;
            targets.insert(target);
        }
        if (own != nullptr) overrides[address] = nullptr;
    }
    return overrides;
}

Answer<BlockOverride> parse_whole_block_override(std::optional<JsonValue> object) {
    BlockOverride change;
    if (!object) return change;
    Members members(*object);
    members.read("number", to_uint64, change.number);
    members.read("time", to_uint64, change.time);
    members.read("gasLimit", to_uint64, change.gas_limit);
    members.read("difficulty", to_u256, change.difficulty);
    members.read("feeRecipient", to_address, change.fee_recipient);
    members.read("prevRandao", to_hash, change.prev_randao);
    members.read("baseFeePerGas", to_u256, change.base_fee);
    members.read("blobBaseFee", to_u256, change.blob_base_fee);
    members.read("beaconRoot", to_hash, change.beacon_root);
    members.read("withdrawals", to_withdrawals, change.withdrawals);
    if (members.error()) return core::unexpected(*members.error());
    return change;
}

Answer<BlockOverride> parse_block_override(std::optional<JsonValue> object) {
    auto change = parse_whole_block_override(object);
    if (!change) return change;
    for (const auto& [present, name] :
         {std::pair{change->beacon_root.has_value(), "beaconRoot"},
          std::pair{change->withdrawals.has_value(), "withdrawals"}}) {
        if (!present) continue;
        return fail(
            Code::Failed,
            fmt::format("block override \"{}\" is not supported for this RPC method", name));
    }
    return change;
}

const AccountOverride* OverriddenState::find(const core::Address& address) const {
    const auto found = changes_.find(address);
    return found == changes_.end() ? nullptr : &found->second;
}

std::optional<core::Account> OverriddenState::account(const core::Address& address) {
    auto account = below_.account(address);
    const AccountOverride* const change = find(address);
    if (change == nullptr) return account;
    core::Account changed = account.value_or(core::Account{});
    if (change->balance) changed.balance = *change->balance;
    if (change->nonce) changed.nonce = *change->nonce;
    if (change->code) changed.code_hash = change->code_hash;
    // It only matters whether there is any storage; where there was none there may be some now.
    if (!change->slots.empty() && changed.storage_root == core::kEmptyTrieRoot) {
        changed.storage_root = {};
    }
    return changed;
}

core::U256 OverriddenState::storage(const core::Address& address, const core::U256& slot) {
    if (const AccountOverride* const change = find(address)) {
        const auto found = change->slots.find(slot);
        if (found != change->slots.end()) return found->second;
        if (change->replaces_storage) return {};
    }
    return below_.storage(address, slot);
}

std::optional<core::ByteView> OverriddenState::code(const core::Hash32& hash) {
    for (const auto& [address, change] : changes_) {
        if (change.code && change.code_hash == hash) return core::ByteView(*change.code);
    }
    return below_.code(hash);
}

void OverriddenState::each_slot(const core::Address& address, const OnSlot& on_slot) {
    const AccountOverride* const change = find(address);
    if (change == nullptr) {
        below_.each_slot(address, on_slot);
        return;
    }
    std::map<core::U256, core::U256> slots = change->slots;
    if (!change->replaces_storage) {
        below_.each_slot(address, [&slots](const core::U256& slot, const core::U256& value) {
            slots.emplace(slot, value);
        });
    }
    for (const auto& [slot, value] : slots) {
        if (!value.is_zero()) on_slot(slot, value);
    }
}

}  // namespace keel::rpc::eth
