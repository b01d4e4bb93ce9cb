#include "db/tools/repair.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "db/testing/contract_fixture.hpp"
#include "db/testing/memory_files.hpp"

namespace keel::db::tools {
namespace {

using testing::digest_of_all;
using testing::error_of;
using testing::MemoryFiles;

constexpr char kFolder[] = "/data";
constexpr char kLog[] = "/data/store-1.log";

OpenOptions options_on(core::FileSystem* files, const std::filesystem::path& directory) {
    OpenOptions options;
    options.directory = directory;
    options.schema = {{"P", Kind::Plain}};
    options.reserve_bytes = uint64_t{1} << 30;
    options.files = files;
    return options;
}

/// A mem store with eight commits behind its image, closed; states[n] is what commit n left.
struct Filled {
    Filled() {
        files.make_directory(kFolder);
        const Database store = open(Backend::Mem, options_on(&files, kFolder));
        states.resize(2);
        states[1] = digest_of_all(store);
        ends = {0, 4096};
        for (int commit = 2; commit <= 9; ++commit) {
            store.update([&](WriteTxn& txn) {
                txn.put(store.table("P"), "key " + std::to_string(commit), "value");
            });
            states.push_back(digest_of_all(store));
            ends.push_back(4096 + store.stats().log_bytes);
        }
        store.close();
    }
    std::string state() {
        const Database store = open(Backend::Mem, options_on(&files, kFolder));
        return digest_of_all(store);
    }
    MemoryFiles files;
    std::vector<std::string> states;
    std::vector<uint64_t> ends;
};

TEST(Repair, a_sound_store_needs_none_and_is_left_alone) {
    Filled filled;
    const auto before = filled.files.contents();
    const RepairReport report = repair(Backend::Mem, filled.files, kFolder, true);
    EXPECT_TRUE(report.found.empty());
    EXPECT_EQ(report.commit_id, 9u);
    EXPECT_EQ(filled.files.contents(), before);
}

TEST(Repair, a_damaged_log_goes_back_to_the_commit_before_and_the_rest_is_kept) {
    for (uint64_t commit = 2; commit <= 9; ++commit) {
        Filled filled;
        core::Bytes log = filled.files.contents().at(kLog);
        log[filled.ends[commit - 1] + 60] ^= 1;  // in the payload
        filled.files.put(kLog, log);
        EXPECT_EQ(error_of([&] { filled.state(); }), ErrorCode::Corrupt);
        const auto before = filled.files.contents();
        const RepairReport looked = repair(Backend::Mem, filled.files, kFolder, false);
        ASSERT_EQ(looked.found.size(), 1u);
        EXPECT_NE(looked.found[0].find(kLog), std::string::npos) << looked.found[0];
        EXPECT_EQ(looked.commit_id, commit - 1);
        EXPECT_EQ(filled.files.contents(), before) << "only looked";
        const RepairReport report = repair(Backend::Mem, filled.files, kFolder, true);
        EXPECT_EQ(report.commit_id, commit - 1);
        EXPECT_EQ(report.kept, std::vector<std::string>{std::string(kLog) + ".damaged"});
        EXPECT_EQ(filled.files.contents().at(report.kept[0]), log);
        EXPECT_EQ(filled.state(), filled.states[commit - 1]);
        EXPECT_TRUE(repair(Backend::Mem, filled.files, kFolder, true).found.empty());
    }
}

TEST(Repair, a_log_that_is_gone_or_has_no_header_is_begun_anew_behind_the_image) {
    Filled gone;
    gone.files.unlink(kLog);
    EXPECT_EQ(repair(Backend::Mem, gone.files, kFolder, true).commit_id, 1u);
    EXPECT_EQ(gone.state(), gone.states[1]);
    Filled headless;
    core::Bytes log = headless.files.contents().at(kLog);
    log[20] ^= 1;
    headless.files.put(kLog, log);
    const RepairReport report = repair(Backend::Mem, headless.files, kFolder, true);
    EXPECT_EQ(report.commit_id, 1u);
    EXPECT_EQ(report.kept.size(), 1u);
    EXPECT_EQ(headless.state(), headless.states[1]);
}

TEST(Repair, an_image_without_a_header_is_beyond_repair_and_stays_as_it_is) {
    Filled filled;
    core::Bytes image = filled.files.contents().at("/data/store.img");
    image[10] ^= 1;
    image[4096 + 10] ^= 1;
    filled.files.put("/data/store.img", image);
    const auto before = filled.files.contents();
    EXPECT_TRUE(error_of([&] { repair(Backend::Mem, filled.files, kFolder, true); }));
    EXPECT_EQ(filled.files.contents(), before);
}

TEST(Repair, the_whole_header_page_of_lmdb_takes_the_place_of_the_damaged_one) {
    for (const size_t damaged_page : {size_t{0}, size_t{1}}) {
        const testing::TempDirectory directory;
        core::SystemFiles files;
        std::vector<std::string> states(2);
        {
            const Database store = open(Backend::Lmdb, options_on(nullptr, directory.path()));
            for (int commit = 2; commit <= 6; ++commit) {
                store.update([&](WriteTxn& txn) {
                    txn.put(store.table("P"), "key " + std::to_string(commit), "value");
                });
                states.push_back(digest_of_all(store));
            }
            store.close();
        }
        const std::filesystem::path data = directory.path() / "data.mdb";
        {
            std::fstream file(data, std::ios::in | std::ios::out | std::ios::binary);
            file.seekp(static_cast<std::streamoff>(damaged_page * testing::kPageBytes));
            file << std::string(200, 'x');
        }
        const auto reopen = [&] {
            const Database store = open(Backend::Lmdb, options_on(nullptr, directory.path()));
            return digest_of_all(store);
        };
        EXPECT_EQ(error_of([&] { reopen(); }), ErrorCode::Corrupt);
        // Commits go to the two pages in turn, the newest one, 6, to page 0.
        const uint64_t left = damaged_page == 0 ? 5 : 6;
        const RepairReport report = repair(Backend::Lmdb, files, directory.path(), true);
        EXPECT_EQ(report.commit_id, left);
        ASSERT_EQ(report.found.size(), 1u);
        EXPECT_NE(report.found[0].find("back to commit " + std::to_string(left)), std::string::npos)
            << report.found[0];
        EXPECT_TRUE(std::filesystem::exists(data.string() + ".damaged"));
        EXPECT_EQ(reopen(), states[left]);
    }
}

}  // namespace
}  // namespace keel::db::tools
