#include "node/lock.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "node/datadir.hpp"

namespace keel::node {
namespace {

struct Folder {
    Folder() {
        std::string name = (std::filesystem::temp_directory_path() / "keel-lock-XXXXXX").string();
        path = ::mkdtemp(name.data());
    }
    ~Folder() { std::filesystem::remove_all(path); }
    std::filesystem::path path;
};

TEST(Lock, a_second_holder_hears_who_has_it) {
    const Folder folder;
    core::SystemFiles files;
    const DirectoryLock lock(files, folder.path, "keel daemon --http");
    try {
        const DirectoryLock second(files, folder.path, "keel import");
        FAIL() << "two holders";
    } catch (const InUse& in_use) {
        EXPECT_EQ(in_use.pid(), static_cast<uint64_t>(::getpid()));
        EXPECT_EQ(in_use.command(), "keel daemon --http");
        EXPECT_EQ(in_use.exit_code(), 3);
        EXPECT_EQ(in_use.message(), "data directory " + folder.path.string() +
                                        " is in use by pid " + std::to_string(::getpid()) +
                                        " (keel daemon --http, since " + in_use.since() + ")");
        EXPECT_THAT(in_use.since(),
                    testing::MatchesRegex("20[0-9-]+T[0-9][0-9]:[0-9][0-9]:[0-9][0-9]Z"));
    }
}

TEST(Lock, a_released_lock_leaves_its_file_and_can_be_taken_again) {
    const Folder folder;
    core::SystemFiles files;
    DirectoryLock lock(files, folder.path, "first");
    lock.release();
    EXPECT_TRUE(std::filesystem::exists(folder.path / kLockName));
    const DirectoryLock again(files, folder.path, "second");
    EXPECT_TRUE(again.held());
}

TEST(Lock, a_holder_that_was_killed_holds_nothing) {
    const Folder folder;
    int ready[2];
    ASSERT_EQ(::pipe(ready), 0);
    const pid_t child = ::fork();
    if (child == 0) {
        core::SystemFiles files;
        const DirectoryLock lock(files, folder.path, "child");
        const ssize_t written = ::write(ready[1], "x", 1);
        if (written != 1) ::_exit(1);
        ::pause();
    }
    char byte;
    ASSERT_EQ(::read(ready[0], &byte, 1), 1);
    core::SystemFiles files;
    EXPECT_THROW(DirectoryLock(files, folder.path, ""), InUse);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    EXPECT_TRUE(DirectoryLock(files, folder.path, "").held());
    ::close(ready[0]);
    ::close(ready[1]);
}

TEST(Lock, a_failed_open_takes_away_only_a_file_that_it_made) {
    const Folder folder;
    core::SystemFiles files;
    DirectoryLock(files, folder.path, "").release_as_it_was(files);
    EXPECT_FALSE(std::filesystem::exists(folder.path / kLockName));
    DirectoryLock(files, folder.path, "").release();
    DirectoryLock(files, folder.path, "").release_as_it_was(files);
    EXPECT_TRUE(std::filesystem::exists(folder.path / kLockName));
}

TEST(Marker, reads_back_what_was_written_and_says_where_it_is_damaged) {
    const Folder folder;
    core::SystemFiles files;
    EXPECT_EQ(read_marker(files, folder.path), std::nullopt);
    const Marker marker = {.backend = db::Backend::Lmdb,
                           .uid = "00112233445566778899aabbccddeeff",
                           .producer = "keel 1"};
    write_marker(files, folder.path, marker);
    EXPECT_EQ(read_marker(files, folder.path), marker);
    const auto code_of = [&](std::string_view text) {
        core::write_file_atomically(files, folder.path / kMarkerName, core::ByteView(text));
        try {
            read_marker(files, folder.path);
        } catch (const db::Error& error) {
            return error.code();
        }
        return db::ErrorCode::Closed;
    };
    EXPECT_EQ(code_of(""), db::ErrorCode::Corrupt);
    EXPECT_EQ(code_of("format=1\nbackend=mem\n"), db::ErrorCode::Corrupt);
    EXPECT_EQ(code_of("format=1\nbackend=tape\nuid=00\nproducer=\n"), db::ErrorCode::Corrupt);
    EXPECT_EQ(code_of("format=2\nanything\n"), db::ErrorCode::VersionMismatch);
}

}  // namespace
}  // namespace keel::node
