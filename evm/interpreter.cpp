#include "evm/interpreter.hpp"

#include <utility>

#include "evm/frame.hpp"
#include "evm/opcodes.hpp"
#include "evm/ops_arithmetic.hpp"
#include "evm/ops_call.hpp"
#include "evm/ops_memory.hpp"
#include "evm/ops_state.hpp"
#include "evm/trace_run.hpp"
#include "evm/words.hpp"

namespace keel::evm {
namespace {

using core::U256;

// Buffers of memory that are kept from frame to frame: most code runs near depth 0, and there are
// 1025 depths. A frame with 16 MiB pays 540 million gas for it.
constexpr int32_t kShallow = 4;
constexpr size_t kKeepShallow = size_t{32} << 20;
constexpr size_t kKeepDeep = size_t{256} << 10;

/// Why the check before an instruction failed. One order among several reasons is as good as
/// another: all take the gas of the frame.
Status why_not(const OpRow& row, size_t size, int64_t gas) noexcept {
    if (row.min_size == kNotAssigned) return Status::InvalidOpcode;
    if (size < row.min_size) return Status::StackUnderflow;
    if (size > row.max_size) return Status::StackOverflow;
    return gas < 0 ? Status::OutOfGas : Status::Success;
}

/// `count` bytes behind `at` as a number; code that ends early goes on with zeros.
inline void push_data(U256& to, core::ByteView code, uint64_t at, unsigned count) noexcept {
    if (count <= 8 && at + 8 <= code.size()) {
        set_word(to, core::load_be<uint64_t>(code.data() + at) >> (64 - 8 * count));
        return;
    }
    uint8_t bytes[32] = {};
    const core::ByteView part = code.sub(at, count);
    if (!part.empty()) std::memcpy(bytes + 32 - count, part.data(), part.size());
    load_word(to, bytes);
}

// A handler of ops_*.hpp; it leaves the stack pointer `change` words away.
#define KEEL_EVM_HANDLE(call, change)           \
    frame.gas = gas;                            \
    status = (call);                            \
    gas = frame.gas;                            \
    top += (change);                            \
    if (status != Status::Success) [[unlikely]] \
        return status;                          \
    break

// Two operands; the result goes where the second was.
#define KEEL_EVM_BINARY_TO(function)         \
    {                                        \
        function(top[-2], top[-1], top[-2]); \
        --top;                               \
        break;                               \
    }
// Two operands, one result.
#define KEEL_EVM_BINARY(result)              \
    {                                        \
        const U256 a = top[-1], b = top[-2]; \
        top[-2] = (result);                  \
        --top;                               \
        break;                               \
    }

#define KEEL_EVM_COMPARE(result)                           \
    {                                                      \
        const bool is_true = (result);                     \
        set_word(top[-2], static_cast<uint64_t>(is_true)); \
        --top;                                             \
        break;                                             \
    }
#define KEEL_EVM_SHIFT(function)                                                 \
    {                                                                            \
        if (below_number(top[-1], 256)) {                                        \
            function(top[-2], top[-2], static_cast<unsigned>(top[-1].limbs[0])); \
        } else {                                                                 \
            set_word(top[-2], 0);                                                \
        }                                                                        \
        --top;                                                                   \
        break;                                                                   \
    }

/// Calls and creates tell the tracer themselves what they have paid.
constexpr bool pays_by_itself(uint8_t op) noexcept {
    return op == 0xf0 || op == 0xf1 || op == 0xf2 || op == 0xf4 || op == 0xf5 || op == 0xfa;
}

// A jump was taken: perhaps there is a trace (blocks.hpp) to go on with.
#define KEEL_EVM_JUMPED(target)                    \
    pc = (target);                                 \
    if (gas < frame.gas_at_look) [[unlikely]] {    \
        frame.look_at_clock(gas);                  \
    }                                              \
    if constexpr (!kTraced) {                      \
        Block& block_there = frame.known.dest(pc); \
        if (wants_trace(frame, block_there)) {     \
            frame.gas = gas;                       \
            frame.top = top;                       \
            frame.block = &block_there;            \
            return std::nullopt;                   \
        }                                          \
    }                                              \
    break

#define KEEL_EVM_DUP_CASE(n)      \
    case Op::DUP##n:              \
        copy_word(*top, top[-n]); \
        ++top;                    \
        break;
#define KEEL_EVM_SWAP_CASE(n)             \
    case Op::SWAP##n:                     \
        swap_words(top[-1], top[-1 - n]); \
        break;
#define KEEL_EVM_FOR_16(X) \
    X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15) X(16)

/// The plain interpreter, from `frame.pc` on: every instruction is checked by itself. None: a trace
/// goes on at `frame.block`. `kTraced`: the tracer of the Evm is told of each step.
template <bool kTraced>
[[gnu::noinline]] std::optional<Status> run(Frame& frame) {
    const OpTable& table = frame.evm.op_table;
    const core::ByteView code = frame.code;
    const Message& message = frame.message;
    const BlockContext& block = frame.evm.block;
    const TxContext& tx = frame.evm.tx;
    U256* const base = frame.base;
    U256* top = frame.top;
    int64_t gas = frame.gas;
    uint64_t pc = frame.pc;
    Status status = Status::Success;
    [[maybe_unused]] bool unpaid = false;
    [[maybe_unused]] const auto trace = [&](uint8_t op) {
        Tracer& tracer = *frame.evm.tracer;
        if (unpaid) tracer.charged(gas);
        unpaid = !pays_by_itself(op);
        tracer.step({frame.evm,
                     message,
                     code,
                     pc,
                     op,
                     gas,
                     {base, top},
                     frame.memory.view(0, frame.memory.size()),
                     frame.return_data});
    };

    while (pc < code.size()) {
        const uint8_t op = code[pc];
        const OpRow& row = table[op];
        const auto size = static_cast<size_t>(top - base);
        if constexpr (kTraced) trace(op);
        gas -= row.gas;
        if (size - row.min_size > row.range || gas < 0) [[unlikely]] {
            return why_not(row, size, gas);
        }
        ++pc;
        switch (static_cast<Op>(op)) {
            case Op::STOP:
                frame.gas = gas;
                return Status::Success;
            case Op::ADD:
                KEEL_EVM_BINARY_TO(add_words)
            case Op::MUL:
                KEEL_EVM_BINARY_TO(multiply_words)
            case Op::SUB:
                KEEL_EVM_BINARY_TO(sub_words)
            case Op::DIV:
                KEEL_EVM_BINARY_TO(divide_words)
            case Op::SDIV:
                KEEL_EVM_BINARY_TO(divide_signed_words)
            case Op::MOD:
                KEEL_EVM_BINARY_TO(modulo_words)
            case Op::SMOD:
                KEEL_EVM_BINARY_TO(modulo_signed_words)
            case Op::ADDMOD:
                add_modulo_words(top[-3], top[-1], top[-2], top[-3]);
                top -= 2;
                break;
            case Op::MULMOD:
                frame.evm.workspace.moduli().multiply(top[-3], top[-1], top[-2], top[-3]);
                top -= 2;
                break;
            case Op::EXP:
                KEEL_EVM_HANDLE(op_exp(frame, top), -1);
            case Op::SIGNEXTEND:
                if (below_number(top[-1], 31))
                    sign_extend_word(top[-2], top[-2], static_cast<unsigned>(top[-1].limbs[0]));
                --top;
                break;
            case Op::LT:
                KEEL_EVM_COMPARE(less(top[-1], top[-2]))
            case Op::GT:
                KEEL_EVM_COMPARE(less(top[-2], top[-1]))
            case Op::SLT:
                KEEL_EVM_COMPARE(less_signed(top[-1], top[-2]))
            case Op::SGT:
                KEEL_EVM_COMPARE(less_signed(top[-2], top[-1]))
            case Op::EQ:
                KEEL_EVM_COMPARE(equal(top[-1], top[-2]))
            case Op::ISZERO:
                set_word(top[-1], static_cast<uint64_t>(is_zero(top[-1])));
                break;
            case Op::AND:
                KEEL_EVM_BINARY(a & b)
            case Op::OR:
                KEEL_EVM_BINARY(a | b)
            case Op::XOR:
                KEEL_EVM_BINARY(a ^ b)
            case Op::NOT:
                top[-1] = ~top[-1];
                break;
            case Op::BYTE:
                KEEL_EVM_BINARY(byte_of(a, b))
            case Op::SHL:
                KEEL_EVM_SHIFT(shift_left_word)
            case Op::SHR:
                KEEL_EVM_SHIFT(shift_right_word)
            case Op::SAR:
                shift_right_signed_word(
                    top[-2], top[-2],
                    below_number(top[-1], 256) ? static_cast<unsigned>(top[-1].limbs[0]) : 255);
                --top;
                break;
            case Op::CLZ:
                top[-1] = U256(256 - top[-1].bit_length());
                break;
            case Op::KECCAK256:
                KEEL_EVM_HANDLE(op_keccak256(frame, top), -1);

            case Op::ADDRESS:
                *top++ = to_word(message.recipient);
                break;
            case Op::BALANCE:
                KEEL_EVM_HANDLE(op_balance(frame, top), 0);
            case Op::ORIGIN:
                *top++ = to_word(tx.origin);
                break;
            case Op::CALLER:
                *top++ = to_word(message.sender);
                break;
            case Op::CALLVALUE:
                copy_word(*top++, message.value);
                break;
            case Op::CALLDATALOAD:
                top[-1] = load_call_data(message.input, top[-1].saturated64());
                break;
            case Op::CALLDATASIZE:
                set_word(*top++, message.input.size());
                break;
            case Op::CALLDATACOPY:
                KEEL_EVM_HANDLE(copy_padded(frame, top, message.input), -3);
            case Op::CODESIZE:
                *top++ = U256(code.size());
                break;
            case Op::CODECOPY:
                KEEL_EVM_HANDLE(copy_padded(frame, top, code), -3);
            case Op::GASPRICE:
                copy_word(*top++, tx.gas_price);
                break;
            case Op::EXTCODESIZE:
                KEEL_EVM_HANDLE(op_extcodesize(frame, top), 0);
            case Op::EXTCODECOPY:
                KEEL_EVM_HANDLE(op_extcodecopy(frame, top), -4);
            case Op::RETURNDATASIZE:
                set_word(*top++, frame.return_data.size());
                break;
            case Op::RETURNDATACOPY:
                KEEL_EVM_HANDLE(op_returndatacopy(frame, top), -3);
            case Op::EXTCODEHASH:
                KEEL_EVM_HANDLE(op_extcodehash(frame, top), 0);

            case Op::BLOCKHASH:
                KEEL_EVM_HANDLE(op_blockhash(frame, top), 0);
            case Op::COINBASE:
                *top++ = to_word(block.coinbase);
                break;
            case Op::TIMESTAMP:
                *top++ = U256(block.timestamp);
                break;
            case Op::NUMBER:
                *top++ = U256(block.number);
                break;
            case Op::DIFFICULTY:
                *top++ = frame.evm.rules.eip_4399 ? U256::load_be32(block.prev_randao.data())
                                                  : block.difficulty;
                break;
            case Op::GASLIMIT:
                *top++ = U256(block.gas_limit);
                break;
            case Op::CHAINID:
                *top++ = block.chain_id;
                break;
            case Op::SELFBALANCE:
                *top++ = frame.evm.host.balance(message.recipient);
                break;
            case Op::BASEFEE:
                *top++ = block.base_fee;
                break;
            case Op::BLOBHASH: {
                const uint64_t index = top[-1].saturated64();
                top[-1] = index < tx.blob_hashes.size()
                              ? U256::load_be32(tx.blob_hashes[index].data())
                              : U256{};
                break;
            }
            case Op::BLOBBASEFEE:
                *top++ = block.blob_base_fee;
                break;

            case Op::POP:
                --top;
                break;
            case Op::MLOAD:
                if (!frame.memory.has_word(top[-1]) && !frame.memory.expand_for_word(top[-1], gas))
                    return Status::OutOfGas;
                load_word(top[-1], frame.memory.at(top[-1].low64()));
                break;
            case Op::MSTORE:
                if (!frame.memory.has_word(top[-1]) && !frame.memory.expand_for_word(top[-1], gas))
                    return Status::OutOfGas;
                top[-2].store_be32(frame.memory.at(top[-1].low64()));
                top -= 2;
                break;
            case Op::MSTORE8:
                if (!frame.memory.expand(top[-1], U256(1), gas)) return Status::OutOfGas;
                *frame.memory.at(top[-1].low64()) = static_cast<uint8_t>(top[-2].low64());
                top -= 2;
                break;
            case Op::SLOAD:
                KEEL_EVM_HANDLE(op_sload(frame, top), 0);
            case Op::SSTORE:
                KEEL_EVM_HANDLE(op_sstore(frame, top), -2);
            case Op::JUMP: {
                const uint64_t target = (--top)->saturated64();
                if (!frame.known.allows(target)) return Status::BadJump;
                KEEL_EVM_JUMPED(target);
            }
            case Op::JUMPI: {
                top -= 2;
                if (top[0].is_zero()) break;
                const uint64_t target = top[1].saturated64();
                if (!frame.known.allows(target)) return Status::BadJump;
                KEEL_EVM_JUMPED(target);
            }
            case Op::PC:
                *top++ = U256(pc - 1);
                break;
            case Op::MSIZE:
                *top++ = U256(frame.memory.size());
                break;
            case Op::GAS:
                set_word(*top++, static_cast<uint64_t>(gas));
                break;
            case Op::JUMPDEST:
                break;
            case Op::TLOAD:
                KEEL_EVM_HANDLE(op_tload(frame, top), 0);
            case Op::TSTORE:
                KEEL_EVM_HANDLE(op_tstore(frame, top), -2);
            case Op::MCOPY:
                KEEL_EVM_HANDLE(op_mcopy(frame, top), -3);
            case Op::PUSH0:
                set_word(*top++, 0);
                break;

            case Op::LOG0:
            case Op::LOG1:
            case Op::LOG2:
            case Op::LOG3:
            case Op::LOG4: {
                const unsigned topics = op - 0xa0u;
                KEEL_EVM_HANDLE(op_log(frame, top, topics), -2 - static_cast<int>(topics));
            }

            case Op::CREATE:
                KEEL_EVM_HANDLE((op_create<false, kTraced>(frame, top)), -2);
            case Op::CALL:
                KEEL_EVM_HANDLE((op_call<CallKind::Call, kTraced>(frame, top)), -6);
            case Op::CALLCODE:
                KEEL_EVM_HANDLE((op_call<CallKind::CallCode, kTraced>(frame, top)), -6);
            case Op::RETURN:
            case Op::REVERT:
                frame.gas = gas;
                status = op_return(frame, top);
                if (status != Status::Success) return status;
                return static_cast<Op>(op) == Op::REVERT ? Status::Revert : Status::Success;
            case Op::DELEGATECALL:
                KEEL_EVM_HANDLE((op_call<CallKind::DelegateCall, kTraced>(frame, top)), -5);
            case Op::CREATE2:
                KEEL_EVM_HANDLE((op_create<true, kTraced>(frame, top)), -3);
            case Op::STATICCALL:
                KEEL_EVM_HANDLE((op_call<CallKind::StaticCall, kTraced>(frame, top)), -5);
            case Op::SELFDESTRUCT:
                frame.gas = gas;
                return op_selfdestruct(frame, top);

                KEEL_EVM_FOR_16(KEEL_EVM_DUP_CASE)
                KEEL_EVM_FOR_16(KEEL_EVM_SWAP_CASE)
            case Op::PUSH1:
                set_word(*top++, pc < code.size() ? code[pc] : 0);
                ++pc;
                break;
            default: {  // PUSH2 to PUSH32; all else is not in the table
                const unsigned count = op - 0x5fu;
                push_data(*top++, code, pc, count);
                pc += count;
                break;
            }
        }
    }
    if constexpr (kTraced) trace(0);
    frame.gas = gas;
    return Status::Success;
}

#undef KEEL_EVM_JUMPED
#undef KEEL_EVM_FOR_16
#undef KEEL_EVM_SWAP_CASE
#undef KEEL_EVM_DUP_CASE
#undef KEEL_EVM_SHIFT
#undef KEEL_EVM_COMPARE
#undef KEEL_EVM_BINARY
#undef KEEL_EVM_BINARY_TO
#undef KEEL_EVM_HANDLE

/// The two interpreters by turns. Neither is inlined: their native stack would add up.
Status run_untraced(Frame& frame) {
    if (wants_trace(frame, *frame.block)) {
        if (const auto status = run_traces(frame)) return *status;
    }
    for (;;) {
        if (const auto status = run<false>(frame)) return *status;
        if (const auto status = run_traces(frame)) return *status;
    }
}

}  // namespace

CallResult interpret(Evm& evm, const Message& message, core::ByteView code, Code& known,
                     U256* stack) {
    Memory& memory = evm.workspace.slot(message.depth).memory;
    memory.reset(message.depth < kShallow ? kKeepShallow : kKeepDeep);
    Frame frame{evm, message, code, memory, message.gas, {}, {}, known, stack};
    frame.top = stack;
    if (evm.has_deadline()) [[unlikely]]
        frame.set_next_look(frame.gas);
    Status status;
    if (evm.tracer == nullptr) [[likely]] {
        frame.block = &known.block_at(0);
        status = run_untraced(frame);
    } else {
        status = *run<true>(frame);
        if (status == Status::Success || status == Status::Revert) {
            evm.tracer->charged(frame.gas);
        } else {
            evm.tracer->fault(status);
        }
    }
    if (status == Status::Success || status == Status::Revert) {
        return {status, frame.gas, frame.output};
    }
    return {status, 0, {}};
}

}  // namespace keel::evm
