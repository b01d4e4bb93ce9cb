#include "evm/translate.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "core/hex.hpp"
#include "evm/call.hpp"
#include "evm/code_cache.hpp"
#include "evm/testing/map_host.hpp"

namespace keel::evm {
namespace {

using core::Address;
using core::Bytes;
using core::U256;
using testing::MapHost;

constexpr uint32_t kNever = UINT32_MAX;

Address account(uint8_t last) {
    Address address;
    address[19] = last;
    return address;
}

struct Outcome {
    Status status;
    int64_t gas_left;
    Bytes output;
    std::map<U256, U256> storage;
    size_t logs;
    int64_t refund;
};

/// `code` runs at account(1), called by account(2), `times` times in one transaction each.
Outcome run(const Bytes& code, uint32_t heat, int64_t gas, core::Fork fork = core::Fork::Osaka,
            int times = 1) {
    const core::ForkRules rules = core::rules_of(fork);
    const auto workspace = std::make_unique<Workspace>();
    workspace->set_heat_before_translation(heat);
    Outcome outcome{};
    for (int i = 0; i < times; ++i) {
        MapHost host(rules);
        host.world.accounts[account(1)].code = code;
        host.world.accounts[account(1)].balance = U256(1000);
        host.world.accounts[account(1)].storage[U256(1)] = U256(7);
        host.world.accounts[account(2)].balance = U256(1'000'000);
        host.begin_transaction();
        BlockContext block;
        block.number = 300;
        block.timestamp = 5000;
        TxContext tx;
        Message message;
        message.gas = gas;
        message.sender = account(2);
        message.recipient = message.code_address = account(1);
        const uint8_t input[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18};
        message.input = core::ByteView(input, sizeof input);
        Evm evm(*workspace, host, rules, block, tx);
        const CallResult result = evm.execute(message);
        outcome = {result.status,
                   result.gas_left,
                   result.output.to_bytes(),
                   host.world.accounts[account(1)].storage,
                   host.world.logs.size(),
                   host.world.refund};
    }
    return outcome;
}

/// Which reason a frame fails for may differ: all take its gas.
bool same_end(Status a, Status b) {
    const auto kind = [](Status status) {
        return status == Status::Success ? 0 : status == Status::Revert ? 1 : 2;
    };
    return kind(a) == kind(b);
}

/// A fatal failure when not all end in the same way. Counts the code if it succeeded.
void expect_same(const Bytes& code, int64_t gas, core::Fork fork = core::Fork::Osaka,
                 int* successes = nullptr) {
    const Outcome plain = run(code, kNever, gas, fork);
    if (successes != nullptr && plain.status == Status::Success) ++*successes;
    for (const uint32_t heat : {0u, 1u}) {
        const Outcome traced = run(code, heat, gas, fork, heat == 0 ? 1 : 4);
        const std::string text = core::to_hex(code);
        ASSERT_TRUE(same_end(plain.status, traced.status))
            << to_string(plain.status) << " / " << to_string(traced.status) << ' ' << text;
        ASSERT_EQ(plain.gas_left, traced.gas_left) << gas << ' ' << text;
        ASSERT_EQ(plain.output, traced.output) << text;
        ASSERT_EQ(plain.storage, traced.storage) << text;
        ASSERT_EQ(plain.logs, traced.logs) << text;
        ASSERT_EQ(plain.refund, traced.refund) << text;
    }
}

/// Programs that mostly run: operands are there, jumps mostly go to a JUMPDEST. They end by storing
/// what lies on the stack and in memory.
class Programs {
  public:
    explicit Programs(uint64_t seed) : random_(seed) {}

    Bytes next() {
        code_.clear();
        labels_.clear();
        patches_.clear();
        height_ = 0;
        for (unsigned i = 0; i < 6; ++i) push();
        const auto length = 10 + random_() % 80;
        for (size_t i = 0; i < length; ++i) instruction();
        for (const size_t at : patches_) {
            if (labels_.empty()) continue;
            const size_t label = labels_[random_() % labels_.size()];
            code_[at] = static_cast<uint8_t>(label >> 8);
            code_[at + 1] = static_cast<uint8_t>(label);
        }
        for (uint8_t i = 0; i < 5 && height_ > 0; ++i, --height_) {
            code_.insert(code_.end(), {0x61, 0x01, static_cast<uint8_t>(32 * i), 0x52});  // MSTORE
        }
        code_.insert(code_.end(), {0x61, 0x02, 0x00, 0x60, 0x00, 0xf3});  // RETURN 512 bytes
        return code_;
    }

