#include "chain/ethash_difficulty.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/support/fixtures.hpp"

namespace keel::chain {
namespace {

using core::Fork;
using core::rules_of;
using core::U256;

TEST(EthashDifficulty, moves_by_a_2048th_in_frontier_and_by_lateness_from_homestead) {
    constexpr uint64_t kParent = 2'048'000;
    const DifficultyInput early{.number = 1,
                                .timestamp = 112,
                                .parent_timestamp = 100,
                                .parent_difficulty = kParent,
                                .parent_has_ommers = false};
    DifficultyInput late = early;
    late.timestamp = 113;
    EXPECT_EQ(ethash_difficulty(early, rules_of(Fork::Frontier)), U256(kParent + 1000));
    EXPECT_EQ(ethash_difficulty(late, rules_of(Fork::Frontier)), U256(kParent - 1000));
    EXPECT_EQ(ethash_difficulty(late, rules_of(Fork::Homestead)), U256(kParent));
    late.timestamp = 100 + 1'000'000;
    EXPECT_EQ(ethash_difficulty(late, rules_of(Fork::Homestead)), U256(kParent - 99 * 1000));
    DifficultyInput after_ommers = early;
    after_ommers.timestamp = 101;
    after_ommers.parent_has_ommers = true;
    EXPECT_EQ(ethash_difficulty(after_ommers, rules_of(Fork::Byzantium)), U256(kParent + 2000));
}

TEST(EthashDifficulty, never_falls_below_the_minimum) {
    const DifficultyInput input{.number = 1,
                                .timestamp = 1000,
                                .parent_timestamp = 1,
                                .parent_difficulty = kDifficultyMin,
                                .parent_has_ommers = false};
    EXPECT_EQ(ethash_difficulty(input, rules_of(Fork::Homestead)), U256(kDifficultyMin));
}

TEST(BlockReward, falls_with_byzantium_and_constantinople_and_ends_with_paris) {
    constexpr uint64_t kEther = 1'000'000'000'000'000'000;
    EXPECT_EQ(block_reward(rules_of(Fork::SpuriousDragon)), U256(5 * kEther));
    EXPECT_EQ(block_reward(rules_of(Fork::Byzantium)), U256(3 * kEther));
    EXPECT_EQ(block_reward(rules_of(Fork::GrayGlacier)), U256(2 * kEther));
    EXPECT_EQ(block_reward(rules_of(Fork::Paris)), U256(0));
}

const std::map<std::string, Fork> kNetworks = {
    {"Frontier", Fork::Frontier},
    {"Homestead", Fork::Homestead},
    {"Byzantium", Fork::Byzantium},
    {"Constantinople", Fork::Constantinople},
    {"ConstantinopleFix", Fork::Petersburg},
    {"Istanbul", Fork::Istanbul},
    {"EIP2384", Fork::MuirGlacier},
    {"MuirGlacier", Fork::MuirGlacier},
    {"Berlin", Fork::Berlin},
    {"London", Fork::London},
    {"ArrowGlacier", Fork::ArrowGlacier},
    {"GrayGlacier", Fork::GrayGlacier},
};

TEST(EthashDifficulty, difficulty_fixtures_hold) {
    const auto set = tests::fixture_set("ethereum-tests");
    if (!set) GTEST_SKIP() << "needs the fixture set ethereum-tests";
    // Count of entries in all files: fixtures/README.md, section 3.
    constexpr size_t kEntries = 18'598;
    size_t entries = 0;
    const auto number = [](const nlohmann::json& value) {
        const auto parsed = U256::parse(value.get<std::string>());
        if (!parsed) throw std::runtime_error("not a number: " + value.get<std::string>());
        return *parsed;
    };
    for (const auto& file :
         std::filesystem::recursive_directory_iterator(*set / "DifficultyTests")) {
        if (file.path().extension() != ".json") continue;
        std::ifstream stream(file.path());
        const auto document = nlohmann::json::parse(stream);
        for (const auto& member : document) {
            for (const auto& [network, cases] : member.items()) {
                if (network == "_info") continue;
                const auto fork = kNetworks.find(network);
                ASSERT_NE(fork, kNetworks.end()) << network << " in " << file.path();
                for (const auto& [name, entry] : cases.items()) {
                    const DifficultyInput input{
                        .number = number(entry["currentBlockNumber"]).low64(),
                        .timestamp = number(entry["currentTimestamp"]).low64(),
                        .parent_timestamp = number(entry["parentTimestamp"]).low64(),
                        .parent_difficulty = number(entry["parentDifficulty"]),
                        .parent_has_ommers = number(entry["parentUncles"]) != U256(0),
                    };
                    ASSERT_EQ(ethash_difficulty(input, rules_of(fork->second)),
                              number(entry["currentDifficulty"]))
                        << name << " in " << file.path();
                    ++entries;
                }
            }
        }
    }
    EXPECT_EQ(entries, kEntries);
}

}  // namespace
}  // namespace keel::chain
