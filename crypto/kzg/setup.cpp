#include "crypto/kzg/setup.hpp"

#include <string_view>

#include "core/base.hpp"
#include "core/hex.hpp"
#include "crypto/bls12_381/encoding.hpp"
#include "crypto/bls12_381/msm.hpp"

namespace keel::crypto::kzg {
namespace {

using namespace bls12_381;
using core::U256;

constexpr size_t kDigits = 2 + 2 * sizeof(KzgPoint);  // 0x and two a byte
constexpr char kMonomials[kBlobElements][kDigits + 1] = {
#include "crypto/kzg/g1_monomial.inc"
};

// g2_monomial[1] and g2_monomial[64] of the same setup.
constexpr G2 kTau{{fp("185cbfee53492714734429b7b38608e23926c911cceceac9a36851477ba4c60b087041de6210"
                      "00edc98edada20c1def2"),
                   fp("15bfd7dd8cdeb128843bc287230af38926187075cbfbefa81009a2ce615ac53d2914e5870cb4"
                      "52d2afaaab24f3499f72")},
                  {fp("014353bdb96b626dd7d5ee8599d1fca2131569490e28de18e82451a496a9c9794ce26d105941"
                      "f383ee689bfbbb832a99"),
                   fp("1666c54b0a32529503432fcae0181b4bef79de09fc63671fda5ed1ba9bfa07899495346f3d7a"
                      "c9cd23048ef30d0a154f")}};
constexpr G2 kTauOfCell{
    {fp("12838a761053437883c3e01ba616670cea843754548ef84bcc397de2369adcca2ab54cd73c55dc68d87aec3fc2"
        "fe4f10"),
     fp("12dcc5a1c8c3e1b28b1524e3dd6dbecd63017c9201da9dbe077f1b82adc08c50169f56fc7b5a3b28ec6b89254d"
        "e3e2fd")},
    {fp("01ae6000d8e795efa3e96b939df6861db9f6bcff35b4694605ad5fdaf950fec9ae3e9c7e28da965024ed859c18"
        "db9c73"),
     fp("056e7a04ea62222711a986e4f4f38ba4909ea2f4cb8abe56fec9fe9bcfadbcea5fb660bc4b1032ed359261d74d"
        "2ba725")}};

std::vector<G1> decompress_monomials(size_t count) {
    std::vector<G1> points(count);
    for (size_t i = 0; i < count; ++i) {
        const auto bytes = core::from_hex(std::string_view(kMonomials[i], kDigits));
        KEEL_ASSERT(bytes && decompress_on_curve(*bytes, points[i]) == CurveResult::Ok);
    }
    return points;
}

Columns transform_columns() {
    constexpr size_t kRows = kBlobElements / kCellElements;
    const auto points = monomials();
    Columns transformed(kCellsPerBlob);
    std::vector<Jacobian<Fp>> column(kCellsPerBlob);
    std::vector<G1> affine(kCellsPerBlob);
    std::vector<Fp> scratch(kCellsPerBlob);
    for (size_t a = 0; a < kCellElements; ++a) {
        std::fill(column.begin(), column.end(), Jacobian<Fp>::infinity());
        for (size_t row = 0; row < kRows; ++row) {
            column[kRows - 1 - row] = Jacobian<Fp>::of(points[row * kCellElements + a]);
        }
        evaluate_all<Jacobian<Fp>>(column);
        // None is at infinity: a combination of powers of tau that is 0 would give tau away.
        to_affine<Fp>(column, affine.data(), scratch.data());
        for (size_t k = 0; k < kCellsPerBlob; ++k) transformed[k][a] = affine[k];
    }
    return transformed;
}

}  // namespace

std::span<const G1> first_monomials() {
    static const std::vector<G1> points = decompress_monomials(kCellElements);
    return points;
}

std::span<const G1> monomials() {
    static const std::vector<G1> points = decompress_monomials(kBlobElements);
    return points;
}

FixedLines::FixedLines() noexcept
    : minus_generator(-kGenerator2), tau(kTau), tau_of_cell(kTauOfCell) {}

const FixedLines& fixed_lines() {
    static const FixedLines lines;
    return lines;
}

const Columns& transformed_columns() {
    static const Columns columns = transform_columns();
    return columns;
}

Jacobian<Fp> commit(std::span<const Fr> polynomial, std::span<const G1> points) {
    KEEL_ASSERT(polynomial.size() <= points.size());
    std::vector<U256> scalars(polynomial.size());
    for (size_t i = 0; i < scalars.size(); ++i) scalars[i] = polynomial[i].value();
    return multiply_sum(points.first(scalars.size()), scalars);
}

}  // namespace keel::crypto::kzg
