#include "rpc/engine/payload.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "chain/requests.hpp"
#include "chain/tx_rules.hpp"
#include "core/hex.hpp"
#include "crypto/keccak.hpp"
#include "rpc/members.hpp"
#include "rpc/withdrawals.hpp"
#include "state/trie/ordered_root.hpp"

namespace keel::rpc::engine {
namespace {

using core::Bytes;
using core::ByteView;
using core::Hash32;

constexpr size_t kExtraDataBytesMax = 32;
// Places of the parameters.
constexpr size_t kPayloadAt = 0;
constexpr size_t kBlobHashesAt = 1;
constexpr size_t kBeaconRootAt = 2;
constexpr size_t kRequestsAt = 3;

/// Parameters of a version.
constexpr size_t parameters_of(unsigned version) noexcept {
    return version <= 2 ? kPayloadAt + 1 : version == 3 ? kBeaconRootAt + 1 : kRequestsAt + 1;
}

Converted<std::vector<Bytes>> to_byte_strings(JsonValue value) {
    return to_list(value, to_bytes);
}

Converted<std::vector<Hash32>> to_hashes(JsonValue value) {
    return to_list(value, to_hash);
}

core::unexpected<Error> invalid_params(std::string message) {
    return fail(Code::InvalidParams, std::move(message));
}

/// A value that a version demands, or forbids.
Answer<void> check_presence(bool present, bool demanded, std::string_view name) {
    if (present == demanded) return {};
    return invalid_params(fmt::format("{} {}", demanded ? "nil" : "non-nil", name));
}

// EIP-7685 and execution-apis, engine_newPayloadV4: ascending types, each once, none empty.
Answer<void> check_requests(const std::vector<Bytes>& requests) {
    int last = -1;
    for (const Bytes& request : requests) {
        if (request.size() < 2) return invalid_params("empty request in executionRequests");
        if (int{request[0]} <= last) {
            return invalid_params("executionRequests are not in ascending order of type");
        }
        last = request[0];
    }
    return {};
}

Hash32 withdrawals_root(const std::vector<core::Withdrawal>& withdrawals) {
    std::vector<Bytes> encoded(withdrawals.size());
    for (size_t i = 0; i < withdrawals.size(); ++i) {
        append_withdrawal(encoded[i], withdrawals[i]);
    }
    const std::vector<ByteView> values(encoded.begin(), encoded.end());
    return state::ordered_root(values);
}

Hash32 hash_of_requests(const std::vector<Bytes>& requests) {
    core::Requests typed;
    typed.reserve(requests.size());
    for (const Bytes& request : requests) {
        typed.push_back({.type = static_cast<core::RequestType>(request.at(0)),
                         .data = ByteView(request).sub(1).to_bytes()});
    }
    return chain::requests_hash(typed);
}

/// RLP of the block; `txs` and where each of them begins in it.
Bytes append_block_of(const NewPayload& payload, std::vector<size_t>& tx_begins) {
    Bytes rlp;
    size_t bytes = 2 * core::Bloom::kSize;
    for (const Bytes& tx : payload.txs) bytes += tx.size() + core::rlp_header_length(tx.size());
    rlp.reserve(bytes + 1024);
    const size_t begin = core::rlp_begin_list(rlp);
    append_header(rlp, payload.header);
    const size_t txs_begin = core::rlp_begin_list(rlp);
    for (const Bytes& tx : payload.txs) {
        // A typed transaction stands in the list as a string (EIP-2718).
        const bool is_legacy = !tx.empty() && tx[0] >= 0xc0;
        if (is_legacy) {
            core::append(rlp, tx);
        } else {
            core::rlp_append_string(rlp, tx);
        }
        tx_begins.push_back(rlp.size() - tx.size());
    }
    const size_t before_end = rlp.size();
    core::rlp_end_list(rlp, txs_begin);
    for (size_t& at : tx_begins) at += rlp.size() - before_end;
    core::append_ommers(rlp, {});
    if (payload.withdrawals) {
        const size_t withdrawals_begin = core::rlp_begin_list(rlp);
        for (const core::Withdrawal& one : *payload.withdrawals) append_withdrawal(rlp, one);
        core::rlp_end_list(rlp, withdrawals_begin);
    }
    const size_t before_outer_end = rlp.size();
    core::rlp_end_list(rlp, begin);
    for (size_t& at : tx_begins) at += rlp.size() - before_outer_end;
    return rlp;
}

core::Result<void, std::string> check_blob_hashes(const core::Block& block,
                                                  const std::vector<Hash32>& expected) {
    std::vector<Hash32> found;
    for (const core::Tx& tx : block.txs) {
        found.insert(found.end(), tx.blob_hashes.begin(), tx.blob_hashes.end());
    }
    if (found.size() != expected.size()) {
        return core::unexpected(fmt::format("invalid number of versionedHashes: {}, blobs: {}",
                                            expected.size(), found.size()));
    }
    const auto differing = std::ranges::mismatch(found, expected);
    if (differing.in1 == found.end()) return {};
    return core::unexpected(
        fmt::format("invalid versionedHash at {}: have {}, want {}", differing.in1 - found.begin(),
                    core::to_hex_prefixed(*differing.in2), core::to_hex_prefixed(*differing.in1)));
}

/// Lengths that a header does not have room for.
core::Result<void, std::string> take_lengths(NewPayload& payload) {
    if (payload.header.extra_data.size() > kExtraDataBytesMax) {
        return core::unexpected(
            fmt::format("invalid extradata length: {}", payload.header.extra_data.size()));
    }
    if (payload.logs_bloom.size() != core::Bloom::kSize) {
        return core::unexpected(
            fmt::format("invalid logsBloom length: {}", payload.logs_bloom.size()));
    }
    payload.header.bloom = core::Bloom(ByteView(payload.logs_bloom));
    return {};
}

}  // namespace

Answer<NewPayload> parse_new_payload(unsigned version, std::optional<JsonValue> params) {
    Args args(params, parameters_of(version));
    const auto object = args.object(kPayloadAt);
    NewPayload payload;
    payload.blob_hashes = args.optional(kBlobHashesAt, to_hashes);
    payload.header.parent_beacon_root = args.optional(kBeaconRootAt, to_hash);
    payload.requests = args.optional(kRequestsAt, to_byte_strings);
    if (!args.ok()) return args.error();

    Members members(*object);
    core::Header& header = payload.header;
    members.require("parentHash", to_hash, header.parent_hash);
    members.require("feeRecipient", to_address, header.coinbase);
    members.require("stateRoot", to_hash, header.state_root);
    members.require("receiptsRoot", to_hash, header.receipts_root);
    members.require("logsBloom", to_bytes, payload.logs_bloom);
    members.require("prevRandao", to_hash, header.mix_hash);
    members.require("blockNumber", to_uint64, header.number);
    members.require("gasLimit", to_uint64, header.gas_limit);
    members.require("gasUsed", to_uint64, header.gas_used);
    members.require("timestamp", to_uint64, header.timestamp);
    members.require("extraData", to_bytes, header.extra_data);
    members.require("baseFeePerGas", to_u256, header.base_fee);
    members.require("blockHash", to_hash, payload.block_hash);
    members.require("transactions", to_byte_strings, payload.txs);
    members.read("withdrawals", to_withdrawals, payload.withdrawals);
    members.read("blobGasUsed", to_uint64, header.blob_gas_used);
    members.read("excessBlobGas", to_uint64, header.excess_blob_gas);
    if (members.error()) return core::unexpected(*members.error());
    return payload;
}

Answer<void> check_version(const NewPayload& payload, unsigned version,
                           const chain::ForkSchedule& schedule) {
    const core::Header& header = payload.header;
    const core::ForkRules rules = schedule.at(header.number, header.timestamp, true).rules;
    // Version 2 takes both forms: that of its time.
    const bool withdrawals = version == 2 ? rules.eip_4895 : version > 2;
    const bool blobs = version >= 3;
    const bool requests = version >= 4;
    const struct {
        bool present;
        bool demanded;
        std::string_view name;
    } values[] = {
        {payload.withdrawals.has_value(), withdrawals, "withdrawals"},
        {header.excess_blob_gas.has_value(), blobs, "excessBlobGas"},
        {header.blob_gas_used.has_value(), blobs, "blobGasUsed"},
        {payload.blob_hashes.has_value(), blobs, "versionedHashes"},
        {header.parent_beacon_root.has_value(), blobs, "beaconRoot"},
        {payload.requests.has_value(), requests, "executionRequests"},
    };
    for (const auto& value : values) {
        if (auto checked = check_presence(value.present, value.demanded, value.name); !checked) {
            return checked;
        }
    }
    const bool is_later_fork = schedule.unsupported_at(header.timestamp).has_value();
    const bool fits = version == 1   ? !rules.eip_4895
                      : version == 2 ? !rules.eip_4844
                      : version == 3 ? rules.eip_4844 && !rules.eip_7685
                                     : rules.eip_7685 && !is_later_fork;
    if (!fits) {
        return fail(Code::UnsupportedFork,
                    fmt::format("engine_newPayloadV{} is not for a payload of time {}", version,
                                header.timestamp));
    }
    return payload.requests ? check_requests(*payload.requests) : Answer<void>{};
}

core::Result<crypto::SealedBlock, std::string> to_block(NewPayload&& payload) {
    const auto lengths = take_lengths(payload);
    core::Header& header = payload.header;
    const std::vector<ByteView> raws(payload.txs.begin(), payload.txs.end());
    const bool any_empty = std::ranges::any_of(raws, &ByteView::empty);
    if (!any_empty) header.tx_root = state::ordered_root(raws);
    if (payload.withdrawals) header.withdrawals_root = withdrawals_root(*payload.withdrawals);
    if (payload.requests) header.requests_hash = hash_of_requests(*payload.requests);

    crypto::SealedBlock sealed;
    std::vector<size_t> tx_begins;
    sealed.rlp = append_block_of(payload, tx_begins);
    for (size_t i = 0; i < payload.txs.size(); ++i) {
        const ByteView raw = ByteView(sealed.rlp).sub(tx_begins[i], payload.txs[i].size());
        auto tx = core::decode_tx(raw);
        if (!tx) return core::unexpected(chain::reject_undecodable(i, raw, tx.error()).text);
        sealed.block.txs.push_back(*std::move(tx));
        sealed.tx_hashes.push_back(crypto::keccak256(raw));
    }
    if (!lengths) return core::unexpected(lengths.error());
    sealed.block.withdrawals = std::move(payload.withdrawals);
    if (payload.blob_hashes) {
        if (auto checked = check_blob_hashes(sealed.block, *payload.blob_hashes); !checked) {
            return core::unexpected(checked.error());
        }
    }
    Bytes header_rlp;
    append_header(header_rlp, header);
    sealed.hash = crypto::keccak256(header_rlp);
    if (sealed.hash != payload.block_hash) {
        return core::unexpected(fmt::format("blockhash mismatch, want {}, got {}",
                                            core::to_hex(payload.block_hash),
                                            core::to_hex(sealed.hash)));
    }
    sealed.block.header = std::move(header);
    return sealed;
}

}  // namespace keel::rpc::engine
