// Upstream's blockchain, state, engine and transaction tests, set by set. The number of tests of
// each network is compared too, so that a runner which passes over files fails. Source of the
// counts: section 3 of the archives' README.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <thread>

#include "core/clock.hpp"
#include "core/files.hpp"
#include "node/runners/block_test.hpp"
#include "node/runners/engine_test.hpp"
#include "node/runners/state_test.hpp"
#include "node/runners/tx_test.hpp"
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
    uint64_t superseded = 0;
    uint64_t warnings = 0;
};

// No test takes longer than this, whatever else the machine does.
constexpr uint64_t kTimeLimitMs = 120'000;

/// A test that says the opposite of a newer one of the same name: the rule changed before the fork.
struct Superseded {
    std::string_view name;
    std::string_view network;
    std::string_view reason;
};
constexpr std::string_view kBeforeEmptyCodeRule =
    "of February 2025: later EIP-7251 made a block without the contract's code invalid";
constexpr Superseded kSuperseded[] = {
    {"tests/prague/eip7251_consolidations/test_contract_deployment.py::test_system_contract_"
     "deployment[fork_CancunToPragueAtTime15k-blockchain_test_engine-deploy_after_fork-nonzero_"
     "balance]",
     "CancunToPragueAtTime15k", kBeforeEmptyCodeRule},
    {"tests/prague/eip7251_consolidations/test_contract_deployment.py::test_system_contract_"
     "deployment[fork_CancunToPragueAtTime15k-blockchain_test_engine-deploy_after_fork-zero_"
     "balance]",
     "CancunToPragueAtTime15k", kBeforeEmptyCodeRule},
};

const Superseded* find_superseded(const CaseResult& result) {
    const auto* const found = std::ranges::find_if(kSuperseded, [&result](const Superseded& one) {
        return result.name == one.name && result.network == one.network;
    });
    return found == std::end(kSuperseded) ? nullptr : found;
}

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
        } else if (const Superseded* const old = find_superseded(result)) {
            fmt::print("left out: {}: {}\n", old->name, old->reason);
            ++totals.superseded;
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

const node::runners::SuiteOptions kStrict{.select = {}, .network = {}, .strict = true};

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
    const uint64_t begin_ns = core::monotonic_ns();
    node::runners::run_suite(files, node::runners::find_fixtures(files, paths), suite,
                             {.workers = std::max(1u, std::thread::hardware_concurrency()),
                              .time_limit_ms = kTimeLimitMs},
                             [&totals](const FileReport& report) { count(report, totals); });
    EXPECT_EQ(totals.passed, want);
    EXPECT_EQ(totals.not_passed, 0u);
    EXPECT_EQ(totals.warnings, 0u);
    uint64_t passed = 0;
    for (const auto& [network, number] : totals.passed) passed += number;
    // One line that `make conformance` can show.
    ::testing::Test::RecordProperty("passed", fmt::format("{}", passed));
    const double seconds = static_cast<double>(core::monotonic_ns() - begin_ns) / 1e9;
    fmt::print("{}: {} files, {} tests passed ({} superseded), {} not; {:.0f} tests/s\n", set,
               totals.files, passed, totals.superseded, totals.not_passed,
               static_cast<double>(passed) / seconds);
}

TEST(FixtureSets, blockchain_tests_of_execution_spec_tests) {
    expect_set("eest-blockchain", {"."}, node::runners::block_test_suite({.suite = kStrict}),
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
    expect_set("eest-static", {"."}, node::runners::block_test_suite({.suite = kStrict}),
               {{"Cancun", 4122}, {"Prague", 4122}, {"Osaka", 3568}});
}

TEST(FixtureSets, state_tests_of_execution_spec_tests) {
    expect_set("eest-state", {"."}, node::runners::state_test_suite(kStrict),
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
    expect_set("ethereum-tests", {"BlockchainTests"},
               node::runners::block_test_suite({.suite = kStrict}),
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
    expect_set("ethereum-tests", {"GeneralStateTests"}, node::runners::state_test_suite(kStrict),
               {{"Cancun", 14359}});
}

TEST(FixtureSets, blockchain_tests_of_legacytests) {
    expect_set("legacytests", {"."}, node::runners::block_test_suite({.suite = kStrict}),
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
    expect_set("legacytests", {"."}, node::runners::state_test_suite(kStrict),
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

TEST(FixtureSets, engine_tests_of_execution_spec_tests) {
    expect_set("eest-engine", {"."}, node::runners::engine_test_suite(kStrict),
               {
                   {"Paris", 4},
                   {"Shanghai", 4},
                   {"Prague", 1598},
                   {"ShanghaiToCancunAtTime15k", 10},
                   {"CancunToPragueAtTime15k", 21},
               });
}

TEST(FixtureSets, block_tests_as_engine_tests) {
    expect_set("eest-engine-derived", {"."}, node::runners::engine_test_suite(kStrict),
               {
                   {"Paris", 1395},
                   {"Shanghai", 1585},
                   {"Cancun", 2708},
                   {"Prague", 3034},
                   {"Osaka", 3099},
                   {"ParisToShanghaiAtTime15k", 40},
                   {"ShanghaiToCancunAtTime15k", 51},
                   {"CancunToPragueAtTime15k", 83},
                   {"PragueToOsakaAtTime15k", 16},
                   {"OsakaToBPO1AtTime15k", 12},
                   {"BPO1ToBPO2AtTime15k", 10},
                   {"BPO2ToBPO3AtTime15k", 7},
                   {"BPO3ToBPO4AtTime15k", 5},
               });
}

TEST(FixtureSets, blocks_of_workloads) {
    expect_set("workloads", {"."}, node::runners::block_test_suite({.suite = kStrict}),
               {{"Prague", 105}, {"Osaka", 273}});
}

TEST(FixtureSets, payloads_of_workloads_alone_and_in_groups) {
    // 357 of them bring their own genesis, 28 a group's.
    expect_set("workloads", {"."}, node::runners::engine_test_suite(kStrict),
               {{"Prague", 105}, {"Osaka", 357 + 28}});
}

TEST(FixtureSets, state_tests_of_workloads) {
    expect_set("workloads", {"."}, node::runners::state_test_suite(kStrict), {{"London", 27}});
}

TEST(FixtureSets, transaction_tests_of_ethereum_tests) {
    expect_set("ethereum-tests", {"TransactionTests"}, node::runners::tx_test_suite(kStrict),
               {
                   {"Frontier", 158},
                   {"Homestead", 158},
                   {"EIP150", 158},
                   {"EIP158", 158},
                   {"Byzantium", 158},
                   {"Constantinople", 158},
                   {"ConstantinopleFix", 158},
                   {"Istanbul", 158},
                   {"Berlin", 158},
                   {"London", 158},
                   {"Paris", 157},
                   {"Shanghai", 157},
                   {"Cancun", 115},
               });
}

TEST(FixtureSets, transaction_tests_of_execution_spec_tests) {
    expect_set("eest-engine", {"."}, node::runners::tx_test_suite(kStrict), {{"Prague", 11}});
}

}  // namespace
}  // namespace keel::tests
