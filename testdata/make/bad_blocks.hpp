#pragma once

#include <string>
#include <vector>

#include "testdata/make/chain_maker.hpp"

namespace keel::testdata {

/// A block that must be refused, and why.
struct BadBlock {
    std::string verdict;     // name in chain/verdict.hpp
    std::string text;        // part of the refusal: the words that test tools look for
    std::string genesis;     // file in testdata/genesis
    bool after_main = true;  // the main chain is there; else the genesis alone
    std::string flag;        // of `keel import`; empty: none
    uint64_t number = 0;     // as the header claims
    core::Bytes rlp;
};

/// A genesis that a bad block needs and the main chain is not.
struct SpecialGenesis {
    std::string file;
    std::string json;
};
std::vector<SpecialGenesis> special_geneses();

std::vector<BadBlock> make_bad_blocks(const ChainMaker& main);

}  // namespace keel::testdata
