#include "rpc/debug/watch.hpp"

#include "rpc/debug/struct_logger.hpp"
#include "rpc/eth/execution.hpp"
#include "rpc/stream.hpp"

namespace keel::rpc::debug {
namespace {

constexpr size_t kTraceBytesMax = 150'000'000;  // below what one answer may be

Answer<void> write_opcodes(Call& call, const Watch& watch, const TracedTx& traced,
                           const RunTx& run) {
    JsonOut& out = call.out;
    out.begin_object();
    out.key("structLogs");
    out.begin_array();
    const uint64_t gone_before = call.stream == nullptr ? 0 : call.stream->bytes();
    StructLogger logger(out, call.stream, watch.config, traced.deadline_ms, kTraceBytesMax);
    // What has gone cannot be taken back: then the reason stands behind it.
    const auto end_with = [&](const std::string& reason) -> Answer<void> {
        if (call.stream == nullptr || call.stream->bytes() == gone_before) {
            return fail(Code::Failed, reason);
        }
        out.end_array();
        out.key("error");
        out.string(reason);
        out.end_object();
        return {};
    };
    Answer<chain::TxOutcome> outcome = fail(Code::Failed, {});
    try {
        outcome = run(logger);
    } catch (const TraceStopped& stopped) {
        return end_with(stopped.reason);
    } catch (const evm::TimeOver&) {
        return end_with(kTimeOver);
    }
    if (!outcome) return end_with(outcome.error().message);
    out.end_array();
    out.key("gas");
    out.number(outcome->gas_used);
    out.key("failed");
    out.boolean(!outcome->succeeded());
    out.data("returnValue", eth::returned_by(*outcome, traced.journal));
    out.end_object();
    return {};
}

}  // namespace

Answer<Watch> parse_watch(std::optional<JsonValue> object) {
    auto config = parse_trace_config(object);
    if (!config) return core::unexpected(config.error());
    Watch watch{.config = *std::move(config), .factory = {}};
    if (watch.config.tracer.empty()) return watch;
    auto factory = find_tracer(watch.config.tracer, watch.config.tracer_config);
    if (!factory) return core::unexpected(factory.error());
    watch.factory = *std::move(factory);
    return watch;
}

Answer<void> write_trace(Call& call, const Watch& watch, const TracedTx& traced, const RunTx& run) {
    try {
        if (!watch.factory) return write_opcodes(call, watch, traced, run);
        const std::unique_ptr<NamedTracer> tracer = watch.factory(traced);
        const auto outcome = run(*tracer);
        if (!outcome) return core::unexpected(outcome.error());
        tracer->write(call.out, *outcome);
        return {};
    } catch (const TraceStopped& stopped) {
        return fail(Code::Failed, stopped.reason);
    } catch (const evm::TimeOver&) {
        return fail(Code::Failed, kTimeOver);
    }
}

}  // namespace keel::rpc::debug
