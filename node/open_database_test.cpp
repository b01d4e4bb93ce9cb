#include "node/open_database.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <functional>
#include <thread>

#include "node/datadir.hpp"
#include "node/lock.hpp"
#include "node/registry.hpp"
#include "node/signals.hpp"

namespace keel::node {
namespace {

namespace fs = std::filesystem;
using db::ErrorCode;

class OpenDatabase : public testing::TestWithParam<db::Backend> {
  protected:
    OpenDatabase() {
        std::string name = (fs::temp_directory_path() / "keel-node-XXXXXX").string();
        root_ = ::mkdtemp(name.data());
        options_.directory = root_ / "data";
        options_.backend = GetParam();
        options_.schema = {{"T", db::Kind::Plain}};
    }
    ~OpenDatabase() override {
        static_cast<void>(Registry::process().close_all());
        fs::remove_all(root_);
    }

    db::Database open(const fs::path& directory) const {
        Options options = options_;
        options.directory = directory;
        return open_database(options);
    }
    static void put(const db::Database& database, std::string_view key) {
        database.update([&](db::WriteTxn& txn) { txn.put(database.table("T"), key, "v"); });
    }
    static bool has(const db::Database& database, std::string_view key) {
        return database.begin_ro().has(database.table("T"), key);
    }
    static std::optional<ErrorCode> error_of(const std::function<void()>& action) {
        try {
            action();
        } catch (const db::Error& error) {
            return error.code();
        }
        return std::nullopt;
    }

