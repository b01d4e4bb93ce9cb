#include "chain/block_view.hpp"

#include <fmt/format.h>

#include "chain/item_row.hpp"
#include "core/fault.hpp"
#include "core/hex.hpp"
#include "state/codecs.hpp"

namespace keel::chain {

using core::ByteView;

namespace {

constexpr size_t kSenderBytes = core::Address::kSize;
constexpr uint8_t kFirstStringByte = 0x80;
constexpr uint8_t kFirstListByte = 0xc0;
constexpr size_t kShortMax = 55;  // longest payload whose length stands in the first byte

/// Walks over RLP that keel has written. An error stays, and everything behind it is empty: ask
/// ok() once.
class Walk {
  public:
    explicit Walk(ByteView payload) noexcept : at_(payload.begin()), end_(payload.end()) {}

    bool ok() const noexcept { return ok_; }
    bool at_end() const noexcept { return at_ == end_; }
    ByteView rest() const noexcept { return {at_, static_cast<size_t>(end_ - at_)}; }
    ByteView string() noexcept { return next(kFirstStringByte); }
    ByteView list() noexcept { return next(kFirstListByte); }
    ByteView fixed(size_t bytes) noexcept {
        const ByteView found = string();
        if (found.size() != bytes) stop();
        return found;
    }
    uint64_t uint64() noexcept {
        const ByteView bytes = string();
        if (bytes.size() > 8) stop();
        uint64_t value = 0;
        for (const uint8_t byte : bytes) value = (value << 8) | byte;
        return value;
    }
    core::U256 u256() noexcept {
        const ByteView bytes = string();
        if (bytes.size() > 32) stop();
        return ok_ ? core::U256::from_be(bytes) : core::U256();
    }
    void stop() noexcept {
        ok_ = false;
        at_ = end_;
    }

  private:
    /// Payload of the next item, a string or a list as `base` says.
    ByteView next(uint8_t base) noexcept {
        if (at_ == end_) return failed();
        const uint8_t first = *at_;
        if (first < kFirstStringByte && base == kFirstStringByte) return {at_++, 1};
        if ((first >= kFirstListByte) != (base == kFirstListByte) || first < base) return failed();
        size_t bytes = static_cast<size_t>(first) - base;
        ++at_;
        if (bytes > kShortMax) {
            const size_t length_bytes = bytes - kShortMax;
            if (static_cast<size_t>(end_ - at_) < length_bytes) return failed();
            bytes = 0;
            for (size_t i = 0; i < length_bytes; ++i) bytes = (bytes << 8) | *at_++;
        }
        if (static_cast<size_t>(end_ - at_) < bytes) return failed();
        const ByteView payload(at_, bytes);
        at_ += bytes;
        return payload;
    }
    ByteView failed() noexcept {
        stop();
        return {};
    }

