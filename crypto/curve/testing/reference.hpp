#pragma once

#include <random>

#include "core/u256.hpp"
#include "crypto/curve/short_weierstrass.hpp"

namespace keel::crypto::curve::testing {

/// Double and add: what faster ways to multiply must give.
template <class F>
Affine<F> slow_multiply(const Affine<F>& point, const core::U256& scalar) {
    Jacobian<F> sum = Jacobian<F>::infinity();
    for (unsigned i = scalar.bit_length(); i-- > 0;) {
        sum = twice(sum);
        if (scalar.bit(i)) sum = sum + point;
    }
    return to_affine(sum);
}

inline core::U256 random_number(std::mt19937_64& random) {
    return {random(), random(), random(), random()};
}

}  // namespace keel::crypto::curve::testing
