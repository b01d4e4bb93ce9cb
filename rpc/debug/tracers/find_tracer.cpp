#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "rpc/debug/tracers/call.hpp"
#include "rpc/debug/tracers/flat_call.hpp"
#include "rpc/debug/tracers/four_byte.hpp"
#include "rpc/debug/tracers/mux.hpp"
#include "rpc/debug/tracers/prestate.hpp"

namespace keel::rpc::debug {
namespace {

/// noopTracer.
class NoTracer final : public NamedTracer {
  public:
    using NamedTracer::NamedTracer;
    void write(JsonOut& out, const chain::TxOutcome&) override {
        out.begin_object();
        out.end_object();
    }
};

template <class T>
Answer<TracerFactory> without_config(std::optional<JsonValue>) {
    return TracerFactory([](const TracedTx& traced) { return std::make_unique<T>(traced); });
}

using Find = Answer<TracerFactory> (*)(std::optional<JsonValue> config);
constexpr std::array<std::pair<std::string_view, Find>, 6> kTracers = {{
    {"4byteTracer", without_config<FourByteTracer>},
    {"callTracer", find_call_tracer},
    {"flatCallTracer", find_flat_call_tracer},
    {"muxTracer", find_mux_tracer},
    {"noopTracer", without_config<NoTracer>},
    {"prestateTracer", find_prestate_tracer},
}};

}  // namespace

Answer<TracerFactory> find_tracer(std::string_view name, std::optional<JsonValue> config) {
    const auto found = std::ranges::find(kTracers, name, &std::pair<std::string_view, Find>::first);
    if (found == kTracers.end()) {
        return fail(Code::Failed, fmt::format("tracer {} is not offered", name));
    }
    return found->second(config);
}

}  // namespace keel::rpc::debug
