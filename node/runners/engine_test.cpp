#include "node/runners/engine_test.hpp"

#include <fmt/format.h>

#include <atomic>
#include <list>
#include <set>
#include <utility>

#include "chain/genesis.hpp"
#include "core/hex.hpp"
#include "node/runners/expectation.hpp"
#include "node/runners/network.hpp"
#include "node/runners/test_chain.hpp"
#include "rpc/engine/engine.hpp"

namespace keel::node::runners {
namespace {

using rpc::engine::Engine;
using rpc::engine::PayloadStatus;
using rpc::engine::Status;

// Groups of tests on one genesis that a thread keeps at hand.
constexpr size_t kGroupsKept = 4;

/// A store, the chain on it and the calls that it answers.
struct Node {
    Node(db::Database empty, const chain::Genesis& genesis, evm::Tracer* tracer)
        : database(std::move(empty)),
          genesis_hash(chain::write_genesis(database, genesis).hash),
          engine(database, {.tracer = tracer}) {}

    db::Database database;
    core::Hash32 genesis_hash;
    Engine engine;
};

/// The genesis that `pre_alloc/<preHash>.json` describes. The header has what
/// fixtures/README.md 4.4 says, the rest as in other tests of the network.
chain::Genesis read_group(const JsonObject& group, const chain::ChainConfig& config) {
    const JsonObject env = need_object(group, "environment");
    chain::Genesis genesis;
    genesis.config = config;
    genesis.config_json = to_json(config);
    genesis.coinbase = read_address(need_text(env, "currentCoinbase"));
    genesis.gas_limit = read_uint64(need(env, "currentGasLimit"));
    genesis.timestamp = read_uint64(need(env, "currentTimestamp"));
    genesis.difficulty = core::U256();
    genesis.extra_data = {0};  // what the maker of the tests puts into every genesis
    if (const auto random = find(env, "currentRandom")) genesis.mix_hash = read_hash(*random);
    if (const auto fee = find(env, "currentBaseFee")) genesis.base_fee = read_u256(*fee);
    if (const auto excess = find(env, "currentExcessBlobGas")) {
        genesis.excess_blob_gas = read_uint64(*excess);
    }
    if (const auto used = find(env, "currentBlobGasUsed")) {
        genesis.blob_gas_used = read_uint64(*used);
    }
    genesis.alloc = read_alloc(need_object(group, "pre"));
    return genesis;
}

/// Where the group of a test stands: a folder beside the test's or above it has it.
std::filesystem::path find_group(core::FileSystem& files, const std::filesystem::path& test_file,
                                 std::string_view hash) {
    const std::filesystem::path name =
        std::filesystem::path("pre_alloc") / fmt::format("{}.json", hash);
    for (std::filesystem::path folder = test_file.parent_path();; folder = folder.parent_path()) {
        if (core::file_info(files, folder / name)) return folder / name;
        if (folder.empty() || folder == folder.parent_path()) break;
    }
    throw MalformedFixture(fmt::format("there is no {} above the test", name.string()));
}

/// The words of a number in a string.
unsigned read_version(const JsonObject& call, std::string_view name) {
    return static_cast<unsigned>(read_uint64(need(call, name)));
}

class EngineTestRunner final : public Runner {
  public:
    /// `lmdb`: a folder of its own for stores on LMDB.
    EngineTestRunner(const SuiteOptions& options, std::optional<std::filesystem::path> lmdb)
        : options_(options), lmdb_(std::move(lmdb)) {
        if (options.trace) trace_.emplace(options.trace, options.trace_fields);
    }

    void run(const FixtureFile::Member& member, size_t, std::vector<CaseResult>& results) override {
        CaseResult& result = results.emplace_back();
        result.name = member.name;
        result.network = need_text(member.test, "network");
        const auto config = config_of_test(member.test, result.network);
        if (!config) {
            result.outcome = Outcome::UnsupportedNetwork;
            return;
        }
        try {
            if (const auto group = find_text(member.test, "preHash")) {
                const std::filesystem::path file = find_group(files_, *member.file, *group);
                run_on(group_node(file, result.network, *config), member.test, result);
            } else {
                const db::Database store =
                    lmdb_ ? open_lmdb_test_store(*lmdb_ / "store") : scratch_.empty();
                {
                    Node node(store, read_genesis(member.test, *config), tracer());
                    check_genesis(node, member.test, result);
                    if (result.outcome == Outcome::Passed) run_on(node, member.test, result);
                }
                if (lmdb_) store.close();
            }
        } catch (const core::Fault& fault) {
            fail(result, fault.message());
        }
    }

