#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "chain/receipts.hpp"
#include "core/types/block.hpp"
#include "core/types/receipt.hpp"
#include "crypto/seal.hpp"
#include "db/database.hpp"
#include "state/tables.hpp"

namespace keel::chain {

// How the rows of a block are laid out (numbers big-endian, offsets 4 bytes):
//
//   BlockBody  count ‖ end of each transaction, counted from the end of this table ‖ transactions
//              as they stand in the body ‖ list of ommers ‖ list of withdrawals (from Shanghai on)
//   Receipt    count ‖ end of each receipt ‖ receipts: RLP [type, state root of 32 bytes or status
//              0 or 1, cumulative gas, logs]; the bloom is made anew from the logs
//   TxSender   20 bytes a transaction
//
// so that one transaction or receipt is reached without a look at the others. A block without
// transactions has no rows in Receipt and TxSender.

/// Names of the rows of table Chain.
namespace setting {
inline constexpr std::string_view kGenesis = "genesis";       // hash of block 0
inline constexpr std::string_view kConfig = "config";         // JSON
inline constexpr std::string_view kNetworkId = "network_id";  // 8 bytes big-endian
inline constexpr std::string_view kHead = "head";             // number (8 bytes) ‖ hash
inline constexpr std::string_view kSafe = "safe";             // the same
inline constexpr std::string_view kFinalized = "finalized";   // the same
inline constexpr std::string_view kIndexed = "indexed";       // 8 bytes: last block in the indexes
// number (8 bytes) ‖ hash behind it: state root of a block that was edited
inline constexpr std::string_view kEditedRoot = "edited_root:";
}  // namespace setting

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
    /// Of the header, without decoding the rest of it. The block is stored and not the genesis.
    BlockId parent_of(const BlockId& id) const;
    std::optional<core::U256> total_difficulty(const BlockId& id) const;

    size_t tx_count(const BlockId& id) const;
    /// Raw form (type ‖ payload, or the legacy list) of one transaction, without decoding others.
    std::optional<core::ByteView> tx_raw(const BlockId& id, size_t index) const;
    core::Tx tx(const BlockId& id, size_t index) const;
    std::vector<core::Hash32> tx_hashes(const BlockId& id) const;
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
    /// Of one receipt, without its bloom.
    std::vector<core::Log> logs(const BlockId& id, size_t index) const;
    /// Logs of the transactions before this one: the index in the block of its first log.
    uint64_t logs_before(const BlockId& id, size_t index) const;

    std::optional<TxPlace> find_tx(const core::Hash32& hash) const;  // canonical ones only

    /// Root of the state behind a block that was edited (Chain::edit_head); none: the header's.
    std::optional<core::Hash32> edited_root(const BlockId& id) const;

    // Positions and settings (table Chain).
    std::optional<BlockId> head() const;
    std::optional<BlockId> safe() const;
    std::optional<BlockId> finalized() const;
    /// Last block that the chunked indexes cover.
    uint64_t indexed() const;
    std::optional<core::ByteView> setting(std::string_view name) const;
    /// Throws Fault::Usage when there is no genesis.
    core::Hash32 genesis_hash() const;

  private:
    std::optional<BlockId> position(std::string_view name) const;
    core::Receipt receipt_without_bloom(const BlockId& id, size_t index) const;

    const db::ReadTxn& txn_;
    const state::Tables& tables_;
};

// Writes.

/// Header, body, senders and total difficulty; the block is canonical only after put_canonical.
void put_block(db::WriteTxn& txn, const state::Tables& tables, const crypto::SealedBlock& sealed,
               const core::U256& total_difficulty);
void put_receipts(db::WriteTxn& txn, const state::Tables& tables, const BlockId& id,
                  std::span<const core::Receipt> receipts);
void put_receipts(db::WriteTxn& txn, const state::Tables& tables, const BlockId& id,
                  const ReceiptRow& row);
void put_setting(db::WriteTxn& txn, const state::Tables& tables, std::string_view name,
                 core::ByteView value);
/// None: the row goes.
void put_edited_root(db::WriteTxn& txn, const state::Tables& tables, const BlockId& id,
                     const std::optional<core::Hash32>& root);
/// setting::kHead, kSafe or kFinalized; none: the row goes.
void put_position(db::WriteTxn& txn, const state::Tables& tables, std::string_view name,
                  const std::optional<BlockId>& id);
/// Rows that make a stored block canonical: CanonicalHeader, TxLookup.
void put_canonical(db::WriteTxn& txn, const state::Tables& tables, const BlockId& id,
                   std::span<const core::Hash32> tx_hashes);
void remove_canonical(db::WriteTxn& txn, const state::Tables& tables, const BlockId& id,
                      std::span<const core::Hash32> tx_hashes);

}  // namespace keel::chain
