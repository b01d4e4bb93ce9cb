#pragma once

// Executing calls that are in no block: on the state of a block, with what the caller wants to be
// otherwise.

#include <memory>
#include <optional>

#include "chain/execute_tx.hpp"
#include "rpc/dispatch.hpp"
#include "rpc/eth/call_request.hpp"
#include "rpc/workspace_guards.hpp"

namespace keel::rpc::eth {

/// Parameters that eth_call and its like share.
struct CallParams {
    CallRequest request;
    StateOverride state;
    BlockOverride block;
};
/// From the parameters (call, block?, state overrides?, block overrides?); `block_at`: the place of
/// the block.
Answer<CallParams> parse_call_params(Args& args, std::optional<JsonValue> object,
                                     std::optional<JsonValue> state_object,
                                     std::optional<JsonValue> block_object);

/// Hashes for BLOCKHASH in a block that stands in the place of `id`.
std::unique_ptr<state::BlockHashes> hashes_before(Snapshot& snapshot, const chain::BlockId& id);

/// What callers are told when the time of their call is over.
std::string time_over_text(uint64_t limit_ms);

/// One block's environment; runs any number of calls, each on the state that it was made with.
class Execution {
  public:
    /// Of a request with the parameters (call, block?, state overrides?, block overrides?).
    /// lifetime: `call` outlives it, here and below.
    static Answer<std::unique_ptr<Execution>> of_request(Call& call);
    /// The block must have a state.
    static Answer<std::unique_ptr<Execution>> prepare(Call& call, const chain::BlockId& id,
                                                      CallParams params);
    /// On this state in place of the block's own.
    static Answer<std::unique_ptr<Execution>> prepare_on(Call& call, const chain::BlockId& id,
                                                         CallParams params,
                                                         std::unique_ptr<state::StateReader> below);
    Execution(const Execution&) = delete;
    Execution& operator=(const Execution&) = delete;

    /// A call with this gas limit; funds are checked, and prices where one was given.
    core::Result<chain::TxOutcome, chain::Rejection> run(const core::Tx& tx) {
        begin();
        return execute(tx);
    }
    // The two parts of run(): between them the journal has the state before the call.
    void begin() { journal().begin_block(*top_, *hashes_); }
    core::Result<chain::TxOutcome, chain::Rejection> execute(const core::Tx& tx);
    state::Journal& journal() { return call_.worker.journal(); }
    core::Tx tx(uint64_t gas) const {
        return params_.request.to_tx(gas, env_.rules.rules.eip_1559);
    }
    /// As in a block of that time.
    void set_timestamp(uint64_t timestamp) noexcept { env_.context.timestamp = timestamp; }
    /// In place of the limit that calls have.
    void set_deadline_ms(uint64_t deadline_ms) noexcept {
        time_limit_.set_deadline_ms(deadline_ms);
    }
    const CallRequest& request() const noexcept { return params_.request; }
    const chain::BlockEnv& env() const noexcept { return env_; }
    state::StateReader& state() noexcept { return *top_; }
    evm::Workspace& workspace() noexcept { return call_.worker.workspace(); }

  private:
    Execution(Call& call, CallParams params)
        : call_(call),
          params_(std::move(params)),
          time_limit_(call.worker.workspace(), call.backend.call_ms_max) {}

    Call& call_;
    const CallParams params_;
    TimeLimit time_limit_;  // of all that runs here
    chain::BlockEnv env_;
    std::unique_ptr<state::StateReader> below_;
    std::optional<OverriddenState> overridden_;
    state::StateReader* top_ = nullptr;
    std::unique_ptr<state::BlockHashes> hashes_;
    evm::PrecompileOverrides precompiles_;
};

/// The gas limit with which the call succeeds on the state of the block (eth_estimateGas).
Answer<uint64_t> estimate(Call& call, const chain::BlockId& id, const CallParams& params);

/// What a node that makes the next block itself offers where no fee was given: a tip, which gives
/// way to a lower cap, and the base fee that the block will have.
struct OwnFees {
    core::U256 tip;
    core::U256 base_fee;
};
/// The transaction that is asked for, with what was left out: fees, gas, nonce. Without `own` the
/// tip is the suggested one, the base fee the head's. lifetime: it views the request.
Answer<core::Tx> fill(Call& call, CallRequest& request, const std::optional<OwnFees>& own);

/// What callers are told that a call returned: of a create the new account's code. The journal is
/// as the transaction has left it.
core::Bytes returned_by(const chain::TxOutcome& outcome, state::Journal& journal);

/// Why a transaction could not be applied, as geth words it.
Error refusal_of(const chain::Rejection& rejection, uint64_t gas);
/// The error of a call that ran and failed.
Error failure_of(const chain::TxOutcome& outcome);

}  // namespace keel::rpc::eth
