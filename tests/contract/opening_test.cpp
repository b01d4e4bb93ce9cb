// KV.md A.11, opening: K50, K51, K52, K58, K70 and K71.

#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <fstream>
#include <thread>

#include "db/lmdb/file_check.hpp"
#include "db/testing/contract_fixture.hpp"
#include "db/tools/checksum.hpp"
#include "node/lock.hpp"
#include "tests/contract/kv_contract.hpp"
#include "tests/support/network_files.hpp"

namespace keel::tests {

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

TYPED_TEST_SUITE(KvContract, BothBackends, BackendNames);

/// Directories and files of a test are visible to a child that has given its rights away.
void let_others_look(const fs::path& path) {
    fs::permissions(path, fs::perms::others_read | fs::perms::others_exec, fs::perm_options::add);
}

// K50 (R33): every spelling of a path is one object.
TYPED_TEST(KvContract, K50_every_spelling_of_a_path_is_one_store) {
    const Database first = this->open();
    fs::create_directory(this->root() / "beside");
    fs::create_directory_symlink(this->directory(), this->root() / "link");
    const fs::path data = this->directory();
    const fs::path spellings[] = {
        fs::relative(data),
        this->root() / "beside" / ".." / "data",
        this->root() / "link",
        this->root() / "link" / "",
        fs::path(data.string() + "//"),
        this->root() / "." / "data" / ".",
    };
    uint64_t number = 0;
    for (const fs::path& spelling : spellings) {
        SCOPED_TRACE(spelling);
        const Database other = this->open_at(spelling);
        EXPECT_EQ(other.uid(), first.uid());
        EXPECT_EQ(other.path(), first.path());
        const std::string key = "row " + std::to_string(number++);
        this->put(other, key);
        EXPECT_TRUE(this->has(first, key)) << "at once: there is one store";
        auto held = first.begin_rw();
        ASSERT_TRUE(held);
        EXPECT_EQ(other.begin_rw_try().error(), db::Refused::Busy) << "and one writer";
    }
}

// K50 (R34, B16). Seen elsewhere: the first of two handles saved and unregistered, the second wrote
// on into nothing.
TYPED_TEST(KvContract, K50_a_handle_that_closes_leaves_the_others_whole) {
    {
        const Database first = this->open();
        const Database second = this->open();
        this->put(first, "by the first");
        first.close();
        first.close();
        EXPECT_EQ(error_of([&] { first.begin_ro(); }), ErrorCode::Closed);
        this->put(second, "by the second");
        const Database third = this->open();
        EXPECT_TRUE(this->has(third, "by the second"));
        second.close();
        this->put(third, "by the third");
        third.close();
    }
    const Database again = this->open();
    for (const char* key : {"by the first", "by the second", "by the third"})
        EXPECT_TRUE(this->has(again, key)) << key;
}

// K50 (R33): concurrent opens and closes of one path.
TYPED_TEST(KvContract, K50_sixteen_threads_open_and_close_one_path) {
    constexpr size_t kThreads = 16;
    const size_t rounds = db::testing::scaled(1'000, 320) / kThreads;
    std::atomic<uint64_t> failures = 0;
    {
        std::vector<std::jthread> threads;
        for (size_t thread = 0; thread < kThreads; ++thread)
            threads.emplace_back([&, thread] {
                for (size_t round = 0; round < rounds; ++round) {
                    try {
                        const Database store = this->open();
                        this->put(store, std::to_string(thread) + " " + std::to_string(round));
                        store.close();
                    } catch (const core::Fault& fault) {
                        ++failures;
                        ADD_FAILURE() << fault.message();
                        return;
                    }
                }
            });
    }
    EXPECT_EQ(failures.load(), 0u);
    EXPECT_EQ(this->count(this->open()), kThreads * rounds);
}

// K51 (R35, B5). Seen elsewhere: a wiped directory came back with the old genesis.
TYPED_TEST(KvContract, K51_a_directory_made_anew_is_a_new_database) {
    std::string uid;
    {
        const Database store = this->open();
        uid = store.uid();
        this->put(store, "old");
        store.close();
    }
    fs::remove_all(this->directory());
    fs::create_directory(this->directory());
    const Database store = this->open();
    EXPECT_NE(store.uid(), uid);
    EXPECT_EQ(this->count(store), 0u);
    EXPECT_GE(store.begin_ro().view_id(), 1u);
}

// K51 (R35, R47): the same while the old handle is open; that one is told.
TYPED_TEST(KvContract, K51_an_old_handle_of_a_replaced_directory_is_detached) {
    const Database old = this->open();
    this->put(old, "old");
    old.sync();
    fs::remove_all(this->directory());
    fs::create_directory(this->directory());
    const Database fresh = this->open();
    EXPECT_NE(fresh.uid(), old.uid());
    EXPECT_EQ(this->count(fresh), 0u);
    this->put(fresh, "new");
    // The writer looks at most once in 50 ms, and mode `close` at the next save at the latest.
    std::optional<ErrorCode> error;
    const Clock::time_point give_up = Clock::now() + 10s;
    while (!error && Clock::now() < give_up)
        error = error_of([&] {
            this->put(old, "lost");
            old.sync();
        });
    EXPECT_EQ(error, ErrorCode::Detached);
    EXPECT_TRUE(this->has(old, "old")) << "reads go on";
    error_of([&] { old.close(); });
    EXPECT_TRUE(this->has(fresh, "new"));
    EXPECT_FALSE(this->has(fresh, "old"));
    fresh.close();
    const Database again = this->open();
    EXPECT_EQ(this->count(again), 1u);
    EXPECT_TRUE(this->has(again, "new"));
}

// K52 (R36).
TYPED_TEST(KvContract, K52_a_second_writer_process_is_refused_at_once_and_a_reader_is_not) {
    constexpr uint64_t kRows = 20;
    ChildProcess holder(this->child("hold-after-save", kRows));
    ASSERT_TRUE(holder.wait_for_line("ready")) << holder.output();
    const std::string pid = std::to_string(holder.pid());

    auto fastest = Clock::duration::max();
    for (int tries = 0; tries < 3; ++tries) {
        const Clock::time_point before = Clock::now();
        try {
            this->open();
            ADD_FAILURE() << "two writers";
        } catch (const node::InUse& in_use) {
            EXPECT_EQ(in_use.code(), ErrorCode::InUse);
            EXPECT_EQ(in_use.exit_code(), 3);
            EXPECT_EQ(in_use.pid(), static_cast<uint64_t>(holder.pid()));
            EXPECT_NE(in_use.command().find("hold-after-save"), std::string::npos);
            const std::string start =
                "data directory " + this->directory().string() + " is in use by pid " + pid + " (";
            EXPECT_EQ(in_use.message().substr(0, start.size()), start);
            EXPECT_NE(in_use.message().find(", since "), std::string::npos) << in_use.message();
        }
        fastest = std::min(fastest, Clock::now() - before);
    }
    EXPECT_LT(fastest, 100ms);
    ChildProcess second(this->child("return-0"));
    EXPECT_EQ(second.wait(), 3) << second.output();
    EXPECT_NE(second.output().find("in use by pid " + pid), std::string::npos) << second.output();

    // In mode `close` a reader sees the last save of mem, the last commit of LMDB.
    const uint64_t seen = this->kMem ? kRows : kRows + 1;
    {
        const Database reading = this->open_read_only();
        EXPECT_EQ(this->count(reading), seen);
        EXPECT_EQ(error_of([&] { return reading.begin_rw().has_value(); }), ErrorCode::ReadOnly);
        ChildProcess reader(this->child("read"));
        EXPECT_EQ(reader.wait(), 0) << reader.output();
        EXPECT_NE(reader.output().find("rows " + std::to_string(seen)), std::string::npos)
            << reader.output();
        reading.close();
    }
    // A holder that was killed holds nothing.
    holder.signal(SIGKILL);
    EXPECT_EQ(holder.wait(), 128 + SIGKILL);
    const Database store = this->open();
    EXPECT_EQ(this->count(store), seen);
    this->put(store, "writable");
    store.close();
    EXPECT_TRUE(fs::exists(this->directory() / "LOCK")) << "it stays; whether it is held decides";
}

// K52 (R36): --wait.
TYPED_TEST(KvContract, K52_a_writer_waits_for_the_holder_as_long_as_it_was_told) {
    ChildProcess holder(this->child("hold-after-save", 1));
    ASSERT_TRUE(holder.wait_for_line("ready")) << holder.output();
    node::Options options = this->options();
    options.wait = 50ms;
    const Clock::time_point before = Clock::now();
    EXPECT_EQ(error_of([&] { node::open_database(options); }), ErrorCode::InUse);
    EXPECT_GE(Clock::now() - before, options.wait);
    std::jthread killer([&] {
        std::this_thread::sleep_for(50ms);
        holder.signal(SIGKILL);
    });
    options.wait = 30s;
    this->put(node::open_database(options), "k");
}

// K52 (R36): readers beside each other, and a writer beside a reader.
TYPED_TEST(KvContract, K52_readers_keep_nobody_out_and_make_nothing) {
    EXPECT_EQ(error_of([&] { this->open_read_only(); }), ErrorCode::NotFound);
    EXPECT_FALSE(fs::exists(this->directory())) << "nothing is made";
    fs::create_directory(this->directory());
    EXPECT_EQ(error_of([&] { this->open_read_only(); }), ErrorCode::NotFound);
    EXPECT_TRUE(fs::is_empty(this->directory()));
    {
        const Database store = this->open();
        this->put(store, "k");
        store.close();
    }
    const Database reading = this->open_read_only();
    const db::ReadTxn txn = reading.begin_ro();
    ChildProcess writer(this->child("return-0", 5));
    EXPECT_EQ(writer.wait(), 0) << writer.output();
    ChildProcess reader(this->child("read"));
    EXPECT_EQ(reader.wait(), 0) << reader.output();
    EXPECT_NE(reader.output().find("rows 6"), std::string::npos) << reader.output();
    EXPECT_EQ(txn.count(reading.table("T")), 1u) << "its own snapshot";
}

// K58 (R40, B5).
TYPED_TEST(KvContract, K58_all_files_lie_inside_the_directory_and_a_copy_is_the_database) {
    for (const char* name : {"home", "tmp", "work"}) fs::create_directory(this->root() / name);
    const auto around = [&] {
        std::map<std::string, std::string> contents = contents_of(this->root());
        std::erase_if(contents, [](const auto& file) {
            return file.first == "data" || file.first.starts_with("data/");
        });
        return contents;
    };
    const auto before = around();
    const auto run = [&](const std::string& command, uint64_t rows) {
        ChildProcess child(this->child(command, rows), (this->root() / "work").string(),
                           {"HOME=" + (this->root() / "home").string(),
                            "TMPDIR=" + (this->root() / "tmp").string()});
        EXPECT_EQ(child.wait(), 0) << child.output();
    };
    run("return-0", 100);
    run("return-0", 200);
    run("read", 0);
    EXPECT_TRUE(around() == before);
    EXPECT_TRUE(fs::exists(this->directory() / "KEEL"));
    fs::copy(this->directory(), this->root() / "copy", fs::copy_options::recursive);
    const Database original = this->open();
    const Database copy = this->open_at(this->root() / "copy");
    EXPECT_EQ(this->count(copy), 200u);
    EXPECT_EQ(copy.uid(), original.uid());
    EXPECT_EQ(copy.begin_ro().view_id(), original.begin_ro().view_id());
    EXPECT_EQ(db::tools::checksum(copy).digest, db::tools::checksum(original).digest);
    // Two databases from now on.
    this->put(copy, "only in the copy");
    EXPECT_FALSE(this->has(original, "only in the copy"));
}

// K70 (R43).
TYPED_TEST(KvContract, K70_asking_for_the_other_backend_names_the_way_to_convert) {
    {
        const Database store = this->open();
        this->put(store, "k");
        store.close();
    }
    const auto before = contents_of(this->directory());
    node::Options other = this->options();
    other.backend = TypeParam::kOther;
    try {
        node::open_database(other);
        ADD_FAILURE() << "opened";
    } catch (const db::Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::WrongBackend);
        EXPECT_NE(error.message().find("keel db convert"), std::string::npos) << error.message();
        EXPECT_NE(error.message().find(this->directory().string()), std::string::npos);
    }
    EXPECT_TRUE(contents_of(this->directory()) == before);
    other.backend.reset();  // whatever it is
    const Database store = node::open_database(other);
    EXPECT_EQ(store.stats().backend, TypeParam::kName);
    EXPECT_TRUE(this->has(store, "k"));
}

/// Whether nobody holds the lock of the directory, and a store can be opened there again by another
/// process.
template <class Test>
void expect_unlocked(const Test& test) {
    ChildProcess child(test.child("return-0"));
    EXPECT_EQ(child.wait(), 0) << child.output();
}

// K70 (R44, R42).
TYPED_TEST(KvContract, K70_a_failed_open_leaves_the_directory_as_it_was) {
    const std::string data_file = this->kMem ? "store.img" : "data.mdb";
    {
        const Database store = this->open();
        this->put(store, "k");
        store.close();
    }
    const auto sound = contents_of(this->directory());
    // A declared table of another kind.
    node::Options wrong_kind = this->options();
    wrong_kind.schema = {{"T", db::Kind::DupSort}};
    EXPECT_EQ(error_of([&] { node::open_database(wrong_kind); }), ErrorCode::KindMismatch);
    EXPECT_TRUE(contents_of(this->directory()) == sound);
    expect_unlocked(*this);
    // A foreign file in the place of the data.
    const auto now_sound = contents_of(this->directory());
    const std::string foreign(64 * 1024, 'x');
    std::ofstream(this->directory() / data_file, std::ios::trunc) << foreign;
    const auto with_foreign = contents_of(this->directory());
    const std::optional<ErrorCode> refused = error_of([&] { this->open(); });
    EXPECT_TRUE(refused == ErrorCode::Corrupt || refused == ErrorCode::VersionMismatch);
    EXPECT_TRUE(contents_of(this->directory()) == with_foreign) << "never replaced";
    // Zero bytes are not a new store (X32, B12).
    std::ofstream(this->directory() / data_file, std::ios::trunc).flush();
    EXPECT_EQ(error_of([&] { this->open(); }), ErrorCode::Corrupt);
    EXPECT_EQ(fs::file_size(this->directory() / data_file), 0u);
    // The right file again: the next open works.
    std::ofstream(this->directory() / data_file, std::ios::trunc) << now_sound.at(data_file);
    EXPECT_TRUE(this->has(this->open(), "k"));
    expect_unlocked(*this);
}

// K70 (R44): no permission; no space at creation.
TYPED_TEST(KvContract, K70_creating_without_permission_or_space_leaves_nothing) {
    fs::create_directory(this->directory());
    let_others_look(this->root());
    fs::permissions(this->directory(), fs::perms::owner_read | fs::perms::owner_exec |
                                           fs::perms::others_read | fs::perms::others_exec);
    let_others_look(fs::path(KEEL_STORE_CHILD).parent_path());
    ChildProcess nobody(this->child("open-as-nobody"));
    EXPECT_NE(nobody.wait(), 0);
    EXPECT_NE(nobody.output().find(this->directory().string()), std::string::npos)
        << nobody.output();
    EXPECT_TRUE(fs::is_empty(this->directory()));
    fs::permissions(this->directory(), fs::perms::owner_all);

    ChildProcess full(this->child("open-on-a-full-disk"));
    EXPECT_EQ(full.wait(), 5) << full.output();
    EXPECT_NE(full.output().find(this->directory().string()), std::string::npos) << full.output();
    EXPECT_TRUE(contents_of(this->directory()).empty()) << "of a store that was never there";
    expect_unlocked(*this);
    EXPECT_EQ(this->count(this->open()), 0u);
}

// K71 (R46).
TYPED_TEST(KvContract, K71_a_network_file_system_is_written_only_when_that_is_allowed) {
    NetworkFiles files;
    node::Options options = this->options();
    options.files = &files;
    try {
        node::open_database(options);
        ADD_FAILURE() << "opened";
    } catch (const db::Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::NetworkFileSystem);
        EXPECT_NE(error.message().find("network file system"), std::string::npos);
        EXPECT_NE(error.message().find("--db.allow-nfs"), std::string::npos) << error.message();
    }
    EXPECT_FALSE(fs::exists(this->directory()));
    options.allow_network_file_system = true;
    {
        const Database store = node::open_database(options);
        this->put(store, "k");
        store.close();
    }
    options.allow_network_file_system = false;
    EXPECT_EQ(error_of([&] { node::open_database(options); }), ErrorCode::NetworkFileSystem);
    options.access = db::Access::ReadOnly;
    options.durability.reset();
    const Database reading = node::open_database(options);
    EXPECT_TRUE(this->has(reading, "k"));
    reading.close();
}

