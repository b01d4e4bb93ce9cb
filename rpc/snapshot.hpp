#pragma once

// One view of the chain for a whole request, a batch included: whatever the writer does meanwhile,
// a request sees one head and the state that belongs to it.

#include <memory>
#include <optional>

#include "chain/block_store.hpp"
#include "chain/block_view.hpp"
#include "chain/fork_schedule.hpp"
#include "db/database.hpp"
#include "rpc/args.hpp"
#include "rpc/error.hpp"
#include "state/reader.hpp"
#include "state/tables.hpp"

namespace keel::rpc {

namespace eth {
class FactsCache;
}

/// Begins a read transaction and ends it. Takes no lock that other readers take. One thread.
class Snapshot {
  public:
    /// lifetime: tables and facts. `facts` null: what is not stored is made anew.
    Snapshot(const db::Database& database, const state::Tables& tables,
             eth::FactsCache* facts = nullptr)
        : txn_(database.begin_ro()), tables_(tables), blocks_(txn_, tables), facts_(facts) {}
    Snapshot(const Snapshot&) = delete;
    Snapshot& operator=(const Snapshot&) = delete;

    const db::ReadTxn& txn() const noexcept { return txn_; }
    const state::Tables& tables() const noexcept { return tables_; }
    const chain::BlockReader& blocks() const noexcept { return blocks_; }
    /// A block that find() has given.
    chain::BlockView block(const chain::BlockId& id) const { return {txn_, tables_, id}; }
    eth::FactsCache* facts() const noexcept { return facts_; }
    const chain::BlockId& head();

    /// None: there is no such block. Tags that nothing has set yet are errors.
    Answer<std::optional<chain::BlockId>> find(const BlockSelector& selector);
    /// For methods that need the block's state: no such block is an error.
    Answer<chain::BlockId> require(const BlockSelector& selector);
    /// State after the block.
    Answer<std::unique_ptr<state::StateReader>> state(const chain::BlockId& id);
    Answer<std::unique_ptr<state::StateReader>> state(const BlockSelector& selector);
    /// Header of a block that find() has given.
    core::Header header(const chain::BlockId& id) const;
    /// Rules that hold in the block.
    chain::BlockRules rules(const chain::ForkSchedule& schedule, const chain::BlockId& id,
                            const core::Header& header) const;

  private:
    db::ReadTxn txn_;
    const state::Tables& tables_;
    chain::BlockReader blocks_;
    eth::FactsCache* facts_;
    std::optional<chain::BlockId> head_;
};

}  // namespace keel::rpc
