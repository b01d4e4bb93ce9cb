// Compaction, conversion and bulk loads, ended or failed at each call that changes a file. What was
// there stays, exactly; what was to come is there whole or not at all; and trying again works.

#include <gtest/gtest.h>

#include <cerrno>
#include <csignal>

#include "core/files.hpp"
#include "node/open_database.hpp"
#include "tests/support/child_process.hpp"
#include "tests/torture/counts.hpp"
#include "tests/torture/history.hpp"

namespace keel::tests {
namespace {

using db::Backend;
using db::Database;
using db::testing::digest_of_all;
using db::testing::TempDirectory;

enum class Work : uint8_t { Compact, Convert, Bulk };

struct ToolScenario {
    const char* name;
    Work work;
    Backend backend;
    uint64_t fold_bytes;
};

constexpr uint64_t kPrepared = 30;
constexpr uint64_t kLarge = uint64_t{64} << 20;

class TortureTools : public ::testing::TestWithParam<ToolScenario> {
  protected:
    void SetUp() override {
        if (db::testing::kAddressSanitizer || db::testing::kThreadSanitizer)
            GTEST_SKIP() << "needs a build whose run-time library need not come first: a library "
                            "is preloaded";
    }
    std::filesystem::path data() const { return root_.path() / "data"; }
    std::filesystem::path target() const { return root_.path() / "target"; }
    Backend other() const {
        return GetParam().backend == Backend::Mem ? Backend::Lmdb : Backend::Mem;
    }
    node::Options options() const {
        node::Options options;
        options.directory = data();
        options.backend = GetParam().backend;
        options.fold_bytes_min = GetParam().fold_bytes;
        options.producer = "keel torture";
        return options;
    }
    void prepare() const {
        for (const char* const name : {"data", "target", "target.partial"})
            std::filesystem::remove_all(root_.path() / name);
        node::Options making = options();
        making.schema = history_schema();
        const Database store = node::open_database(making);
        for (uint64_t view = 2; view <= kPrepared; ++view) make_commit(store, view);
        store.close();
    }
    std::vector<std::string> command() const {
        switch (GetParam().work) {
            case Work::Compact:
                return {KEEL_PROGRAM, "db", "compact", "--quiet", "--datadir", data()};
            case Work::Convert:
                return {KEEL_PROGRAM, "db",   "convert", "--quiet",
                        "--datadir",  data(), "--to",    db::to_string(other()),
                        target()};
            case Work::Bulk:
                break;
        }
        return {KEEL_TORTURE_CHILD,
                data(),
                db::to_string(GetParam().backend),
                "group",
                std::to_string(kPrepared),
                std::to_string(GetParam().fold_bytes),
                "bulk"};
    }
    struct Ended {
        int exit_code;
        std::string text;
    };
    Ended run(uint64_t at, const std::string& how) const {
        ChildProcess child(command(), {},
                           {std::string("LD_PRELOAD=") + KEEL_FAILING_CALLS,
                            "KEEL_FAULT_UNDER=" + root_.path().string() + "/",
                            "KEEL_FAULT_AT=" + std::to_string(at), "KEEL_FAULT=" + how,
                            "KEEL_FAULT_COUNT=" + count_file().string()});
        const int exit_code = child.wait();
        return {exit_code, child.output()};
    }
    std::filesystem::path count_file() const { return outside_.path() / "count"; }
    /// The store's own directory; none: it cannot be opened.
    void check_data(const Ended& ended, Counts& counts) const {
        try {
            const Database store = node::open_database(options());
            const uint64_t view = store.begin_ro().view_id();
            const bool bulk = GetParam().work == Work::Bulk;
            const bool loaded = bulk && view == kPrepared + 1;
            const bool must_be = bulk && ended.text.find("committed") != std::string::npos;
            if (!loaded && (view != kPrepared || must_be)) {
                ADD_FAILURE() << "commit " << view << "\n" << ended.text;
                counts.add("LOST");
                return;
            }
            if (digest_of_all(store) != (loaded ? digests().back() : digests()[kPrepared])) {
                ADD_FAILURE() << "wrong content of commit " << view << "\n" << ended.text;
                counts.add("WRONG");
                return;
            }
            counts.add(loaded ? "new" : "old");
            if (bulk) return;
            make_commit(store, kPrepared + 1);
            store.close();
            const Database again = node::open_database(options());
            if (digest_of_all(again) == digests()[kPrepared + 1]) return;
            ADD_FAILURE() << "wrong content after going on\n" << ended.text;
            counts.add("WRONG");
        } catch (const core::Fault& fault) {
            ADD_FAILURE() << fault.message() << "\n" << ended.text;
            counts.add("LOST");
        }
    }
    void check_target(const Ended& ended, Counts& counts) const {
        const bool there = std::filesystem::exists(target());
        if (!there) {
            EXPECT_NE(ended.exit_code, 0);
            counts.add("no target");
            // What the first one has left is in nobody's way.
            ChildProcess again(command());
            EXPECT_EQ(again.wait(), 0) << again.output();
        }
        EXPECT_FALSE(std::filesystem::exists(target().string() + ".partial"));
        node::Options opening = options();
        opening.directory = target();
        opening.backend = other();
        opening.access = db::Access::ReadOnly;
        const Database copy = node::open_database(opening);
        if (digest_of_all(copy) != digests()[kPrepared]) {
            ADD_FAILURE() << "wrong content of the target\n" << ended.text;
            counts.add("WRONG");
        } else if (there) {
            counts.add("target whole");
        }
    }
    /// By commit; the last: the bulk load behind the prepared ones.
    static const std::vector<std::string>& digests() {
        static const std::vector<std::string> kDigests = [] {
            std::vector<std::string> digests = history_digests(kPrepared + 1);
            const Database store = db::open_ephemeral(history_schema(), db::testing::kReserveBytes);
            for (uint64_t view = 2; view <= kPrepared; ++view) make_commit(store, view);
            make_bulk_commit(store, kPrepared + 1);
            digests.push_back(digest_of_all(store));
            return digests;
        }();
        return kDigests;
    }

