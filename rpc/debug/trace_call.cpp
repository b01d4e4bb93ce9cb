// debug_traceCall: a call that is in no block, on the state after a block or between two of its
// transactions. Source: geth's TraceCall; RPC.md 4.

#include <fmt/format.h>

#include <algorithm>

#include "core/hex.hpp"
#include "rpc/debug/replay.hpp"
#include "rpc/debug/watch.hpp"
#include "rpc/eth/execution.hpp"
#include "rpc/members.hpp"
#include "rpc/methods.hpp"

namespace keel::rpc::debug {
namespace {

/// What stands among the options of a trace, but says what is called.
struct CallOptions {
    std::optional<JsonValue> state, block;
    std::optional<uint64_t> tx_index;
};

Answer<CallOptions> parse_call_options(std::optional<JsonValue> object) {
    CallOptions options;
    if (!object) return options;
    Members members(*object);
    const auto read_object = [&members](const char* name, std::optional<JsonValue>& into) {
        into = members.find(name);
        if (into && !into->is(JsonKind::Object)) members.refuse(name, "not an object");
    };
    read_object("stateOverrides", options.state);
    read_object("blockOverrides", options.block);
    members.read("txIndex", to_uint64, options.tx_index);
    if (members.error()) return core::unexpected(*members.error());
    return options;
}

Answer<chain::BlockId> find_block(Call& call, const BlockSelector& selector) {
    using Kind = BlockSelector::Kind;
    if (selector.kind == Kind::Pending) {
        return fail(Code::Failed, "tracing on top of pending is not supported");
    }
    const auto id = call.snapshot().find(selector);
    if (!id) return core::unexpected(id.error());
    if (*id) return **id;
    return fail(Code::Failed,
                selector.kind == Kind::Hash
                    ? fmt::format("block {} not found", core::to_hex_prefixed(selector.hash))
                    : fmt::format("block #{} not found", selector.number));
}

/// The state before the transaction of this index.
Answer<std::unique_ptr<BlockReplay>> replay_to(Call& call, const chain::BlockId& id,
                                               uint64_t tx_index) {
    auto replay = BlockReplay::of(call, id);
    if (!replay) return replay;
    if (tx_index >= (*replay)->size()) {
        return fail(Code::Failed, fmt::format("transaction index {} out of range for block {}",
                                              tx_index, core::to_hex_prefixed(id.hash)));
    }
    while ((*replay)->next() < tx_index) {
        if (auto ran = (*replay)->run_next(nullptr); !ran) return core::unexpected(ran.error());
    }
    return replay;
}

}  // namespace

Answer<void> trace_call(Call& call) {
    Args args(call.params, 3);
    const auto object = args.object(0);
    const BlockSelector selector = args.block_or_latest(1);
    const auto options_object = args.optional_object(2);
    if (!args.ok()) return args.error();
    const auto watch = parse_watch(options_object);
    if (!watch) return core::unexpected(watch.error());
    const auto options = parse_call_options(options_object);
    if (!options) return core::unexpected(options.error());
    auto params = eth::parse_call_params(args, object, options->state, options->block);
    if (!params) return core::unexpected(params.error());
    const auto id = find_block(call, selector);
    if (!id) return core::unexpected(id.error());

    std::unique_ptr<BlockReplay> replay;  // outlives the execution, which may read its state
    if (options->tx_index) {
        auto replayed = replay_to(call, *id, *options->tx_index);
        if (!replayed) return core::unexpected(replayed.error());
        replay = *std::move(replayed);
    }
    const auto execution =
        replay ? eth::Execution::prepare_on(call, *id, *std::move(params), replay->take_state())
               : eth::Execution::prepare(call, *id, *std::move(params));
    if (!execution) return core::unexpected(execution.error());

    const uint64_t cap = call.backend.call_gas_cap;
    const uint64_t gas = std::min((*execution)->request().gas.value_or(cap), cap);
    const core::Tx tx = (*execution)->tx(gas);
    const uint64_t deadline_ms = watch->deadline_ms();
    (*execution)->set_deadline_ms(deadline_ms);
    (*execution)->begin();
    const TracedTx traced{.tx = tx,
                          .sender = (*execution)->request().from,
                          .env = (*execution)->env(),
                          .journal = (*execution)->journal(),
                          .deadline_ms = deadline_ms};
    const auto run = [&](evm::Tracer& tracer) -> Answer<chain::TxOutcome> {
        const Watched watched(call.worker.workspace(), &tracer);
        auto outcome = (*execution)->execute(tx);
        if (!outcome) return fail(Code::Failed, "tracing failed: " + outcome.error().text);
        return *std::move(outcome);
    };
    return write_trace(call, *watch, traced, run);
}

}  // namespace keel::rpc::debug
