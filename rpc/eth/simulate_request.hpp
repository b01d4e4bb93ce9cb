#pragma once

// What eth_simulateV1 is asked for: blocks behind a base, each with changes and calls. Source:
// execution-apis, eth_simulateV1; limits and order of checks: RPC.md 1.6.

#include <vector>

#include "core/types/header.hpp"
#include "rpc/eth/call_request.hpp"

namespace keel::rpc::eth {

struct SimulatedBlock {
    BlockOverride block;  // number and time are set once the blocks are in order
    StateOverride state;
    std::vector<CallRequest> calls;
};

struct SimulateRequest {
    std::vector<SimulatedBlock> blocks;
    bool traces_transfers = false;
    bool validates = false;
    bool full_transactions = false;
};
Answer<SimulateRequest> parse_simulate_request(JsonValue object);

/// Gives every block its number and time, and fills gaps with empty blocks.
Answer<void> put_in_order(std::vector<SimulatedBlock>& blocks, const core::Header& base);

}  // namespace keel::rpc::eth
