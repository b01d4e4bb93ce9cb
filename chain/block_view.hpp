#pragma once

// The rows of one block, looked up once, and views of their items: for whoever writes many
// transactions, receipts or logs. Nothing is copied; views live as the transaction's do.

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "chain/block_store.hpp"
#include "core/types/receipt.hpp"

namespace keel::chain {

/// Of a row that is not what was written. `what` completes the sentence.
[[noreturn]] void throw_damaged_row(const char* table, const BlockId& id, std::string_view what);

/// A row that begins with a table of offsets (block_store.hpp). Only what is asked for is looked
/// at.
class ItemRow {
  public:
    ItemRow() = default;
    /// lifetime: `id` outlives it.
    ItemRow(core::ByteView row, const char* table, const BlockId& id);

    size_t count() const noexcept { return count_; }
    core::ByteView item(size_t index) const;
    /// All items joined, and what follows them.
    core::ByteView items() const { return items_.sub(0, items_end()); }
    core::ByteView rest() const { return items_.sub(items_end()); }

  private:
    size_t items_end() const { return count_ == 0 ? 0 : end_of(count_ - 1); }
    size_t end_of(size_t index) const;

    core::ByteView row_;
    const char* table_ = nullptr;
    const BlockId* id_ = nullptr;
    core::ByteView items_;
    size_t count_ = 0;
};

/// A log as it is stored.
struct LogView {
    static constexpr size_t kTopicsMax = 4;

    core::ByteView address;                         // 20 bytes
    std::array<core::ByteView, kTopicsMax> topics;  // 32 bytes each
    size_t topic_count = 0;
    core::ByteView data;

    LogView() = default;
    /// lifetime: `log` outlives it.
    explicit LogView(const core::Log& log);
};

/// What a receipt tells of its transaction.
struct TxHead {
    core::TxType type = core::TxType::Legacy;
    uint64_t nonce = 0;
    core::U256 max_priority_fee;  // as core::Tx has them
    core::U256 max_fee;
    core::ByteView to;  // empty: creation
    size_t blob_count = 0;
};

/// A receipt as it is stored.
struct ReceiptView {
    core::ByteView post;  // state root, or status: empty for a failure
    uint64_t cumulative_gas_used = 0;
    core::ByteView logs;  // what they are read from

    bool has_state_root() const noexcept { return post.size() == core::Hash32::kSize; }
    bool has_succeeded() const noexcept { return !post.empty(); }
};

/// A stored block. Parts that a block does not have, as one without transactions, are empty.
class BlockView {
  public:
    BlockView(const db::ReadTxn& txn, const state::Tables& tables, const BlockId& id);
    BlockView(const BlockView&) = delete;
    BlockView& operator=(const BlockView&) = delete;

    const BlockId& id() const noexcept { return id_; }
    size_t tx_count() const noexcept { return body_.count(); }
    /// Raw form (type ‖ payload, or the legacy list).
    core::ByteView tx_raw(size_t index) const;
    core::Tx tx(size_t index) const;
    /// Without decoding the rest of it.
    TxHead tx_head(size_t index) const;
    core::Address sender(size_t index) const;
    size_t receipt_count() const noexcept { return receipts_.count(); }
    ReceiptView receipt(size_t index) const;
    /// Takes the first of `logs` off; false: there is none left.
    bool next_log(core::ByteView& logs, LogView& log) const;
    /// Of a whole list.
    size_t log_count(core::ByteView logs) const;

  private:
    const BlockId id_;
    ItemRow body_;
    ItemRow receipts_;
    core::ByteView senders_;
};

}  // namespace keel::chain
