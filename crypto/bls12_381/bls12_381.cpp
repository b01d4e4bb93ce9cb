#include "crypto/bls12_381/bls12_381.hpp"

#include <cstring>
#include <vector>

#include "core/base.hpp"
#include "crypto/bls12_381/encoding.hpp"
#include "crypto/bls12_381/map_to_curve.hpp"
#include "crypto/bls12_381/msm.hpp"
#include "crypto/bls12_381/pairing.hpp"

namespace keel::crypto {
namespace {

using namespace bls12_381;
using core::ByteView;
using core::U256;

// EIP-2537, "Encoding": 16 zero bytes, then the 48 of a field element.
constexpr size_t kPadding = 16;
constexpr size_t kElementBytes = kPadding + kFpBytes;
constexpr size_t kScalarBytes = 32;

template <class F>
constexpr size_t kEncodedBytes = 0;
template <>
constexpr size_t kEncodedBytes<Fp> = kElementBytes;
template <>
constexpr size_t kEncodedBytes<Fp2> = 2 * kElementBytes;
template <class F>
constexpr size_t kPointBytes = 2 * kEncodedBytes<F>;

bool decode(const uint8_t* bytes, Fp& out) noexcept {
    uint8_t any = 0;
    for (size_t i = 0; i < kPadding; ++i) any |= bytes[i];
    return any == 0 && load_fp(bytes + kPadding, out);
}
bool decode(const uint8_t* bytes, Fp2& out) noexcept {
    return decode(bytes, out.c0) && decode(bytes + kElementBytes, out.c1);
}

void encode(const Fp& a, uint8_t* out) noexcept {
    std::memset(out, 0, kPadding);
    store_fp(a, out + kPadding);
}
void encode(const Fp2& a, uint8_t* out) noexcept {
    encode(a.c0, out);
    encode(a.c1, out + kElementBytes);
}
template <class F>
void encode(const Affine<F>& p, uint8_t* out) noexcept {
    encode(p.x, out);
    encode(p.y, out + kEncodedBytes<F>);
}

template <class F>
CurveResult decode_on_curve(const uint8_t* bytes, Affine<F>& out) noexcept {
    if (!decode(bytes, out.x) || !decode(bytes + kEncodedBytes<F>, out.y)) {
        return CurveResult::NotCanonical;
    }
    return on_curve(out) ? CurveResult::Ok : CurveResult::NotOnCurve;
}

template <class F>
CurveResult decode_in_subgroup(const uint8_t* bytes, Affine<F>& out) noexcept {
    if (const auto result = decode_on_curve(bytes, out); result != CurveResult::Ok) return result;
    return in_subgroup(out) ? CurveResult::Ok : CurveResult::NotInSubgroup;
}

template <class F>
CurveResult add(ByteView input, uint8_t* out) noexcept {
    KEEL_ASSERT(input.size() == 2 * kPointBytes<F>);
    Affine<F> a, b;
    if (const auto result = decode_on_curve(input.data(), a); result != CurveResult::Ok) {
        return result;
    }
    if (const auto result = decode_on_curve(input.data() + kPointBytes<F>, b);
        result != CurveResult::Ok) {
        return result;
    }
    encode(a + b, out);
    return CurveResult::Ok;
}

template <class F>
CurveResult msm(ByteView input, uint8_t* out) {
    constexpr size_t kTermBytes = kPointBytes<F> + kScalarBytes;
    KEEL_ASSERT(!input.empty() && input.size() % kTermBytes == 0);
    const size_t count = input.size() / kTermBytes;
    std::vector<Affine<F>> points(count);
    std::vector<U256> scalars(count);
    for (size_t i = 0; i < count; ++i) {
        const uint8_t* term = input.data() + i * kTermBytes;
        if (const auto result = decode_in_subgroup(term, points[i]); result != CurveResult::Ok) {
            return result;
        }
        scalars[i] = U256::load_be32(term + kPointBytes<F>);
    }
    encode(to_affine(multiply_sum(points, scalars)), out);
    return CurveResult::Ok;
}

template <class F>
CurveResult map(ByteView input, uint8_t* out) noexcept {
    KEEL_ASSERT(input.size() == kEncodedBytes<F>);
    F u;
    if (!decode(input.data(), u)) return CurveResult::NotCanonical;
    encode(to_affine(map_to_curve(u)), out);
    return CurveResult::Ok;
}

}  // namespace

CurveResult bls12_g1_add(ByteView input, uint8_t* out) noexcept {
    return add<Fp>(input, out);
}
CurveResult bls12_g2_add(ByteView input, uint8_t* out) noexcept {
    return add<Fp2>(input, out);
}

CurveResult bls12_g1_msm(ByteView input, uint8_t* out) {
    return msm<Fp>(input, out);
}
CurveResult bls12_g2_msm(ByteView input, uint8_t* out) {
    return msm<Fp2>(input, out);
}

std::optional<bool> bls12_pairing(ByteView input) {
    constexpr size_t kPairBytes = kPointBytes<Fp> + kPointBytes<Fp2>;
    KEEL_ASSERT(input.size() % kPairBytes == 0);
    std::vector<Pair> pairs;
    pairs.reserve(input.size() / kPairBytes);
    for (size_t at = 0; at < input.size(); at += kPairBytes) {
        Pair pair;
        const uint8_t* bytes = input.data() + at;
        if (decode_in_subgroup(bytes, pair.p) != CurveResult::Ok) return std::nullopt;
        if (decode_in_subgroup(bytes + kPointBytes<Fp>, pair.q) != CurveResult::Ok) {
            return std::nullopt;
        }
        // Such a pair is worth 1, but had to be valid.
        if (!pair.p.is_infinity() && !pair.q.is_infinity()) pairs.push_back(pair);
    }
    if (pairs.empty()) return true;
    return final_exponentiation(miller_loop(pairs)) == Fp12::one();
}

CurveResult bls12_map_to_g1(ByteView input, uint8_t* out) noexcept {
    return map<Fp>(input, out);
}
CurveResult bls12_map_to_g2(ByteView input, uint8_t* out) noexcept {
    return map<Fp2>(input, out);
}

}  // namespace keel::crypto
