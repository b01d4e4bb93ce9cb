#pragma once

// The opcode logger: an entry for each instruction, written while the transaction runs. Source:
// execution-apis, debug_traceTransaction; RPC.md 4.

#include <map>
#include <string>
#include <vector>

#include "evm/tracer.hpp"
#include "rpc/debug/failed_step.hpp"
#include "rpc/debug/trace_config.hpp"
#include "rpc/json_out.hpp"
#include "rpc/stream.hpp"

namespace keel::rpc::debug {

class StructLogger final : public evm::Tracer {
  public:
    /// Entries go to `out`, within an array that is open, and on to `stream` where there is one.
    /// `deadline_ms`: of the monotonic clock; `bytes_max`: of all that is in `out`. lifetime: all
    /// of them.
    StructLogger(JsonOut& out, Stream* stream, const TraceConfig& config, uint64_t deadline_ms,
                 size_t bytes_max)
        : out_(out),
          stream_(stream),
          config_(config),
          deadline_ms_(deadline_ms),
          bytes_max_(bytes_max) {}

    void enter(const evm::Message&) override {}
    void exit(const evm::Message&, const evm::CallResult&) override {}
    void step(const evm::Step& step) override;
    void charged(int64_t gas_left) override;
    void fault(evm::Status status) override;

  private:
    /// The instruction of the last step: what its entry says.
    struct Pending {
        uint64_t pc = 0;
        uint8_t op = 0;
        int32_t depth = 0;
        int64_t gas = 0;
        int64_t refund = 0;
        std::vector<core::U256> stack;
        core::Bytes memory;
        core::Bytes return_data;
        const std::map<core::U256, core::U256>* storage = nullptr;  // null: not said
    };

    void take_storage(const evm::Step& step);
    void write(uint64_t cost, const char* error);
    void check_limits();

    JsonOut& out_;
    Stream* const stream_;
    const TraceConfig& config_;
    const uint64_t deadline_ms_;
    const size_t bytes_max_;
    Pending pending_;
    FailedStep last_step_;
    uint64_t steps_ = 0;
    uint64_t entries_ = 0;
    /// What was read and written so far, by contract.
    std::map<core::Address, std::map<core::U256, core::U256>> storage_;
};

}  // namespace keel::rpc::debug
