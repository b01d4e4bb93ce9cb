#pragma once

// callTracer: the tree of calls of a transaction, as geth's tracer of that name has it.

#include <optional>
#include <vector>

#include "core/types/receipt.hpp"
#include "evm/tracer.hpp"
#include "rpc/debug/trace_config.hpp"
#include "rpc/json_out.hpp"
#include "state/journal.hpp"

namespace keel::rpc::debug {

/// A log within the tree of calls.
struct TracedLog {
    core::Log log;
    uint64_t index;
    size_t position;  // calls of the frame before it
};
/// A call and those that it made.
struct TracedCall {
    const char* type = "CALL";
    core::Address from;
    core::Address to;
    std::optional<core::U256> value;
    int64_t gas = 0;
    int64_t gas_used = 0;
    core::Bytes input;
    core::Bytes output;
    evm::Status status = evm::Status::Success;
    std::vector<TracedCall> calls;
    std::vector<TracedLog> logs;

    bool is_create() const noexcept { return type[0] == 'C' && type[1] == 'R'; }
};

class CallTracer final : public evm::Tracer {
  public:
    /// lifetime: the references.
    CallTracer(const state::Journal& journal, const TraceConfig& config, uint64_t deadline_ms)
        : journal_(journal), config_(config), deadline_ms_(deadline_ms) {}

    void enter(const evm::Message& message) override;
    void exit(const evm::Message& message, const evm::CallResult& result) override;
    void step(const evm::Step& step) override;
    void charged(int64_t gas_left) override;
    void fault(evm::Status status) override;

    /// The tree; of the outermost call the gas is the transaction's.
    void write(JsonOut& out, uint64_t gas_limit, uint64_t gas_used) const;

  private:
    using Frame = TracedCall;
    using Log = TracedLog;

    void write_frame(JsonOut& out, const Frame& frame, uint64_t gas, uint64_t gas_used) const;
    static void drop_logs(Frame& frame);

    const state::Journal& journal_;
    const TraceConfig& config_;
    const uint64_t deadline_ms_;
    std::vector<Frame> open_;  // outermost first
    Frame root_;
    uint64_t steps_ = 0;
    uint64_t log_count_ = 0;
    uint8_t op_ = 0;  // of the last step
    std::optional<Frame> destructs_;
};

}  // namespace keel::rpc::debug
