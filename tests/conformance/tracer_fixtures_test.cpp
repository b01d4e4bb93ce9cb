// Upstream's vectors of the named tracers: one transaction on a given state, and what each tracer
// says of it. All folders but erc7562_tracer (not offered) and those of older output (…_legacy).
// Source: fixtures/README.md 9.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "chain/execute_tx.hpp"
#include "core/hex.hpp"
#include "core/types/account.hpp"
#include "crypto/keccak.hpp"
#include "crypto/recover.hpp"
#include "rpc/debug/tracers/named_tracer.hpp"
#include "tests/support/fixtures.hpp"

namespace keel::tests {
namespace {

using core::U256;
using nlohmann::json;

core::Bytes bytes_of(const json& text) {
    return core::from_hex(text.get<std::string>()).value();
}

/// Decimal or hex, in a string or not.
U256 number_of(const json& value) {
    if (value.is_number()) return U256(value.get<uint64_t>());
    return U256::parse(value.get<std::string>()).value();
}

core::Address address_of(const std::string& text) {
    return core::fixed_from_hex<core::Address>(text).value();
}

/// `alloc` as it stands.
class GivenState final : public state::StateReader, public state::BlockHashes {
  public:
    explicit GivenState(const json& alloc) {
        for (const auto& [address, given] : alloc.items()) {
            Account& account = accounts_[address_of(address)];
            if (given.contains("balance")) account.row.balance = number_of(given["balance"]);
            if (given.contains("nonce")) account.row.nonce = number_of(given["nonce"]).low64();
            if (given.contains("code") && !given["code"].get<std::string>().empty()) {
                account.code = bytes_of(given["code"]);
            }
            if (!account.code.empty()) {
                account.row.code_hash = crypto::keccak256(account.code);
                codes_[account.row.code_hash] = account.code;
            }
            if (!given.contains("storage")) continue;
            for (const auto& [slot, value] : given["storage"].items()) {
                const U256 word = U256::parse(value.get<std::string>()).value();
                if (word.is_zero()) continue;
                account.slots[U256::parse(slot).value()] = word;
                account.row.storage_root = {};  // any that is not the empty one
            }
        }
    }

    std::optional<core::Account> account(const core::Address& address) override {
        const auto found = accounts_.find(address);
        if (found == accounts_.end()) return std::nullopt;
        return found->second.row;
    }
    U256 storage(const core::Address& address, const U256& slot) override {
        const auto& slots = accounts_.at(address).slots;
        const auto found = slots.find(slot);
        return found == slots.end() ? U256() : found->second;
    }
    std::optional<core::ByteView> code(const core::Hash32& hash) override {
        return core::ByteView(codes_.at(hash));
    }
    void each_slot(const core::Address& address, const OnSlot& on_slot) override {
        for (const auto& [slot, value] : accounts_.at(address).slots) on_slot(slot, value);
    }
    core::Hash32 block_hash(uint64_t) override { return {}; }

