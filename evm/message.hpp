#pragma once

#include <cstdint>

#include "core/bytes.hpp"
#include "core/types/address.hpp"
#include "core/u256.hpp"
#include "evm/status.hpp"

namespace keel::evm {

enum class CallKind : uint8_t { Call, CallCode, DelegateCall, StaticCall, Create };

/// A message call or a create, from a transaction (depth 0) or from an instruction.
struct Message {
    CallKind kind = CallKind::Call;
    bool is_static = false;
    int32_t depth = 0;
    int64_t gas = 0;
    core::Address sender;        // what CALLER reads
    core::Address recipient;     // account that executes; for a create the new one
    core::Address code_address;  // whose code runs, a delegation not yet followed; calls only
    core::ByteView input;        // call data, or init code; lives as long as the call
    core::U256 value;            // what CALLVALUE reads; moved by Call and Create only
};

struct CallResult {
    Status status = Status::Success;
    int64_t gas_left = 0;
    core::ByteView output;  // of Success and Revert; lives until the next call at this depth
};

}  // namespace keel::evm
