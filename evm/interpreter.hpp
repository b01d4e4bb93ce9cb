#pragma once

#include "evm/blocks.hpp"
#include "evm/call.hpp"
#include "evm/message.hpp"

namespace keel::evm {

/// Runs `code`, of which `known` is kept, for `message`, whose value has moved already. Does not
/// revert the state on failure. `stack` has room for kStackWords. Calls nest on the native stack,
/// about 1.2 KiB a frame.
CallResult interpret(Evm& evm, const Message& message, core::ByteView code, Code& known,
                     core::U256* stack);

}  // namespace keel::evm
