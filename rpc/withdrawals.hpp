#pragma once

#include <vector>

#include "core/types/withdrawal.hpp"
#include "rpc/args.hpp"

namespace keel::rpc {

/// WithdrawalV1 of execution-apis, a list of them.
Converted<std::vector<core::Withdrawal>> to_withdrawals(JsonValue value);

}  // namespace keel::rpc
