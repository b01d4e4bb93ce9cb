#pragma once

#include <string>
#include <vector>

#include "testdata/make/chain_maker.hpp"

namespace keel::testdata {

/// Block files that are imported one after the other, and the head after each.
struct Scenario {
    struct Step {
        std::string about;
        core::Bytes file;
        uint64_t head_number;
        core::Hash32 head_hash;
    };
    std::string name;
    std::string about;
    std::vector<Step> steps;
};

/// Two branches each, and a re-organisation of three blocks and more across a fork.
std::vector<Scenario> make_branches(const ChainMaker& main);

}  // namespace keel::testdata
