#pragma once

// What a transaction of now should offer. As geth's oracle has it (RPC.md 1.7).

#include "core/u256.hpp"
#include "rpc/dispatch.hpp"

namespace keel::rpc::eth {

/// Wei a gas that its producer should get.
core::U256 suggested_tip(Call& call);

}  // namespace keel::rpc::eth
