#include "crypto/bn254/bn254.hpp"

#include <vector>

#include "core/base.hpp"
#include "crypto/bn254/pairing.hpp"
#include "crypto/bn254/point.hpp"

namespace keel::crypto {
namespace {

using namespace bn254;
using core::ByteView;
using core::U256;

constexpr size_t kWordBytes = 32;
constexpr size_t kG1Bytes = 64;
constexpr size_t kPairBytes = 192;

U256 word(ByteView input, size_t index) noexcept {
    return U256::load_be32(input.data() + kWordBytes * index);
}

// The coordinates that begin with the given word.
CurveResult decode(ByteView input, size_t index, G1& point) noexcept {
    const U256 x = word(input, index), y = word(input, index + 1);
    if (x >= kPrime || y >= kPrime) return CurveResult::NotCanonical;
    point = {Fp::of(x), Fp::of(y)};
    return on_curve(point) ? CurveResult::Ok : CurveResult::NotOnCurve;
}

CurveResult decode(ByteView input, size_t index, G2& point) noexcept {
    // EIP-197: imaginary part first.
    U256 parts[4];
    for (size_t i = 0; i < 4; ++i) {
        parts[i] = word(input, index + i);
        if (parts[i] >= kPrime) return CurveResult::NotCanonical;
    }
    point = {{Fp::of(parts[1]), Fp::of(parts[0])}, {Fp::of(parts[3]), Fp::of(parts[2])}};
    if (!on_curve(point)) return CurveResult::NotOnCurve;
    return in_subgroup(point) ? CurveResult::Ok : CurveResult::NotInSubgroup;
}

void encode(const G1& point, uint8_t* out) noexcept {
    point.x.value().store_be32(out);
    point.y.value().store_be32(out + kWordBytes);
}

}  // namespace

CurveResult bn254_add(ByteView input, uint8_t* out) noexcept {
    KEEL_ASSERT(input.size() == 2 * kG1Bytes);
    G1 a, b;
    if (const auto result = decode(input, 0, a); result != CurveResult::Ok) return result;
    if (const auto result = decode(input, 2, b); result != CurveResult::Ok) return result;
    encode(a + b, out);
    return CurveResult::Ok;
}

CurveResult bn254_mul(ByteView input, uint8_t* out) noexcept {
    KEEL_ASSERT(input.size() == kG1Bytes + kWordBytes);
    G1 point;
    if (const auto result = decode(input, 0, point); result != CurveResult::Ok) return result;
    encode(to_affine(multiply(point, word(input, 2))), out);
    return CurveResult::Ok;
}

std::optional<bool> bn254_pairing(ByteView input) {
    KEEL_ASSERT(input.size() % kPairBytes == 0);
    std::vector<Pair> pairs;
    pairs.reserve(input.size() / kPairBytes);
    for (size_t at = 0; at < input.size(); at += kPairBytes) {
        Pair pair;
        if (decode(input.sub(at), 0, pair.p) != CurveResult::Ok) return std::nullopt;
        if (decode(input.sub(at), 2, pair.q) != CurveResult::Ok) return std::nullopt;
        // Such a pair is worth 1, but had to be valid.
        if (!pair.p.is_infinity() && !pair.q.is_infinity()) pairs.push_back(pair);
    }
    if (pairs.empty()) return true;
    return final_exponentiation(miller_loop(pairs)) == Fp12::one();
}

}  // namespace keel::crypto
