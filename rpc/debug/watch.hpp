#pragma once

// Running one transaction under what a request wants to watch it with.

#include <functional>

#include "rpc/debug/tracers/named_tracer.hpp"
#include "rpc/dispatch.hpp"

namespace keel::rpc::debug {

/// What a request of debug_trace… wants to see.
struct Watch {
    TraceConfig config;
    TracerFactory factory;  // empty: the opcode logger

    uint64_t deadline_ms() const { return core::monotonic_coarse_ms() + config.timeout_ms; }
};
/// From the object of options; none: the opcode logger.
Answer<Watch> parse_watch(std::optional<JsonValue> object);

/// Runs the transaction with the tracer that it is given.
using RunTx = std::function<Answer<chain::TxOutcome>(evm::Tracer& tracer)>;
/// Runs a transaction and writes what is seen of it.
Answer<void> write_trace(Call& call, const Watch& watch, const TracedTx& traced, const RunTx& run);

}  // namespace keel::rpc::debug
