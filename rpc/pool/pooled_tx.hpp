#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/types/tx.hpp"
#include "rpc/error.hpp"

namespace keel::rpc::pool {

/// Blobs of a transaction with what proves them (EIP-4844, EIP-7594).
struct Sidecar {
    uint8_t version = 0;  // 1: kCellsPerBlob proofs a blob, of its cells
    std::vector<core::Bytes> blobs;
    std::vector<core::Bytes> commitments;
    std::vector<core::Bytes> proofs;
};

/// A transaction that waits. Not copied: `tx` views `raw`.
struct PooledTx {
    core::Bytes raw;  // without sidecar: what is hashed
    core::Tx tx;
    core::Hash32 hash;
    core::Address sender;
    std::optional<Sidecar> sidecar;
    uint64_t arrival = 0;
    size_t network_bytes = 0;  // as it came

    PooledTx() = default;
    PooledTx(PooledTx&&) noexcept = default;
    PooledTx& operator=(PooledTx&&) noexcept = default;
    PooledTx(const PooledTx&) = delete;
    PooledTx& operator=(const PooledTx&) = delete;

    /// The same again, with views of its own.
    PooledTx copy() const;
    /// What the sender may have to pay in the end: gas, blobs, value; none: beyond 256 bits.
    std::optional<core::U256> cost_max() const;
};

/// The sidecar of version 0 with proofs of cells in place of proofs of blobs; none: a blob is none.
/// Costs tens of milliseconds a blob.
std::optional<Sidecar> with_cell_proofs(const Sidecar& sidecar);

/// The form in which a transaction travels: a blob transaction with its sidecar.
void append_network_form(core::Bytes& to, const PooledTx& pooled);
/// From the form in which transactions travel: a blob transaction with its sidecar. The sender is
/// not recovered.
Answer<PooledTx> decode_network_form(core::ByteView bytes);

}  // namespace keel::rpc::pool
