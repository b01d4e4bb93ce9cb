#include "rpc/debug/tracers/flat_call.hpp"

#include <array>
#include <utility>

#include "rpc/members.hpp"

namespace keel::rpc::debug {

using Type = TracedCall::Type;

namespace {

/// Names of the fields callType and creationMethod.
std::string_view name_of(Type type) {
    switch (type) {
        case Type::Call:
            return "call";
        case Type::CallCode:
            return "callcode";
        case Type::DelegateCall:
            return "delegatecall";
        case Type::StaticCall:
            return "staticcall";
        case Type::Create:
            return "create";
        case Type::Create2:
            return "create2";
        case Type::SelfDestruct:
            return "suicide";
    }
    return "";
}

/// Parity's words; those that it has no others for stay.
std::string_view parity_error(std::string_view error) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 9> kWhole = {{
        {"contract creation code storage out of gas", "Out of gas"},
        {"out of gas", "Out of gas"},
        {"gas uint64 overflow", "Out of gas"},
        {"max code size exceeded", "Out of gas"},
        {"invalid jump destination", "Bad jump destination"},
        {"execution reverted", "Reverted"},
        {"return data out of bounds", "Out of bounds"},
        {"precompile failed", "Built-in failed"},
        {"invalid input length", "Built-in failed"},
    }};
    constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kBeginnings = {{
        {"out of gas:", "Out of gas"},
        {"invalid opcode:", "Bad instruction"},
        {"stack underflow", "Stack underflow"},
        {"stack limit reached", "Out of stack"},
    }};
    for (const auto& [from, to] : kWhole) {
        if (error == from) return to;
    }
    for (const auto& [from, to] : kBeginnings) {
        if (error.starts_with(from)) return to;
    }
    return error;
}

void write_action(JsonOut& out, const TracedCall& call) {
    out.begin_object();
    if (call.type == Type::SelfDestruct) {
        out.data("address", call.from);
        out.quantity("balance", call.value);
        out.data("refundAddress", call.to);
        out.end_object();
        return;
    }
    if (call.is_create()) {
        out.key("creationMethod");
        out.string(name_of(call.type));
    } else {
        out.key("callType");
        out.string(name_of(call.type));
    }
    out.data("from", call.from);
    out.quantity("gas", call.gas);
    if (call.is_create()) {
        out.data("init", call.input);
    } else {
        out.data("input", call.input);
        out.data("to", call.to);
    }
    if (call.type != Type::StaticCall) out.quantity("value", call.value);
    out.end_object();
}

void write_result(JsonOut& out, const TracedCall& call) {
    out.key("result");
    out.begin_object();
    if (call.is_create()) {
        if (!call.failed()) out.data("address", call.to);
        out.data("code", call.output);
    }
    out.quantity("gasUsed", call.gas_used);
    if (!call.is_create()) out.data("output", call.output);
    out.end_object();
}

}  // namespace

void FlatCallTracer::write(JsonOut& out, const chain::TxOutcome& outcome) {
    out.begin_array();
    std::vector<uint64_t> place;
    write_call(out, finish(outcome), place);
    out.end_array();
}

void FlatCallTracer::write_call(JsonOut& out, const TracedCall& call,
                                std::vector<uint64_t>& place) const {
    out.begin_object();
    out.key("action");
    write_action(out, call);
    if (traced().block_hash) {
        out.data("blockHash", *traced().block_hash);
    } else {
        out.null("blockHash");
    }
    out.key("blockNumber");
    out.number(traced().env.context.number);
    if (call.failed()) {
        out.key("error");
        out.string(parity_errors_ ? parity_error(call.error) : call.error);
    }
    // What a revert returned says why.
    const bool has_result = !call.failed() || call.status == evm::Status::Revert;
    if (has_result && call.type != Type::SelfDestruct) write_result(out, call);
    out.key("subtraces");
    out.number(uint64_t{call.calls.size()});
    out.key("traceAddress");
    out.begin_array();
    for (const uint64_t index : place) out.number(index);
    out.end_array();
    if (traced().hash) {
        out.data("transactionHash", *traced().hash);
    } else {
        out.null("transactionHash");
    }
    out.key("transactionPosition");
    out.number(traced().index);
    out.key("type");
    out.string(call.is_create() ? "create" : call.type == Type::SelfDestruct ? "suicide" : "call");
    out.end_object();
    place.push_back(0);
    for (const TracedCall& each : call.calls) {
        write_call(out, each, place);
        ++place.back();
    }
    place.pop_back();
}

Answer<TracerFactory> find_flat_call_tracer(std::optional<JsonValue> config) {
    CallTreeOptions options;
    options.with_precompiles = false;
    bool parity_errors = false;
    if (config) {
        Members members(*config);
        members.read("convertParityErrors", to_bool, parity_errors);
        members.read("includePrecompiles", to_bool, options.with_precompiles);
        if (members.error()) return core::unexpected(*members.error());
    }
    return TracerFactory([options, parity_errors](const TracedTx& traced) {
        return std::make_unique<FlatCallTracer>(traced, options, parity_errors);
    });
}

}  // namespace keel::rpc::debug
