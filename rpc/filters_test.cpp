#include "rpc/filters.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/hex.hpp"
#include "rpc/head_change.hpp"
#include "rpc/testing/moving_head.hpp"

namespace keel::rpc {
namespace {

using nlohmann::json;

class PolledFilters : public testing::Test {
  protected:
    PolledFilters() { store.backend.filters = &filters; }

    json call(const std::string& method, const json& params) const {
        return json::parse(store.call(method, params.dump()));
    }
    json changes(const json& id) const { return call("eth_getFilterChanges", json::array({id})); }
    std::string hash(uint64_t number) const {
        return core::to_hex_prefixed(store.blocks[number].hash);
    }

    Filters filters;
    MovingHead store;
};

TEST_F(PolledFilters, ids_are_quantities_and_differ) {
    const auto first = call("eth_newBlockFilter", json::array()).get<std::string>();
    const auto second = call("eth_newBlockFilter", json::array()).get<std::string>();
    EXPECT_NE(first, second);
    EXPECT_TRUE(first.starts_with("0x") && first[2] != '0' && first.size() <= 34) << first;
    EXPECT_EQ(filters.size(), 2U);
}

TEST_F(PolledFilters, blocks_that_became_canonical_since_the_last_poll) {
    const json id = call("eth_newBlockFilter", json::array());
    EXPECT_EQ(changes(id), json::array());
    store.set_head(0);
    EXPECT_EQ(changes(id), json::array());
    store.set_head(2);
    EXPECT_EQ(changes(id), json::array({hash(1), hash(2)}));
    EXPECT_EQ(changes(id), json::array());
    store.set_head_to_sibling();
    EXPECT_EQ(changes(id), json::array({core::to_hex_prefixed(store.sibling.hash)}));
}

TEST_F(PolledFilters, logs_of_a_branch_that_was_left_come_again_as_removed) {
    const json id = call("eth_newFilter", json::array({json::object()}));
    const json contract =
        call("eth_newFilter", json::array({{{"address", core::to_hex_prefixed(store.contract)}}}));
    EXPECT_EQ(changes(id), json::array());
    const json stored =
        call("eth_getLogs", json::array({{{"fromBlock", "0x0"}, {"toBlock", "0x2"}}}));
    ASSERT_EQ(stored.size(), 3U);
    store.set_head_to_sibling();
    json removed = stored;
    for (json& each : removed) each["removed"] = true;
    EXPECT_EQ(changes(id), removed);
    EXPECT_EQ(changes(contract).size(), 2U);
    EXPECT_EQ(changes(id), json::array());
    store.set_head(2);
    EXPECT_EQ(changes(id), stored);
}

TEST_F(PolledFilters, a_branch_that_came_and_went_between_two_polls_does_not_show) {
    const json id = call("eth_newFilter", json::array({json::object()}));
    store.set_head_to_sibling();
    store.set_head(2);
    EXPECT_EQ(changes(id), json::array());
}

TEST_F(PolledFilters, get_filter_logs_asks_the_whole_question_again) {
    const json id =
        call("eth_newFilter", json::array({{{"fromBlock", "0x0"}, {"toBlock", "latest"}}}));
    EXPECT_EQ(call("eth_getFilterLogs", json::array({id})).size(), 3U);
    EXPECT_EQ(call("eth_getFilterLogs", json::array({id})).size(), 3U);
    const json blocks = call("eth_newBlockFilter", json::array());
    EXPECT_EQ(call("eth_getFilterLogs", json::array({blocks}))["message"], "filter not found");
}

TEST_F(PolledFilters, unknown_ones_are_errors_and_uninstalling_says_whether_it_was_there) {
    EXPECT_EQ(changes("0x1"), json({{"code", -32000}, {"message", "filter not found"}}));
    const json id = call("eth_newPendingTransactionFilter", json::array());
    EXPECT_EQ(changes(id), json::array());
    EXPECT_EQ(call("eth_uninstallFilter", json::array({id})), true);
    EXPECT_EQ(call("eth_uninstallFilter", json::array({id})), false);
    EXPECT_EQ(changes(id)["code"], -32000);
}

TEST_F(PolledFilters, refuses_ranges_that_run_backwards) {
    EXPECT_EQ(
        call("eth_newFilter", json::array({{{"fromBlock", "0x2"}, {"toBlock", "0x1"}}}))["code"],
        -32602);
    EXPECT_EQ(call("eth_newFilter", json::array({{{"fromBlock", "pending"}}}))["code"], -32602);
}

TEST(Filters, one_that_nobody_asks_expires) {
    Filters filters;
    const auto make = [] {
        return std::make_shared<PolledFilter>(PolledFilter::Kind::Blocks, eth::LogFilter{}, false);
    };
    const std::string id = filters.add(make(), 0).value();
    EXPECT_TRUE(filters.find(id, Filters::kIdleMaxMs));
    EXPECT_TRUE(filters.find(id, 2 * Filters::kIdleMaxMs));
    EXPECT_FALSE(filters.find(id, 3 * Filters::kIdleMaxMs + 1));
    EXPECT_EQ(filters.size(), 0U);
}

TEST(Filters, there_are_not_more_than_so_many) {
    Filters filters;
    const auto filter =
        std::make_shared<PolledFilter>(PolledFilter::Kind::Blocks, eth::LogFilter{}, false);
    for (size_t i = 0; i < Filters::kFiltersMax; ++i) ASSERT_TRUE(filters.add(filter, 0));
    EXPECT_FALSE(filters.add(filter, 0));
    // The old ones make room when their time has come.
    EXPECT_TRUE(filters.add(filter, Filters::kIdleMaxMs + 1));
}

}  // namespace
}  // namespace keel::rpc
