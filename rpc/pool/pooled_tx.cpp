#include "rpc/pool/pooled_tx.hpp"

#include <fmt/format.h>

#include <utility>

#include "chain/blob_fee.hpp"
#include "core/rlp.hpp"
#include "crypto/keccak.hpp"
#include "crypto/kzg.hpp"

namespace keel::rpc::pool {
namespace {

using core::Bytes;
using core::ByteView;
using core::RlpError;
using core::RlpReader;

core::unexpected<Error> undecodable(RlpError error) {
    if (error == RlpError::TypeNotSupported) {
        return fail(Code::Failed, "transaction type not supported");
    }
    return fail(Code::Failed, fmt::format("rlp: {}", core::to_string(error)));
}

core::RlpResult<std::vector<Bytes>> read_strings(RlpReader& from) {
    auto list = from.list();
    if (!list) return core::unexpected(list.error());
    std::vector<Bytes> strings;
    while (!list->at_end()) {
        const auto one = list->string();
        if (!one) return core::unexpected(one.error());
        strings.push_back(one->to_bytes());
    }
    return strings;
}

/// What follows the transaction in the network form: [version,] blobs, commitments, proofs.
core::RlpResult<Sidecar> read_sidecar(RlpReader& fields) {
    Sidecar sidecar;
    if (!fields.next_is_list()) {
        const auto version = fields.uint64();
        if (!version) return core::unexpected(version.error());
        if (*version != 1) return core::unexpected(RlpError::InvalidValue);
        sidecar.version = 1;
    }
    for (auto* const part : {&sidecar.blobs, &sidecar.commitments, &sidecar.proofs}) {
        auto strings = read_strings(fields);
        if (!strings) return core::unexpected(strings.error());
        *part = *std::move(strings);
    }
    if (auto ended = fields.end(); !ended) return core::unexpected(ended.error());
    return sidecar;
}

}  // namespace

std::optional<core::U256> PooledTx::cost_max() const {
    const auto gas = core::checked_mul(tx.max_fee, tx.gas);
    const auto blobs =
        core::checked_mul(tx.max_fee_per_blob_gas, tx.blob_hashes.size() * chain::kGasPerBlob);
    if (!gas || !blobs) return std::nullopt;
    const auto fees = core::checked_add(*gas, *blobs);
    return fees ? core::checked_add(*fees, tx.value) : std::nullopt;
}

PooledTx PooledTx::copy() const {
    PooledTx other;
    other.raw = raw;
    other.tx = core::decode_tx(other.raw).value();  // it was decoded before
    other.hash = hash;
    other.sender = sender;
    other.sidecar = sidecar;
    other.arrival = arrival;
    other.network_bytes = network_bytes;
    return other;
}

std::optional<Sidecar> with_cell_proofs(const Sidecar& sidecar) {
    Sidecar changed{
        .version = 1, .blobs = sidecar.blobs, .commitments = sidecar.commitments, .proofs = {}};
    changed.proofs.reserve(sidecar.blobs.size() * crypto::kCellsPerBlob);
    for (const Bytes& blob : sidecar.blobs) {
        const auto cells = crypto::kzg_cells_and_proofs(blob);
        if (!cells) return std::nullopt;
        for (const crypto::KzgPoint& proof : cells->proofs) {
            changed.proofs.emplace_back(proof.begin(), proof.end());
        }
    }
    return changed;
}

void append_network_form(Bytes& to, const PooledTx& pooled) {
    if (!pooled.sidecar) {
        core::append(to, pooled.raw);
        return;
    }
    to.push_back(pooled.raw.front());
    const size_t fields = core::rlp_begin_list(to);
    core::append(to, ByteView(pooled.raw).sub(1));
    if (pooled.sidecar->version != 0) core::rlp_append_uint(to, pooled.sidecar->version);
    for (const auto* const part :
         {&pooled.sidecar->blobs, &pooled.sidecar->commitments, &pooled.sidecar->proofs}) {
        const size_t strings = core::rlp_begin_list(to);
        for (const Bytes& one : *part) core::rlp_append_string(to, one);
        core::rlp_end_list(to, strings);
    }
    core::rlp_end_list(to, fields);
}

Answer<PooledTx> decode_network_form(ByteView bytes) {
    PooledTx pooled;
    pooled.network_bytes = bytes.size();
    pooled.raw = bytes.to_bytes();
    const bool is_blob = !bytes.empty() && bytes[0] == static_cast<uint8_t>(core::TxType::Blob);
    if (is_blob) {
        auto fields = core::rlp_outer_list(bytes.sub(1));
        if (!fields) return undecodable(fields.error());
        if (fields->next_is_list()) {
            const auto inner = fields->item();
            if (!inner) return undecodable(inner.error());
            auto sidecar = read_sidecar(*fields);
            if (!sidecar) return undecodable(sidecar.error());
            pooled.sidecar = *std::move(sidecar);
            pooled.raw.assign(1, bytes[0]);
            core::append(pooled.raw, *inner);
        }
    }
    auto tx = core::decode_tx(pooled.raw);
    if (!tx) return undecodable(tx.error());
    pooled.tx = *std::move(tx);
    pooled.hash = crypto::keccak256(pooled.raw);
    return pooled;
}

}  // namespace keel::rpc::pool