// R37. liblmdb's reader follows its writer, ours stays where it was opened.
TYPED_TEST(KvContract, a_reader_reads_every_table_that_it_lists_whoever_made_it) {
    {
        const Database store = this->open();
        this->put(store, "k");
        store.close();
    }
    node::Options options = this->options();
    options.access = db::Access::ReadOnly;
    options.durability.reset();
    options.schema.clear();
    const Database reading = node::open_database(options);
    EXPECT_TRUE(this->has(reading, "k"));
    ChildProcess child(
        {KEEL_STORE_CHILD, this->directory().string(), TypeParam::kName, "make-and-drop-table"});
    ASSERT_EQ(child.wait(), 0) << child.output();
    for (int round = 0; round < 2; ++round) {
        const db::ReadTxn txn = reading.begin_ro();
        const auto tables = txn.list_tables();
        ASSERT_EQ(tables.size(), 1U);
        EXPECT_EQ(tables[0].name, this->kMem ? "T" : "Made");
        EXPECT_EQ(txn.count(reading.table(tables[0].name)), 1U);
        EXPECT_TRUE(txn.has(reading.table(tables[0].name), "k"));
        if (this->kMem) continue;
        EXPECT_FALSE(txn.exists(reading.table("T")));
        EXPECT_EQ(error_of([&] { txn.has(reading.table("T"), "k"); }), ErrorCode::NoSuchTable);
    }
    reading.close();
}

