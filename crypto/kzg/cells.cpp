// Cells of EIP-7594: the values of a blob's polynomial at twice as many roots of unity, 64
// together, and proofs for each.

#include <algorithm>
#include <bit>
#include <map>

#include "core/base.hpp"
#include "crypto/kzg/check.hpp"

namespace keel::crypto {
namespace {

using namespace kzg;
using bls12_381::Fp;
using core::Bytes;
using core::ByteView;

// consensus-specs: RANDOM_CHALLENGE_KZG_CELL_BATCH_DOMAIN.
constexpr std::string_view kCellsDomain = "RCKZGCBATCH__V1_";
constexpr unsigned kCellBits = std::countr_zero(kCellsPerBlob);
constexpr uint64_t kCosetShift = 7;  // no root of unity of a power of two

// The values of cell i are those at h w^j for the roots of unity w^j of order kCellElements; this
// is the exponent of h as a power of the root of order kExtendedElements.
size_t shift_of_cell(size_t index) noexcept {
    return reverse_bits(index, kCellBits);
}

// h^kCellElements: the cell's polynomial is what is left modulo x^kCellElements less that.
Fr constant_of_cell(size_t index) {
    return roots_of_unity()[shift_of_cell(index) * kCellElements];
}

std::vector<Fr> values_of_cells(const Polynomial& polynomial) {
    std::vector<Fr> values(kExtendedElements);
    std::copy(polynomial.begin(), polynomial.end(), values.begin());
    evaluate_all<Fr>(values);
    return values;
}

Bytes bytes_of_cells(const Polynomial& polynomial) {
    Bytes cells(kCellsPerBlob * kCellBytes);
    store(values_of_cells(polynomial), cells.data());
    return cells;
}

// Feist, Khovratovich, "Fast amortized KZG proofs" (2023). The proof of a cell with the constant c
// is the commitment to the polynomial p divided by x^64 - c: the sum over t >= 1 of c^(t - 1) H_t,
// where H_t is the sum of p[m + 64 t] tau^m G1. For m = a + 64 b these are, for every column a, the
// upper half of the product of two polynomials: one of the coefficients p[a + 64 b], one of the
// points tau^(a + 64 b) G1 in reverse. All H_t together are values at the c of one polynomial.
std::vector<KzgPoint> proofs_of_cells(const Polynomial& polynomial) {
    constexpr size_t kRows = kBlobElements / kCellElements;
    const Columns& columns = transformed_columns();
    std::vector<std::array<core::U256, kCellElements>> scalars(kCellsPerBlob);
    std::array<Fr, kCellsPerBlob> column;
    for (size_t a = 0; a < kCellElements; ++a) {
        column.fill(Fr{});
        for (size_t b = 0; b < kRows; ++b) column[b] = polynomial[a + kCellElements * b];
        evaluate_all<Fr>(column);
        for (size_t k = 0; k < kCellsPerBlob; ++k) scalars[k][a] = column[k].value();
    }
    std::vector<Jacobian<Fp>> product(kCellsPerBlob);
    for (size_t k = 0; k < kCellsPerBlob; ++k) {
        product[k] = bls12_381::multiply_sum(columns[k], scalars[k]);
    }
    interpolate_all<Jacobian<Fp>>(product);
    // The division by kCellsPerBlob is left for the end, where it costs the fewest products: none
    // of the points moved to the front is zero in general, half of all are dropped.
    const Fr divisor = Fr::of(uint64_t{kCellsPerBlob}).inverse();
    for (size_t t = 0; t < kRows; ++t) product[t] = product[kRows + t] * divisor;
    std::fill(product.begin() + kRows, product.end(), Jacobian<Fp>::infinity());
    evaluate_all<Jacobian<Fp>>(product);
    std::vector<KzgPoint> proofs(kCellsPerBlob);
    std::transform(product.begin(), product.end(), proofs.begin(), compressed);
    return proofs;
}

KzgCells cells_and_proofs(const Polynomial& polynomial) {
    return {bytes_of_cells(polynomial), proofs_of_cells(polynomial)};
}

// The product of x - root for each.
Polynomial product_of_roots(std::span<const Fr> roots) {
    Polynomial product{Fr::one()};
    product.reserve(roots.size() + 1);
    for (const Fr& root : roots) {
        product.push_back(product.back());
        for (size_t i = product.size() - 2; i > 0; --i) {
            product[i] = product[i - 1] - root * product[i];
        }
        product[0] = -(root * product[0]);
    }
    return product;
}

// The polynomial that has the values given, of at least half of the cells; the other values are 0.
// For the polynomial z of all points that are missing, the product of it and the polynomial sought
// is known everywhere. The quotient is formed at other points, where z is not 0.
Polynomial recover(std::vector<Fr> values, const std::vector<bool>& given) {
    std::vector<Fr> missing;
    for (size_t i = 0; i < kCellsPerBlob; ++i) {
        if (!given[i]) missing.push_back(constant_of_cell(i));
    }
    const Polynomial in_cells = product_of_roots(missing);  // in x^kCellElements
    std::vector<Fr> divisor(kExtendedElements);
    for (size_t i = 0; i < in_cells.size(); ++i) divisor[i * kCellElements] = in_cells[i];
    std::vector<Fr> divisor_values = divisor;
    evaluate_all<Fr>(divisor_values);
    for (size_t i = 0; i < values.size(); ++i) values[i] = values[i] * divisor_values[i];
    interpolate(values);
    const Fr shift = Fr::of(kCosetShift);
    scale_by_powers(values, shift);
    scale_by_powers(divisor, shift);
    evaluate_all<Fr>(values);
    evaluate_all<Fr>(divisor);
    invert_all(divisor);
    for (size_t i = 0; i < values.size(); ++i) values[i] = values[i] * divisor[i];
    interpolate(values);
    scale_by_powers(values, shift.inverse());
    values.resize(kBlobElements);
    return values;
}

// Which of a list each entry is equal to first, with equal ones counted once.
struct Distinct {
    explicit Distinct(std::span<const ByteView> list) {
        std::map<ByteView, uint64_t> seen;
        for (const ByteView entry : list) {
            const auto [found, is_new] = seen.emplace(entry, entries.size());
            if (is_new) entries.push_back(entry);
            index.push_back(found->second);
        }
    }

