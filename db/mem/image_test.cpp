#include "db/mem/image.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <cstdlib>
#include <map>
#include <optional>
#include <random>
#include <thread>

#include "db/bulk_load.hpp"
#include "db/open.hpp"

namespace keel::db::mem {
namespace {

constexpr uint64_t kReserve = uint64_t{1} << 30;

/// Passes every call on; the n-th changing call from now on fails, and all behind it.
class FailingFiles final : public core::FileSystem {
  public:
    /// -1: none fails.
    int64_t calls_left = -1;
    int error_number = EIO;
    uint64_t changing_calls = 0;

    int open(const std::filesystem::path& path, core::OpenMode mode, bool follow_links,
             int& descriptor) override {
        if (mode != core::OpenMode::Read && fails()) return error_number;
        return files_.open(path, mode, follow_links, descriptor);
    }
    void close(int descriptor) noexcept override { files_.close(descriptor); }
    int read_at(int descriptor, void* to, size_t bytes, uint64_t offset, size_t& got) override {
        return files_.read_at(descriptor, to, bytes, offset, got);
    }
    int write_at(int descriptor, const void* from, size_t bytes, uint64_t offset,
                 size_t& got) override {
        return fails() ? error_number : files_.write_at(descriptor, from, bytes, offset, got);
    }
    int sync(int descriptor) override { return fails() ? error_number : files_.sync(descriptor); }
    int sync_data(int descriptor) override {
        return fails() ? error_number : files_.sync_data(descriptor);
    }
    int truncate(int descriptor, uint64_t bytes) override {
        return fails() ? error_number : files_.truncate(descriptor, bytes);
    }
    int info(int descriptor, core::FileInfo& out) override { return files_.info(descriptor, out); }
    int info(const std::filesystem::path& path, core::FileInfo& out) override {
        return files_.info(path, out);
    }
    int rename(const std::filesystem::path& from, const std::filesystem::path& to) override {
        return fails() ? error_number : files_.rename(from, to);
    }
    int unlink(const std::filesystem::path& path) override { return files_.unlink(path); }
    int sync_directory(const std::filesystem::path& path) override {
        return fails() ? error_number : files_.sync_directory(path);
    }
    int list(const std::filesystem::path& path, std::vector<std::string>& names) override {
        return files_.list(path, names);
    }
    int map_read_only(int descriptor, size_t bytes, void* at, void*& out) override {
        return files_.map_read_only(descriptor, bytes, at, out);
    }
    void unmap(void* at, size_t bytes) noexcept override { files_.unmap(at, bytes); }
    int try_lock(int descriptor) override { return files_.try_lock(descriptor); }
    int free_space(const std::filesystem::path& path, uint64_t& bytes) override {
        return files_.free_space(path, bytes);
    }
    int is_network_file_system(const std::filesystem::path& path, bool& network) override {
        return files_.is_network_file_system(path, network);
    }

  private:
    bool fails() {
        ++changing_calls;
        if (calls_left < 0) return false;
        if (calls_left > 0) --calls_left;
        return calls_left == 0;
    }

    core::SystemFiles files_;
};

using Content = std::map<std::string, std::vector<std::pair<std::string, std::string>>>;

std::string text(ByteView view) {
    return std::string(view.text());
}

std::string key_of(uint64_t number) {
    uint8_t bytes[8];
    core::store_be(bytes, number);
    return text({bytes, 8});
}

class ImageTest : public ::testing::Test {
  protected:
    ImageTest() {
        std::string pattern =
            (std::filesystem::temp_directory_path() / "keel-image-XXXXXX").string();
        folder_ = ::mkdtemp(pattern.data());
    }
    ~ImageTest() override { std::filesystem::remove_all(folder_); }

    OpenOptions options() const {
        OpenOptions options;
        options.directory = folder_;
        options.durability = Durability::Close;
        options.schema = {{"Plain", Kind::Plain}, {"Dup", Kind::DupSort}, {"Empty", Kind::Plain}};
        options.reserve_bytes = kReserve;
        options.producer = "keel test";
        options.close_grace_ms = 50;
        return options;
    }
    Database open() const { return db::open(Backend::Mem, options()); }
    std::filesystem::path image() const { return folder_ / kImageName; }
    Bytes image_bytes() {
        core::SystemFiles files;
        return core::read_file(files, image());
    }
    void write_image_bytes(ByteView bytes) {
        core::SystemFiles files;
        core::write_file_atomically(files, image(), bytes);
    }

