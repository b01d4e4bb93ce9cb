#include "rpc/methods.hpp"

namespace keel::rpc::eth {

Answer<void> accounts(Call& call) {
    const Args args(call.params, 0);
    if (!args.ok()) return args.error();
    // Nobody's keys are kept here.
    call.out.begin_array();
    call.out.end_array();
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

Answer<void> get_transaction_count(Call& call) {
    Args args(call.params, 2);
    const core::Address address = args.address(0);
    const BlockSelector block = args.block_or_latest(1);
    if (!args.ok()) return args.error();
    const auto state = call.snapshot().state(block);
    if (!state) return core::unexpected(state.error());
    const auto account = (*state)->account(address);
    call.out.quantity(account ? account->nonce : 0);
    return {};
}

}  // namespace keel::rpc::eth
