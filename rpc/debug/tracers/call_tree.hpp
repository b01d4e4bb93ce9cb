#pragma once

// The tree of calls of a transaction: what callTracer and flatCallTracer tell.

#include <optional>
#include <string>
#include <vector>

#include "core/types/receipt.hpp"
#include "rpc/debug/failed_step.hpp"
#include "rpc/debug/tracers/named_tracer.hpp"

namespace keel::rpc::debug {

/// A log within the tree of calls.
struct TracedLog {
    core::Log log;
    uint64_t index;   // in the block, of those that were not taken back until then
    size_t position;  // calls of the frame before it
};
/// A call and those that it made. SELFDESTRUCT is one too, of which `to` is the beneficiary.
struct TracedCall {
    enum class Type : uint8_t {
        Call,
        CallCode,
        DelegateCall,
        StaticCall,
        Create,
        Create2,
        SelfDestruct
    };

    Type type = Type::Call;
    evm::Status status = evm::Status::Success;
    core::Address from;
    core::Address to;
    core::U256 value;  // of a SELFDESTRUCT the balance that goes
    uint64_t gas = 0;
    uint64_t gas_used = 0;
    core::Bytes input;
    core::Bytes output;  // of a create its code; empty after every failure but a revert
    std::string error;   // empty: none
    std::vector<TracedCall> calls;
    std::vector<TracedLog> logs;

    bool is_create() const noexcept { return type == Type::Create || type == Type::Create2; }
    bool failed() const noexcept { return !error.empty(); }
};

struct CallTreeOptions {
    bool only_top_call = false;
    bool with_log = false;
    bool with_precompiles = true;  // CALL and STATICCALL to them; others are always there
};

class CallTree : public NamedTracer {
  public:
    CallTree(const TracedTx& traced, const CallTreeOptions& options);

    void enter(const evm::Message& message) override;
    void exit(const evm::Message& message, const evm::CallResult& result) override;
    void step(const evm::Step& step) override;
    void charged(int64_t gas_left) override;
    void fault(evm::Status status) override;

  protected:
    /// The outermost call; its gas is the transaction's.
    const TracedCall& finish(const chain::TxOutcome& outcome);

  private:
    bool leaves_out(const TracedCall& call) const;

    const CallTreeOptions options_;
    std::vector<TracedCall> open_;  // outermost first
    int32_t depth_ = 0;             // of the frame that runs
    TracedCall root_;
    FailedStep last_step_;
    std::string fault_;
    std::optional<TracedCall> destructs_;
};

}  // namespace keel::rpc::debug
