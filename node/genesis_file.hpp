#pragma once

// A genesis document with an alloc of any size. chain::parse_genesis makes a tree of the whole text
// first; here the alloc is read on demand, account by account, into flat memory.
//
// G1  The result is that of chain::parse_genesis, but for the form of the alloc, and so is every
// refusal, word for word: whatever is not plain here is read again there.

#include <string>

#include "chain/genesis.hpp"

namespace keel::node {

/// Throws Fault::Usage as chain::parse_genesis does. `document` is given room for what the parser
/// reads beyond the end; its text stays as it is.
chain::Genesis parse_genesis_document(std::string& document, const std::string& name);

}  // namespace keel::node
