// What it costs to follow a chain: a block executed beside the head and made head by two commits
// (newPayload, forkchoiceUpdated), and a block of 200 changed accounts unwound and applied again.
// On both backends: mem in mode close, lmdb in mode group (each commit flushed).

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "chain/ancestors.hpp"
#include "chain/base_fee.hpp"
#include "chain/chain.hpp"
#include "chain/genesis.hpp"
#include "crypto/keccak.hpp"
#include "crypto/seal.hpp"
#include "db/open.hpp"
#include "state/trie/ordered_root.hpp"

namespace {

using namespace keel;

constexpr uint64_t kAccounts = 100'000;
constexpr uint64_t kChangedAccounts = 200;

constexpr const char* kConfig = R"({"chainId": 7, "homesteadBlock": 0, "eip150Block": 0,
  "eip155Block": 0, "eip158Block": 0, "byzantiumBlock": 0, "constantinopleBlock": 0,
  "petersburgBlock": 0, "istanbulBlock": 0, "berlinBlock": 0, "londonBlock": 0,
  "terminalTotalDifficulty": 0, "shanghaiTime": 0})";

core::Address address_of(uint64_t index) {
    return core::Address(crypto::keccak256(core::ByteView(std::to_string(index))));
}

/// A directory that goes with its owner.
struct TemporaryDirectory {
    TemporaryDirectory() {
        std::string pattern = std::filesystem::temp_directory_path() / "keel-flow-XXXXXX";
        if (::mkdtemp(pattern.data()) == nullptr) std::abort();
        path = pattern;
    }
    ~TemporaryDirectory() { std::filesystem::remove_all(path); }
    std::filesystem::path path;
};

/// A chain over `kAccounts` accounts.
class Fixture {
  public:
    explicit Fixture(db::Backend backend) {
        if (backend == db::Backend::Mem) {
            database = db::open_ephemeral(state::schema());
        } else {
            db::OpenOptions options;
            options.directory = directory.path;
            options.durability = db::Durability::Group;
            options.schema = state::schema();
            database = db::open(backend, options);
        }
        chain::Genesis genesis;
        genesis.config = chain::parse_chain_config(kConfig, "bench");
        genesis.config_json = kConfig;
        genesis.gas_limit = 30'000'000;
        genesis.base_fee = core::U256(7);
        genesis.difficulty = core::U256(0);
        for (uint64_t i = 0; i < kAccounts; ++i) {
            genesis.alloc[address_of(i)].balance = core::U256(i + 1);
        }
        genesis_hash = chain::write_genesis(database, genesis).hash;
        reopen();
    }
    ~Fixture() {
        chain.reset();
        database.close();
    }

    /// What a restart leaves: nothing in memory.
    void reopen() { chain.emplace(database, chain::Chain::Options{}); }

    /// A block on the head that pays to `accounts` accounts.
    crypto::SealedBlock make(uint64_t accounts) {
        const db::ReadTxn txn = database.begin_ro();
        const chain::BlockReader reader(txn, chain->tables());
        const chain::BlockId head = reader.head().value();
        const core::Header parent = reader.header(head).value();
        core::Block block;
        block.header.parent_hash = head.hash;
        block.header.number = head.number + 1;
        block.header.gas_limit = parent.gas_limit;
        block.header.timestamp = parent.timestamp + 12;
        block.header.base_fee =
            chain::next_base_fee(*parent.base_fee, parent.gas_limit, parent.gas_used);
        block.withdrawals.emplace();
        std::vector<core::Bytes> items;
        for (uint64_t i = 0; i < accounts; ++i) {
            core::Withdrawal withdrawal;
            withdrawal.address = address_of((next_++ * 7919) % kAccounts);
            withdrawal.amount = 1;
            core::append_withdrawal(items.emplace_back(), withdrawal);
            block.withdrawals->push_back(withdrawal);
        }
        const std::vector<core::ByteView> views(items.begin(), items.end());
        block.header.withdrawals_root = state::ordered_root(views);

        state::NewestState state(txn, chain->tables());
        state::NewestTries tries(txn, chain->tables());
        chain::AncestorHashes hashes(txn, chain->tables(), head);
        const auto rules = chain->schedule().at(block.header.number, block.header.timestamp, true);
        block.header.state_root = chain::execute_block(executor_, chain->schedule(), rules,
                                                       seal(block), state, tries, hashes)
                                      ->state_root;
        return seal(block);
    }
    static crypto::SealedBlock seal(const core::Block& block) {
        core::Bytes rlp;
        core::append_block(rlp, block);
        return crypto::seal(std::move(rlp)).value();
    }

