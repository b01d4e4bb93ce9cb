#include "tests/differential/program.hpp"

#include <algorithm>
#include <utility>

namespace keel::differential {
namespace {

using core::Address;
using core::Bytes;
using core::U256;

constexpr unsigned kNestedMax = 2;  // of init code in code

/// Writes one program. Keeps about the number of words that the stack has, so that most
/// instructions find their operands.
class Writer {
  public:
    Writer(Random& random, const Vocabulary& vocabulary, unsigned nested)
        : random_(random), vocabulary_(vocabulary), nested_(nested) {}

    Bytes write(unsigned statements) {
        // What follows a jump may run in another way than what stands at the start.
        if (random_.one_in(2)) code_ = {0x60, 0x03, 0x56, 0x5b};
        for (unsigned i = 0; i < statements; ++i) statement();
        if (!random_.one_in(4)) end();
        // Labels that were announced and have not come.
        for (const size_t at : open_labels_) place_label(at);
        if (!open_labels_.empty() && random_.one_in(2)) end();
        if (random_.one_in(40) && !code_.empty()) {
            code_[random_.below(code_.size())] = random_.byte();
        }
        if (random_.one_in(60)) code_.push_back(static_cast<uint8_t>(0x60 + random_.below(32)));
        return std::move(code_);
    }

  private:
    void op(unsigned code) { code_.push_back(static_cast<uint8_t>(code)); }
    void op(unsigned code, int change) {
        op(code);
        height_ += change;
    }

    void push(const U256& value) {
        auto bytes = value.to_be32();
        size_t count = value.byte_length();
        if (count == 0 && vocabulary_.rules.eip_3855 && random_.one_in(2)) {
            op(0x5f, 1);
            return;
        }
        count = std::max<size_t>(count, 1);
        if (random_.one_in(50)) count = random_.between(count, 32);
        op(0x5f + static_cast<unsigned>(count), 1);
        code_.insert(code_.end(), bytes.end() - static_cast<std::ptrdiff_t>(count), bytes.end());
    }
    void push(const Address& address) {
        U256 word = U256::from_be(address);
        if (random_.one_in(40)) word.limbs[3] = random_.next();  // bits that do not count
        push(word);
    }

