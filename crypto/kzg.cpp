#include "crypto/kzg.hpp"

#include <vector>

#include "crypto/bls12_381/encoding.hpp"
#include "crypto/bls12_381/msm.hpp"
#include "crypto/bls12_381/pairing.hpp"
#include "crypto/sha256.hpp"

namespace keel::crypto {
namespace {

using namespace bls12_381;
using core::ByteView;
using core::U256;

constexpr uint8_t kVersionedHashVersionKzg = 0x01;
constexpr size_t kScalarBytes = 32;

// tau * G2 of the KZG ceremony: the second G2 point of the trusted setup of EIP-4844
// (consensus-specs, presets/mainnet/trusted_setups/trusted_setup_4096.json, g2_monomial[1]).
constexpr G2 kTauG2{{fp("185cbfee53492714734429b7b38608e23926c911cceceac9a36851477ba4c60b087041de62"
                        "1000edc98edada20c"
                        "1def2"),
                     fp("15bfd7dd8cdeb128843bc287230af38926187075cbfbefa81009a2ce615ac53d2914e5870c"
                        "b452d2afaaab24f34"
                        "99f72")},
                    {fp("014353bdb96b626dd7d5ee8599d1fca2131569490e28de18e82451a496a9c9794ce26d1059"
                        "41f383ee689bfbbb8"
                        "32a99"),
                     fp("1666c54b0a32529503432fcae0181b4bef79de09fc63671fda5ed1ba9bfa07899495346f3d"
                        "7ac9cd23048ef30d0"
                        "a154f")}};

// Lines of the two points that every check pairs with.
struct Setup {
    LinesOf minus_generator{-kGenerator2};
    LinesOf tau{kTauG2};
};

const Setup& setup() {
    static const Setup instance;
    return instance;
}

std::optional<U256> canonical_scalar(ByteView bytes) noexcept {
    if (bytes.size() != kScalarBytes) return std::nullopt;
    const U256 value = U256::load_be32(bytes.data());
    if (value >= kOrder) return std::nullopt;
    return value;
}

}  // namespace

core::Hash32 kzg_versioned_hash(ByteView commitment) noexcept {
    core::Hash32 hash = sha256(commitment);
    hash[0] = kVersionedHashVersionKzg;
    return hash;
}

std::optional<bool> verify_kzg_proof(ByteView commitment, ByteView z, ByteView y, ByteView proof) {
    G1 c, pi;
    const auto z_value = canonical_scalar(z), y_value = canonical_scalar(y);
    if (!z_value || !y_value) return std::nullopt;
    if (decompress(commitment, c) != CurveResult::Ok) return std::nullopt;
    if (decompress(proof, pi) != CurveResult::Ok) return std::nullopt;
    // e(C - y G1, -G2) e(pi, (tau - z) G2) = 1, with z moved to the other side, so that both points
    // of G2 are fixed: e(C - y G1 + z pi, -G2) e(pi, tau G2) = 1.
    const G1 points[] = {-kGenerator1, pi};
    const U256 scalars[] = {*y_value, *z_value};
    const G1 left = to_affine(multiply_sum(points, scalars) + c);
    std::vector<PairOfLines> pairs;
    if (!left.is_infinity()) pairs.push_back({left, &setup().minus_generator});
    if (!pi.is_infinity()) pairs.push_back({pi, &setup().tau});
    return final_exponentiation(miller_loop(pairs)) == Fp12::one();
}

}  // namespace keel::crypto
