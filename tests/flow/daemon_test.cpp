// keel daemon as a process: ready line, answers, signals, what it refuses to start on. Source:
// DESIGN.md 6 and 9, HIVE.md D.3.2.

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "core/clock.hpp"
#include "core/hex.hpp"
#include "core/rlp.hpp"
#include "core/types/tx.hpp"
#include "crypto/keccak.hpp"
#include "crypto/secp256k1.hpp"
#include "rpc/dev/keys.hpp"
#include "rpc/jwt.hpp"
#include "rpc/testing/http_client.hpp"
#include "tests/flow/flow.hpp"
#include "tests/flow/running_daemon.hpp"

namespace keel::tests {
namespace {

using db::testing::BackendNames;
using db::testing::BothBackends;
using nlohmann::json;
using rpc::RawHttpClient;

std::filesystem::path testdata() {
    return std::filesystem::path(KEEL_SOURCE_DIR) / "testdata";
}

json read_json(const std::filesystem::path& path) {
    std::ifstream file(path);
    return json::parse(file);
}

template <class Tag>
class FlowDaemon : public Flow<Tag> {
  public:
    void init_in(const FlowFolder& other, const std::string& genesis) const {
        const Ran ran = other.keel({"init", "--db", this->backend(), genesis});
        ASSERT_EQ(ran.exit_code, 0) << ran.err;
    }
    void import_main_chain() const {
        this->init((testdata() / "genesis/main.json").string());
        const Ran ran = this->folder.keel({"import", (testdata() / "chains/main.rlp").string()});
        ASSERT_EQ(ran.exit_code, 0) << ran.err;
    }
};
TYPED_TEST_SUITE(FlowDaemon, BothBackends, BackendNames);

TYPED_TEST(FlowDaemon, serves_the_chain_ends_on_a_signal_and_serves_it_again) {
    this->import_main_chain();
    const json head = read_json(testdata() / "chains/manifest.json")["main"]["head"];
    const std::string digest = this->folder.digest();
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
        const std::string ready = (this->folder.path() / "ready.json").string();
        std::filesystem::remove(ready);
        RunningDaemon daemon(this->folder, {"--ready-file", ready});
        ASSERT_TRUE(daemon.listens()) << daemon.child().output();
        EXPECT_EQ(daemon.ready_line(),
                  fmt::format(
                      "ready http=127.0.0.1:{} ws=- engine=127.0.0.1:{} ipc={}/keel.ipc number={} "
                      "hash={}",
                      daemon.port(), daemon.engine_port(), this->folder.datadir(),
                      head["number"].get<int>(), head["hash"].get<std::string>()));
        EXPECT_EQ(daemon.ask("eth_getBlockByNumber", {"latest", false})["result"]["hash"],
                  head["hash"]);
        EXPECT_EQ(daemon.stop(signal), 128 + signal) << daemon.child().output();
        EXPECT_EQ(read_json(ready)["number"], head["number"]);
        EXPECT_EQ(read_json(ready)["hash"], head["hash"]);
    }
    EXPECT_EQ(this->folder.digest(), digest);
}

TYPED_TEST(FlowDaemon, the_state_at_a_past_block_is_what_was_newest_then) {
    this->import_main_chain();
    const core::Bytes chain = [&] {
        core::SystemFiles files;
        return core::read_file(files, testdata() / "chains/main.rlp");
    }();
    // Questions about every account and slot of the genesis, and who got something later.
    json accounts = json::array();
    const json genesis = read_json(testdata() / "genesis/main.json");
    for (const auto& [address, account] : genesis["alloc"].items()) {
        accounts.push_back((address.starts_with("0x") ? "" : "0x") + address);
    }
    const auto questions = [&accounts](const std::string& block) {
        json batch = json::array();
        const auto add = [&](const char* method, json params) {
            params.push_back(block);
            batch.push_back({{"jsonrpc", "2.0"},
                             {"id", batch.size()},
                             {"method", method},
                             {"params", std::move(params)}});
        };
        for (const json& account : accounts) {
            add("eth_getBalance", json::array({account}));
            add("eth_getTransactionCount", json::array({account}));
            add("eth_getCode", json::array({account}));
            for (int slot = 0; slot < 4; ++slot) {
                add("eth_getStorageAt", {account, fmt::format("0x{:x}", slot)});
            }
        }
        return batch.dump();
    };
    RunningDaemon whole(this->folder);
    ASSERT_TRUE(whole.listens()) << whole.child().output();
    core::RlpReader blocks{core::ByteView(chain)};
    size_t bytes = 0;
    uint64_t number = 0;
    for (const uint64_t wanted : {0u, 1u, 20u, 36u, 50u, 68u}) {
        for (; number < wanted; ++number) bytes += blocks.item()->size();
        const FlowFolder part;
        this->init_in(part, (testdata() / "genesis/main.json").string());
        const Ran ran =
            part.keel({"import", part.write("part.rlp", core::ByteView(chain).sub(0, bytes))});
        ASSERT_EQ(ran.exit_code, 0) << ran.err;
        RunningDaemon daemon(part);
        ASSERT_TRUE(daemon.listens()) << daemon.child().output();
        const auto then = RawHttpClient(daemon.port()).ask(questions("latest"));
        const auto now = RawHttpClient(whole.port()).ask(questions(fmt::format("0x{:x}", wanted)));
        ASSERT_TRUE(then && now);
        EXPECT_EQ(then->body, now->body) << "block " << wanted;
        EXPECT_EQ(then->body.find("\"error\""), std::string::npos);
        EXPECT_EQ(daemon.stop(SIGTERM), 128 + SIGTERM);
    }
    EXPECT_EQ(whole.stop(SIGTERM), 128 + SIGTERM);
}

TYPED_TEST(FlowDaemon, finishes_what_is_at_work_before_it_ends) {
    this->import_main_chain();
    // An endless loop ends when the gas does. JUMPDEST PUSH1 0 JUMP
    const std::string target = "0x00000000000000000000000000000000deadbeef";
    bool was_at_work = false;
    for (uint64_t gas = 400'000'000; !was_at_work && gas < 10'000'000'000; gas *= 2) {
        RunningDaemon daemon(this->folder,
                             {"--rpc.gascap", std::to_string(gas), "--rpc.evmtimeout", "0s"});
        ASSERT_TRUE(daemon.listens()) << daemon.child().output();
        RawHttpClient client(daemon.port());
        ASSERT_TRUE(client.post(R"({"jsonrpc":"2.0","id":1,"method":"eth_call","params":[{"to":")" +
                                target + R"("},"latest",{")" + target +
                                R"(":{"code":"0x5b600056"}}]})"));
        // Connections go to the I/O threads in turn. Who is served by the thread of the first one
        // is answered after that was read: then the call is at work.
        for (int i = 0; i < 16; ++i) {
            EXPECT_EQ(daemon.ask("eth_blockNumber", json::array())["result"], "0x44");
        }
        daemon.child().signal(SIGTERM);
        const auto answer = client.receive();
        ASSERT_TRUE(answer);
        EXPECT_EQ(json::parse(answer->body)["error"]["message"], "out of gas");
        // Else it had ended before the signal came.
        const auto connection = answer->headers.find("connection");
        was_at_work = connection != answer->headers.end() && connection->second == "close";
        EXPECT_TRUE(client.is_closed());
        EXPECT_EQ(daemon.stop(SIGTERM), 128 + SIGTERM);
    }
    EXPECT_TRUE(was_at_work);
}