  private:
    struct Account {
        core::Account row;
        core::Bytes code;
        std::map<U256, U256> slots;
    };
    std::map<core::Address, Account> accounts_;
    std::map<core::Hash32, core::Bytes> codes_;
};

/// Forks alone, by name in any case; files of old chains do not keep to an order.
chain::ChainConfig config_of(const json& object) {
    const auto lower = [](std::string text) {
        for (char& character : text) {
            if (character >= 'A' && character <= 'Z') character += 'a' - 'A';
        }
        return text;
    };
    chain::ChainConfig config;
    config.chain_id = number_of(object["chainId"]).low64();
    for (const auto& [name, value] : object.items()) {
        for (const chain::ForkKey& key : chain::fork_keys()) {
            if (lower(std::string(key.key)) != lower(name)) continue;
            config.*key.activation = number_of(value).low64();
        }
    }
    if (object.contains("terminalTotalDifficulty")) {
        config.terminal_total_difficulty = number_of(object["terminalTotalDifficulty"]);
    }
    return config;
}

/// Upstream compares with members that are missing set to nothing; all that is nothing goes.
void drop_nothing(json& value) {
    static const std::set<std::string> kNothing = {"", "0x", "0x0",
                                                   "0x0000000000000000000000000000000000000000"};
    for (auto member = value.begin(); member != value.end();) {
        const bool is_nothing =
            member->is_null() ||
            (member->is_string() && kNothing.contains(member->get<std::string>()));
        member = is_nothing ? value.erase(member) : std::next(member);
    }
}

void make_comparable(const std::string& tracer, json& result) {
    if (tracer == "callTracer") {
        if (result.contains("logs")) {
            for (json& log : result["logs"]) {
                if (!log.contains("index")) log["index"] = "0x0";
            }
        }
        if (result.contains("calls")) {
            for (json& call : result["calls"]) make_comparable(tracer, call);
        }
    }
    if (tracer != "flatCallTracer") return;
    for (json& call : result) {
        for (const char* const name :
             {"blockHash", "blockNumber", "transactionHash", "transactionPosition"}) {
            call.erase(name);
        }
        if (!call.contains("result") || call["result"].is_null()) call["result"] = json::object();
        drop_nothing(call["action"]);
        drop_nothing(call["result"]);
    }
}

class TracerFixtures : public testing::Test {
  protected:
    json trace(const json& test, const std::string& name) {
        const json& genesis = test["genesis"];
        const json& context = test["context"];
        const chain::ForkSchedule schedule(config_of(genesis["config"]));
        core::Header header;
        header.number = number_of(context["number"]).low64();
        header.timestamp = number_of(context["timestamp"]).low64();
        header.gas_limit = number_of(context["gasLimit"]).low64();
        header.difficulty = number_of(context["difficulty"]);
        header.coinbase = address_of(context["miner"].get<std::string>());
        if (context.contains("baseFeePerGas"))
            header.base_fee = number_of(context["baseFeePerGas"]);
        const auto& terminal = schedule.config().terminal_total_difficulty;
        const chain::BlockRules rules =
            schedule.at(header.number, header.timestamp, terminal && terminal->is_zero());
        const chain::BlockEnv env = chain::block_env(header, rules, schedule.config());
        const core::Bytes raw = bytes_of(test["input"]);
        const core::Tx tx = core::decode_tx(raw).value();
        const core::Address sender = crypto::recover_sender(tx, rules.rules).value();

        GivenState given(genesis["alloc"]);
        journal.begin_block(given, given);
        const std::string config =
            test.contains("tracerConfig") ? test["tracerConfig"].dump() : "{}";
        std::string padded = config + std::string(rpc::kJsonPadding, ' ');
        rpc::JsonIn in;
        EXPECT_EQ(in.parse(std::string_view(padded).substr(0, config.size())),
                  rpc::JsonVerdict::Ok);
        const auto factory = rpc::debug::find_tracer(name, in.root());
        const rpc::debug::TracedTx traced{
            .tx = tx, .sender = sender, .env = env, .journal = journal};
        const auto tracer = (*factory)(traced);
        workspace.set_tracer(tracer.get());
        const auto outcome =
            chain::execute_tx(workspace, journal, env, tx, sender, chain::tx_room(env));
        workspace.set_tracer(nullptr);
        if (!outcome) return outcome.error().text;
        rpc::JsonOut out;
        tracer->write(out, *outcome);
        return json::parse(out.text());
    }

    int run(const std::filesystem::path& folder, const std::string& tracer) {
        std::set<std::filesystem::path> paths;
        for (const auto& entry : std::filesystem::directory_iterator(folder)) {
            if (entry.path().extension() == ".json") paths.insert(entry.path());
        }
        int passed = 0;
        for (const auto& path : paths) {
            std::ifstream file(path);
            const json test = json::parse(file);
            json expected = test["result"];
            json traced = trace(test, tracer);
            make_comparable(tracer, expected);
            make_comparable(tracer, traced);
            EXPECT_EQ(expected, traced) << path << "\n" << json::diff(expected, traced).dump();
            if (expected == traced) ++passed;
        }
        std::printf("%d of %zu in %s\n", passed, paths.size(), folder.filename().c_str());
        return passed;
    }

    evm::Workspace workspace;
    state::Journal journal;
};

TEST_F(TracerFixtures, every_folder_of_a_tracer_that_is_offered) {
    const auto set = fixture_set("tracers");
    if (!set) GTEST_SKIP() << "no fixtures";
    int passed = 0;
    passed += run(*set / "call_tracer", "callTracer");
    passed += run(*set / "call_tracer_withLog", "callTracer");
    passed += run(*set / "call_tracer_flat", "flatCallTracer");
    passed += run(*set / "prestate_tracer", "prestateTracer");
    passed += run(*set / "prestate_tracer_with_diff_mode", "prestateTracer");
    // 82 of the set's 98 files; one of them is a text about its neighbour.
    std::printf("%d of 81 tracer vectors\n", passed);
    EXPECT_EQ(passed, 81);
}

}  // namespace
}  // namespace keel::tests
