#include "evm/translator.hpp"

#include "evm/status.hpp"

namespace keel::evm {

using core::U256;

// The end of a trace.

/// Steps that bring each value of [low, height) to its place; `stack` begins with that of `low`.
void Translator::canonical(std::vector<TraceValue>& stack, int low, int height,
                           std::vector<TraceStep>& to) {
    const auto value_at = [&](int place) -> TraceValue& {
        return stack[static_cast<size_t>(place - low)];
    };
    const auto move = [&](int place, TraceValue value) {
        TraceStep step;
        step.op = value.is_const ? TraceOp::MoveConst : TraceOp::Move;
        step.fields = static_cast<uint8_t>(kWritesTo | (value.is_const ? 0 : kReadsA));
        step.to = place;
        if (value.is_const) {
            step.immediate = StepImmediate::Word;
            step.word = value.at;
        } else {
            step.a = value.at;
        }
        to.push_back(step);
    };
    std::vector<int> pending;  // places that wait for a value from another place
    for (int place = low; place < height; ++place) {
        const TraceValue value = value_at(place);
        if (!value.is_const && value.at != place) pending.push_back(place);
    }
    while (!pending.empty()) {
        bool moved = false;
        for (size_t i = 0; i < pending.size(); ++i) {
            const int place = pending[i];
            const bool awaited = std::any_of(pending.begin(), pending.end(), [&](int other) {
                return other != place && value_at(other).at == place;
            });
            if (awaited) continue;
            move(place, value_at(place));
            pending.erase(pending.begin() + static_cast<ptrdiff_t>(i));
            moved = true;
            break;
        }
        if (moved) continue;
        // Only circles are left: one value steps aside.
        const int place = pending.front();
        const int temp = new_temps(1);
        if (failed_) return;
        move(temp, {false, place});
        for (const int other : pending) {
            if (value_at(other).at == place) value_at(other).at = temp;
        }
    }
    for (int place = low; place < height; ++place) {
        if (value_at(place).is_const) move(place, value_at(place));
    }
}

void Translator::end_at(uint64_t pc) {
    order_stack();
    TraceStep step;
    step.op = TraceOp::GoTo;
    step.to = height_;
    step.immediate = StepImmediate::Block;
    step.number = pc;
    last_.push_back(step);
}

void Translator::end_failing(Status status) {
    TraceStep step;
    step.op = TraceOp::Fail;
    step.number = static_cast<uint64_t>(status);
    last_.push_back(step);
}

/// Results that would be moved to a place at the end are computed there at once, where nothing
/// between needs what is there.
void Translator::coalesce() {
    for (int place = low_; place < height_; ++place) {
        const TraceValue value = at(place);
        if (value.is_const || value.at == place) continue;
        size_t definition = steps_.size();
        for (size_t i = steps_.size(); i-- > 0;) {
            if ((steps_[i].fields & kWritesTo) && steps_[i].to == value.at) {
                definition = i;
                break;
            }
        }
        if (definition == steps_.size()) continue;  // from before the trace
        if (!retarget(value.at, place, definition)) continue;
        for (int other = low_; other < height_; ++other) {
            if (at(other) == TraceValue{false, value.at}) at(other).at = place;
        }
    }
}

bool Translator::retarget(int from, int to, size_t definition) {
    if (steps_[definition].words_in != 0) return false;
    for (int other = low_; other < height_; ++other) {
        if (at(other) == TraceValue{false, to}) return false;
    }
    for (size_t i = definition + 1; i < steps_.size(); ++i) {
        const TraceStep& step = steps_[i];
        if (((step.fields & kReadsA) && step.a == to) ||
            ((step.fields & kReadsB) && step.b == to) ||
            ((step.fields & kReadsC) && step.third == to) ||
            ((step.fields & kWritesTo) && step.to == to))
            return false;
        for (int w = 1; w <= step.words_in; ++w) {
            if (step.a - w == to || step.a - w == from) return false;
        }
    }
    for (const TraceExit& exit : exits_) {
        if (exit.step <= definition) continue;
        if (to < exit.low) return false;
        if (std::find(exit.stack.begin(), exit.stack.end(), TraceValue{false, to}) !=
            exit.stack.end())
            return false;
    }
    steps_[definition].to = to;
    for (size_t i = definition + 1; i < steps_.size(); ++i) {
        TraceStep& step = steps_[i];
        if ((step.fields & kReadsA) && step.a == from) step.a = to;
        if ((step.fields & kReadsB) && step.b == from) step.b = to;
        if ((step.fields & kReadsC) && step.third == from) step.third = to;
    }
    for (TraceExit& exit : exits_) {
        if (exit.step <= definition) continue;
        for (TraceValue& value : exit.stack) {
            if (value == TraceValue{false, from}) value.at = to;
        }
    }
    return true;
}

void Translator::append(std::vector<Insn>& to, const TraceStep& step) const {
    Insn insn;
    insn.op = step.op;
    insn.to = distance(step.to);
    insn.a = distance(step.a);
    insn.b = distance(step.b);
    switch (step.immediate) {
        case StepImmediate::Number:
            insn.number = step.number;
            break;
        case StepImmediate::GasLeft:
            insn.number = gas_ - step.number;
            break;
        case StepImmediate::GasLeftAndOffset:
            insn.number = (gas_ - step.number) << 32 | step.offset;
            break;
        case StepImmediate::Third:
            insn.number = static_cast<uint64_t>(static_cast<int64_t>(distance(step.third)));
            break;
        case StepImmediate::Word:
            insn.word = code_.new_word(constants_[static_cast<size_t>(step.word)]);
            break;
        case StepImmediate::Block:
            insn.block = &code_.block_at(step.number);
            break;
        case StepImmediate::Exit:
            break;
    }
    to.push_back(insn);
    if (!step.has_second) return;
    Insn second;
    if (step.second_is_word) {
        second.word = code_.new_word(constants_[static_cast<size_t>(step.constant)]);
    } else {
        second.number = step.number;
    }
    to.push_back(second);
}

void Translator::write() {
    std::vector<Insn> insns;
    std::vector<std::pair<size_t, size_t>> exit_at;  // place of the insn, exit
    for (const TraceStep& step : steps_) {
        if (step.immediate == StepImmediate::Exit) exit_at.emplace_back(insns.size(), step.exit);
        append(insns, step);
    }
    for (const TraceStep& step : last_) append(insns, step);
    std::vector<size_t> exit_begin;
    for (TraceExit& exit : exits_) {
        exit_begin.push_back(insns.size());
        if (exit.fails) {
            TraceStep step;
            step.op = TraceOp::Fail;
            step.number = static_cast<uint64_t>(Status::BadJump);
            append(insns, step);
            continue;
        }
        std::vector<TraceStep> moves;
        const int height = exit.low + static_cast<int>(exit.stack.size());
        canonical(exit.stack, exit.low, height, moves);
        if (failed_) return;
        TraceStep step;
        step.op = TraceOp::GoTo;
        step.to = height;
        step.immediate = StepImmediate::Block;
        step.number = exit.pc;
        moves.push_back(step);
        for (const TraceStep& each : moves) append(insns, each);
        const auto back = static_cast<uint32_t>(gas_ - exit.gas);
        insns.back().a = static_cast<int16_t>(back & 0xffff);
        insns.back().b = static_cast<int16_t>(back >> 16);
    }
    if (highest_ + 2 + temps_ > 1000) return;
    Insn* to = code_.new_insns(insns.size());
    std::copy(insns.begin(), insns.end(), to);
    for (const auto& [at_insn, exit] : exit_at) to[at_insn].insn = to + exit_begin[exit];

    if (gas_ > UINT32_MAX || need_ + highest_ > static_cast<int>(kStackWords)) return;
    block_.gas = static_cast<uint32_t>(gas_);
    block_.need_bytes = need_ * static_cast<int>(sizeof(U256));
    block_.range_bytes = static_cast<uint32_t>((static_cast<int>(kStackWords) - highest_ - need_) *
                                               static_cast<int>(sizeof(U256)));
    block_.body = to;
}

}  // namespace keel::evm
