#include "crypto/kzg/check.hpp"

#include "core/base.hpp"
#include "core/endian.hpp"

namespace keel::crypto::kzg {

using namespace bls12_381;
using core::ByteView;
using core::U256;

std::optional<Fr> number(ByteView bytes) noexcept {
    Fr value;
    if (bytes.size() != 32 || !load(bytes, std::span(&value, 1))) return std::nullopt;
    return value;
}

std::optional<G1> point(ByteView bytes) noexcept {
    G1 decoded;
    if (decompress(bytes, decoded) != CurveResult::Ok) return std::nullopt;
    return decoded;
}

std::optional<std::vector<G1>> points(std::span<const ByteView> list) {
    std::vector<G1> decoded(list.size());
    for (size_t i = 0; i < list.size(); ++i) {
        if (decompress(list[i], decoded[i]) != CurveResult::Ok) return std::nullopt;
    }
    return decoded;
}

KzgPoint compressed(const Jacobian<Fp>& point) noexcept {
    KzgPoint bytes;
    compress(to_affine(point), bytes.data());
    return bytes;
}

Transcript::Transcript(std::string_view domain, size_t bytes) {
    KEEL_ASSERT(domain.size() == 16);
    bytes_.reserve(domain.size() + bytes);
    bytes_.assign(domain.begin(), domain.end());
}

void Transcript::append(ByteView bytes) {
    core::append(bytes_, bytes);
}

void Transcript::append(uint64_t number) {
    uint8_t bytes[sizeof number];
    core::store_be(bytes, number);
    core::append(bytes_, ByteView(bytes, sizeof bytes));
}

Fr Transcript::challenge() const noexcept {
    return Fr::of(U256::load_be32(sha256(bytes_).data()) % kOrder);
}

std::vector<Fr> powers(const Fr& factor, size_t count) {
    std::vector<Fr> out(count, Fr::one());
    for (size_t i = 1; i < count; ++i) out[i] = out[i - 1] * factor;
    return out;
}

Jacobian<Fp> combine(std::span<const G1> points, std::span<const Fr> factors) {
    return commit(factors, points);
}

bool pairing_holds(const Jacobian<Fp>& left, const Jacobian<Fp>& right, const LinesOf& q) {
    std::vector<PairOfLines> pairs;
    if (!left.is_infinity()) pairs.push_back({to_affine(left), &fixed_lines().minus_generator});
    if (!right.is_infinity()) pairs.push_back({to_affine(right), &q});
    return final_exponentiation(miller_loop(pairs)) == Fp12::one();
}

}  // namespace keel::crypto::kzg