  private:
    struct Group {
        std::filesystem::path file;
        std::string network;
        std::unique_ptr<Node> node;
    };

    evm::Tracer* tracer() { return trace_ ? &*trace_ : nullptr; }

    static void fail(CaseResult& result, std::string error) {
        result.outcome = Outcome::Failed;
        result.error = std::move(error);
    }

    /// One node for all tests of a group, as a client that serves them all.
    Node& group_node(const std::filesystem::path& file, const std::string& network,
                     const chain::ChainConfig& config) {
        for (auto group = groups_.begin(); group != groups_.end(); ++group) {
            if (group->file != file || group->network != network) continue;
            groups_.splice(groups_.begin(), groups_, group);
            return *groups_.front().node;
        }
        const JsonFile document(files_, file);
        const db::Database store =
            lmdb_ ? open_lmdb_test_store(*lmdb_ / fmt::format("group-{}", groups_made_++))
                  : open_test_store();
        auto node = std::make_unique<Node>(store, read_group(document.root(), config), tracer());
        if (groups_.size() == kGroupsKept) {
            groups_.back().node->database.close();
            groups_.pop_back();
        }
        groups_.push_front({file, network, std::move(node)});
        return *groups_.front().node;
    }

    static void check_genesis(const Node& node, const JsonObject& test, CaseResult& result) {
        const core::Hash32 expected =
            read_hash(need(need_object(test, "genesisBlockHeader"), "hash"));
        if (node.genesis_hash == expected) return;
        fail(result, fmt::format("genesis: hash is {}, expected {}",
                                 core::to_hex_prefixed(node.genesis_hash),
                                 core::to_hex_prefixed(expected)));
    }

    void run_on(Node& node, const JsonObject& test, CaseResult& result) {
        if (!set_head(node, node.genesis_hash, "genesis", result)) return;
        std::set<core::Hash32> valid = {node.genesis_hash};
        size_t index = 0;
        for (const Json& item : need_array(test, "engineNewPayloads")) {
            JsonObject call;
            if (item.get(call) != simdjson::SUCCESS) throw MalformedFixture("a payload");
            const std::string place = fmt::format("payload {}", index++);
            if (!deliver(node, call, place, valid, result)) return;
        }
        const db::ReadTxn txn = node.database.begin_ro();
        if (auto difference = end_difference(txn, state::Tables(node.database), test)) {
            fail(result, *std::move(difference));
        }
    }

    /// forkchoiceUpdated without attributes; false: the test has ended with a result.
    static bool set_head(Node& node, const core::Hash32& hash, std::string_view place,
                         CaseResult& result) {
        const auto answer =
            node.engine.forkchoice_updated({.head = hash, .safe = {}, .finalized = {}});
        if (!answer) {
            fail(result,
                 fmt::format("{}: forkchoiceUpdated: error {}: {}", place,
                             std::to_underlying(answer.error().code), answer.error().message));
            return false;
        }
        if (answer->status.is_valid() && answer->status.latest_valid_hash == hash) return true;
        fail(result, fmt::format("{}: forkchoiceUpdated: {} {}", place,
                                 rpc::engine::to_string(answer->status.status),
                                 answer->status.validation_error.value_or("")));
        return false;
    }

