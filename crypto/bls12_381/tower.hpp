#pragma once

#include "crypto/bls12_381/fp.hpp"
#include "crypto/curve/tower.hpp"

namespace keel::crypto {

template <>
struct curve::Tower<bls12_381::Fp> {
    using Fp2 = curve::Fp2<bls12_381::Fp>;

    /// xi = 1 + i.
    static constexpr Fp2 times_xi(const Fp2& a) noexcept { return {a.c0 - a.c1, a.c0 + a.c1}; }
    static constexpr Fp2 kRootOfXi{
        bls12_381::fp("1904d3bf02bb0667c231beb4202c0d1f0fd603fd3cbd5f4f7b2443d784bab9c4f67ea53d63e7"
                      "813d8d0775ed92235fb8"),
        bls12_381::fp("00fc3e2b36c4e03288e9e902231f9fb854a14787b6c7b36fec0c8ec971f63c5f282d5ac14d6c"
                      "7ec22cf78a126ddc4af3")};
};

namespace bls12_381 {

using Fp2 = curve::Fp2<Fp>;
using Fp6 = curve::Fp6<Fp>;
using Fp12 = curve::Fp12<Fp>;

}  // namespace bls12_381
}  // namespace keel::crypto
