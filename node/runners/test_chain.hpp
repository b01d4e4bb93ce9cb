#pragma once

// The chain that a block or engine test runs on: its genesis, and what its head holds.

#include <filesystem>

#include "chain/genesis.hpp"
#include "db/database.hpp"
#include "node/runners/fixture_json.hpp"
#include "state/tables.hpp"

namespace keel::node::runners {

/// A store in memory.
db::Database open_test_store();

/// A store on LMDB in `directory`, whatever was there before. Nothing of it is flushed.
db::Database open_lmdb_test_store(const std::filesystem::path& directory);

/// A store in memory for tests that run one after the other: to empty it is cheaper than to make
/// one, and the kernel gives out no new memory. One thread.
class ScratchStore {
  public:
    /// A store in which nothing is; whatever the test before has left is gone. Its transactions are
    /// at an end.
    const db::Database& empty();

  private:
    db::Database database_;
    unsigned tests_ = 0;  // since it was made
};

/// What `genesisBlockHeader` and `pre` of a test say.
chain::Genesis read_genesis(const JsonObject& test, const chain::ChainConfig& config);

/// What the newest state holds, read row by row.
Alloc read_newest(const db::ReadTxn& txn, const state::Tables& tables);

/// Head and state against `lastblockhash`, `postStateHash` and `postState`; the first difference.
std::optional<std::string> end_difference(const db::ReadTxn& txn, const state::Tables& tables,
                                          const JsonObject& test);

}  // namespace keel::node::runners