    fs::path root_;
    Options options_;
};

TEST_P(OpenDatabase, every_spelling_of_a_path_is_one_store) {
    const db::Database first = open_database(options_);
    fs::create_directory_symlink(root_ / "data", root_ / "link");
    for (const fs::path& spelling :
         {root_ / "data/", root_ / "x/../data", root_ / "link", fs::relative(root_ / "data")}) {
        const db::Database other = open(spelling);
        EXPECT_EQ(Registry::process().size(), 1U) << spelling;
        put(other, spelling.string());
        EXPECT_TRUE(has(first, spelling.string()));
        EXPECT_EQ(other.uid(), first.uid());
    }
}

TEST_P(OpenDatabase, a_handle_that_closes_first_leaves_the_other_whole) {
    const db::Database first = open_database(options_);
    const db::Database second = open_database(options_);
    put(first, "a");
    first.close();
    EXPECT_EQ(error_of([&] { static_cast<void>(first.begin_ro()); }), ErrorCode::Closed);
    put(second, "b");
    second.close();
    EXPECT_EQ(Registry::process().size(), 0U);
    const db::Database again = open_database(options_);
    EXPECT_TRUE(has(again, "a"));
    EXPECT_TRUE(has(again, "b"));
}

TEST_P(OpenDatabase, many_threads_that_open_and_close_one_path_lose_nothing) {
    constexpr int kThreads = 8;
    constexpr int kRounds = 10;
    std::vector<std::jthread> threads;
    for (int i = 0; i < kThreads; ++i)
        threads.emplace_back([&, i] {
            for (int round = 0; round < kRounds; ++round) {
                const db::Database database = open_database(options_);
                put(database, std::to_string(i * kRounds + round));
            }
        });
    threads.clear();
    const db::Database database = open_database(options_);
    EXPECT_EQ(database.begin_ro().count(database.table("T")), uint64_t{kThreads * kRounds});
}

TEST_P(OpenDatabase, a_directory_made_anew_is_another_database) {
    const db::Database old = open_database(options_);
    put(old, "a");
    old.sync();
    fs::remove_all(options_.directory);
    const db::Database fresh = open_database(options_);
    EXPECT_NE(fresh.uid(), old.uid());
    EXPECT_FALSE(has(fresh, "a"));
    put(fresh, "b");
    // The store asks at most once in 50 ms; mem hears of it when it saves.
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    std::optional<ErrorCode> error;
    while (!error && std::chrono::steady_clock::now() < give_up)
        error = error_of([&] {
            put(old, "c");
            old.sync();
        });
    EXPECT_EQ(error, ErrorCode::Detached);
    EXPECT_TRUE(has(fresh, "b"));
}

TEST_P(OpenDatabase, other_options_on_an_open_path_are_a_conflict) {
    const db::Database database = open_database(options_);
    Options other = options_;
    other.access = db::Access::ReadOnly;
    EXPECT_EQ(error_of([&] { open_database(other); }), ErrorCode::OptionsConflict);
    other = options_;
    other.schema = {{"T", db::Kind::DupSort}};
    EXPECT_EQ(error_of([&] { open_database(other); }), ErrorCode::OptionsConflict);
    other.schema.clear();
    EXPECT_EQ(open_database(other).uid(), database.uid());
}

TEST_P(OpenDatabase, the_directory_remembers_its_backend) {
    open_database(options_).close();
    Options other = options_;
    other.backend = GetParam() == db::Backend::Mem ? db::Backend::Lmdb : db::Backend::Mem;
    try {
        open_database(other);
        FAIL() << "opened";
    } catch (const db::Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::WrongBackend);
        EXPECT_NE(error.message().find("keel db convert"), std::string::npos);
    }
    other.backend.reset();
    EXPECT_EQ(open_database(other).stats().backend, db::to_string(GetParam()));
}

TEST_P(OpenDatabase, a_failed_open_changes_nothing) {
    Options wrong = options_;
    wrong.directory = root_ / "deep/er";
    wrong.schema = {{"no such name!", db::Kind::Plain}};
    EXPECT_TRUE(error_of([&] { open_database(wrong); }).has_value());
    EXPECT_FALSE(fs::exists(root_ / "deep"));
    Options reader = options_;
    reader.access = db::Access::ReadOnly;
    EXPECT_EQ(error_of([&] { open_database(reader); }), ErrorCode::NotFound);
    EXPECT_FALSE(fs::exists(options_.directory));
    EXPECT_EQ(Registry::process().size(), 0U);
}

TEST_P(OpenDatabase, a_lost_data_file_is_damage_and_stays_lost) {
    open_database(options_).close();
    fs::remove(options_.directory / (GetParam() == db::Backend::Mem ? "store.img" : "data.mdb"));
    EXPECT_EQ(error_of([&] { open_database(options_); }), ErrorCode::Corrupt);
    EXPECT_EQ(error_of([&] { open_database(options_); }), ErrorCode::Corrupt);
}

class NetworkFiles : public core::FileSystem {
  public:
    int open(const fs::path& path, core::OpenMode mode, bool follow, int& descriptor) override {
        return real_.open(path, mode, follow, descriptor);
    }
    void close(int descriptor) noexcept override { real_.close(descriptor); }
    int read_at(int d, void* to, size_t bytes, uint64_t offset, size_t& got) override {
        return real_.read_at(d, to, bytes, offset, got);
    }
    int write_at(int d, const void* from, size_t bytes, uint64_t offset, size_t& got) override {
        return real_.write_at(d, from, bytes, offset, got);
    }
    int sync(int d) override { return real_.sync(d); }
    int sync_data(int d) override { return real_.sync_data(d); }
    int truncate(int d, uint64_t bytes) override { return real_.truncate(d, bytes); }
    int info(int d, core::FileInfo& out) override { return real_.info(d, out); }
    int info(const fs::path& path, core::FileInfo& out) override { return real_.info(path, out); }
    int rename(const fs::path& from, const fs::path& to) override { return real_.rename(from, to); }
    int unlink(const fs::path& path) override { return real_.unlink(path); }
    int sync_directory(const fs::path& path) override { return real_.sync_directory(path); }
    int list(const fs::path& path, std::vector<std::string>& names) override {
        return real_.list(path, names);
    }
    int map_read_only(int d, size_t bytes, void* at, void*& out) override {
        return real_.map_read_only(d, bytes, at, out);
    }
    void unmap(void* at, size_t bytes) noexcept override { real_.unmap(at, bytes); }
    int try_lock(int d) override { return real_.try_lock(d); }
    int free_space(const fs::path& path, uint64_t& bytes) override {
        return real_.free_space(path, bytes);
    }
    int is_network_file_system(const fs::path&, bool& network) override {
        network = true;
        return 0;
    }

  private:
    core::SystemFiles real_;
};

/// One sync of a directory fails.
class FailingFiles final : public NetworkFiles {
  public:
    explicit FailingFiles(int at) : left_(at) {}
    int sync_directory(const fs::path& path) override {
        return --left_ == 0 ? EIO : NetworkFiles::sync_directory(path);
    }
    int is_network_file_system(const fs::path&, bool& network) override {
        network = false;
        return 0;
    }
    bool has_failed() const { return left_ <= 0; }

