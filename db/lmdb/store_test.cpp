// What is LMDB's alone; the contract that both backends keep is tested in db/testing.

#include <gtest/gtest.h>
#include <lmdb.h>
#include <sys/resource.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>

#include "core/endian.hpp"
#include "db/lmdb/env.hpp"
#include "db/testing/contract_fixture.hpp"

namespace keel::db::lmdb {
namespace {

using namespace std::chrono_literals;

class LmdbStore : public ::testing::Test {
  public:
    LmdbStore() {
        std::string pattern =
            (std::filesystem::temp_directory_path() / "keel-lmdb-XXXXXX").string();
        if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
        directory_ = pattern;
    }
    ~LmdbStore() override {
        std::error_code ignored;
        std::filesystem::remove_all(directory_, ignored);
    }

    OpenOptions options() const {
        OpenOptions options;
        options.directory = directory_;
        options.durability = Durability::Close;
        options.schema = {{"P", Kind::Plain}, {"D", Kind::DupSort}};
        options.reserve_bytes = uint64_t{16} << 30;
        return options;
    }
    Database open() const { return open(options()); }
    static Database open(const OpenOptions& options) { return Database(open_store(options)); }
    static std::optional<ErrorCode> error_of(const std::function<void()>& action) {
        try {
            action();
        } catch (const Error& error) {
            return error.code();
        }
        return std::nullopt;
    }
    std::optional<ErrorCode> open_error(const OpenOptions& options) const {
        return error_of([&] { open(options).close(); });
    }
    std::filesystem::path data() const { return directory_ / "data.mdb"; }
    std::string bytes() const {
        std::ifstream in(data(), std::ios::binary);
        return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    }
    void write(const std::string& bytes) const {
        std::ofstream(data(), std::ios::binary | std::ios::trunc) << bytes;
    }
    /// A closed store with some pages of rows.
    void make_rows(size_t count) const {
        const Database store = open();
        store.update([&](WriteTxn& txn) {
            for (size_t i = 0; i < count; ++i)
                txn.put(store.table("P"), "key " + std::to_string(i), std::string(100, 'v'));
        });
        store.close();
    }

