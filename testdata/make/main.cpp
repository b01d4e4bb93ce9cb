// keel_testdata: makes genesis files and chains, the same bytes each time.
//
//   keel_testdata DIRECTORY          genesis/ and chains/ as they stand in testdata/
//   keel_testdata --check DIRECTORY  makes them and compares; writes nothing
//   keel_testdata --list             says what is in the main chain
//   keel_testdata --big DIRECTORY    the big cases, too large for the repository
//   keel_testdata --import DIRECTORY [ACCOUNTS]
//                                    chains to measure an import with

#include <fmt/core.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "core/files.hpp"
#include "core/hex.hpp"
#include "testdata/make/bad_blocks.hpp"
#include "testdata/make/big_cases.hpp"
#include "testdata/make/branches.hpp"
#include "testdata/make/cast.hpp"
#include "testdata/make/import_cases.hpp"
#include "testdata/make/main_chain.hpp"

namespace keel::testdata {
namespace {

using Json = nlohmann::ordered_json;
using Files = std::map<std::string, core::Bytes>;  // by path below the directory

core::Bytes text(const std::string& from) {
    return core::ByteView(from).to_bytes();
}

Json head_of(uint64_t number, const core::Hash32& hash) {
    return {{"number", number}, {"hash", core::to_hex_prefixed(hash)}};
}

// The call that hive's rpc-compat suite begins with.
std::string head_update(const core::Hash32& head) {
    const std::string hash = core::to_hex_prefixed(head);
    const Json call{
        {"jsonrpc", "2.0"},
        {"id", "head"},
        {"method", "engine_forkchoiceUpdatedV3"},
        {"params",
         {{{"headBlockHash", hash}, {"safeBlockHash", hash}, {"finalizedBlockHash", hash}},
          nullptr}}};
    return call.dump(2) + "\n";
}

Files make_files() {
    Files files;
    const auto main = make_main_chain();
    files["genesis/main.json"] = text(main->genesis_json());
    files["chains/main.rlp"] = main->file(1, main->number());
    files["chains/main.forkenv.json"] = text(fork_environment_json());
    files["chains/main.headfcu.json"] = text(head_update(main->head_hash()));
    Json manifest;
    manifest["main"] = {{"genesis", "genesis/main.json"},
                        {"genesisHash", core::to_hex_prefixed(main->hash(0))},
                        {"file", "chains/main.rlp"},
                        {"head", head_of(main->number(), main->head_hash())},
                        {"stateRoot", core::to_hex_prefixed(main->head().state_root)}};

    manifest["branches"] = Json::array();
    for (const Scenario& scenario : make_branches(*main)) {
        Json entry{
            {"name", scenario.name}, {"about", scenario.about}, {"genesis", "genesis/main.json"}};
        for (size_t i = 0; i < scenario.steps.size(); ++i) {
            const Scenario::Step& step = scenario.steps[i];
            const std::string path = fmt::format("chains/branches/{}-{}.rlp", scenario.name, i + 1);
            files[path] = step.file;
            entry["steps"].push_back({{"file", path},
                                      {"about", step.about},
                                      {"head", head_of(step.head_number, step.head_hash)}});
        }
        manifest["branches"].push_back(entry);
    }

    for (const SpecialGenesis& genesis : special_geneses()) {
        files["genesis/" + genesis.file] = text(genesis.json);
    }
    manifest["bad"] = Json::array();
    for (const BadBlock& bad : make_bad_blocks(*main)) {
        const std::string path = "chains/bad/" + bad.verdict + ".rlp";
        files[path] = bad.rlp;
        Json entry{{"verdict", bad.verdict},
                   {"text", bad.text},
                   {"file", path},
                   {"genesis", "genesis/" + bad.genesis},
                   {"number", bad.number}};
        if (bad.after_main) entry["after"] = "chains/main.rlp";
        if (!bad.flag.empty()) entry["flag"] = bad.flag;
        manifest["bad"].push_back(entry);
    }
    files["chains/manifest.json"] = text(manifest.dump(1) + "\n");
    return files;
}

int write_files(const Files& files, const std::filesystem::path& directory) {
    core::SystemFiles system;
    uint64_t bytes = 0;
    for (const auto& [path, content] : files) {
        const std::filesystem::path file = directory / path;
        std::filesystem::create_directories(file.parent_path());
        core::write_file_atomically(system, file, content);
        bytes += content.size();
    }
    fmt::print("{} files, {} bytes\n", files.size(), bytes);
    return 0;
}

int compare_files(const Files& files, const std::filesystem::path& directory) {
    core::SystemFiles system;
    int different = 0;
    for (const auto& [path, content] : files) {
        const std::filesystem::path file = directory / path;
        if (!core::file_info(system, file) || core::read_file(system, file) != content) {
            fmt::print("{}: differs\n", path);
            different = 1;
        }
    }
    for (const char* folder : {"genesis", "chains"}) {
        for (const auto& entry :
             std::filesystem::recursive_directory_iterator(directory / folder)) {
            const std::string path = std::filesystem::relative(entry.path(), directory).string();
            if (entry.is_regular_file() && !files.contains(path)) {
                fmt::print("{}: nobody makes it\n", path);
                different = 1;
            }
        }
    }
    return different;
}

// One line a block, one a transaction: what is in the main chain.
int list_main_chain() {
    const auto main = make_main_chain();
    for (uint64_t number = 1; number <= main->number(); ++number) {
        const BlockParts& block = main->block(number);
        const core::Header& header = block.header;
        const bool proof_of_stake = header.difficulty.is_zero();
        const chain::BlockRules rules =
            main->schedule().at(number, header.timestamp, proof_of_stake);
        fmt::print("{} {} {} ommers={} withdrawals={} requests={} gas={}\n", number,
                   core::to_hex_prefixed(hash_of(header)), core::to_string(rules.rules.fork),
                   block.ommers.size(), block.withdrawals ? block.withdrawals->size() : 0,
                   header.requests_hash && *header.requests_hash != core::kEmptyRequestsHash,
                   header.gas_used);
        uint64_t gas_before = 0;
        for (size_t i = 0; i < block.txs.size(); ++i) {
            const core::Receipt& receipt = main->receipts(number)[i];
            fmt::print(
                "  {}: type {} {} gas={} logs={} bytes={}\n", i, static_cast<int>(receipt.type),
                receipt.state_root ? "root"
                : receipt.success  ? "ok"
                                   : "failed",
                receipt.cumulative_gas_used - gas_before, receipt.logs.size(), block.txs[i].size());
            gas_before = receipt.cumulative_gas_used;
        }
    }
    return 0;
}

int usage() {
    fmt::print(stderr,
               "usage: keel_testdata [--check | --big] DIRECTORY | --import DIRECTORY "
               "[ACCOUNTS] | --list\n");
    return 2;
}

int run(const std::vector<std::string_view>& arguments) {
    if (arguments.size() == 1 && arguments[0] == "--list") return list_main_chain();
    if (arguments.size() >= 2 && arguments[0] == "--import") {
        const uint64_t accounts =
            arguments.size() == 3 ? std::stoull(std::string(arguments[2])) : kImportAccounts;
        if (arguments.size() > 3 || accounts == 0) return usage();
        return make_import_cases(arguments[1], accounts);
    }
    if (arguments.empty() || arguments.back().starts_with("--")) return usage();
    const std::filesystem::path directory(arguments.back());
    if (arguments.size() == 1) return write_files(make_files(), directory);
    if (arguments.size() != 2) return usage();
    if (arguments[0] == "--check") return compare_files(make_files(), directory);
    if (arguments[0] == "--big") return make_big_cases(directory);
    return usage();
}

}  // namespace
}  // namespace keel::testdata

int main(int argc, char** argv) {
    try {
        return keel::testdata::run({argv + 1, argv + argc});
    } catch (const std::exception& error) {
        fmt::print(stderr, "keel_testdata: {}\n", error.what());
        return 1;
    }
}
