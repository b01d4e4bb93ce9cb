// Proofs of EIP-4844: that the polynomial of a commitment has a value at a point.

#include "crypto/kzg/check.hpp"

namespace keel::crypto {
namespace {

using namespace kzg;
using bls12_381::Fp;
using bls12_381::kGenerator1;
using core::ByteView;
using core::Hash32;

constexpr uint8_t kVersionedHashVersionKzg = 0x01;
// consensus-specs: FIAT_SHAMIR_PROTOCOL_DOMAIN, RANDOM_CHALLENGE_KZG_BATCH_DOMAIN.
constexpr std::string_view kBlobDomain = "FSBLOBVERIFY_V1_";
constexpr std::string_view kBatchDomain = "RCKZGBATCH___V1_";

Fr challenge_of(ByteView blob, ByteView commitment) {
    Transcript transcript(kBlobDomain, 16 + blob.size() + commitment.size());
    transcript.append(uint64_t{0});  // the upper half of 16 bytes
    transcript.append(uint64_t{kBlobElements});
    transcript.append(blob);
    transcript.append(commitment);
    return transcript.challenge();
}

Hash32 bytes_of(const Fr& value) noexcept {
    Hash32 bytes;
    value.value().store_be32(bytes.data());
    return bytes;
}

// A claim that a polynomial has the value y at z.
struct Claim {
    G1 commitment;
    Fr z, y;
    G1 proof;
};

bool holds(const Claim& claim) {
    // e(C - y G1, -G2) e(pi, (tau - z) G2) = 1, with z moved to the other side, so that both points
    // of G2 are fixed: e(C - y G1 + z pi, -G2) e(pi, tau G2) = 1.
    const G1 points[] = {-kGenerator1, claim.proof};
    const Fr factors[] = {claim.y, claim.z};
    return pairing_holds(combine(points, factors) + claim.commitment, Jacobian<Fp>::of(claim.proof),
                         fixed_lines().tau);
}

// The claim that a proof of a blob makes: its value at the challenge.
std::optional<Claim> claim_of(ByteView blob, ByteView commitment, ByteView proof) {
    const auto polynomial = polynomial_of_blob(blob);
    const auto c = point(commitment), pi = point(proof);
    if (!polynomial || !c || !pi) return std::nullopt;
    const Fr z = challenge_of(blob, commitment);
    return Claim{*c, z, evaluate(*polynomial, z), *pi};
}

}  // namespace

Hash32 kzg_versioned_hash(ByteView commitment) noexcept {
    Hash32 hash = sha256(commitment);
    hash[0] = kVersionedHashVersionKzg;
    return hash;
}

std::optional<KzgPoint> kzg_commitment(ByteView blob) {
    const auto polynomial = polynomial_of_blob(blob);
    if (!polynomial) return std::nullopt;
    return compressed(commit(*polynomial, monomials()));
}

std::optional<KzgProofAndValue> kzg_proof(ByteView blob, ByteView z) {
    const auto at = number(z);
    const auto polynomial = polynomial_of_blob(blob);
    if (!at || !polynomial) return std::nullopt;
    const Division division = divide_by_linear(*polynomial, *at);
    return KzgProofAndValue{compressed(commit(division.quotient, monomials())),
                            bytes_of(division.rest)};
}

std::optional<KzgPoint> blob_kzg_proof(ByteView blob, ByteView commitment) {
    const auto polynomial = polynomial_of_blob(blob);
    if (!polynomial || !point(commitment)) return std::nullopt;
    const Division division = divide_by_linear(*polynomial, challenge_of(blob, commitment));
    return compressed(commit(division.quotient, monomials()));
}

std::optional<bool> verify_kzg_proof(ByteView commitment, ByteView z, ByteView y, ByteView proof) {
    const auto at = number(z), value = number(y);
    if (!at || !value) return std::nullopt;
    const auto c = point(commitment), pi = point(proof);
    if (!c || !pi) return std::nullopt;
    return holds({*c, *at, *value, *pi});
}

std::optional<bool> verify_blob_kzg_proof(ByteView blob, ByteView commitment, ByteView proof) {
    const auto claim = claim_of(blob, commitment, proof);
    if (!claim) return std::nullopt;
    return holds(*claim);
}

std::optional<bool> verify_blob_kzg_proof_batch(std::span<const ByteView> blobs,
                                                std::span<const ByteView> commitments,
                                                std::span<const ByteView> proofs) {
    const size_t count = blobs.size();
    if (commitments.size() != count || proofs.size() != count) return std::nullopt;
    // The equations of all, times the powers of a number that nobody can foresee.
    Transcript transcript(kBatchDomain, 16 + count * 160);
    transcript.append(uint64_t{kBlobElements});
    transcript.append(uint64_t{count});
    std::vector<Claim> claims;
    claims.reserve(count);
    for (size_t i = 0; i < count; ++i) {
        const auto claim = claim_of(blobs[i], commitments[i], proofs[i]);
        if (!claim) return std::nullopt;
        claims.push_back(*claim);
        transcript.append(commitments[i]);
        transcript.append(bytes_of(claim->z));
        transcript.append(bytes_of(claim->y));
        transcript.append(proofs[i]);
    }
    const auto factors = powers(transcript.challenge(), count);
    std::vector<G1> left, right;
    std::vector<Fr> left_factors;
    Fr sum_of_values{};
    for (size_t i = 0; i < count; ++i) {
        left.push_back(claims[i].commitment);
        left_factors.push_back(factors[i]);
        left.push_back(claims[i].proof);
        left_factors.push_back(factors[i] * claims[i].z);
        sum_of_values = sum_of_values + factors[i] * claims[i].y;
        right.push_back(claims[i].proof);
    }
    left.push_back(-kGenerator1);
    left_factors.push_back(sum_of_values);
    return pairing_holds(combine(left, left_factors), combine(right, factors), fixed_lines().tau);
}

Hash32 kzg_challenge(ByteView blob, ByteView commitment) {
    return bytes_of(challenge_of(blob, commitment));
}

}  // namespace keel::crypto
