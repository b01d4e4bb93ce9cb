// keel daemon as those see it who connect otherwise than by HTTP. Source: RPC.md 2.4, 3 and 7.

#include <fmt/format.h>

#include <csignal>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "core/clock.hpp"
#include "core/files.hpp"
#include "rpc/jwt.hpp"
#include "rpc/testing/http_client.hpp"
#include "rpc/testing/local_client.hpp"
#include "rpc/testing/ws_client.hpp"
#include "tests/flow/flow.hpp"

namespace keel::tests {
namespace {

using db::testing::BackendNames;
using db::testing::BothBackends;
using nlohmann::json;
using rpc::RawHttpClient;
using rpc::WsClient;

const std::string kBlockNumber = R"({"jsonrpc":"2.0","id":1,"method":"eth_blockNumber"})";

uint16_t port_of(const json& place) {
    const auto text = place.get<std::string>();
    return static_cast<uint16_t>(std::stoul(text.substr(text.rfind(':') + 1)));
}

template <class Tag>
class FlowServing : public Flow<Tag> {
  public:
    void make_chain(uint64_t blocks = 3) {
        this->init(this->folder.write("genesis.json", genesis_of_empty_chain()));
        const auto chain = this->folder.write("chain.rlp", to_rlp(make_empty_chain(blocks)));
        const Ran ran = this->folder.keel({"import", chain});
        ASSERT_EQ(ran.exit_code, 0) << ran.err;
    }
    /// Starts the daemon and reads where it listens.
    void serve(const std::vector<std::string>& flags) {
        const std::string file = (this->folder.path() / "ready.json").string();
        std::vector<std::string> arguments = {
            "daemon", "--http.port",  "0",  "--authrpc.port", "0",           "--ws.port",
            "0",      "--ready-file", file, "--http.api",     "eth,net,web3"};
        arguments.insert(arguments.end(), flags.begin(), flags.end());
        child = std::make_unique<ChildProcess>(this->folder.command(arguments));
        ASSERT_TRUE(child->wait_for_text("hash=0x")) << child->output();
        // The file comes behind the line.
        for (int i = 0; i < 500 && !std::filesystem::exists(file); ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        std::ifstream stream(file);
        ready = json::parse(stream);
    }
    std::string token() const {
        core::SystemFiles files;
        const core::Bytes text =
            core::read_file(files, std::filesystem::path(this->folder.datadir()) / "jwt.hex");
        const auto secret = rpc::parse_jwt_secret(core::ByteView(text).text());
        return "Authorization: Bearer " +
               rpc::make_token(*secret, static_cast<int64_t>(core::wall_clock_s())) + "\r\n";
    }

    std::unique_ptr<ChildProcess> child;
    json ready;
};
TYPED_TEST_SUITE(FlowServing, BothBackends, BackendNames);

TYPED_TEST(FlowServing, websocket_on_its_port_on_http_s_and_on_the_engine_s) {
    this->make_chain();
    this->serve({"--ws"});
    ASSERT_TRUE(this->ready["ws"].is_string()) << this->ready;
    const std::string answer = R"({"jsonrpc":"2.0","id":1,"result":"0x3"})";
    EXPECT_EQ(WsClient(port_of(this->ready["ws"])).ask(kBlockNumber), answer);
    EXPECT_EQ(WsClient(port_of(this->ready["http"])).ask(kBlockNumber), answer);
    const uint16_t engine = port_of(this->ready["engine"]);
    EXPECT_EQ(WsClient(engine).answer().status, 401);
    WsClient consensus(engine, this->token());
    EXPECT_EQ(consensus.ask(kBlockNumber), answer);
    EXPECT_NE(
        consensus
            .ask(R"({"jsonrpc":"2.0","id":2,"method":"engine_exchangeCapabilities","params":[[]]})")
            .value_or("")
            .find("engine_newPayloadV4"),
        std::string::npos);
    WsClient open(port_of(this->ready["ws"]));
    this->child->signal(SIGTERM);
    EXPECT_FALSE(open.receive());
    EXPECT_EQ(open.close_code, 1001);
    EXPECT_TRUE(open.send(std::string("\x03\xe9", 2), WsClient::kClose));
    EXPECT_EQ(this->child->wait(), 128 + SIGTERM);
}

TYPED_TEST(FlowServing, forkchoices_are_told_of_over_the_engine_s_port_and_the_socket) {
    this->make_chain(3);
    this->serve({"--ws"});
    WsClient client(port_of(this->ready["ws"]));
    const auto ask = [&client](const std::string& method, const json& params) {
        const auto text = client.ask(
            json{{"jsonrpc", "2.0"}, {"id", 1}, {"method", method}, {"params", params}}.dump());
        return text ? json::parse(*text)["result"] : json("closed");
    };
    std::vector<json> hashes;
    for (const char* number : {"0x0", "0x1", "0x2", "0x3"}) {
        hashes.push_back(ask("eth_getBlockByNumber", {number, false})["hash"]);
    }
    const json filter = ask("eth_newBlockFilter", json::array());
    ASSERT_TRUE(ask("eth_subscribe", {"newHeads"}).is_string());
    rpc::LocalClient local(this->ready["ipc"].template get<std::string>());
    const auto subscribed =
        local.ask(R"({"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":["newHeads"]})");
    ASSERT_TRUE(subscribed && subscribed->find("result") != std::string::npos);

    WsClient consensus(port_of(this->ready["engine"]), this->token());
    const json zero = "0x" + std::string(64, '0');
    const auto set_head = [&](const json& hash) {
        const json state = {
            {"headBlockHash", hash}, {"safeBlockHash", zero}, {"finalizedBlockHash", zero}};
        const auto text = consensus.ask(json{
            {"jsonrpc", "2.0"},
            {"id", 1},
            {"method", "engine_forkchoiceUpdatedV1"},
            {"params", {state, nullptr}}}.dump());
        return text ? json::parse(*text)["result"]["payloadStatus"]["status"] : json("closed");
    };
    const auto expect_head = [&](const json& hash) {
        const json note = json::parse(client.receive().value_or("null"));
        EXPECT_EQ(note["params"]["result"]["hash"], hash);
        // Whoever was told of it can read it.
        EXPECT_EQ(ask("eth_getBlockByNumber", {"latest", false})["hash"].is_string(), true);
        const json line = json::parse(local.receive().value_or("null"));
        EXPECT_EQ(line["params"]["result"]["hash"], hash);
    };
    EXPECT_EQ(set_head(hashes[1]), "VALID");
    expect_head(hashes[1]);
    EXPECT_EQ(ask("eth_getFilterChanges", json::array({filter})), json::array());
    EXPECT_EQ(set_head(hashes[2]), "VALID");
    expect_head(hashes[2]);
    EXPECT_EQ(set_head(hashes[3]), "VALID");
    expect_head(hashes[3]);
    EXPECT_EQ(ask("eth_getFilterChanges", json::array({filter})),
              json::array({hashes[2], hashes[3]}));
    this->child->signal(SIGTERM);
    EXPECT_EQ(this->child->wait(), 128 + SIGTERM);
    EXPECT_FALSE(std::filesystem::exists(this->ready["ipc"].template get<std::string>()));
}

TYPED_TEST(FlowServing, the_socket_serves_all_namespaces_unless_it_is_off) {
    this->make_chain();
    this->serve({"--ipcpath", "other.ipc"});
    const auto path = this->ready["ipc"].template get<std::string>();
    EXPECT_EQ(path, this->folder.datadir() + "/other.ipc");
    const auto answer = rpc::LocalClient(path).ask(
        R"({"jsonrpc":"2.0","id":1,"method":"debug_getRawHeader","params":["0x0"]})");
    EXPECT_NE(answer.value_or("").find("result"), std::string::npos);
    this->child->signal(SIGTERM);
    this->child->wait();
    std::filesystem::remove(this->folder.path() / "ready.json");
    this->serve({"--ipcdisable"});
    EXPECT_TRUE(this->ready["ipc"].is_null());
}

TYPED_TEST(FlowServing, without_the_flag_there_is_no_websocket) {
    this->make_chain();
    this->serve({});
    EXPECT_TRUE(this->ready["ws"].is_null());
    EXPECT_EQ(WsClient(port_of(this->ready["http"])).answer().status, 200);
}

}  // namespace
}  // namespace keel::tests
