#include "chain/block_store.hpp"

#include <fmt/format.h>

#include "chain/block_view.hpp"
#include "chain/item_row.hpp"
#include "chain/receipts.hpp"
#include "core/endian.hpp"
#include "core/fault.hpp"
#include "core/hex.hpp"
#include "crypto/keccak.hpp"
#include "state/codecs.hpp"

namespace keel::chain {

using core::Bytes;
using core::ByteView;
using core::Hash32;
using core::RlpReader;

namespace {

constexpr size_t kSenderBytes = core::Address::kSize;
constexpr size_t kTxPlaceBytes = 12;  // number, index

std::string edited_root_name(const BlockId& id) {
    std::string name(setting::kEditedRoot);
    name += ByteView(state::block_key(id.number, id.hash)).text();
    return name;
}

template <class T>
T sound(core::RlpResult<T> result, const char* table, const BlockId& id) {
    if (!result) throw_damaged_row(table, id, core::to_string(result.error()));
    return *std::move(result);
}

core::RlpResult<core::Log> decode_log(RlpReader& from) {
    auto fields = from.list();
    if (!fields) return core::unexpected(fields.error());
    core::Log log;
    const auto address = fields->fixed<core::Address>();
    if (!address) return core::unexpected(address.error());
    log.address = *address;
    auto topics = fields->list();
    if (!topics) return core::unexpected(topics.error());
    while (!topics->at_end()) {
        const auto topic = topics->fixed<Hash32>();
        if (!topic) return core::unexpected(topic.error());
        log.topics.push_back(*topic);
    }
    const auto data = fields->string();
    if (!data) return core::unexpected(data.error());
    log.data = data->to_bytes();
    return log;
}

/// Raw form of a transaction from the form in the body (EIP-2718: a typed one is wrapped there).
ByteView raw_of(ByteView item, const BlockId& id) {
    RlpReader reader(item);
    if (reader.next_is_list()) return item;
    return sound(reader.string(), state::table::kBlockBody, id);
}

std::array<uint8_t, 40> key_of(const BlockId& id) noexcept {
    return state::block_key(id.number, id.hash);
}

}  // namespace

std::optional<uint64_t> BlockReader::number_of(const Hash32& hash) const {
    const auto row = txn_.get(tables_.header_number, hash);
    if (!row) return std::nullopt;
    return state::number_of_key(*row);
}

std::optional<BlockId> BlockReader::id_of(const Hash32& hash) const {
    const auto number = number_of(hash);
    if (!number) return std::nullopt;
    return BlockId{*number, hash};
}

std::optional<Hash32> BlockReader::canonical_hash(uint64_t number) const {
    const auto row = txn_.get(tables_.canonical_header, state::number_key(number));
    if (!row || row->size() != Hash32::kSize) return std::nullopt;
    return Hash32(*row);
}

bool BlockReader::is_canonical(const BlockId& id) const {
    const auto row = txn_.get(tables_.canonical_header, state::number_key(id.number));
    return row && *row == id.hash.view();
}

std::optional<ByteView> BlockReader::header_rlp(const BlockId& id) const {
    return txn_.get(tables_.header, key_of(id));
}

std::optional<core::Header> BlockReader::header(const BlockId& id) const {
    const auto rlp = header_rlp(id);
    if (!rlp) return std::nullopt;
    return sound(core::decode_header(*rlp), state::table::kHeader, id);
}

BlockId BlockReader::parent_of(const BlockId& id) const {
    const auto rlp = header_rlp(id);
    if (!rlp || id.number == 0) throw_damaged_row(state::table::kHeader, id, "no parent");
    RlpReader fields = sound(core::rlp_outer_list(*rlp), state::table::kHeader, id);
    return {id.number - 1, sound(fields.fixed<Hash32>(), state::table::kHeader, id)};
}

std::optional<core::U256> BlockReader::total_difficulty(const BlockId& id) const {
    const auto row = txn_.get(tables_.header_td, key_of(id));
    if (!row || row->size() > 32) return std::nullopt;
    return core::U256::from_be(*row);
}

size_t BlockReader::tx_count(const BlockId& id) const {
    const auto row = txn_.get(tables_.block_body, key_of(id));
    return row ? ItemRow(*row, state::table::kBlockBody, id).count() : 0;
}

std::optional<ByteView> BlockReader::tx_raw(const BlockId& id, size_t index) const {
    const auto row = txn_.get(tables_.block_body, key_of(id));
    if (!row) return std::nullopt;
    const ItemRow items(*row, state::table::kBlockBody, id);
    if (index >= items.count()) return std::nullopt;
    return raw_of(items.item(index), id);
}

std::vector<Hash32> BlockReader::tx_hashes(const BlockId& id) const {
    const auto row = txn_.get(tables_.block_body, key_of(id));
    if (!row) return {};
    const ItemRow items(*row, state::table::kBlockBody, id);
    std::vector<ByteView> raw(items.count());
    for (size_t i = 0; i < raw.size(); ++i) raw[i] = raw_of(items.item(i), id);
    std::vector<Hash32> hashes(raw.size());
    crypto::keccak256_batch(raw, hashes);
    return hashes;
}

core::Tx BlockReader::tx(const BlockId& id, size_t index) const {
    const auto raw = tx_raw(id, index);
    if (!raw)
        throw_damaged_row(state::table::kBlockBody, id, fmt::format("no transaction {}", index));
    return sound(core::decode_tx(*raw), state::table::kBlockBody, id);
}

std::vector<core::Header> BlockReader::ommers(const BlockId& id) const {
    std::vector<core::Header> ommers;
    const auto row = txn_.get(tables_.block_body, key_of(id));
    if (!row) return ommers;
    RlpReader parts(ItemRow(*row, state::table::kBlockBody, id).rest());
    RlpReader list = sound(parts.list(), state::table::kBlockBody, id);
    while (!list.at_end()) {
        ommers.push_back(sound(core::decode_header(list), state::table::kBlockBody, id));
    }
    return ommers;
}

std::optional<std::vector<core::Withdrawal>> BlockReader::withdrawals(const BlockId& id) const {
    const auto row = txn_.get(tables_.block_body, key_of(id));
    if (!row) return std::nullopt;
    RlpReader parts(ItemRow(*row, state::table::kBlockBody, id).rest());
    sound(parts.list(), state::table::kBlockBody, id);  // ommers
    if (parts.at_end()) return std::nullopt;
    RlpReader list = sound(parts.list(), state::table::kBlockBody, id);
    std::vector<core::Withdrawal> withdrawals;
    while (!list.at_end()) {
        withdrawals.push_back(sound(core::decode_withdrawal(list), state::table::kBlockBody, id));
    }
    return withdrawals;
}

Bytes BlockReader::block_rlp(const BlockId& id) const {
    Bytes rlp;
    const auto row = txn_.get(tables_.block_body, key_of(id));
    const auto header = header_rlp(id);
    if (!row || !header) return rlp;
    const ItemRow items(*row, state::table::kBlockBody, id);
    const size_t txs_bytes = items.items().size();
    const size_t payload_bytes =
        header->size() + core::rlp_header_length(txs_bytes) + txs_bytes + items.rest().size();
    rlp.reserve(core::rlp_header_length(payload_bytes) + payload_bytes);
    core::rlp_append_list_header(rlp, payload_bytes);
    core::append(rlp, *header);
    core::rlp_append_list_header(rlp, txs_bytes);
    core::append(rlp, items.items());
    core::append(rlp, items.rest());
    return rlp;
}

size_t BlockReader::block_size(const BlockId& id) const {
    const auto row = txn_.get(tables_.block_body, key_of(id));
    const auto header = header_rlp(id);
    if (!row || !header) return 0;
    const ItemRow items(*row, state::table::kBlockBody, id);
    const size_t txs_bytes = items.items().size();
    const size_t payload_bytes =
        header->size() + core::rlp_header_length(txs_bytes) + txs_bytes + items.rest().size();
    return core::rlp_header_length(payload_bytes) + payload_bytes;
}

std::optional<core::Address> BlockReader::sender(const BlockId& id, size_t index) const {
    const auto row = txn_.get(tables_.tx_sender, key_of(id));
    if (!row || (index + 1) * kSenderBytes > row->size()) return std::nullopt;
    return core::Address(row->sub(index * kSenderBytes));
}

size_t BlockReader::receipt_count(const BlockId& id) const {
    const auto row = txn_.get(tables_.receipt, key_of(id));
    return row ? ItemRow(*row, state::table::kReceipt, id).count() : 0;
}

core::Receipt BlockReader::receipt_without_bloom(const BlockId& id, size_t index) const {
    constexpr const char* kTable = state::table::kReceipt;
    const auto row = txn_.get(tables_.receipt, key_of(id));
    if (!row) throw_damaged_row(kTable, id, "no receipts");
    const ItemRow items(*row, kTable, id);
    RlpReader fields = sound(core::rlp_outer_list(items.item(index)), kTable, id);
    core::Receipt receipt;
    receipt.type = static_cast<core::TxType>(sound(fields.uint64(), kTable, id));
    const ByteView post = sound(fields.string(), kTable, id);
    if (post.size() == Hash32::kSize) {
        receipt.state_root = Hash32(post);
    } else {
        receipt.success = !post.empty();
    }
    receipt.cumulative_gas_used = sound(fields.uint64(), kTable, id);
    RlpReader logs = sound(fields.list(), kTable, id);
    while (!logs.at_end()) receipt.logs.push_back(sound(decode_log(logs), kTable, id));
    return receipt;
}

core::Receipt BlockReader::receipt(const BlockId& id, size_t index) const {
    core::Receipt receipt = receipt_without_bloom(id, index);
    fill_blooms(std::span(&receipt, 1));
    return receipt;
}

std::vector<core::Log> BlockReader::logs(const BlockId& id, size_t index) const {
    return receipt_without_bloom(id, index).logs;
}

uint64_t BlockReader::cumulative_gas(const BlockId& id, size_t index) const {
    constexpr const char* kTable = state::table::kReceipt;
    const auto row = txn_.get(tables_.receipt, key_of(id));
    if (!row) throw_damaged_row(kTable, id, "no receipts");
    const ItemRow items(*row, kTable, id);
    RlpReader fields = sound(core::rlp_outer_list(items.item(index)), kTable, id);
    sound(fields.uint64(), kTable, id);
    sound(fields.string(), kTable, id);
    return sound(fields.uint64(), kTable, id);
}

uint64_t BlockReader::logs_before(const BlockId& id, size_t index) const {
    constexpr const char* kTable = state::table::kReceipt;
    const auto row = txn_.get(tables_.receipt, key_of(id));
    if (!row) throw_damaged_row(kTable, id, "no receipts");
    const ItemRow items(*row, kTable, id);
    uint64_t count = 0;
    for (size_t i = 0; i < index; ++i) {
        RlpReader fields = sound(core::rlp_outer_list(items.item(i)), kTable, id);
        sound(fields.uint64(), kTable, id);
        sound(fields.string(), kTable, id);
        sound(fields.uint64(), kTable, id);
        RlpReader logs = sound(fields.list(), kTable, id);
        for (; !logs.at_end(); ++count) sound(logs.item(), kTable, id);
    }
    return count;
}

std::optional<TxPlace> BlockReader::find_tx(const Hash32& hash) const {
    const auto row = txn_.get(tables_.tx_lookup, hash);
    if (!row || row->size() != kTxPlaceBytes) return std::nullopt;
    return TxPlace{core::load_be<uint64_t>(row->data()), core::load_be<uint32_t>(row->data() + 8)};
}

std::optional<BlockId> BlockReader::position(std::string_view name) const {
    const auto row = setting(name);
    if (!row || row->size() != 8 + Hash32::kSize) return std::nullopt;
    return BlockId{state::number_of_key(*row), Hash32(row->sub(8))};
}

std::optional<BlockId> BlockReader::head() const {
    return position(setting::kHead);
}
std::optional<BlockId> BlockReader::safe() const {
    return position(setting::kSafe);
}
std::optional<BlockId> BlockReader::finalized() const {
    return position(setting::kFinalized);
}

uint64_t BlockReader::indexed() const {
    const auto row = setting(setting::kIndexed);
    return row ? state::number_of_key(*row) : 0;
}

std::optional<Hash32> BlockReader::edited_root(const BlockId& id) const {
    const auto row = setting(edited_root_name(id));
    if (!row) return std::nullopt;
    if (row->size() != Hash32::kSize) throw_damaged_row(state::table::kChain, id, "edited root");
    return Hash32(*row);
}

std::optional<ByteView> BlockReader::setting(std::string_view name) const {
    return txn_.get(tables_.chain, name);
}

Hash32 BlockReader::genesis_hash() const {
    const auto row = setting(setting::kGenesis);
    if (!row || row->size() != Hash32::kSize) {
        throw core::Fault(
            core::FaultKind::Usage,
            "there is no genesis in this data directory: run keel init GENESIS first");
    }
    return Hash32(*row);
}

void put_block(db::WriteTxn& txn, const state::Tables& tables, const crypto::SealedBlock& sealed,
               const core::U256& total_difficulty) {
    const BlockId id{sealed.block.header.number, sealed.hash};
    const auto key = key_of(id);
    constexpr const char* kTable = state::table::kBlockBody;
    RlpReader parts = sound(core::rlp_outer_list(sealed.rlp), kTable, id);
    const ByteView header = sound(parts.item(), kTable, id);
    RlpReader txs = sound(parts.list(), kTable, id);
    ItemRowBuilder body(sealed.block.txs.size(), txs.rest().size() + parts.rest().size());
    while (!txs.at_end()) {
        core::append(body.bytes(), sound(txs.item(), kTable, id));
        body.end_item();
    }
    core::append(body.bytes(), parts.rest());

    txn.put(tables.header, key, header);
    txn.put(tables.header_number, id.hash, state::number_key(id.number));
    txn.put(tables.header_td, key, state::trim_slot(total_difficulty.to_be32()));
    txn.put(tables.block_body, key, body.bytes());
    if (!sealed.senders.empty()) {
        static_assert(sizeof(core::Address) == kSenderBytes);
        txn.put(tables.tx_sender, key,
                ByteView(sealed.senders.front().data(), sealed.senders.size() * kSenderBytes));
    }
}

void put_receipts(db::WriteTxn& txn, const state::Tables& tables, const BlockId& id,
                  const ReceiptRow& row) {
    if (!row.logs.empty()) txn.put(tables.receipt, key_of(id), row.bytes);
}

void put_receipts(db::WriteTxn& txn, const state::Tables& tables, const BlockId& id,
                  std::span<const core::Receipt> receipts) {
    put_receipts(txn, tables, id, encode_receipts(receipts));
}

void put_setting(db::WriteTxn& txn, const state::Tables& tables, std::string_view name,
                 ByteView value) {
    txn.put(tables.chain, name, value);
}

void put_edited_root(db::WriteTxn& txn, const state::Tables& tables, const BlockId& id,
                     const std::optional<Hash32>& root) {
    if (root) {
        put_setting(txn, tables, edited_root_name(id), *root);
    } else {
        txn.del(tables.chain, edited_root_name(id));
    }
}

void put_position(db::WriteTxn& txn, const state::Tables& tables, std::string_view name,
                  const std::optional<BlockId>& id) {
    if (id) {
        put_setting(txn, tables, name, key_of(*id));
    } else {
        txn.del(tables.chain, name);
    }
}

void put_canonical(db::WriteTxn& txn, const state::Tables& tables, const BlockId& id,
                   std::span<const Hash32> tx_hashes) {
    txn.put(tables.canonical_header, state::number_key(id.number), id.hash);
    std::array<uint8_t, kTxPlaceBytes> place;
    core::store_be(place.data(), id.number);
    for (size_t i = 0; i < tx_hashes.size(); ++i) {
        core::store_be(place.data() + 8, static_cast<uint32_t>(i));
        txn.put(tables.tx_lookup, tx_hashes[i], place);
    }
}

void remove_canonical(db::WriteTxn& txn, const state::Tables& tables, const BlockId& id,
                      std::span<const Hash32> tx_hashes) {
    txn.del(tables.canonical_header, state::number_key(id.number));
    for (const Hash32& hash : tx_hashes) txn.del(tables.tx_lookup, hash);
}

}  // namespace keel::chain
