#pragma once

#include <cstdint>

#include "core/u256.hpp"

namespace keel::crypto {

/// Inverses modulo one odd number below 2^256, by division steps (Bernstein and Yang, "Fast
/// constant-time gcd computation and modular inversion", 2019) in batches of 62. Not constant in
/// time: nothing here is secret.
class ModularInverse {
  public:
    constexpr explicit ModularInverse(const core::U256& modulus) noexcept
        : modulus_(modulus), limbs_(split(modulus)), low_inverse_(inverse_of(modulus.limbs[0])) {}

    /// The inverse of `value` (below the modulus and coprime to it); 0 for 0.
    core::U256 of(const core::U256& value) const noexcept;

  private:
    static constexpr uint64_t kMask62 = ~0ull >> 2;

    /// A number of five 62-bit limbs, little-endian; only the last one is signed.
    struct Signed62 {
        int64_t limbs[5];
    };
    /// 2^62 times the matrix of 62 division steps.
    struct Matrix {
        int64_t u, v, q, r;
    };

    static constexpr Signed62 split(const core::U256& value) noexcept {
        const uint64_t* l = value.limbs;
        return {{static_cast<int64_t>(l[0] & kMask62),
                 static_cast<int64_t>(((l[0] >> 62) | (l[1] << 2)) & kMask62),
                 static_cast<int64_t>(((l[1] >> 60) | (l[2] << 4)) & kMask62),
                 static_cast<int64_t>(((l[2] >> 58) | (l[3] << 6)) & kMask62),
                 static_cast<int64_t>(l[3] >> 56)}};
    }
    static constexpr uint64_t inverse_of(uint64_t odd) noexcept {
        uint64_t inverse = odd;  // right in 3 bits; each step of Newton doubles them
        for (int i = 0; i < 5; ++i) inverse *= 2 - odd * inverse;
        return inverse & kMask62;
    }

    static Matrix divide_62_steps(int64_t& eta, uint64_t f0, uint64_t g0) noexcept;
    static void add(Signed62& a, const Signed62& b) noexcept;
    static int apply(const Matrix& t, Signed62& f, Signed62& g, int count) noexcept;
    void apply_modulo(const Matrix& t, Signed62& d, Signed62& e) const noexcept;

    core::U256 modulus_;
    Signed62 limbs_;        // of the modulus
    uint64_t low_inverse_;  // of the modulus modulo 2^62
};

}  // namespace keel::crypto