    /// newPayload, and the payload made head if it is valid. False: the test has ended.
    bool deliver(Node& node, const JsonObject& call, std::string_view place,
                 std::set<core::Hash32>& valid, CaseResult& result) {
        const Json params = need(call, "params");
        text_ = simdjson::minify(params);
        const size_t size = text_.size();
        text_.append(rpc::kJsonPadding, ' ');
        if (json_.parse(std::string_view(text_).substr(0, size)) != rpc::JsonVerdict::Ok) {
            throw MalformedFixture("params");
        }
        const auto answer =
            node.engine.new_payload(read_version(call, "newPayloadVersion"), json_.root());

        const auto code = find(call, "errorCode");
        if (code || !answer) return check_error(code, answer, place, result);
        JsonObject payload;
        if (params.at(0).get(payload) != simdjson::SUCCESS) throw MalformedFixture("a payload");
        const core::Hash32 hash = read_hash(need(payload, "blockHash"));
        if (const auto expected = find_text(call, "validationError")) {
            const core::Hash32 parent = read_hash(need(payload, "parentHash"));
            return check_refusal(*answer, *expected, parent, valid.contains(parent), place, result);
        }
        if (!answer->is_valid() || answer->latest_valid_hash != hash) {
            fail(result, fmt::format("{}: {} {}", place, rpc::engine::to_string(answer->status),
                                     answer->validation_error.value_or("")));
            return false;
        }
        valid.insert(hash);
        return set_head(node, hash, place, result);
    }

    static bool check_error(const std::optional<Json>& expected,
                            const rpc::Answer<PayloadStatus>& answer, std::string_view place,
                            CaseResult& result) {
        const std::string have =
            answer ? fmt::format("{}", rpc::engine::to_string(answer->status))
                   : fmt::format("error {}: {}", std::to_underlying(answer.error().code),
                                 answer.error().message);
        if (!expected) {
            fail(result, fmt::format("{}: {}", place, have));
            return false;
        }
        std::string_view code;
        if (expected->get(code) != simdjson::SUCCESS) throw MalformedFixture("errorCode");
        if (!answer && fmt::format("{}", std::to_underlying(answer.error().code)) == code) {
            return true;
        }
        fail(result, fmt::format("{}: {}, expected error {}", place, have, code));
        return false;
    }

    bool check_refusal(const PayloadStatus& status, std::string_view expected,
                       const core::Hash32& parent, bool parent_is_valid, std::string_view place,
                       CaseResult& result) const {
        if (status.status != Status::Invalid || !status.validation_error) {
            fail(result, fmt::format("{}: {}, although {} is expected", place,
                                     rpc::engine::to_string(status.status), expected));
            return false;
        }
        // None where the payload itself is no block.
        if (parent_is_valid && status.latest_valid_hash && status.latest_valid_hash != parent) {
            fail(result, fmt::format("{}: latestValidHash is {}, expected the parent {}", place,
                                     core::to_hex_prefixed(*status.latest_valid_hash),
                                     core::to_hex_prefixed(parent)));
            return false;
        }
        if (allows_text(expected, *status.validation_error)) return true;
        std::string warning =
            fmt::format("{}: expected {}: {}", place, expected, *status.validation_error);
        if (options_.strict) {
            fail(result, std::move(warning));
            return false;
        }
        if (result.warning.empty()) result.warning = std::move(warning);
        return true;
    }

    const SuiteOptions& options_;
    const std::optional<std::filesystem::path> lmdb_;
    std::optional<JsonTrace> trace_;
    unsigned groups_made_ = 0;
    core::SystemFiles files_;
    ScratchStore scratch_;
    rpc::JsonIn json_;
    std::string text_;         // what json_ views
    std::list<Group> groups_;  // the last used first
};

}  // namespace

Suite engine_test_suite(SuiteOptions options, std::optional<std::filesystem::path> lmdb_parent) {
    const auto shared = std::make_shared<const SuiteOptions>(std::move(options));
    const auto runners = std::make_shared<std::atomic<unsigned>>(0);
    Suite suite;
    suite.pieces = [shared](const FixtureFile::Member& member) -> std::optional<size_t> {
        if (!find(member.test, "engineNewPayloads")) return std::nullopt;
        if (shared->select && !shared->select(member.name)) return 0;
        const auto network = find_text(member.test, "network");
        return shared->network.empty() || network == shared->network ? 1 : 0;
    };
    suite.make_runner = [shared, runners, lmdb_parent] {
        auto lmdb = lmdb_parent;
        if (lmdb) *lmdb /= fmt::format("runner-{}", runners->fetch_add(1));
        return std::make_unique<EngineTestRunner>(*shared, std::move(lmdb));
    };
    return suite;
}

}  // namespace keel::node::runners
