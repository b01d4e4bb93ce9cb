#pragma once

// Payload attributes: what engine_forkchoiceUpdatedVn asks to be built. Source: execution-apis,
// engine/paris to engine/cancun; order of checks: RPC.md 6.5, 9.

#include <cstdint>
#include <optional>
#include <vector>

#include "chain/fork_schedule.hpp"
#include "core/types/address.hpp"
#include "core/types/hash.hpp"
#include "core/types/withdrawal.hpp"
#include "rpc/error.hpp"
#include "rpc/json_in.hpp"

namespace keel::rpc::engine {

inline constexpr unsigned kForkchoiceVersionMax = 3;

struct PayloadAttributes {
    uint64_t timestamp = 0;
    core::Hash32 prev_randao;
    core::Address fee_recipient;
    std::optional<std::vector<core::Withdrawal>> withdrawals;
    std::optional<core::Hash32> parent_beacon_root;
};

/// The form of the method's version (-32602 for types, -38003 for the wrong members), then its fork
/// (-38005), then the time (-38003). `head_time`: of the block to build on.
Answer<PayloadAttributes> parse_attributes(unsigned version, JsonValue object,
                                           const chain::ForkSchedule& schedule, uint64_t head_time);

}  // namespace keel::rpc::engine
