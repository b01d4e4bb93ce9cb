#pragma once

// Blocks as a consensus client sends them.

#include <fmt/format.h>

#include <string>

#include "core/hex.hpp"
#include "crypto/sha256.hpp"
#include "rpc/engine/payload.hpp"
#include "rpc/json_out.hpp"

namespace keel::rpc::engine {

/// Of a block without requests (EIP-7685).
inline core::Hash32 no_requests_hash() {
    return crypto::sha256({});
}

inline std::vector<core::Hash32> blob_hashes_of(const crypto::SealedBlock& sealed) {
    std::vector<core::Hash32> hashes;
    for (const core::Tx& tx : sealed.block.txs) {
        hashes.insert(hashes.end(), tx.blob_hashes.begin(), tx.blob_hashes.end());
    }
    return hashes;
}

/// The requests are not in a block; their hash is taken from its header.
inline NewPayload payload_of(const crypto::SealedBlock& sealed) {
    NewPayload payload;
    payload.header = sealed.block.header;
    payload.logs_bloom = core::ByteView(sealed.block.header.bloom.bytes).to_bytes();
    payload.block_hash = sealed.hash;
    for (const core::Tx& tx : sealed.block.txs) payload.txs.push_back(tx.raw.to_bytes());
    payload.withdrawals = sealed.block.withdrawals;
    if (payload.header.blob_gas_used) payload.blob_hashes = blob_hashes_of(sealed);
    return payload;
}

/// Parameters of engine_newPayloadV<version> with all that the version can carry; of a block
/// without requests.
inline std::string payload_json(const crypto::SealedBlock& sealed, unsigned version) {
    const core::Header& header = sealed.block.header;
    JsonOut out;
    out.begin_array();
    out.begin_object();
    out.data("parentHash", header.parent_hash);
    out.data("feeRecipient", header.coinbase);
    out.data("stateRoot", header.state_root);
    out.data("receiptsRoot", header.receipts_root);
    out.data("logsBloom", header.bloom);
    out.data("prevRandao", header.mix_hash);
    out.quantity("blockNumber", header.number);
    out.quantity("gasLimit", header.gas_limit);
    out.quantity("gasUsed", header.gas_used);
    out.quantity("timestamp", header.timestamp);
    out.data("extraData", header.extra_data);
    out.quantity("baseFeePerGas", header.base_fee.value());
    out.data("blockHash", sealed.hash);
    out.key("transactions");
    out.begin_array();
    for (const core::Tx& tx : sealed.block.txs) out.data(tx.raw);
    out.end_array();
    if (sealed.block.withdrawals) {
        out.key("withdrawals");
        out.begin_array();
        for (const core::Withdrawal& one : *sealed.block.withdrawals) {
            out.begin_object();
            out.quantity("index", one.index);
            out.quantity("validatorIndex", one.validator_index);
            out.data("address", one.address);
            out.quantity("amount", one.amount);
            out.end_object();
        }
        out.end_array();
    }
    if (header.blob_gas_used) out.quantity("blobGasUsed", *header.blob_gas_used);
    if (header.excess_blob_gas) out.quantity("excessBlobGas", *header.excess_blob_gas);
    out.end_object();
    if (version >= 3) {
        out.begin_array();
        for (const core::Hash32& hash : blob_hashes_of(sealed)) out.data(hash);
        out.end_array();
        out.data(header.parent_beacon_root.value_or(core::Hash32{}));
    }
    if (version >= 4) {
        out.begin_array();
        out.end_array();
    }
    out.end_array();
    return std::string(out.text());
}

}  // namespace keel::rpc::engine
