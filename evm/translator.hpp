#pragma once

#include <algorithm>
#include <array>
#include <vector>

#include "evm/status.hpp"
#include "evm/translate.hpp"

namespace keel::evm {

// For translate*.cpp alone.

inline constexpr int kReach = 400;       // words that a trace may reach below and above its begin
inline constexpr int kFirstTemp = 2000;  // numbers of words that belong to no place on the stack
inline constexpr int kMostTemps = 200;
inline constexpr int kMostInstructions = 512;
inline constexpr size_t kMostSteps = 160;
inline constexpr size_t kMostExits = 16;
inline constexpr uint64_t kMeetingBytes = 256;  // of straight code; steps that make it worth while:
inline constexpr size_t kMeetingSteps = 48;
inline constexpr int kDeadEnd = 12;  // instructions looked at to find that a branch gives up

/// A word on the stack: where it lies, or what it is.
struct TraceValue {
    bool is_const = false;
    int at = 0;  // place (0: the first free word at the head of the trace), or index of constant
    friend bool operator==(const TraceValue&, const TraceValue&) = default;
};

/// What of a step's fields names words.
enum StepFields : uint8_t {
    kNone = 0,
    kReadsA = 1,
    kReadsB = 2,
    kReadsC = 4,  // `third`
    kWritesTo = 8,
};

enum class StepImmediate : uint8_t {
    Number,            // as it is
    GasLeft,           // static gas of the trace behind this step, `number` is what was before
    Word,              // address of the constant
    Block,             // the block at `number`
    Exit,              // the insns of exit `exit`
    Third,             // distance of `third`
    GasLeftAndOffset,  // GasLeft above, 32 bits of `offset` below
};

struct TraceStep {
    TraceOp op{};
    uint8_t fields = kNone;
    StepImmediate immediate = StepImmediate::Number;
    bool has_second = false;  // an Insn behind that holds `second` as its number or word
    bool second_is_word = false;
    int to = 0, a = 0, b = 0, third = 0;
    int words_in = 0;  // > 0: takes a..a-words_in+1 in place, writes the lowest if kWritesTo
    uint64_t number = 0;
    uint32_t offset = 0;
    int word = 0;  // index of constant
    size_t exit = 0;
    int constant = 0;  // index of constant of `second`
};

/// A way out of the trace before its end.
struct TraceExit {
    size_t step = 0;                // the one that takes it
    std::vector<TraceValue> stack;  // from `low` on
    int low = 0;
    uint64_t gas = 0;  // paid up to there
    uint64_t pc = 0;
    bool fails = false;  // to a place that no jump may go
};

/// Follows code from one point on with values in place of words, and writes down what is left to
/// do: a step for each result, none for what only moves words. translate_values.cpp makes the steps
/// of arithmetic, translate.cpp goes through the instructions, translate_end.cpp brings the words
/// where they belong at the end and writes the trace.
class Translator {
  public:
    Translator(Code& code, Block& block, core::ByteView bytes, const OpTable& table,
               const core::ForkRules& rules)
        : code_(code), block_(block), bytes_(bytes), table_(table), rules_(rules) {}

    void run();

  private:
    // The stack of values.
    TraceValue& at(int place) { return stack_[static_cast<size_t>(place + kReach)]; }
    int& uses(int place) {
        return place < kFirstTemp ? uses_[static_cast<size_t>(place + kReach)]
                                  : temp_uses_[static_cast<size_t>(place - kFirstTemp)];
    }
    bool reach(int depth) {
        while (height_ - depth < low_) {
            --low_;
            if (low_ < -kReach + 8) return false;
            at(low_) = {false, low_};
            uses(low_) = 1;
        }
        return true;
    }
    void push(TraceValue value) {
        at(height_++) = value;
        if (!value.is_const) ++uses(value.at);
        highest_ = std::max(highest_, height_);
    }
    TraceValue pop() {
        const TraceValue value = at(--height_);
        if (!value.is_const) --uses(value.at);
        return value;
    }
    int constant(const core::U256& word) {
        constants_.push_back(word);
        return static_cast<int>(constants_.size()) - 1;
    }
    TraceValue constant_value(const core::U256& word) { return {true, constant(word)}; }
    const core::U256& word_of(TraceValue value) const {
        return constants_[static_cast<size_t>(value.at)];
    }
    bool is_const(TraceValue value, const core::U256& word) const {
        return value.is_const && word_of(value) == word;
    }

    // Places for results.
    int new_temp() {
        for (int i = 0; i < temps_; ++i) {
            if (temp_uses_[static_cast<size_t>(i)] == 0) return kFirstTemp + i;
        }
        if (temps_ == kMostTemps) {
            failed_ = true;
            return kFirstTemp;
        }
        return kFirstTemp + temps_++;
    }
    int new_temps(int count) {
        if (temps_ + count > kMostTemps) {
            failed_ = true;
            return kFirstTemp;
        }
        temps_ += count;
        return kFirstTemp + temps_ - count;
    }
    int place_of_result() { return uses(height_) == 0 ? height_ : new_temp(); }

