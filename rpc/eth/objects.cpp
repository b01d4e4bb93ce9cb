#include "rpc/eth/objects.hpp"

#include <algorithm>
#include <utility>

#include "chain/blob_fee.hpp"
#include "core/fault.hpp"
#include "crypto/keccak.hpp"
#include "evm/call.hpp"

namespace keel::rpc::eth {
namespace {

core::Address sender_of(const Snapshot& snapshot, const chain::BlockId& id, size_t index) {
    const auto sender = snapshot.blocks().sender(id, index);
    if (!sender) throw core::Fault(core::FaultKind::Damaged, "sender of a transaction is missing");
    return *sender;
}

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

/// What is signed.
/// `gas_price` none: no member.
void write_signed_members(JsonOut& out, const core::Tx& tx,
                          const std::optional<core::U256>& gas_price) {
    out.quantity("type", uint64_t{std::to_underlying(tx.type)});
    out.quantity("nonce", tx.nonce);
    out.quantity("gas", tx.gas);
    if (gas_price) out.quantity("gasPrice", *gas_price);
    out.quantity("value", tx.value);
    out.data("input", tx.data);
    if (tx.to) {
        out.data("to", *tx.to);
    } else {
        out.null("to");
    }
    if (tx.chain_id) out.quantity("chainId", *tx.chain_id);
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
    out.data("from", from);
    out.data("hash", hash);
    write_signed_members(out, tx, gas_price);
    out.quantity("v", tx.v);
    out.quantity("r", tx.r);
    out.quantity("s", tx.s);
    if (tx.type >= core::TxType::AccessList) out.quantity("yParity", tx.v);
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

void write_log(JsonOut& out, const core::Log& log, const MinedPlace& place,
               const core::Hash32& tx_hash, uint64_t log_index, bool removed) {
    out.begin_object();
    out.data("address", log.address);
    out.key("topics");
    out.begin_array();
    for (const core::Hash32& topic : log.topics) out.data(topic);
    out.end_array();
    out.data("data", log.data);
    out.quantity("blockNumber", place.block.number);
    out.data("transactionHash", tx_hash);
    out.quantity("transactionIndex", place.index);
    out.data("blockHash", place.block.hash);
    out.quantity("blockTimestamp", place.timestamp_s);
    out.quantity("logIndex", log_index);
    out.key("removed");
    out.boolean(removed);
    out.end_object();
}

void write_logs(JsonOut& out, const std::vector<core::Log>& logs, const MinedPlace& place,
                const core::Hash32& tx_hash, uint64_t first_log_index) {
    out.key("logs");
    out.begin_array();
    for (const core::Log& log : logs) {
        write_log(out, log, place, tx_hash, first_log_index++);
    }
    out.end_array();
}

core::U256 effective_gas_price(const core::Tx& tx, const std::optional<core::U256>& base_fee) {
    if (!base_fee) return tx.max_fee;
    const auto wanted = core::checked_add(*base_fee, tx.max_priority_fee);
    return wanted ? std::min(*wanted, tx.max_fee) : tx.max_fee;
}

void write_header_members(JsonOut& out, const core::Header& header, const core::Hash32& hash) {
    out.quantity("number", header.number);
    out.data("hash", hash);
    out.data("parentHash", header.parent_hash);
    out.data("nonce", header.nonce);
    out.data("mixHash", header.mix_hash);
    out.data("sha3Uncles", header.ommers_hash);
    out.data("logsBloom", header.bloom);
    out.data("stateRoot", header.state_root);
    out.data("miner", header.coinbase);
    out.quantity("difficulty", header.difficulty);
    out.data("extraData", header.extra_data);
    out.quantity("gasLimit", header.gas_limit);
    out.quantity("gasUsed", header.gas_used);
    out.quantity("timestamp", header.timestamp);
    out.data("transactionsRoot", header.tx_root);
    out.data("receiptsRoot", header.receipts_root);
    if (header.base_fee) out.quantity("baseFeePerGas", *header.base_fee);
    if (header.withdrawals_root) out.data("withdrawalsRoot", *header.withdrawals_root);
    if (header.blob_gas_used) out.quantity("blobGasUsed", *header.blob_gas_used);
    if (header.excess_blob_gas) out.quantity("excessBlobGas", *header.excess_blob_gas);
    if (header.parent_beacon_root) out.data("parentBeaconBlockRoot", *header.parent_beacon_root);
    if (header.requests_hash) out.data("requestsHash", *header.requests_hash);
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
    const std::vector<core::Hash32> hashes = blocks.tx_hashes(id);
    MinedPlace place{
        .block = id, .timestamp_s = header.timestamp, .base_fee = header.base_fee, .index = 0};
    for (; place.index < hashes.size(); ++place.index) {
        if (full_transactions) {
            write_tx(out, blocks.tx(id, place.index), hashes[place.index],
                     sender_of(snapshot, id, place.index), place);
        } else {
            out.data(hashes[place.index]);
        }
    }
    out.end_array();
    if (const auto withdrawals = blocks.withdrawals(id)) write_withdrawals(out, *withdrawals);
    out.end_object();
}

void write_tx(JsonOut& out, const core::Tx& tx, const core::Hash32& hash, const core::Address& from,
              const MinedPlace& place) {
    out.begin_object();
    out.data("blockHash", place.block.hash);
    out.quantity("blockNumber", place.block.number);
    out.quantity("blockTimestamp", place.timestamp_s);
    out.quantity("transactionIndex", place.index);
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
    const core::Tx tx = snapshot.blocks().tx(id, index);
    write_tx(out, tx, crypto::keccak256(tx.raw), sender_of(snapshot, id, index),
             {.block = id,
              .timestamp_s = header.timestamp,
              .base_fee = header.base_fee,
              .index = index});
}

ReceiptWriter::ReceiptWriter(const Snapshot& snapshot, const chain::ForkSchedule& schedule,
                             const chain::BlockId& id)
    : snapshot_(snapshot), id_(id), header_(snapshot.header(id)) {
    if (header_.excess_blob_gas) {
        const chain::BlockRules rules = snapshot.rules(schedule, id, header_);
        blob_base_fee_ =
            chain::blob_base_fee(*header_.excess_blob_gas, rules.blobs.base_fee_update_fraction);
    }
}

void ReceiptWriter::write_all(JsonOut& out) {
    const chain::BlockReader& blocks = snapshot_.blocks();
    const std::vector<core::Hash32> hashes = blocks.tx_hashes(id_);
    out.begin_array();
    uint64_t gas_before = 0;
    uint64_t first_log_index = 0;
    for (size_t i = 0; i < hashes.size(); ++i) {
        const core::Receipt receipt = blocks.receipt(id_, i);
        write(out, i, receipt, blocks.tx(id_, i), hashes[i], gas_before, first_log_index);
        gas_before = receipt.cumulative_gas_used;
        first_log_index += receipt.logs.size();
    }
    out.end_array();
}

void ReceiptWriter::write_one(JsonOut& out, size_t index) {
    const chain::BlockReader& blocks = snapshot_.blocks();
    const core::Tx tx = blocks.tx(id_, index);
    write(out, index, blocks.receipt(id_, index), tx, crypto::keccak256(tx.raw),
          index == 0 ? 0 : blocks.cumulative_gas(id_, index - 1), blocks.logs_before(id_, index));
}

void ReceiptWriter::write(JsonOut& out, size_t index, const core::Receipt& receipt,
                          const core::Tx& tx, const core::Hash32& hash,
                          uint64_t cumulative_gas_before, uint64_t first_log_index) {
    const core::Address from = sender_of(snapshot_, id_, index);
    out.begin_object();
    out.data("blockHash", id_.hash);
    out.quantity("blockNumber", id_.number);
    out.data("transactionHash", hash);
    out.quantity("transactionIndex", uint64_t{index});
    out.data("from", from);
    if (tx.to) {
        out.data("to", *tx.to);
        out.null("contractAddress");
    } else {
        out.null("to");
        out.data("contractAddress", evm::create_address(from, tx.nonce));
    }
    out.quantity("type", uint64_t{std::to_underlying(tx.type)});
    out.quantity("gasUsed", receipt.cumulative_gas_used - cumulative_gas_before);
    out.quantity("cumulativeGasUsed", receipt.cumulative_gas_used);
    out.quantity("effectiveGasPrice", effective_gas_price(tx, header_.base_fee));
    write_logs(out, receipt.logs,
               {.block = id_,
                .timestamp_s = header_.timestamp,
                .base_fee = header_.base_fee,
                .index = index},
               hash, first_log_index);
    out.data("logsBloom", receipt.bloom);
    if (receipt.state_root) {
        out.data("root", *receipt.state_root);
    } else {
        out.quantity("status", uint64_t{receipt.success ? 1U : 0U});
    }
    if (tx.type == core::TxType::Blob && blob_base_fee_) {
        out.quantity("blobGasUsed", tx.blob_hashes.size() * chain::kGasPerBlob);
        out.quantity("blobGasPrice", *blob_base_fee_);
    }
    out.end_object();
}

}  // namespace keel::rpc::eth
