#pragma once

#include <cstdint>
#include <span>

#include "core/bytes.hpp"
#include "core/u256.hpp"
#include "evm/message.hpp"
#include "evm/status.hpp"

namespace keel::evm {

class Evm;

/// An instruction that is about to run; nothing of it is checked or paid yet. Views live until the
/// call returns.
struct Step {
    Evm& evm;                           // rules, block, transaction and host
    const Message& message;             // of the frame
    core::ByteView code;                // of the frame
    uint64_t pc = 0;                    // == code.size(): the STOP behind the end
    uint8_t op = 0;                     // STOP behind the end
    int64_t gas = 0;                    // before the instruction
    std::span<const core::U256> stack;  // lowest word first
    core::ByteView memory;              // before the instruction makes it longer
    core::ByteView return_data;
};

/// Watches a transaction while it executes. For every frame: enter, steps, exit; frames of calls
/// lie between two steps of their caller. For every instruction: step, then either charged or
/// fault.
///
/// Only a Workspace that was given a tracer executes through the variant of the interpreter that
/// calls these; the other one is compiled without.
class Tracer {
  public:
    virtual ~Tracer() = default;

    /// A call or create, before any check, snapshot or transfer. Those that fail before a frame
    /// starts (depth, balance, nonce, collision), precompiles and accounts without code come too:
    /// exit follows without a step. Between CREATE and CREATE2 the instruction tells, which is the
    /// last one that was stepped at the depth above; at depth 0 it is a transaction's.
    virtual void enter(const Message& message) = 0;
    /// The end of what enter began; changes of a failed frame are reverted by now. The output of a
    /// create that succeeded is the code that it returned.
    virtual void exit(const Message& message, const CallResult& result) = 0;

    virtual void step(const Step& step) = 0;
    /// The instruction of the last step has paid all that it costs: what is left. The gas that a
    /// call hands on is paid, the one that a create hands on is not. Instructions which call or
    /// create say it before the frame is entered, others after their effect.
    virtual void charged(int64_t gas_left) = 0;
    /// The instruction of the last step failed, and its frame with it.
    virtual void fault(Status status) = 0;
};

}  // namespace keel::evm
