// The cases of rpc-compat for the methods that there are, without a socket: fixtures/README.md 5.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "chain/genesis.hpp"
#include "core/files.hpp"
#include "db/open.hpp"
#include "node/import.hpp"
#include "rpc/dispatch.hpp"
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
        dispatcher.emplace(backend, std::vector<std::string>{"eth", "net", "web3"},
                           rpc::DispatchLimits{});
    }

    std::string ask(std::string request) {
        const size_t size = request.size();
        request.append(rpc::kJsonPadding, ' ');
        static_cast<void>(dispatcher->parse(exchange, std::string_view(request).substr(0, size)));
        dispatcher->run(exchange, worker);
        return std::string(exchange.out.text());
    }

    /// Number of cases.
    int run(const std::string& method) {
        int count = 0;
        for (const auto& entry : std::filesystem::directory_iterator(directory / method)) {
            SCOPED_TRACE(entry.path().string());
            std::ifstream file(entry.path());
            json answer;
            for (std::string line; std::getline(file, line);) {
                if (line.starts_with(">>")) answer = json::parse(ask(line.substr(3)));
                if (!line.starts_with("<<")) continue;
                json expected = json::parse(line.substr(3));
                drop_messages(expected, answer);
                EXPECT_EQ(expected, answer);
                ++count;
            }
        }
        return count;
    }

    std::filesystem::path directory;
    db::Database database = db::open_ephemeral(state::schema());
    state::Tables tables{database};
    std::optional<chain::ForkSchedule> schedule;
    rpc::Backend backend;
    std::optional<rpc::Dispatcher> dispatcher;
    rpc::Exchange exchange;
    rpc::Worker worker;
};

TEST_F(RpcCompat, fixture_cases_of_the_read_methods) {
    const std::pair<const char*, int> methods[] = {
        {"eth_blockNumber", 1},
        {"eth_call", 6},
        {"eth_chainId", 1},
        {"eth_getBalance", 4},
        {"eth_getBlockByHash", 3},
        {"eth_getBlockByNumber", 10},
        {"eth_getBlockReceipts", 8},
        {"eth_getBlockTransactionCountByHash", 2},
        {"eth_getBlockTransactionCountByNumber", 2},
        {"eth_getCode", 4},
        {"eth_getStorageAt", 5},
        {"eth_getTransactionByBlockHashAndIndex", 1},
        {"eth_getTransactionByBlockNumberAndIndex", 1},
        {"eth_getTransactionByHash", 9},
        {"eth_getTransactionCount", 4},
        {"eth_getTransactionReceipt", 9},
        {"eth_syncing", 1},
        {"net_version", 1},
    };
    for (const auto& [method, count] : methods) EXPECT_EQ(run(method), count) << method;
}

}  // namespace
}  // namespace keel::tests
