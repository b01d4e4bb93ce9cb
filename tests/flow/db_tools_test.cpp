// `keel db …` as a user starts it: what is printed, exit codes, and that looking changes nothing.

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "core/files.hpp"
#include "tests/flow/flow.hpp"

namespace keel::tests {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

RunOptions small_files() {
    RunOptions options;
    options.file_bytes_max = 16'384;
    return options;
}

template <class Tag>
class DbTools : public Flow<Tag> {
  public:
    using Flow<Tag>::folder;

    /// A chain of some blocks, closed.
    void make() const {
        this->init(folder.write("genesis.json", core::ByteView(genesis_of_empty_chain())));
        const std::string blocks = folder.write("chain.rlp", to_rlp(make_empty_chain(40)));
        const Ran ran = folder.keel({"import", blocks});
        ASSERT_EQ(ran.exit_code, 0) << ran.err;
    }
    Json json(const std::vector<std::string>& arguments, int exit_code = 0) const {
        std::vector<std::string> all = arguments;
        all.push_back("--json");
        const Ran ran = folder.keel(all);
        EXPECT_EQ(ran.exit_code, exit_code) << ran.err;
        return Json::parse(ran.out, nullptr, false);
    }
    /// Every file of the data directory.
    std::map<std::string, core::Bytes> files() const {
        core::SystemFiles system;
        std::map<std::string, core::Bytes> found;
        for (const auto& entry : std::filesystem::directory_iterator(folder.datadir()))
            found[entry.path().filename()] = core::read_file(system, entry.path());
        // liblmdb notes its readers there.
        found.erase("lock.mdb");
        return found;
    }
};

TYPED_TEST_SUITE(DbTools, db::testing::BothBackends, db::testing::BackendNames);

TYPED_TEST(DbTools, compact_keeps_the_content_and_says_the_bytes) {
    this->make();
    const std::string digest = this->folder.digest();
    const Json stats = this->json({"db", "stats"});
    const Json report = this->json({"db", "compact"});
    EXPECT_EQ(report.at("viewId"), stats.at("viewId"));
    // Of a chain this short the log is smaller than the pages of an image.
    EXPECT_GT(report.at("bytesBefore"), 0u);
    EXPECT_EQ(this->folder.digest(), digest);
    const Ran again = this->folder.keel({"db", "compact"});
    EXPECT_EQ(again.exit_code, 0);
    EXPECT_EQ(again.out, fmt::format("compacted view id {} bytes {} before {}\n",
                                     report.at("viewId").get<uint64_t>(),
                                     report.at("bytesAfter").get<uint64_t>(),
                                     report.at("bytesAfter").get<uint64_t>()));
    EXPECT_EQ(this->json({"db", "check"}).at("sound"), true);
    EXPECT_EQ(this->json({"db", "stats"}).at("viewId"), stats.at("viewId"));
}

TYPED_TEST(DbTools, compact_of_a_directory_in_use_ends_with_3_and_changes_nothing) {
    this->make();
    const auto before = this->files();
    ChildProcess daemon(
        this->folder.command({"daemon", "--http.port", "0", "--authrpc.port", "0"}));
    ASSERT_TRUE(daemon.wait_for_text("ready ")) << daemon.output();
    const Ran ran = this->folder.keel({"db", "compact"});
    EXPECT_EQ(ran.exit_code, 3);
    EXPECT_THAT(ran.err, HasSubstr("in use by pid"));
    daemon.signal(SIGTERM);
    daemon.wait();
    const auto after = this->files();
    for (const char* const name : {"store.img", "data.mdb"}) {
        if (!before.contains(name)) continue;
        EXPECT_EQ(after.at(name), before.at(name));
    }
}

TYPED_TEST(DbTools, nothing_to_compact_is_a_wrong_call_and_makes_nothing) {
    EXPECT_EQ(this->folder.keel({"db", "compact"}).exit_code, 2);
    EXPECT_FALSE(std::filesystem::exists(this->folder.datadir()));
    std::filesystem::create_directory(this->folder.datadir());
    EXPECT_EQ(this->folder.keel({"db", "compact"}).exit_code, 2);
    EXPECT_TRUE(std::filesystem::is_empty(this->folder.datadir()));
}

TYPED_TEST(DbTools, compact_on_a_full_disk_leaves_the_old_files) {
    this->make();
    const std::string digest = this->folder.digest();
    const auto before = this->files();
    const Ran ran = this->folder.keel({"db", "compact"}, small_files());
    EXPECT_EQ(ran.exit_code, 5) << ran.out << ran.err;
    auto after = this->files();
    after["LOCK"] = before.at("LOCK");
    EXPECT_EQ(after, before);
    EXPECT_EQ(this->folder.digest(), digest);
}

TYPED_TEST(DbTools, what_looks_changes_no_file) {
    this->make();
    const auto before = this->files();
    const std::string html = (this->folder.path() / "stats.html").string();
    const std::vector<std::vector<std::string>> calls = {
        {"db", "stats"},    {"db", "stats", "--html", html},
        {"db", "list"},     {"db", "get", "Chain", "head"},
        {"db", "dump"},     {"db", "check"},
        {"db", "checksum"}, {"db", "repair", "--dry-run"}};
    for (const std::vector<std::string>& call : calls) {
        const Ran ran = this->folder.keel(call);
        EXPECT_EQ(ran.exit_code, 0) << call[1] << ran.err;
        auto after = this->files();
        if (call[1] == "repair") after["LOCK"] = before.at("LOCK");
        EXPECT_EQ(after, before) << call[1];
    }
    EXPECT_TRUE(std::filesystem::exists(html));
}

TYPED_TEST(DbTools, convert_makes_the_other_directory_whole_or_not_at_all) {
    this->make();
    const std::string digest = this->folder.digest();
    const std::string other = TestFixture::kMem ? "lmdb" : "mem";
    const std::filesystem::path target = this->folder.path() / "converted";
    // What a killed one has left.
    std::filesystem::create_directory(target.string() + ".partial");
    std::ofstream(target.string() + ".partial/KEEL") << "half";
    const Json report = this->json({"db", "convert", target.string(), "--to", other});
    EXPECT_EQ(report.at("backend"), other);
    EXPECT_EQ(report.at("digest"), digest);
    EXPECT_FALSE(std::filesystem::exists(target.string() + ".partial"));
    EXPECT_EQ(this->folder.keel({"db", "diff", target.string()}).exit_code, 0);
    // It is there now.
    const Ran again = this->folder.keel({"db", "convert", target.string(), "--to", other});
    EXPECT_EQ(again.exit_code, 2);
    EXPECT_THAT(again.err, HasSubstr("is not empty"));
    // A disk that is full in the middle.
    const std::filesystem::path never = this->folder.path() / "never/";
    const Ran full =
        this->folder.keel({"db", "convert", never.string(), "--to", other}, small_files());
    EXPECT_EQ(full.exit_code, 5) << full.err;
    EXPECT_FALSE(std::filesystem::exists(this->folder.path() / "never"));
    EXPECT_FALSE(std::filesystem::exists(this->folder.path() / "never.partial"));
    EXPECT_EQ(this->folder.digest(), digest);
}

class ImageTool : public DbTools<db::testing::Mem> {
  public:
    void TestBody() override {}
};

TEST(ImageTools, an_image_is_shown_and_checked_without_its_database) {
    const ImageTool tool;
    tool.make();
    const std::string copy = (tool.folder.path() / "elsewhere.img").string();
    std::filesystem::copy_file(std::filesystem::path(tool.folder.datadir()) / "store.img", copy);
    ChildProcess daemon(tool.folder.command({"daemon", "--http.port", "0", "--authrpc.port", "0"}));
    ASSERT_TRUE(daemon.wait_for_text("ready ")) << daemon.output();
    const Json report = tool.json({"db", "image"});  // beside a writer
    daemon.signal(SIGTERM);
    daemon.wait();
    EXPECT_EQ(report.at("sound"), true);
    EXPECT_GT(report.at("tables").size(), 10u);
    const Json other = tool.json({"db", "image", copy});
    EXPECT_EQ(other.at("digest"), report.at("digest"));
    const Json page = tool.json({"db", "image", copy, "--page", "2"});
    EXPECT_EQ(page.at("checksumRight"), true);
    EXPECT_GT(page.at("items").size(), 0u);
    EXPECT_EQ(tool.folder.keel({"db", "image", copy, "--page", "0"}).exit_code, 2);
    EXPECT_EQ(tool.folder.keel({"db", "image", copy + ".none"}).exit_code, 2);
    // One flipped byte in a page, then in both headers.
    std::fstream file(copy, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(2 * 4096 + 100);
    file.put('\x7f');
    file.flush();
    const Json damaged = tool.json({"db", "image", copy}, 4);
    EXPECT_EQ(damaged.at("sound"), false);
    EXPECT_EQ(damaged.at("issues").at(0).at("offset"), 2 * 4096);
    for (const int at : {30, 4096 + 30}) {
        file.seekp(at);
        file.put('\x7f');
    }
    file.close();
    const Ran ran = tool.folder.keel({"db", "image", copy});
    EXPECT_EQ(ran.exit_code, 4);
    EXPECT_THAT(ran.err, HasSubstr(copy));
}

/// The page as a browser has built it; empty: there is no browser.
std::string page_in_browser(const std::string& html, const std::filesystem::path& folder) {
    if (!std::filesystem::exists("/usr/bin/chromium")) return {};
    ChildProcess browser(
        {"/usr/bin/chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
         "--no-first-run", "--disable-background-networking", "--disable-component-update",
         "--disable-sync", "--user-data-dir=" + (folder / "browser").string(),
         "--window-size=1200,900", "--screenshot=" + (folder / "page.png").string(), "--dump-dom",
         "file://" + html});
    EXPECT_EQ(browser.wait(), 0) << browser.output();
    return browser.output();
}

TYPED_TEST(DbTools, the_picture_of_the_figures_stands_in_a_browser) {
    this->make();
    const std::string html = (this->folder.path() / "stats.html").string();
    ASSERT_EQ(this->folder.keel({"db", "stats", "--html", html}).exit_code, 0);
    const std::string page = page_in_browser(html, this->folder.path());
    if (page.empty()) GTEST_SKIP() << "no browser: apt-get install chromium";
    for (const char* const table : {"Account", "AccountChangeSet", "Header", "TrieStorage"})
        EXPECT_THAT(page, HasSubstr(table));
    EXPECT_THAT(page, HasSubstr("</html>"));
    EXPECT_THAT(page, ::testing::Not(HasSubstr("ERR_")));
    // A picture with something on it: a blank page of this size packs into some 5 KB.
    EXPECT_GT(std::filesystem::file_size(this->folder.path() / "page.png"), 15'000u);
}

}  // namespace
}  // namespace keel::tests
