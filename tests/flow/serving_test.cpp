// keel daemon as those see it who connect otherwise than by HTTP. Source: RPC.md 2.4, 3 and 7.

#include <fmt/format.h>

#include <csignal>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>

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

TYPED_TEST(FlowServing, subscribers_are_told_once_of_each_transaction_that_can_be_mined) {
    this->serve({"--dev", "--ws"});
    WsClient client(port_of(this->ready["ws"]));
    RawHttpClient sender(port_of(this->ready["http"]));
    const auto ask = [&](const std::string& method, const json& params) {
        const auto answer = sender.ask(
            json{{"jsonrpc", "2.0"}, {"id", 1}, {"method", method}, {"params", params}}.dump());
        return answer ? json::parse(answer->body)["result"] : json("closed");
    };
    const json first = ask("eth_accounts", json::array())[0];
    EXPECT_TRUE(ask("evm_setAutomine", {false}));
    const auto subscribe = [&client](const json& params) {
        return json::parse(*client.ask(
            json{{"jsonrpc", "2.0"}, {"id", 2}, {"method", "eth_subscribe"}, {"params", params}}
                .dump()))["result"];
    };
    const json hashes = subscribe({"newPendingTransactions"});
    const json objects = subscribe({"newPendingTransactions", true});
    const auto send = [&](const char* nonce) {
        return ask("eth_sendTransaction", {{{"from", first},
                                            {"to", first},
                                            {"gas", "0x5208"},
                                            {"nonce", nonce},
                                            {"value", "0x1"}}});
    };
    // The second cannot be mined before the first has come.
    const json second = send("0x1");
    const json before = send("0x0");
    std::vector<json> told_hashes;
    std::vector<json> told_objects;
    while (told_hashes.size() + told_objects.size() < 4) {
        const auto text = client.receive();
        ASSERT_TRUE(text) << told_hashes.size() << told_objects.size();
        const json params = json::parse(*text)["params"];
        if (params["subscription"] == hashes) {
            told_hashes.push_back(params["result"]);
        } else {
            EXPECT_EQ(params["subscription"], objects);
            told_objects.push_back(params["result"]["hash"]);
        }
    }
    EXPECT_EQ(told_hashes, (std::vector<json>{before, second}));
    EXPECT_EQ(told_objects, (std::vector<json>{before, second}));
}

/// A GET of this path; the headers end in CRLF each.
rpc::HttpAnswer get(uint16_t port, const std::string& path, const std::string& headers = {}) {
    RawHttpClient client(port);
    EXPECT_TRUE(client.send("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n" + headers + "\r\n"));
    auto answer = client.receive();
    EXPECT_TRUE(answer) << path;
    return answer.value_or(rpc::HttpAnswer{});
}

TYPED_TEST(FlowServing, balancers_and_watchers_ask_for_its_health) {
    this->make_chain(3);
    this->serve({});
    const uint16_t port = port_of(this->ready["http"]);
    EXPECT_EQ(get(port, "/livez").body, "ok");
    EXPECT_EQ(get(port, "/readyz").body, "ok head=3");
    EXPECT_EQ(get(port, "/").body, "");
    EXPECT_EQ(get(port, "/elsewhere").status, 404);
    const auto health = [port](const std::vector<std::string>& checks) {
        std::string headers;
        for (const std::string& each : checks) headers += "X-ERIGON-HEALTHCHECK: " + each + "\r\n";
        const rpc::HttpAnswer answer = get(port, "/health", headers);
        return std::pair{answer.status, json::parse(answer.body)};
    };
    EXPECT_EQ(health({}), std::pair(200, json({{"synced", "DISABLED"},
                                               {"min_peer_count", "DISABLED"},
                                               {"check_block", "DISABLED"},
                                               {"max_seconds_behind", "DISABLED"}})));
    EXPECT_EQ(health({"synced", "min_peer_count0", "check_block3"}),
              std::pair(200, json({{"synced", "HEALTHY"},
                                   {"min_peer_count", "DISABLED"},
                                   {"check_block", "HEALTHY"},
                                   {"max_seconds_behind", "DISABLED"}})));
    const auto failing = [&](const std::string& check, const char* member) {
        const auto [status, body] = health({check});
        EXPECT_EQ(status, 500) << check;
        EXPECT_TRUE(body[member].template get<std::string>().starts_with("ERROR: ")) << body;
    };
    failing("min_peer_count1", "min_peer_count");
    failing("check_block4", "check_block");
    // The blocks of the chain are of 1970.
    failing("max_seconds_behind10", "max_seconds_behind");
    failing("nonsense", "synced");
    RawHttpClient client(port);
    const auto ask = [&client](const std::string& body) {
        EXPECT_TRUE(client.send(RawHttpClient::request("POST", "/health", body)));
        return client.receive().value_or(rpc::HttpAnswer{});
    };
    EXPECT_EQ(json::parse(ask(R"({"min_peer_count":0,"known_block":3})").body),
              json({{"healthcheck_query", "HEALTHY"},
                    {"min_peer_count", "DISABLED"},
                    {"check_block", "HEALTHY"}}));
    EXPECT_EQ(ask(R"({"known_block":"0x4"})").status, 500);
    EXPECT_EQ(ask("no json").status, 500);
    RawHttpClient other(port);
    ASSERT_TRUE(other.send("GET /livez HTTP/1.1\r\nHost: elsewhere.example\r\n\r\n"));
    EXPECT_EQ(other.receive()->status, 403);
}

