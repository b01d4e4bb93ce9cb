#pragma once

#include <memory>

#include "testdata/make/chain_maker.hpp"

namespace keel::testdata {

/// The main chain: every fork from Frontier to BPO2, every type of transaction, ommers,
/// withdrawals, requests of all three kinds.
std::unique_ptr<ChainMaker> make_main_chain();

/// What every block has, so that branches differ in state and not in kind: a transfer, stores,
/// logs, one transaction of each type that the rules know. `salt` tells branches apart.
void add_ordinary_txs(Draft& draft, const core::ForkRules& rules, uint64_t number, uint64_t salt);
/// Coinbase, prevRandao, beacon root, withdrawals.
void add_surroundings(Draft& draft, const core::ForkRules& rules, uint64_t number, uint64_t salt);

}  // namespace keel::testdata
