// Commit, close, fold, compaction, conversion and bulk loads, in processes that are killed, or
// whose calls fail, at each call that changes a file. After each: a reopening finds exactly the
// last acknowledged commit (or the one that was under way); what was to come is there whole or not
// at all; and going on, or trying again, works.
//
// In the ordinary test run every so many-th call is taken; KEEL_TORTURE=full takes them all. Counts
// are printed.

#include <map>

#include "node/open_database.hpp"
#include "tests/torture/failing.hpp"
#include "tests/torture/history.hpp"

namespace keel::tests {
namespace {

using db::Backend;
using db::Database;
using db::Durability;
using db::testing::digest_of_all;

constexpr uint64_t kLarge = uint64_t{64} << 20;

node::Options options_of(const std::filesystem::path& directory, Backend backend,
                         Durability durability, uint64_t fold_bytes) {
    node::Options options;
    options.directory = directory;
    options.backend = backend;
    options.durability = durability;
    options.fold_bytes_min = fold_bytes;
    options.producer = "keel torture";
    return options;
}

/// Opens a directory as a command has left it; not at all: that is a loss.
Database reopen(const node::Options& options, const Ended& ended, Counts& counts) {
    try {
        return node::open_database(options);
    } catch (const core::Fault& fault) {
        counts.add("LOST");
        ADD_FAILURE() << fault.message() << "\n" << ended.text;
        return {};
    }
}

/// Has the store the content with this digest?
bool expect_content(const Database& store, const std::string& digest, const Ended& ended,
                    Counts& counts) {
    if (digest_of_all(store) == digest) return true;
    counts.add("WRONG");
    ADD_FAILURE() << "wrong content of commit " << store.begin_ro().view_id() << "\n" << ended.text;
    return false;
}

/// One more commit, with the content that it must then have.
void expect_to_go_on(const node::Options& options, Database store, uint64_t view,
                     const std::string& digest, const Ended& ended, Counts& counts) {
    make_commit(store, view);
    store.close();
    store = reopen(options, ended, counts);
    if (!store) return;
    EXPECT_EQ(store.begin_ro().view_id(), view);
    expect_content(store, digest, ended, counts);
}

/// What a child says of its commits.
struct Said {
    uint64_t acknowledged = 0;  // 0: it did not get so far as to open
    bool closed = false;

