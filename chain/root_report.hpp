#pragma once

#include <string>

#include "chain/execute_block.hpp"
#include "crypto/seal.hpp"

namespace keel::chain {

/// What a block did whose state root is not the one in its header, as a JSON document: every
/// account and slot that it changed with the values before and after, and the hashes of the upper
/// subtrees of the account trie before and after. Compared with another client's state it says
/// where the two part.
std::string root_report(const crypto::SealedBlock& sealed, const BlockOutcome& outcome);

}  // namespace keel::chain
