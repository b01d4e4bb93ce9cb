#pragma once

// Executes the blocks of eth_simulateV1 one on the other, on the state of a stored block. Nothing
// of it is stored.

#include <map>
#include <memory>
#include <vector>

#include "chain/execute_tx.hpp"
#include "core/types/block.hpp"
#include "core/types/request.hpp"
#include "rpc/dispatch.hpp"
#include "rpc/eth/execution.hpp"
#include "rpc/eth/simulate_request.hpp"
#include "rpc/eth/transfer_tracer.hpp"
#include "state/layer.hpp"

namespace keel::rpc::eth {

/// What came of one call.
struct SimulatedCall {
    chain::TxOutcome outcome;
    std::vector<TransferTracer::TracedLog> logs;
};

/// A block that was simulated; its transactions view the request and `raw_txs`.
struct SimulatedOutcome {
    core::Block block;
    core::Hash32 hash;
    uint64_t size = 0;  // of the block's RLP
    std::vector<core::Bytes> raw_txs;
    std::vector<core::Hash32> tx_hashes;
    std::vector<core::Address> senders;
    std::vector<SimulatedCall> calls;
};

class Simulator {
  public:
    /// The base has a state. lifetime: call and request outlive it.
    static Answer<std::unique_ptr<Simulator>> on(Call& call, const chain::BlockId& base,
                                                 const SimulateRequest& request);
    ~Simulator();
    Simulator(const Simulator&) = delete;
    Simulator& operator=(const Simulator&) = delete;

    /// The next block; in the order of the request.
    Answer<SimulatedOutcome> run(const SimulatedBlock& block);

  private:
    class Hashes;
    Simulator(Call& call, const chain::BlockId& base, const SimulateRequest& request);

    core::Header begin_header(const SimulatedBlock& block) const;
    Answer<void> apply(const StateOverride& changes, const core::ForkRules& rules);
    Answer<void> run_calls(const SimulatedBlock& block, const chain::BlockEnv& env,
                           SimulatedOutcome& outcome, std::vector<core::Receipt>& receipts);
    Answer<core::Tx> make_tx(const CallRequest& request, const chain::BlockEnv& env,
                             uint64_t gas_used);
    core::Hash32 resolve_root();
    void finish(SimulatedOutcome& outcome, std::vector<core::Receipt>& receipts,
                const core::ForkRules& rules, const core::Requests& requests);

    Call& call_;
    const SimulateRequest& request_;
    const chain::ForkSchedule& schedule_;
    state::Journal& journal_;
    bool proof_of_stake_;
    core::Header parent_;
    core::Hash32 parent_hash_;
    uint64_t gas_left_;  // of the whole request
    const TimeLimit time_limit_;
    std::unique_ptr<state::StateReader> state_;
    std::unique_ptr<Hashes> hashes_;
    state::NewestTries newest_tries_;
    state::Layer layer_;  // from the newest state to the base
    std::vector<const state::Layer*> path_;
    std::optional<state::LayeredTries> layered_tries_;
};

}  // namespace keel::rpc::eth
