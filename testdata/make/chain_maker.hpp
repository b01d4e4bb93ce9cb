#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "chain/execute_block.hpp"
#include "chain/fork_schedule.hpp"
#include "chain/genesis.hpp"
#include "core/types/block.hpp"
#include "core/types/header.hpp"
#include "core/types/receipt.hpp"
#include "core/types/withdrawal.hpp"
#include "crypto/seal.hpp"
#include "db/open.hpp"
#include "state/tables.hpp"
#include "testdata/make/wallet.hpp"

namespace keel::testdata {

/// What a block to be made is told; all else follows from the parent and from execution.
struct BlockPlan {
    uint64_t timestamp = 0;
    core::Address coinbase;
    std::optional<uint64_t> gas_limit;  // none: the parent's, doubled at London
    core::Bytes extra_data;
    core::Hash32 mix_hash;  // from Paris on: prevRandao
    core::Hash32 beacon_root;
    std::vector<core::Bytes> txs;  // raw form
    std::vector<core::Header> ommers;
    std::vector<core::Withdrawal> withdrawals;
};

/// A block as its parts, so that a bad one can be made of a good one.
struct BlockParts {
    core::Header header;
    std::vector<core::Bytes> txs;  // raw form
    std::vector<core::Header> ommers;
    std::optional<std::vector<core::Withdrawal>> withdrawals;
};
core::Bytes encode(const BlockParts& parts);
core::Hash32 hash_of(const core::Header& header);
/// Roots and hashes of the header that are of the body, made anew.
void put_body_roots(BlockParts& parts);

/// A chain that grows by executing: state in a store in memory, blocks beside it. Copies are made
/// by adding the same blocks again. Whatever goes wrong is a std::runtime_error: the plans here are
/// known to be good.
class ChainMaker {
  public:
    explicit ChainMaker(std::string genesis_json);
    /// Of a genesis that has been read; its text is not kept, so there are no copies.
    explicit ChainMaker(const chain::Genesis& genesis);
    ~ChainMaker();

    /// The same chain up to a number.
    std::unique_ptr<ChainMaker> up_to(uint64_t number) const;

    uint64_t number() const noexcept { return blocks_.size() - 1; }
    const BlockParts& block(uint64_t number) const { return blocks_.at(number); }
    const core::Header& head() const { return blocks_.back().header; }
    core::Hash32 hash(uint64_t number) const { return hash_of(block(number).header); }
    core::Hash32 head_hash() const { return hash(number()); }
    const core::U256& total_difficulty(uint64_t number) const { return totals_.at(number); }
    const chain::ForkSchedule& schedule() const noexcept { return schedule_; }
    const std::string& genesis_json() const noexcept { return genesis_json_; }

    /// Receipts of a block that add() has made.
    const std::vector<core::Receipt>& receipts(uint64_t number) const {
        return receipts_.at(number - 1);
    }
    /// Nonce of an account at the head.
    uint64_t nonce(const core::Address& address) const;
    /// Rules of a child of the head at this time.
    chain::BlockRules rules_at(uint64_t timestamp) const;

    /// A valid child of the head that is not kept.
    BlockParts make(const BlockPlan& plan) const;
    /// The same, and it becomes the head.
    const BlockParts& add(const BlockPlan& plan);
    /// Header of an ommer: a child of block `parent` as someone else might have found it.
    core::Header make_ommer(uint64_t parent, uint64_t timestamp,
                            const core::Address& coinbase) const;

    /// Blocks [first, last] one after the other.
    core::Bytes file(uint64_t first, uint64_t last) const;

  private:
    struct Made;
    Made execute(const BlockPlan& plan) const;
    core::Header candidate(const core::Header& parent, bool parent_has_ommers,
                           const core::U256& parent_total, uint64_t timestamp) const;

    std::string genesis_json_;
    chain::ForkSchedule schedule_;
    db::Database database_;
    state::Tables tables_;
    std::vector<BlockParts> blocks_;
    std::vector<BlockPlan> plans_;                      // of block i + 1
    std::vector<std::vector<core::Receipt>> receipts_;  // of block i + 1
    std::vector<core::U256> totals_;
    std::unique_ptr<chain::Executor> executor_;
};

/// A block in the making on the head of a chain: signs transactions with the right nonces.
class Draft {
  public:
    Draft(const ChainMaker& chain, uint64_t timestamp);

    /// Adds a transaction and answers the nonce that it has.
    uint64_t send(const Signer& from, TxPlan tx);
    /// Nonce of the next transaction of this sender.
    uint64_t next_nonce(const core::Address& address) const;
    /// Counts a nonce that something else than a transaction of this sender takes.
    void skip_nonce(const core::Address& address) { nonces_[address] = next_nonce(address) + 1; }

    BlockPlan plan;

  private:
    const ChainMaker& chain_;
    mutable std::map<core::Address, uint64_t> nonces_;
};

}  // namespace keel::testdata
