#pragma once

#include <span>

#include "crypto/bn254/point.hpp"

namespace keel::crypto::bn254 {

struct Pair {
    G1 p;
    G2 q;
};

/// The product of the lines of all pairs; no point is at infinity. The shared part of all squarings
/// is done once.
Fp12 miller_loop(std::span<const Pair> pairs);

/// f to the power of a multiple of (p^12 - 1) / r that is coprime to r. f is not 0.
Fp12 final_exponentiation(const Fp12& f) noexcept;

}  // namespace keel::crypto::bn254
