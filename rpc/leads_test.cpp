// Requests that take long must not keep others waiting, though they begin on the thread that serves
// connections.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "core/hex.hpp"
#include "rpc/testing/http_client.hpp"
#include "rpc/testing/serving.hpp"

namespace keel::rpc {
namespace {

class LeadsTest : public Serving {
  protected:
    // However busy the machine is, calls end by their gas.
    LeadsTest() { store.backend.call_ms_max = 0; }
    /// Runs until its gas is used up: JUMPDEST, PUSH1 0, JUMP.
    std::string endless_call(uint64_t gas) const {
        const std::string at = core::to_hex_prefixed(filled<core::Address>(0x55));
        return R"({"jsonrpc":"2.0","id":2,"method":"eth_call","params":[{"to":")" + at +
               R"(","gas":")" + fmt::format("{:#x}", gas) + R"("},"latest",{")" + at +
               R"(":{"code":"0x5b600056"}}]})";
    }
};

TEST_F(LeadsTest, others_are_served_while_a_call_runs) {
    constexpr uint64_t kGas = 3'000'000'000;  // seconds
    store.backend.call_gas_cap = kGas;
    const uint16_t port = serve({}, {.io_threads = 1, .pool_threads = 2});
    std::atomic<bool> is_done = false;
    std::string said;
    std::jthread busy([&] {
        RawHttpClient client(port);
        const auto answer = client.ask(endless_call(kGas));
        is_done = true;
        if (answer) said = answer->body;
        // Its connection goes on.
        const auto next = client.ask(kCall);
        said += next ? next->body : "nothing";
    });
    RawHttpClient other(port);
    for (int i = 0; i < 20; ++i) {
        const auto answer = other.ask(kCall);
        ASSERT_TRUE(answer);
        EXPECT_EQ(answer->body, kAnswer);
    }
    EXPECT_FALSE(is_done);
    busy.join();
    EXPECT_NE(said.find("out of gas"), std::string::npos) << said;
    EXPECT_TRUE(said.ends_with(kAnswer)) << said;
}

TEST_F(LeadsTest, more_long_calls_than_threads_are_all_answered) {
    constexpr uint64_t kGas = 100'000'000;
    store.backend.call_gas_cap = kGas;
    const uint16_t port = serve({}, {.io_threads = 2, .pool_threads = 2});
    std::atomic<int> good = 0;
    std::vector<std::jthread> clients;
    for (int i = 0; i < 8; ++i) {
        clients.emplace_back([&] {
            RawHttpClient client(port);
            for (int k = 0; k < 5; ++k) {
                const auto answer = client.ask(endless_call(kGas));
                const auto short_one = client.ask(kCall);
                if (answer && answer->body.find("out of gas") != std::string::npos && short_one &&
                    short_one->body == kAnswer) {
                    ++good;
                }
            }
        });
    }
    clients.clear();
    EXPECT_EQ(good, 40);
}

TEST_F(LeadsTest, stopping_lets_a_call_finish_and_answers_it) {
    constexpr uint64_t kGas = 400'000'000;
    store.backend.call_gas_cap = kGas;
    const uint16_t port = serve({}, {.io_threads = 1, .pool_threads = 1, .stop_grace_ms = 60'000});
    RawHttpClient client(port);
    RawHttpClient idle(port);
    ASSERT_TRUE(idle.ask(kCall));
    ASSERT_TRUE(client.post(endless_call(kGas)));
    // The request has been read when a later one of another connection is answered.
    ASSERT_TRUE(idle.ask(kCall));
    server->stop();
    const auto answer = client.receive();
    if (answer) {
        EXPECT_NE(answer->body.find("out of gas"), std::string::npos);
    }
    EXPECT_TRUE(idle.is_closed());
}

}  // namespace
}  // namespace keel::rpc
