#pragma once

// A stored block executed once more, transaction by transaction, to watch it.

#include <memory>

#include "chain/execute_tx.hpp"
#include "core/types/tx.hpp"
#include "rpc/dispatch.hpp"

namespace keel::rpc::debug {

class BlockReplay {
  public:
    /// The block and its parent are canonical; the genesis cannot be replayed. lifetime: the call.
    static Answer<std::unique_ptr<BlockReplay>> of(Call& call, const chain::BlockId& id);
    BlockReplay(const BlockReplay&) = delete;
    BlockReplay& operator=(const BlockReplay&) = delete;

    size_t size() const noexcept { return tx_count_; }
    const core::Hash32& tx_hash(size_t index) const { return tx_hashes_.at(index); }
    /// Runs the next transaction; a tracer may watch it.
    chain::TxOutcome run_next(evm::Tracer* tracer);
    size_t next() const noexcept { return next_; }
    state::Journal& journal() noexcept { return call_.worker.journal(); }

  private:
    BlockReplay(Call& call, const chain::BlockId& id) : call_(call), id_(id) {}

    Call& call_;
    const chain::BlockId id_;
    size_t tx_count_ = 0;
    size_t next_ = 0;
    std::vector<core::Hash32> tx_hashes_;
    chain::BlockEnv env_;
    chain::TxRoom room_{};
    std::unique_ptr<state::StateReader> state_;
    std::unique_ptr<state::BlockHashes> hashes_;
};

}  // namespace keel::rpc::debug
