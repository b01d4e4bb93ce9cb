#pragma once

// A block executed once more, transaction by transaction, to watch it.

#include <memory>
#include <optional>

#include "chain/execute_tx.hpp"
#include "crypto/seal.hpp"
#include "rpc/debug/tracers/named_tracer.hpp"
#include "rpc/dispatch.hpp"
#include "rpc/workspace_guards.hpp"
#include "state/layer.hpp"

namespace keel::rpc::debug {

class BlockReplay {
  public:
    /// The block and its parent are canonical; the genesis cannot be replayed. lifetime: the call.
    static Answer<std::unique_ptr<BlockReplay>> of(Call& call, const chain::BlockId& id);
    /// A block that need not be stored, on a parent that is canonical.
    static Answer<std::unique_ptr<BlockReplay>> of_given(Call& call, crypto::SealedBlock sealed);
    BlockReplay(const BlockReplay&) = delete;
    BlockReplay& operator=(const BlockReplay&) = delete;

    size_t size() const noexcept { return sealed_.tx_hashes.size(); }
    const core::Hash32& tx_hash(size_t index) const { return sealed_.tx_hashes.at(index); }
    /// Index of the next transaction.
    size_t next() const noexcept { return next_; }
    /// What a tracer of the next transaction is told. lifetime: this.
    TracedTx describe_next(uint64_t deadline_ms);
    /// Runs the next transaction; a tracer may watch it.
    Answer<chain::TxOutcome> run_next(evm::Tracer* tracer);
    state::Journal& journal() noexcept { return call_.worker.journal(); }
    /// The state now, between transactions; replay no more. lifetime: this.
    std::unique_ptr<state::StateReader> take_state();

  private:
    BlockReplay(Call& call, crypto::SealedBlock sealed) : call_(call), sealed_(std::move(sealed)) {}
    Answer<void> begin(const chain::BlockId& parent);
    core::unexpected<Error> refused(const chain::Rejection& rejection) const;

    Call& call_;
    const crypto::SealedBlock sealed_;
    bool is_stored_ = true;
    size_t next_ = 0;
    uint64_t logs_before_ = 0;
    chain::BlockEnv env_;
    chain::TxRoom room_{};
    std::unique_ptr<state::StateReader> state_;
    std::unique_ptr<state::BlockHashes> hashes_;
    state::Layer layer_;
    const state::Layer* path_[1] = {&layer_};
};

}  // namespace keel::rpc::debug
