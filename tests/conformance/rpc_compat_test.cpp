// The cases of rpc-compat for the methods that there are, without a socket: fixtures/README.md 5.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "chain/genesis.hpp"
#include "core/files.hpp"
#include "db/open.hpp"
#include "node/import.hpp"
#include "rpc/dispatch.hpp"
#include "rpc/pool/pool.hpp"
#include "state/tables.hpp"
#include "tests/support/fixtures.hpp"

namespace keel::tests {
namespace {

using nlohmann::json;

/// Where both have an error with a message, the messages are not compared.
void drop_messages(json& expected, json& answer) {
    if (expected.is_array() && answer.is_array()) {
        for (size_t i = 0; i < std::min(expected.size(), answer.size()); ++i) {
            drop_messages(expected[i], answer[i]);
        }
    }
    if (!expected.is_object() || !answer.is_object()) return;
    for (auto& [name, value] : expected.items()) {
        if (!answer.contains(name)) continue;
        if (name != "error") {
            drop_messages(value, answer[name]);
        } else if (value.contains("message") && answer[name].contains("message")) {
            value.erase("message");
            answer[name].erase("message");
        }
    }
}

class RpcCompat : public testing::Test {
  protected:
    void SetUp() override {
        const auto found = fixture_set("rpc-compat");
        if (!found) GTEST_SKIP() << "no fixtures";
        directory = *found;
        core::SystemFiles files;
        const core::Bytes text = core::read_file(files, directory / "genesis.json");
        const chain::Genesis genesis =
            chain::parse_genesis(core::ByteView(text).text(), "genesis.json");
        chain::write_genesis(database, genesis);
        node::ImportOptions import;
        import.files = {(directory / "chain.rlp").string()};
        const node::ImportReport report = node::import_files(database, import);
        ASSERT_EQ(report.imported, 54U);
        // What headfcu.json would have set.
        database.update([&](db::WriteTxn& txn) {
            chain::put_position(txn, tables, chain::setting::kSafe, report.head);
            chain::put_position(txn, tables, chain::setting::kFinalized, report.head);
        });
        schedule.emplace(genesis.config);
        backend.database = database;
        backend.tables = &tables;
        backend.schedule = &*schedule;
        backend.network_id = genesis.config.chain_id;
        pool.emplace(database, tables, *schedule, rpc::pool::PoolOptions{});
        backend.pool = &*pool;
        dispatcher.emplace(
            backend, std::vector<std::string>{"eth", "net", "web3", "debug", "txpool", "testing"},
            rpc::DispatchLimits{});
    }

    std::string ask(std::string request) {
        const size_t size = request.size();
        request.append(rpc::kJsonPadding, ' ');
        static_cast<void>(dispatcher->parse(exchange, std::string_view(request).substr(0, size)));
        dispatcher->run(exchange, worker);
        return std::string(exchange.out.text());
    }

    /// One case file; `speconly`: a result is an example, an error is not.
    void run_case(const std::filesystem::path& path) {
        SCOPED_TRACE(path.string());
        std::ifstream file(path);
        bool speconly = false;
        json answer;
        for (std::string line; std::getline(file, line);) {
            if (line.starts_with("// speconly:")) speconly = true;
            if (line.starts_with(">>")) answer = json::parse(ask(line.substr(3)));
            if (!line.starts_with("<<")) continue;
            json expected = json::parse(line.substr(3));
            if (speconly && answer.contains("result")) continue;
            drop_messages(expected, answer);
            EXPECT_EQ(expected, answer);
        }
    }

    /// Number of cases.
    int run(const std::string& method) {
        std::set<std::filesystem::path> paths;
        for (const auto& entry : std::filesystem::directory_iterator(directory / method)) {
            paths.insert(entry.path());
        }
        for (const auto& path : paths) run_case(path);
        return static_cast<int>(paths.size());
    }

    std::filesystem::path directory;
    db::Database database = db::open_ephemeral(state::schema());
    state::Tables tables{database};
    std::optional<chain::ForkSchedule> schedule;
    std::optional<rpc::pool::Pool> pool;
    rpc::Backend backend;
    std::optional<rpc::Dispatcher> dispatcher;
    rpc::Exchange exchange;
    rpc::Worker worker;
};

TEST_F(RpcCompat, every_case_in_the_order_of_the_files) {
    // Later cases read what transactions earlier ones have sent.
    std::set<std::string> methods;
    for (const auto& entry : std::filesystem::directory_iterator(directory)) {
        if (entry.is_directory()) methods.insert(entry.path().filename().string());
    }
    int cases = 0;
    for (const std::string& method : methods) cases += run(method);
    EXPECT_EQ(cases, 232);
}

TEST_F(RpcCompat, traces_of_given_blocks_and_of_calls_between_transactions_agree) {
    const auto result = [this](const std::string& method, const json& params) {
        const json request = {
            {"jsonrpc", "2.0"}, {"id", 1}, {"method", method}, {"params", params}};
        const json answer = json::parse(ask(request.dump()));
        EXPECT_TRUE(answer.contains("result")) << method << params << answer;
        return answer.value("result", json());
    };
    const json options = {{"tracer", "callTracer"}, {"tracerConfig", {{"withLog", true}}}};
    size_t calls = 0;
    for (uint64_t number = 1; number <= 54; ++number) {
        const std::string at = core::U256(number).to_quantity();
        const json stored = result("debug_traceBlockByNumber", {at, options});
        const json raw = result("debug_getRawBlock", {at});
        EXPECT_EQ(result("debug_traceBlock", {raw, options}), stored);
        // A call like the transaction, in its place, does what the transaction does.
        const json block = result("eth_getBlockByNumber", {at, true});
        for (size_t i = 0; i < stored.size(); ++i) {
            const json& tx = block["transactions"][i];
            if (tx["type"] != "0x0" && tx["type"] != "0x2") continue;
            json call = {{"from", tx["from"]},
                         {"input", tx["input"]},
                         {"gas", tx["gas"]},
                         {"value", tx["value"]}};
            if (!tx["to"].is_null()) call["to"] = tx["to"];
            if (tx.contains("accessList")) call["accessList"] = tx["accessList"];
            json in_place = options;
            in_place["txIndex"] = core::U256(i).to_quantity();
            json traced = result("debug_traceCall", {call, at, in_place});
            json expected = stored[i]["result"];
            for (json* each : {&traced, &expected}) {
                for (const char* const name : {"type", "to", "gasUsed", "output"}) {
                    if (!each->contains(name)) (*each)[name] = nullptr;
                }
            }
            EXPECT_EQ(traced["to"], expected["to"]) << number << ' ' << i;
            EXPECT_EQ(traced["gasUsed"], expected["gasUsed"]) << number << ' ' << i;
            ++calls;
        }
    }
    EXPECT_GT(calls, 20U);
}

}  // namespace
}  // namespace keel::tests
