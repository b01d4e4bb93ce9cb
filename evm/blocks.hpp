#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "core/bytes.hpp"
#include "core/u256.hpp"

namespace keel::evm {

// What code is translated into (translate.hpp) and how it is kept. The unit is a trace: the
// instructions from one point on, followed over static jumps and past conditional ones, as
// operations on stack words at fixed distances. PUSH, DUP, SWAP, POP, JUMPDEST and static jumps
// leave nothing behind.
//
// Invariants:
// 1. Wherever a trace begins or is left, the stack words, the stack pointer and the gas are those
//    that the plain interpreter would have there, but see 3. So each can go on for the other.
// 2. A trace is entered only if its static gas is there and no step of it can under- or overflow
//    the stack; else the plain interpreter goes on, which finds out what happens.
// 3. Static gas of the whole trace is taken at its head. Who leaves earlier gives back the rest;
//    who looks at gas adds the rest first. Between two looks the gas may be below zero: then the
//    frame is out of gas, and the next look, which comes before it ends, finds it.

/// Operations of a trace. Letters behind the name: i, a number below 2^64 in place of the second
/// operand; k, a constant of any size; r, constant and word change places; a digit, limbs that a
/// shift skips.
// clang-format off
#define KEEL_EVM_TRACE_OPS(X) \
    X(Move) X(MoveConst) X(Add) X(AddI) X(AddK) X(Sub) X(SubI) X(SubKr) X(Mul) X(MulI) X(Div) \
    X(DivI) X(Sdiv) X(SdivI) X(Mod) X(ModI) X(Smod) X(AddMod) X(MulMod) X(SignExtend) \
    X(SignExtendI) X(And) X(AndI) X(AndK) X(Or) X(OrK) X(Xor) X(XorK) X(Not) X(Byte) X(ByteI) \
    X(Shl) X(ShlI0) X(ShlI1) X(ShlI2) X(ShlI3) X(Shr) X(ShrI0) X(ShrI1) X(ShrI2) X(ShrI3) \
    X(Sar) X(SarI) X(Clz) X(Lt) X(Ge) X(LtI) X(GeI) X(GtI) X(LeI) X(LtK) X(GeK) X(GtK) X(LeK) \
    X(Slt) X(Sge) X(Eq) X(Ne) X(EqI) X(NeI) X(EqK) X(NeK) X(IsZero) X(NotZero) X(IfLt) X(IfGe) \
    X(IfLtI) X(IfGeI) X(IfGtI) X(IfLeI) X(IfLtK) X(IfGeK) X(IfGtK) X(IfLeK) X(IfSlt) X(IfSge) \
    X(IfEq) X(IfNe) X(IfEqI) X(IfNeI) X(IfEqK) X(IfNeK) X(IfZero) X(IfNotZero) X(Address) \
    X(Origin) X(Caller) X(CallValue) X(CallDataSize) X(GasPrice) X(ReturnDataSize) X(Coinbase) \
    X(Timestamp) X(Number) X(Difficulty) X(GasLimit) X(ChainId) X(SelfBalance) X(BaseFee) \
    X(BlobBaseFee) X(BlobHash) X(CallDataLoad) X(CallDataLoadI) X(MSize) X(Gas) X(MLoad) \
    X(MLoadI) X(MStore) X(MStoreI) X(MStoreK) X(MStoreIK) X(MStore8) X(Exp) X(Keccak256) \
    X(Balance) X(CallDataCopy) X(CodeCopy) X(ExtCodeSize) X(ExtCodeCopy) X(ReturnDataCopy) \
    X(ExtCodeHash) X(BlockHash) X(SLoad) X(SStore) X(TLoad) X(TStore) X(MCopy) X(Log0) X(Log1) \
    X(Log2) X(Log3) X(Log4) X(Create) X(Create2) X(Call) X(CallCode) X(DelegateCall) \
    X(StaticCall) X(Return) X(Revert) X(SelfDestruct) X(Stop) X(Fail) X(GoTo) X(JumpTo) \
    X(JumpToIf)
// clang-format on

// NOLINTNEXTLINE(performance-enum-size): a byte would leave a gap in Insn.
enum class TraceOp : uint16_t {
#define KEEL_EVM_NAME(name) name,
    KEEL_EVM_TRACE_OPS(KEEL_EVM_NAME)
#undef KEEL_EVM_NAME
};

struct Block;

/// One operation. Stack words are given as their distance in bytes from the stack pointer at the
/// head of the trace.
struct Insn {
    TraceOp op = TraceOp::Stop;
    int16_t to = 0;
    int16_t a = 0;
    int16_t b = 0;
    union {
        uint64_t number = 0;  // gas still to come that is paid already, unless said otherwise
        const core::U256* word;
        const Insn* insn;
        Block* block;
    };
};
static_assert(sizeof(Insn) == 16);

/// A point of the code where traces may begin.
struct Block {
    const Insn* body = nullptr;  // null: not translated
    uint32_t gas = 0;
    int32_t need_bytes = INT32_MAX;  // of stack words; with range_bytes 0 nothing ever fits
    uint32_t range_bytes = 0;        // how much more there may be
    uint32_t pc = 0;
    uint32_t heat = 0;  // how often it was reached before it was translated
};

/// A code with all that was found out about it. One thread.
class Code {
  public:
    explicit Code(core::ByteView code);

    /// A JUMPDEST that is not the data of a PUSH.
    bool allows(uint64_t target) const noexcept {
        return target < size_ && ((words_[target / 64].bits >> (target % 64)) & 1) != 0;
    }
    /// `target` is allowed.
    Block& dest(uint64_t target) noexcept {
        const Word& word = words_[target / 64];
        const uint64_t below = word.bits & ((uint64_t{1} << (target % 64)) - 1);
        return dests_[word.before + static_cast<unsigned>(__builtin_popcountll(below))];
    }
    /// The block that begins at `pc`, which need not be a JUMPDEST.
    Block& block_at(uint64_t pc);

    /// Memory for a trace; it stays where it is as long as the code.
    Insn* new_insns(size_t count);
    const core::U256* new_word(const core::U256& word);
    /// So much has been translated that it would take too much memory to go on.
    bool is_full() const noexcept { return arena_bytes_ >= arena_bytes_max_; }
    size_t memory_bytes() const noexcept;

    uint32_t pins = 0;  // frames that run it
  private:
    struct Word {
        uint64_t bits = 0;
        uint32_t before = 0;  // bits of all words below
    };
    std::vector<Word> words_;
    uint64_t size_;
    std::unique_ptr<Block[]> dests_;  // in the order of the code
    size_t dest_count_ = 0;
    std::unordered_map<uint64_t, std::unique_ptr<Block>> others_;
    std::vector<std::unique_ptr<Insn[]>> insns_;
    std::vector<std::unique_ptr<core::U256>> constants_;
    size_t chunk_size_ = 0;  // of the last of insns_
    size_t chunk_left_ = 0;
    size_t arena_bytes_ = 0;
    size_t arena_bytes_max_;
};

}  // namespace keel::evm
