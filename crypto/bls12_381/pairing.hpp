#pragma once

#include <array>
#include <span>

#include "crypto/bls12_381/point.hpp"
#include "crypto/curve/miller_loop.hpp"

namespace keel::crypto::bls12_381 {

using Pair = curve::Pair<Fp>;

/// The product of the lines of all pairs.
Fp12 miller_loop(std::span<const Pair> pairs);

/// The lines of a point of G2, not at infinity, that serves many pairings: through x and y of a
/// point with the slope s, slope * x - y and -slope.
struct LinesOf {
    struct Line {
        Fp2 constant, slope;
    };
    explicit LinesOf(const G2& q) noexcept;

    static constexpr size_t kDoublings = 63, kAdditions = 5;
    std::array<Line, kDoublings + kAdditions> lines;
};

struct PairOfLines {
    G1 p;  // not at infinity
    const LinesOf* q;
};
/// miller_loop() up to a factor that the final exponentiation removes.
Fp12 miller_loop(std::span<const PairOfLines> pairs) noexcept;

/// f^(3 (p^12 - 1) / r); 1 where the pairing's value is 1, since r has no factor 3. f is not 0.
Fp12 final_exponentiation(const Fp12& f) noexcept;

}  // namespace keel::crypto::bls12_381
