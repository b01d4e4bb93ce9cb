#include "rpc/eth/objects.hpp"

#include <algorithm>
#include <utility>

#include "chain/blob_fee.hpp"
#include "core/hex.hpp"
#include "crypto/keccak.hpp"
#include "evm/call.hpp"
#include "rpc/eth/block_facts.hpp"

namespace keel::rpc::eth {
namespace {

void write_authorizations(JsonOut& out, const std::vector<core::Authorization>& list) {
    out.key("authorizationList");
    out.begin_array();
    for (const core::Authorization& one : list) {
        out.begin_object();
        out.quantity("chainId", one.chain_id);
        out.data("address", one.address);
        out.quantity("nonce", one.nonce);
        out.quantity("yParity", uint64_t{one.y_parity});
        out.quantity("r", one.r);
        out.quantity("s", one.s);
        out.end_object();
    }
    out.end_array();
}

void write_uncles(JsonOut& out, const Snapshot& snapshot, const chain::BlockId& id,
                  const core::Header& header) {
    out.key("uncles");
    out.begin_array();
    if (header.ommers_hash != core::kEmptyOmmersHash) {
        core::Bytes rlp;
        for (const core::Header& ommer : snapshot.blocks().ommers(id)) {
            rlp.clear();
            core::append_header(rlp, ommer);
            out.data(crypto::keccak256(rlp));
        }
    }
    out.end_array();
}

/// Members that all types have, in the order in which blocks, receipts and transactions show them.
constexpr size_t kSignedBytesMax = 512;

/// What is signed, behind another member or an opened object.
/// `gas_price` none: no member.
void write_signed_members(JsonOut& out, const core::Tx& tx,
                          const std::optional<core::U256>& gas_price) {
    out.key("type");
    {
        JsonRun run(out, kSignedBytesMax + 2 * tx.data.size());
        run.quantity(uint64_t{std::to_underlying(tx.type)});
        run.text(",\"nonce\":").quantity(tx.nonce).text(",\"gas\":").quantity(tx.gas);
        if (gas_price) run.text(",\"gasPrice\":").quantity(*gas_price);
        run.text(",\"value\":").quantity(tx.value).text(",\"input\":").data(tx.data);
        if (tx.to) {
            run.text(",\"to\":").data(*tx.to);
        } else {
            run.text(",\"to\":null");
        }
        if (tx.chain_id) run.text(",\"chainId\":").quantity(*tx.chain_id);
    }
    if (tx.type >= core::TxType::AccessList) write_access_list(out, tx.access_list);
    if (tx.type >= core::TxType::DynamicFee) {
        out.quantity("maxFeePerGas", tx.max_fee);
        out.quantity("maxPriorityFeePerGas", tx.max_priority_fee);
    }
    if (tx.type == core::TxType::Blob) {
        out.quantity("maxFeePerBlobGas", tx.max_fee_per_blob_gas);
        out.key("blobVersionedHashes");
        out.begin_array();
        for (const core::Hash32& one : tx.blob_hashes) out.data(one);
        out.end_array();
    }
    if (tx.type == core::TxType::SetCode) write_authorizations(out, tx.authorizations);
}

/// What does not depend on a block.
void write_tx_members(JsonOut& out, const core::Tx& tx, const core::Hash32& hash,
                      const core::Address& from, const core::U256& gas_price) {
    constexpr size_t kBytesMax = 512;
    out.key("from");
    JsonRun(out, kBytesMax).data(from).text(",\"hash\":").data(hash);
    write_signed_members(out, tx, gas_price);
    out.key("v");
    JsonRun run(out, kBytesMax);
    run.quantity(tx.v).text(",\"r\":").quantity(tx.r).text(",\"s\":").quantity(tx.s);
    if (tx.type >= core::TxType::AccessList) run.text(",\"yParity\":").quantity(tx.v);
}

/// What a sender pays a gas.
core::U256 price_of(const core::U256& max_fee, const core::U256& max_priority_fee,
                    const std::optional<core::U256>& base_fee) {
    if (!base_fee) return max_fee;
    const auto wanted = core::checked_add(*base_fee, max_priority_fee);
    return wanted ? std::min(*wanted, max_fee) : max_fee;
}

}  // namespace

void write_access_list(JsonOut& out, const core::AccessList& list) {
    out.key("accessList");
    out.begin_array();
    for (const core::AccessListEntry& entry : list) {
        out.begin_object();
        out.data("address", entry.address);
        out.key("storageKeys");
        out.begin_array();
        for (const core::Hash32& key : entry.keys) out.data(key);
        out.end_array();
        out.end_object();
    }
    out.end_array();
}

void write_withdrawals(JsonOut& out, const std::vector<core::Withdrawal>& withdrawals) {
    out.key("withdrawals");
    out.begin_array();
    for (const core::Withdrawal& one : withdrawals) {
        out.begin_object();
        out.quantity("index", one.index);
        out.quantity("validatorIndex", one.validator_index);
        out.data("address", one.address);
        out.quantity("amount", one.amount);
        out.end_object();
    }
    out.end_array();
}

void write_log(JsonOut& out, const chain::LogView& log, const MinedPlace& place,
               const core::Hash32& tx_hash, uint64_t log_index, bool removed) {
    constexpr size_t kBytesMax = 1024;  // without the data
    JsonRun run(out, kBytesMax + 2 * log.data.size());
    run.text("{\"address\":").data(log.address).text(",\"topics\":[");
    for (size_t i = 0; i < log.topic_count; ++i) {
        if (i > 0) run.text(",");
        run.data(log.topics[i]);
    }
    run.text("],\"data\":").data(log.data);
    run.text(",\"blockNumber\":").quantity(place.block.number);
    run.text(",\"transactionHash\":").data(tx_hash);
    run.text(",\"transactionIndex\":").quantity(place.index);
    run.text(",\"blockHash\":").data(place.block.hash);
    run.text(",\"blockTimestamp\":").quantity(place.timestamp_s);
    run.text(",\"logIndex\":").quantity(log_index);
    if (removed) {
        run.text(",\"removed\":true}");
    } else {
        run.text(",\"removed\":false}");
    }
}

core::U256 effective_gas_price(const core::Tx& tx, const std::optional<core::U256>& base_fee) {
    return price_of(tx.max_fee, tx.max_priority_fee, base_fee);
}

void write_header_members(JsonOut& out, const core::Header& header, const core::Hash32& hash) {
    constexpr size_t kBytesMax = 2560;  // without the extra data
    out.key("number");
    JsonRun run(out, kBytesMax + 2 * header.extra_data.size());
    run.quantity(header.number);
    run.text(",\"hash\":").data(hash);
    run.text(",\"parentHash\":").data(header.parent_hash);
    run.text(",\"nonce\":").data(header.nonce);
    run.text(",\"mixHash\":").data(header.mix_hash);
    run.text(",\"sha3Uncles\":").data(header.ommers_hash);
    run.text(",\"logsBloom\":").data(header.bloom);
    run.text(",\"stateRoot\":").data(header.state_root);
    run.text(",\"miner\":").data(header.coinbase);
    run.text(",\"difficulty\":").quantity(header.difficulty);
    run.text(",\"extraData\":").data(header.extra_data);
    run.text(",\"gasLimit\":").quantity(header.gas_limit);
    run.text(",\"gasUsed\":").quantity(header.gas_used);
    run.text(",\"timestamp\":").quantity(header.timestamp);
    run.text(",\"transactionsRoot\":").data(header.tx_root);
    run.text(",\"receiptsRoot\":").data(header.receipts_root);
    if (header.base_fee) run.text(",\"baseFeePerGas\":").quantity(*header.base_fee);
    if (header.withdrawals_root) run.text(",\"withdrawalsRoot\":").data(*header.withdrawals_root);
    if (header.blob_gas_used) run.text(",\"blobGasUsed\":").quantity(*header.blob_gas_used);
    if (header.excess_blob_gas) run.text(",\"excessBlobGas\":").quantity(*header.excess_blob_gas);
    if (header.parent_beacon_root) {
        run.text(",\"parentBeaconBlockRoot\":").data(*header.parent_beacon_root);
    }
    if (header.requests_hash) run.text(",\"requestsHash\":").data(*header.requests_hash);
}

void write_block(JsonOut& out, const Snapshot& snapshot, const chain::BlockId& id,
                 bool full_transactions) {
    const chain::BlockReader& blocks = snapshot.blocks();
    const core::Header header = snapshot.header(id);
    out.begin_object();
    write_header_members(out, header, id.hash);
    out.quantity("size", uint64_t{blocks.block_size(id)});
    write_uncles(out, snapshot, id, header);
    out.key("transactions");
    out.begin_array();
    const chain::BlockView block = snapshot.block(id);
    const std::shared_ptr<const TxHashes> hashes = tx_hashes_of(block, snapshot.facts());
    if (full_transactions) {
        MinedPlace place{
            .block = id, .timestamp_s = header.timestamp, .base_fee = header.base_fee, .index = 0};
        for (; place.index < hashes->size(); ++place.index) {
            write_tx(out, block.tx(place.index), (*hashes)[place.index], block.sender(place.index),
                     place);
        }
    } else if (!hashes->empty()) {
        constexpr size_t kBytesEach = JsonRun::kDataBytes + 2 * core::Hash32::kSize + 1;
        JsonRun run(out, hashes->size() * kBytesEach);
        run.data(hashes->front());
        for (size_t i = 1; i < hashes->size(); ++i) run.text(",").data((*hashes)[i]);
    }
    out.end_array();
    if (const auto withdrawals = blocks.withdrawals(id)) write_withdrawals(out, *withdrawals);
    out.end_object();
}

void write_tx(JsonOut& out, const core::Tx& tx, const core::Hash32& hash, const core::Address& from,
              const MinedPlace& place) {
    constexpr size_t kBytesMax = 256;
    JsonRun(out, kBytesMax)
        .text("{\"blockHash\":")
        .data(place.block.hash)
        .text(",\"blockNumber\":")
        .quantity(place.block.number)
        .text(",\"blockTimestamp\":")
        .quantity(place.timestamp_s)
        .text(",\"transactionIndex\":")
        .quantity(place.index);
    write_tx_members(out, tx, hash, from, effective_gas_price(tx, place.base_fee));
    out.end_object();
}

void write_pooled_tx(JsonOut& out, const core::Tx& tx, const core::Hash32& hash,
                     const core::Address& from) {
    out.begin_object();
    out.null("blockHash");
    out.null("blockNumber");
    out.null("blockTimestamp");
    out.null("transactionIndex");
    // What it will pay is not known yet: what it pays at most.
    write_tx_members(out, tx, hash, from, tx.max_fee);
    out.end_object();
}

void write_unsigned_tx(JsonOut& out, const core::Tx& tx) {
    out.begin_object();
    const bool has_one_price = tx.type < core::TxType::DynamicFee;
    write_signed_members(out, tx, has_one_price ? std::optional(tx.max_fee) : std::nullopt);
    out.end_object();
}

void write_tx_at(JsonOut& out, const Snapshot& snapshot, const chain::BlockId& id, size_t index) {
    const core::Header header = snapshot.header(id);
    const chain::BlockView block = snapshot.block(id);
    write_tx(out, block.tx(index), tx_hash_of(block, index, snapshot.facts()), block.sender(index),
             {.block = id,
              .timestamp_s = header.timestamp,
              .base_fee = header.base_fee,
              .index = index});
}

ReceiptWriter::ReceiptWriter(const Snapshot& snapshot, const chain::ForkSchedule& schedule,
                             const chain::BlockId& id)
    : snapshot_(snapshot), id_(id), block_(snapshot.block(id)), header_(snapshot.header(id)) {
    if (header_.excess_blob_gas) {
        const chain::BlockRules rules = snapshot.rules(schedule, id, header_);
        blob_base_fee_ =
            chain::blob_base_fee(*header_.excess_blob_gas, rules.blobs.base_fee_update_fraction);
    }
}

void ReceiptWriter::write_all(JsonOut& out) {
    out.begin_array();
    if (block_.receipt_count() > 0) {
        const auto hashes = tx_hashes_of(block_, snapshot_.facts());
        const auto facts = receipt_facts_of(block_, snapshot_.facts());
        uint64_t gas_before = 0;
        for (size_t i = 0; i < hashes->size(); ++i) {
            const chain::ReceiptView receipt = block_.receipt(i);
            write(out, i, receipt, (*hashes)[i], facts->bloom(i), gas_before, facts->first_log(i));
            gas_before = receipt.cumulative_gas_used;
        }
    }
    out.end_array();
}

void ReceiptWriter::write_one(JsonOut& out, size_t index) {
    const chain::ReceiptView receipt = block_.receipt(index);
    const auto facts = receipt_facts_if_wanted(block_, snapshot_.facts());
    write(out, index, receipt, tx_hash_of(block_, index, snapshot_.facts()),
          facts ? facts->bloom(index) : bloom_of(block_, receipt.logs),
          index == 0 ? 0 : block_.receipt(index - 1).cumulative_gas_used,
          facts ? facts->first_log(index) : logs_before(block_, index));
}

void ReceiptWriter::write(JsonOut& out, size_t index, const chain::ReceiptView& receipt,
                          const core::Hash32& hash, const core::Bloom& bloom,
                          uint64_t cumulative_gas_before, uint64_t first_log_index) {
    constexpr size_t kHeadBytesMax = 1024;
    constexpr size_t kTailBytesMax = 1024;
    const chain::TxHead tx = block_.tx_head(index);
    const core::Address from = block_.sender(index);
    const core::U256 price = price_of(tx.max_fee, tx.max_priority_fee, header_.base_fee);
    {
        JsonRun run(out, kHeadBytesMax);
        run.text("{\"blockHash\":").data(id_.hash);
        run.text(",\"blockNumber\":").quantity(id_.number);
        run.text(",\"transactionHash\":").data(hash);
        run.text(",\"transactionIndex\":").quantity(uint64_t{index});
        run.text(",\"from\":").data(from);
        if (tx.to.empty()) {
            run.text(",\"to\":null,\"contractAddress\":").data(evm::create_address(from, tx.nonce));
        } else {
            run.text(",\"to\":").data(tx.to).text(",\"contractAddress\":null");
        }
        run.text(",\"type\":").quantity(uint64_t{std::to_underlying(tx.type)});
        run.text(",\"gasUsed\":").quantity(receipt.cumulative_gas_used - cumulative_gas_before);
        run.text(",\"cumulativeGasUsed\":").quantity(receipt.cumulative_gas_used);
        run.text(",\"effectiveGasPrice\":").quantity(price).text(",\"logs\":[");
    }
    const MinedPlace place{.block = id_,
                           .timestamp_s = header_.timestamp,
                           .base_fee = header_.base_fee,
                           .index = index};
    chain::LogView log;
    for (core::ByteView logs = receipt.logs; block_.next_log(logs, log);) {
        write_log(out, log, place, hash, first_log_index++);
    }
    out.end_array();
    out.key("logsBloom");
    JsonRun run(out, kTailBytesMax);
    run.data(bloom);
    if (receipt.has_state_root()) {
        run.text(",\"root\":").data(receipt.post);
    } else {
        run.text(",\"status\":").quantity(uint64_t{receipt.has_succeeded() ? 1U : 0U});
    }
    if (tx.type == core::TxType::Blob && blob_base_fee_) {
        run.text(",\"blobGasUsed\":").quantity(tx.blob_count * chain::kGasPerBlob);
        run.text(",\"blobGasPrice\":").quantity(*blob_base_fee_);
    }
    run.text("}");
}

std::string with_checksum(const core::Address& address) {
    std::string digits = core::to_hex(address);
    const core::Hash32 hash = crypto::keccak256(core::ByteView(digits));
    for (size_t i = 0; i < digits.size(); ++i) {
        const unsigned nibble = i % 2 == 0 ? hash[i / 2] >> 4 : hash[i / 2] & 15U;
        if (digits[i] >= 'a' && nibble >= 8) digits[i] = static_cast<char>(digits[i] - 'a' + 'A');
    }
    return "0x" + digits;
}

}  // namespace keel::rpc::eth
