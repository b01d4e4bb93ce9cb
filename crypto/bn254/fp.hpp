#pragma once

#include "crypto/curve/prime_field.hpp"

namespace keel::crypto::bn254 {

struct Modulus {
    /// 36 t^4 + 36 t^3 + 24 t^2 + 6 t + 1 for t = 4965661367192848881 (EIP-196).
    static constexpr Words<4> kPrime{0x3c208c16d87cfd47, 0x97816a916871ca8d, 0xb85045b68181585d,
                                     0x30644e72e131a029};
};
using Fp = curve::PrimeField<Modulus>;
inline constexpr core::U256 kPrime = number_of(Modulus::kPrime);

template <size_t kSize>
consteval Fp fp(const char (&digits)[kSize]) {
    return curve::field_constant<Fp>(digits);
}

}  // namespace keel::crypto::bn254