TYPED_TEST(FlowDaemon, who_connects_and_goes_is_no_error) {
    this->import_main_chain();
    RunningDaemon daemon(this->folder, {"--log.level", "warn"});
    ASSERT_TRUE(daemon.listens()) << daemon.child().output();
    const uint16_t port = daemon.port();
    for (int i = 0; i < 20; ++i) EXPECT_TRUE(RawHttpClient(port).connected());
    EXPECT_EQ(daemon.ask("eth_chainId", json::array())["result"], "0x6b65656c");
    EXPECT_EQ(daemon.stop(SIGTERM), 128 + SIGTERM);
    const std::string& said = daemon.child().output();
    EXPECT_EQ(said.find("warn"), std::string::npos) << said;
    EXPECT_EQ(said.find("error"), std::string::npos) << said;
}

TYPED_TEST(FlowDaemon, a_forkchoice_needs_a_token_and_outlives_the_daemon) {
    this->import_main_chain();
    const std::string head = read_json(testdata() / "chains/manifest.json")["main"]["head"]["hash"];
    const json state = {
        {"headBlockHash", head}, {"safeBlockHash", head}, {"finalizedBlockHash", head}};
    const std::string call = json{
        {"jsonrpc", "2.0"},
        {"id", 1},
        {"method", "engine_forkchoiceUpdatedV3"},
        {"params",
         {state, nullptr}}}.dump();
    {
        RunningDaemon daemon(this->folder);
        ASSERT_TRUE(daemon.listens()) << daemon.child().output();
        EXPECT_EQ(daemon.ask("eth_getBlockByNumber", {"safe", false})["error"]["code"], -32000);
        EXPECT_EQ(daemon.ask("engine_exchangeCapabilities", {json::array()})["error"]["code"],
                  -32601);
        RawHttpClient stranger(daemon.engine_port());
        const auto refused = stranger.ask(call);
        ASSERT_TRUE(refused);
        EXPECT_EQ(refused->status, 401);
        EXPECT_EQ(refused->body, "missing token");
        std::ifstream file(this->folder.datadir() + "/jwt.hex");
        const std::string digits((std::istreambuf_iterator<char>(file)), {});
        const auto secret = rpc::parse_jwt_secret(digits);
        ASSERT_TRUE(secret) << digits;
        RawHttpClient client(daemon.engine_port());
        const auto answer = client.ask(
            call, "Authorization: Bearer " +
                      rpc::make_token(*secret, static_cast<int64_t>(core::wall_clock_s())) +
                      "\r\n");
        ASSERT_TRUE(answer);
        EXPECT_EQ(answer->status, 200);
        EXPECT_EQ(json::parse(answer->body)["result"]["payloadStatus"]["status"], "VALID");
        EXPECT_EQ(daemon.stop(SIGTERM), 128 + SIGTERM);
    }
    RunningDaemon again(this->folder);
    ASSERT_TRUE(again.listens()) << again.child().output();
    for (const char* const tag : {"latest", "safe", "finalized"}) {
        EXPECT_EQ(again.ask("eth_getBlockByNumber", {tag, false})["result"]["hash"], head) << tag;
    }
    EXPECT_EQ(again.stop(SIGTERM), 128 + SIGTERM);
}

