#pragma once

#include <vector>

#include "core/bytes.hpp"
#include "core/types/address.hpp"
#include "core/types/fork.hpp"
#include "tests/differential/random.hpp"

namespace keel::differential {

/// What random programs talk about.
struct Vocabulary {
    core::ForkRules rules;
    std::vector<core::Address> addresses;  // contracts, others, precompiles
    std::vector<core::U256> keys;          // of storage
};

/// Code that mostly does something: statements whose operands fit, jumps to where they lead
/// somewhere, calls with arguments, and now and then a byte out of place.
core::Bytes random_program(Random& random, const Vocabulary& vocabulary, unsigned statements);

}  // namespace keel::differential
