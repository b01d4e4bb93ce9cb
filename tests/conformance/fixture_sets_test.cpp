// Upstream's blockchain and state tests, set by set. The number of tests of each network is
// compared too, so that a runner which passes over files fails. Source of the counts: section 3 of
// the archives' README.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <thread>

#include "core/files.hpp"
#include "node/runners/block_test.hpp"
#include "node/runners/state_test.hpp"
#include "tests/support/fixtures.hpp"

namespace keel::tests {
namespace {

using node::runners::CaseResult;
using node::runners::FileReport;
using node::runners::Outcome;
using node::runners::Suite;

using Counts = std::map<std::string, uint64_t, std::less<>>;

struct Totals {
    Counts passed;  // by network
    uint64_t files = 0;
    uint64_t not_passed = 0;
    uint64_t warnings = 0;
};

// As many complaints as one reads.
constexpr uint64_t kShown = 20;

void complain(const FileReport& report, const CaseResult& result, std::string_view what) {
    ADD_FAILURE() << report.file.string() << "\n  " << result.name << " [" << result.network << ' '
                  << result.entry << "] " << what;
}

void count(const FileReport& report, Totals& totals) {
    ++totals.files;
    for (const CaseResult& result : report.cases) {
        if (result.outcome == Outcome::Passed) {
            ++totals.passed[result.network];
        } else if (++totals.not_passed <= kShown) {
            complain(report, result,
                     result.error.empty() ? "the network is not supported" : result.error);
        }
        if (!result.warning.empty() && ++totals.warnings <= kShown) {
            complain(report, result, result.warning);
        }
    }
}

/// Runs the tests of a suite in folders of a set: all must pass, for the reasons that they name,
/// and be as many as `want` says.
void expect_set(const std::string& set, const std::vector<std::string>& folders, const Suite& suite,
                const Counts& want) {
    const auto root = fixture_set(set);
    if (!root) GTEST_SKIP() << "no fixtures";
    std::vector<std::filesystem::path> paths;
    for (const std::string& folder : folders) paths.push_back(*root / folder);
    core::SystemFiles files;
    Totals totals;
    node::runners::run_suite(files, node::runners::find_fixtures(files, paths), suite,
                             {.workers = std::max(1u, std::thread::hardware_concurrency())},
                             [&totals](const FileReport& report) { count(report, totals); });
    EXPECT_EQ(totals.passed, want);
    EXPECT_EQ(totals.not_passed, 0u);
    EXPECT_EQ(totals.warnings, 0u);
    uint64_t passed = 0;
    for (const auto& [network, number] : totals.passed) passed += number;
    // One line that `make conformance` can show.
    ::testing::Test::RecordProperty("passed", fmt::format("{}", passed));
    fmt::print("{}: {} files, {} tests passed, {} not\n", set, totals.files, passed,
               totals.not_passed);
}

TEST(FixtureSets, blockchain_tests_of_execution_spec_tests) {
    expect_set("eest-blockchain", {"."}, node::runners::block_test_suite({}),
               {
                   {"Frontier", 284},
                   {"Homestead", 304},
                   {"Byzantium", 695},
                   {"ConstantinopleFix", 782},
                   {"Istanbul", 946},
                   {"Berlin", 1353},
                   {"London", 1355},
                   {"Paris", 1395},
                   {"Shanghai", 1585},
                   {"Cancun", 2712},
                   {"Prague", 3118},
                   {"Osaka", 3143},
                   {"ParisToShanghaiAtTime15k", 40},
                   {"ShanghaiToCancunAtTime15k", 51},
                   {"CancunToPragueAtTime15k", 87},
                   {"PragueToOsakaAtTime15k", 16},
                   {"OsakaToBPO1AtTime15k", 12},
                   {"BPO1ToBPO2AtTime15k", 10},
                   {"BPO2ToBPO3AtTime15k", 7},
                   {"BPO3ToBPO4AtTime15k", 5},
               });
}

TEST(FixtureSets, static_tests_as_blocks_of_execution_spec_tests) {
    expect_set("eest-static", {"."}, node::runners::block_test_suite({}),
               {{"Cancun", 4122}, {"Prague", 4122}, {"Osaka", 3568}});
}

TEST(FixtureSets, state_tests_of_execution_spec_tests) {
    expect_set("eest-state", {"."}, node::runners::state_test_suite({}),
               {
                   {"Frontier", 164},
                   {"Homestead", 174},
                   {"Byzantium", 253},
                   {"ConstantinopleFix", 261},
                   {"Istanbul", 402},
                   {"Berlin", 649},
                   {"London", 649},
                   {"Paris", 682},
                   {"Shanghai", 801},
                   {"Cancun", 6712},
                   {"Prague", 7757},
                   {"Osaka", 7910},
               });
}

TEST(FixtureSets, blockchain_tests_of_ethereum_tests) {
    expect_set("ethereum-tests", {"BlockchainTests"}, node::runners::block_test_suite({}),
               {
                   {"Cancun", 404},
                   {"FrontierToHomesteadAt5", 7},
                   {"HomesteadToDaoAt5", 3},
                   {"HomesteadToEIP150At5", 1},
                   {"EIP158ToByzantiumAt5", 1},
                   {"ByzantiumToConstantinopleFixAt5", 1},
                   {"BerlinToLondonAt5", 2},
                   {"ArrowGlacierToParisAtDiffC0000", 2},
                   {"ParisToShanghaiAtTime15k", 1},
               });
}

TEST(FixtureSets, state_tests_of_ethereum_tests) {
    expect_set("ethereum-tests", {"GeneralStateTests"}, node::runners::state_test_suite({}),
               {{"Cancun", 14359}});
}

TEST(FixtureSets, blockchain_tests_of_legacytests) {
    expect_set("legacytests", {"."}, node::runners::block_test_suite({}),
               {
                   {"Frontier", 464},
                   {"Homestead", 784},
                   {"EIP150", 432},
                   {"EIP158", 475},
                   {"Byzantium", 1697},
                   {"Constantinople", 3622},
                   {"ConstantinopleFix", 3623},
                   {"Istanbul", 218},
                   {"Berlin", 219},
                   {"London", 228},
                   {"Paris", 390},
                   {"Shanghai", 400},
                   {"Cancun", 403},
                   {"FrontierToHomesteadAt5", 7},
                   {"HomesteadToDaoAt5", 3},
                   {"HomesteadToEIP150At5", 1},
                   {"EIP158ToByzantiumAt5", 1},
                   {"ByzantiumToConstantinopleFixAt5", 1},
                   {"BerlinToLondonAt5", 2},
                   {"ArrowGlacierToParisAtDiffC0000", 2},
                   {"ParisToShanghaiAtTime15k", 1},
               });
}

TEST(FixtureSets, state_tests_of_legacytests) {
    expect_set("legacytests", {"."}, node::runners::state_test_suite({}),
               {
                   {"Frontier", 754},
                   {"Homestead", 1626},
                   {"EIP150", 760},
                   {"EIP158", 911},
                   {"Byzantium", 3641},
                   {"Constantinople", 8376},
                   {"ConstantinopleFix", 8374},
                   {"Istanbul", 8605},
                   {"Berlin", 9279},
                   {"London", 12619},
                   {"Paris", 12459},
                   {"Shanghai", 12522},
                   {"Cancun", 13268},
               });
}

}  // namespace
}  // namespace keel::tests
