#include "rpc/debug/tracers/mux.hpp"

namespace keel::rpc::debug {

void MuxTracer::enter(const evm::Message& message) {
    for (const auto& [name, tracer] : parts_) tracer->enter(message);
}

void MuxTracer::exit(const evm::Message& message, const evm::CallResult& result) {
    for (const auto& [name, tracer] : parts_) tracer->exit(message, result);
}

void MuxTracer::step(const evm::Step& step) {
    for (const auto& [name, tracer] : parts_) tracer->step(step);
}

void MuxTracer::charged(int64_t gas_left) {
    for (const auto& [name, tracer] : parts_) tracer->charged(gas_left);
}

void MuxTracer::fault(evm::Status status) {
    for (const auto& [name, tracer] : parts_) tracer->fault(status);
}

void MuxTracer::write(JsonOut& out, const chain::TxOutcome& outcome) {
    out.begin_object();
    for (const auto& [name, tracer] : parts_) {
        out.key(name);
        tracer->write(out, outcome);
    }
    out.end_object();
}

Answer<TracerFactory> find_mux_tracer(std::optional<JsonValue> config) {
    std::vector<std::pair<std::string, TracerFactory>> factories;
    if (config) {
        for (const JsonValue member : *config) {
            const bool has_config = member.is(JsonKind::Object);
            if (!has_config && !member.is(JsonKind::Null)) {
                return fail(Code::InvalidParams, "invalid field tracerConfig: not an object");
            }
            auto factory =
                find_tracer(member.key(), has_config ? std::optional(member) : std::nullopt);
            if (!factory) return factory;
            factories.emplace_back(member.key(), *std::move(factory));
        }
    }
    return TracerFactory([factories = std::move(factories)](const TracedTx& traced) {
        std::vector<MuxTracer::Part> parts;
        for (const auto& [name, factory] : factories) parts.emplace_back(name, factory(traced));
        return std::make_unique<MuxTracer>(traced, std::move(parts));
    });
}

}  // namespace keel::rpc::debug
