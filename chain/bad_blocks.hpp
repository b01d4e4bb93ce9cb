#pragma once

#include <optional>
#include <string>
#include <vector>

#include "chain/block_store.hpp"
#include "chain/verdict.hpp"
#include "db/database.hpp"
#include "state/tables.hpp"

namespace keel::chain {

// Table BadBlock: blocks found invalid by a fault that their hash commits to, so that they are
// refused again without a look, after a restart too.
//
//   hash -> order of arrival (8 bytes big-endian)
//           ‖ RLP [name of the verdict, text, number ‖ hash of the last valid ancestor, producer,
//             block]

inline constexpr uint64_t kBadBlocksMax = 512;  // the newest ones stay

struct BadBlock {
    Verdict verdict = Verdict::KnownBad;
    std::string text;      // the first one given
    BlockId last_valid;    // ancestor
    std::string producer;  // version and commit of the program that judged
    core::ByteView rlp;    // lives as the transaction's views do
};

/// None: not marked, or by a program that knew other verdicts.
std::optional<BadBlock> find_bad_block(const db::ReadTxn& txn, const state::Tables& tables,
                                       const core::Hash32& hash);
/// Hashes of all, the newest first.
std::vector<core::Hash32> bad_block_hashes(const db::ReadTxn& txn, const state::Tables& tables);

/// A second mark replaces the first. The oldest goes when there are too many.
void put_bad_block(db::WriteTxn& txn, const state::Tables& tables, const core::Hash32& hash,
                   const BadBlock& bad);
void delete_bad_block(db::WriteTxn& txn, const state::Tables& tables, const core::Hash32& hash);

}  // namespace keel::chain