TYPED_TEST(FlowDaemon, needs_a_genesis_and_names_init) {
    const Ran nothing = this->folder.keel({"daemon", "--db", this->backend(), "--http.port", "0"});
    EXPECT_EQ(nothing.exit_code, 2);
    EXPECT_NE(nothing.err.find("init"), std::string::npos) << nothing.err;
    EXPECT_EQ(nothing.out, "");
    EXPECT_FALSE(std::filesystem::exists(this->folder.datadir()));
}

TYPED_TEST(FlowDaemon, says_why_it_cannot_start) {
    this->init(this->folder.write("genesis.json", genesis_of_empty_chain()));
    RunningDaemon first(this->folder);
    ASSERT_TRUE(first.listens()) << first.child().output();
    const std::string port = std::to_string(first.port());

    // The directory is held.
    const Ran held = this->folder.keel({"daemon", "--http.port", "0"});
    EXPECT_EQ(held.exit_code, 3) << held.err;
    // The port is taken.
    const FlowFolder other;
    this->init_in(other, other.write("genesis.json", genesis_of_empty_chain()));
    const Ran taken = other.keel({"daemon", "--http.port", port});
    EXPECT_EQ(taken.exit_code, 1);
    EXPECT_NE(taken.err.find("cannot listen on 127.0.0.1:" + port + ": Address already in use"),
              std::string::npos)
        << taken.err;
    EXPECT_EQ(taken.out, "");
    // Flags.
    for (const std::vector<std::string>& flags :
         std::vector<std::vector<std::string>>{{"--http.api", "eth,nope"},
                                               {"--http.port", "65536"},
                                               {"--http.addr", "nowhere"},
                                               {"--nope"},
                                               {"--rpc.gascap", "-1"}}) {
        std::vector<std::string> words = {"daemon", "--http.port=0"};
        if (flags[0] == "--http.port") words.pop_back();
        words.insert(words.end(), flags.begin(), flags.end());
        const Ran refused = other.keel(words);
        EXPECT_EQ(refused.exit_code, 2) << flags[0] << refused.err;
        EXPECT_EQ(refused.out, "");
    }
    EXPECT_EQ(first.stop(SIGTERM), 128 + SIGTERM);
    // None of that left a lock.
    EXPECT_EQ(other.keel({"db", "check"}).exit_code, 0);
}