  private:
    int left_;
};

TEST_P(OpenDatabase, a_creation_that_failed_can_be_tried_again) {
    for (int at = 1;; ++at) {
        SCOPED_TRACE(at);
        FailingFiles files(at);
        Options options = options_;
        options.files = &files;
        try {
            open_database(options).close();
        } catch (const core::Fault& fault) {
            EXPECT_TRUE(files.has_failed()) << fault.message();
        }
        if (!files.has_failed()) break;
        open_database(options_).close();
        fs::remove_all(options_.directory);
    }
}

TEST_P(OpenDatabase, a_network_file_system_is_written_only_when_allowed) {
    NetworkFiles files;
    Options options = options_;
    options.files = &files;
    EXPECT_EQ(error_of([&] { open_database(options); }), ErrorCode::NetworkFileSystem);
    EXPECT_FALSE(fs::exists(options.directory));
    options.allow_network_file_system = true;
    open_database(options).close();
    options.allow_network_file_system = false;
    options.access = db::Access::ReadOnly;
    EXPECT_TRUE(open_database(options).read_only());
}

TEST_P(OpenDatabase, a_writer_of_another_process_is_named_and_read_beside) {
    open_database(options_).close();
    int ready[2];
    ASSERT_EQ(::pipe(ready), 0);
    const pid_t child = ::fork();
    if (child == 0) {
        Options options = options_;
        options.command = "keel daemon";
        const db::Database database = open_database(options);
        if (::write(ready[1], "x", 1) != 1) ::_exit(1);
        ::pause();
    }
    char byte;
    ASSERT_EQ(::read(ready[0], &byte, 1), 1);
    try {
        open_database(options_);
        ADD_FAILURE() << "two writers";
    } catch (const InUse& in_use) {
        EXPECT_EQ(in_use.pid(), static_cast<uint64_t>(child));
        EXPECT_EQ(in_use.command(), "keel daemon");
    }
    Options reader = options_;
    reader.access = db::Access::ReadOnly;
    EXPECT_FALSE(has(open_database(reader), "a"));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    open_database(options_).close();
    ::close(ready[0]);
    ::close(ready[1]);
}

enum class End : uint8_t { Exit, ExitOfAnotherThread, Int, Term, Hup, TermTwice };

TEST_P(OpenDatabase, however_a_process_ends_its_rows_are_kept) {
    constexpr int kRows = 100;
    const std::pair<End, int> ends[] = {{End::Exit, 7},  {End::ExitOfAnotherThread, 9},
                                        {End::Int, 130}, {End::Term, 143},
                                        {End::Hup, 129}, {End::TermTwice, 143}};
    for (const auto& [end, code] : ends) {
        Options options = options_;
        options.directory = root_ / std::to_string(static_cast<int>(end));
        options.durability = db::Durability::Close;
        const pid_t child = ::fork();
        if (child == 0) {
            const SignalWatch watch({});
            const db::Database database = open_database(options);
            for (int row = 0; row < kRows; ++row) put(database, std::to_string(row));
            switch (end) {
                case End::Exit:
                    std::exit(7);
                case End::ExitOfAnotherThread:
                    std::thread([] { std::exit(9); }).join();
                    break;
                case End::Int:
                    ::kill(::getpid(), SIGINT);
                    break;
                case End::Hup:
                    ::kill(::getpid(), SIGHUP);
                    break;
                case End::TermTwice:
                    ::kill(::getpid(), SIGTERM);
                    [[fallthrough]];
                case End::Term:
                    ::kill(::getpid(), SIGTERM);
                    break;
            }
            for (;;) ::pause();
        }
        int status = 0;
        ::waitpid(child, &status, 0);
        ASSERT_TRUE(WIFEXITED(status)) << static_cast<int>(end);
        EXPECT_EQ(WEXITSTATUS(status), code);
        const db::Database database = open_database(options);
        EXPECT_EQ(database.begin_ro().count(database.table("T")), uint64_t{kRows});
    }
}

INSTANTIATE_TEST_SUITE_P(Backends, OpenDatabase,
                         testing::Values(db::Backend::Mem, db::Backend::Lmdb),
                         [](const auto& backend) {
                             return std::string(db::to_string(backend.param));
                         });

}  // namespace
}  // namespace keel::node