    /// Rows of every shape: small, in groups, large, empty.
    static void fill(WriteTxn& txn, const Database& store, bool backwards) {
        const Table plain = store.table("Plain");
        const Table dup = store.table("Dup");
        for (uint64_t i = 0; i < 3000; ++i) {
            const uint64_t row = backwards ? 2999 - i : i;
            txn.put(plain, key_of(row * 7), std::string(row % 90, static_cast<char>(row)));
            txn.put(dup, "group" + std::to_string(row % 40), "value" + std::to_string(row));
        }
        txn.put(plain, "", "");
        txn.put(plain, "large", std::string(100'000, 'x'));
        txn.put(plain, "page", std::string(4096, 'y'));
        txn.set_sequence(plain, 77);
    }
    static Content content(const Database& store) {
        Content content;
        const ReadTxn txn = store.begin_ro();
        for (const TableSpec& spec : txn.list_tables()) {
            auto& rows = content[spec.name];
            Range range = txn.range(store.table(spec.name));
            while (const Hit hit = range.next())
                rows.emplace_back(text(hit->key), text(hit->value));
        }
        return content;
    }
    static std::optional<ErrorCode> error_of(const std::function<void()>& action) {
        try {
            action();
        } catch (const Error& error) {
            EXPECT_FALSE(error.message().empty());
            return error.code();
        }
        return std::nullopt;
    }

    std::filesystem::path folder_;
};

TEST_F(ImageTest, what_was_committed_is_there_after_close_and_open) {
    Content before;
    std::string uid;
    uint64_t view = 0;
    {
        const Database store = open();
        view = store.update([&](WriteTxn& txn) { fill(txn, store, false); });
        before = content(store);
        uid = store.uid();
        store.close();
        EXPECT_EQ(error_of([&] { store.begin_ro(); }), ErrorCode::Closed);
        EXPECT_NO_THROW(store.close());
    }
    const Database store = open();
    EXPECT_EQ(content(store), before);
    EXPECT_EQ(store.uid(), uid);
    const ReadTxn txn = store.begin_ro();
    EXPECT_EQ(txn.view_id(), view);
    EXPECT_EQ(txn.sequence(store.table("Plain")), 77U);
    EXPECT_EQ(txn.stat(store.table("Dup")).keys, 40U);
    EXPECT_EQ(txn.count(store.table("Dup")), 3000U);
    EXPECT_TRUE(txn.exists(store.table("Empty")));
    // Views point into the mapped file, and what is not touched is not read.
    EXPECT_LT(store.stats().image_bytes, 1'000'000U);
}

TEST_F(ImageTest, changes_on_top_of_an_image_and_a_second_image) {
    for (int round = 0; round < 4; ++round) {
        const Database store = open();
        store.update([&](WriteTxn& txn) { fill(txn, store, round % 2 == 1); });
        store.update([&](WriteTxn& txn) {
            txn.del(store.table("Plain"), "large");
            txn.del_range(store.table("Dup"), "group1", "group2");
        });
        store.sync();
        const Content saved = content(store);
        store.close();
        const Database again = open();
        EXPECT_EQ(content(again), saved);
    }
}

TEST_F(ImageTest, the_same_content_gives_the_same_pages_however_it_came_about) {
    Bytes images[2];
    for (int way = 0; way < 2; ++way) {
        const Database store = open();
        if (way == 1) {
            for (uint64_t i = 0; i < 2000; ++i)
                store.update(
                    [&](WriteTxn& txn) { txn.put(store.table("Plain"), key_of(i), "gone"); });
            store.update([&](WriteTxn& txn) { txn.clear_table(store.table("Plain")); });
        }
        store.update([&](WriteTxn& txn) { fill(txn, store, way == 1); });
        store.close();
        images[way] = image_bytes();
        std::filesystem::remove(image());
    }
    const size_t header_bytes = kImageHeaderPages * kPageBytes;
    ASSERT_EQ(images[0].size(), images[1].size());
    EXPECT_TRUE(ByteView(images[0]).sub(header_bytes) == ByteView(images[1]).sub(header_bytes));
}

TEST_F(ImageTest, a_store_is_on_disk_as_soon_as_it_is_created) {
    {
        const Database store = open();
        EXPECT_TRUE(std::filesystem::exists(image()));
        EXPECT_EQ(store.begin_ro().view_id(), 1U);
    }
    OpenOptions created = options();
    created.expect_created = true;
    EXPECT_NO_THROW(db::open(Backend::Mem, created));
    std::filesystem::remove(image());
    EXPECT_EQ(error_of([&] { db::open(Backend::Mem, created); }), ErrorCode::Corrupt);
    EXPECT_FALSE(std::filesystem::exists(image()));
}

TEST_F(ImageTest, closing_without_changes_writes_nothing) {
    {
        const Database store = open();
    }
    const auto written = std::filesystem::last_write_time(image());
    {
        const Database store = open();
        store.update([](WriteTxn&) {});
    }
    EXPECT_EQ(std::filesystem::last_write_time(image()), written);
}

TEST_F(ImageTest, a_read_only_open_reads_the_last_image_and_writes_nothing) {
    OpenOptions reading = options();
    reading.access = Access::ReadOnly;
    EXPECT_EQ(error_of([&] { db::open(Backend::Mem, reading); }), ErrorCode::NotFound);
    EXPECT_TRUE(std::filesystem::is_empty(folder_));
    const Database store = open();
    store.update([&](WriteTxn& txn) { fill(txn, store, false); });
    store.sync();
    const Database reader = db::open(Backend::Mem, reading);
    store.update([&](WriteTxn& txn) { txn.clear_table(store.table("Plain")); });
    store.sync();
    EXPECT_EQ(reader.begin_ro().count(reader.table("Plain")), 3003U)
        << "an image that was replaced stays as it was for whoever has it";
    EXPECT_EQ(error_of([&] { (void)reader.begin_rw(); }), ErrorCode::ReadOnly);
}

TEST_F(ImageTest, damage_is_said_and_never_replaced) {
    {
        const Database store = open();
        store.update([&](WriteTxn& txn) { fill(txn, store, false); });
    }
    const Bytes whole = image_bytes();
    const Content expected = content(open());
    const auto open_damaged = [&](const Bytes& bytes) {
        write_image_bytes(bytes);
        const auto error = error_of([&] { content(open()); });
        EXPECT_TRUE(image_bytes() == bytes) << "a damaged file is left alone";
        return error;
    };
    for (size_t size = 0; size < whole.size(); size += size < 16384 ? 512 : 40'960)
        EXPECT_EQ(open_damaged(Bytes(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size))),
                  ErrorCode::Corrupt)
            << size;
    Bytes longer = whole;
    longer.resize(longer.size() + 4096);
    EXPECT_EQ(open_damaged(longer), ErrorCode::Corrupt);

    Bytes foreign = whole;
    foreign[0] ^= 1;
    foreign[kPageBytes] ^= 1;
    EXPECT_EQ(open_damaged(foreign), ErrorCode::Corrupt);
    Bytes newer = whole;
    newer[8] = newer[kPageBytes + 8] = 9;
    EXPECT_EQ(open_damaged(newer), ErrorCode::VersionMismatch);
    Bytes zeroed = whole;
    std::fill_n(zeroed.begin() + 5 * kPageBytes, kPageBytes, uint8_t{0});
    EXPECT_EQ(open_damaged(zeroed), ErrorCode::Corrupt);
    Bytes one_header = whole;
    std::fill_n(one_header.begin(), kPageBytes, uint8_t{0xff});
    EXPECT_EQ(open_damaged(one_header), std::nullopt) << "the second copy of the header serves";
}

TEST_F(ImageTest, a_forged_name_of_a_table_is_damage) {
    {
        const Database store = open();
    }
    // The catalogue is the last page; its checksum is made right again.
    Bytes forged = image_bytes();
    uint8_t* const page = forged.data() + forged.size() - kPageBytes;
    const std::string_view name = "Plain";
    uint8_t* const at = std::search(page, page + kPageBytes, name.begin(), name.end());
    ASSERT_NE(at, page + kPageBytes);
    std::copy_n("_keel", name.size(), at);
    core::store_le<uint64_t>(page, page_checksum(page));
    write_image_bytes(forged);
    EXPECT_EQ(error_of([&] { open(); }), ErrorCode::Corrupt);
}

TEST_F(ImageTest, one_flipped_bit_anywhere_gives_an_error_or_right_data) {
    {
        const Database store = open();
        store.update([&](WriteTxn& txn) { fill(txn, store, false); });
    }
    const Bytes whole = image_bytes();
    const Content expected = content(open());
    std::mt19937_64 random(7);
    int errors = 0;
    for (int place = 0; place < 1000; ++place) {
        Bytes damaged = whole;
        const uint64_t bit = random() % (damaged.size() * 8);
        damaged[bit / 8] ^= static_cast<uint8_t>(1U << (bit % 8));
        core::SystemFiles files;
        core::File file(files, image(), core::OpenMode::CreateEmptied);
        file.write_at(damaged, 0);
        try {
            const Database store = open();
            ASSERT_EQ(content(store), expected) << "bit " << bit;
        } catch (const Error& error) {
            ASSERT_EQ(error.code(), ErrorCode::Corrupt) << "bit " << bit;
            ASSERT_NE(error.message().find("offset"), std::string::npos) << error.message();
            ++errors;
        }
    }
    EXPECT_GT(errors, 800) << "only header copies and padding may go unnoticed";
}

TEST_F(ImageTest, a_symbolic_link_is_refused) {
    {
        const Database store = open();
    }
    std::filesystem::rename(image(), folder_ / "elsewhere");
    std::filesystem::create_symlink(folder_ / "elsewhere", image());
    EXPECT_EQ(error_of([&] { open(); }), ErrorCode::Io);
}

TEST_F(ImageTest, each_failing_file_call_leaves_the_old_or_the_new_state_and_latches) {
    {
        const Database store = open();
        store.update([&](WriteTxn& txn) { txn.put(store.table("Plain"), "state", "old"); });
    }
    const Bytes old_image = image_bytes();
    FailingFiles files;
    OpenOptions failing = options();
    failing.files = &files;
    for (int64_t call = 1;; ++call) {
        ASSERT_LT(call, 100);
        write_image_bytes(old_image);
        files.calls_left = -1;
        const Database store = db::open(Backend::Mem, failing);
        store.update([&](WriteTxn& txn) {
            fill(txn, store, false);
            txn.put(store.table("Plain"), "state", "new");
        });
        files.calls_left = call;
        files.error_number = call % 2 == 0 ? ENOSPC : EIO;
        const auto failed = error_of([&] { store.sync(); });
        const bool past_the_last = files.calls_left > 0;
        files.calls_left = -1;
        if (past_the_last) {
            EXPECT_EQ(failed, std::nullopt);
            break;
        }
        const ErrorCode expected = call % 2 == 0 ? ErrorCode::DiskFull : ErrorCode::Io;
        EXPECT_EQ(failed, expected) << "call " << call;
        EXPECT_EQ(error_of([&] {
                      store.update([&](WriteTxn& txn) { txn.put(store.table("Plain"), "k", "v"); });
                  }),
                  expected)
            << "latched";
        EXPECT_EQ(store.begin_ro().get(store.table("Plain"), "state"), ByteView("new"))
            << "readers go on";
        EXPECT_EQ(error_of([&] { store.close(); }), expected);
        EXPECT_FALSE(std::filesystem::exists(folder_ / kImageTemporaryName));
        const Database again = open();
        const ReadTxn txn = again.begin_ro();
        const auto state = txn.get(again.table("Plain"), "state");
        EXPECT_TRUE(state == ByteView("old") || state == ByteView("new"));
    }
}

TEST_F(ImageTest, each_failing_file_call_of_a_large_load_leaves_the_old_or_the_new_state) {
    constexpr uint64_t kRows = 60'000;  // behind the first megabytes a thread of its own writes
    for (const Durability durability : {Durability::Close, Durability::Group}) {
        bool past_the_last = false;
        for (int64_t call = 1; !past_the_last; ++call) {
            SCOPED_TRACE(fmt::format("call {}, {}", call, to_string(durability)));
            ASSERT_LT(call, 100);
            std::filesystem::remove_all(folder_);
            std::filesystem::create_directory(folder_);
            FailingFiles files;
            OpenOptions failing = options();
            failing.files = &files;
            failing.durability = durability;
            const Database store = db::open(Backend::Mem, failing);
            BulkLoad load;
            BulkLoad::Stream& rows = load.table(store.table("Plain"));
            const std::string value(200, 'v');
            for (uint64_t row = 0; row < kRows; ++row) rows.add(key_of(row), value);
            files.calls_left = call;
            files.error_number = call % 2 == 0 ? ENOSPC : EIO;
            const auto failed =
                error_of([&] { store.update([&](WriteTxn& txn) { load.into(txn); }); });
            past_the_last = files.calls_left > 0;
            files.calls_left = -1;
            const uint64_t now = store.begin_ro().count(store.table("Plain"));
            EXPECT_EQ(now, failed ? 0 : kRows) << "what readers see";
            if (failed) {
                EXPECT_EQ(failed, call % 2 == 0 ? ErrorCode::DiskFull : ErrorCode::Io);
                EXPECT_EQ(error_of([&] { store.close(); }), failed) << "latched";
            } else {
                // Of the log that the image has made superfluous, or none.
                error_of([&] { store.close(); });
            }
            EXPECT_FALSE(std::filesystem::exists(folder_ / kImageLoadName));
            OpenOptions again = options();
            again.durability = durability;
            const Database reopened = db::open(Backend::Mem, again);
            const uint64_t there = reopened.begin_ro().count(reopened.table("Plain"));
            EXPECT_TRUE(there == kRows || (failed && there == 0)) << there;
        }
    }
}

TEST_F(ImageTest, a_removed_directory_is_not_written_to) {
    const Database store = open();
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directory(folder_);
    {
        const Database other = open();
        EXPECT_NE(other.uid(), store.uid());
    }
    const Bytes others = image_bytes();
    // Whoever comes first finds it out: the writer, or the thread that brings commits to disk.
    const auto refused = error_of(
        [&] { store.update([&](WriteTxn& txn) { txn.put(store.table("Plain"), "k", "v"); }); });
    EXPECT_EQ(refused.value_or(ErrorCode::Detached), ErrorCode::Detached);
    EXPECT_EQ(error_of([&] { store.sync(); }), ErrorCode::Detached);
    EXPECT_EQ(error_of([&] { store.close(); }), ErrorCode::Detached);
    EXPECT_TRUE(image_bytes() == others);
}

TEST_F(ImageTest, a_removed_directory_is_told_of_when_nothing_is_to_be_saved) {
    const Database store = open();
    std::filesystem::remove_all(folder_);
    EXPECT_EQ(error_of([&] { store.sync(); }), ErrorCode::Detached);
    EXPECT_EQ(error_of([&] { store.close(); }), ErrorCode::Detached);
}

TEST_F(ImageTest, readers_read_on_after_close_and_after_the_handle_is_gone) {
    ReadTxn reader;
    ByteView view;
    {
        const Database store = open();
        store.update([&](WriteTxn& txn) { fill(txn, store, false); });
        reader = store.begin_ro();
        view = *reader.get(store.table("Plain"), "large");
        store.close();
        EXPECT_EQ(text(view), std::string(100'000, 'x'));
    }
    EXPECT_EQ(text(view), std::string(100'000, 'x'));
    reader.end();
    const Database store = open();
    EXPECT_EQ(store.begin_ro().count(store.table("Plain")), 3003U);
}

TEST_F(ImageTest, close_gives_up_on_a_writer_and_saves_what_was_committed) {
    {
        const Database store = open();
        store.update([&](WriteTxn& txn) { txn.put(store.table("Plain"), "a", "1"); });
        auto txn = store.begin_rw();
        txn->put(store.table("Plain"), "b", "2");
        store.close();
        EXPECT_EQ(error_of([&] { txn->put(store.table("Plain"), "c", "3"); }), ErrorCode::Closed);
        EXPECT_EQ(error_of([&] { txn->commit(); }), ErrorCode::Closed);
    }
    const Database store = open();
    EXPECT_EQ(content(store)["Plain"],
              (std::vector<std::pair<std::string, std::string>>{{"a", "1"}}));
}

TEST_F(ImageTest, close_waits_for_a_writer_that_is_about_to_commit) {
    OpenOptions patient = options();
    patient.close_grace_ms = 60'000;
    {
        const Database store = db::open(Backend::Mem, patient);
        auto txn = store.begin_rw();
        txn->put(store.table("Plain"), "a", "1");
        std::jthread closer([&] { store.close(); });
        // New begins are refused from some moment on; then close() waits for the writer.
        while (!error_of([&] { store.begin_ro(); })) std::this_thread::yield();
        txn->commit();
    }
    EXPECT_EQ(content(open())["Plain"].size(), 1U);
}

}  // namespace
}  // namespace keel::db::mem
