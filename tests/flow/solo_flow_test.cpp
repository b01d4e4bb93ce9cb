// keel daemon --dev as a process: a chain of its own that is there again, however it ended.

#include <fmt/format.h>

#include <chrono>
#include <csignal>
#include <thread>

#include "rpc/testing/ws_client.hpp"
#include "tests/flow/running_daemon.hpp"

namespace keel::tests {
namespace {

using db::testing::BackendNames;
using db::testing::BothBackends;
using nlohmann::json;

constexpr auto kPatience = std::chrono::seconds(30);

std::string number_of(RunningDaemon& daemon) {
    return daemon.ask("eth_blockNumber", json::array())["result"];
}

template <class Tag>
class FlowSolo : public Flow<Tag> {
  public:
    std::vector<std::string> flags(std::vector<std::string> more = {}) const {
        more.insert(more.begin(), {"--dev", "--db", this->backend()});
        return more;
    }
    /// A wei from the first of the accounts to the second; the receipt's status.
    static std::string pay(RunningDaemon& daemon) {
        const json accounts = daemon.ask("eth_accounts", json::array())["result"];
        const json tx = {{"from", accounts[0]}, {"to", accounts[1]}, {"value", "0x1"}};
        const json sent = daemon.ask("eth_sendTransaction", json::array({tx}));
        const json receipt = daemon.ask("eth_getTransactionReceipt", json::array({sent["result"]}));
        return receipt["result"]["status"];
    }
};
TYPED_TEST_SUITE(FlowSolo, BothBackends, BackendNames);

TYPED_TEST(FlowSolo, the_chain_is_there_again_after_each_ending) {
    uint64_t blocks = 0;
    for (const int signal : {SIGTERM, SIGKILL, SIGINT}) {
        RunningDaemon daemon(this->folder, this->flags());
        ASSERT_TRUE(daemon.listens()) << daemon.child().output();
        EXPECT_EQ(daemon.ask("eth_chainId", json::array())["result"], "0x7a69");
        EXPECT_EQ(number_of(daemon), fmt::format("0x{:x}", blocks));
        for (int i = 0; i < 3; ++i) EXPECT_EQ(this->pay(daemon), "0x1");
        blocks += 3;
        const json edited = {"0x00000000000000000000000000000000000000e0",
                             fmt::format("0x{:x}", blocks)};
        EXPECT_EQ(daemon.ask("hardhat_setBalance", edited)["result"], true);
        EXPECT_EQ(daemon.stop(signal), 128 + signal);
    }
    const std::string digest = this->folder.digest();
    RunningDaemon daemon(this->folder, this->flags());
    ASSERT_TRUE(daemon.listens()) << daemon.child().output();
    EXPECT_EQ(number_of(daemon), fmt::format("0x{:x}", blocks));
    EXPECT_EQ(daemon.ask("eth_getBalance",
                         {"0x00000000000000000000000000000000000000e0", "latest"})["result"],
              "0x9");
    EXPECT_EQ(daemon.stop(SIGTERM), 128 + SIGTERM);
    EXPECT_EQ(this->folder.digest(), digest);
}

TYPED_TEST(FlowSolo, blocks_come_by_the_clock) {
    RunningDaemon daemon(this->folder, this->flags({"--dev.period", "1"}));
    ASSERT_TRUE(daemon.listens()) << daemon.child().output();
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (number_of(daemon) == "0x0" && std::chrono::steady_clock::now() < deadline) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    EXPECT_NE(number_of(daemon), "0x0");
    EXPECT_EQ(daemon.stop(SIGTERM), 128 + SIGTERM);
}

TYPED_TEST(FlowSolo, tools_find_what_they_look_for_without_flags) {
    RunningDaemon daemon(this->folder, this->flags());
    ASSERT_TRUE(daemon.listens()) << daemon.child().output();
    EXPECT_EQ(daemon.ask("txpool_status", json::array())["result"]["pending"], "0x0");
    const json modules = daemon.ask("rpc_modules", json::array())["result"];
    for (const char* const name : {"debug", "eth", "net", "txpool", "web3"}) {
        EXPECT_TRUE(modules.contains(name)) << name << " " << modules;
    }
    EXPECT_FALSE(modules.contains("admin"));
    const rpc::WsClient socket(daemon.port());
    ASSERT_TRUE(socket.is_open());
    EXPECT_EQ(daemon.stop(SIGTERM), 128 + SIGTERM);
}

TYPED_TEST(FlowSolo, namespaces_that_are_named_are_the_only_ones) {
    RunningDaemon daemon(this->folder, this->flags({"--http.api", "eth"}));
    ASSERT_TRUE(daemon.listens()) << daemon.child().output();
    EXPECT_EQ(daemon.ask("txpool_status", json::array())["error"]["code"], -32601);
    EXPECT_EQ(number_of(daemon), "0x0");
    EXPECT_EQ(daemon.stop(SIGTERM), 128 + SIGTERM);
}

}  // namespace
}  // namespace keel::tests
