// What is counted, and its text.

#include "rpc/metrics.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <sstream>

#include "rpc/duration.hpp"
#include "rpc/testing/small_store.hpp"

namespace keel::rpc {
namespace {

TEST(Durations, quantiles_are_right_within_an_eighth) {
    Durations durations;
    EXPECT_EQ(durations.quantile_ns(0.5), 0U);
    for (uint64_t ns = 1; ns <= 10'000; ++ns) durations.add(ns * 100);
    EXPECT_EQ(durations.count(), 10'000U);
    EXPECT_EQ(durations.sum_ns(), 5'000'500'000U);
    for (const double part : {0.1, 0.5, 0.95, 0.999}) {
        EXPECT_NEAR(static_cast<double>(durations.quantile_ns(part)), part * 1e6, part * 1e6 / 8)
            << part;
    }
    durations.add(0);
    durations.add(UINT64_MAX);
    EXPECT_GT(durations.quantile_ns(1), uint64_t{1} << 63U);
}

/// Refuses what a strict parser of the format would refuse; the samples by name.
std::map<std::string, size_t> samples_of(const std::string& text) {
    std::map<std::string, size_t> samples;
    std::set<std::string> families;
    std::string family;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("# TYPE ")) {
            std::istringstream words(line.substr(7));
            std::string type;
            words >> family >> type;
            EXPECT_TRUE(families.insert(family).second) << "twice: " << family;
            EXPECT_TRUE(type == "gauge" || type == "counter" || type == "summary") << line;
            EXPECT_EQ(family.find('{'), std::string::npos) << line;
            continue;
        }
        const size_t name_end = line.find_first_of("{ ");
        const std::string name = line.substr(0, name_end);
        EXPECT_TRUE(name == family || name == family + "_sum" || name == family + "_count") << line;
        EXPECT_EQ(line.find(' ') != std::string::npos, true) << line;
        if (line[name_end] == '{') {
            EXPECT_NE(line.find("} "), std::string::npos) << line;
        }
        EXPECT_NO_THROW(static_cast<void>(std::stod(line.substr(line.rfind(' ') + 1)))) << line;
        ++samples[name];
    }
    return samples;
}

TEST(Metrics, calls_are_counted_by_method_and_outcome) {
    SmallStore store;
    Metrics metrics(all_method_names(false));
    store.backend.metrics = &metrics;
    for (int i = 0; i < 3; ++i) store.call("eth_blockNumber", "[]");
    store.call("eth_getBalance", R"(["0x12"])");
    store.call("eth_unknown", "[]");
    metrics.head_changed(3, 0);
    metrics.head_changed(2, 1);
    metrics.blobs_asked(4, 4);
    metrics.blobs_asked(4, 1);
    metrics.executed(20'000'000, 30'000'000, 7);
    metrics.payloads.add(50'000'000);
    metrics.tx_sent({});
    metrics.tx_sent("already known");
    metrics.tx_sent("replacement transaction underpriced: old tip 1");
    MetricsText text;
    metrics.write(text);
    const auto samples = samples_of(text.text());
    const auto has = [&text](const std::string& line) {
        EXPECT_NE(("\n" + text.text()).find("\n" + line + "\n"), std::string::npos) << line;
    };
    has("rpc_requests 4");
    has("rpc_success 3");
    has("rpc_failure 1");
    has("rpc_duration_all_count 4");
    has("rpc_duration_eth_blockNumber_success_count 3");
    has("rpc_duration_eth_getBalance_failure_count 1");
    has("chain_reorg_executes 1");
    has("chain_reorg_add 2");
    has("chain_reorg_drop 1");
    has("engine_getblobs_requested 8");
    has("engine_getblobs_available 5");
    has("engine_getblobs_hit 1");
    has("engine_getblobs_partial 1");
    has("txpool_valid 1");
    has("chain_execution_sum 20000000");
    has("chain_inserts_count 1");
    has("exec_txs_done 7");
    has("exec_mgas_done 30");
    has("exec_blocks_done 1");
    has("chain_mgasps_sum 1500");
    has("reth_sync_execution_gas_per_second 1500000000");
    has("reth_consensus_engine_beacon_new_payload_latency_sum 0.05");
    has("txpool_known 1");
    has("txpool_underpriced 1");
    has("keel_rpc_inflight{method=\"eth_call\"} 0");
    EXPECT_FALSE(samples.contains("rpc_duration_eth_call_success"));
    EXPECT_EQ(samples.at("rpc_duration_seconds"), 10U);
}

TEST(DurationText, is_what_go_writes) {
    EXPECT_EQ(parse_duration_ms("5s"), 5'000U);
    EXPECT_EQ(parse_duration_ms("1m30s"), 90'000U);
    EXPECT_EQ(parse_duration_ms("250ms"), 250U);
    EXPECT_EQ(parse_duration_ms("1.5h"), 5'400'000U);
    for (const char* const none : {"", "5", "s", "-5s", "5 s", "5x"}) {
        EXPECT_FALSE(parse_duration_ms(none)) << none;
    }
}

}  // namespace
}  // namespace keel::rpc
