#pragma once

#include <span>

#include "crypto/bls12_381/pairing.hpp"
#include "crypto/kzg/polynomial.hpp"

namespace keel::crypto::kzg {

using bls12_381::Affine;
using bls12_381::G1;
using bls12_381::Jacobian;

// The trusted setup: powers of tau, the secret of the KZG ceremony, times the generators. Each of
// these is prepared once, by the first call.

/// tau^i G1 for i below kCellElements.
std::span<const G1> first_monomials();
/// tau^i G1 for i below kBlobElements.
std::span<const G1> monomials();

/// Lines of the points of G2 that checks pair with.
struct FixedLines {
    FixedLines() noexcept;

    bls12_381::LinesOf minus_generator;
    bls12_381::LinesOf tau;
    bls12_381::LinesOf tau_of_cell;  // tau^kCellElements
};
const FixedLines& fixed_lines();

/// [k][a]: for column a, the points tau^a G1, tau^(a + 64) G1 ... of the monomials in reverse
/// order, their transform to kCellsPerBlob values (Feist, Khovratovich, "Fast amortized KZG
/// proofs", 2023).
using Columns = std::vector<std::array<G1, kCellElements>>;
const Columns& transformed_columns();

/// The commitment to a polynomial of at most points.size() coefficients.
Jacobian<bls12_381::Fp> commit(std::span<const Fr> polynomial, std::span<const G1> points);

}  // namespace keel::crypto::kzg