    void insert(crypto::SealedBlock& block, chain::HeadRule rule) {
        change([&](db::WriteTxn& txn) {
            if (!chain->insert_block(txn, block, rule)) std::abort();
        });
    }
    void set_head(const core::Hash32& hash) {
        change([&](db::WriteTxn& txn) {
            if (!chain->set_head(txn, hash)) std::abort();
        });
    }

    TemporaryDirectory directory;
    db::Database database;
    core::Hash32 genesis_hash;
    std::optional<chain::Chain> chain;

  private:
    template <class Change>
    void change(const Change& apply) {
        auto txn = database.begin_rw();
        apply(*txn);
        txn->commit();
        chain->on_commit();
    }
    chain::Executor executor_;
    uint64_t next_ = 0;
};

double thread_cpu_seconds() {
    timespec now{};
    if (::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) != 0) std::abort();
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

/// The wall time of a step is its iteration's; the processor time of this thread, which other load
/// does not stretch, is the counter `cpu_us`: the least of all iterations.
class Stopwatch {
  public:
    explicit Stopwatch(benchmark::State& state) : state_(state) {}
    ~Stopwatch() { state_.counters["cpu_us"] = least_ * 1e6; }
    template <class Step>
    void time(const Step& step) {
        const auto begin = std::chrono::steady_clock::now();
        const double cpu = thread_cpu_seconds();
        step();
        least_ = std::min(least_, thread_cpu_seconds() - cpu);
        state_.SetIterationTime(
            std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    }

  private:
    benchmark::State& state_;
    double least_ = 1e9;
};

/// newPayload and forkchoiceUpdated of a block with range(0) changed accounts.
void follow(benchmark::State& state, db::Backend backend) {
    Fixture fixture(backend);
    Stopwatch watch(state);
    for (auto _ : state) {
        crypto::SealedBlock block = fixture.make(static_cast<uint64_t>(state.range(0)));
        watch.time([&] {
            fixture.insert(block, chain::HeadRule::Never);
            fixture.set_head(block.hash);
        });
    }
}

/// A block on the head that becomes head at once, as import does it, without its commit.
void import(benchmark::State& state, db::Backend backend) {
    Fixture fixture(backend);
    Stopwatch watch(state);
    for (auto _ : state) {
        crypto::SealedBlock block = fixture.make(static_cast<uint64_t>(state.range(0)));
        auto txn = fixture.database.begin_rw();
        watch.time([&] {
            if (!fixture.chain->insert_block(*txn, block, chain::HeadRule::Import)) std::abort();
        });
        txn->commit();
        fixture.chain->on_commit();
    }
}

/// The head of 200 changed accounts back to its parent, with the commit; `stored`: without the
/// layer in memory, as after a restart.
void unwind(benchmark::State& state, db::Backend backend, bool stored) {
    Fixture fixture(backend);
    crypto::SealedBlock block = fixture.make(kChangedAccounts);
    fixture.insert(block, chain::HeadRule::Import);
    Stopwatch watch(state);
    for (auto _ : state) {
        if (stored) fixture.reopen();
        watch.time([&] { fixture.set_head(fixture.genesis_hash); });
        fixture.set_head(block.hash);
    }
}

/// And forward again.
void apply(benchmark::State& state, db::Backend backend, bool stored) {
    Fixture fixture(backend);
    crypto::SealedBlock block = fixture.make(kChangedAccounts);
    fixture.insert(block, chain::HeadRule::Import);
    Stopwatch watch(state);
    for (auto _ : state) {
        fixture.set_head(fixture.genesis_hash);
        if (stored) fixture.reopen();
        watch.time([&] { fixture.set_head(block.hash); });
    }
}

void register_all(const char* name, db::Backend backend) {
    const auto make = [&](const char* what, auto&& function) {
        return benchmark::RegisterBenchmark((std::string(what) + "/" + name).c_str(), function)
            ->UseManualTime()
            ->Unit(benchmark::kMicrosecond);
    };
    make("follow", [backend](benchmark::State& s) { follow(s, backend); })->Arg(0)->Arg(200);
    make("import", [backend](benchmark::State& s) { import(s, backend); })->Arg(0)->Arg(200);
    make("unwind_200_in_memory", [backend](benchmark::State& s) { unwind(s, backend, false); });
    make("unwind_200_stored", [backend](benchmark::State& s) { unwind(s, backend, true); });
    make("apply_200_in_memory", [backend](benchmark::State& s) { apply(s, backend, false); });
    make("apply_200_stored", [backend](benchmark::State& s) { apply(s, backend, true); });
}

}  // namespace

int main(int argc, char** argv) {
    benchmark::Initialize(&argc, argv);
    register_all("mem", db::Backend::Mem);
    register_all("lmdb", db::Backend::Lmdb);
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}