  private:
    void push() {
        ++height_;
        switch (random_() % 6) {
            case 0:
                code_.push_back(0x5f);
                break;
            case 1:
            case 2:
                code_.insert(code_.end(), {0x60, static_cast<uint8_t>(random_())});
                break;
            case 3:
                code_.insert(code_.end(), {0x60, static_cast<uint8_t>(1u << random_() % 8)});
                break;
            default: {
                const auto count = static_cast<uint8_t>(1 + random_() % 32);
                code_.push_back(static_cast<uint8_t>(0x5f + count));
                const bool ones = random_() % 2 == 0;
                for (uint8_t i = 0; i < count; ++i)
                    code_.push_back(ones ? uint8_t{0xff} : static_cast<uint8_t>(random_()));
            }
        }
    }
    void small(uint8_t op) {  // with an offset that costs little
        code_.insert(code_.end(), {0x61, static_cast<uint8_t>(random_() % 3),
                                   static_cast<uint8_t>(random_()), op});
    }
    void need(int words) {
        while (height_ < words) push();
    }

    void instruction() {
        static constexpr uint8_t kBinary[] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07,
                                              0x0a, 0x0b, 0x10, 0x11, 0x12, 0x13, 0x14,
                                              0x16, 0x17, 0x18, 0x1a, 0x1b, 0x1c, 0x1d};
        static constexpr uint8_t kNullary[] = {0x30, 0x32, 0x33, 0x34, 0x36, 0x38, 0x3a,
                                               0x3d, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46,
                                               0x47, 0x48, 0x4a, 0x58, 0x59, 0x5a};
        switch (random_() % 16) {
            case 0:
            case 1:
                return push();
            case 2:
            case 3: {
                const auto depth = static_cast<int>(random_() % 8);
                need(depth + 1);
                code_.push_back(static_cast<uint8_t>(0x80 + depth));
                ++height_;
                return;
            }
            case 4:
            case 5: {
                const auto depth = static_cast<int>(random_() % 8);
                need(depth + 2);
                code_.push_back(static_cast<uint8_t>(0x90 + depth));
                return;
            }
            case 6:
                need(1);
                code_.push_back(0x50);
                --height_;
                return;
            case 7:
                if (random_() % 3 == 0) {  // a loop, or a way round
                    labels_.push_back(code_.size());
                    code_.push_back(0x5b);
                    return;
                }
                need(2);
                if (random_() % 4 != 0) {
                    code_.insert(code_.end(), {0x15, 0x15});
                    if (random_() % 2 == 0) code_.push_back(0x15);
                }
                jump(0x57);
                --height_;
                return;
            case 8:
                need(1);
                switch (random_() % 4) {
                    case 0:
                        small(0x52);
                        --height_;
                        return;
                    case 1:
                        small(0x53);
                        --height_;
                        return;
                    case 2:
                        small(0x51);
                        ++height_;
                        return;
                    default:
                        code_.insert(code_.end(), {0x60, static_cast<uint8_t>(random_() % 70), 0x60,
                                                   static_cast<uint8_t>(random_()), 0x20});
                        ++height_;
                        return;
                }
            case 9:
                need(2);
                switch (random_() % 5) {
                    case 0:
                        code_.insert(code_.end(), {0x60, 0x01, 0x55});  // SSTORE
                        --height_;
                        return;
                    case 1:
                        code_.insert(code_.end(), {0x60, 0x01, 0x54});  // SLOAD
                        ++height_;
                        return;
                    case 2:
                        code_.insert(code_.end(), {0x60, 0x07, 0x5d, 0x60, 0x07, 0x5c});
                        return;
                    case 3:
                        code_.insert(code_.end(), {0x60, 0x20, 0x60, 0x00, 0xa1});  // LOG1
                        --height_;
                        return;
                    default:
                        code_.push_back(0x35);  // CALLDATALOAD
                        return;
                }
            case 10:
                code_.push_back(kNullary[random_() % sizeof kNullary]);
                ++height_;
                return;
            case 11:
                need(3);
                code_.push_back(static_cast<uint8_t>(0x08 + random_() % 2));
                height_ -= 2;
                return;
            case 12:
                need(1);
                code_.push_back(random_() % 2 == 0 ? 0x15 : random_() % 2 == 0 ? 0x19 : 0x1e);
                return;
            case 13:
                if (random_() % 8 != 0) return push();
                // A call of itself with little gas: nearly always out of it.
                code_.insert(code_.end(), {0x5f, 0x5f, 0x5f, 0x5f, 0x30, 0x61, 0x03, 0xff, 0xfa});
                ++height_;
                return;
            default:
                need(2);
                code_.push_back(kBinary[random_() % sizeof kBinary]);
                --height_;
                return;
        }
    }
    void jump(uint8_t op) {
        code_.push_back(0x61);
        patches_.push_back(code_.size());
        code_.insert(code_.end(), {0, 0, op});
    }

