#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "chain/fork_schedule.hpp"
#include "chain/verdict.hpp"
#include "core/result.hpp"
#include "crypto/seal.hpp"

namespace keel::chain {

/// RLP of a block. Source: EIP-7934, MAX_RLP_BLOCK_SIZE.
inline constexpr size_t kBlockBytesMax = 10'485'760 - 2'097'152;

/// What the rules of ommers ask about ancestors of a block.
struct OmmerAncestor {
    core::Hash32 hash;
    core::Header header;
    std::vector<core::Header> ommers;
    bool proof_of_stake_child = false;  // whether a child of it is proof-of-stake
};
/// Ancestor at a distance from 1 (the parent) on; none: beyond the genesis.
using FindAncestor = std::function<std::optional<OmmerAncestor>(uint64_t distance)>;

/// Rules of a body against its own header (EVM.md 2.3, 3.3): size, ommers, transactions root,
/// withdrawals, blob gas. Nothing of the state is needed. `find_ancestor` is called only for a
/// block that has ommers. The seals of ommers are checked apart.
[[nodiscard]] core::Result<void, Rejection> check_body(const crypto::SealedBlock& sealed,
                                                       const BlockRules& block,
                                                       const ForkSchedule& schedule,
                                                       const FindAncestor& find_ancestor);

/// The refusal of a block whose RLP does not decode; names the transaction if it is one of those.
Rejection reject_undecodable_block(core::ByteView rlp, core::RlpError error);

}  // namespace keel::chain
