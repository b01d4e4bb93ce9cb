#pragma once

#include <cstdint>
#include <vector>

#include "chain/block_store.hpp"
#include "db/database.hpp"
#include "state/journal.hpp"
#include "state/tables.hpp"

namespace keel::chain {

/// Hashes of the ancestors of a block whose parent is given, on its own branch: along the parents
/// down to the canonical chain, from there by number. What BLOCKHASH asks.
class AncestorHashes final : public state::BlockHashes {
  public:
    /// lifetime: transaction and tables.
    AncestorHashes(const db::ReadTxn& txn, const state::Tables& tables, const BlockId& parent)
        : reader_(txn, tables), known_{parent} {}

    core::Hash32 block_hash(uint64_t number) override;

  private:
    BlockReader reader_;
    std::vector<BlockId> known_;  // from the parent downwards
    bool at_canonical_ = false;   // the last one known is canonical
};

}  // namespace keel::chain