TYPED_TEST(FlowDaemon, takes_the_flags_that_scripts_give) {
    this->init(this->folder.write("genesis.json", genesis_of_empty_chain()));
    RunningDaemon daemon(this->folder, {"--http",
                                        "--http.addr",
                                        "127.0.0.1",
                                        "--http.vhosts",
                                        "*",
                                        "--http.corsdomain",
                                        "*",
                                        "--http.api",
                                        "eth,net,web3,debug,txpool,admin,testing",
                                        "--ws",
                                        "--ws.addr",
                                        "0.0.0.0",
                                        "--ws.port",
                                        "0",
                                        "--ws.origins",
                                        "*",
                                        "--ws.api",
                                        "eth",
                                        "--authrpc.addr",
                                        "0.0.0.0",
                                        "--authrpc.port",
                                        "0",
                                        "--authrpc.vhosts",
                                        "*",
                                        "--authrpc.jwtsecret",
                                        (this->folder.path() / "secret").string(),
                                        "--rpc.allow-unprotected-txs",
                                        "--miner.extradata",
                                        "x",
                                        "--syncmode",
                                        "full",
                                        "--nodiscover",
                                        "--maxpeers",
                                        "0",
                                        "--networkid",
                                        "99"});
    ASSERT_TRUE(daemon.listens()) << daemon.child().output();
    EXPECT_EQ(daemon.ask("net_version", json::array())["result"], "99");
    RawHttpClient client(daemon.port());
    const auto answer = client.ask(R"({"jsonrpc":"2.0","id":1,"method":"eth_chainId"})",
                                   "Origin: http://x.example\r\n");
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->headers.at("access-control-allow-origin"), "*");
    EXPECT_EQ(daemon.stop(SIGTERM), 128 + SIGTERM);
}

TYPED_TEST(FlowDaemon, http_can_be_off) {
    this->init(this->folder.write("genesis.json", genesis_of_empty_chain()));
    RunningDaemon daemon(this->folder, {"--http=false"});
    ASSERT_TRUE(daemon.listens()) << daemon.child().output();
    EXPECT_TRUE(daemon.ready_line().starts_with("ready http=- ws=- engine=127.0.0.1:"));
    EXPECT_EQ(daemon.stop(SIGINT), 128 + SIGINT);
}

/// The empty chain's genesis with Cancun's rules and the first well-known account rich.
std::string genesis_to_build_on() {
    json genesis = json::parse(genesis_of_empty_chain());
    genesis["config"]["shanghaiTime"] = 0;
    genesis["config"]["cancunTime"] = 0;
    genesis["alloc"][core::to_hex(rpc::dev::keys()[0].address)] = {
        {"balance", "0xde0b6b3a7640000"}};
    return genesis.dump();
}

