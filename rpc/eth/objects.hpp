#pragma once

// Blocks, transactions, receipts and logs as JSON objects. Members: execution-apis, schemas.

#include <cstdint>
#include <optional>

#include "chain/block_store.hpp"
#include "chain/fork_schedule.hpp"
#include "core/types/header.hpp"
#include "core/types/receipt.hpp"
#include "core/types/tx.hpp"
#include "rpc/json_out.hpp"
#include "rpc/snapshot.hpp"

namespace keel::rpc::eth {

/// Where a mined transaction is, and what its prices depend on.
struct MinedPlace {
    chain::BlockId block;
    uint64_t timestamp_s = 0;
    std::optional<core::U256> base_fee;
    uint64_t index = 0;
};

/// What a sender pays a gas.
core::U256 effective_gas_price(const core::Tx& tx, const std::optional<core::U256>& base_fee);

/// Member `accessList`.
void write_access_list(JsonOut& out, const core::AccessList& list);

/// Member `withdrawals`.
void write_withdrawals(JsonOut& out, const std::vector<core::Withdrawal>& withdrawals);

/// A log object; `log_index` counts through the block.
void write_log(JsonOut& out, const chain::LogView& log, const MinedPlace& place,
               const core::Hash32& tx_hash, uint64_t log_index, bool removed = false);

/// Members of a header that a block object and a header object share.
void write_header_members(JsonOut& out, const core::Header& header, const core::Hash32& hash);

/// A whole block object; transactions as objects or as hashes.
void write_block(JsonOut& out, const Snapshot& snapshot, const chain::BlockId& id,
                 bool full_transactions);

void write_tx(JsonOut& out, const core::Tx& tx, const core::Hash32& hash, const core::Address& from,
              const MinedPlace& place);

/// One that waits for a block.
void write_pooled_tx(JsonOut& out, const core::Tx& tx, const core::Hash32& hash,
                     const core::Address& from);

/// One that nobody has signed yet: without sender, hash and signature.
void write_unsigned_tx(JsonOut& out, const core::Tx& tx);

/// One transaction of a block, found by its index, which is one.
void write_tx_at(JsonOut& out, const Snapshot& snapshot, const chain::BlockId& id, size_t index);

/// What the receipts of one block have in common.
class ReceiptWriter {
  public:
    ReceiptWriter(const Snapshot& snapshot, const chain::ForkSchedule& schedule,
                  const chain::BlockId& id);

    /// The receipts of the block in their order, as an array.
    void write_all(JsonOut& out);
    void write_one(JsonOut& out, size_t index);

  private:
    void write(JsonOut& out, size_t index, const chain::ReceiptView& receipt,
               const core::Hash32& hash, const core::Bloom& bloom, uint64_t cumulative_gas_before,
               uint64_t first_log_index);

    const Snapshot& snapshot_;
    const chain::BlockId id_;
    const chain::BlockView block_;
    const core::Header header_;
    std::optional<core::U256> blob_base_fee_;  // from Cancun on
};

/// With the upper-case letters of EIP-55.
std::string with_checksum(const core::Address& address);

}  // namespace keel::rpc::eth
