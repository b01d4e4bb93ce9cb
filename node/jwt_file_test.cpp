#include "node/jwt_file.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "core/fault.hpp"

namespace keel::node {
namespace {

class JwtFile : public testing::Test {
  protected:
    JwtFile() { std::filesystem::create_directory(folder); }
    ~JwtFile() override { std::filesystem::remove_all(folder); }
    void write(const std::string& text) const { std::ofstream(path) << text; }

    core::SystemFiles files;
    std::filesystem::path folder = std::filesystem::path(testing::TempDir()) /
                                   testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::path path = folder / "jwt.hex";
};

TEST_F(JwtFile, is_made_once_for_its_owner_alone) {
    const rpc::JwtSecret made = load_jwt_secret(files, path);
    EXPECT_EQ(load_jwt_secret(files, path), made);
    using enum std::filesystem::perms;
    EXPECT_EQ(std::filesystem::status(path).permissions(), owner_read | owner_write);
    EXPECT_NE(load_jwt_secret(files, folder / "other"), made);
}

TEST_F(JwtFile, is_read_with_prefix_and_line_end) {
    write("0x" + std::string(64, '7') + "\r\n");
    EXPECT_EQ(load_jwt_secret(files, path)[31], 0x77);
}

TEST_F(JwtFile, of_another_length_or_unreadable_is_refused) {
    for (const std::string& text : {std::string(), std::string(62, '7'), std::string(66, '7'),
                                    std::string(64, 'z'), std::string(5000, '7')}) {
        write(text);
        EXPECT_THROW(load_jwt_secret(files, path), core::Fault) << text;
    }
    EXPECT_THROW(load_jwt_secret(files, folder), core::Fault);
    EXPECT_THROW(load_jwt_secret(files, folder / "no" / "such"), core::Fault);
}

}  // namespace
}  // namespace keel::node