/// One wei of the first well-known account.
std::string signed_payment(uint64_t nonce) {
    core::Tx tx;
    tx.type = core::TxType::DynamicFee;
    tx.chain_id = core::U256(7);
    tx.nonce = nonce;
    tx.gas = 21'000;
    tx.max_fee = core::U256(2'000'000'000);
    tx.max_priority_fee = core::U256(1);
    tx.to = rpc::dev::keys()[1].address;
    tx.value = core::U256(1);
    core::Bytes message;
    core::encode_for_signing(message, tx);
    const auto signature = crypto::sign(crypto::keccak256(message), rpc::dev::keys()[0].secret);
    core::set_signature(tx, signature.y_parity, signature.r, signature.s);
    core::Bytes raw;
    core::append_tx(raw, tx);
    return core::to_hex_prefixed(raw);
}

json attributes_at(uint64_t timestamp) {
    return {{"timestamp", fmt::format("0x{:x}", timestamp)},
            {"prevRandao", "0x" + std::string(64, '3')},
            {"suggestedFeeRecipient", "0x" + std::string(40, '1')},
            {"withdrawals", json::array()},
            {"parentBeaconBlockRoot", "0x" + std::string(64, '2')}};
}

TYPED_TEST(FlowDaemon, commits_the_blocks_that_it_builds) {
    this->init(this->folder.write("genesis.json", genesis_to_build_on()));
    json head;
    {
        RunningDaemon daemon(this->folder, {"--http.api", "eth,txpool,testing"});
        ASSERT_TRUE(daemon.listens()) << daemon.child().output();
        const auto newest = [&daemon] {
            return daemon.ask("eth_getBlockByNumber", {"latest", false})["result"];
        };
        const std::string given = signed_payment(0);
        const json first = daemon.ask("testing_commitBlockV1",
                                      {attributes_at(1000), json::array({given}), "0x6b65656c"});
        EXPECT_EQ(newest()["hash"], first["result"]) << first;
        EXPECT_EQ(newest()["number"], "0x1");
        EXPECT_EQ(newest()["timestamp"], "0x3e8");
        EXPECT_EQ(newest()["extraData"], "0x6b65656c");
        EXPECT_EQ(newest()["transactions"].size(), 1U);
        EXPECT_EQ(
            daemon.ask("eth_getBlockReceipts", json::array({"latest"}))["result"][0]["status"],
            "0x1");

        // Without a list of its own it is made of what the pool has.
        const json pooled = daemon.ask("eth_sendRawTransaction", json::array({signed_payment(1)}));
        const json second = daemon.ask("testing_commitBlockV1", {attributes_at(1012), nullptr});
        head = newest();
        EXPECT_EQ(head["hash"], second["result"]) << second;
        EXPECT_EQ(head["parentHash"], first["result"]);
        EXPECT_EQ(head["transactions"], json::array({pooled["result"]})) << pooled;
        EXPECT_EQ(daemon.ask("txpool_status", json::array())["result"]["pending"], "0x0");

        const json late = daemon.ask("testing_commitBlockV1", {attributes_at(1012), json::array()});
        EXPECT_TRUE(late.contains("error")) << late;
        const json spent =
            daemon.ask("testing_commitBlockV1", {attributes_at(1024), json::array({given})});
        EXPECT_TRUE(spent.contains("error")) << spent;
        EXPECT_EQ(newest(), head);
        EXPECT_EQ(daemon.stop(SIGTERM), 128 + SIGTERM);
    }
    RunningDaemon daemon(this->folder);
    ASSERT_TRUE(daemon.listens()) << daemon.child().output();
    EXPECT_EQ(daemon.ask("eth_getBlockByNumber", {"latest", false})["result"], head);
    EXPECT_EQ(daemon.stop(SIGTERM), 128 + SIGTERM);
}

}  // namespace
}  // namespace keel::tests