    U256 number() {
        switch (random_.below(10)) {
            case 0:
                return 0;
            case 1:
                return 1;
            case 2:
            case 3:
                return random_.below(256);
            case 4:
                return random_.next();
            case 5:
                return random_.word();
            case 6:
                return U256::max() - U256(random_.below(3));
            case 7:
                return (U256(1) << static_cast<unsigned>(random_.below(256))) -
                       U256(random_.below(2));
            case 8:
                return U256(1) << 255;
            default:
                return random_.word() >> static_cast<unsigned>(random_.below(256));
        }
    }
    U256 offset() {
        if (random_.one_in(150)) return number();
        if (random_.one_in(12)) return random_.below(4096);
        return random_.one_in(3) ? random_.below(200) : 32 * random_.below(8);
    }
    U256 length() {
        if (random_.one_in(150)) return number();
        if (random_.one_in(20)) return random_.below(1500);
        return random_.one_in(3) ? random_.below(100) : 32 * random_.below(4);
    }
    U256 wei() { return random_.one_in(3) ? U256(random_.below(5000)) : U256(); }
    U256 call_gas() {
        if (random_.one_in(3) && vocabulary_.rules.eip_150) return U256::max();
        if (random_.one_in(10)) return number();
        return random_.below(20'000);
    }
    const Address& address() { return random_.element(vocabulary_.addresses); }
    U256 key() { return random_.one_in(60) ? number() : random_.element(vocabulary_.keys); }

    /// Pushes until the instruction has what it takes, now and then not.
    void need(int count) {
        if (random_.one_in(400)) return;
        while (height_ < count) push(number());
    }

    void statement() {
        if (height_ > 60) {
            op(0x50, -1);
            return;
        }
        switch (random_.below(34)) {
            case 0:
            case 1:
            case 2:
                return push(number());
            case 3:
            case 4:
            case 5:
            case 6:
                return arithmetic();
            case 7:
            case 8:
                return shuffle();
            case 9:
            case 10:
            case 11:
                return memory();
            case 12:
            case 13:
                return store();
            case 14:
                return load();
            case 15:
                return environment();
            case 16:
                return account();
            case 17:
            case 18:
                return copy();
            case 19:
            case 28:
            case 29:
                return jump_ahead();
            case 20:
            case 30:
            case 31:
                return loop();
            case 32:
                return op(0x5b);
            case 21:
            case 22:
                return call();
            case 23:
                return nested_ < kNestedMax ? create() : call();
            case 24:
                return log();
            case 25:
                if (!open_labels_.empty()) {
                    place_label(open_labels_.back());
                    open_labels_.pop_back();
                }
                return;
            case 26:
                return after_call();
            default:
                return rare();
        }
    }

    void arithmetic() {
        const bool newer = vocabulary_.rules.eip_145 || random_.one_in(40);
        // A constant as first or as second operand.
        if (random_.one_in(3)) {
            need(1);
            push(number());
            if (random_.one_in(2)) op(0x90);
        }
        switch (random_.below(12)) {
            case 0:
                need(3);
                return op(random_.pick({0x08u, 0x09u}), -2);
            case 1:
                need(1);
                return op(random_.pick({0x15u, 0x19u}), 0);
            case 2:
                if (!vocabulary_.rules.eip_7939 && !random_.one_in(40)) return arithmetic();
                need(1);
                return op(0x1e, 0);
            case 3:
                need(2);
                if (random_.one_in(2)) push(random_.below(40));  // a small index for BYTE and such
                return op(random_.pick({0x0bu, 0x1au}), -1);
            case 4:
                if (!newer) return arithmetic();
                need(1);
                push(random_.one_in(4) ? number() : U256(random_.below(260)));
                return op(random_.pick({0x1bu, 0x1cu, 0x1du}), -1);
            case 5:
                need(2);
                return op(0x0a, -1);
            case 6:
            case 7:
                need(2);
                return op(static_cast<unsigned>(random_.between(0x10, 0x14)), -1);
            case 8:
                need(2);
                return op(static_cast<unsigned>(random_.between(0x16, 0x18)), -1);
            default:
                need(2);
                return op(static_cast<unsigned>(random_.between(0x01, 0x07)), -1);
        }
    }

    void shuffle() {
        const int reach = std::clamp(height_, 1, 16);
        const auto depth = static_cast<unsigned>(random_.below(static_cast<uint64_t>(reach)));
        if (random_.one_in(300)) return op(0x80u + static_cast<unsigned>(random_.below(32)));
        switch (random_.below(5)) {
            case 0:
            case 1:
                need(static_cast<int>(depth) + 1);
                return op(0x80 + depth, 1);
            case 2:
            case 3:
                need(static_cast<int>(depth) + 2);
                return op(0x90 + depth, 0);
            default:
                need(1);
                return op(0x50, -1);
        }
    }

    void memory() {
        switch (random_.below(7)) {
            case 0:
            case 1:
            case 2:
                need(1);
                push(offset());
                return op(0x52, -2);
            case 3:
                need(1);
                push(offset());
                return op(0x53, -2);
            case 4:
                push(offset());
                return op(0x51, 0);
            case 5:
                if (vocabulary_.rules.eip_5656 || random_.one_in(40)) {
                    push(length());
                    push(offset());
                    push(offset());
                    return op(0x5e, -3);
                }
                return op(0x59, 1);
            default:
                push(length());
                push(offset());
                return op(0x20, -1);
        }
    }

    void store() {
        const bool transient = vocabulary_.rules.eip_1153 && random_.one_in(3);
        if (random_.one_in(2)) {
            push(random_.below(3));
        } else {
            need(1);
        }
        push(key());
        op(transient || random_.one_in(300) ? 0x5d : 0x55, -2);
    }

    void load() {
        const bool transient = vocabulary_.rules.eip_1153 && random_.one_in(3);
        push(key());
        op(transient || random_.one_in(300) ? 0x5c : 0x54, 0);
    }

    void environment() {
        const core::ForkRules& rules = vocabulary_.rules;
        switch (random_.below(9)) {
            case 0:
                push(random_.one_in(3) ? number() : U256(random_.below(1100)));
                return op(0x40, 0);
            case 1:
                if (!rules.eip_4844 && !random_.one_in(30)) return environment();
                push(random_.one_in(5) ? number() : U256(random_.below(4)));
                return op(0x49, 0);
            case 2:
                if (!rules.eip_7516 && !random_.one_in(30)) return environment();
                return op(0x4a, 1);
            case 3:
                if (!rules.eip_3198 && !random_.one_in(30)) return environment();
                return op(random_.pick({0x46u, 0x47u, 0x48u}), 1);
            case 4:
                return op(random_.pick({0x58u, 0x59u, 0x5au}), 1);
            case 5:
                push(offset());
                return op(0x35, 0);
            case 6:
                return op(static_cast<unsigned>(random_.between(0x41, 0x45)), 1);
            default:
                return op(random_.pick({0x30u, 0x32u, 0x33u, 0x34u, 0x36u, 0x38u, 0x3au}), 1);
        }
    }

    void account() {
        push(address());
        const bool hashes = vocabulary_.rules.eip_1052 || random_.one_in(20);
        op(hashes ? random_.pick({0x31u, 0x3bu, 0x3fu}) : random_.pick({0x31u, 0x3bu}), 0);
    }

    void copy() {
        push(length());
        push(offset());
        push(offset());
        if (random_.one_in(3)) {
            push(address());
            return op(0x3c, -4);
        }
        op(random_.pick({0x37u, 0x39u}), -3);
    }

    void after_call() {
        if (!vocabulary_.rules.eip_211 && !random_.one_in(30)) return;
        if (random_.one_in(2)) return op(0x3d, 1);
        // All of what came back, or any part, which may not be there.
        if (random_.one_in(3)) {
            push(length());
            push(offset());
        } else {
            op(0x3d, 1);
            push(0);
        }
        push(offset());
        op(0x3e, -3);
    }

    /// A jump, with or without condition, to a label that comes later.
    void jump_ahead() {
        const bool conditional = random_.one_in(2);
        if (conditional) {
            if (random_.one_in(2)) compare();
            if (random_.one_in(3)) {
                need(1);
                op(0x15);
            }
            need(1);
        }
        open_labels_.push_back(code_.size() + 1);
        code_.insert(code_.end(), {0x61, 0, 0});
        op(conditional ? 0x57 : 0x56, conditional ? -1 : 0);
    }
    void compare() {
        need(1);
        push(number());
        if (random_.one_in(2)) op(0x90);
        op(static_cast<unsigned>(random_.between(0x10, 0x14)), -1);
    }
    void place_label(size_t operand) {
        size_t target = code_.size();
        if (random_.one_in(60)) target = random_.below(code_.size() + 1);
        code_[operand] = static_cast<uint8_t>(target >> 8);
        code_[operand + 1] = static_cast<uint8_t>(target);
        op(0x5b);
    }

    /// counter; do { body } while (--counter)
    void loop() {
        push(random_.between(1, 6));
        const size_t top = code_.size();
        op(0x5b);
        // The body finds its own operands and leaves the counter alone.
        const int height = std::exchange(height_, 0);
        const uint64_t count = random_.between(1, 3);
        for (uint64_t i = 0; i < count; ++i) loop_statement();
        while (height_ > 0) op(0x50, -1);
        height_ = height;
        push(1);
        op(0x90);
        op(0x03, -1);
        op(0x80, 1);
        push(top);
        op(0x57, -2);
        if (random_.one_in(2)) op(0x50, -1);
    }

    void loop_statement() {
        switch (random_.below(12)) {
            case 0:
                return store();
            case 1:
                return load();
            case 2:
                return environment();
            case 3:
                return shuffle();
            case 4:
                return copy();
            case 5:
                return random_.one_in(4) ? call() : account();
            case 6:
            case 7:
            case 8:
                return memory();
            default:
                return arithmetic();
        }
    }

    void call() {
        const core::ForkRules& rules = vocabulary_.rules;
        unsigned code = random_.pick({0xf1u, 0xf1u, 0xf2u, 0xf4u, 0xfau});
        if (code == 0xf4 && !rules.eip_7 && !random_.one_in(30)) code = 0xf1;
        if (code == 0xfa && !rules.eip_214 && !random_.one_in(30)) code = 0xf1;
        const bool has_value = code == 0xf1 || code == 0xf2;
        push(length());
        push(offset());
        push(length());
        push(offset());
        if (has_value) push(wei());
        push(address());
        push(call_gas());
        op(code, has_value ? -6 : -5);
        if (random_.one_in(2)) op(0x50, -1);
    }

    void create() {
        const bool salted = vocabulary_.rules.eip_1014 && random_.one_in(2);
        Bytes init;
        if (random_.one_in(3)) {
            init = returning(Writer(random_, vocabulary_, kNestedMax)
                                 .write(static_cast<unsigned>(random_.below(6))));
        } else {
            init = Writer(random_, vocabulary_, nested_ + 1)
                       .write(static_cast<unsigned>(random_.below(10)));
        }
        init.resize(std::min<size_t>(init.size(), 160));
        for (size_t at = 0; at < init.size(); at += 32) {
            Bytes part(init.begin() + static_cast<std::ptrdiff_t>(at),
                       init.begin() + static_cast<std::ptrdiff_t>(std::min(at + 32, init.size())));
            part.resize(32);
            push(U256::load_be32(part.data()));
            push(at);
            op(0x52, -2);
        }
        if (salted) push(random_.below(3));
        push(random_.one_in(100) ? length() : U256(init.size()));
        push(random_.one_in(50) ? offset() : U256());
        push(wei());
        op(salted ? 0xf5 : 0xf0, salted ? -3 : -2);
        created();
    }

    /// The new account is on the stack: often it is called or looked at.
    void created() {
        if (random_.one_in(3)) return;
        if (random_.one_in(4)) return op(random_.pick({0x31u, 0x3bu}), 0);
        for (int i = 0; i < 5; ++i) push(i == 4 ? wei() : U256());
        op(0x85, 1);  // DUP6: the address
        push(call_gas());
        op(0xf1, -6);
    }

    /// Init code that returns `code`.
    Bytes returning(const Bytes& code) {
        // PUSH1 length, DUP1, PUSH1 offset, PUSH1 0, CODECOPY, PUSH1 0, RETURN, code
        const auto size = static_cast<uint8_t>(std::min<size_t>(code.size(), 140));
        Bytes init{0x60, size, 0x80, 0x60, 12, 0x60, 0x00, 0x39, 0x60, 0x00, 0xf3, 0x00};
        if (random_.one_in(30)) init[1] = random_.byte();
        init.insert(init.end(), code.begin(), code.begin() + size);
        return init;
    }

    void log() {
        const auto topics = static_cast<unsigned>(random_.below(5));
        for (unsigned i = 0; i < topics; ++i) push(number());
        push(length());
        push(offset());
        op(0xa0 + topics, -2 - static_cast<int>(topics));
    }

    void rare() {
        switch (random_.below(12)) {
            case 0:
                return op(random_.byte());
            case 1:
                push(number());
                return op(random_.pick({0x56u, 0x57u}), -1);
            case 2:
                push(address());
                return op(0xff, -1);
            case 3:
            case 4:
                return op(0x5b);
            case 5:  // PUSH data with a JUMPDEST in it
                code_.insert(code_.end(), {0x61, 0x5b, 0x5b});
                ++height_;
                return;
            case 6:
                return end();
            default:
                return push(number());
        }
    }

    void end() {
        switch (random_.below(8)) {
            case 0:
                return op(0x00);
            case 1:
            case 2:
                push(length());
                push(offset());
                return op(vocabulary_.rules.eip_140 || random_.one_in(20) ? 0xfd : 0xf3, -2);
            case 3:
                if (random_.one_in(2)) {
                    push(address());
                    return op(0xff, -1);
                }
                return op(random_.one_in(4) ? 0xfe : 0x00);
            default:
                push(length());
                push(offset());
                return op(0xf3, -2);
        }
    }

    Random& random_;
    const Vocabulary& vocabulary_;
    unsigned nested_;
    Bytes code_;
    int height_ = 0;
    std::vector<size_t> open_labels_;  // where their operand is
};

}  // namespace

Bytes random_program(Random& random, const Vocabulary& vocabulary, unsigned statements) {
    return Writer(random, vocabulary, 0).write(statements);
}

}  // namespace keel::differential
