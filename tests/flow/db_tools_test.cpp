// `keel db …` as a user starts it: what is printed, exit codes, and that looking changes nothing.

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <thread>

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

/// All that looks at a data directory, and what may mend it.
const std::vector<std::vector<std::string>> kLooks = {
    {"db", "check"},    {"db", "stats"}, {"db", "list"},
    {"db", "checksum"}, {"db", "dump"},  {"db", "repair", "--dry-run"},
    {"db", "repair"}};

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
    /// What looks answers, and changes no file.
    void expect_looks_to_change_nothing() const {
        const auto before = files();
        for (const std::vector<std::string>& call : kLooks) {
            SCOPED_TRACE(call.back());
            const Ran ran = folder.keel(call);
            EXPECT_EQ(ran.exit_code, 0) << ran.err;
            auto after = files();
            after["LOCK"] = before.at("LOCK");
            EXPECT_EQ(after, before);
        }
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

/// A dump of one table with values of 100 bytes.
std::string dump_of(const std::string& table, size_t entries) {
    std::string text =
        fmt::format("VERSION=3\nformat=bytevalue\ndatabase={}\ntype=btree\nHEADER=END\n", table);
    for (size_t i = 0; i < entries; ++i) text += fmt::format(" {:08x}\n {:0200x}\n", i, i);
    return text + "DATA=END\n";
}

// A load of a new store writes what is to be its image beside it.
TYPED_TEST(DbTools, a_killed_load_leaves_a_new_database_empty_and_its_file_unused) {
    // The second table is as long as the reader's buffers: when the dump stops in it, the first one
    // has been loaded.
    const std::string first = dump_of("A", 20'000);
    const std::string second = dump_of("B", 2'000);
    const std::string half = first + second.substr(0, second.size() - 500);
    const std::string pipe = this->folder.make_pipe("pipe");
    const std::filesystem::path datadir = this->folder.datadir();
    const std::filesystem::path left = datadir / "store.img.load";
    {
        const int writer = ::open(pipe.c_str(), O_RDWR | O_CLOEXEC);
        std::vector<std::string> words = {"/bin/sh", "-c", "exec \"$@\" < " + pipe, "sh"};
        for (const std::string& word :
             this->folder.command({"db", "load", "--db", this->backend(), "-"}))
            words.push_back(word);
        ChildProcess load(words);
        for (size_t done = 0; done < half.size();) {
            const ssize_t wrote = ::write(writer, half.data() + done, half.size() - done);
            ASSERT_GT(wrote, 0);
            done += static_cast<size_t>(wrote);
        }
        while (TestFixture::kMem && !std::filesystem::exists(left) && ::kill(load.pid(), 0) == 0)
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        load.signal(SIGKILL);
        EXPECT_EQ(load.wait(), 128 + SIGKILL) << load.output();
        ::close(writer);
    }
    EXPECT_EQ(std::filesystem::exists(left), TestFixture::kMem);
    const auto before = this->files();
    this->expect_looks_to_change_nothing();
    const Json checked = this->json({"db", "check"});
    EXPECT_EQ(checked.at("sound"), true);
    EXPECT_EQ(checked.at("entries"), 0u);
    EXPECT_EQ(this->json({"db", "stats"}).at("tables").size(), 0u);
    const std::string copy = (this->folder.path() / "copy").string();
    EXPECT_EQ(this->json({"db", "copy", copy}).at("entries"), 0u);
    EXPECT_FALSE(std::filesystem::exists(std::filesystem::path(copy) / "store.img.load"));
    EXPECT_EQ(this->folder.keel({"db", "diff", copy}).exit_code, 0);
    EXPECT_EQ(this->files().size(), before.size());

    const std::string whole = this->folder.write("whole.txt", first + second);
    EXPECT_EQ(this->folder.keel({"db", "load", whole}).out, "A 20000\nB 2000\n");
    EXPECT_FALSE(std::filesystem::exists(left));
    EXPECT_EQ(this->json({"db", "check"}).at("entries"), 22'000u);
}

// Killed just before its file would have become the image: a whole one, of another database.
TYPED_TEST(DbTools, the_whole_file_of_a_killed_load_is_not_taken_for_the_image) {
    this->make();
    const std::filesystem::path datadir = this->folder.datadir();
    const std::filesystem::path left = datadir / "store.img.load";
    const FlowFolder other;
    const std::string dump = other.write("a.txt", core::ByteView(dump_of("A", 20'000)));
    ASSERT_EQ(other.keel({"db", "load", "--db", "mem", dump}).exit_code, 0);
    const std::string digest = this->folder.digest();
    const Json stats = this->json({"db", "stats"});
    std::filesystem::copy_file(std::filesystem::path(other.datadir()) / "store.img", left);
    const auto before = this->files();
    this->expect_looks_to_change_nothing();
    EXPECT_EQ(this->json({"db", "stats"}), stats);
    EXPECT_EQ(this->folder.digest(), digest);
    const std::string copy = (this->folder.path() / "copy").string();
    EXPECT_EQ(this->json({"db", "copy", copy}).at("digest"), digest);
    EXPECT_EQ(this->folder.keel({"db", "diff", copy}).exit_code, 0);

    // Nor does a repair put it in the place of an image that is gone: that is said, and no more.
    const std::string data = TestFixture::kMem ? "store.img" : "data.mdb";
    std::filesystem::rename(datadir / data, this->folder.path() / "away");
    for (const std::vector<std::string>& call : kLooks) {
        SCOPED_TRACE(call.back());
        const Ran ran = this->folder.keel(call);
        EXPECT_EQ(ran.exit_code, 4) << ran.err;
        EXPECT_THAT(ran.err, HasSubstr(data));
    }
    EXPECT_FALSE(std::filesystem::exists(datadir / data));
    std::filesystem::rename(this->folder.path() / "away", datadir / data);
    auto after = this->files();
    after["LOCK"] = before.at("LOCK");
    EXPECT_EQ(after, before);
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
