// debug_trace…: transactions and blocks executed again under a tracer. Source: execution-apis,
// debug; RPC.md 4.

#include <fmt/format.h>

#include "core/clock.hpp"
#include "core/hex.hpp"
#include "rpc/debug/call_tracer.hpp"
#include "rpc/debug/replay.hpp"
#include "rpc/debug/struct_logger.hpp"
#include "rpc/eth/execution.hpp"
#include "rpc/methods.hpp"

namespace keel::rpc::debug {
namespace {

constexpr size_t kTraceBytesMax = 150'000'000;  // below what one answer may be

/// Runs the next transaction of the replay and writes what its tracer says.
Answer<void> write_trace(Call& call, BlockReplay& replay, const chain::BlockId& id,
                         const TraceConfig& config) {
    const uint64_t deadline_ms = core::monotonic_coarse_ms() + config.timeout_ms;
    JsonOut& out = call.out;
    try {
        if (config.tracer == "callTracer") {
            CallTracer tracer(replay.journal(), config, deadline_ms);
            const uint64_t gas_limit = call.snapshot().blocks().tx(id, replay.next()).gas;
            const chain::TxOutcome outcome = replay.run_next(&tracer);
            tracer.write(out, gas_limit, outcome.gas_used);
            return {};
        }
        if (config.tracer == "noopTracer") {
            replay.run_next(nullptr);
            out.begin_object();
            out.end_object();
            return {};
        }
        out.begin_object();
        out.key("structLogs");
        out.begin_array();
        StructLogger logger(out, config, deadline_ms, kTraceBytesMax);
        const chain::TxOutcome outcome = replay.run_next(&logger);
        out.end_array();
        out.key("gas");
        out.number(outcome.gas_used);
        out.key("failed");
        out.boolean(!outcome.succeeded());
        out.data("returnValue", eth::returned_by(outcome, replay.journal()));
        out.end_object();
        return {};
    } catch (const TraceStopped& stopped) {
        return fail(Code::Failed, stopped.reason);
    }
}

Answer<TraceConfig> config_of(std::optional<JsonValue> object) {
    auto config = parse_trace_config(object);
    if (!config) return config;
    const std::string& name = config->tracer;
    if (!name.empty() && name != "callTracer" && name != "noopTracer") {
        return fail(Code::Failed, fmt::format("tracer {} is not offered", name));
    }
    return config;
}

Answer<void> trace_block(Call& call, const chain::BlockId& id, const TraceConfig& config) {
    auto replay = BlockReplay::of(call, id);
    if (!replay) return core::unexpected(replay.error());
    JsonOut& out = call.out;
    out.begin_array();
    while ((*replay)->next() < (*replay)->size()) {
        out.begin_object();
        out.data("txHash", (*replay)->tx_hash((*replay)->next()));
        out.key("result");
        if (auto traced = write_trace(call, **replay, id, config); !traced) return traced;
        out.end_object();
    }
    out.end_array();
    return {};
}

}  // namespace

Answer<void> trace_transaction(Call& call) {
    Args args(call.params, 2);
    const core::Hash32 hash = args.hash(0);
    const auto object = args.optional_object(1);
    if (!args.ok()) return args.error();
    const auto config = config_of(object);
    if (!config) return core::unexpected(config.error());
    const chain::BlockReader& blocks = call.snapshot().blocks();
    const auto place = blocks.find_tx(hash);
    if (!place) return fail(Code::Failed, "transaction not found");
    const chain::BlockId id{place->number, blocks.canonical_hash(place->number).value()};
    auto replay = BlockReplay::of(call, id);
    if (!replay) return core::unexpected(replay.error());
    while ((*replay)->next() < place->index) (*replay)->run_next(nullptr);
    return write_trace(call, **replay, id, *config);
}

Answer<void> trace_block_by_number(Call& call) {
    Args args(call.params, 2);
    const BlockSelector selector = args.block(0);
    const auto object = args.optional_object(1);
    if (!args.ok()) return args.error();
    const auto config = config_of(object);
    if (!config) return core::unexpected(config.error());
    if (selector.kind == BlockSelector::Kind::Pending) {
        return fail(Code::Failed, "tracing on top of pending is not supported");
    }
    const auto id = call.snapshot().find(selector);
    if (!id) return core::unexpected(id.error());
    if (!*id) return fail(Code::Failed, fmt::format("block #{} not found", selector.number));
    return trace_block(call, **id, *config);
}

Answer<void> trace_block_by_hash(Call& call) {
    Args args(call.params, 2);
    const core::Hash32 hash = args.hash(0);
    const auto object = args.optional_object(1);
    if (!args.ok()) return args.error();
    const auto config = config_of(object);
    if (!config) return core::unexpected(config.error());
    const auto id = call.snapshot().blocks().id_of(hash);
    if (!id) {
        return fail(Code::Failed, fmt::format("block {} not found", core::to_hex_prefixed(hash)));
    }
    return trace_block(call, *id, *config);
}

}  // namespace keel::rpc::debug
