#pragma once

#include "crypto/bn254/fp.hpp"
#include "crypto/curve/tower.hpp"

namespace keel::crypto {

template <>
struct curve::Tower<bn254::Fp> {
    using Fp2 = curve::Fp2<bn254::Fp>;

    /// xi = 9 + i.
    static constexpr Fp2 times_xi(const Fp2& a) noexcept {
        const Fp2 nine = twice(twice(twice(a))) + a;
        return {nine.c0 - a.c1, nine.c1 + a.c0};
    }
    static constexpr Fp2 kRootOfXi{
        bn254::fp("1284b71c2865a7dfe8b99fdd76e68b605c521e08292f2176d60b35dadcc9e470"),
        bn254::fp("246996f3b4fae7e6a6327cfe12150b8e747992778eeec7e5ca5cf05f80f362ac")};
};

namespace bn254 {

using Fp2 = curve::Fp2<Fp>;
using Fp6 = curve::Fp6<Fp>;
using Fp12 = curve::Fp12<Fp>;

}  // namespace bn254
}  // namespace keel::crypto