    explicit Said(const std::string& text) {
        size_t at = 0;
        while (at < text.size()) {
            const size_t end = text.find('\n', at);
            const std::string line = text.substr(at, end - at);
            if (line.starts_with("opened ")) acknowledged = std::stoull(line.substr(7));
            if (line.starts_with("committed ")) acknowledged = std::stoull(line.substr(10));
            if (line == "closed") closed = true;
            if (end == std::string::npos) break;
            at = end + 1;
        }
    }
};

// Commits.

struct CommitScenario {
    const char* name;
    Backend backend;
    Durability durability;
    uint64_t commits;
    uint64_t fold_bytes;
    uint64_t prepared;  // commits that are there, made and closed without harm
};

class TortureCommits : public TortureCalls<CommitScenario> {
  protected:
    node::Options options() const {
        node::Options options =
            options_of(data(), GetParam().backend, GetParam().durability, GetParam().fold_bytes);
        options.schema = history_schema();
        return options;
    }
    void prepare() const override {
        std::filesystem::remove_all(data());
        if (GetParam().prepared == 0) return;
        const Database store = node::open_database(options());
        for (uint64_t view = 2; view <= GetParam().prepared; ++view) make_commit(store, view);
        store.close();
    }
    std::vector<std::string> command() const override {
        const CommitScenario& scenario = GetParam();
        return {KEEL_TORTURE_CHILD,
                data(),
                db::to_string(scenario.backend),
                db::to_string(scenario.durability),
                std::to_string(scenario.commits),
                std::to_string(scenario.fold_bytes)};
    }
    void check(const Ended& ended, Counts& counts) const override {
        const Said said(ended.text);
        Database store = reopen(options(), ended, counts);
        if (!store) return;
        const uint64_t view = store.begin_ro().view_id();
        const uint64_t before = std::max<uint64_t>(1, GetParam().prepared);
        const uint64_t acknowledged = std::max(before, said.acknowledged);
        // In mode `close` it is the close that acknowledges.
        const uint64_t least =
            GetParam().durability == Durability::Close && !said.closed ? before : acknowledged;
        if (view < least || view > acknowledged + 1) {
            counts.add("LOST");
            ADD_FAILURE() << "commit " << view << "; acknowledged " << acknowledged << "\n"
                          << ended.text;
            return;
        }
        if (!expect_content(store, digests()[view], ended, counts)) return;
        counts.add(view == acknowledged + 1 ? "the one under way" : "the last acknowledged");
        expect_to_go_on(options(), std::move(store), view + 1, digests()[view + 1], ended, counts);
    }
    static const std::vector<std::string>& digests() {
        static const std::vector<std::string> kDigests = history_digests(160);
        return kDigests;
    }
};

TEST_P(TortureCommits, K57_killed_and_failed_at_every_call_nothing_acknowledged_is_lost) {
    end_and_fail_at_each_call(12);
}

INSTANTIATE_TEST_SUITE_P(
    Torture, TortureCommits,
    ::testing::Values(CommitScenario{"mem_group", Backend::Mem, Durability::Group, 25, kLarge, 0},
                      CommitScenario{"mem_commit", Backend::Mem, Durability::Commit, 25, kLarge, 0},
                      CommitScenario{"mem_fold", Backend::Mem, Durability::Group, 60, 20'000, 20},
                      CommitScenario{"mem_close", Backend::Mem, Durability::Close, 25, kLarge, 10},
                      CommitScenario{"lmdb_group", Backend::Lmdb, Durability::Group, 25, 0, 0},
                      CommitScenario{"lmdb_commit", Backend::Lmdb, Durability::Commit, 25, 0, 10}),
    [](const auto& chosen) { return std::string(chosen.param.name); });

// Works on whole stores.

enum class Work : uint8_t { Compact, Convert, Bulk, BulkOfNew, BulkAhead, BulkRuns };

struct WorkScenario {
    const char* name;
    Work work;
    Backend backend;
    uint64_t fold_bytes;
};

constexpr uint64_t kPrepared = 30;

class TortureWorks : public TortureCalls<WorkScenario> {
  protected:
    std::filesystem::path target() const { return root_.path() / "target"; }
    Backend other() const {
        return GetParam().backend == Backend::Mem ? Backend::Lmdb : Backend::Mem;
    }
    node::Options options() const {
        node::Options opening =
            options_of(data(), GetParam().backend, Durability::Group, GetParam().fold_bytes);
        // A creation that was killed begins anew.
        if (is_of_new()) opening.schema = history_schema();
        return opening;
    }
    bool is_of_new() const {
        return GetParam().work == Work::BulkOfNew || GetParam().work == Work::BulkAhead;
    }
    uint64_t prepared() const { return is_of_new() ? 1 : kPrepared; }
    bool is_bulk() const {
        return GetParam().work != Work::Compact && GetParam().work != Work::Convert;
    }
    void prepare() const override {
        for (const char* const name : {"data", "target", "target.partial"})
            std::filesystem::remove_all(root_.path() / name);
        if (is_of_new()) return;
        node::Options making = options();
        making.schema = history_schema();
        const Database store = node::open_database(making);
        for (uint64_t view = 2; view <= kPrepared; ++view) make_commit(store, view);
        store.close();
    }
    std::vector<std::string> command() const override {
        switch (GetParam().work) {
            case Work::Compact:
                return {KEEL_PROGRAM, "db", "compact", "--quiet", "--datadir", data()};
            case Work::Convert:
                return {KEEL_PROGRAM, "db",   "convert", "--quiet",
                        "--datadir",  data(), "--to",    db::to_string(other()),
                        target()};
            case Work::Bulk:
            case Work::BulkOfNew:
            case Work::BulkRuns:
            case Work::BulkAhead:
                break;
        }
        return {KEEL_TORTURE_CHILD,
                data(),
                db::to_string(GetParam().backend),
                "group",
                std::to_string(prepared()),
                std::to_string(GetParam().fold_bytes),
                GetParam().work == Work::Bulk        ? "bulk"
                : GetParam().work == Work::BulkOfNew ? "large"
                : GetParam().work == Work::BulkAhead ? "ahead"
                                                     : "runs"};
    }
    void check(const Ended& ended, Counts& counts) const override {
        if (GetParam().work == Work::Convert) check_target(ended, counts);
        check_data(ended, counts);
    }
    void check_data(const Ended& ended, Counts& counts) const {
        Database store = reopen(options(), ended, counts);
        if (!store) return;
        const uint64_t view = store.begin_ro().view_id();
        const bool bulk = is_bulk();
        const bool loaded = bulk && view == prepared() + 1;
        const bool must_be = bulk && Said(ended.text).acknowledged > prepared();
        if (!loaded && (view != prepared() || must_be)) {
            counts.add("LOST");
            ADD_FAILURE() << "commit " << view << "\n" << ended.text;
            return;
        }
        if (!expect_content(store, loaded ? digest_of_load() : digests()[prepared()], ended,
                            counts))
            return;
        // What a load began is taken away by the next opening, at the latest.
        for (const auto& entry : std::filesystem::directory_iterator(data())) {
            const std::string name = entry.path().filename();
            EXPECT_FALSE(name.ends_with(".load") || name.starts_with("bulk-")) << name;
        }
        counts.add(!bulk ? "the content" : loaded ? "the load" : "what was before it");
        if (bulk) return;
        expect_to_go_on(options(), std::move(store), kPrepared + 1, digests()[kPrepared + 1], ended,
                        counts);
    }
    void check_target(const Ended& ended, Counts& counts) const {
        const bool there = std::filesystem::exists(target());
        if (!there) {
            EXPECT_NE(ended.exit_code, 0);
            counts.add("no target until a second run");
            // What the first one has left is in nobody's way.
            ChildProcess again(command());
            EXPECT_EQ(again.wait(), 0) << again.output();
        }
        EXPECT_FALSE(std::filesystem::exists(target().string() + ".partial"));
        node::Options opening = options();
        opening.directory = target();
        opening.backend = other();
        opening.access = db::Access::ReadOnly;
        const Database copy = reopen(opening, ended, counts);
        if (copy && expect_content(copy, digests()[kPrepared], ended, counts) && there)
            counts.add("target whole");
    }
    /// By commit.
    static const std::vector<std::string>& digests() {
        static const std::vector<std::string> kDigests = history_digests(kPrepared + 1);
        return kDigests;
    }
    /// After the bulk load behind the prepared commits.
    std::string digest_of_load() const {
        static std::map<Work, std::string> of_work;
        std::string& digest = of_work[GetParam().work];
        if (digest.empty()) {
            const Database store = db::open_ephemeral(history_schema(), db::testing::kReserveBytes);
            for (uint64_t view = 2; view <= prepared(); ++view) make_commit(store, view);
            if (GetParam().work == Work::BulkAhead) {
                make_ahead_commit(store, prepared() + 1);
            } else {
                make_bulk_commit(store, prepared() + 1,
                                 GetParam().work == Work::Bulk ? kSmallLoad : kLargeLoad);
            }
            digest = digest_of_all(store);
        }
        return digest;
    }
};

TEST_P(TortureWorks, killed_or_failed_at_each_call_it_leaves_the_old_or_the_new) {
    end_and_fail_at_each_call(4);
}

INSTANTIATE_TEST_SUITE_P(
    Torture, TortureWorks,
    ::testing::Values(WorkScenario{"compact_mem", Work::Compact, Backend::Mem, kLarge},
                      WorkScenario{"compact_lmdb", Work::Compact, Backend::Lmdb, kLarge},
                      WorkScenario{"convert_mem_to_lmdb", Work::Convert, Backend::Mem, kLarge},
                      WorkScenario{"convert_lmdb_to_mem", Work::Convert, Backend::Lmdb, kLarge},
                      WorkScenario{"bulk_mem_as_record", Work::Bulk, Backend::Mem, kLarge},
                      WorkScenario{"bulk_mem_as_image", Work::Bulk, Backend::Mem, 20'000},
                      WorkScenario{"bulk_lmdb", Work::Bulk, Backend::Lmdb, kLarge},
                      WorkScenario{"bulk_of_a_new_mem", Work::BulkOfNew, Backend::Mem, kLarge},
                      WorkScenario{"bulk_of_a_new_lmdb", Work::BulkOfNew, Backend::Lmdb, kLarge},
                      WorkScenario{"bulk_built_ahead_mem", Work::BulkAhead, Backend::Mem, kLarge},
                      WorkScenario{"bulk_in_runs_mem", Work::BulkRuns, Backend::Mem, kLarge},
                      WorkScenario{"bulk_in_runs_lmdb", Work::BulkRuns, Backend::Lmdb, kLarge}),
    [](const auto& chosen) { return std::string(chosen.param.name); });

}  // namespace
}  // namespace keel::tests
