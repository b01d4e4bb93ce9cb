#pragma once

// What the tracers that are chosen by name have in common. Source: geth's tracers of these names;
// RPC.md 4.

#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "chain/execute_tx.hpp"
#include "core/clock.hpp"
#include "evm/tracer.hpp"
#include "rpc/debug/trace_config.hpp"
#include "rpc/json_in.hpp"
#include "rpc/json_out.hpp"
#include "state/journal.hpp"

namespace keel::rpc::debug {

/// A transaction that is about to run; the journal is between transactions. lifetime: the
/// references outlive the tracer.
struct TracedTx {
    const core::Tx& tx;
    const core::Address& sender;
    const chain::BlockEnv& env;
    state::Journal& journal;
    // Of one that stands in a block.
    std::optional<core::Hash32> block_hash = {};
    std::optional<core::Hash32> hash = {};
    uint64_t index = 0;
    uint64_t logs_before = 0;  // in the block
    uint64_t deadline_ms = UINT64_MAX;

    const core::ForkRules& rules() const noexcept { return env.rules.rules; }
};

/// Watches one transaction; made just before it runs.
class NamedTracer : public evm::Tracer {
  public:
    explicit NamedTracer(const TracedTx& traced) : traced_(traced) {}

    void enter(const evm::Message&) override {}
    void exit(const evm::Message&, const evm::CallResult&) override {}
    void step(const evm::Step&) override { tick(); }
    void charged(int64_t) override {}
    void fault(evm::Status) override {}
    /// The result, when the transaction has ended.
    virtual void write(JsonOut& out, const chain::TxOutcome& outcome) = 0;

  protected:
    /// Once a step: ends the transaction when its time is over.
    void tick() {
        if (++steps_ % kStepsBetweenLooks != 0) return;
        if (core::monotonic_coarse_ms() >= traced_.deadline_ms) {
            throw TraceStopped{kTimeOver};
        }
    }
    const TracedTx& traced() const noexcept { return traced_; }

  private:
    static constexpr uint64_t kStepsBetweenLooks = 4096;
    TracedTx traced_;
    uint64_t steps_ = 0;
};

/// Its configuration is read already; makes one for each transaction.
using TracerFactory = std::function<std::unique_ptr<NamedTracer>(const TracedTx&)>;
/// Names that are not offered and configurations that make no sense are errors.
Answer<TracerFactory> find_tracer(std::string_view name, std::optional<JsonValue> config);

}  // namespace keel::rpc::debug
