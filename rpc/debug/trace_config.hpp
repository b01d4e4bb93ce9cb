#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "rpc/error.hpp"
#include "rpc/json_in.hpp"

namespace keel::rpc::debug {

/// The second parameter of debug_trace…; members as geth has them.
struct TraceConfig {
    std::string tracer;  // empty: the opcode logger
    // Of the opcode logger.
    bool memory = false;
    bool stack = true;
    bool storage = true;
    bool return_data = false;
    uint64_t limit = 0;                           // entries; 0: any number
    std::optional<JsonValue> tracer_config = {};  // an object; lives as the request does
    uint64_t timeout_ms = 5'000;
};
Answer<TraceConfig> parse_trace_config(std::optional<JsonValue> object);

inline constexpr const char* kTimeOver = "execution timeout";

/// Thrown by a tracer to end a transaction that takes too long or says too much; caught by the
/// method that traces.
struct TraceStopped {
    const char* reason;
};

}  // namespace keel::rpc::debug
