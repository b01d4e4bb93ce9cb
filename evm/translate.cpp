#include "evm/translate.hpp"

#include "core/base.hpp"
#include "evm/opcodes.hpp"
#include "evm/status.hpp"
#include "evm/translator.hpp"

namespace keel::evm {

using core::U256;

// Instructions that want their operands side by side.

/// Brings the uppermost `words_in` values side by side and takes them off; the place above them.
int Translator::stage(int words_in, bool has_out) {
    bool at_home = true;
    for (int i = 1; i <= words_in; ++i) {
        const int place = height_ - i;
        const bool there = at(place) == TraceValue{false, place};
        const bool written = !there || (has_out && i == words_in);
        if (written && uses(place) != (there ? 1 : 0)) at_home = false;
    }
    int top = height_;
    if (!at_home) top = new_temps(words_in) + words_in;
    for (int i = 1; i <= words_in; ++i) {
        const TraceValue value = at(height_ - i);
        if (!(value == TraceValue{false, top - i})) emit_move(top - i, value);
    }
    for (int i = 0; i < words_in; ++i) pop();
    return top;
}

void Translator::staged(TraceOp op, int words_in, bool has_out) {
    const int top = stage(words_in, has_out);
    TraceStep& step = emit(op, has_out ? kWritesTo : kNone);
    step.a = top;
    step.to = top - words_in;
    step.words_in = words_in;
    step.immediate = StepImmediate::GasLeft;
    step.number = gas_;
    if (has_out) push({false, top - words_in});
}

// Jumps.

/// Whether code from `pc` on ends in REVERT or INVALID soon and in a straight line.
bool Translator::gives_up(uint64_t pc) const {
    for (int i = 0; i < kDeadEnd && pc < bytes_.size(); ++i) {
        const uint8_t op = bytes_[pc];
        if (op == 0xfd || table_[op].min_size == kNotAssigned) return true;
        if (op == 0x56 || op == 0x57 || op == 0x00 || op == 0xf3 || op == 0xff) return false;
        pc += op >= 0x60 && op <= 0x7f ? op - 0x5fu + 1u : 1u;
    }
    return false;
}

Translator::Next Translator::follow(uint64_t target) {
    const bool again = target == block_.pc ||
                       std::find(followed_.begin(), followed_.end(), target) != followed_.end();
    if (again) {
        end_at(target);
        return Next::End;
    }
    followed_.push_back(target);
    pc_ = target;
    return Next::Go;
}

Translator::Next Translator::jump() {
    const TraceValue target = at(height_ - 1);
    if (target.is_const) {
        const U256 word = word_of(pop());
        if (!code_.allows(word.saturated64())) {
            end_failing(Status::BadJump);
            return Next::End;
        }
        return follow(word.low64());
    }
    // The target takes part in bringing the stack in order, and so ends at the top.
    order_stack();
    TraceStep jump;
    jump.op = TraceOp::JumpTo;
    jump.fields = kReadsA;
    jump.a = height_ - 1;
    jump.to = height_ - 1;
    last_.push_back(jump);
    return Next::End;
}

Translator::Next Translator::jump_if() {
    const TraceValue target = at(height_ - 1), condition = at(height_ - 2);
    const uint64_t next = pc_;
    if (condition.is_const) {
        pop();
        pop();
        if (word_of(condition).is_zero()) return Next::Go;
        if (!target.is_const) {
            push(target);
            return jump();
        }
        if (!code_.allows(word_of(target).saturated64())) {
            end_failing(Status::BadJump);
            return Next::End;
        }
        return follow(word_of(target).low64());
    }
    if (!target.is_const) {
        order_stack();
        TraceStep jump;
        jump.op = TraceOp::JumpToIf;
        jump.fields = kReadsA | kReadsB;
        jump.a = height_ - 1;
        jump.b = height_ - 2;
        jump.to = height_ - 2;
        jump.immediate = StepImmediate::Block;
        jump.number = next;
        last_.push_back(jump);
        return Next::End;
    }
    pop();
    pop();
    const uint64_t to = word_of(target).saturated64();
    const bool allowed = code_.allows(to);
    const bool taken_goes_on = allowed && ((to <= next) || gives_up(next));

    TraceOp compared = TraceOp::NotZero;
    TraceStep step;
    const bool fuses = !steps_.empty() && (steps_.back().fields & kWritesTo) &&
                       steps_.back().to == condition.at && steps_.back().words_in == 0 &&
                       uses(condition.at) == 0 && exit_if(steps_.back().op) != TraceOp::Move;
    if (fuses) {
        step = steps_.back();
        steps_.pop_back();
        compared = step.op;
        if (step.immediate == StepImmediate::Word) {
            step.has_second = step.second_is_word = true;
            step.constant = step.word;
        } else if (compared != TraceOp::IsZero && compared != TraceOp::NotZero &&
                   (step.fields & kReadsB) == 0) {
            step.has_second = true;
            step.second_is_word = false;
            // `number` stays what it is compared with.
        }
        step.fields = static_cast<uint8_t>(step.fields & ~kWritesTo);
        step.to = 0;
    } else {
        step.a = condition.at;
        step.fields = kReadsA;
    }
    if (taken_goes_on) compared = opposite(compared);
    step.op = exit_if(compared);
    step.immediate = StepImmediate::Exit;
    step.exit = exits_.size();
    TraceExit exit;
    exit.step = steps_.size();
    exit.low = low_;
    exit.stack = stack_now();
    exit.gas = gas_;
    exit.pc = taken_goes_on ? next : to;
    exit.fails = !taken_goes_on && !allowed;
    exits_.push_back(std::move(exit));
    steps_.push_back(step);
    return taken_goes_on ? follow(to) : Next::Go;
}

/// Calls and creates end a trace, so that they see the gas as it is.
Translator::Next Translator::call(TraceOp op, int words_in) {
    order_stack();
    TraceStep step;
    step.op = op;
    step.a = height_;
    step.to = height_ - words_in + 1;
    step.immediate = StepImmediate::Block;
    step.number = pc_;
    last_.push_back(step);
    return Next::End;
}

Translator::Next Translator::instruction(uint8_t op) {
    const auto kind = static_cast<Op>(op);
    if (op >= 0x60 && op <= 0x7f) {
        const unsigned count = op - 0x5fu;
        uint8_t data[32] = {};
        const core::ByteView part = bytes_.sub(pc_, count);
        if (!part.empty()) std::memcpy(data + 32 - count, part.data(), part.size());
        push(constant_value(U256::load_be32(data)));
        pc_ += count;
        return Next::Go;
    }
    if (op >= 0x80 && op <= 0x8f) {
        push(at(height_ - (op - 0x7f)));
        return Next::Go;
    }
    if (op >= 0x90 && op <= 0x9f) {
        std::swap(at(height_ - 1), at(height_ - 1 - (op - 0x8f)));
        return Next::Go;
    }
    switch (kind) {
        case Op::STOP:
            last_.push_back({});
            last_.back().op = TraceOp::Stop;
            last_.back().immediate = StepImmediate::GasLeft;
            last_.back().number = gas_;
            return Next::End;
        case Op::ADD:
        case Op::MUL:
        case Op::SUB:
        case Op::DIV:
        case Op::SDIV:
        case Op::MOD:
        case Op::SMOD:
        case Op::SIGNEXTEND:
        case Op::LT:
        case Op::GT:
        case Op::SLT:
        case Op::SGT:
        case Op::EQ:
        case Op::AND:
        case Op::OR:
        case Op::XOR:
        case Op::BYTE:
        case Op::SHL:
        case Op::SHR:
        case Op::SAR:
            binary(op);
            return Next::Go;
        case Op::ADDMOD:
            three_operands(TraceOp::AddMod);
            return Next::Go;
        case Op::MULMOD:
            three_operands(TraceOp::MulMod);
            return Next::Go;
        case Op::EXP: {
            const TraceValue base = at(height_ - 1), exponent = at(height_ - 2);
            if (base.is_const && exponent.is_const) {
                pop();
                pop();
                gas_ += (rules_.eip_160 ? 50u : 10u) * word_of(exponent).byte_length();
                fold(op, base, exponent);
                return Next::Go;
            }
            staged(TraceOp::Exp, 2, true);
            return Next::Go;
        }
        case Op::ISZERO:
            is_zero();
            return Next::Go;
        case Op::NOT: {
            const TraceValue a = at(height_ - 1);
            if (a.is_const) {
                pop();
                push(constant_value(~word_of(a)));
            } else {
                unary(TraceOp::Not);
            }
            return Next::Go;
        }
        case Op::CLZ:
            unary(TraceOp::Clz);
            return Next::Go;
        case Op::KECCAK256:
            staged(TraceOp::Keccak256, 2, true);
            return Next::Go;
        case Op::ADDRESS:
            environment(TraceOp::Address);
            return Next::Go;
        case Op::BALANCE:
            staged(TraceOp::Balance, 1, true);
            return Next::Go;
        case Op::ORIGIN:
            environment(TraceOp::Origin);
            return Next::Go;
        case Op::CALLER:
            environment(TraceOp::Caller);
            return Next::Go;
        case Op::CALLVALUE:
            environment(TraceOp::CallValue);
            return Next::Go;
        case Op::CALLDATALOAD: {
            const TraceValue offset = pop();
            if (offset.is_const) {
                emit_result(TraceOp::CallDataLoadI, kNone).number = word_of(offset).saturated64();
            } else {
                emit_result(TraceOp::CallDataLoad, kReadsA).a = offset.at;
            }
            return Next::Go;
        }
        case Op::CALLDATASIZE:
            environment(TraceOp::CallDataSize);
            return Next::Go;
        case Op::CALLDATACOPY:
            staged(TraceOp::CallDataCopy, 3, false);
            return Next::Go;
        case Op::CODESIZE:
            push(constant_value(bytes_.size()));
            return Next::Go;
        case Op::CODECOPY:
            staged(TraceOp::CodeCopy, 3, false);
            return Next::Go;
        case Op::GASPRICE:
            environment(TraceOp::GasPrice);
            return Next::Go;
        case Op::EXTCODESIZE:
            staged(TraceOp::ExtCodeSize, 1, true);
            return Next::Go;
        case Op::EXTCODECOPY:
            staged(TraceOp::ExtCodeCopy, 4, false);
            return Next::Go;
        case Op::RETURNDATASIZE:
            environment(TraceOp::ReturnDataSize);
            return Next::Go;
        case Op::RETURNDATACOPY:
            staged(TraceOp::ReturnDataCopy, 3, false);
            return Next::Go;
        case Op::EXTCODEHASH:
            staged(TraceOp::ExtCodeHash, 1, true);
            return Next::Go;
        case Op::BLOCKHASH:
            staged(TraceOp::BlockHash, 1, true);
            return Next::Go;
        case Op::COINBASE:
            environment(TraceOp::Coinbase);
            return Next::Go;
        case Op::TIMESTAMP:
            environment(TraceOp::Timestamp);
            return Next::Go;
        case Op::NUMBER:
            environment(TraceOp::Number);
            return Next::Go;
        case Op::DIFFICULTY:
            environment(TraceOp::Difficulty);
            return Next::Go;
        case Op::GASLIMIT:
            environment(TraceOp::GasLimit);
            return Next::Go;
        case Op::CHAINID:
            environment(TraceOp::ChainId);
            return Next::Go;
        case Op::SELFBALANCE:
            environment(TraceOp::SelfBalance);
            return Next::Go;
        case Op::BASEFEE:
            environment(TraceOp::BaseFee);
            return Next::Go;
        case Op::BLOBBASEFEE:
            environment(TraceOp::BlobBaseFee);
            return Next::Go;
        case Op::BLOBHASH:
            unary(TraceOp::BlobHash);
            return Next::Go;
        case Op::POP:
            pop();
            return Next::Go;
        case Op::MLOAD: {
            const TraceValue offset = pop();
            if (offset.is_const && word_of(offset) < U256(UINT32_MAX - 64)) {
                TraceStep& step = emit_result(TraceOp::MLoadI, kNone);
                step.immediate = StepImmediate::GasLeftAndOffset;
                step.offset = static_cast<uint32_t>(word_of(offset).low64());
                step.number = gas_;
            } else {
                const int from = in_place(offset);
                TraceStep& step = emit_result(TraceOp::MLoad, kReadsA);
                step.a = from;
                step.immediate = StepImmediate::GasLeft;
                step.number = gas_;
            }
            return Next::Go;
        }
        case Op::MSTORE:
            store_word();
            return Next::Go;
        case Op::MSTORE8: {
            const TraceValue offset = pop(), value = pop();
            const int place = in_place(offset), from = in_place(value);
            TraceStep& step = emit(TraceOp::MStore8, kReadsA | kReadsB);
            step.a = place;
            step.b = from;
            step.immediate = StepImmediate::GasLeft;
            step.number = gas_;
            return Next::Go;
        }
        case Op::SLOAD:
            staged(TraceOp::SLoad, 1, true);
            return Next::Go;
        case Op::SSTORE:
            staged(TraceOp::SStore, 2, false);
            return Next::Go;
        case Op::JUMP:
            return jump();
        case Op::JUMPI:
            return jump_if();
        case Op::PC:
            push(constant_value(pc_ - 1));
            return Next::Go;
        case Op::MSIZE:
            environment(TraceOp::MSize);
            return Next::Go;
        case Op::GAS: {
            TraceStep& step = emit_result(TraceOp::Gas, kNone);
            step.immediate = StepImmediate::GasLeft;
            step.number = gas_;
            return Next::Go;
        }
        case Op::JUMPDEST:
            return Next::Go;
        case Op::TLOAD:
            staged(TraceOp::TLoad, 1, true);
            return Next::Go;
        case Op::TSTORE:
            staged(TraceOp::TStore, 2, false);
            return Next::Go;
        case Op::MCOPY:
            staged(TraceOp::MCopy, 3, false);
            return Next::Go;
        case Op::PUSH0:
            push(constant_value({}));
            return Next::Go;
        case Op::LOG0:
            staged(TraceOp::Log0, 2, false);
            return Next::Go;
        case Op::LOG1:
            staged(TraceOp::Log1, 3, false);
            return Next::Go;
        case Op::LOG2:
            staged(TraceOp::Log2, 4, false);
            return Next::Go;
        case Op::LOG3:
            staged(TraceOp::Log3, 5, false);
            return Next::Go;
        case Op::LOG4:
            staged(TraceOp::Log4, 6, false);
            return Next::Go;
        case Op::CREATE:
            return call(TraceOp::Create, 3);
        case Op::CALL:
            return call(TraceOp::Call, 7);
        case Op::CALLCODE:
            return call(TraceOp::CallCode, 7);
        case Op::DELEGATECALL:
            return call(TraceOp::DelegateCall, 6);
        case Op::CREATE2:
            return call(TraceOp::Create2, 4);
        case Op::STATICCALL:
            return call(TraceOp::StaticCall, 6);
        case Op::RETURN:
            staged(TraceOp::Return, 2, false);
            return Next::End;
        case Op::REVERT:
            staged(TraceOp::Revert, 2, false);
            return Next::End;
        case Op::SELFDESTRUCT:
            staged(TraceOp::SelfDestruct, 1, false);
            return Next::End;
        default:
            KEEL_ASSERT(false);
            return Next::End;
    }
}

void Translator::run() {
    pc_ = block_.pc;
    uint64_t last = pc_;
    for (int count = 0;; ++count) {
        // Traces that come from different places end at the same ones, so that what follows is
        // translated once.
        const bool meets = pc_ != block_.pc && pc_ / kMeetingBytes != last / kMeetingBytes &&
                           pc_ > last && pc_ - last <= 33 && steps_.size() >= kMeetingSteps;
        last = pc_;
        const bool full = meets || count >= kMostInstructions || steps_.size() >= kMostSteps ||
                          exits_.size() >= kMostExits || height_ > kReach - 40 ||
                          low_ < -kReach + 40 || temps_ > kMostTemps - 40;
        if (full) {
            end_at(pc_);
            break;
        }
        const uint8_t op = pc_ < bytes_.size() ? bytes_[pc_] : uint8_t{0};
        const OpRow& row = table_[op];
        if (row.min_size == kNotAssigned) {
            end_failing(Status::InvalidOpcode);
            break;
        }
        if (!reach(row.min_size)) return;
        need_ = std::max(need_, row.min_size - height_);
        gas_ += row.gas;
        ++pc_;
        if (instruction(op) == Next::End) break;
        if (failed_) return;
    }
    if (failed_) return;
    write();
}

void translate(Code& code, Block& block, core::ByteView bytes, const OpTable& table,
               const core::ForkRules& rules) {
    if (code.is_full()) return;
    Translator(code, block, bytes, table, rules).run();
}

}  // namespace keel::evm
