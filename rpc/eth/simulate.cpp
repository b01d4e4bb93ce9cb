#include "rpc/eth/execution.hpp"
#include "rpc/eth/objects.hpp"
#include "rpc/eth/simulator.hpp"
#include "rpc/methods.hpp"

namespace keel::rpc::eth {
namespace {

void write_failure(JsonOut& out, const chain::TxOutcome& outcome) {
    Error error = failure_of(outcome);
    if (error.code != Code::Reverted) error.code = Code::VmError;
    out.key("error");
    out.begin_object();
    out.key("code");
    out.number(static_cast<int64_t>(error.code));
    out.key("message");
    out.string(error.message);
    if (error.data) out.data("data", *error.data);
    out.end_object();
}

void write_calls(JsonOut& out, const SimulatedOutcome& simulated) {
    MinedPlace place;
    place.block = {simulated.block.header.number, simulated.hash};
    place.timestamp_s = simulated.block.header.timestamp;
    out.key("calls");
    out.begin_array();
    for (; place.index < simulated.calls.size(); ++place.index) {
        const SimulatedCall& call = simulated.calls[place.index];
        const chain::TxOutcome& outcome = call.outcome;
        out.begin_object();
        out.data("returnData",
                 outcome.succeeded() ? core::ByteView(outcome.output) : core::ByteView{});
        out.key("logs");
        out.begin_array();
        for (const TransferTracer::TracedLog& each : call.logs) {
            write_log(out, chain::LogView(each.log), place, simulated.tx_hashes[place.index],
                      each.index);
        }
        out.end_array();
        out.quantity("gasUsed", outcome.gas_used);
        out.quantity("maxUsedGas", std::max(outcome.gas_before_refund, outcome.gas_used));
        out.quantity("status", uint64_t{outcome.succeeded() ? 1U : 0U});
        if (!outcome.succeeded()) write_failure(out, outcome);
        out.end_object();
    }
    out.end_array();
}

void write_simulated(JsonOut& out, const SimulatedOutcome& simulated, bool full_transactions) {
    const core::Header& header = simulated.block.header;
    out.begin_object();
    write_header_members(out, header, simulated.hash);
    out.quantity("size", simulated.size);
    out.key("uncles");
    out.begin_array();
    out.end_array();
    out.key("transactions");
    out.begin_array();
    MinedPlace place{.block = {header.number, simulated.hash},
                     .timestamp_s = header.timestamp,
                     .base_fee = header.base_fee,
                     .index = 0};
    for (; place.index < simulated.tx_hashes.size(); ++place.index) {
        if (full_transactions) {
            write_tx(out, simulated.block.txs[place.index], simulated.tx_hashes[place.index],
                     simulated.senders[place.index], place);
        } else {
            out.data(simulated.tx_hashes[place.index]);
        }
    }
    out.end_array();
    if (simulated.block.withdrawals) write_withdrawals(out, *simulated.block.withdrawals);
    write_calls(out, simulated);
    out.end_object();
}

Answer<void> simulate(Call& call) {
    Args args(call.params, 2);
    const auto object = args.object(0);
    const BlockSelector selector = args.block_or_latest(1);
    if (!args.ok()) return args.error();
    auto request = parse_simulate_request(*object);
    if (!request) return core::unexpected(request.error());
    const auto base = call.snapshot().require(selector);
    if (!base) return core::unexpected(base.error());
    if (auto ordered = put_in_order(request->blocks, call.snapshot().header(*base)); !ordered) {
        return ordered;
    }
    const auto simulator = Simulator::on(call, *base, *request);
    if (!simulator) return core::unexpected(simulator.error());
    call.out.begin_array();
    for (const SimulatedBlock& block : request->blocks) {
        const auto simulated = (*simulator)->run(block);
        if (!simulated) return core::unexpected(simulated.error());
        write_simulated(call.out, *simulated, request->full_transactions);
    }
    call.out.end_array();
    return {};
}

}  // namespace

Answer<void> simulate_v1(Call& call) {
    try {
        return simulate(call);
    } catch (const evm::TimeOver&) {
        return fail(Code::SimulationTimedOut, time_over_text(call.backend.call_ms_max));
    }
}

}  // namespace keel::rpc::eth
