#pragma once

#include "rpc/debug/tracers/call_tree.hpp"

namespace keel::rpc::debug {

/// flatCallTracer: a list of the calls, each with the way to it from the outermost one, as Parity
/// had it.
class FlatCallTracer final : public CallTree {
  public:
    /// `parity_errors`: its words for errors instead of geth's.
    FlatCallTracer(const TracedTx& traced, const CallTreeOptions& options, bool parity_errors)
        : CallTree(traced, options), parity_errors_(parity_errors) {}
    void write(JsonOut& out, const chain::TxOutcome& outcome) override;

  private:
    void write_call(JsonOut& out, const TracedCall& call, std::vector<uint64_t>& place) const;

    const bool parity_errors_;
};
Answer<TracerFactory> find_flat_call_tracer(std::optional<JsonValue> config);

}  // namespace keel::rpc::debug
