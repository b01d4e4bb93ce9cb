#pragma once

#include "crypto/bls12_381/encoding.hpp"
#include "crypto/bls12_381/msm.hpp"
#include "crypto/kzg/setup.hpp"
#include "crypto/sha256.hpp"

namespace keel::crypto::kzg {

// What both kinds of proofs need to read their inputs and to be checked.

std::optional<Fr> number(core::ByteView bytes) noexcept;
std::optional<G1> point(core::ByteView bytes) noexcept;
/// All of a list, else none.
std::optional<std::vector<G1>> points(std::span<const core::ByteView> list);

KzgPoint compressed(const Jacobian<bls12_381::Fp>& point) noexcept;

/// The transcript of a challenge.
class Transcript {
  public:
    /// `domain` has 16 characters.
    Transcript(std::string_view domain, size_t bytes);

    void append(core::ByteView bytes);
    void append(uint64_t number);  // 8 bytes, big-endian
    /// The SHA-256 of all modulo r.
    Fr challenge() const noexcept;

  private:
    core::Bytes bytes_;
};

/// 1, factor, factor^2 ...
std::vector<Fr> powers(const Fr& factor, size_t count);

/// The sum of factors[i] * points[i].
Jacobian<bls12_381::Fp> combine(std::span<const G1> points, std::span<const Fr> factors);

/// Whether e(left, -G2) e(right, q) = 1.
bool pairing_holds(const Jacobian<bls12_381::Fp>& left, const Jacobian<bls12_381::Fp>& right,
                   const bls12_381::LinesOf& q);

}  // namespace keel::crypto::kzg
