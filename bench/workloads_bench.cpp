// keel_workloads_bench: the blocks of fixtures/workloads, each test's executed by the one road of a
// block into a chain, in memory: Mgas a second of execution alone and with the state root of every
// block. Processor time of the executing thread, least of the rounds; signatures are recovered
// before. One line a file, the tests of it added up, and a geometric mean. Every block must be
// accepted, and the head be the test's.
//
//   keel_workloads_bench FOLDER [--rounds N] [--only TEXT]

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "chain/block_store.hpp"
#include "chain/chain.hpp"
#include "crypto/recover.hpp"
#include "node/runners/network.hpp"
#include "node/runners/test_chain.hpp"

namespace {

using namespace keel;
using namespace keel::node::runners;

double thread_seconds() {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

/// What all tests of a file took, at their best.
struct Row {
    double gas = 0;
    std::array<double, 2> seconds{};  // execution alone, with roots
};

class Bench {
  public:
    explicit Bench(int rounds) : rounds_(rounds) {}

    Row run(const FixtureFile& file) {
        Row row;
        for (const FixtureFile::Member& member : file.members()) {
            const std::string_view network = need_text(member.test, "network");
            const auto config = config_of_test(member.test, network);
            if (!config) throw MalformedFixture(fmt::format("network {} is not known", network));
            const chain::Genesis genesis = read_genesis(member.test, *config);
            std::array<double, 2> least{1e9, 1e9};
            for (int round = 0; round < rounds_; ++round) {
                for (const bool with_roots : {false, true}) {
                    double& best = least[with_roots ? 1 : 0];
                    best = std::min(best, insert_blocks(member, genesis, with_roots));
                }
            }
            row.gas += gas_;
            row.seconds[0] += least[0];
            row.seconds[1] += least[1];
        }
        return row;
    }

  private:
    /// Seconds of all blocks; gas_ is theirs.
    double insert_blocks(const FixtureFile::Member& member, const chain::Genesis& genesis,
                         bool with_roots) {
        const db::Database& database = scratch_.empty();
        chain::write_genesis(database, genesis);
        chain::Chain::Options options;
        options.state_roots = with_roots;
        chain::Chain chain(database, options);
        auto txn = database.begin_rw();
        double seconds = 0;
        gas_ = 0;
        for (const Json& item : need_array(member.test, "blocks")) {
            JsonObject block;
            if (item.get(block) != simdjson::SUCCESS) throw MalformedFixture("a block");
            auto sealed = crypto::seal(read_bytes(need(block, "rlp")));
            if (!sealed) throw MalformedFixture(fmt::format("{}: no block", member.name));
            const core::Header& header = sealed->block.header;
            const auto rules = chain.schedule().at(header.number, header.timestamp, true).rules;
            const bool recovered = crypto::recover_senders(*sealed, rules).has_value();
            const double began = thread_seconds();
            const auto inserted = chain.insert_block(*txn, *sealed, chain::HeadRule::Import);
            seconds += thread_seconds() - began;
            if (!recovered || !inserted) {
                throw MalformedFixture(fmt::format("{}: a block is refused", member.name));
            }
            gas_ += static_cast<double>(header.gas_used);
        }
        const auto head = chain::BlockReader(*txn, chain.tables()).head();
        if (head->hash != read_hash(need(member.test, "lastblockhash"))) {
            throw MalformedFixture(fmt::format("{}: the head is another one", member.name));
        }
        return seconds;
    }

    int rounds_;
    ScratchStore scratch_;
    double gas_ = 0;
};

void print(std::string_view name, size_t tests, const Row& row) {
    fmt::print("{:<62}{:>6}{:>10.1f}{:>14.0f}{:>12.0f}\n", name, tests, row.gas * 1e-6,
               row.gas * 1e-6 / row.seconds[0], row.gas * 1e-6 / row.seconds[1]);
}

int run(const std::vector<std::string_view>& arguments) {
    std::filesystem::path folder;
    std::string_view only;
    int rounds = 3;
    for (size_t i = 0; i < arguments.size(); ++i) {
        const bool has_value = i + 1 < arguments.size();
        if (arguments[i] == "--rounds" && has_value) {
            rounds = std::atoi(arguments[++i].data());
        } else if (arguments[i] == "--only" && has_value) {
            only = arguments[++i];
        } else {
            folder = arguments[i];
        }
    }
    if (folder.empty() || rounds < 1) {
        fmt::print(stderr, "usage: keel_workloads_bench FOLDER [--rounds N] [--only TEXT]\n");
        return 2;
    }
    std::vector<std::filesystem::path> paths;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
        if (entry.path().extension() == ".json") paths.push_back(entry.path());
    }
    std::ranges::sort(paths);
    fmt::print("{:<62}{:>6}{:>10}{:>14}{:>12}\n", "workload", "tests", "Mgas", "Mgas/s alone",
               "with roots");
    core::SystemFiles files;
    Bench bench(rounds);
    std::array<double, 2> logs{};
    size_t count = 0;
    for (const std::filesystem::path& path : paths) {
        const std::string name = std::filesystem::relative(path, folder).replace_extension();
        if (name.find(only) == std::string::npos) continue;
        const FixtureFile file(files, path);
        const Row row = bench.run(file);
        print(name, file.members().size(), row);
        if (row.gas == 0) continue;  // blocks without transactions
        ++count;
        for (size_t i = 0; i < 2; ++i) logs[i] += std::log(row.gas * 1e-6 / row.seconds[i]);
    }
    if (count == 0) {
        fmt::print(stderr, "keel_workloads_bench: no workload under {}\n", folder.string());
        return 1;
    }
    const double each = static_cast<double>(count);
    fmt::print("{:<78}{:>14.0f}{:>12.0f}\n", "geometric mean", std::exp(logs[0] / each),
               std::exp(logs[1] / each));
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run({argv + 1, argv + argc});
    } catch (const std::exception& error) {
        fmt::print(stderr, "keel_workloads_bench: {}\n", error.what());
        return 1;
    }
}
