#include "node/runners/suite.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <numeric>
#include <thread>

namespace keel::node::runners {
namespace {

/// A folder of fixture files that is gone at the end of the test.
class TestFolder {
  public:
    TestFolder()
        : path_(std::filesystem::path(testing::TempDir()) /
                (std::string("suite_") +
                 testing::UnitTest::GetInstance()->current_test_info()->name())) {
        std::filesystem::remove_all(path_);
        std::filesystem::create_directories(path_);
    }
    ~TestFolder() { std::filesystem::remove_all(path_); }
    TestFolder(const TestFolder&) = delete;
    TestFolder& operator=(const TestFolder&) = delete;

    void write(const std::string& name, std::string_view content) {
        std::filesystem::create_directories((path_ / name).parent_path());
        core::write_file_atomically(files, path_ / name, content);
    }
    const std::filesystem::path& path() const { return path_; }

    core::SystemFiles files;

  private:
    std::filesystem::path path_;
};

/// A case for each of `"pieces"` pieces of a member, with the piece's number as entry; faults where
/// the member says so.
class CountingRunner final : public Runner {
  public:
    void run(const FixtureFile::Member& member, size_t index,
             std::vector<CaseResult>& results) override {
        if (find(member.test, "fault")) throw MalformedFixture("as asked");
        CaseResult& result = results.emplace_back();
        result.name = member.name;
        result.entry = std::to_string(index);
    }
};

Suite counting_suite() {
    Suite suite;
    suite.pieces = [](const FixtureFile::Member& member) -> std::optional<size_t> {
        const auto pieces = find(member.test, "pieces");
        return pieces ? std::optional<size_t>(read_uint64(*pieces)) : std::nullopt;
    };
    suite.make_runner = [] { return std::make_unique<CountingRunner>(); };
    return suite;
}

std::vector<std::string> lines_of(TestFolder& folder, unsigned workers) {
    std::vector<std::string> lines;
    run_suite(folder.files, find_fixtures(folder.files, {folder.path()}), counting_suite(),
              {.workers = workers}, [&lines](const FileReport& report) {
                  for (const CaseResult& result : report.cases) {
                      lines.push_back(fmt::format("{} {} {} {} {}", report.file.filename().string(),
                                                  result.name, result.entry,
                                                  result.outcome == Outcome::Failed, result.error));
                  }
                  lines.push_back(fmt::format("other {}", report.other_members));
              });
    return lines;
}

TEST(Suite, results_come_in_the_order_of_the_files_whatever_the_number_of_threads) {
    TestFolder folder;
    for (int i = 0; i < 40; ++i) {
        folder.write(fmt::format("{:02}.json", i),
                     fmt::format(R"({{"z": {{"pieces": {}}}, "a": {{"pieces": 1}}}})", i % 7 * 20));
    }
    const std::vector<std::string> want = lines_of(folder, 1);
    ASSERT_EQ(want.size(), 40u + 40u + std::ranges::count_if(want, [](const std::string& line) {
                               return line.find(" z ") != std::string::npos;
                           }));
    for (const unsigned workers : {2u, 3u, 8u}) EXPECT_EQ(lines_of(folder, workers), want);
}

TEST(Suite, a_fault_fails_its_test_and_the_others_go_on) {
    TestFolder folder;
    folder.write("a.json", R"({"x": {"pieces": 1, "fault": true}, "y": {"pieces": 1}})");
    folder.write("b.json", "no JSON");
    folder.write("c.json", R"({"x": {"pieces": 2}, "other": {}, "none": {"pieces": 0}})");
    const std::vector<std::string> lines = lines_of(folder, 2);
    ASSERT_EQ(lines.size(), 8u);
    EXPECT_EQ(lines[0], "a.json x  true as asked");
    EXPECT_EQ(lines[1], "a.json y 0 false ");
    EXPECT_NE(lines[3].find("not JSON"), std::string::npos) << lines[3];
    EXPECT_EQ(lines[5], "c.json x 0 false ");
    EXPECT_EQ(lines[6], "c.json x 1 false ");
    EXPECT_EQ(lines[7], "other 1");
}

TEST(Suite, an_exception_of_the_listener_ends_the_run_and_comes_out) {
    TestFolder folder;
    for (int i = 0; i < 20; ++i) {
        folder.write(fmt::format("{:02}.json", i), R"({"a": {"pieces": 3}})");
    }
    std::atomic<int> told = 0;
    EXPECT_THROW(run_suite(folder.files, find_fixtures(folder.files, {folder.path()}),
                           counting_suite(), {.workers = 3},
                           [&told](const FileReport&) {
                               if (++told == 2) throw std::runtime_error("nobody listens");
                           }),
                 std::runtime_error);
    EXPECT_EQ(told, 2);
}

TEST(Suite, folders_are_walked_in_order_and_hidden_ones_passed_over) {
    TestFolder folder;
    for (const char* const name :
         {"b.json", "a/z.json", "a/y/x.json", ".meta/index.json", "notes.txt", "c.jsonl"}) {
        folder.write(name, "{}");
    }
    std::vector<std::string> found;
    for (const auto& path :
         find_fixtures(folder.files, {folder.path(), folder.path() / "notes.txt"})) {
        found.push_back(path.lexically_relative(folder.path()).string());
    }
    EXPECT_EQ(found, (std::vector<std::string>{"a/y/x.json", "a/z.json", "b.json", "notes.txt"}));
    EXPECT_THROW(find_fixtures(folder.files, {folder.path() / "missing"}), core::Fault);
}

TEST(Suite, shards_are_disjoint_and_together_the_whole) {
    TestFolder folder;
    for (int i = 0; i < 5; ++i) {
        folder.write(fmt::format("{}.json", i), R"({"a": {"pieces": 3}, "b": {"pieces": 1}})");
    }
    folder.write("bad.json", "{");
    std::vector<std::string> all = lines_of(folder, 1);
    std::erase_if(all, [](const std::string& line) { return line.starts_with("other "); });
    std::vector<std::string> joined;
    for (unsigned index = 0; index < 3; ++index) {
        size_t cases = 0;
        run_suite(folder.files, find_fixtures(folder.files, {folder.path()}), counting_suite(),
                  {.workers = 2, .shard = {.index = index, .count = 3}},
                  [&](const FileReport& report) {
                      for (const CaseResult& result : report.cases) {
                          joined.push_back(fmt::format(
                              "{} {} {} {} {}", report.file.filename().string(), result.name,
                              result.entry, result.outcome == Outcome::Failed, result.error));
                          ++cases;
                      }
                  });
        EXPECT_EQ(cases, 7u);
    }
    std::ranges::sort(all);
    std::ranges::sort(joined);
    EXPECT_EQ(joined, all);
}

/// Takes longer than a test that is allowed a millisecond.
class SlowRunner final : public Runner {
  public:
    void run(const FixtureFile::Member& member, size_t, std::vector<CaseResult>& results) override {
        results.emplace_back().name = member.name;
        if (find(member.test, "slow")) std::this_thread::sleep_for(std::chrono::milliseconds(150));
    }
};

TEST(Suite, a_test_that_takes_too_long_fails_and_is_named_while_it_runs) {
    TestFolder folder;
    folder.write("a.json", R"({"quick": {}, "late": {"slow": 1}})");
    Suite suite;
    suite.pieces = [](const FixtureFile::Member&) { return std::optional<size_t>(1); };
    suite.make_runner = [] { return std::make_unique<SlowRunner>(); };
    std::vector<std::string> told;
    std::vector<std::string> failed;
    run_suite(folder.files, find_fixtures(folder.files, {folder.path()}), suite,
              {.workers = 1,
               .time_limit_ms = 20,
               .on_late = [&told](std::string_view name) { told.emplace_back(name); }},
              [&failed](const FileReport& report) {
                  for (const CaseResult& result : report.cases) {
                      if (result.outcome == Outcome::Failed) failed.push_back(result.name);
                  }
              });
    EXPECT_EQ(told, std::vector<std::string>{"late"});
    EXPECT_EQ(failed, std::vector<std::string>{"late"});
}

}  // namespace
}  // namespace keel::node::runners
