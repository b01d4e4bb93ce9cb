#include "evm/translator.hpp"

#include <bit>
#include <utility>

#include "core/base.hpp"
#include "evm/opcodes.hpp"
#include "evm/ops_arithmetic.hpp"

namespace keel::evm {

using core::U256;

// Arithmetic.

void Translator::unary(TraceOp op) {
    const TraceValue a = pop();
    const int from = in_place(a);
    emit_result(op, kReadsA).a = from;
}

void Translator::binary_slots(TraceOp op, TraceValue a, TraceValue b) {
    const int first = in_place(a), second = in_place(b);
    TraceStep& step = emit_result(op, kReadsA | kReadsB);
    step.a = first;
    step.b = second;
}

void Translator::with_number(TraceOp op, TraceValue a, uint64_t number) {
    TraceStep& step = emit_result(op, kReadsA);
    step.a = a.at;
    step.number = number;
}

/// `none` is the operation that skips no limb.
void Translator::shift_by(TraceOp none, TraceValue a, uint64_t count) {
    with_number(static_cast<TraceOp>(static_cast<uint64_t>(none) + count / 64), a, count % 64);
}

void Translator::with_word(TraceOp op, TraceValue a, TraceValue k) {
    TraceStep& step = emit_result(op, kReadsA);
    step.a = a.at;
    step.immediate = StepImmediate::Word;
    step.word = k.at;
}

/// Both operands are known.
bool Translator::fold(uint8_t op, TraceValue first, TraceValue second) {
    if (!first.is_const || !second.is_const) return false;
    const U256 a = word_of(first), b = word_of(second);
    U256 result;
    switch (static_cast<Op>(op)) {
        case Op::ADD:
            result = a + b;
            break;
        case Op::MUL:
            result = a * b;
            break;
        case Op::SUB:
            result = a - b;
            break;
        case Op::DIV:
            result = a / b;
            break;
        case Op::SDIV:
            result = core::sdiv(a, b);
            break;
        case Op::MOD:
            result = a % b;
            break;
        case Op::SMOD:
            result = core::smod(a, b);
            break;
        case Op::EXP:
            result = core::exp(a, b);
            break;
        case Op::SIGNEXTEND:
            result = sign_extend(a, b);
            break;
        case Op::LT:
            result = U256(a < b);
            break;
        case Op::GT:
            result = U256(b < a);
            break;
        case Op::SLT:
            result = U256(core::slt(a, b));
            break;
        case Op::SGT:
            result = U256(core::slt(b, a));
            break;
        case Op::EQ:
            result = U256(a == b);
            break;
        case Op::AND:
            result = a & b;
            break;
        case Op::OR:
            result = a | b;
            break;
        case Op::XOR:
            result = a ^ b;
            break;
        case Op::BYTE:
            result = byte_of(a, b);
            break;
        case Op::SHL:
            result = shift_left(a, b);
            break;
        case Op::SHR:
            result = shift_right(a, b);
            break;
        case Op::SAR:
            result = shift_right_signed(a, b);
            break;
        default:
            return false;
    }
    push(constant_value(result));
    return true;
}

void Translator::add(TraceValue a, TraceValue b) {
    if (a.is_const) std::swap(a, b);
    if (!b.is_const) {
        binary_slots(TraceOp::Add, a, b);
        return;
    }
    const U256 k = word_of(b);
    const U256 negative = -k;
    if (k.is_zero()) {
        push(a);
    } else if (k.fits_uint64()) {
        with_number(TraceOp::AddI, a, k.low64());
    } else if (negative.fits_uint64()) {
        with_number(TraceOp::SubI, a, negative.low64());
    } else {
        with_word(TraceOp::AddK, a, b);
    }
}

void Translator::subtract(TraceValue a, TraceValue b) {
    if (b.is_const) {
        add(a, constant_value(-word_of(b)));
    } else if (a.is_const) {
        with_word(TraceOp::SubKr, b, a);
    } else if (a == b) {
        push(constant_value({}));
    } else {
        binary_slots(TraceOp::Sub, a, b);
    }
}

namespace {
bool is_power_of_two(const U256& k) {
    int bits = 0;
    for (const uint64_t limb : k.limbs) bits += std::popcount(limb);
    return bits == 1;
}
}  // namespace

void Translator::multiply(TraceValue a, TraceValue b) {
    if (a.is_const) std::swap(a, b);
    if (!b.is_const) {
        binary_slots(TraceOp::Mul, a, b);
        return;
    }
    const U256 k = word_of(b);
    if (k.is_zero()) {
        push(b);
    } else if (k == U256(1)) {
        push(a);
    } else if (is_power_of_two(k)) {
        shift_by(TraceOp::ShlI0, a, k.bit_length() - 1);
    } else if (k.fits_uint64()) {
        with_number(TraceOp::MulI, a, k.low64());
    } else {
        binary_slots(TraceOp::Mul, a, b);
    }
}

void Translator::divide(TraceValue a, TraceValue b) {
    if (b.is_const) {
        const U256 k = word_of(b);
        if (k.is_zero()) return push(b);
        if (k == U256(1)) return push(a);
        if (is_power_of_two(k)) return shift_by(TraceOp::ShrI0, a, k.bit_length() - 1);
        if (k.fits_uint64()) return with_number(TraceOp::DivI, a, k.low64());
    }
    binary_slots(TraceOp::Div, a, b);
}

void Translator::modulo(TraceValue a, TraceValue b) {
    if (b.is_const) {
        const U256 k = word_of(b);
        if (k.is_zero() || k == U256(1)) return push(constant_value({}));
        if (is_power_of_two(k)) {
            const U256 mask = k - U256(1);
            if (mask.fits_uint64()) return with_number(TraceOp::AndI, a, mask.low64());
            return with_word(TraceOp::AndK, a, constant_value(mask));
        }
        if (k.fits_uint64()) return with_number(TraceOp::ModI, a, k.low64());
    }
    binary_slots(TraceOp::Mod, a, b);
}

void Translator::bitwise(uint8_t op, TraceValue a, TraceValue b) {
    if (a.is_const) std::swap(a, b);
    const auto kind = static_cast<Op>(op);
    if (!b.is_const) {
        if (a == b) return push(kind == Op::XOR ? constant_value({}) : a);
        binary_slots(kind == Op::AND  ? TraceOp::And
                     : kind == Op::OR ? TraceOp::Or
                                      : TraceOp::Xor,
                     a, b);
        return;
    }
    const U256 k = word_of(b);
    if (kind == Op::AND) {
        if (k.is_zero()) return push(b);
        if (k == U256::max()) return push(a);
        if (k.fits_uint64()) return with_number(TraceOp::AndI, a, k.low64());
        return with_word(TraceOp::AndK, a, b);
    }
    if (k.is_zero()) return push(a);
    with_word(kind == Op::OR ? TraceOp::OrK : TraceOp::XorK, a, b);
}

/// `a` is in a place.
void Translator::compare_with(TraceValue a, TraceValue k, TraceOp number_op, TraceOp word_op) {
    if (word_of(k).fits_uint64()) {
        with_number(number_op, a, word_of(k).low64());
    } else {
        with_word(word_op, a, k);
    }
}

void Translator::compare(uint8_t op, TraceValue a, TraceValue b) {
    auto kind = static_cast<Op>(op);
    if (kind == Op::GT || kind == Op::SGT) {
        std::swap(a, b);
        kind = kind == Op::GT ? Op::LT : Op::SLT;
    }
    switch (kind) {
        case Op::LT:
            if (b.is_const) return compare_with(a, b, TraceOp::LtI, TraceOp::LtK);
            if (a.is_const) return compare_with(b, a, TraceOp::GtI, TraceOp::GtK);
            return binary_slots(TraceOp::Lt, a, b);
        case Op::SLT:
            return binary_slots(TraceOp::Slt, a, b);
        default:
            if (a.is_const) std::swap(a, b);
            if (!b.is_const) return binary_slots(TraceOp::Eq, a, b);
            push(a);
            if (word_of(b).is_zero()) return is_zero();
            pop();
            return compare_with(a, b, TraceOp::EqI, TraceOp::EqK);
    }
}

TraceOp opposite(TraceOp op) noexcept {
    constexpr std::pair<TraceOp, TraceOp> kPairs[] = {
        {TraceOp::Lt, TraceOp::Ge},   {TraceOp::LtI, TraceOp::GeI},
        {TraceOp::GtI, TraceOp::LeI}, {TraceOp::LtK, TraceOp::GeK},
        {TraceOp::GtK, TraceOp::LeK}, {TraceOp::Slt, TraceOp::Sge},
        {TraceOp::Eq, TraceOp::Ne},   {TraceOp::EqI, TraceOp::NeI},
        {TraceOp::EqK, TraceOp::NeK}, {TraceOp::IsZero, TraceOp::NotZero}};
    for (const auto& [one, other] : kPairs) {
        if (op == one) return other;
        if (op == other) return one;
    }
    return TraceOp::Move;
}

TraceOp exit_if(TraceOp op) noexcept {
    switch (op) {
        case TraceOp::Lt:
            return TraceOp::IfLt;
        case TraceOp::Ge:
            return TraceOp::IfGe;
        case TraceOp::LtI:
            return TraceOp::IfLtI;
        case TraceOp::GeI:
            return TraceOp::IfGeI;
        case TraceOp::GtI:
            return TraceOp::IfGtI;
        case TraceOp::LeI:
            return TraceOp::IfLeI;
        case TraceOp::LtK:
            return TraceOp::IfLtK;
        case TraceOp::GeK:
            return TraceOp::IfGeK;
        case TraceOp::GtK:
            return TraceOp::IfGtK;
        case TraceOp::LeK:
            return TraceOp::IfLeK;
        case TraceOp::Slt:
            return TraceOp::IfSlt;
        case TraceOp::Sge:
            return TraceOp::IfSge;
        case TraceOp::Eq:
            return TraceOp::IfEq;
        case TraceOp::Ne:
            return TraceOp::IfNe;
        case TraceOp::EqI:
            return TraceOp::IfEqI;
        case TraceOp::NeI:
            return TraceOp::IfNeI;
        case TraceOp::EqK:
            return TraceOp::IfEqK;
        case TraceOp::NeK:
            return TraceOp::IfNeK;
        case TraceOp::IsZero:
            return TraceOp::IfZero;
        case TraceOp::NotZero:
            return TraceOp::IfNotZero;
        default:
            return TraceOp::Move;
    }
}

void Translator::is_zero() {
    const TraceValue a = pop();
    if (a.is_const) return push(constant_value(U256(word_of(a).is_zero())));
    // Nobody else sees the comparison that the last step made: it is turned round in place.
    if (!steps_.empty() && steps_.back().fields & kWritesTo && steps_.back().to == a.at &&
        steps_.back().words_in == 0 && uses(a.at) == 0 &&
        opposite(steps_.back().op) != TraceOp::Move) {
        steps_.back().op = opposite(steps_.back().op);
        push(a);
        return;
    }
    emit_result(TraceOp::IsZero, kReadsA).a = a.at;
}

void Translator::shift(uint8_t op, TraceValue count, TraceValue value) {
    const auto kind = static_cast<Op>(op);
    if (count.is_const) {
        const U256 k = word_of(count);
        if (k.is_zero()) return push(value);
        if (kind == Op::SAR)
            return with_number(TraceOp::SarI, value, std::min<uint64_t>(k.saturated64(), 255));
        if (!(k < U256(256))) return push(constant_value({}));
        return shift_by(kind == Op::SHL ? TraceOp::ShlI0 : TraceOp::ShrI0, value, k.low64());
    }
    binary_slots(kind == Op::SHL   ? TraceOp::Shl
                 : kind == Op::SHR ? TraceOp::Shr
                                   : TraceOp::Sar,
                 count, value);
}

void Translator::binary(uint8_t op) {
    const TraceValue a = pop(), b = pop();
    if (fold(op, a, b)) return;
    switch (static_cast<Op>(op)) {
        case Op::ADD:
            return add(a, b);
        case Op::SUB:
            return subtract(a, b);
        case Op::MUL:
            return multiply(a, b);
        case Op::DIV:
            return divide(a, b);
        case Op::MOD:
            return modulo(a, b);
        case Op::SDIV:
            if (b.is_const && is_const(b, U256(1))) return push(a);
            if (b.is_const && !word_of(b).is_zero() && word_of(b).fits_uint64())
                return with_number(TraceOp::SdivI, a, word_of(b).low64());
            return binary_slots(TraceOp::Sdiv, a, b);
        case Op::SMOD:
            return binary_slots(TraceOp::Smod, a, b);
        case Op::AND:
        case Op::OR:
        case Op::XOR:
            return bitwise(op, a, b);
        case Op::LT:
        case Op::GT:
        case Op::SLT:
        case Op::SGT:
        case Op::EQ:
            return compare(op, a, b);
        case Op::SHL:
        case Op::SHR:
        case Op::SAR:
            return shift(op, a, b);
        case Op::BYTE:
            if (!a.is_const) return binary_slots(TraceOp::Byte, a, b);
            if (!(word_of(a) < U256(32))) return push(constant_value({}));
            return with_number(TraceOp::ByteI, b, 31 - word_of(a).low64());
        case Op::SIGNEXTEND:
            if (!a.is_const) return binary_slots(TraceOp::SignExtend, a, b);
            if (!(word_of(a) < U256(31))) return push(b);
            return with_number(TraceOp::SignExtendI, b, word_of(a).low64());
        default:
            KEEL_ASSERT(false);
    }
}

void Translator::three_operands(TraceOp op) {
    const TraceValue a = pop(), b = pop(), m = pop();
    const int first = in_place(a), second = in_place(b), third = in_place(m);
    TraceStep& step = emit_result(op, kReadsA | kReadsB | kReadsC);
    step.a = first;
    step.b = second;
    step.third = third;
    step.immediate = StepImmediate::Third;
}

void Translator::store_word() {
    const TraceValue offset = pop(), value = pop();
    const bool known_offset = offset.is_const && word_of(offset) < U256(UINT32_MAX - 64);
    const int place = known_offset ? 0 : in_place(offset);
    TraceStep& step = emit(TraceOp::MStore, known_offset ? kNone : kReadsA);
    step.a = place;
    step.number = gas_;
    step.immediate = StepImmediate::GasLeft;
    if (known_offset) {
        step.immediate = StepImmediate::GasLeftAndOffset;
        step.offset = static_cast<uint32_t>(word_of(offset).low64());
    }
    if (value.is_const) {
        step.op = known_offset ? TraceOp::MStoreIK : TraceOp::MStoreK;
        step.has_second = step.second_is_word = true;
        step.constant = value.at;
    } else {
        step.op = known_offset ? TraceOp::MStoreI : TraceOp::MStore;
        step.fields = static_cast<uint8_t>(step.fields | kReadsB);
        step.b = value.at;
    }
}

}  // namespace keel::evm
