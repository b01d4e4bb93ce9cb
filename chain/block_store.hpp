#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/types/block.hpp"
#include "core/types/receipt.hpp"
#include "crypto/seal.hpp"
#include "db/database.hpp"
#include "state/tables.hpp"

namespace keel::chain {

/// Number and hash: what names a stored block.
struct BlockId {
    uint64_t number = 0;
    core::Hash32 hash;
    friend bool operator==(const BlockId&, const BlockId&) = default;
};

/// Where a canonical transaction is.
struct TxPlace {
    uint64_t number;
    uint32_t index;
};

/// Reads blocks, their parts and the canonical index. Views live as the transaction's do. Cheap to
/// make; one thread.
class BlockReader {
  public:
    BlockReader(const db::ReadTxn& txn, const state::Tables& tables) : txn_(txn), tables_(tables) {}

    std::optional<uint64_t> number_of(const core::Hash32& hash) const;
    std::optional<BlockId> id_of(const core::Hash32& hash) const;
    std::optional<core::Hash32> canonical_hash(uint64_t number) const;
    bool is_canonical(const BlockId& id) const;

    std::optional<core::ByteView> header_rlp(const BlockId& id) const;
    std::optional<core::Header> header(const BlockId& id) const;
    std::optional<core::U256> total_difficulty(const BlockId& id) const;

    size_t tx_count(const BlockId& id) const;
    /// Raw form (type ‖ payload, or the legacy list) of one transaction, without decoding others.
    std::optional<core::ByteView> tx_raw(const BlockId& id, size_t index) const;
    core::Tx tx(const BlockId& id, size_t index) const;
    std::vector<core::Header> ommers(const BlockId& id) const;
    std::optional<std::vector<core::Withdrawal>> withdrawals(const BlockId& id) const;
    /// RLP of the whole block, as received.
    core::Bytes block_rlp(const BlockId& id) const;
    /// Length of block_rlp, without making it.
    size_t block_size(const BlockId& id) const;
    std::optional<core::Address> sender(const BlockId& id, size_t index) const;

    size_t receipt_count(const BlockId& id) const;
    /// With the bloom made anew from the logs. `gas_used` of one transaction is the difference of
    /// two cumulative values.
    core::Receipt receipt(const BlockId& id, size_t index) const;
    uint64_t cumulative_gas(const BlockId& id, size_t index) const;

    std::optional<TxPlace> find_tx(const core::Hash32& hash) const;  // canonical ones only

    // Positions and settings (table Chain).
    std::optional<BlockId> head() const;
    std::optional<BlockId> safe() const;
    std::optional<BlockId> finalized() const;
    std::optional<core::ByteView> setting(std::string_view name) const;
    core::Hash32 genesis_hash() const;

  private:
    const db::ReadTxn& txn_;
    const state::Tables& tables_;
};

// Writes. What belongs to a step is written by fork_choice.cpp.
void put_block(db::WriteTxn& txn, const state::Tables& tables, const crypto::SealedBlock& sealed,
               const core::U256& total_difficulty);
void put_receipts(db::WriteTxn& txn, const state::Tables& tables, const BlockId& id,
                  std::span<const core::Receipt> receipts);
void put_setting(db::WriteTxn& txn, const state::Tables& tables, std::string_view name,
                 core::ByteView value);

}  // namespace keel::chain
