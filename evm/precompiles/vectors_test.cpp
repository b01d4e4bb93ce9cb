// The precompile vectors of the fixture set "precompiles": outputs, prices and inputs that must
// fail.

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "core/hex.hpp"
#include "evm/precompiles/table.hpp"
#include "tests/support/fixtures.hpp"

namespace keel::evm {
namespace {

using core::Bytes;
using core::ForkRules;

ForkRules osaka() {
    ForkRules rules{};
    rules.eip_152 = rules.eip_196 = rules.eip_197 = rules.eip_198 = rules.eip_1108 = true;
    rules.eip_2565 = rules.eip_2537 = rules.eip_4844 = true;
    rules.eip_7823 = rules.eip_7883 = rules.eip_7951 = true;
    return rules;
}
ForkRules prague() {
    ForkRules rules = osaka();
    rules.eip_7823 = rules.eip_7883 = false;
    return rules;
}
ForkRules istanbul() {
    ForkRules rules = prague();
    rules.eip_2565 = false;
    return rules;
}

struct File {
    const char* name;  // without the prefix "fail-" and the ending
    uint16_t address;
    ForkRules rules;
};

const File kFiles[] = {
    {"ecRecover", 0x01, osaka()},       {"modexp", 0x05, istanbul()},
    {"modexp_eip2565", 0x05, prague()}, {"modexp_eip7883", 0x05, osaka()},
    {"bn256Add", 0x06, osaka()},        {"bn256ScalarMul", 0x07, osaka()},
    {"bn256Pairing", 0x08, osaka()},    {"blake2F", 0x09, osaka()},
    {"blake2f", 0x09, osaka()},         {"pointEvaluation", 0x0a, osaka()},
    {"blsG1Add", 0x0b, osaka()},        {"blsG1Mul", 0x0c, osaka()},
    {"blsG1MultiExp", 0x0c, osaka()},   {"blsG2Add", 0x0d, osaka()},
    {"blsG2Mul", 0x0e, osaka()},        {"blsG2MultiExp", 0x0e, osaka()},
    {"blsPairing", 0x0f, osaka()},      {"blsMapG1", 0x10, osaka()},
    {"blsMapG2", 0x11, osaka()},        {"p256Verify", 0x100, osaka()},
};

const Precompile& precompile_of(const File& file) {
    core::Address address{};
    address[18] = static_cast<uint8_t>(file.address >> 8);
    address[19] = static_cast<uint8_t>(file.address);
    return *find_precompile(address, file.rules);
}

nlohmann::json read(const std::filesystem::path& path) {
    std::ifstream stream(path);
    return stream ? nlohmann::json::parse(stream) : nlohmann::json::array();
}

Bytes hex(const nlohmann::json& test, const char* member) {
    return *core::from_hex(test[member].get<std::string>());
}

TEST(PrecompileVectors, outputs_and_prices) {
    const auto set = tests::fixture_set("precompiles");
    if (!set) GTEST_SKIP() << "no fixtures: set KEEL_FIXTURES, or run make conformance";
    size_t count = 0;
    for (const File& file : kFiles) {
        for (const auto& test : read(*set / "precompiles" / (std::string(file.name) + ".json"))) {
            SCOPED_TRACE(std::string(file.name) + " " + test["Name"].get<std::string>());
            const Bytes input = hex(test, "Input"), expected = hex(test, "Expected");
            const auto gas = test["Gas"].get<int64_t>();
            Bytes output;
            auto result = run_precompile(precompile_of(file), input, gas, file.rules, output);
            EXPECT_EQ(result.status, PrecompileStatus::Success);
            EXPECT_EQ(result.gas_left, 0);
            EXPECT_EQ(core::to_hex(output), core::to_hex(expected));
            ++count;
            if (gas == 0) continue;
            result = run_precompile(precompile_of(file), input, gas - 1, file.rules, output);
            EXPECT_EQ(result.status, PrecompileStatus::Failure);
            EXPECT_TRUE(output.empty());
        }
    }
    RecordProperty("vectors", static_cast<int>(count));
    EXPECT_GT(count, 100u);
}

TEST(PrecompileVectors, inputs_that_fail) {
    const auto set = tests::fixture_set("precompiles");
    if (!set) GTEST_SKIP() << "no fixtures: set KEEL_FIXTURES, or run make conformance";
    size_t count = 0;
    for (const File& file : kFiles) {
        const auto path = *set / "precompiles" / ("fail-" + std::string(file.name) + ".json");
        for (const auto& test : read(path)) {
            SCOPED_TRACE(std::string(file.name) + " " + test["Name"].get<std::string>());
            Bytes output;
            const auto result = run_precompile(precompile_of(file), hex(test, "Input"), 100'000'000,
                                               file.rules, output);
            EXPECT_EQ(result.status, PrecompileStatus::Failure);
            EXPECT_EQ(result.gas_left, 0);
            EXPECT_TRUE(output.empty());
            ++count;
        }
    }
    RecordProperty("vectors", static_cast<int>(count));
    EXPECT_GT(count, 10u);
}

}  // namespace
}  // namespace keel::evm
