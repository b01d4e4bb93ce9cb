#include "core/hex.hpp"
#include "rpc/dev/keys.hpp"
#include "rpc/dev/solo.hpp"
#include "rpc/members.hpp"
#include "rpc/methods.hpp"
#include "rpc/pool/pool.hpp"

namespace keel::rpc::eth {

Answer<void> accounts(Call& call) {
    const Args args(call.params, 0);
    if (!args.ok()) return args.error();
    // Nobody's keys are kept here, but those that everybody knows.
    call.out.begin_array();
    if (call.backend.solo != nullptr) {
        for (const dev::Key& key : dev::keys()) call.out.data(key.address);
    }
    call.out.end_array();
    return {};
}

Answer<void> coinbase(Call& call) {
    const Args args(call.params, 0);
    if (!args.ok()) return args.error();
    // Who gets the fees is said with each payload: this node has nobody of its own.
    call.out.data(call.backend.solo == nullptr ? core::Address{}
                                               : call.backend.solo->settings().coinbase);
    return {};
}

Answer<void> get_balance(Call& call) {
    Args args(call.params, 2);
    const core::Address address = args.address(0);
    const BlockSelector block = args.block_or_latest(1);
    if (!args.ok()) return args.error();
    const auto state = call.snapshot().state(block);
    if (!state) return core::unexpected(state.error());
    const auto account = (*state)->account(address);
    call.out.quantity(account ? account->balance : core::U256{});
    return {};
}

Answer<void> get_code(Call& call) {
    Args args(call.params, 2);
    const core::Address address = args.address(0);
    const BlockSelector block = args.block_or_latest(1);
    if (!args.ok()) return args.error();
    const auto state = call.snapshot().state(block);
    if (!state) return core::unexpected(state.error());
    const auto account = (*state)->account(address);
    std::optional<core::ByteView> code;
    if (account && account->code_hash != core::kEmptyCodeHash) {
        code = (*state)->code(account->code_hash);
    }
    call.out.data(code.value_or(core::ByteView{}));
    return {};
}

Answer<void> get_storage_at(Call& call) {
    Args args(call.params, 3);
    const core::Address address = args.address(0);
    const core::U256 slot = args.storage_key(1);
    const BlockSelector block = args.block_or_latest(2);
    if (!args.ok()) return args.error();
    const auto state = call.snapshot().state(block);
    if (!state) return core::unexpected(state.error());
    call.out.data((*state)->storage(address, slot).to_be32());
    return {};
}

Answer<void> get_storage_values(Call& call) {
    constexpr size_t kSlotsMax = 1024;
    Args args(call.params, 2);
    const auto object = args.object(0);
    const BlockSelector block = args.block_or_latest(1);
    if (!args.ok()) return args.error();
    struct Asked {
        core::Address address;
        std::vector<core::Hash32> slots;
    };
    std::vector<Asked> asked;
    size_t count = 0;
    for (const JsonValue member : *object) {
        const auto address = core::fixed_from_hex<core::Address>(member.key());
        if (!address) return fail(Code::InvalidParams, "invalid argument 0: not an address");
        auto slots = to_list(member, to_hash);
        if (!slots) return fail(Code::InvalidParams, "invalid argument 0: " + slots.error());
        count += slots->size();
        asked.push_back({*address, *std::move(slots)});
    }
    if (count == 0) return fail(Code::InvalidParams, "empty request");
    if (count > kSlotsMax) return fail(Code::TooManySlots, "too many slots (max 1024)");
    const auto state = call.snapshot().state(block);
    if (!state) return core::unexpected(state.error());
    JsonOut& out = call.out;
    out.begin_object();
    for (const Asked& each : asked) {
        out.key(core::to_hex_prefixed(each.address));
        out.begin_array();
        for (const core::Hash32& slot : each.slots) {
            out.data((*state)->storage(each.address, core::U256::load_be32(slot.data())).to_be32());
        }
        out.end_array();
    }
    out.end_object();
    return {};
}

Answer<void> get_transaction_count(Call& call) {
    Args args(call.params, 2);
    const core::Address address = args.address(0);
    const BlockSelector block = args.block_or_latest(1);
    if (!args.ok()) return args.error();
    if (block.kind == BlockSelector::Kind::Pending && call.backend.pool != nullptr) {
        call.out.quantity(call.backend.pool->next_nonce(address));
        return {};
    }
    const auto state = call.snapshot().state(block);
    if (!state) return core::unexpected(state.error());
    const auto account = (*state)->account(address);
    call.out.quantity(account ? account->nonce : 0);
    return {};
}

}  // namespace keel::rpc::eth