    std::vector<ByteView> entries;
    std::vector<uint64_t> index;
};

Fr challenge_of(std::span<const ByteView> commitments, std::span<const uint64_t> commitment_indices,
                std::span<const uint64_t> cell_indices, std::span<const ByteView> cells,
                std::span<const ByteView> proofs) {
    constexpr size_t kPointBytes = sizeof(KzgPoint);
    Transcript transcript(kCellsDomain, 32 + commitments.size() * kPointBytes +
                                            cells.size() * (16 + kCellBytes + kPointBytes));
    transcript.append(uint64_t{kBlobElements});
    transcript.append(uint64_t{kCellElements});
    transcript.append(uint64_t{commitments.size()});
    transcript.append(uint64_t{cells.size()});
    for (const ByteView commitment : commitments) transcript.append(commitment);
    for (size_t k = 0; k < cells.size(); ++k) {
        transcript.append(commitment_indices[k]);
        transcript.append(cell_indices[k]);
        transcript.append(cells[k]);
        transcript.append(proofs[k]);
    }
    return transcript.challenge();
}

}  // namespace

std::optional<Bytes> kzg_cells(ByteView blob) {
    const auto polynomial = polynomial_of_blob(blob);
    if (!polynomial) return std::nullopt;
    return bytes_of_cells(*polynomial);
}

std::optional<KzgCells> kzg_cells_and_proofs(ByteView blob) {
    const auto polynomial = polynomial_of_blob(blob);
    if (!polynomial) return std::nullopt;
    return cells_and_proofs(*polynomial);
}

std::optional<KzgCells> recover_kzg_cells_and_proofs(std::span<const uint64_t> cell_indices,
                                                     std::span<const ByteView> cells) {
    if (cell_indices.size() != cells.size() || cells.size() < kCellsPerBlob / 2 ||
        cells.size() > kCellsPerBlob) {
        return std::nullopt;
    }
    std::vector<Fr> values(kExtendedElements);
    std::vector<bool> given(kCellsPerBlob);
    for (size_t k = 0; k < cells.size(); ++k) {
        const uint64_t index = cell_indices[k];
        if (index >= kCellsPerBlob || (k != 0 && index <= cell_indices[k - 1])) return std::nullopt;
        if (cells[k].size() != kCellBytes) return std::nullopt;
        if (!load(cells[k], std::span(values).subspan(index * kCellElements, kCellElements))) {
            return std::nullopt;
        }
        given[index] = true;
    }
    return cells_and_proofs(recover(std::move(values), given));
}

std::optional<bool> verify_cell_kzg_proof_batch(std::span<const ByteView> commitments,
                                                std::span<const uint64_t> cell_indices,
                                                std::span<const ByteView> cells,
                                                std::span<const ByteView> proofs) {
    const size_t count = cells.size();
    if (commitments.size() != count || cell_indices.size() != count || proofs.size() != count) {
        return std::nullopt;
    }
    if (count == 0) return true;
    const Distinct distinct(commitments);
    const auto c = points(distinct.entries), pi = points(proofs);
    if (!c || !pi) return std::nullopt;
    std::vector<Fr> values(count * kCellElements);
    for (size_t k = 0; k < count; ++k) {
        if (cell_indices[k] >= kCellsPerBlob || cells[k].size() != kCellBytes) return std::nullopt;
        if (!load(cells[k], std::span(values).subspan(k * kCellElements, kCellElements))) {
            return std::nullopt;
        }
    }
    // For each cell: e(pi, tau^64 G2) = e(C - I + h^64 pi, G2), I the commitment to the polynomial
    // of degree below 64 that has the cell's values. The sum of all, times powers of a number that
    // nobody can foresee.
    const auto factors =
        powers(challenge_of(distinct.entries, distinct.index, cell_indices, cells, proofs), count);
    std::vector<Fr> of_commitments(distinct.entries.size());
    std::vector<Fr> of_proofs(count);
    // Values of the same place of different blobs are added before they are transformed.
    std::array<std::vector<Fr>, kCellsPerBlob> sums;
    for (size_t k = 0; k < count; ++k) {
        const uint64_t index = cell_indices[k];
        Fr& of_commitment = of_commitments[distinct.index[k]];
        of_commitment = of_commitment + factors[k];
        of_proofs[k] = factors[k] * constant_of_cell(index);
        sums[index].resize(kCellElements);
        for (size_t j = 0; j < kCellElements; ++j) {
            sums[index][j] = sums[index][j] + factors[k] * values[k * kCellElements + j];
        }
    }
    std::vector<Fr> interpolated(kCellElements);
    for (size_t index = 0; index < kCellsPerBlob; ++index) {
        if (sums[index].empty()) continue;
        interpolate(sums[index]);
        const size_t exponent = kExtendedElements - shift_of_cell(index);
        scale_by_powers(sums[index], roots_of_unity()[exponent % kExtendedElements]);
        for (size_t j = 0; j < kCellElements; ++j) {
            interpolated[j] = interpolated[j] - sums[index][j];
        }
    }
    // One sum for the left side: commitments, polynomials, proofs.
    std::vector<G1> left = *c;
    left.insert(left.end(), first_monomials().begin(), first_monomials().end());
    left.insert(left.end(), pi->begin(), pi->end());
    std::vector<Fr> left_factors = of_commitments;
    left_factors.insert(left_factors.end(), interpolated.begin(), interpolated.end());
    left_factors.insert(left_factors.end(), of_proofs.begin(), of_proofs.end());
    return pairing_holds(combine(left, left_factors), combine(*pi, factors),
                         fixed_lines().tau_of_cell);
}

core::Hash32 kzg_cells_challenge(std::span<const ByteView> commitments,
                                 std::span<const uint64_t> commitment_indices,
                                 std::span<const uint64_t> cell_indices,
                                 std::span<const ByteView> cells,
                                 std::span<const ByteView> proofs) {
    core::Hash32 bytes;
    challenge_of(commitments, commitment_indices, cell_indices, cells, proofs)
        .value()
        .store_be32(bytes.data());
    return bytes;
}

}  // namespace keel::crypto
