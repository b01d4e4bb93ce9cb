#pragma once

#include <array>
#include <cstdint>

#include "core/u256.hpp"

namespace keel::evm {

/// Reciprocals of moduli that come again and again: with one, a product is reduced by two products
/// (Barrett; Handbook of Applied Cryptography, 14.42).
class Moduli {
  public:
    void multiply(core::U256& to, const core::U256& a, const core::U256& b,
                  const core::U256& modulus) noexcept;

  private:
    struct Entry {
        core::U256 modulus;
        bool has_reciprocal = false;
        std::array<uint64_t, 5> reciprocal{};  // of 2^512
    };
    void multiply_slowly(Entry& entry, core::U256& to, const core::U256& a, const core::U256& b,
                         const core::U256& modulus) noexcept;

    std::array<Entry, 16> entries_;  // by a hash of the modulus
};

}  // namespace keel::evm