    // Steps.
    TraceStep& emit(TraceOp op, uint8_t fields) {
        steps_.push_back({});
        steps_.back().op = op;
        steps_.back().fields = fields;
        return steps_.back();
    }
    TraceStep& emit_result(TraceOp op, uint8_t fields) {
        const int to = place_of_result();
        TraceStep& step = emit(op, static_cast<uint8_t>(fields | kWritesTo));
        step.to = to;
        push({false, to});
        return step;
    }
    void emit_move(int to, TraceValue from) {
        if (from.is_const) {
            TraceStep& step = emit(TraceOp::MoveConst, kWritesTo);
            step.to = to;
            step.immediate = StepImmediate::Word;
            step.word = from.at;
        } else {
            TraceStep& step = emit(TraceOp::Move, kReadsA | kWritesTo);
            step.to = to;
            step.a = from.at;
        }
    }
    /// A place that holds `value` for the next step. A constant gets one that is used nowhere else:
    /// the other operands of the step have left the stack already.
    int in_place(TraceValue value) {
        if (!value.is_const) return value.at;
        const int temp = new_temps(1);
        emit_move(temp, value);
        return temp;
    }

    // Instructions.
    enum class Next : uint8_t { Go, End };
    Next instruction(uint8_t op);
    void unary(TraceOp op);
    void binary_slots(TraceOp op, TraceValue a, TraceValue b);
    void with_number(TraceOp op, TraceValue a, uint64_t number);
    void shift_by(TraceOp none, TraceValue a, uint64_t count);
    void with_word(TraceOp op, TraceValue a, TraceValue k);
    bool fold(uint8_t op, TraceValue a, TraceValue b);
    void add(TraceValue a, TraceValue b);
    void subtract(TraceValue a, TraceValue b);
    void multiply(TraceValue a, TraceValue b);
    void divide(TraceValue a, TraceValue b);
    void modulo(TraceValue a, TraceValue b);
    void bitwise(uint8_t op, TraceValue a, TraceValue b);
    void compare(uint8_t op, TraceValue a, TraceValue b);
    void compare_with(TraceValue a, TraceValue k, TraceOp number_op, TraceOp word_op);
    void is_zero();
    void shift(uint8_t op, TraceValue count, TraceValue value);
    void binary(uint8_t op);
    void three_operands(TraceOp op);
    void store_word();
    void staged(TraceOp op, int words_in, bool has_out);
    int stage(int words_in, bool has_out);
    Next jump();
    Next jump_if();
    Next follow(uint64_t target);
    Next call(TraceOp op, int words_in);
    bool gives_up(uint64_t pc) const;
    void environment(TraceOp op) { emit_result(op, kNone); }

    // The end.
    void canonical(std::vector<TraceValue>& stack, int low, int height, std::vector<TraceStep>& to);
    std::vector<TraceValue> stack_now() const {
        return {stack_.begin() + (low_ + kReach), stack_.begin() + (height_ + kReach)};
    }
    void order_stack() {
        coalesce();
        std::vector<TraceValue> stack = stack_now();
        canonical(stack, low_, height_, last_);
    }
    void end_at(uint64_t pc);
    void end_failing(Status status);
    void coalesce();
    bool retarget(int from, int to, size_t definition);
    void write();
    int16_t distance(int place) const {
        const int words = place < kFirstTemp ? place : highest_ + 2 + (place - kFirstTemp);
        return static_cast<int16_t>(words * static_cast<int>(sizeof(core::U256)));
    }
    void append(std::vector<Insn>& to, const TraceStep& step) const;

    Code& code_;
    Block& block_;
    core::ByteView bytes_;
    const OpTable& table_;
    const core::ForkRules& rules_;

    uint64_t pc_ = 0;
    uint64_t gas_ = 0;  // static gas up to and with the instruction at hand
    int height_ = 0, low_ = 0, highest_ = 0;
    int need_ = 0;
    bool failed_ = false;
    std::array<TraceValue, 2 * kReach + 64> stack_{};
    std::array<int, 2 * kReach + 64> uses_{};
    std::array<int, kMostTemps> temp_uses_{};
    int temps_ = 0;
    std::vector<core::U256> constants_;
    std::vector<TraceStep> steps_;
    std::vector<TraceExit> exits_;
    std::vector<uint64_t> followed_;
    std::vector<TraceStep> last_;  // brings the stack in order, and leaves
};

/// The comparison that is true when `op` is not; Move: `op` is none.
TraceOp opposite(TraceOp op) noexcept;
/// The exit taken when the comparison `op` is true; Move: `op` is no comparison.
TraceOp exit_if(TraceOp op) noexcept;

}  // namespace keel::evm
