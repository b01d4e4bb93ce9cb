#pragma once

#include "chain/execute_tx.hpp"
#include "chain/verdict.hpp"
#include "core/result.hpp"
#include "core/types/header.hpp"
#include "core/types/receipt.hpp"
#include "core/types/request.hpp"
#include "evm/call.hpp"
#include "state/journal.hpp"

namespace keel::chain {

/// System calls at the start of a block: beacon root (EIP-4788), hash of the parent (EIP-2935). A
/// contract that is not there is passed over, and a call that fails changes nothing. Between
/// transactions.
[[nodiscard]] core::Result<void, Rejection> begin_block_calls(evm::Workspace& workspace,
                                                              state::Journal& journal,
                                                              const BlockEnv& env,
                                                              const core::Header& header);

/// System calls at the end of a block: appends withdrawal requests (EIP-7002) and consolidation
/// requests (EIP-7251). Between transactions.
[[nodiscard]] core::Result<void, Rejection> end_block_calls(evm::Workspace& workspace,
                                                            state::Journal& journal,
                                                            const BlockEnv& env,
                                                            core::Requests& requests);

}  // namespace keel::chain
