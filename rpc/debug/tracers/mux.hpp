#pragma once

#include <string>
#include <utility>
#include <vector>

#include "rpc/debug/tracers/named_tracer.hpp"

namespace keel::rpc::debug {

/// muxTracer: several tracers in one run.
class MuxTracer final : public NamedTracer {
  public:
    using Part = std::pair<std::string, std::unique_ptr<NamedTracer>>;  // name

    MuxTracer(const TracedTx& traced, std::vector<Part> parts)
        : NamedTracer(traced), parts_(std::move(parts)) {}

    void enter(const evm::Message& message) override;
    void exit(const evm::Message& message, const evm::CallResult& result) override;
    void step(const evm::Step& step) override;
    void charged(int64_t gas_left) override;
    void fault(evm::Status status) override;
    void write(JsonOut& out, const chain::TxOutcome& outcome) override;

  private:
    std::vector<Part> parts_;
};
Answer<TracerFactory> find_mux_tracer(std::optional<JsonValue> config);

}  // namespace keel::rpc::debug
