#include "evm/trace_run.hpp"

#include "evm/division.hpp"
#include "evm/ops_arithmetic.hpp"
#include "evm/ops_call.hpp"
#include "evm/ops_memory.hpp"
#include "evm/ops_state.hpp"
#include "evm/translate.hpp"
#include "evm/words.hpp"

// Labels as values: each operation ends in a jump of its own, which the processor predicts by
// what came before.
#pragma GCC diagnostic ignored "-Wpedantic"
#ifdef __clang__
#pragma GCC diagnostic ignored "-Wgnu-label-as-value"
#endif

namespace keel::evm {
namespace {

using core::U256;

U256* word_at(U256* sp, int distance_bytes) noexcept {
    return reinterpret_cast<U256*>(reinterpret_cast<uint8_t*>(sp) + distance_bytes);
}

}  // namespace

bool wants_trace(Frame& frame, Block& block) {
    if (block.body != nullptr) return true;
    Evm& evm = frame.evm;
    if (block.heat++ < evm.workspace.heat_before_translation()) return false;
    block.heat = 0;  // if it does not become one, it is not tried at every pass
    translate(frame.known, block, frame.code, evm.op_table, evm.rules);
    return block.body != nullptr;
}

// Operands of the operation at hand.
#define KEEL_A (*word_at(sp, insn->a))
#define KEEL_B (*word_at(sp, insn->b))
#define KEEL_TO (*word_at(sp, insn->to))
#define KEEL_THIRD (*word_at(sp, static_cast<int32_t>(insn->number)))
#define KEEL_GO goto* kLabels[static_cast<size_t>(insn->op)]
#define KEEL_NEXT \
    {             \
        ++insn;   \
        KEEL_GO;  \
    }
// Begins with the trace of `block`, if it may (invariant 2 of blocks.hpp).
#define KEEL_ENTER                                                                              \
    {                                                                                           \
        gas -= block->gas;                                                                      \
        /* 32 bits are enough: a stack has 32 KB, and what is missing wraps around. */          \
        const auto above = static_cast<uint32_t>(reinterpret_cast<uint8_t*>(sp) - base_bytes) - \
                           static_cast<uint32_t>(block->need_bytes);                            \
        if (gas < frame.gas_at_look || above > block->range_bytes) [[unlikely]]                 \
            goto not_entered;                                                                   \
        insn = block->body;                                                                     \
        KEEL_GO;                                                                                \
    }
#define KEEL_COMPARISON(result)                            \
    {                                                      \
        const bool is_true = (result);                     \
        set_word(KEEL_TO, static_cast<uint64_t>(is_true)); \
        KEEL_NEXT                                          \
    }
#define KEEL_IF(result)        \
    {                          \
        if (result) {          \
            insn = insn->insn; \
            KEEL_GO;           \
        }                      \
        KEEL_NEXT              \
    }
// With the number or word that it compares with in the second half.
#define KEEL_IF_2(result)      \
    {                          \
        if (result) {          \
            insn = insn->insn; \
            KEEL_GO;           \
        }                      \
        insn += 2;             \
        KEEL_GO;               \
    }
// A handler of ops_*.hpp. Looks at gas: see invariant 3.
#define KEEL_HANDLE(call)                                     \
    {                                                         \
        frame.gas = gas + static_cast<int64_t>(insn->number); \
        if (frame.gas < 0) [[unlikely]]                       \
            return Status::OutOfGas;                          \
        U256* const top = word_at(sp, insn->a);               \
        const Status status = (call);                         \
        if (status != Status::Success) [[unlikely]]           \
            return status;                                    \
        gas = frame.gas - static_cast<int64_t>(insn->number); \
        KEEL_NEXT                                             \
    }
#define KEEL_CALL(call)                             \
    {                                               \
        if (gas < 0) [[unlikely]]                   \
            return Status::OutOfGas;                \
        frame.gas = gas;                            \
        U256* const top = word_at(sp, insn->a);     \
        const Status status = (call);               \
        if (status != Status::Success) [[unlikely]] \
            return status;                          \
        gas = frame.gas;                            \
        sp = word_at(sp, insn->to);                 \
        block = insn->block;                        \
        KEEL_ENTER                                  \
    }
#define KEEL_VALUE(value)  \
    {                      \
        KEEL_TO = (value); \
        KEEL_NEXT          \
    }

std::optional<Status> run_traces(Frame& frame) {
    static constexpr const void* const kLabels[] = {
#define KEEL_LABEL(name) &&on_##name,
        KEEL_EVM_TRACE_OPS(KEEL_LABEL)
#undef KEEL_LABEL
    };
    U256* sp = frame.top;
    const uint8_t* const base_bytes = reinterpret_cast<const uint8_t*>(frame.base);
    int64_t gas = frame.gas;
    Block* block = frame.block;
    Memory& memory = frame.memory;
    const Insn* insn;

    KEEL_ENTER

not_entered:
    gas += block->gas;
    if (gas < 0) return Status::OutOfGas;
    if (gas >= block->gas && gas - block->gas < frame.gas_at_look) {
        frame.look_at_clock(gas - block->gas);
        KEEL_ENTER
    }
    if (block->body == nullptr && wants_trace(frame, *block)) KEEL_ENTER
    frame.gas = gas;
    frame.top = sp;
    frame.pc = block->pc;
    return std::nullopt;

on_Move:
    copy_word(KEEL_TO, KEEL_A);
    KEEL_NEXT
on_MoveConst:
    copy_word(KEEL_TO, *insn->word);
    KEEL_NEXT
on_Add:
    add_words(KEEL_TO, KEEL_A, KEEL_B);
    KEEL_NEXT
on_AddI:
    add_number(KEEL_TO, KEEL_A, insn->number);
    KEEL_NEXT
on_AddK:
    add_words(KEEL_TO, KEEL_A, *insn->word);
    KEEL_NEXT
on_Sub:
    sub_words(KEEL_TO, KEEL_A, KEEL_B);
    KEEL_NEXT
on_SubI:
    sub_number(KEEL_TO, KEEL_A, insn->number);
    KEEL_NEXT
on_SubKr:
    sub_words(KEEL_TO, *insn->word, KEEL_A);
    KEEL_NEXT
on_Mul: {
    const U256 &a = KEEL_A, &b = KEEL_B;
    if ((upper_limbs(a) | upper_limbs(b)) == 0) {
        const auto product = static_cast<core::uint128_t>(a.limbs[0]) * b.limbs[0];
        KEEL_TO = U256(static_cast<uint64_t>(product), static_cast<uint64_t>(product >> 64), 0, 0);
    } else {
        multiply_large(KEEL_TO, a, b);
    }
    KEEL_NEXT
}
on_MulI:
    multiply_number(KEEL_TO, KEEL_A, insn->number);
    KEEL_NEXT
on_Div:
    divide_words(KEEL_TO, KEEL_A, KEEL_B);
    KEEL_NEXT
on_DivI:
    divide_by_number(KEEL_TO, KEEL_A, insn->number);
    KEEL_NEXT
on_Sdiv:
    divide_signed_words(KEEL_TO, KEEL_A, KEEL_B);
    KEEL_NEXT
on_SdivI:
    divide_signed_by_number(KEEL_TO, KEEL_A, insn->number);
    KEEL_NEXT
on_Mod:
    modulo_words(KEEL_TO, KEEL_A, KEEL_B);
    KEEL_NEXT
on_ModI:
    modulo_number(KEEL_TO, KEEL_A, insn->number);
    KEEL_NEXT
on_Smod:
    modulo_signed_words(KEEL_TO, KEEL_A, KEEL_B);
    KEEL_NEXT
on_AddMod:
    add_modulo_words(KEEL_TO, KEEL_A, KEEL_B, KEEL_THIRD);
    KEEL_NEXT
on_MulMod:
    frame.evm.workspace.moduli().multiply(KEEL_TO, KEEL_A, KEEL_B, KEEL_THIRD);
    KEEL_NEXT
on_SignExtend:
    if (below_number(KEEL_A, 31)) {
        sign_extend_word(KEEL_TO, KEEL_B, static_cast<unsigned>(KEEL_A.limbs[0]));
    } else {
        copy_word(KEEL_TO, KEEL_B);
    }
    KEEL_NEXT
on_SignExtendI:
    sign_extend_word(KEEL_TO, KEEL_A, static_cast<unsigned>(insn->number));
    KEEL_NEXT
on_And:
    KEEL_VALUE(KEEL_A & KEEL_B)
on_AndI:
    set_word(KEEL_TO, KEEL_A.limbs[0] & insn->number);
    KEEL_NEXT
on_AndK:
    KEEL_VALUE(KEEL_A & *insn->word)
on_Or:
    KEEL_VALUE(KEEL_A | KEEL_B)
on_OrK:
    KEEL_VALUE(KEEL_A | *insn->word)
on_Xor:
    KEEL_VALUE(KEEL_A ^ KEEL_B)
on_XorK:
    KEEL_VALUE(KEEL_A ^ *insn->word)
on_Not:
    KEEL_VALUE(~KEEL_A)
on_Byte:
    KEEL_VALUE(byte_of(KEEL_A, KEEL_B))
on_ByteI:
    set_word(KEEL_TO, KEEL_A.limbs[insn->number / 8] >> (insn->number % 8 * 8) & 0xff);
    KEEL_NEXT
on_Shl:
    if (below_number(KEEL_A, 256)) {
        shift_left_word(KEEL_TO, KEEL_B, static_cast<unsigned>(KEEL_A.limbs[0]));
    } else {
        set_word(KEEL_TO, 0);
    }
    KEEL_NEXT
on_ShlI0:
    shift_left_from<0>(KEEL_TO, KEEL_A, static_cast<unsigned>(insn->number));
    KEEL_NEXT
on_ShlI1:
    shift_left_from<1>(KEEL_TO, KEEL_A, static_cast<unsigned>(insn->number));
    KEEL_NEXT
on_ShlI2:
    shift_left_from<2>(KEEL_TO, KEEL_A, static_cast<unsigned>(insn->number));
    KEEL_NEXT
on_ShlI3:
    shift_left_from<3>(KEEL_TO, KEEL_A, static_cast<unsigned>(insn->number));
    KEEL_NEXT
on_Shr:
    if (below_number(KEEL_A, 256)) {
        shift_right_word(KEEL_TO, KEEL_B, static_cast<unsigned>(KEEL_A.limbs[0]));
    } else {
        set_word(KEEL_TO, 0);
    }
    KEEL_NEXT
on_ShrI0:
    shift_right_from<0>(KEEL_TO, KEEL_A, static_cast<unsigned>(insn->number));
    KEEL_NEXT
on_ShrI1:
    shift_right_from<1>(KEEL_TO, KEEL_A, static_cast<unsigned>(insn->number));
    KEEL_NEXT
on_ShrI2:
    shift_right_from<2>(KEEL_TO, KEEL_A, static_cast<unsigned>(insn->number));
    KEEL_NEXT
on_ShrI3:
    shift_right_from<3>(KEEL_TO, KEEL_A, static_cast<unsigned>(insn->number));
    KEEL_NEXT
on_Sar:
    shift_right_signed_word(
        KEEL_TO, KEEL_B, below_number(KEEL_A, 256) ? static_cast<unsigned>(KEEL_A.limbs[0]) : 255);
    KEEL_NEXT
on_SarI:
    shift_right_signed_word(KEEL_TO, KEEL_A, static_cast<unsigned>(insn->number));
    KEEL_NEXT
on_Clz:
    set_word(KEEL_TO, 256 - KEEL_A.bit_length());
    KEEL_NEXT

on_Lt:
    KEEL_COMPARISON(less(KEEL_A, KEEL_B))
on_Ge:
    KEEL_COMPARISON(!less(KEEL_A, KEEL_B))
on_LtI:
    KEEL_COMPARISON(below_number(KEEL_A, insn->number))
on_GeI:
    KEEL_COMPARISON(!below_number(KEEL_A, insn->number))
on_GtI:
    KEEL_COMPARISON(above_number(KEEL_A, insn->number))
on_LeI:
    KEEL_COMPARISON(!above_number(KEEL_A, insn->number))
on_LtK:
    KEEL_COMPARISON(less(KEEL_A, *insn->word))
on_GeK:
    KEEL_COMPARISON(!less(KEEL_A, *insn->word))
on_GtK:
    KEEL_COMPARISON(less(*insn->word, KEEL_A))
on_LeK:
    KEEL_COMPARISON(!less(*insn->word, KEEL_A))
on_Slt:
    KEEL_COMPARISON(less_signed(KEEL_A, KEEL_B))
on_Sge:
    KEEL_COMPARISON(!less_signed(KEEL_A, KEEL_B))
on_Eq:
    KEEL_COMPARISON(equal(KEEL_A, KEEL_B))
on_Ne:
    KEEL_COMPARISON(!equal(KEEL_A, KEEL_B))
on_EqI:
    KEEL_COMPARISON(equal_number(KEEL_A, insn->number))
on_NeI:
    KEEL_COMPARISON(!equal_number(KEEL_A, insn->number))
on_EqK:
    KEEL_COMPARISON(equal(KEEL_A, *insn->word))
on_NeK:
    KEEL_COMPARISON(!equal(KEEL_A, *insn->word))
on_IsZero:
    KEEL_COMPARISON(is_zero(KEEL_A))
on_NotZero:
    KEEL_COMPARISON(!is_zero(KEEL_A))

on_IfLt:
    KEEL_IF(less(KEEL_A, KEEL_B))
on_IfGe:
    KEEL_IF(!less(KEEL_A, KEEL_B))
on_IfLtI:
    KEEL_IF_2(below_number(KEEL_A, insn[1].number))
on_IfGeI:
    KEEL_IF_2(!below_number(KEEL_A, insn[1].number))
on_IfGtI:
    KEEL_IF_2(above_number(KEEL_A, insn[1].number))
on_IfLeI:
    KEEL_IF_2(!above_number(KEEL_A, insn[1].number))
on_IfLtK:
    KEEL_IF_2(less(KEEL_A, *insn[1].word))
on_IfGeK:
    KEEL_IF_2(!less(KEEL_A, *insn[1].word))
on_IfGtK:
    KEEL_IF_2(less(*insn[1].word, KEEL_A))
on_IfLeK:
    KEEL_IF_2(!less(*insn[1].word, KEEL_A))
on_IfSlt:
    KEEL_IF(less_signed(KEEL_A, KEEL_B))
on_IfSge:
    KEEL_IF(!less_signed(KEEL_A, KEEL_B))
on_IfEq:
    KEEL_IF(equal(KEEL_A, KEEL_B))
on_IfNe:
    KEEL_IF(!equal(KEEL_A, KEEL_B))
on_IfEqI:
    KEEL_IF_2(equal_number(KEEL_A, insn[1].number))
on_IfNeI:
    KEEL_IF_2(!equal_number(KEEL_A, insn[1].number))
on_IfEqK:
    KEEL_IF_2(equal(KEEL_A, *insn[1].word))
on_IfNeK:
    KEEL_IF_2(!equal(KEEL_A, *insn[1].word))
on_IfZero:
    KEEL_IF(is_zero(KEEL_A))
on_IfNotZero:
    KEEL_IF(!is_zero(KEEL_A))

on_Address:
    KEEL_VALUE(to_word(frame.message.recipient))
on_Origin:
    KEEL_VALUE(to_word(frame.evm.tx.origin))
on_Caller:
    KEEL_VALUE(to_word(frame.message.sender))
on_CallValue:
    copy_word(KEEL_TO, frame.message.value);
    KEEL_NEXT
on_CallDataSize:
    set_word(KEEL_TO, frame.message.input.size());
    KEEL_NEXT
on_GasPrice:
    copy_word(KEEL_TO, frame.evm.tx.gas_price);
    KEEL_NEXT
on_ReturnDataSize:
    set_word(KEEL_TO, frame.return_data.size());
    KEEL_NEXT
on_Coinbase:
    KEEL_VALUE(to_word(frame.evm.block.coinbase))
on_Timestamp:
    set_word(KEEL_TO, frame.evm.block.timestamp);
    KEEL_NEXT
on_Number:
    set_word(KEEL_TO, frame.evm.block.number);
    KEEL_NEXT
on_Difficulty:
    if (frame.evm.rules.eip_4399) {
        load_word(KEEL_TO, frame.evm.block.prev_randao.data());
    } else {
        copy_word(KEEL_TO, frame.evm.block.difficulty);
    }
    KEEL_NEXT
on_GasLimit:
    set_word(KEEL_TO, frame.evm.block.gas_limit);
    KEEL_NEXT
on_ChainId:
    copy_word(KEEL_TO, frame.evm.block.chain_id);
    KEEL_NEXT
on_SelfBalance:
    KEEL_VALUE(frame.evm.host.balance(frame.message.recipient))
on_BaseFee:
    copy_word(KEEL_TO, frame.evm.block.base_fee);
    KEEL_NEXT
on_BlobBaseFee:
    copy_word(KEEL_TO, frame.evm.block.blob_base_fee);
    KEEL_NEXT
on_BlobHash: {
    const auto& hashes = frame.evm.tx.blob_hashes;
    if (below_number(KEEL_A, hashes.size())) {
        load_word(KEEL_TO, hashes[KEEL_A.limbs[0]].data());
    } else {
        set_word(KEEL_TO, 0);
    }
    KEEL_NEXT
}
on_CallDataLoad:
    KEEL_VALUE(load_call_data(frame.message.input, KEEL_A.saturated64()))
on_CallDataLoadI:
    KEEL_VALUE(load_call_data(frame.message.input, insn->number))
on_MSize:
    set_word(KEEL_TO, memory.size());
    KEEL_NEXT
on_Gas:
    set_word(KEEL_TO, static_cast<uint64_t>(gas) + insn->number);
    if (gas + static_cast<int64_t>(insn->number) < 0) [[unlikely]]
        return Status::OutOfGas;
    KEEL_NEXT

on_MLoad:
    if (!memory.has_word(KEEL_A)) [[unlikely]] {
        int64_t exact = gas + static_cast<int64_t>(insn->number);
        if (!memory.expand_for_word(KEEL_A, exact)) return Status::OutOfGas;
        gas = exact - static_cast<int64_t>(insn->number);
    }
    load_word(KEEL_TO, memory.at(KEEL_A.limbs[0]));
    KEEL_NEXT
on_MLoadI: {
    const auto offset = static_cast<uint32_t>(insn->number);
    if (!memory.has_word(offset)) [[unlikely]] {
        int64_t exact = gas + static_cast<int64_t>(insn->number >> 32);
        if (!memory.expand_for_word(offset, exact)) return Status::OutOfGas;
        gas = exact - static_cast<int64_t>(insn->number >> 32);
    }
    load_word(KEEL_TO, memory.at(offset));
    KEEL_NEXT
}
on_MStore:
    if (!memory.has_word(KEEL_A)) [[unlikely]] {
        int64_t exact = gas + static_cast<int64_t>(insn->number);
        if (!memory.expand_for_word(KEEL_A, exact)) return Status::OutOfGas;
        gas = exact - static_cast<int64_t>(insn->number);
    }
    KEEL_B.store_be32(memory.at(KEEL_A.limbs[0]));
    KEEL_NEXT
on_MStoreK:
    if (!memory.has_word(KEEL_A)) [[unlikely]] {
        int64_t exact = gas + static_cast<int64_t>(insn->number);
        if (!memory.expand_for_word(KEEL_A, exact)) return Status::OutOfGas;
        gas = exact - static_cast<int64_t>(insn->number);
    }
    insn[1].word->store_be32(memory.at(KEEL_A.limbs[0]));
    insn += 2;
    KEEL_GO;
on_MStoreI: {
    const auto offset = static_cast<uint32_t>(insn->number);
    if (!memory.has_word(offset)) [[unlikely]] {
        int64_t exact = gas + static_cast<int64_t>(insn->number >> 32);
        if (!memory.expand_for_word(offset, exact)) return Status::OutOfGas;
        gas = exact - static_cast<int64_t>(insn->number >> 32);
    }
    KEEL_B.store_be32(memory.at(offset));
    KEEL_NEXT
}
on_MStoreIK: {
    const auto offset = static_cast<uint32_t>(insn->number);
    if (!memory.has_word(offset)) [[unlikely]] {
        int64_t exact = gas + static_cast<int64_t>(insn->number >> 32);
        if (!memory.expand_for_word(offset, exact)) return Status::OutOfGas;
        gas = exact - static_cast<int64_t>(insn->number >> 32);
    }
    insn[1].word->store_be32(memory.at(offset));
    insn += 2;
    KEEL_GO;
}
on_MStore8:
    if (!memory.has_byte(KEEL_A)) [[unlikely]] {
        int64_t exact = gas + static_cast<int64_t>(insn->number);
        if (!memory.expand(KEEL_A, U256(1), exact)) return Status::OutOfGas;
        gas = exact - static_cast<int64_t>(insn->number);
    }
    *memory.at(KEEL_A.limbs[0]) = static_cast<uint8_t>(KEEL_B.limbs[0]);
    KEEL_NEXT

on_Exp:
    KEEL_HANDLE(op_exp(frame, top))
on_Keccak256:
    KEEL_HANDLE(op_keccak256(frame, top))
on_Balance:
    KEEL_HANDLE(op_balance(frame, top))
on_CallDataCopy:
    KEEL_HANDLE(copy_padded(frame, top, frame.message.input))
on_CodeCopy:
    KEEL_HANDLE(copy_padded(frame, top, frame.code))
on_ExtCodeSize:
    KEEL_HANDLE(op_extcodesize(frame, top))
on_ExtCodeCopy:
    KEEL_HANDLE(op_extcodecopy(frame, top))
on_ReturnDataCopy:
    KEEL_HANDLE(op_returndatacopy(frame, top))
on_ExtCodeHash:
    KEEL_HANDLE(op_extcodehash(frame, top))
on_BlockHash:
    KEEL_HANDLE(op_blockhash(frame, top))
on_SLoad:
    KEEL_HANDLE(op_sload(frame, top))
on_SStore:
    KEEL_HANDLE(op_sstore(frame, top))
on_TLoad:
    KEEL_HANDLE(op_tload(frame, top))
on_TStore:
    KEEL_HANDLE(op_tstore(frame, top))
on_MCopy:
    KEEL_HANDLE(op_mcopy(frame, top))
on_Log0:
    KEEL_HANDLE(op_log(frame, top, 0))
on_Log1:
    KEEL_HANDLE(op_log(frame, top, 1))
on_Log2:
    KEEL_HANDLE(op_log(frame, top, 2))
on_Log3:
    KEEL_HANDLE(op_log(frame, top, 3))
on_Log4:
    KEEL_HANDLE(op_log(frame, top, 4))

on_Create:
    KEEL_CALL((op_create<false, false>(frame, top)))
on_Create2:
    KEEL_CALL((op_create<true, false>(frame, top)))
on_Call:
    KEEL_CALL((op_call<CallKind::Call, false>(frame, top)))
on_CallCode:
    KEEL_CALL((op_call<CallKind::CallCode, false>(frame, top)))
on_DelegateCall:
    KEEL_CALL((op_call<CallKind::DelegateCall, false>(frame, top)))
on_StaticCall:
    KEEL_CALL((op_call<CallKind::StaticCall, false>(frame, top)))

on_Return:
on_Revert: {
    frame.gas = gas + static_cast<int64_t>(insn->number);
    if (frame.gas < 0) return Status::OutOfGas;
    const Status status = op_return(frame, word_at(sp, insn->a));
    if (status != Status::Success) return status;
    return insn->op == TraceOp::Revert ? Status::Revert : Status::Success;
}
on_SelfDestruct:
    frame.gas = gas + static_cast<int64_t>(insn->number);
    if (frame.gas < 0) return Status::OutOfGas;
    return op_selfdestruct(frame, word_at(sp, insn->a));
on_Stop:
    frame.gas = gas;
    return gas < 0 ? Status::OutOfGas : Status::Success;
on_Fail:
    return static_cast<Status>(insn->number);

on_GoTo:
    sp = word_at(sp, insn->to);
    gas += static_cast<uint16_t>(insn->a) | static_cast<int64_t>(static_cast<uint16_t>(insn->b))
                                                << 16;
    block = insn->block;
    KEEL_ENTER
on_JumpToIf:
    if (is_zero(KEEL_B)) {
        sp = word_at(sp, insn->to);
        block = insn->block;
        KEEL_ENTER
    }
on_JumpTo: {
    const uint64_t target = KEEL_A.saturated64();
    if (!frame.known.allows(target)) return gas < 0 ? Status::OutOfGas : Status::BadJump;
    sp = word_at(sp, insn->to);
    block = &frame.known.dest(target);
    KEEL_ENTER
}
}

}  // namespace keel::evm
