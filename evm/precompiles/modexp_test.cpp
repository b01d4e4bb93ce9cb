// MODEXP: the three price rules (EIP-198, EIP-2565, EIP-7883), the bounds of EIP-7823 and inputs
// that end early.

#include <gtest/gtest.h>

#include "core/hex.hpp"
#include "core/u256.hpp"
#include "evm/precompiles/table.hpp"

namespace keel::evm {
namespace {

using core::Bytes;
using core::ForkRules;
using core::U256;

ForkRules byzantium() {
    ForkRules rules{};
    rules.eip_198 = true;
    return rules;
}
ForkRules berlin() {
    ForkRules rules = byzantium();
    rules.eip_2565 = true;
    return rules;
}
ForkRules osaka() {
    ForkRules rules = berlin();
    rules.eip_7823 = rules.eip_7883 = true;
    return rules;
}

constexpr int64_t kPlenty = INT64_MAX;

struct Outcome {
    PrecompileStatus status;
    int64_t gas_used;
    std::string output;
};

Outcome call(const Bytes& input, const ForkRules& rules, int64_t gas = kPlenty) {
    core::Address address{};
    address[19] = 5;
    Bytes output;
    const auto result = run_precompile(*find_precompile(address, rules), input, gas, rules, output);
    return {result.status, gas - result.gas_left, core::to_hex(output)};
}

Bytes input_of(const U256& base_bytes, const U256& exponent_bytes, const U256& modulus_bytes,
               std::string_view values) {
    Bytes input;
    for (const U256& length : {base_bytes, exponent_bytes, modulus_bytes}) {
        core::append(input, length.to_be32());
    }
    core::append(input, *core::from_hex(values));
    return input;
}

// 3^(p - 1) modulo p, the example of EIP-198.
Bytes example() {
    return input_of(1, 32, 32,
                    "03"
                    "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2e"
                    "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f");
}

TEST(ModexpPrice, of_the_example) {
    const std::string one = std::string(63, '0') + "1";
    const Outcome first = call(example(), byzantium());
    EXPECT_EQ(first.gas_used, 13'056);  // EIP-198: 32^2 * 255 / 20
    EXPECT_EQ(first.output, one);
    EXPECT_EQ(call(example(), berlin()).gas_used, 1'360);  // (32 / 8)^2 * 255 / 3
    EXPECT_EQ(call(example(), osaka()).gas_used, 4'080);   // 16 * 255
}

TEST(ModexpPrice, must_be_there) {
    EXPECT_EQ(call(example(), berlin(), 1'360).status, PrecompileStatus::Success);
    EXPECT_EQ(call(example(), berlin(), 1'359).status, PrecompileStatus::Failure);
}

TEST(ModexpPrice, of_lengths_and_leading_words) {
    struct Case {
        uint64_t base, exponent, modulus;
        std::string_view values;
        int64_t byzantium, berlin, osaka;
    };
    const Case kCases[] = {
        // Exponent 0: one iteration.
        {1, 1, 1, "020005", 0, 200, 500},
        {64, 1, 64, "", 204, 200, 500},
        {1'024, 0, 1'024, "", 17'868, 5'461, 32'768},
        // Beyond 64 bytes: X^2 / 4 + 96 X - 3072.
        {65, 1, 1, "", 211, 200, 500},
        // Long exponents: 8 (E - 32) iterations, 16 from Osaka on, without a bit set in the first
        // 32 bytes.
        {32, 64, 32, "", 13'107, 1'365, 8'192},
        // The first 32 bytes are 2^255: 255 iterations more.
        {0, 33, 32, "80", 13'465, 1'402, 4'336},
        {0, 33, 33, "80", 14'320, 2'191, 13'550},
    };
    for (const Case& c : kCases) {
        const Bytes input = input_of(c.base, c.exponent, c.modulus, c.values);
        EXPECT_EQ(call(input, byzantium()).gas_used, c.byzantium) << c.base << " " << c.exponent;
        EXPECT_EQ(call(input, berlin()).gas_used, c.berlin) << c.base << " " << c.exponent;
        EXPECT_EQ(call(input, osaka()).gas_used, c.osaka) << c.base << " " << c.exponent;
    }
}

TEST(ModexpPrice, nothing_to_compute_costs_the_least_for_any_exponent_length) {
    const Bytes input = input_of(0, U256::max(), 0, "");
    const Outcome first = call(input, byzantium());
    EXPECT_EQ(first.status, PrecompileStatus::Success);
    EXPECT_EQ(first.gas_used, 0);
    EXPECT_EQ(first.output, "");
    EXPECT_EQ(call(input, berlin()).gas_used, 200);
    EXPECT_EQ(call(input, osaka()).status, PrecompileStatus::Failure);  // EIP-7823
    EXPECT_EQ(call({}, byzantium()).gas_used, 0);
    EXPECT_EQ(call({}, berlin()).gas_used, 200);
    EXPECT_EQ(call({}, osaka()).gas_used, 500);
}

TEST(ModexpPrice, lengths_that_nobody_can_pay_fail) {
    const U256 wide(0, 1, 0, 0);
    for (const ForkRules& rules : {byzantium(), berlin(), osaka()}) {
        for (const U256& length : {U256::max(), wide, U256(uint64_t{1} << 63)}) {
            EXPECT_EQ(call(input_of(length, 0, 0, ""), rules).status, PrecompileStatus::Failure);
            EXPECT_EQ(call(input_of(0, 0, length, ""), rules).status, PrecompileStatus::Failure);
            EXPECT_EQ(call(input_of(1, length, 1, ""), rules, 30'000'000).status,
                      PrecompileStatus::Failure);
        }
    }
}

TEST(ModexpPrice, osaka_bounds_each_length) {
    EXPECT_EQ(call(input_of(1'024, 1'024, 1'024, ""), osaka()).status, PrecompileStatus::Success);
    EXPECT_EQ(call(input_of(1'025, 0, 1, ""), osaka()).status, PrecompileStatus::Failure);
    EXPECT_EQ(call(input_of(0, 1'025, 0, ""), osaka()).status, PrecompileStatus::Failure);
    EXPECT_EQ(call(input_of(0, 0, 1'025, ""), osaka()).status, PrecompileStatus::Failure);
    EXPECT_EQ(call(input_of(1'025, 0, 1, ""), berlin()).status, PrecompileStatus::Success);
}

TEST(Modexp, input_that_ends_early_goes_on_with_zeros) {
    // EIP-198: base 3, exponent 2^256 - 2^16 + ... cut: "ffff" is followed by 30 zero bytes;
    // modulus 8 bytes, 0x80 first.
    const Bytes cut = input_of(1, 2, 32, "03ffff80");
    Bytes whole = cut;
    whole.resize(whole.size() + 31);
    EXPECT_EQ(call(cut, berlin()).output, call(whole, berlin()).output);
    // The value given in EIP-198 for this input.
    EXPECT_EQ(call(cut, berlin()).output,
              "3b01b01ac41f2d6e917c6d6a221ce793802469026d9ab7578fa2e79e4da6aaab");
    EXPECT_EQ(call(input_of(1, 1, 4, "0303"), berlin()).output, "00000000");
    EXPECT_EQ(call(input_of(2, 1, 1, "03"), berlin()).output, "00");
}

TEST(Modexp, length_of_the_output_is_that_of_the_modulus) {
    EXPECT_EQ(call(input_of(1, 1, 2, "03020005"), berlin()).output, "0004");
    EXPECT_EQ(call(input_of(1, 1, 0, "0302"), berlin()).output, "");
    EXPECT_EQ(call(input_of(0, 0, 1, "05"), berlin()).output, "01");
    EXPECT_EQ(call(input_of(0, 0, 1, "01"), berlin()).output, "00");
    EXPECT_EQ(call(input_of(0, 0, 2, "0000"), berlin()).output, "0000");
    EXPECT_EQ(call(input_of(1, 1, 1, "030509ffff"), berlin()).output, "00");
}

}  // namespace
}  // namespace keel::evm
