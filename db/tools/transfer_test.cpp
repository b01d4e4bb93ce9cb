#include "db/tools/transfer.hpp"

#include <gmock/gmock.h>

#include <filesystem>

#include "db/open.hpp"
#include "db/tools/compare.hpp"
#include "db/tools/picture.hpp"

namespace keel::db::tools {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Transfer : public ::testing::TestWithParam<std::pair<Backend, Backend>> {
  protected:
    Transfer() {
        std::string pattern = std::filesystem::temp_directory_path() / "keel-transfer-XXXXXX";
        if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no directory");
        directory_ = pattern;
    }
    ~Transfer() override { std::filesystem::remove_all(directory_); }

    Database store(Backend backend, const std::string& name) {
        OpenOptions options;
        options.directory = directory_ / name;
        std::filesystem::create_directories(options.directory);
        options.durability = Durability::Close;
        options.reserve_bytes = uint64_t{16} << 30;
        return open(backend, options);
    }
    static void fill(const Database& database) {
        database.update([&](WriteTxn& txn) {
            txn.create_table({"plain", Kind::Plain});
            txn.create_table({"dup", Kind::DupSort});
            txn.create_table({"empty", Kind::Plain});
            const Table plain = database.table("plain");
            const Table dup = database.table("dup");
            for (int i = 0; i < 3000; ++i) {
                const std::string number = std::to_string(i * 7919 % 3000);
                Bytes value(static_cast<size_t>(i % 90), 0x76);
                if (i % 500 == 0) value.resize(9000);
                txn.put(plain, number, value);
                txn.put(dup, std::to_string(i % 40), number);
            }
            txn.put(plain, "", "the empty key");
            txn.increment(plain, 7);
        });
    }

    std::filesystem::path directory_;
};

TEST_P(Transfer, copies_every_table_and_sequence_and_says_the_digest_of_both) {
    const Database from = store(GetParam().first, "from");
    const Database to = store(GetParam().second, "to");
    fill(from);
    uint64_t last_done = 0;
    const TransferReport report =
        transfer(from, to, [&](uint64_t done, uint64_t) { last_done = done; });
    EXPECT_EQ(report.tables, 3U);
    EXPECT_EQ(report.entries, 6001U);
    EXPECT_EQ(last_done, 6001U);
    EXPECT_EQ(report.digest, checksum(from).digest);
    EXPECT_EQ(report.digest, checksum(to).digest);
    EXPECT_EQ(to.begin_ro().sequence(to.table("plain")), 7U);
    EXPECT_THAT(compare(from, to), IsEmpty());
}

TEST_P(Transfer, of_much_goes_straight_into_the_image) {
    const Database from = store(GetParam().first, "from");
    const Database to = store(GetParam().second, "to");
    from.update([&](WriteTxn& txn) {
        for (const char* const name : {"first", "second"}) {
            txn.create_table({name, Kind::Plain});
            for (int i = 0; i < 20'000; ++i)
                txn.append(from.table(name), std::to_string(1'000'000 + i), Bytes(100, 0x76));
        }
    });
    const uint64_t in_memory = to.stats().anonymous_bytes;
    transfer(from, to);
    EXPECT_THAT(compare(from, to), IsEmpty());
    if (GetParam().second == Backend::Mem) {
        EXPECT_GT(to.stats().image_bytes, 4U << 20);
        EXPECT_LE(to.stats().anonymous_bytes, in_memory + (1U << 20));
    }
}

TEST_P(Transfer, does_not_mix_with_what_is_there) {
    const Database from = store(GetParam().first, "from");
    const Database to = store(GetParam().second, "to");
    fill(from);
    fill(to);
    const Digest before = checksum(to).digest;
    try {
        transfer(from, to);
        ADD_FAILURE() << "no error";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::KeyExists);
    }
    EXPECT_EQ(checksum(to).digest, before);
}

TEST_P(Transfer, reads_one_snapshot_of_a_store_that_is_written_meanwhile) {
    const Database from = store(GetParam().first, "from");
    const Database to = store(GetParam().second, "to");
    fill(from);
    const Digest before = checksum(from).digest;
    bool written = false;
    const TransferReport report = transfer(from, to, [&](uint64_t, uint64_t) {
        if (written) return;
        written = true;
        from.update([&](WriteTxn& txn) { txn.put(from.table("plain"), "later", "l"); });
    });
    EXPECT_TRUE(written);
    EXPECT_EQ(report.digest, before);
}

TEST_P(Transfer, differences_are_counted_by_table) {
    const Database first = store(GetParam().first, "first");
    const Database second = store(GetParam().second, "second");
    fill(first);
    fill(second);
    EXPECT_THAT(compare(first, second), IsEmpty());
    second.update([&](WriteTxn& txn) {
        const Table plain = second.table("plain");
        txn.put(plain, "0", "another value");
        txn.put(plain, "new", "n");
        txn.del(plain, "17");
        txn.put(second.table("dup"), "3", "new");
        txn.create_table({"more", Kind::Plain});
    });
    const std::vector<TableDifference> found = compare(first, second);
    ASSERT_THAT(found, SizeIs(3));
    EXPECT_EQ(found[0].name, "dup");
    EXPECT_EQ(found[0].only_second, 1U);
    EXPECT_EQ(found[1].name, "more");
    EXPECT_FALSE(found[1].in_first);
    EXPECT_EQ(found[2].name, "plain");
    EXPECT_EQ(found[2].changed, 1U);
    EXPECT_EQ(found[2].only_first, 1U);
    EXPECT_EQ(found[2].only_second, 1U);
    EXPECT_EQ(ByteView(*found[2].first_key), ByteView("0"));
}

TEST_P(Transfer, a_picture_names_every_table_and_needs_nothing_else) {
    const Database database = store(GetParam().first, "from");
    fill(database);
    const std::string page = to_html(collect_stats(database));
    for (const char* const name : {"plain", "dup (DupSort)", "empty"})
        EXPECT_THAT(page, HasSubstr(name));
    for (const char* const link : {"http:", "https:", "src=", "href=", "@import"})
        EXPECT_THAT(page, ::testing::Not(HasSubstr(link)));
}

INSTANTIATE_TEST_SUITE_P(Backends, Transfer,
                         ::testing::Values(std::pair(Backend::Mem, Backend::Lmdb),
                                           std::pair(Backend::Lmdb, Backend::Mem),
                                           std::pair(Backend::Mem, Backend::Mem)),
                         [](const auto& pair) {
                             return std::string(to_string(pair.param.first)) + "_to_" +
                                    to_string(pair.param.second);
                         });

}  // namespace
}  // namespace keel::db::tools
