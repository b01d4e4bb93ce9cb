// What bounds eth_call and its like, and what they may override.

#include <gtest/gtest.h>

#include "rpc/testing/small_store.hpp"

namespace keel::rpc {
namespace {

bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

constexpr const char* kPlace = "0x00000000000000000000000000000000000f00d5";
// For ever; its gas is not what ends it.
constexpr const char* kLoop = "0x5b5f56";

struct Calls : ::testing::Test {
    SmallStore store;

    std::string with_code(const std::string& method, const std::string& code) const {
        return store.call(method, std::string(R"([{"to":")") + kPlace +
                                      R"(","gas":"0xffffffffffffff"},"latest",{")" + kPlace +
                                      R"(":{"code":")" + code + R"("}}])");
    }
};

TEST_F(Calls, end_when_their_time_is_over) {
    const auto error = [](int code) {
        return R"({"code":)" + std::to_string(code) + R"(,"message":")" +
               "execution aborted (timeout = 50ms)" + R"("})";
    };
    store.backend.call_gas_cap = uint64_t{1} << 60;
    store.backend.call_ms_max = 50;
    for (const char* const method : {"eth_call", "eth_estimateGas", "eth_createAccessList"}) {
        EXPECT_EQ(with_code(method, kLoop), error(-32000)) << method;
    }
    const std::string simulated =
        std::string(R"([{"blockStateCalls":[{"blockOverrides":{"gasLimit":"0xfffffffffffffff"},)") +
        R"("stateOverrides":{")" + kPlace + R"(":{"code":")" + kLoop + R"("}},"calls":[{"to":")" +
        kPlace + R"("}]}]}])";
    EXPECT_EQ(store.call("eth_simulateV1", simulated), error(-32016));
    // The thread's next call has a time of its own.
    store.backend.call_ms_max = 60'000;
    store.backend.call_gas_cap = 1'000'000;
    EXPECT_TRUE(contains(with_code("eth_call", kLoop), "out of gas"));
    store.backend.call_ms_max = 0;
    EXPECT_TRUE(contains(with_code("eth_call", kLoop), "out of gas"));
}

TEST_F(Calls, move_precompiles) {
    // The identity, called where it has gone to.
    const std::string moved =
        std::string(
            R"("latest",{"0x0000000000000000000000000000000000000004":{"movePrecompileToAddress":")") +
        kPlace + R"("}}])";
    const auto ask = [&](const std::string& to) {
        return store.call("eth_call", R"([{"to":")" + to + R"(","data":"0x1234"},)" + moved);
    };
    EXPECT_EQ(ask(kPlace), R"("0x1234")");
    EXPECT_EQ(ask("0x0000000000000000000000000000000000000004"), R"("0x")");
    const std::string of_account = store.call(
        "eth_call",
        std::string(R"([{"to":")") + kPlace + R"("},"latest",{")" + kPlace +
            R"(":{"movePrecompileToAddress":"0x0000000000000000000000000000000000000055"}}])");
    EXPECT_TRUE(contains(of_account, "is not a precompile")) << of_account;
}

TEST_F(Calls, return_no_more_than_was_allowed) {
    // PUSH2 1000 PUSH0 RETURN
    EXPECT_TRUE(contains(with_code("eth_call", "0x6103e85ff3"), R"("0x00)"));
    store.backend.return_data_max = 999;
    EXPECT_TRUE(
        contains(with_code("eth_call", "0x6103e85ff3"),
                 "call returned result on length 1000 exceeding --rpc.returndata.limit 999"));
    store.backend.return_data_max = 1'000;
    EXPECT_TRUE(contains(with_code("eth_call", "0x6103e85ff3"), R"("0x00)"));
}

}  // namespace
}  // namespace keel::rpc
