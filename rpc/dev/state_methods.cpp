// Setters of the state, and points to go back to.

#include <fmt/format.h>

#include "core/hex.hpp"
#include "rpc/dev/methods.hpp"
#include "rpc/dev/solo.hpp"
#include "rpc/dev/values.hpp"
#include "rpc/members.hpp"

namespace keel::rpc::dev {
namespace {

Answer<void> apply(Call& call, const Args& args, const AccountEdit& edit) {
    if (!args.ok()) return args.error();
    call.backend.solo->edit(edit);
    call.out.boolean(true);
    return {};
}

}  // namespace

// More than 2^256 - 1 is that much.
Answer<void> add_balance(Call& call) {
    Args args(call.params, 2);
    const core::Address address = args.address(0);
    const core::U256 amount = args.required(1, to_amount);
    if (!args.ok()) return args.error();
    call.backend.solo->edit({.address = address, .more_balance = amount});
    call.out.boolean(true);
    return {};
}

Answer<void> set_balance(Call& call) {
    Args args(call.params, 2);
    const core::Address address = args.address(0);
    return apply(call, args, {.address = address, .balance = args.required(1, to_amount)});
}

Answer<void> set_nonce(Call& call) {
    Args args(call.params, 2);
    const core::Address address = args.address(0);
    return apply(call, args, {.address = address, .nonce = args.required(1, to_count)});
}

Answer<void> set_code(Call& call) {
    Args args(call.params, 2);
    const core::Address address = args.address(0);
    return apply(call, args, {.address = address, .code = args.bytes(1)});
}

Answer<void> set_storage_at(Call& call) {
    Args args(call.params, 3);
    const core::Address address = args.address(0);
    const core::U256 slot = args.storage_key(1);
    const core::U256 value = args.storage_key(2);
    return apply(call, args,
                 {.address = address, .slot = state::SlotValue{.slot = slot, .value = value}});
}

Answer<void> snapshot(Call& call) {
    const Args args(call.params, 0);
    if (!args.ok()) return args.error();
    call.out.quantity(call.backend.solo->save());
    return {};
}

Answer<void> revert(Call& call) {
    Args args(call.params, 1);
    const uint64_t point = args.required(0, to_count);
    if (!args.ok()) return args.error();
    call.out.boolean(call.backend.solo->revert(point));
    return {};
}

// Blocks to take back; without a number one.
Answer<void> rollback(Call& call) {
    Args args(call.params, 1);
    const uint64_t depth = args.optional(0, to_count).value_or(1);
    if (!args.ok()) return args.error();
    if (!call.backend.solo->roll_back(depth)) {
        return fail(Code::InvalidParams,
                    fmt::format("there are fewer than {} blocks behind the genesis", depth));
    }
    call.out.null();
    return {};
}

Answer<void> reset(Call& call) {
    Args args(call.params, 1);
    const auto object = args.optional_object(0);
    if (!args.ok()) return args.error();
    if (object && object->member("forking")) {
        return fail(Code::InvalidParams, "forking another chain is not supported");
    }
    call.backend.solo->reset();
    call.out.boolean(true);
    return {};
}

Answer<void> metadata(Call& call) {
    const Args args(call.params, 0);
    if (!args.ok()) return args.error();
    const chain::BlockId head = call.snapshot().head();
    JsonOut& out = call.out;
    out.begin_object();
    out.key("clientVersion");
    out.string(call.backend.client_version);
    out.key("chainId");
    out.number(call.backend.schedule->config().chain_id);
    out.data("instanceId", call.backend.solo->instance());
    out.key("latestBlockNumber");
    out.number(head.number);
    out.data("latestBlockHash", head.hash);
    out.end_object();
    return {};
}

Answer<void> genesis_time(Call& call) {
    const Args args(call.params, 0);
    if (!args.ok()) return args.error();
    Snapshot& snapshot = call.snapshot();
    const chain::BlockId genesis{.number = 0, .hash = snapshot.blocks().genesis_hash()};
    call.out.number(snapshot.header(genesis).timestamp);
    return {};
}

Answer<void> node_info(Call& call) {
    const Args args(call.params, 0);
    if (!args.ok()) return args.error();
    Snapshot& snapshot = call.snapshot();
    const chain::BlockId head = snapshot.head();
    const core::Header header = snapshot.header(head);
    const chain::BlockRules rules = snapshot.rules(*call.backend.schedule, head, header);
    JsonOut& out = call.out;
    out.begin_object();
    out.quantity("currentBlockNumber", head.number);
    out.key("currentBlockTimestamp");
    out.number(header.timestamp);
    out.data("currentBlockHash", head.hash);
    out.key("hardFork");
    out.string(core::to_string(rules.rules.fork));
    out.key("transactionOrder");
    out.string("fees");
    out.key("environment");
    out.begin_object();
    out.quantity("baseFee", header.base_fee.value_or(core::U256{}));
    out.key("chainId");
    out.number(call.backend.schedule->config().chain_id);
    out.quantity("gasLimit", header.gas_limit);
    out.quantity("gasPrice", header.base_fee.value_or(core::U256{}));
    out.end_object();
    out.key("forkConfig");
    out.begin_object();
    out.end_object();
    out.end_object();
    return {};
}

Answer<void> set_logging(Call& call) {
    Args args(call.params, 1);
    (void)args.boolean(0);
    if (!args.ok()) return args.error();
    // The log has levels of its own.
    call.out.null();
    return {};
}

}  // namespace keel::rpc::dev