    const uint8_t* at_;
    const uint8_t* end_;
    bool ok_ = true;
};

}  // namespace

void throw_damaged_row(const char* table, const BlockId& id, std::string_view what) {
    throw core::Fault(core::FaultKind::Damaged,
                      fmt::format("damaged row of table {}, block {} (0x{}): {}; run keel db check",
                                  table, id.number, core::to_hex(id.hash), what));
}

ItemRow::ItemRow(ByteView row, const char* table, const BlockId& id)
    : row_(row), table_(table), id_(&id) {
    if (row.size() >= kOffsetBytes) count_ = core::load_be<uint32_t>(row.data());
    if (row.size() / kOffsetBytes <= count_) throw_damaged_row(table, id, "table of offsets");
    items_ = row.sub((count_ + 1) * kOffsetBytes);
}

ByteView ItemRow::item(size_t index) const {
    if (index >= count_) throw_damaged_row(table_, *id_, fmt::format("no item {}", index));
    const size_t begin = index == 0 ? 0 : end_of(index - 1);
    const size_t end = end_of(index);
    if (end < begin) throw_damaged_row(table_, *id_, fmt::format("offsets of item {}", index));
    return items_.sub(begin, end - begin);
}

size_t ItemRow::end_of(size_t index) const {
    const size_t end = core::load_be<uint32_t>(row_.data() + (index + 1) * kOffsetBytes);
    if (end > items_.size()) throw_damaged_row(table_, *id_, fmt::format("end of item {}", index));
    return end;
}

LogView::LogView(const core::Log& log)
    : address(log.address), topic_count(log.topics.size()), data(log.data) {
    for (size_t i = 0; i < topic_count; ++i) topics[i] = log.topics[i];
}

BlockView::BlockView(const db::ReadTxn& txn, const state::Tables& tables, const BlockId& id)
    : id_(id) {
    const auto key = state::block_key(id.number, id.hash);
    if (const auto row = txn.get(tables.block_body, key)) {
        body_ = ItemRow(*row, state::table::kBlockBody, id_);
    }
    if (body_.count() == 0) return;
    if (const auto row = txn.get(tables.receipt, key)) {
        receipts_ = ItemRow(*row, state::table::kReceipt, id_);
    }
    if (const auto row = txn.get(tables.tx_sender, key)) senders_ = *row;
}

ByteView BlockView::tx_raw(size_t index) const {
    const ByteView item = body_.item(index);
    if (!item.empty() && item[0] >= kFirstListByte) return item;
    Walk walk(item);
    const ByteView raw = walk.string();
    if (!walk.ok() || !walk.at_end())
        throw_damaged_row(state::table::kBlockBody, id_, "transaction");
    return raw;
}

core::Tx BlockView::tx(size_t index) const {
    auto decoded = core::decode_tx(tx_raw(index));
    if (!decoded) {
        throw_damaged_row(state::table::kBlockBody, id_, core::to_string(decoded.error()));
    }
    return *std::move(decoded);
}

TxHead BlockView::tx_head(size_t index) const {
    ByteView raw = tx_raw(index);
    TxHead head;
    if (!raw.empty() && raw[0] < kFirstListByte) {
        head.type = static_cast<core::TxType>(raw[0]);
        raw = raw.sub(1);
    }
    Walk outer(raw);
    Walk fields(outer.list());
    if (head.type != core::TxType::Legacy) fields.string();  // chain id
    head.nonce = fields.uint64();
    head.max_priority_fee = fields.u256();
    const bool has_one_price = head.type < core::TxType::DynamicFee;
    head.max_fee = has_one_price ? head.max_priority_fee : fields.u256();
    fields.string();  // gas
    head.to = fields.string();
    if (!head.to.empty() && head.to.size() != core::Address::kSize) fields.stop();
    if (head.type == core::TxType::Blob) {
        fields.string();  // value
        fields.string();  // data
        fields.list();    // access list
        fields.string();  // price of blobs
        Walk hashes(fields.list());
        for (; !hashes.at_end(); ++head.blob_count) hashes.fixed(core::Hash32::kSize);
        if (!hashes.ok()) fields.stop();
    }
    if (!outer.ok() || !fields.ok()) {
        throw_damaged_row(state::table::kBlockBody, id_, fmt::format("transaction {}", index));
    }
    return head;
}

core::Address BlockView::sender(size_t index) const {
    if ((index + 1) * kSenderBytes > senders_.size()) {
        throw_damaged_row(state::table::kTxSender, id_, fmt::format("no sender {}", index));
    }
    return core::Address(senders_.sub(index * kSenderBytes));
}

ReceiptView BlockView::receipt(size_t index) const {
    Walk item(receipts_.item(index));
    Walk fields(item.list());
    ReceiptView receipt;
    fields.uint64();  // type: the transaction's
    receipt.post = fields.string();
    receipt.cumulative_gas_used = fields.uint64();
    receipt.logs = fields.list();
    if (!item.ok() || !fields.ok()) throw_damaged_row(state::table::kReceipt, id_, "receipt");
    return receipt;
}

bool BlockView::next_log(ByteView& logs, LogView& log) const {
    if (logs.empty()) return false;
    Walk walk(logs);
    Walk fields(walk.list());
    log.address = fields.fixed(core::Address::kSize);
    Walk topics(fields.list());
    log.topic_count = 0;
    while (!topics.at_end()) {
        if (log.topic_count == LogView::kTopicsMax)
            throw_damaged_row(state::table::kReceipt, id_, "topics");
        log.topics[log.topic_count++] = topics.fixed(core::Hash32::kSize);
    }
    log.data = fields.string();
    if (!walk.ok() || !fields.ok() || !topics.ok()) {
        throw_damaged_row(state::table::kReceipt, id_, "log");
    }
    logs = walk.rest();
    return true;
}

size_t BlockView::log_count(ByteView logs) const {
    Walk walk(logs);
    size_t count = 0;
    for (; !walk.at_end(); ++count) walk.list();
    if (!walk.ok()) throw_damaged_row(state::table::kReceipt, id_, "logs");
    return count;
}

}  // namespace keel::chain
