#pragma once

// What of a block is not stored but hashed: the hashes of its transactions and the blooms of its
// receipts; and where the logs of each transaction begin, for which all receipts before are walked
// over.

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "chain/block_view.hpp"
#include "core/types/bloom.hpp"
#include "rpc/eth/block_cache.hpp"

namespace keel::rpc::eth {

using TxHashes = std::vector<core::Hash32>;

/// Of the receipts of one block.
class ReceiptFacts {
  public:
    explicit ReceiptFacts(const chain::BlockView& block);

    /// Index in the block of the transaction's first log.
    uint64_t first_log(size_t tx) const noexcept { return tx == 0 ? 0 : log_ends_[tx - 1]; }
    core::Bloom bloom(size_t tx) const noexcept;
    size_t bytes() const noexcept;

  private:
    std::vector<uint32_t> log_ends_;  // by transaction: logs up to and with its own
    // A bloom is mostly zeros: its bits that are set, and where each receipt's end.
    std::vector<uint32_t> bit_ends_;
    std::vector<uint16_t> bits_;
};

/// Any thread.
class FactsCache {
  public:
    static constexpr size_t kBytesMax = size_t{8} << 20;  // each of the two

    BlockCache<TxHashes> tx_hashes{kBytesMax};
    BlockCache<ReceiptFacts> receipts{kBytesMax};
};

// `cache` null: made for the caller alone. All of it follows from the block: an answer with a cache
// is the answer without (BlockFacts.an_answer_with_a_cache_is_the_answer_without).

std::shared_ptr<const TxHashes> tx_hashes_of(const chain::BlockView& block, FactsCache* cache);
std::shared_ptr<const ReceiptFacts> receipt_facts_of(const chain::BlockView& block,
                                                     FactsCache* cache);
/// Of one transaction: makes those of the whole block only if it is asked for again.
core::Hash32 tx_hash_of(const chain::BlockView& block, size_t index, FactsCache* cache);
/// The same for a receipt; null: the caller does better without.
std::shared_ptr<const ReceiptFacts> receipt_facts_if_wanted(const chain::BlockView& block,
                                                            FactsCache* cache);
/// Of logs by themselves.
core::Bloom bloom_of(const chain::BlockView& block, core::ByteView logs);
/// Logs of the transactions before this one.
uint64_t logs_before(const chain::BlockView& block, size_t tx);

}  // namespace keel::rpc::eth
