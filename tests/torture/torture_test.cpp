// The store under everything that a machine does to it: processes killed at each call that changes
// a file, calls that fail, losses of power that tear and reorder what was not synced, damaged and
// cut files. After each: a reopening finds exactly the last acknowledged commit (or the one that
// was under way), or says what is damaged.
//
// In the ordinary test run every so many-th case is taken; KEEL_TORTURE=full takes them all. Counts
// are printed.

#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <functional>
#include <map>
#include <mutex>
#include <sstream>

#include "core/hex.hpp"
#include "db/testing/memory_files.hpp"
#include "db/tools/compact.hpp"
#include "node/open_database.hpp"
#include "tests/support/child_process.hpp"
#include "tests/torture/counts.hpp"
#include "tests/torture/history.hpp"

namespace keel::tests {
namespace {

using db::Database;
using db::Durability;
using db::testing::digest_of_all;
using db::testing::MemoryFiles;
using db::testing::Random;
using db::testing::TempDirectory;

const std::vector<std::string>& digests() {
    static const std::vector<std::string> kDigests = history_digests(160);
    return kDigests;
}

// Processes.

struct Scenario {
    const char* name;
    db::Backend backend;
    Durability durability;
    uint64_t commits;
    uint64_t fold_bytes;
    uint64_t prepared;  // commits that are there, made and closed without harm
};

class TortureProcess : public ::testing::TestWithParam<Scenario> {
  protected:
    void SetUp() override {
        if (db::testing::kAddressSanitizer || db::testing::kThreadSanitizer)
            GTEST_SKIP() << "needs a build whose run-time library need not come first: a library "
                            "is preloaded";
    }
    struct Said {
        int exit_code = 0;
        uint64_t acknowledged = 0;  // 0: it did not get so far as to open
        bool closed = false;
        std::string text;
    };
    Said run(const std::filesystem::path& directory, uint64_t at, const std::string& how,
             const std::string& count_file = {}) const {
        const Scenario& scenario = GetParam();
        std::vector<std::string> environment;
        if (!how.empty() || !count_file.empty()) {
            environment = {std::string("LD_PRELOAD=") + KEEL_FAILING_CALLS,
                           "KEEL_FAULT_UNDER=" + directory.string(),
                           "KEEL_FAULT_AT=" + std::to_string(at), "KEEL_FAULT=" + how};
            if (!count_file.empty()) environment.push_back("KEEL_FAULT_COUNT=" + count_file);
        }
        ChildProcess child({KEEL_TORTURE_CHILD, directory.string(), db::to_string(scenario.backend),
                            db::to_string(scenario.durability), std::to_string(scenario.commits),
                            std::to_string(scenario.fold_bytes)},
                           {}, environment);
        Said said;
        said.exit_code = child.wait();
        said.text = child.output();
        size_t at_line = 0;
        while (at_line < said.text.size()) {
            const size_t end = said.text.find('\n', at_line);
            const std::string line = said.text.substr(at_line, end - at_line);
            if (line.starts_with("opened ")) said.acknowledged = std::stoull(line.substr(7));
            if (line.starts_with("committed ")) said.acknowledged = std::stoull(line.substr(10));
            if (line == "closed") said.closed = true;
            if (end == std::string::npos) break;
            at_line = end + 1;
        }
        return said;
    }
    void prepare(const std::filesystem::path& directory) const {
        const Scenario& scenario = GetParam();
        if (scenario.prepared == 0) return;
        const Database store = node::open_database(options(directory));
        for (uint64_t view = 2; view <= scenario.prepared; ++view) make_commit(store, view);
        store.close();
    }
    node::Options options(const std::filesystem::path& directory) const {
        node::Options options;
        options.directory = directory;
        options.backend = GetParam().backend;
        options.durability = GetParam().durability;
        options.schema = history_schema();
        options.fold_bytes_min = GetParam().fold_bytes;
        options.producer = "keel torture";
        return options;
    }
    /// Opens what the child has left, checks it, and goes on with it.
    void check(const std::filesystem::path& directory, const Said& said, Counts& counts) const {
        const Scenario& scenario = GetParam();
        Database store;
        try {
            store = node::open_database(options(directory));
        } catch (const core::Fault& fault) {
            ADD_FAILURE() << fault.message() << "\nchild said:\n" << said.text;
            counts.add("LOST");
            return;
        }
        const uint64_t view = store.begin_ro().view_id();
        const uint64_t before = std::max<uint64_t>(1, scenario.prepared);
        const uint64_t acknowledged = std::max(before, said.acknowledged);
        // In mode `close` it is the close that acknowledges.
        const uint64_t least =
            scenario.durability == Durability::Close && !said.closed ? before : acknowledged;
        if (view < least || view > acknowledged + 1) {
            ADD_FAILURE() << "commit " << view << "; acknowledged " << acknowledged
                          << "\nchild said:\n"
                          << said.text;
            counts.add("LOST");
            return;
        }
        if (digest_of_all(store) != digests()[view]) {
            ADD_FAILURE() << "wrong content of commit " << view;
            counts.add("WRONG");
            return;
        }
        counts.add("whole");
        make_commit(store, view + 1);
        store.close();
        const Database again = node::open_database(options(directory));
        EXPECT_EQ(again.begin_ro().view_id(), view + 1);
        EXPECT_EQ(digest_of_all(again), digests()[view + 1]);
    }
};

TEST_P(TortureProcess, K57_killed_and_failed_at_every_call_nothing_acknowledged_is_lost) {
    const TempDirectory root;
    const std::filesystem::path data = root.path() / "data";
    prepare(data);
    const std::string count_file = root.path() / "count";
    const Said undisturbed = run(data, 0, "", count_file);
    ASSERT_EQ(undisturbed.exit_code, 0) << undisturbed.text;
    ASSERT_TRUE(undisturbed.closed);
    core::SystemFiles files;
    const core::Bytes count = core::read_file(files, count_file);
    // Timers of a group move by a few calls from run to run.
    const uint64_t calls = std::stoull(std::string(count.begin(), count.end())) + 10;
    const std::string eio = std::to_string(EIO);
    const std::string enospc = std::to_string(ENOSPC);
    for (const std::string& how : {std::string("kill"), std::string("tear"), "once:" + eio,
                                   "all:" + eio, "once:" + enospc, "all:" + enospc}) {
        Counts counts(fmt::format("{}, {} at each of {} calls", GetParam().name, how, calls));
        const uint64_t step = step_of(calls, 12);
        for (uint64_t at = 1; at <= calls; at += step) {
            SCOPED_TRACE(fmt::format("{} at call {}", how, at));
            std::filesystem::remove_all(data);
            prepare(data);
            const Said said = run(data, at, how);
            const bool killed = how == "kill" || how == "tear";
            if (killed) {
                EXPECT_TRUE(said.exit_code == 0 || said.exit_code == 128 + SIGKILL) << said.text;
            } else {
                EXPECT_TRUE(said.exit_code == 0 || said.exit_code == 5) << said.text;
            }
            counts.add(said.exit_code == 0 ? "ended well" : killed ? "killed" : "refused");
            check(data, said, counts);
            if (HasFatalFailure() || counts.of("LOST") + counts.of("WRONG") > 3) return;
        }
    }
}

INSTANTIATE_TEST_SUITE_P(
    Torture, TortureProcess,
    ::testing::Values(
        Scenario{"mem_group", db::Backend::Mem, Durability::Group, 25, uint64_t{64} << 20, 0},
        Scenario{"mem_commit", db::Backend::Mem, Durability::Commit, 25, uint64_t{64} << 20, 0},
        Scenario{"mem_fold", db::Backend::Mem, Durability::Group, 60, 20'000, 20},
        Scenario{"mem_close", db::Backend::Mem, Durability::Close, 25, uint64_t{64} << 20, 10},
        Scenario{"lmdb_group", db::Backend::Lmdb, Durability::Group, 25, 0, 0},
        Scenario{"lmdb_commit", db::Backend::Lmdb, Durability::Commit, 25, 0, 10}),
    [](const auto& chosen) { return std::string(chosen.param.name); });

// Losses of power.

constexpr char kFolder[] = "/data";

db::OpenOptions options_on(MemoryFiles& files, Durability durability, uint64_t fold_bytes) {
    db::OpenOptions options;
    options.directory = kFolder;
    options.durability = durability;
    options.schema = history_schema();
    options.reserve_bytes = uint64_t{1} << 26;
    options.producer = "keel torture";
    options.fold_bytes_min = fold_bytes;
    options.files = &files;
    return options;
}

struct PowerScenario {
    const char* name;
    Durability durability;
    uint64_t commits;
    uint64_t fold_bytes;
    bool compacts = false;  // whenever the store is closed
    bool bulk_loads = false;

    void (*commit() const)(const Database&, uint64_t) {
        return bulk_loads ? make_mixed_commit : make_commit;
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
    Counts counts(fmt::format("{}, crash images", scenario.name));
    std::mutex mutex;  // the hook runs on the writer, the keeper and the folder
    std::atomic<uint64_t> durable = 0;
    std::atomic<uint64_t> under_way = 1;

    const auto examine = [&](const MemoryFiles& files) {
        const std::scoped_lock lock(mutex);
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
    EXPECT_EQ(counts.of("LOST") + counts.of("WRONG") + counts.of("REFUSED"), 0u);
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
                      PowerScenario{"bulk_load_fold", Durability::Commit, 50, 30'000, true, true}),
    [](const auto& chosen) { return std::string(chosen.param.name); });

// The format.

std::string hex_or_dash(core::ByteView bytes) {
    return bytes.empty() ? "-" : core::to_hex(bytes);
}

/// What tests/torture/read_store.py prints of a store.
std::string text_of(const Database& store) {
    const db::ReadTxn txn = store.begin_ro();
    std::string text = fmt::format("commit {}\n", txn.view_id());
    for (const db::TableSpec& spec : txn.list_tables()) {
        const db::Table table = store.table(spec.name);
        text += fmt::format("table {} {} {} {}\n", spec.name,
                            spec.kind == db::Kind::DupSort ? "dupsort" : "plain",
                            txn.sequence(table), txn.count(table));
        db::Range range = txn.range(table);
        while (const db::Hit hit = range.next())
            text += fmt::format("{} {}\n", hex_or_dash(hit->key), hex_or_dash(hit->value));
    }
    return text;
}

/// A dump's lines in the form of what the reader prints behind its first line.
std::string rows_of_dump(const std::string& dump) {
    std::istringstream lines(dump);
    std::map<std::string, std::string> header;
    std::string text;
    std::string rows;
    uint64_t count = 0;
    const auto hex = [](const std::string& line) {
        return line.size() > 1 ? line.substr(1) : std::string("-");
    };
    for (std::string line; std::getline(lines, line);) {
        if (line == "DATA=END") {
            text += fmt::format("table {} {} {} {}\n", header["database"], header["keel_kind"],
                                header["keel_sequence"], count);
            text += rows;
            rows.clear();
            count = 0;
        } else if (line.starts_with(' ')) {
            std::string value;
            std::getline(lines, value);
            rows += hex(line) + " " + hex(value) + "\n";
            ++count;
        } else if (const size_t sign = line.find('='); sign != std::string::npos) {
            header[line.substr(0, sign)] = line.substr(sign + 1);
        }
    }
    return text;
}

TEST(StoreFormat, a_reader_that_knows_only_the_documentation_reads_image_and_log) {
    const TempDirectory root;
    node::Options options;
    options.directory = root.path() / "data";
    options.schema = history_schema();
    options.fold_bytes_min = 40'000;
    const auto read = [&] {
        ChildProcess reader({"/usr/bin/env", "python3",
                             KEEL_SOURCE_DIR "/tests/torture/read_store.py",
                             options.directory.string()});
        EXPECT_EQ(reader.wait(), 0) << reader.output();
        return reader.output();
    };
    const auto expect_dump = [&](const std::string& said) {
        ChildProcess dump({KEEL_PROGRAM, "db", "dump", "--datadir", options.directory.string()});
        EXPECT_EQ(dump.wait(), 0) << dump.output();
        EXPECT_EQ(said.substr(said.find('\n') + 1), rows_of_dump(dump.output()));
    };
    constexpr uint64_t kLogHeadBytes = 4096;  // records follow
    const auto has_log = [&] {
        for (const auto& entry : std::filesystem::directory_iterator(options.directory))
            if (entry.path().extension() == ".log" && entry.file_size() > kLogHeadBytes)
                return true;
        return false;
    };
    Database store = node::open_database(options);
    EXPECT_EQ(read(), text_of(store));
    store.update([&](db::WriteTxn& txn) {
        for (uint64_t row = 0; row < 2'000; ++row)
            txn.put(store.table("P"), db::testing::number_key(row * row), "of many pages");
    });
    uint64_t view = store.begin_ro().view_id();
    for (int round = 0; round < 4; ++round) {
        for (int commit = 0; commit < 12; ++commit) make_commit(store, ++view);
        EXPECT_EQ(read(), text_of(store)) << "beside the writer";
        const std::string text = text_of(store);
        expect_dump(text);
        store.close();
        EXPECT_EQ(read(), text);
        expect_dump(text);
        store = node::open_database(options);
        EXPECT_EQ(read(), text);
    }
    const std::string text = text_of(store);
    store.close();
    ChildProcess compact({KEEL_PROGRAM, "db", "compact", "--datadir", options.directory.string()});
    EXPECT_EQ(compact.wait(), 0) << compact.output();
    EXPECT_FALSE(has_log());
    EXPECT_EQ(read(), text);
    expect_dump(text);
    store = node::open_database(options);
    store.update([&](db::WriteTxn& txn) { txn.put(store.table("P"), "behind", "the image"); });
    EXPECT_TRUE(has_log());
    EXPECT_EQ(read(), text_of(store));
    expect_dump(text_of(store));
}

// Damage.

/// The files of a closed store whose image has `image_bytes` at least and whose log has commits.
std::map<std::string, core::Bytes> damage_subject(uint64_t image_bytes, std::string& digest) {
    MemoryFiles files;
    files.make_directory(kFolder);
    {
        const Database store =
            db::open(db::Backend::Mem, options_on(files, Durability::Close, uint64_t{64} << 20));
        const db::Table p = store.table("P");
        Random random(1);
        store.update([&](db::WriteTxn& txn) {
            for (uint64_t row = 0; row * 1'000 < image_bytes; ++row)
                txn.put(p, db::testing::number_key(row),
                        std::string(400 + random.below(1'000), static_cast<char>('a' + row % 26)));
            txn.put(p, "large", std::string(20'000, 'L'));
            for (int value = 0; value < 200; ++value)
                txn.put(store.table("D"), "group", std::to_string(value));
        });
        store.close();
    }
    {
        const Database store =
            db::open(db::Backend::Mem, options_on(files, Durability::Group, uint64_t{64} << 20));
        for (int commit = 0; commit < 3; ++commit)
            store.update([&](db::WriteTxn& txn) {
                txn.put(store.table("D"), "behind", std::to_string(commit));
            });
        digest = digest_of_all(store);
        store.close();
    }
    return files.contents();
}

std::unique_ptr<MemoryFiles> files_of(const std::map<std::string, core::Bytes>& contents) {
    auto files = std::make_unique<MemoryFiles>();
    files->make_directory(kFolder);
    for (const auto& [path, content] : contents) files->put(path, content);
    return files;
}

/// "right", or "said" with file and offset; anything else is a failure.
void expect_right_or_said(const std::map<std::string, core::Bytes>& contents,
                          const std::string& digest, const std::string& damaged, Counts& counts) {
    const std::unique_ptr<MemoryFiles> files = files_of(contents);
    try {
        db::OpenOptions options = options_on(*files, Durability::Group, uint64_t{64} << 20);
        options.access = db::Access::ReadOnly;
        const Database store = db::open(db::Backend::Mem, options);
        if (digest_of_all(store) == digest) {
            counts.add("right");
            return;
        }
        counts.add("WRONG");
        ADD_FAILURE() << "wrong data";
    } catch (const core::Fault& fault) {
        counts.add("said");
        if (fault.kind() == core::FaultKind::Damaged &&
            fault.message().find(damaged) != std::string::npos)
            return;
        counts.add("UNCLEAR");
        ADD_FAILURE() << fault.message();
    }
}

TEST(TortureDamage, every_flipped_bit_of_an_image_is_said_or_harmless) {
    std::string digest;
    std::map<std::string, core::Bytes> contents = damage_subject(225'000, digest);
    core::Bytes& image = contents.at("/data/store.img");
    ASSERT_GE(image.size(), 256u << 10);
    Counts counts(fmt::format("bits of an image of {} bytes", image.size()));
    const uint64_t bits = image.size() * 8;
    const uint64_t step = full() ? 1 : 1'009;  // prime: all bits of a byte, all places of a page
    for (uint64_t bit = 0; bit < bits && !HasFailure(); bit += step) {
        SCOPED_TRACE(fmt::format("bit {} of byte {}", bit % 8, bit / 8));
        const auto mask = static_cast<uint8_t>(1U << (bit % 8));
        image[bit / 8] ^= mask;
        expect_right_or_said(contents, digest, "store", counts);
        image[bit / 8] ^= mask;
    }
    EXPECT_GT(counts.of("said"), 0u);
}

TEST(TortureDamage, every_flipped_bit_of_a_log_is_said_or_harmless) {
    std::string digest;
    std::map<std::string, core::Bytes> contents = damage_subject(10'000, digest);
    core::Bytes& log = contents.at("/data/store-2.log");
    Counts counts(fmt::format("bits of a log of {} bytes", log.size()));
    const uint64_t step = full() ? 1 : 7;
    for (uint64_t bit = 0; bit < log.size() * 8 && !HasFailure(); bit += step) {
        SCOPED_TRACE(fmt::format("bit {} of byte {}", bit % 8, bit / 8));
        const auto mask = static_cast<uint8_t>(1U << (bit % 8));
        log[bit / 8] ^= mask;
        expect_right_or_said(contents, digest, "store-2.log", counts);
        log[bit / 8] ^= mask;
    }
}

TEST(TortureDamage, image_and_log_cut_at_every_length_are_said) {
    std::string digest;
    for (const std::string& path :
         {std::string("/data/store.img"), std::string("/data/store-2.log")}) {
        std::map<std::string, core::Bytes> contents = damage_subject(60'000, digest);
        const core::Bytes whole = contents.at(path);
        Counts counts(fmt::format("lengths of {} of {} bytes", path, whole.size()));
        const uint64_t step = step_of(whole.size(), 2'000);
        for (uint64_t length = 0; length < whole.size() && !HasFailure(); length += step) {
            SCOPED_TRACE(length);
            contents.at(path) =
                core::Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
            expect_right_or_said(contents, digest, path, counts);
        }
        EXPECT_EQ(counts.of("right"), 0u) << "it was closed: nothing may be missing";
    }
}

}  // namespace
}  // namespace keel::tests
