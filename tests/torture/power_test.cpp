// Losses of power that tear and reorder what was not synced: what a disk may then hold is opened,
// and has exactly the last synced commit, or a later one.
//
// In the ordinary test run some hundred crash images a scenario are taken; KEEL_TORTURE=full takes
// ten thousand. Counts are printed.

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>

#include "db/tools/compact.hpp"
#include "tests/torture/counts.hpp"
#include "tests/torture/memory_store.hpp"

namespace keel::tests {
namespace {

using db::Database;
using db::Durability;
using db::testing::digest_of_all;
using db::testing::MemoryFiles;
using db::testing::Random;

struct PowerScenario {
    const char* name;
    Durability durability;
    uint64_t commits;
    uint64_t fold_bytes;
    bool compacts = false;  // whenever the store is closed
    bool bulk_loads = false;
    bool loads_new = false;  // the first commit is a large load of the new store

    void (*commit() const)(const Database&, uint64_t) {
        return loads_new ? make_first_a_load : bulk_loads ? make_mixed_commit : make_commit;
    }
};

class TorturePower : public ::testing::TestWithParam<PowerScenario> {};

TEST_P(TorturePower, what_a_torn_and_reordered_disk_holds_is_the_last_synced_commit_or_later) {
    const PowerScenario& scenario = GetParam();
    const uint64_t images = full() ? 10'000 : 400;
    const uint64_t seed = db::testing::process_seed();
    SCOPED_TRACE(fmt::format("KEEL_SEED={}", seed));
    Random random(seed);
    const auto commit = scenario.commit();
    const std::vector<std::string> digests = history_digests(scenario.commits + 1, commit);
    Counts counts(fmt::format("power, {}", scenario.name), "crash images");
    std::mutex mutex;  // the hook runs on the writer, the keeper and the folder
    std::atomic<uint64_t> durable = 0;
    std::atomic<uint64_t> under_way = 1;

    const auto examine = [&](const MemoryFiles& files) {
        const std::scoped_lock lock(mutex);
        counts.take();
        const uint64_t least = durable.load();
        // None, all, most, few of what was not synced.
        const uint64_t dice = random.below(8);
        const auto choose = [&] {
            return dice == 0 ? false : dice == 1 ? true : random.below(8) < dice;
        };
        const std::unique_ptr<MemoryFiles> left = files.crash(choose);
        if (least == 0 && !left->contents().contains("/data/store.img")) {
            counts.add("not created yet");
            return;
        }
        try {
            uint64_t view = 0;
            {
                const Database store = db::open(
                    db::Backend::Mem, options_on(*left, scenario.durability, scenario.fold_bytes));
                view = store.begin_ro().view_id();
                if (view < least || view > under_way.load()) {
                    counts.add("LOST");
                    ADD_FAILURE() << "commit " << view << " of " << least;
                } else if (digest_of_all(store) != digests[view]) {
                    counts.add("WRONG");
                    ADD_FAILURE() << "wrong content of commit " << view;
                } else {
                    counts.add(view == least ? "last synced" : "later");
                }
                if (!random.one_in(4)) return;
                commit(store, view + 1);
                store.sync();
            }
            // And what was recovered stands on its own.
            const std::unique_ptr<MemoryFiles> again = left->crash([] { return false; });
            const Database store = db::open(
                db::Backend::Mem, options_on(*again, scenario.durability, scenario.fold_bytes));
            if (digest_of_all(store) != digests[view + 1]) {
                counts.add("WRONG");
                ADD_FAILURE() << "wrong content after recovery to commit " << view;
            }
            counts.add("went on");
        } catch (const core::Fault& fault) {
            counts.add("REFUSED");
            ADD_FAILURE() << fault.message();
        }
    };
    uint64_t examined = 0;
    while (examined < images && !::testing::Test::HasFailure()) {
        MemoryFiles files;
        files.make_directory(kFolder);
        durable = 0;
        under_way = 1;
        files.before = [&](const db::testing::FileCall&) {
            examine(files);
            ++examined;
            return 0;
        };
        const db::OpenOptions options = options_on(files, scenario.durability, scenario.fold_bytes);
        Database store = db::open(db::Backend::Mem, options);
        durable = 1;
        for (uint64_t view = 2; view <= scenario.commits; ++view) {
            under_way = view;
            commit(store, view);
            if (scenario.durability == Durability::Commit) durable = view;
            if (view % 7 == 0) {
                store.sync();
                durable = view;
            }
            if (view % 20 == 0) {
                store.close();
                durable = view;
                if (scenario.compacts) db::tools::compact(db::Backend::Mem, options);
                store = db::open(db::Backend::Mem, options);
            }
        }
        store.close();
        durable = scenario.commits;
        examine(files);
        files.before = nullptr;
    }
    EXPECT_EQ(counts.wrong(), 0u);
}

INSTANTIATE_TEST_SUITE_P(
    Torture, TorturePower,
    ::testing::Values(PowerScenario{"group", Durability::Group, 50, uint64_t{64} << 20},
                      PowerScenario{"group_fold", Durability::Group, 50, 20'000},
                      PowerScenario{"commit", Durability::Commit, 50, uint64_t{64} << 20},
                      PowerScenario{"commit_fold", Durability::Commit, 50, 20'000},
                      PowerScenario{"large_transactions", Durability::Group, 50, 2'000},
                      PowerScenario{"close", Durability::Close, 50, uint64_t{64} << 20},
                      PowerScenario{"compact", Durability::Group, 50, uint64_t{64} << 20, true},
                      PowerScenario{"bulk_load", Durability::Group, 50, uint64_t{64} << 20, false,
                                    true},
                      PowerScenario{"bulk_load_fold", Durability::Commit, 50, 30'000, true, true},
                      PowerScenario{"bulk_load_of_new", Durability::Group, 4, uint64_t{64} << 20,
                                    false, false, true}),
    [](const auto& chosen) { return std::string(chosen.param.name); });

}  // namespace
}  // namespace keel::tests
