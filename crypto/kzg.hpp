#pragma once

#include <array>
#include <optional>
#include <span>
#include <vector>

#include "core/bytes.hpp"
#include "core/types/hash.hpp"

namespace keel::crypto {

// Polynomial commitments of blobs (EIP-4844) and of their cells (EIP-7594) over BLS12-381, as
// consensus-specs defines them (deneb/polynomial-commitments.md, fulu/polynomial-commitments-
// sampling.md). Numbers are 32 bytes big-endian below r, points are 48 bytes, compressed. Any
// thread. What depends on the trusted setup alone is prepared by the first call that needs it: the
// lines of three points (a millisecond) for all checks, the setup's points (0.1 s) for commitments
// and proofs, their transforms (1.4 s) for proofs of cells.
//
// No value: a length is wrong, a number is not below r, or a point is none of G1.

inline constexpr size_t kBlobElements = 4096;
inline constexpr size_t kBlobBytes = 32 * kBlobElements;
inline constexpr size_t kCellElements = 64;
inline constexpr size_t kCellBytes = 32 * kCellElements;
/// Cells of a blob: twice as many elements as it has, so that any half of them gives the blob.
inline constexpr size_t kCellsPerBlob = 2 * kBlobElements / kCellElements;

using KzgPoint = std::array<uint8_t, 48>;  // a commitment or a proof

/// 0x01, then the last 31 bytes of the SHA-256 of a commitment.
core::Hash32 kzg_versioned_hash(core::ByteView commitment) noexcept;

/// blob_to_kzg_commitment.
std::optional<KzgPoint> kzg_commitment(core::ByteView blob);

/// compute_kzg_proof: of the value that the blob's polynomial has at z, and that value.
struct KzgProofAndValue {
    KzgPoint proof;
    core::Hash32 y;
};
std::optional<KzgProofAndValue> kzg_proof(core::ByteView blob, core::ByteView z);

/// compute_blob_kzg_proof.
std::optional<KzgPoint> blob_kzg_proof(core::ByteView blob, core::ByteView commitment);

/// Whether the polynomial of `commitment` has the value y at z, by `proof`.
std::optional<bool> verify_kzg_proof(core::ByteView commitment, core::ByteView z, core::ByteView y,
                                     core::ByteView proof);

std::optional<bool> verify_blob_kzg_proof(core::ByteView blob, core::ByteView commitment,
                                          core::ByteView proof);

/// Whether verify_blob_kzg_proof holds for each; lists of the same length, else no value.
std::optional<bool> verify_blob_kzg_proof_batch(std::span<const core::ByteView> blobs,
                                                std::span<const core::ByteView> commitments,
                                                std::span<const core::ByteView> proofs);

/// The cells of a blob one after another, kCellsPerBlob of kCellBytes each.
std::optional<core::Bytes> kzg_cells(core::ByteView blob);

struct KzgCells {
    core::Bytes cells;             // as kzg_cells()
    std::vector<KzgPoint> proofs;  // one for each

    friend bool operator==(const KzgCells&, const KzgCells&) = default;
};
/// compute_cells_and_kzg_proofs.
std::optional<KzgCells> kzg_cells_and_proofs(core::ByteView blob);

/// recover_cells_and_kzg_proofs: all cells and proofs from at least half of the cells, whose
/// indices ascend.
std::optional<KzgCells> recover_kzg_cells_and_proofs(std::span<const uint64_t> cell_indices,
                                                     std::span<const core::ByteView> cells);

/// verify_cell_kzg_proof_batch: whether each cell of index cell_indices[k] belongs to
/// commitments[k] by proofs[k]; lists of the same length, else no value.
std::optional<bool> verify_cell_kzg_proof_batch(std::span<const core::ByteView> commitments,
                                                std::span<const uint64_t> cell_indices,
                                                std::span<const core::ByteView> cells,
                                                std::span<const core::ByteView> proofs);

/// compute_challenge: the point at which a blob is compared with its commitment.
core::Hash32 kzg_challenge(core::ByteView blob, core::ByteView commitment);

/// compute_verify_cell_kzg_proof_batch_challenge: the factor between the equations of
/// verify_cell_kzg_proof_batch(); `commitments` are different, commitment_indices[k] is that of
/// cell k.
core::Hash32 kzg_cells_challenge(std::span<const core::ByteView> commitments,
                                 std::span<const uint64_t> commitment_indices,
                                 std::span<const uint64_t> cell_indices,
                                 std::span<const core::ByteView> cells,
                                 std::span<const core::ByteView> proofs);

}  // namespace keel::crypto
