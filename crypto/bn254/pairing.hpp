#pragma once

#include <span>

#include "crypto/bn254/point.hpp"
#include "crypto/curve/miller_loop.hpp"

namespace keel::crypto::bn254 {

using Pair = curve::Pair<Fp>;

/// The product of the lines of all pairs.
Fp12 miller_loop(std::span<const Pair> pairs);

/// f to the power of a multiple of (p^12 - 1) / r that is coprime to r. f is not 0.
Fp12 final_exponentiation(const Fp12& f) noexcept;

}  // namespace keel::crypto::bn254
