#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/u256.hpp"

namespace keel::crypto {

/// Inverses modulo one odd number of kWords 64-bit words (little-endian), by division steps
/// (Bernstein and Yang, "Fast constant-time gcd computation and modular inversion", 2019) in
/// batches of 62. Not constant in time: nothing here is secret.
template <size_t kWords>
class InverseOfWords {
  public:
    using Words = std::array<uint64_t, kWords>;

    constexpr explicit InverseOfWords(const Words& modulus) noexcept
        : modulus_(modulus), limbs_(split(modulus)), low_inverse_(inverse_of(modulus[0])) {}

    /// The inverse of `value` (below the modulus and coprime to it); 0 for 0.
    Words of(const Words& value) const noexcept;

  private:
    static constexpr uint64_t kMask62 = ~0ull >> 2;
    static constexpr int kLimbs = static_cast<int>((64 * kWords + 2 + 61) / 62);

    /// A number of 62-bit limbs, little-endian; only the last one is signed.
    struct Signed62 {
        int64_t limbs[kLimbs];
    };
    /// 2^62 times the matrix of 62 division steps.
    struct Matrix {
        int64_t u, v, q, r;
    };

    static constexpr Signed62 split(const Words& value) noexcept {
        Signed62 out{};
        for (size_t i = 0; i < static_cast<size_t>(kLimbs); ++i) {
            const size_t word = 62 * i / 64, shift = 62 * i % 64;
            uint64_t bits = word < kWords ? value[word] >> shift : 0;
            if (shift > 2 && word + 1 < kWords) bits |= value[word + 1] << (64 - shift);
            out.limbs[i] = static_cast<int64_t>(bits & kMask62);
        }
        return out;
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

    Words modulus_;
    Signed62 limbs_;        // of the modulus
    uint64_t low_inverse_;  // of the modulus modulo 2^62
};

/// The same for numbers of 256 bits.
class ModularInverse {
  public:
    constexpr explicit ModularInverse(const core::U256& modulus) noexcept
        : inverse_(words(modulus)) {}

    core::U256 of(const core::U256& value) const noexcept {
        const auto found = inverse_.of(words(value));
        return {found[0], found[1], found[2], found[3]};
    }

  private:
    static constexpr std::array<uint64_t, 4> words(const core::U256& value) noexcept {
        return {value.limbs[0], value.limbs[1], value.limbs[2], value.limbs[3]};
    }

    InverseOfWords<4> inverse_;
};

}  // namespace keel::crypto
