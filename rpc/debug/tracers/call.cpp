#include "rpc/debug/tracers/call.hpp"

#include "rpc/members.hpp"

namespace keel::rpc::debug {

using Type = TracedCall::Type;

namespace {

std::string_view name_of(Type type) {
    switch (type) {
        case Type::Call:
            return "CALL";
        case Type::CallCode:
            return "CALLCODE";
        case Type::DelegateCall:
            return "DELEGATECALL";
        case Type::StaticCall:
            return "STATICCALL";
        case Type::Create:
            return "CREATE";
        case Type::Create2:
            return "CREATE2";
        case Type::SelfDestruct:
            return "SELFDESTRUCT";
    }
    return "";
}

void write_log(JsonOut& out, const TracedLog& traced) {
    out.begin_object();
    out.data("address", traced.log.address);
    out.key("topics");
    out.begin_array();
    for (const core::Hash32& topic : traced.log.topics) out.data(topic);
    out.end_array();
    out.data("data", traced.log.data);
    out.quantity("index", traced.index);
    out.quantity("position", uint64_t{traced.position});
    out.end_object();
}

void write_failure(JsonOut& out, const TracedCall& call) {
    out.key("error");
    out.string(call.error);
    if (call.status != evm::Status::Revert) return;
    constexpr std::string_view kPlain = "execution reverted: ";
    const std::string message = revert_message(call.output);
    if (!message.starts_with(kPlain) || message.size() == kPlain.size()) return;
    out.key("revertReason");
    out.string(std::string_view(message).substr(kPlain.size()));
}

void write_call(JsonOut& out, const TracedCall& call) {
    out.begin_object();
    out.data("from", call.from);
    out.quantity("gas", call.gas);
    out.quantity("gasUsed", call.gas_used);
    if (!call.failed() || !call.is_create()) out.data("to", call.to);
    out.data("input", call.input);
    if (!call.output.empty()) out.data("output", call.output);
    if (call.failed()) write_failure(out, call);
    if (!call.calls.empty()) {
        out.key("calls");
        out.begin_array();
        for (const TracedCall& each : call.calls) write_call(out, each);
        out.end_array();
    }
    if (!call.logs.empty()) {
        out.key("logs");
        out.begin_array();
        for (const TracedLog& each : call.logs) write_log(out, each);
        out.end_array();
    }
    if (call.type != Type::StaticCall) out.quantity("value", call.value);
    out.key("type");
    out.string(name_of(call.type));
    out.end_object();
}

}  // namespace

void CallTracer::write(JsonOut& out, const chain::TxOutcome& outcome) {
    write_call(out, finish(outcome));
}

Answer<TracerFactory> find_call_tracer(std::optional<JsonValue> config) {
    CallTreeOptions options;
    if (config) {
        Members members(*config);
        members.read("onlyTopCall", to_bool, options.only_top_call);
        members.read("withLog", to_bool, options.with_log);
        if (members.error()) return core::unexpected(*members.error());
    }
    return TracerFactory([options](const TracedTx& traced) {
        return std::make_unique<CallTracer>(traced, options);
    });
}

}  // namespace keel::rpc::debug