/// Names of metrics in a query: what is no function, no label and no word of the language.
std::set<std::string> metrics_of(std::string query) {
    query = std::regex_replace(query, std::regex(R"(\{[^}]*\}|\[[^\]]*\])"), " ");
    query = std::regex_replace(query, std::regex(R"([a-z_]+\s*\()"), " ");
    std::set<std::string> names;
    const std::regex name("[a-zA-Z_:][a-zA-Z0-9_:]*");
    for (std::sregex_iterator at(query.begin(), query.end(), name), end; at != end; ++at) {
        if (at->str() != "by" && at->str() != "without") names.insert(at->str());
    }
    return names;
}

TYPED_TEST(FlowServing, every_metric_of_the_board_is_served) {
    this->make_chain(3);
    this->serve({"--metrics", "--metrics.port", "0"});
    ASSERT_TRUE(this->ready["metrics"].is_string()) << this->ready;
    RawHttpClient client(port_of(this->ready["http"]));
    ASSERT_TRUE(client.ask(kBlockNumber));
    ASSERT_TRUE(client.ask(
        R"({"jsonrpc":"2.0","id":1,"method":"eth_sendRawTransaction","params":["0x02"]})"));
    const uint16_t port = port_of(this->ready["metrics"]);
    const rpc::HttpAnswer page = get(port, "/metrics");
    EXPECT_EQ(page.status, 200);
    EXPECT_TRUE(page.headers.at("content-type").starts_with("text/plain; version=0.0.4"));
    EXPECT_EQ(get(port, "/debug/metrics/prometheus").status, 200);
    EXPECT_EQ(get(port, "/").status, 404);
    const auto value = [&page](const std::string& name) {
        const size_t at = ("\n" + page.body).find("\n" + name + " ");
        return at == std::string::npos
                   ? std::string("absent")
                   : page.body.substr(at + name.size() + 1,
                                      page.body.find('\n', at) - at - name.size() - 1);
    };
    EXPECT_EQ(value("chain_head_block"), "3");
    EXPECT_EQ(value("rpc_requests"), "2");
    EXPECT_EQ(value("rpc_failure"), "1");
    EXPECT_EQ(value("txpool_invalid"), "1");
    EXPECT_EQ(value("rpc_duration_eth_blockNumber_success_count"), "1");
    EXPECT_EQ(value(R"(sync{stage="execution"})"), "3");
    EXPECT_EQ(value("txpool_pending"), "0");
    // Every line belongs to the family above it, and no family comes twice.
    std::set<std::string> families;
    std::set<std::string> served;
    std::string family;
    std::istringstream lines(page.body);
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("# TYPE ")) {
            family = line.substr(7, line.find(' ', 7) - 7);
            EXPECT_TRUE(families.insert(family).second) << line;
        } else {
            const std::string name = line.substr(0, line.find_first_of("{ "));
            EXPECT_TRUE(name == family || name == family + "_sum" || name == family + "_count")
                << line;
            served.insert(name);
        }
    }
    std::ifstream file(std::string(KEEL_SOURCE_DIR) + "/docs/grafana.json");
    const json board = json::parse(file);
    size_t count = 0;
    for (const json& panel : board["panels"]) {
        for (const json& target : panel["targets"]) {
            for (const std::string& name : metrics_of(target["expr"])) {
                EXPECT_TRUE(served.contains(name)) << name << " in " << panel["title"];
                ++count;
            }
        }
    }
    EXPECT_GT(count, 30U);
}

TYPED_TEST(FlowServing, the_explorer_is_served_to_this_machine_alone) {
    this->make_chain(3);
    this->serve({});
    const uint16_t port = port_of(this->ready["http"]);
    const rpc::HttpAnswer page = get(port, "/ui");
    EXPECT_EQ(page.status, 200);
    EXPECT_TRUE(page.headers.at("content-type").starts_with("text/html"));
    EXPECT_NE(page.headers.at("content-security-policy").find("connect-src 'self'"),
              std::string::npos);
    // Nothing of it comes from elsewhere.
    EXPECT_EQ(page.body.find("src=\""), std::string::npos);
    EXPECT_EQ(page.body.find("https://"), std::string::npos);
    const json stats = json::parse(get(port, "/ui/stats.json").body);
    EXPECT_GT(stats["image_bytes"], 0);
    const std::string here = "Origin: http://localhost:" + std::to_string(port) +
                             "\r\nHost: localhost:" + std::to_string(port) + "\r\n";
    const auto opened = [&](const std::string& headers) {
        RawHttpClient client(port);
        EXPECT_TRUE(client.send("GET " + stats["socket"].template get<std::string>() +
                                " HTTP/1.1\r\n" + headers +
                                "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                                "Sec-WebSocket-Version: 13\r\n\r\n"));
        return client.receive_head().value_or(rpc::HttpAnswer{}).status;
    };
    EXPECT_EQ(opened(here), 101);
    EXPECT_EQ(opened("Host: localhost\r\n"), 403);
    EXPECT_EQ(opened("Host: localhost\r\nOrigin: http://elsewhere.example\r\n"), 403);
    // A name of elsewhere that points here.
    EXPECT_EQ(opened("Host: evil.example\r\nOrigin: http://evil.example\r\n"), 403);
}

TYPED_TEST(FlowServing, the_explorer_can_be_left_out) {
    this->make_chain(1);
    this->serve({"--http.ui.off"});
    EXPECT_EQ(get(port_of(this->ready["http"]), "/ui").status, 404);
    core::SystemFiles files;
    const core::Bytes enode =
        core::read_file(files, std::filesystem::path(this->folder.datadir()) / "enode", 4096);
    EXPECT_TRUE(core::ByteView(enode).text().starts_with("enode://"));
}

}  // namespace
}  // namespace keel::tests
