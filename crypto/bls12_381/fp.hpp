#pragma once

#include "crypto/curve/prime_field.hpp"

namespace keel::crypto::bls12_381 {

/// EIP-2537, "Curve parameters".
struct Modulus {
    static constexpr Words<6> kPrime{0xb9feffffffffaaab, 0x1eabfffeb153ffff, 0x6730d2a0f6b0f624,
                                     0x64774b84f38512bf, 0x4b1ba7b6434bacd7, 0x1a0111ea397fe69a};
};
using Fp = curve::PrimeField<Modulus>;

/// a^((p - 3) / 4): times a, it is a root of a or of -a.
Fp power_of_root(const Fp& a) noexcept;

/// The order r of G1 and G2, and the field of scalars modulo r.
struct Order {
    static constexpr Words<4> kPrime{0xffffffff00000001, 0x53bda402fffe5bfe, 0x3339d80809a1d805,
                                     0x73eda753299d7d48};
};
using Fr = curve::PrimeField<Order>;
inline constexpr core::U256 kOrder = number_of(Order::kPrime);

template <size_t kSize>
consteval Fp fp(const char (&digits)[kSize]) {
    return curve::field_constant<Fp>(digits);
}

}  // namespace keel::crypto::bls12_381