/// A file that has another commit whenever it is read, as often as there are any.
class CommittingFiles final : public ForwardedFiles {
  public:
    CommittingFiles(fs::path path, const std::vector<std::string>& commits)
        : path_(std::move(path)), commits_(commits) {
        std::ofstream(path_, std::ios::binary) << commits_[0];
    }
    int read_at(int descriptor, void* to, size_t bytes, uint64_t offset, size_t& got) override {
        if (next_ < commits_.size()) {
            std::fstream(path_, std::ios::binary | std::ios::in | std::ios::out)
                << commits_[next_++];
        }
        return ForwardedFiles::read_at(descriptor, to, bytes, offset, got);
    }

  private:
    const fs::path path_;
    const std::vector<std::string>& commits_;  // lifetime: the test's
    size_t next_ = 1;
};

// R37, X33.
TEST(LmdbFileCheck, a_file_whose_writer_goes_on_while_it_is_looked_at_is_sound) {
    const TempDirectory directory;
    node::Options options;
    options.directory = directory.path() / "data";
    options.backend = db::Backend::Lmdb;
    options.durability = db::Durability::Close;
    options.schema = {{"T", db::Kind::Plain}};
    const fs::path file = options.directory / "data.mdb";
    std::vector<std::string> commits;
    for (size_t round = 0; round < 8; ++round) {
        const Database store = node::open_database(options);
        store.update([&](db::WriteTxn& txn) {
            for (size_t row = 0; row < size_t{200} << round; ++row)
                txn.put(store.table("T"), std::to_string(row * 7919), std::string(round * 9, 'v'));
        });
        store.close();
        std::ifstream in(file, std::ios::binary);
        commits.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
    }
    for (size_t first = 0; first + 1 < commits.size(); ++first) {
        const fs::path copy = directory.path() / "copy.mdb";
        fs::remove(copy);
        const std::vector<std::string> some(commits.begin() + static_cast<ptrdiff_t>(first),
                                            commits.end());
        CommittingFiles files(copy, some);
        EXPECT_TRUE(db::lmdb::check_data_file(files, copy).exists) << first;
    }
}

}  // namespace

}  // namespace keel::tests
