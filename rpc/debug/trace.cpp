// debug_trace… of transactions in blocks, executed again under a tracer. Source: execution-apis,
// debug; RPC.md 4.

#include <fmt/format.h>

#include "core/hex.hpp"
#include "rpc/debug/replay.hpp"
#include "rpc/debug/watch.hpp"
#include "rpc/methods.hpp"
#include "rpc/patience.hpp"
#include "rpc/stream.hpp"

namespace keel::rpc::debug {
namespace {

/// Runs the next transaction of the replay and writes what is seen of it.
Answer<void> trace_next(Call& call, BlockReplay& replay, const Watch& watch) {
    const TracedTx traced = replay.describe_next(watch.deadline_ms());
    return write_trace(call, watch, traced,
                       [&replay](evm::Tracer& tracer) { return replay.run_next(&tracer); });
}

Answer<void> trace_all(Call& call, Answer<std::unique_ptr<BlockReplay>> replay,
                       const Watch& watch) {
    if (!replay) return core::unexpected(replay.error());
    JsonOut& out = call.out;
    out.begin_array();
    Stream* const stream = call.stream;
    Patience patience(call.caller);
    while ((*replay)->next() < (*replay)->size()) {
        patience.look();
        if (patience.end()) return core::unexpected(*patience.end());
        out.begin_object();
        const size_t index = (*replay)->next();
        out.data("txHash", (*replay)->tx_hash(index));
        const size_t mark = out.size();
        out.key("result");
        if (auto traced = trace_next(call, **replay, watch); !traced) {
            if (stream == nullptr || !stream->has_begun()) return traced;
            out.truncate(mark);
            out.key("error");
            out.string(traced.error().message);
        }
        out.end_object();
        // A transaction that was not run to its end: what follows has no state to run on.
        if ((*replay)->next() == index) break;
        if (stream != nullptr && out.size() >= Stream::kPartBytes && !stream->send(out)) {
            return fail(Code::Failed, "the client does not take the trace");
        }
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
    const auto watch = parse_watch(object);
    if (!watch) return core::unexpected(watch.error());
    const chain::BlockReader& blocks = call.snapshot().blocks();
    const auto place = blocks.find_tx(hash);
    if (!place) return fail(Code::Failed, "transaction not found");
    const chain::BlockId id{place->number, blocks.canonical_hash(place->number).value()};
    auto replay = BlockReplay::of(call, id);
    if (!replay) return core::unexpected(replay.error());
    while ((*replay)->next() < place->index) {
        if (auto ran = (*replay)->run_next(nullptr); !ran) return core::unexpected(ran.error());
    }
    return trace_next(call, **replay, *watch);
}

Answer<void> trace_block_by_number(Call& call) {
    Args args(call.params, 2);
    const BlockSelector selector = args.block(0);
    const auto object = args.optional_object(1);
    if (!args.ok()) return args.error();
    const auto watch = parse_watch(object);
    if (!watch) return core::unexpected(watch.error());
    if (selector.kind == BlockSelector::Kind::Pending) {
        return fail(Code::Failed, "tracing on top of pending is not supported");
    }
    const auto id = call.snapshot().find(selector);
    if (!id) return core::unexpected(id.error());
    if (!*id) return fail(Code::Failed, fmt::format("block #{} not found", selector.number));
    return trace_all(call, BlockReplay::of(call, **id), *watch);
}

Answer<void> trace_block_by_hash(Call& call) {
    Args args(call.params, 2);
    const core::Hash32 hash = args.hash(0);
    const auto object = args.optional_object(1);
    if (!args.ok()) return args.error();
    const auto watch = parse_watch(object);
    if (!watch) return core::unexpected(watch.error());
    const auto id = call.snapshot().blocks().id_of(hash);
    if (!id) {
        return fail(Code::Failed, fmt::format("block {} not found", core::to_hex_prefixed(hash)));
    }
    return trace_all(call, BlockReplay::of(call, *id), *watch);
}

Answer<void> trace_block(Call& call) {
    Args args(call.params, 2);
    core::Bytes rlp = args.bytes(0);
    const auto object = args.optional_object(1);
    if (!args.ok()) return args.error();
    const auto watch = parse_watch(object);
    if (!watch) return core::unexpected(watch.error());
    auto sealed = crypto::seal(std::move(rlp));
    if (!sealed) return fail(Code::Failed, "could not decode block");
    return trace_all(call, BlockReplay::of_given(call, *std::move(sealed)), *watch);
}

}  // namespace keel::rpc::debug
