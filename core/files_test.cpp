#include "core/files.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <thread>

namespace keel::core {
namespace {

class FilesTest : public ::testing::Test {
  protected:
    FilesTest() {
        std::string pattern =
            (std::filesystem::temp_directory_path() / "keel-files-XXXXXX").string();
        folder_ = ::mkdtemp(pattern.data());
    }
    ~FilesTest() override { std::filesystem::remove_all(folder_); }

    SystemFiles files_;
    std::filesystem::path folder_;
};

TEST_F(FilesTest, a_file_written_atomically_reads_back_and_leaves_no_temporary) {
    const auto path = folder_ / "a";
    write_file_atomically(files_, path, "one");
    write_file_atomically(files_, path, "three");
    EXPECT_EQ(ByteView(read_file(files_, path)), ByteView("three"));
    EXPECT_EQ(list_directory(files_, folder_), std::vector<std::string>{"a"});
}

TEST_F(FilesTest, an_empty_file_reads_as_nothing_and_maps_to_nothing) {
    const auto path = folder_ / "empty";
    write_file_atomically(files_, path, ByteView());
    EXPECT_TRUE(read_file(files_, path).empty());
    const File file(files_, path, OpenMode::Read);
    EXPECT_TRUE(MappedFile(files_, file, 0).bytes().empty());
}

TEST_F(FilesTest, a_failure_names_file_operation_and_reason) {
    try {
        read_file(files_, folder_ / "missing");
        FAIL() << "no fault";
    } catch (const FileFault& fault) {
        EXPECT_EQ(fault.error_number(), ENOENT);
        EXPECT_EQ(fault.operation(), "open");
        EXPECT_NE(fault.message().find("missing"), std::string::npos);
        EXPECT_EQ(fault.exit_code(), 5);
        EXPECT_FALSE(fault.disk_full());
    }
    EXPECT_EQ(file_info(files_, folder_ / "missing"), std::nullopt);
}

TEST_F(FilesTest, a_symbolic_link_is_refused_where_that_is_asked) {
    write_file_atomically(files_, folder_ / "a", "x");
    std::filesystem::create_symlink(folder_ / "a", folder_ / "link");
    EXPECT_NO_THROW(File(files_, folder_ / "link", OpenMode::Read, true));
    EXPECT_THROW(File(files_, folder_ / "link", OpenMode::Read, false), FileFault);
}

TEST_F(FilesTest, a_lock_is_held_against_another_descriptor_and_survives_its_closing) {
    File first(files_, folder_ / "LOCK", OpenMode::Create);
    EXPECT_TRUE(first.try_lock());
    {
        File second(files_, folder_ / "LOCK", OpenMode::Create);
        EXPECT_FALSE(second.try_lock());
    }
    File third(files_, folder_ / "LOCK", OpenMode::Create);
    EXPECT_FALSE(third.try_lock());
    first.close();
    EXPECT_TRUE(third.try_lock());
}

TEST_F(FilesTest, a_file_longer_than_the_limit_is_refused) {
    write_file_atomically(files_, folder_ / "a", "12345");
    EXPECT_NO_THROW(read_file(files_, folder_ / "a", 5));
    EXPECT_THROW(read_file(files_, folder_ / "a", 4), FileFault);
}

TEST_F(FilesTest, free_space_and_kind_of_file_system_are_told) {
    uint64_t bytes = 0;
    bool network = true;
    EXPECT_EQ(files_.free_space(folder_, bytes), 0);
    EXPECT_GT(bytes, 0U);
    EXPECT_EQ(files_.is_network_file_system(folder_, network), 0);
    EXPECT_FALSE(network);
}

TEST(ReadStream, gives_what_has_come_then_the_end) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    ASSERT_EQ(::write(ends[1], "abc", 3), 3);
    ::close(ends[1]);
    const WakeUp wake_up;
    char buffer[8];
    EXPECT_EQ(read_stream(ends[0], "pipe", buffer, sizeof buffer, wake_up), 3U);
    EXPECT_EQ(read_stream(ends[0], "pipe", buffer, sizeof buffer, wake_up), 0U);
    ::close(ends[0]);
    EXPECT_THROW(static_cast<void>(read_stream(ends[0], "pipe", buffer, sizeof buffer, wake_up)),
                 FileFault);
}

TEST(ReadStream, is_woken_while_it_waits) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    WakeUp wake_up;
    std::thread waker([&] { wake_up.wake(); });
    char buffer[8];
    EXPECT_EQ(read_stream(ends[0], "pipe", buffer, sizeof buffer, wake_up), std::nullopt);
    waker.join();
    ::close(ends[0]);
    ::close(ends[1]);
}

TEST(AddressRange, is_committed_in_parts_and_reads_as_zero_after_discard) {
    constexpr uint64_t kBytes = uint64_t{1} << 30;
    AddressRange range(kBytes, kBytes);
    ASSERT_TRUE(range.commit(0, 8192));
    range.populate(0, 8192);
    range.data()[4096] = 7;
    range.discard(4096, 4096);
    EXPECT_EQ(range.data()[4096], 0);
}

}  // namespace
}  // namespace keel::core