    const TempDirectory root_;
    const TempDirectory outside_;  // its files do not count
};

TEST_P(TortureTools, killed_or_failed_at_each_call_it_leaves_the_old_or_the_new) {
    prepare();
    const Ended undisturbed = run(0, "");
    ASSERT_EQ(undisturbed.exit_code, 0) << undisturbed.text;
    core::SystemFiles files;
    const core::Bytes count = core::read_file(files, count_file());
    // Timers of a group move by a few calls from run to run.
    const uint64_t calls = std::stoull(std::string(count.begin(), count.end())) + 10;
    const std::string eio = std::to_string(EIO);
    const std::string enospc = std::to_string(ENOSPC);
    for (const std::string& how : {std::string("kill"), std::string("tear"), "once:" + eio,
                                   "all:" + eio, "once:" + enospc, "all:" + enospc}) {
        Counts counts(fmt::format("{}, {} at each of {} calls", GetParam().name, how, calls));
        const uint64_t step = step_of(calls, 4);
        for (uint64_t at = 1; at <= calls; at += step) {
            SCOPED_TRACE(fmt::format("{} at call {}", how, at));
            prepare();
            const Ended ended = run(at, how);
            const bool kills = how == "kill" || how == "tear";
            EXPECT_TRUE(ended.exit_code == 0 || ended.exit_code == (kills ? 128 + SIGKILL : 5))
                << ended.exit_code << "\n"
                << ended.text;
            counts.add(ended.exit_code == 0 ? "ended well" : kills ? "killed" : "refused");
            if (GetParam().work == Work::Convert) check_target(ended, counts);
            check_data(ended, counts);
            if (HasFatalFailure() || counts.of("LOST") + counts.of("WRONG") > 3) return;
        }
    }
}

INSTANTIATE_TEST_SUITE_P(
    Torture, TortureTools,
    ::testing::Values(ToolScenario{"compact_mem", Work::Compact, Backend::Mem, kLarge},
                      ToolScenario{"compact_lmdb", Work::Compact, Backend::Lmdb, kLarge},
                      ToolScenario{"convert_mem_to_lmdb", Work::Convert, Backend::Mem, kLarge},
                      ToolScenario{"convert_lmdb_to_mem", Work::Convert, Backend::Lmdb, kLarge},
                      ToolScenario{"bulk_mem_as_record", Work::Bulk, Backend::Mem, kLarge},
                      ToolScenario{"bulk_mem_as_image", Work::Bulk, Backend::Mem, 20'000},
                      ToolScenario{"bulk_lmdb", Work::Bulk, Backend::Lmdb, kLarge}),
    [](const auto& chosen) { return std::string(chosen.param.name); });

}  // namespace
}  // namespace keel::tests