    std::filesystem::path directory_;
};

// X33, R42.
TEST_F(LmdbStore, a_creation_that_was_cut_off_begins_anew_and_nothing_else_does) {
    MDB_env* env = nullptr;
    ASSERT_EQ(mdb_env_create(&env), 0);
    ASSERT_EQ(mdb_env_open(env, directory_.c_str(), 0, 0644), 0);
    mdb_env_close(env);
    // Its first write is both header pages.
    std::filesystem::resize_file(data(), testing::kPageBytes);
    OpenOptions expecting = options();
    expecting.expect_created = true;
    EXPECT_EQ(open_error(expecting), ErrorCode::Corrupt);
    EXPECT_EQ(std::filesystem::file_size(data()), testing::kPageBytes) << "left as it was";
    {
        const Database store = open();
        EXPECT_EQ(store.begin_ro().view_id(), 1u);
        store.close();
    }
    make_rows(10);
    std::filesystem::resize_file(data(), testing::kPageBytes);
    EXPECT_EQ(open_error(options()), ErrorCode::Corrupt);
}

TEST_F(LmdbStore, a_file_cut_anywhere_is_damage_and_stays_as_it_is) {
    make_rows(200);
    const std::string whole = bytes();
    OpenOptions made = options();
    made.expect_created = true;
    for (size_t size = 0; size < whole.size(); size += 512) {
        write(whole.substr(0, size));
        EXPECT_EQ(open_error(made), ErrorCode::Corrupt) << size;
        made.access = Access::ReadOnly;
        EXPECT_EQ(open_error(made), ErrorCode::Corrupt) << size;
        made.access = Access::ReadWrite;
        EXPECT_EQ(std::filesystem::file_size(data()), size);
    }
    std::filesystem::remove(data());
    EXPECT_EQ(open_error(made), ErrorCode::Corrupt) << "missing";
    EXPECT_FALSE(std::filesystem::exists(data()));
    write(whole);
    EXPECT_EQ(open_error(made), std::nullopt);
}

// liblmdb writes no page that was freed in the transaction that made it, so that a sound file may
// end early: seen at half of what its header says.
TEST_F(LmdbStore, a_file_that_misses_only_free_pages_is_sound) {
    const Database store = open();
    const Table p = store.table("P");
    const auto key = [](size_t i) { return "key " + std::to_string(100'000 + i); };
    // Pages that can be used again, so that the list of free ones needs none at the end of the
    // file.
    for (char round = 'a'; round < 'e'; ++round)
        store.update([&](WriteTxn& txn) {
            for (size_t i = 0; i < 300; ++i) txn.put(p, key(i), std::string(200, round));
            if (round == 'd') txn.clear_table(p);
        });
    for (int i = 0; i < 3; ++i)
        store.update([&](WriteTxn& txn) { txn.put(p, "last", std::to_string(i)); });
    store.update([&](WriteTxn& txn) {
        for (size_t i = 0; i < 3'000; ++i) txn.put(p, key(i), std::string(200, 'v'));
        for (size_t i = 3'000; i-- > 10;) txn.del(p, key(i));
    });
    const uint64_t said = store.stats().image_bytes;
    store.close();
    const std::string whole = bytes();
    ASSERT_LT(whole.size(), said) << "the case this is about did not come up";
    const Database again = open();
    EXPECT_EQ(again.begin_ro().count(again.table("P")), 11u);
    again.update([&](WriteTxn& txn) {
        for (size_t i = 0; i < 3'000; ++i) txn.put(p, key(i), std::string(200, 'w'));
    });
    EXPECT_EQ(again.begin_ro().count(again.table("P")), 3'001u);
    again.close();
    // Cut further it is damaged as soon as a page in use is gone, and right until then.
    bool damage_seen = false;
    for (size_t size = whole.size(); size >= 8192; size -= 4096) {
        write(whole.substr(0, size));
        std::optional<ErrorCode> error = error_of([&] {
            const Database cut = open();
            EXPECT_EQ(cut.begin_ro().count(cut.table("P")), 11u);
            EXPECT_EQ(cut.begin_ro().get(cut.table("P"), key(9)), ByteView(std::string(200, 'v')));
            cut.close();
        });
        damage_seen = damage_seen || error;
        EXPECT_EQ(error, damage_seen ? std::optional(ErrorCode::Corrupt) : std::nullopt) << size;
    }
    EXPECT_TRUE(damage_seen);
}

// X35.
TEST_F(LmdbStore, a_damaged_header_page_is_told_and_not_stepped_over) {
    make_rows(10);
    const std::string whole = bytes();
    for (const size_t page : {size_t{0}, size_t{4096}}) {
        std::string damaged = whole;
        damaged.replace(page, 4096, 4096, '\0');
        write(damaged);
        EXPECT_EQ(open_error(options()), ErrorCode::Corrupt) << page;
        EXPECT_EQ(bytes(), damaged);
        damaged = whole;
        damaged[page + 20] = 9;  // the version
        write(damaged);
        EXPECT_EQ(open_error(options()), ErrorCode::VersionMismatch) << page;
    }
}

// R44.
TEST_F(LmdbStore, an_open_that_fails_leaves_the_directory_as_it_was) {
    OpenOptions bad = options();
    bad.schema.push_back({"a name", Kind::Plain});
    EXPECT_EQ(open_error(bad), ErrorCode::NoSuchTable);
    EXPECT_TRUE(std::filesystem::is_empty(directory_));
    bad = options();
    bad.access = Access::ReadOnly;
    EXPECT_EQ(open_error(bad), ErrorCode::NotFound);
    EXPECT_TRUE(std::filesystem::is_empty(directory_));
    bad.directory = directory_ / "missing";
    EXPECT_EQ(open_error(bad), ErrorCode::NotFound);
    make_rows(1);
    const std::string whole = bytes();
    bad = options();
    bad.schema = {{"P", Kind::DupSort}, {"new", Kind::Plain}};
    EXPECT_EQ(open_error(bad), ErrorCode::KindMismatch);
    EXPECT_EQ(bytes(), whole);
}

// A store that other programs made is taken as it is; the first write adds what is missing.
TEST_F(LmdbStore, an_environment_without_a_catalogue_is_adopted) {
    MDB_env* env = nullptr;
    ASSERT_EQ(mdb_env_create(&env), 0);
    mdb_env_set_maxdbs(env, 4);
    ASSERT_EQ(mdb_env_open(env, directory_.c_str(), 0, 0644), 0);
    MDB_txn* txn = nullptr;
    ASSERT_EQ(mdb_txn_begin(env, nullptr, 0, &txn), 0);
    MDB_dbi dbi = 0;
    ASSERT_EQ(mdb_dbi_open(txn, "D", MDB_CREATE | MDB_DUPSORT, &dbi), 0);
    std::string text = "k";
    for (const char* value : {"2", "1"}) {
        MDB_val key{text.size(), text.data()};
        std::string copy = value;
        MDB_val data{copy.size(), copy.data()};
        ASSERT_EQ(mdb_put(txn, dbi, &key, &data, 0), 0);
    }
    ASSERT_EQ(mdb_txn_commit(txn), 0);
    mdb_env_close(env);

    OpenOptions look = options();
    look.access = Access::ReadOnly;
    const Database read_only = open(look);
    EXPECT_EQ(read_only.begin_ro().get(read_only.table("D"), "k"), ByteView("1"));
    EXPECT_FALSE(read_only.begin_ro().exists(read_only.table("P")));
    read_only.close();
    const Database store = open();
    EXPECT_EQ(store.uid().size(), 32u);
    EXPECT_EQ(store.begin_ro().view_id(), 2u);
    EXPECT_EQ(store.begin_ro().count(store.table("D")), 2u);
    EXPECT_EQ(store.begin_ro().list_tables().size(), 2u);
    store.close();
}

TEST_F(LmdbStore, a_table_made_anew_with_the_other_kind_leaves_old_readers_theirs) {
    const Database store = open();
    const Table p = store.table("P");
    store.update([&](WriteTxn& txn) {
        txn.put(p, "k", "plain");
        txn.set_sequence(p, 3);
    });
    const ReadTxn before = store.begin_ro();
    store.update([&](WriteTxn& txn) {
        WriteCursor cursor = txn.cursor(p);
        EXPECT_TRUE(cursor.first());
        EXPECT_TRUE(txn.drop_table(p));
        txn.create_table({"P", Kind::DupSort});
        EXPECT_EQ(error_of([&] { cursor.next(); }), ErrorCode::NoSuchTable);
        txn.put(p, "k", "2");
        txn.put(p, "k", "1");
        EXPECT_EQ(txn.sequence(p), 0u);
    });
    const ReadTxn after = store.begin_ro();
    for (int round = 0; round < 2; ++round) {
        EXPECT_EQ(before.get(p, "k"), ByteView("plain"));
        EXPECT_EQ(before.sequence(p), 3u);
        EXPECT_EQ(before.stat(p).kind, Kind::Plain);
        EXPECT_EQ(after.get(p, "k"), ByteView("1"));
        EXPECT_EQ(after.cursor(p).last()->value, ByteView("2"));
        EXPECT_EQ(after.stat(p).keys, 1u);
        // And back again, aborted.
        auto txn = store.begin_rw();
        txn->drop_table(p);
        txn->create_table({"P", Kind::Plain});
        txn->put(p, "k", "aborted");
        txn->abort();
    }
    EXPECT_EQ(before.list_tables()[1].kind, Kind::Plain);
    EXPECT_EQ(after.list_tables()[1].kind, Kind::DupSort);
    store.close();
    OpenOptions again = options();
    again.schema = {{"P", Kind::DupSort},
                    {"more"}};  // a commit, which removes the old table for good
    const Database reopened = open(again);
    EXPECT_EQ(reopened.begin_ro().count(reopened.table("P")), 2u);
    EXPECT_EQ(reopened.begin_ro().list_tables().size(), 3u);
    reopened.close();
}

TEST_F(LmdbStore, many_tables_can_come_and_go) {
    const Database store = open();
    std::optional<ErrorCode> full;
    for (int i = 0; i < 400 && !full; ++i) {
        full = error_of([&] {
            store.update([&](WriteTxn& txn) {
                const std::string name = "t" + std::to_string(i);
                txn.create_table({name, Kind::Plain});
                txn.put(store.table(name), "k", "v");
                txn.drop_table(store.table(name));
            });
        });
    }
    EXPECT_EQ(full, ErrorCode::TooManyTables) << "until the next open";
    EXPECT_EQ(store.begin_ro().list_tables().size(), 2u);
    store.close();
    const Database again = open();
    again.update([&](WriteTxn& txn) { txn.create_table({"t399", Kind::DupSort}); });
    EXPECT_EQ(again.begin_ro().list_tables().size(), 3u);
    again.close();
}

// R17: liblmdb's lock can be given back by its own thread only.
TEST_F(LmdbStore, a_writer_that_ends_on_another_thread_is_ended_by_its_own) {
    const Database store = open();
    const Table p = store.table("P");
    auto txn = store.begin_rw();
    ASSERT_TRUE(txn);
    txn->put(p, "k", "v");
    std::thread([moved = std::move(*txn)]() mutable { moved.abort(); }).join();
    EXPECT_FALSE(store.begin_ro().has(p, "k"));
    // This thread may write again; the old transaction goes first.
    auto next = store.begin_rw_try();
    ASSERT_TRUE(next);
    EXPECT_FALSE(next->has(p, "k"));
    next->commit();
    store.close();
}

TEST_F(LmdbStore, a_writer_whose_thread_is_gone_does_not_block_the_others) {
    if (testing::kThreadSanitizer)
        GTEST_SKIP()
            << "the system has unlocked the dead thread's robust mutex, which it does not know";
    OpenOptions quick = options();
    quick.reader_warn_ms = 40;  // the watcher's pace follows it
    const Database store = open(quick);
    const Table p = store.table("P");
    std::optional<WriteTxn> left;
    std::thread([&] {
        auto txn = store.begin_rw();
        txn->put(p, "k", "v");
        left.emplace(std::move(*txn));
    }).join();
    left.reset();
    auto txn = store.begin_rw({}, std::chrono::steady_clock::now() + 20s);
    ASSERT_TRUE(txn);
    EXPECT_FALSE(txn->has(p, "k"));
    txn->put(p, "k", "mine");
    txn->commit();
    EXPECT_EQ(store.begin_ro().get(p, "k"), ByteView("mine"));
    store.close();
}

// R19: nobody holds the store any more but a reader.
TEST_F(LmdbStore, a_reader_outlives_the_handle) {
    make_rows(100);
    Database store = open();
    ReadTxn reader = store.begin_ro();
    ReadCursor cursor = reader.cursor(store.table("P"));
    const Table p = store.table("P");
    ASSERT_TRUE(cursor.first());
    store = Database();
    size_t rows = 1;
    while (cursor.next()) ++rows;
    EXPECT_EQ(rows, 100u);
    EXPECT_TRUE(reader.has(p, "key 7"));
    reader.end();
    EXPECT_EQ(error_of([&] { cursor.next(); }), ErrorCode::TxnEnded);
    const Database again = open();
    EXPECT_EQ(again.begin_ro().count(again.table("P")), 100u);
    again.close();
}

// R47.
TEST_F(LmdbStore, a_directory_replaced_under_the_store_is_noticed) {
    const Database store = open();
    const Table p = store.table("P");
    store.update([&](WriteTxn& txn) { txn.put(p, "k", "1"); });
    std::filesystem::remove(data());
    std::this_thread::sleep_for(60ms);  // it looks once in 50 ms
    EXPECT_EQ(error_of([&] { store.update([&](WriteTxn& txn) { txn.put(p, "k", "2"); }); }),
              ErrorCode::Detached);
    EXPECT_EQ(store.begin_ro().get(p, "k"), ByteView("1"));
    store.close();
}

// R32.
TEST_F(LmdbStore, a_full_map_breaks_the_transaction_and_nothing_else) {
    OpenOptions small = options();
    small.size_max_bytes = 1 << 20;
    const auto fill = [](const Database& store, size_t rows) {
        store.update([&](WriteTxn& txn) {
            for (size_t i = 0; i < rows; ++i)
                txn.put(store.table("P"), std::to_string(i), std::string(1'000, 'v'));
        });
    };
    const Database store = open(small);
    fill(store, 10);
    EXPECT_EQ(error_of([&] { fill(store, 5'000); }), ErrorCode::MapFull);
    EXPECT_EQ(store.begin_ro().count(store.table("P")), 10u);
    fill(store, 20);
    EXPECT_EQ(store.begin_ro().count(store.table("P")), 20u);
    store.close();
    small.size_max_bytes = 64 << 20;
    const Database larger = open(small);
    fill(larger, 5'000);
    EXPECT_EQ(larger.begin_ro().count(larger.table("P")), 5'000u);
    larger.close();
}

/// Files of this process may not grow beyond `bytes` while it lives.
class FileSizeLimit {
  public:
    explicit FileSizeLimit(uint64_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
        getrlimit(RLIMIT_FSIZE, &before_);
        rlimit limit = before_;
        limit.rlim_cur = bytes;
        setrlimit(RLIMIT_FSIZE, &limit);
    }
    ~FileSizeLimit() {
        setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, handler_);
    }
    FileSizeLimit(const FileSizeLimit&) = delete;
    FileSizeLimit& operator=(const FileSizeLimit&) = delete;

  private:
    rlimit before_{};
    void (*handler_)(int);
};

// X31, R45. liblmdb says EIO for a write that was cut short, whatever the reason; with space left
// on the disk it is one.
TEST_F(LmdbStore, a_failed_write_latches_the_store_and_keeps_what_was_committed) {
    for (const Durability durability : {Durability::Close, Durability::Group, Durability::Commit}) {
        std::filesystem::remove(data());
        OpenOptions chosen = options();
        chosen.durability = durability;
        const Database store = open(chosen);
        const Table p = store.table("P");
        const auto fill = [&](size_t rows) {
            store.update([&](WriteTxn& txn) {
                for (size_t i = 0; i < rows; ++i)
                    txn.put(p, std::to_string(i), std::string(1'000, 'v'));
            });
        };
        fill(10);
        {
            const FileSizeLimit limit(std::filesystem::file_size(data()) + 100'000);
            EXPECT_EQ(error_of([&] { fill(2'000); }), ErrorCode::Io);
        }
        EXPECT_EQ(store.begin_ro().count(p), 10u);
        EXPECT_EQ(error_of([&] { fill(11); }), ErrorCode::Io) << "no silent retry";
        EXPECT_EQ(store.begin_ro().count(p), 10u) << "readers go on";
        EXPECT_NE(store.stats().last_error, "");
        EXPECT_EQ(error_of([&] { store.close(); }), ErrorCode::Io) << "close reports it";
        const Database again = open(chosen);
        EXPECT_EQ(again.begin_ro().count(p), 10u);
        again.update([&](WriteTxn& txn) { txn.put(p, "more", ""); });
        again.close();
    }
}

TEST_F(LmdbStore, a_group_commit_reaches_the_disk_by_the_timer) {
    OpenOptions group = options();
    group.durability = Durability::Group;
    const Database store = open(group);
    for (int i = 0; i < 20; ++i) {
        store.update([&](WriteTxn& txn) { txn.put(store.table("P"), std::to_string(i), "v"); });
        std::this_thread::sleep_for(5ms);
    }
    store.sync();
    EXPECT_EQ(store.stats().commits, 20u);
    EXPECT_EQ(store.stats().last_error, "");
    store.close();
    EXPECT_EQ(error_of([&] { store.sync(); }), ErrorCode::Closed);
}

TEST_F(LmdbStore, commit_mode_and_reopening_keep_view_ids_and_rows) {
    OpenOptions durable = options();
    durable.durability = Durability::Commit;
    uint64_t view_id = 1;
    for (int round = 0; round < 3; ++round) {
        const Database store = open(durable);
        EXPECT_EQ(store.begin_ro().view_id(), view_id);
        for (int i = 0; i < 3; ++i)
            EXPECT_EQ(store.update([&](WriteTxn& txn) {
                txn.put(store.table("D"), "k", std::to_string(round * 10 + i));
            }),
                      ++view_id);
        EXPECT_EQ(store.update([](WriteTxn&) {}), view_id) << "an empty commit";
        store.close();
    }
}

}  // namespace
}  // namespace keel::db::lmdb
