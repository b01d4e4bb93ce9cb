// KV.md A.11, what is on disk: K53, K55, K56 and K66. K57 is in tests/torture.

#include <algorithm>
#include <csignal>
#include <fstream>
#include <iostream>

#include "tests/contract/kv_contract.hpp"
#include "tests/torture/history.hpp"

namespace keel::tests {
namespace {

namespace fs = std::filesystem;
using db::Durability;

template <class Tag>
class KvDurability : public KvContract<Tag> {
  public:
    node::Options options(Durability durability = Durability::Group) const {
        node::Options options = KvContract<Tag>::options();
        options.durability = durability;
        options.schema = history_schema();
        return options;
    }
    std::vector<std::string> history_child(Durability durability, uint64_t commits,
                                           bool dies) const {
        std::vector<std::string> arguments = {
            KEEL_TORTURE_CHILD,        this->directory().string(), Tag::kName,
            db::to_string(durability), std::to_string(commits),    "20000"};
        if (dies) arguments.push_back("die");
        return arguments;
    }
};
TYPED_TEST_SUITE(KvDurability, BothBackends, BackendNames);

// K53 (R37).
TYPED_TEST(KvDurability, K53_a_reader_beside_a_writer_that_folds_sees_whole_commits) {
    node::Options writing = this->options();
    writing.fold_bytes_min = 20'000;
    constexpr uint64_t kCommits = 400;
    const std::vector<std::string> digests = history_digests(kCommits);
    const Database store = node::open_database(writing);
    // Another process reads: the registry would give this one the writer's store.
    ChildProcess reader({KEEL_STORE_CHILD, this->directory().string(), TypeParam::kName,
                         "read-again-and-again", "150"});
    for (uint64_t view = 2; view <= kCommits; ++view) make_commit(store, view);
    EXPECT_EQ(reader.wait(), 0) << reader.output();
    // Lines "view DIGEST..." as the child found them.
    size_t reads = 0;
    uint64_t before = 0;
    const std::string output = reader.output();
    for (size_t at = 0; at < output.size();) {
        const size_t end = output.find("\n\n", at);
        if (end == std::string::npos) break;
        const std::string block = output.substr(at, end - at + 1);
        const size_t line = block.find('\n');
        const uint64_t view = std::stoull(block.substr(0, line));
        ASSERT_LT(view, digests.size());
        EXPECT_EQ(block.substr(line + 1), digests[view]) << "view " << view;
        EXPECT_GE(view, before) << "never back";
        before = view;
        ++reads;
        at = end + 2;
    }
    EXPECT_EQ(reads, 150u) << output;
    store.close();
    const auto contents = contents_of(this->directory());
    ChildProcess after({KEEL_STORE_CHILD, this->directory().string(), TypeParam::kName,
                        "read-again-and-again", "3"});
    EXPECT_EQ(after.wait(), 0) << after.output();
    EXPECT_TRUE(contents_of(this->directory()) == contents) << "a reader changes nothing";
}

// K55 (R38).
TYPED_TEST(KvDurability, K55_killed_after_each_commit_nothing_acknowledged_is_missing) {
    const uint64_t commits = db::testing::scaled(200, 40);
    const std::vector<std::string> digests = history_digests(commits + 1);
    for (const Durability durability : {Durability::Group, Durability::Commit}) {
        fs::remove_all(this->directory());
        for (uint64_t view = 2; view <= commits + 1; ++view) {
            ChildProcess child(this->history_child(durability, view, true));
            EXPECT_EQ(child.wait(), 128 + SIGKILL) << child.output();
            ASSERT_NE(child.output().find(fmt::format("opened {}\n", view - 1)), std::string::npos)
                << child.output();
        }
        const Database store = node::open_database(this->options(durability));
        EXPECT_EQ(store.begin_ro().view_id(), commits + 1);
        EXPECT_EQ(db::testing::digest_of_all(store), digests[commits + 1]);
        store.close();
    }
    if (!this->kMem) return;  // liblmdb's file is changed in place: its state is the newest one
    fs::remove_all(this->directory());
    {
        const Database store = node::open_database(this->options(Durability::Close));
        for (uint64_t view = 2; view <= 5; ++view) make_commit(store, view);
        store.close();
    }
    for (int round = 0; round < 5; ++round) {
        ChildProcess child(this->history_child(Durability::Close, 20, true));
        EXPECT_EQ(child.wait(), 128 + SIGKILL);
        EXPECT_NE(child.output().find("opened 5\n"), std::string::npos) << child.output();
    }
}

// K56 (R42).
TYPED_TEST(KvDurability, K56_a_damaged_file_is_said_and_never_replaced) {
    {
        node::Options options = this->options();
        options.fold_bytes_min = 10'000;
        const Database store = node::open_database(options);
        for (uint64_t view = 2; view <= 40; ++view) make_commit(store, view);
        store.close();
    }
    const fs::path sound = this->root() / "sound";
    fs::rename(this->directory(), sound);
    const std::string digest = history_digests(40).back();
    std::map<std::string, std::string> files = contents_of(sound);
    if (!this->kMem) files.erase("lock.mdb");  // about processes, made anew
    files.erase("LOCK");
    uint64_t right = 0;
    uint64_t said = 0;
    const auto expect_right_or_said = [&](const std::string& name, const std::string& content) {
        fs::remove_all(this->directory());
        fs::create_directory(this->directory());
        for (const auto& [other, bytes] : files)
            std::ofstream(this->directory() / other, std::ios::binary)
                << (other == name ? content : bytes);
        const auto before = contents_of(this->directory());
        try {
            const Database store = node::open_database(this->options());
            EXPECT_EQ(db::testing::digest_of_all(store), digest) << "wrong data";
            store.close();
            ++right;
        } catch (const db::Error& error) {
            ++said;
            EXPECT_TRUE(error.code() == ErrorCode::Corrupt ||
                        error.code() == ErrorCode::VersionMismatch ||
                        error.code() == ErrorCode::WrongBackend)
                << error.message();
            EXPECT_NE(error.message().find(this->directory().string()), std::string::npos)
                << error.message();
            // A page is read when it is asked for, when a new log may have been begun.
            const auto after = contents_of(this->directory());
            for (const auto& [file, bytes] : before) {
                if (!files.contains(file)) continue;
                EXPECT_TRUE(after.contains(file) && after.at(file) == bytes)
                    << file << " changed: " << error.message();
            }
        }
    };
    db::testing::Random random = db::testing::Random(db::testing::process_seed());
    SCOPED_TRACE(fmt::format("KEEL_SEED={}", db::testing::process_seed()));
    for (const auto& [name, whole] : files) {
        if (this->HasFailure()) break;
        SCOPED_TRACE(name);
        expect_right_or_said(name, "");
        const size_t cut_step = this->kMem ? 512 : 4096;
        const size_t cuts = whole.size() / cut_step;
        const size_t step = std::max<size_t>(1, cuts / 60);
        for (size_t cut = 0; cut < cuts; cut += step)
            expect_right_or_said(name, whole.substr(0, cut * cut_step));
        std::string foreign = whole;
        foreign.replace(0, std::min<size_t>(foreign.size(), 16), "a file of another kind");
        if (this->kMem || name == "KEEL") expect_right_or_said(name, foreign);
        if (!this->kMem) continue;
        for (size_t flip = 0; flip < db::testing::scaled(1'000, 100) / files.size(); ++flip) {
            const size_t at = random.below(whole.size());
            std::string flipped = whole;
            flipped[at] = static_cast<char>(flipped[at] ^ (1 << random.below(8)));
            SCOPED_TRACE(fmt::format("byte {}", at));
            // The producer's text in the marker is nobody's checksum's business.
            if (name != "KEEL") expect_right_or_said(name, flipped);
        }
        if (whole.size() > 8'192)
            for (size_t page = 0; page < whole.size() / 4'096; page += 7) {
                std::string zeroed = whole;
                zeroed.replace(page * 4'096, 4'096, 4'096, '\0');
                SCOPED_TRACE(fmt::format("page {}", page));
                expect_right_or_said(name, zeroed);
            }
    }
    EXPECT_GT(said, 50u);
    std::cout << "damaged files: right " << right << "  said " << said << std::endl;
}

/// What a store tells its owner.
class Notes final : public db::Observer {
  public:
    void note(std::string_view event, std::string_view details) override {
        text += std::string(event) + ": " + std::string(details) + "\n";
    }
    std::string text;
};

// K66 (B9).
TYPED_TEST(KvDurability, K66_data_of_a_suspect_producer_are_announced_with_their_commits) {
    node::Options options = this->options();
    options.producer = "keel 0.0.0-broken abc";
    {
        const Database store = node::open_database(options);
        for (uint64_t view = 2; view <= 4; ++view) make_commit(store, view);
        store.close();
    }
    options.producer = "keel 9";
    Notes quiet;
    options.observer = &quiet;
    node::open_database(options).close();
    EXPECT_EQ(quiet.text, "");
    options.suspect_producers = {"keel 0.0.0-broken"};
    for (const db::Access access : {db::Access::ReadWrite, db::Access::ReadOnly}) {
        Notes notes;
        options.observer = &notes;
        options.access = access;
        if (access == db::Access::ReadOnly) options.durability.reset();
        node::open_database(options).close();
        EXPECT_NE(notes.text.find("suspect_data"), std::string::npos) << notes.text;
        EXPECT_NE(notes.text.find("keel 0.0.0-broken abc"), std::string::npos) << notes.text;
        EXPECT_NE(notes.text.find("to 4 were written"), std::string::npos) << notes.text;
        EXPECT_EQ(notes.text.find("keel 9"), std::string::npos) << notes.text;
    }
}

}  // namespace
}  // namespace keel::tests
