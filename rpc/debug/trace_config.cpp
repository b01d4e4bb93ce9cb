#include "rpc/debug/trace_config.hpp"

#include <algorithm>
#include <charconv>

#include "rpc/duration.hpp"
#include "rpc/members.hpp"

namespace keel::rpc::debug {
namespace {

constexpr uint64_t kTimeoutMax_ms = 300'000;

Converted<uint64_t> to_number(JsonValue value) {
    uint64_t number = 0;
    const std::string_view text = value.is(JsonKind::Number) ? value.raw() : "";
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    if (text.empty() || read.ec != std::errc())
        return core::unexpected(std::string("not a number"));
    return number;
}

Converted<std::string> to_name(JsonValue value) {
    const auto text = to_text(value);
    if (!text) return core::unexpected(text.error());
    return std::string(*text);
}

Converted<uint64_t> to_milliseconds(JsonValue value) {
    const auto given = to_text(value);
    if (!given) return core::unexpected(given.error());
    const auto duration_ms = parse_duration_ms(*given);
    if (!duration_ms) return core::unexpected(std::string("not a duration"));
    return std::min(*duration_ms, kTimeoutMax_ms);
}

}  // namespace

Answer<TraceConfig> parse_trace_config(std::optional<JsonValue> object) {
    TraceConfig config;
    if (!object) return config;
    bool disable_stack = false;
    bool disable_storage = false;
    Members members(*object);
    members.read("tracer", to_name, config.tracer);
    members.read("enableMemory", to_bool, config.memory);
    members.read("disableStack", to_bool, disable_stack);
    members.read("disableStorage", to_bool, disable_storage);
    members.read("enableReturnData", to_bool, config.return_data);
    members.read("limit", to_number, config.limit);
    members.read("timeout", to_milliseconds, config.timeout_ms);
    config.stack = !disable_stack;
    config.storage = !disable_storage;
    if (const auto options = members.find("tracerConfig")) {
        if (!options->is(JsonKind::Object)) {
            return fail(Code::InvalidParams, "invalid field tracerConfig: not an object");
        }
        config.tracer_config = options;
    }
    if (members.error()) return core::unexpected(*members.error());
    return config;
}

}  // namespace keel::rpc::debug
