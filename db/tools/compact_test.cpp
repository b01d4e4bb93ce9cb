#include "db/tools/compact.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include "db/testing/contract_fixture.hpp"
#include "db/testing/memory_files.hpp"
#include "db/tools/checksum.hpp"
#include "db/tools/image.hpp"
#include "db/tools/repair.hpp"

namespace keel::db::tools {
namespace {

using db::testing::file_bytes;
using db::testing::MemoryFiles;
using db::testing::TempDirectory;
using ::testing::HasSubstr;

class Compact : public ::testing::TestWithParam<Backend> {
  protected:
    OpenOptions options(Durability durability = Durability::Group) const {
        OpenOptions options;
        options.directory = directory_.path();
        options.durability = durability;
        options.schema = {{"P", Kind::Plain}, {"D", Kind::DupSort}};
        options.reserve_bytes = db::testing::kReserveBytes;
        options.producer = "test";
        return options;
    }
    /// Commits that leave much unused: large values that go again, rows of both kinds that stay.
    void fill() const {
        Database store = open(GetParam(), options());
        const Table p = store.table("P");
        const Table d = store.table("D");
        for (int commit = 0; commit < 20; ++commit) {
            store.update([&](WriteTxn& txn) {
                for (int row = 0; row < 100; ++row) {
                    const std::string key = std::to_string(row);
                    txn.put(p, key, std::string(static_cast<size_t>(20'000 - commit * 990), 'v'));
                    txn.put(d, "group", std::to_string(commit) + " " + key);
                    txn.put(d, key, std::string(300, 'd'));
                }
                txn.put(p, "", "of the empty key");
                txn.set_sequence(p, 7);
            });
        }
        store.close();
        // In a log that is shorter than the image.
        store = open(GetParam(), options());
        store.update([&](WriteTxn& txn) {
            for (int row = 0; row < 90; ++row) txn.del(p, std::to_string(row));
            txn.create_table({"Empty", Kind::Plain});
            txn.clear_table(d);
            txn.put(d, "left", "");
        });
        store.close();
    }
    struct Content {
        std::string uid;
        uint64_t view_id;
        Digest digest;
        friend bool operator==(const Content&, const Content&) = default;
    };
    Content content(Durability durability = Durability::Group) const {
        const Database store = open(GetParam(), options(durability));
        Content found = {store.uid(), store.begin_ro().view_id(), checksum(store).digest};
        store.close();
        return found;
    }

    const TempDirectory directory_;
};

TEST_P(Compact, keeps_content_uid_and_view_id_and_gives_space_back) {
    fill();
    const Content before = content();
    const uint64_t bytes = file_bytes(directory_.path());
    uint64_t last_done = 0;
    uint64_t last_all = 0;
    const CompactReport report = compact(GetParam(), options(), [&](uint64_t done, uint64_t all) {
        EXPECT_LE(done, all);
        last_done = done;
        last_all = all;
    });
    EXPECT_EQ(report.view_id, before.view_id);
    EXPECT_LT(report.bytes_after, report.bytes_before / 4);
    EXPECT_LT(file_bytes(directory_.path()), bytes);
    EXPECT_EQ(content(), before);
    EXPECT_EQ(content(Durability::Close), before);
    if (GetParam() == Backend::Mem) {
        EXPECT_GT(last_done * last_all, 0u);
    }
}

TEST_P(Compact, numbers_go_on_behind_it_whatever_the_parity) {
    fill();
    for (int round = 0; round < 4; ++round) {
        const Content before = content();
        compact(GetParam(), options());
        EXPECT_EQ(content(), before);
        const Database store = open(GetParam(), options());
        const uint64_t view_id = store.update(
            [&](WriteTxn& txn) { txn.put(store.table("P"), "round", std::to_string(round)); });
        EXPECT_EQ(view_id, before.view_id + 1);
        store.close();
        EXPECT_EQ(content().view_id, view_id);
    }
}

TEST_P(Compact, twice_changes_nothing_more) {
    fill();
    const CompactReport first = compact(GetParam(), options());
    const CompactReport second = compact(GetParam(), options());
    EXPECT_EQ(second.bytes_before, first.bytes_after);
    EXPECT_EQ(second.bytes_after, first.bytes_after);
}

TEST_P(Compact, a_damaged_store_is_left_as_it_is) {
    fill();
    const std::filesystem::path file =
        directory_.path() / (GetParam() == Backend::Mem ? "store.img" : "data.mdb");
    core::SystemFiles files;
    core::Bytes bytes = core::read_file(files, file);
    bytes.resize(GetParam() == Backend::Mem ? bytes.size() - 100 : bytes.size() / 2);
    core::write_file_atomically(files, file, bytes);
    const uint64_t before = file_bytes(directory_.path());
    try {
        compact(GetParam(), options());
        ADD_FAILURE() << "no error";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::Corrupt);
        EXPECT_THAT(error.message(), HasSubstr(file.string()));
    }
    EXPECT_EQ(file_bytes(directory_.path()), before);
    EXPECT_EQ(core::read_file(files, file), bytes);
}

INSTANTIATE_TEST_SUITE_P(Backends, Compact, ::testing::Values(Backend::Mem, Backend::Lmdb),
                         [](const auto& chosen) { return std::string(to_string(chosen.param)); });

using CompactLmdb = Compact;

TEST_P(CompactLmdb, either_header_page_alone_leads_to_the_content) {
    fill();
    compact(Backend::Lmdb, options());
    const Content whole = content();
    core::SystemFiles files;
    const core::Bytes bytes = core::read_file(files, directory_.path() / "data.mdb");
    for (const size_t page : {size_t{0}, size_t{1}}) {
        core::Bytes damaged = bytes;
        std::fill_n(damaged.begin() + static_cast<std::ptrdiff_t>(page * 4096), 4096, uint8_t{0});
        core::write_file_atomically(files, directory_.path() / "data.mdb", damaged);
        repair(Backend::Lmdb, files, directory_.path(), true);
        EXPECT_EQ(content().digest, whole.digest) << "page " << page;
    }
}

TEST_P(CompactLmdb, a_reader_in_another_process_is_said_and_nothing_changes) {
    fill();
    const Content before = content();
    int ready[2];
    int end[2];
    ASSERT_EQ(::pipe(ready), 0);
    ASSERT_EQ(::pipe(end), 0);
    const pid_t child = ::fork();
    if (child == 0) {
        OpenOptions reading = options();
        reading.access = Access::ReadOnly;
        const Database store = open(Backend::Lmdb, reading);
        char byte = 0;
        if (::write(ready[1], &byte, 1) != 1 || ::read(end[0], &byte, 1) != 1) ::_exit(1);
        ::_exit(0);
    }
    char byte = 0;
    ASSERT_EQ(::read(ready[0], &byte, 1), 1);
    EXPECT_EQ(db::testing::error_of([&] { compact(Backend::Lmdb, options()); }), ErrorCode::InUse);
    ASSERT_EQ(::write(end[1], &byte, 1), 1);
    int status = 0;
    ::waitpid(child, &status, 0);
    for (const int descriptor : {ready[0], ready[1], end[0], end[1]}) ::close(descriptor);
    EXPECT_EQ(content(), before);
    EXPECT_LT(compact(Backend::Lmdb, options()).bytes_after, uint64_t{1} << 20);
}

INSTANTIATE_TEST_SUITE_P(Backends, CompactLmdb, ::testing::Values(Backend::Lmdb),
                         [](const auto& chosen) { return std::string(to_string(chosen.param)); });

// An image, looked at from outside.

using LookAtImage = Compact;

TEST_P(LookAtImage, every_table_is_told_and_the_file_is_sound) {
    fill();
    compact(Backend::Mem, options());
    core::SystemFiles files;
    uint64_t last_done = 0;
    const ImageReport report = inspect_image(files, directory_.path() / "store.img",
                                             [&](uint64_t done, uint64_t) { last_done = done; });
    EXPECT_TRUE(report.sound()) << report.issues[0].what;
    EXPECT_EQ(last_done, report.pages);
    EXPECT_EQ(report.bytes, std::filesystem::file_size(report.path));
    EXPECT_EQ(report.pages, 2 + report.leaves + report.branches + report.run_pages);
    EXPECT_EQ(report.producer, "test");
    EXPECT_FALSE(report.has_log);
    ASSERT_EQ(report.tables.size(), 3u);
    EXPECT_EQ(report.tables[0].name, "D");
    EXPECT_EQ(report.tables[0].stat.kind, Kind::DupSort);
    EXPECT_EQ(report.tables[1].stat.depth, 0u);
    const Database store = open(Backend::Mem, options());
    const ReadTxn txn = store.begin_ro();
    EXPECT_EQ(report.commit_id, txn.view_id());
    EXPECT_EQ(report.uid, store.uid());
    for (const ImageTable& table : report.tables)
        EXPECT_EQ(table.stat.entries, txn.count(store.table(table.name)));
}

TEST_P(LookAtImage, its_pages_hold_every_entry_of_the_store) {
    fill();
    compact(Backend::Mem, options());
    core::SystemFiles files;
    const std::filesystem::path path = directory_.path() / "store.img";
    const ImageReport report = inspect_image(files, path);
    const Database store = open(Backend::Mem, options());
    const ReadTxn txn = store.begin_ro();
    for (const ImageTable& table : report.tables) {
        Range range = txn.range(store.table(table.name));
        const std::function<void(uint32_t)> walk = [&](uint32_t number) {
            const ImagePage page = read_image_page(files, path, number);
            EXPECT_TRUE(page.checksum_right);
            for (const ImageItem& item : page.items) {
                if (page.type == "branch") {
                    walk(item.page);
                    continue;
                }
                const Hit hit = range.next();
                ASSERT_TRUE(hit.has_value());
                EXPECT_EQ(ByteView(item.key), hit->key);
                EXPECT_EQ(item.count, hit->value.size());
                if (item.page == 0) {
                    EXPECT_EQ(ByteView(item.value), hit->value);
                } else {
                    EXPECT_EQ(read_image_page(files, path, item.page).value_bytes, item.count);
                }
            }
        };
        if (table.root != 0) walk(table.root);
        EXPECT_FALSE(range.next().has_value());
    }
    EXPECT_EQ(db::testing::error_of([&] { read_image_page(files, path, 1'000'000); }),
              ErrorCode::NotFound);
}

TEST_P(LookAtImage, every_flipped_byte_is_an_issue_with_its_page) {
    fill();
    compact(Backend::Mem, options());
    core::SystemFiles files;
    MemoryFiles memory;
    memory.make_directory("/d");
    core::Bytes bytes = core::read_file(files, directory_.path() / "store.img");
    for (size_t at = 2 * 4096; at < bytes.size(); at += 509) {
        bytes[at] ^= 0x10;
        memory.put("/d/store.img", bytes);
        const ImageReport report = inspect_image(memory, "/d/store.img");
        bytes[at] ^= 0x10;
        if (report.sound()) {
            // The tail of a run's last page belongs to nobody.
            memory.put("/d/store.img", bytes);
            bool in_tail = false;
            for (size_t page = at / 4096; page >= 2 && !in_tail; --page) {
                try {
                    const ImagePage run = read_image_page(memory, "/d/store.img", page);
                    in_tail = run.type == "run" && at >= page * 4096 + 32 + run.value_bytes;
                    break;
                } catch (const Error&) {
                    continue;  // inside a run
                }
            }
            EXPECT_TRUE(in_tail) << at;
            continue;
        }
        EXPECT_EQ(report.issues[0].offset / 4096 <= at / 4096, true) << at;
    }
}

TEST_P(LookAtImage, a_tree_that_lies_about_its_entries_is_found) {
    // Checksums are right: only a walk of the trees tells.
    fill();
    compact(Backend::Mem, options());
    core::SystemFiles files;
    const std::filesystem::path path = directory_.path() / "store.img";
    const ImageReport sound = inspect_image(files, path);
    core::Bytes bytes = core::read_file(files, path);
    // Another image of the same shape with one entry less in a table, pages of both mixed.
    {
        const Database store = open(Backend::Mem, options());
        store.update([&](WriteTxn& txn) {
            txn.del(store.table("P"), "90");
            txn.put(store.table("P"), "00", std::string(1'190, 'v'));
        });
        store.close();
    }
    compact(Backend::Mem, options());
    const core::Bytes other = core::read_file(files, path);
    ASSERT_EQ(other.size(), bytes.size());
    bool any = false;
    for (size_t page = 2; page < sound.catalogue_root; ++page) {
        const auto at = static_cast<std::ptrdiff_t>(page * 4096);
        if (std::equal(bytes.begin() + at, bytes.begin() + at + 4096, other.begin() + at)) continue;
        core::Bytes mixed = bytes;
        std::copy_n(other.begin() + at, 4096, mixed.begin() + at);
        core::write_file_atomically(files, path, mixed);
        EXPECT_FALSE(inspect_image(files, path).sound()) << "page " << page;
        any = true;
    }
    EXPECT_TRUE(any);
}

INSTANTIATE_TEST_SUITE_P(Backends, LookAtImage, ::testing::Values(Backend::Mem),
                         [](const auto& chosen) { return std::string(to_string(chosen.param)); });

}  // namespace
}  // namespace keel::db::tools