    std::mt19937_64 random_;
    Bytes code_;
    std::vector<size_t> labels_;
    std::vector<size_t> patches_;
    int height_ = 0;
};

TEST(Translate, random_programs_end_as_in_the_plain_interpreter) {
    Programs programs(7);
    int successes = 0;
    for (int i = 0; i < 3000; ++i) {
        expect_same(programs.next(), 100'000, core::Fork::Osaka, &successes);
        if (HasFatalFailure()) return;
    }
    EXPECT_GT(successes, 1000);
}

TEST(Translate, gas_runs_out_in_the_same_place) {
    Programs programs(8);
    std::mt19937_64 random(9);
    for (int i = 0; i < 3000; ++i) {
        const Bytes code = programs.next();
        expect_same(code, static_cast<int64_t>(random() % 3000));
        if (HasFatalFailure()) return;
    }
}

TEST(Translate, bytes_of_any_kind_end_as_in_the_plain_interpreter) {
    std::mt19937_64 random(10);
    for (int i = 0; i < 3000; ++i) {
        Bytes code(random() % 60);
        for (uint8_t& byte : code) {
            byte = static_cast<uint8_t>(random());
            if (random() % 3 == 0) byte = static_cast<uint8_t>(0x5f + random() % 3);
            if (random() % 5 == 0) byte = 0x5b;
        }
        expect_same(code, 50'000, static_cast<core::Fork>(random() % core::kForkCount));
        if (HasFatalFailure()) return;
    }
}

TEST(Translate, the_stack_is_full_in_the_same_place) {
    // JUMPDEST CALLVALUE PUSH1 0 JUMP; JUMPDEST DUP1 ... pushes until there is no room.
    expect_same({0x5b, 0x34, 0x60, 0x00, 0x56}, 100'000);
    // 1023 words, a word more and one off again in a loop of three turns, then two words.
    Bytes code(1022, 0x34);
    code.insert(code.end(), {0x60, 0x03, 0x5b, 0x60, 0x01, 0x90, 0x03, 0x80, 0x61, 0x04, 0x00, 0x57,
                             0x34, 0x34});
    code[1022 + 9] = 0x04;
    code[1022 + 10] = 0x00;
    expect_same(code, 100'000);
    Bytes pops(1024, 0x34);
    pops.insert(pops.end(), 1025, 0x50);
    expect_same(pops, 100'000);
}

TEST(Translate, code_that_would_take_too_much_memory_stays_as_it_is) {
    // Each JUMPDEST begins a trace that holds all that follows.
    Bytes code;
    for (int i = 0; i < 4000; ++i) code.insert(code.end(), {0x5b, 0x33, 0x50});
    Code known{core::ByteView(code)};
    const core::ForkRules rules = core::rules_of(core::Fork::Osaka);
    const OpTable table = make_op_table(rules);
    for (uint64_t pc = 0; pc < code.size(); pc += 3)
        translate(known, known.dest(pc), code, table, rules);
    EXPECT_TRUE(known.is_full());
    EXPECT_LT(known.memory_bytes(), 100 * code.size() + 500'000);
}

TEST(CodeCache, forgets_the_least_recently_used_but_no_code_in_use) {
    CodeCache cache(4000);
    const Bytes code(640, 0x5b);
    const auto hash = [](uint8_t number) {
        core::Hash32 result;
        result[0] = number;
        return result;
    };
    const PinnedCode pinned(cache.find(hash(0), code));
    // A sign in each, since a forgotten one's place in memory may be another's soon.
    (*pinned).dest(5).heat = 7;
    for (int round = 0; round < 2; ++round) {
        for (uint8_t i = 1; i < 100; ++i) {
            Code& other = cache.find(hash(i), code);
            EXPECT_TRUE(other.allows(639));
            EXPECT_EQ(other.dest(5).heat, 0U) << "forgotten in between";
            other.dest(5).heat = 1;
        }
    }
    EXPECT_EQ(cache.find(hash(99), code).dest(5).heat, 1U) << "the last one is kept";
    EXPECT_EQ(&cache.find(hash(0), code), &*pinned);
    EXPECT_EQ((*pinned).dest(5).heat, 7U);
    EXPECT_FALSE((*pinned).allows(640));
}

}  // namespace
}  // namespace keel::evm
