#pragma once

#include "rpc/debug/tracers/call_tree.hpp"

namespace keel::rpc::debug {

/// callTracer: the tree as it is.
class CallTracer final : public CallTree {
  public:
    using CallTree::CallTree;
    void write(JsonOut& out, const chain::TxOutcome& outcome) override;
};
Answer<TracerFactory> find_call_tracer(std::optional<JsonValue> config);

}  // namespace keel::rpc::debug
