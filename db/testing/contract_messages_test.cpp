// KV.md A.11, what a store tells its owner: K68 and K69.

#include <filesystem>
#include <functional>
#include <thread>

#include "db/testing/contract_fixture.hpp"

namespace keel::db::testing {

namespace {

using namespace std::chrono_literals;

TYPED_TEST_SUITE(KvContract, BothBackends, BackendNames);

// K68 (R49, R50).
TYPED_TEST(KvContract, K68_a_read_txn_held_too_long_is_reported_at_each_doubling) {
    constexpr uint64_t kWarnMs = 1'000;
    RecordingObserver observer;
    OpenOptions options = this->options();
    options.reader_warn_ms = kWarnMs;
    options.observer = &observer;
    this->open(options);
    this->fill_golden();
    {
        const ReadTxn held = this->reader();
        // Pages that the reader alone still needs.
        for (uint64_t round = 0; round < 20; ++round)
            this->store().update([&](WriteTxn& txn) {
                for (uint64_t number = 0; number < 500; ++number)
                    txn.put(this->p(), number_key(number), Bytes(100, static_cast<uint8_t>(round)));
            });
        {
            const ReadTxn brief = this->reader();
        }
        EXPECT_EQ(this->store().stats().long_readers.size(), 0u);
        ASSERT_TRUE(observer.wait_for_long_readers(1, 20s));
        const Stats stats = this->store().stats();
        ASSERT_EQ(stats.long_readers.size(), 1u);
        EXPECT_EQ(stats.long_readers[0].view_id, held.view_id());
        EXPECT_GE(stats.long_readers[0].age_ms, kWarnMs);
        EXPECT_GT(stats.long_readers[0].bytes_pinned, 0u);
        EXPECT_EQ(stats.oldest_view_id, held.view_id());
        ASSERT_TRUE(observer.wait_for_long_readers(2, 20s));
        const std::vector<LongReader> reported = observer.long_readers();
        EXPECT_EQ(reported[0].view_id, held.view_id());
        EXPECT_GE(reported[0].age_ms, kWarnMs);
        EXPECT_LT(reported[0].age_ms, 2 * kWarnMs);
        EXPECT_GT(reported[0].bytes_pinned, 0u);
        EXPECT_NE(reported[0].thread_id, 0u);
        EXPECT_EQ(reported[1].view_id, held.view_id());
        EXPECT_EQ(reported[1].thread_id, reported[0].thread_id);
        EXPECT_GE(reported[1].age_ms, 2 * kWarnMs);
    }
    EXPECT_EQ(this->store().stats().long_readers.size(), 0u);
    EXPECT_EQ(this->store().stats().oldest_view_id, this->store().stats().view_id);
    this->close();  // the observer goes before the fixture
}

/// The text of the error that `action` throws; empty when none is thrown.
std::string message_of(const std::function<void()>& action) {
    try {
        action();
    } catch (const Error& error) {
        return std::string(to_string(error.code())) + ": " + error.message();
    }
    return {};
}

// K69 (R5).
TYPED_TEST(KvContract, K69_every_error_names_path_table_and_number) {
    this->fill_golden();
    const Database& store = this->store();
    const Table unknown = store.table("unknown_table");
    const std::string too_long(kKeyBytesMax + 1, 'k');
    const std::string longer(700, 'v');
    const auto expect_parts = [&](const std::string& message,
                                  std::initializer_list<std::string_view> parts) {
        EXPECT_NE(message, "");
        EXPECT_NE(message.find(this->directory().string()), std::string::npos) << message;
        for (const std::string_view part : parts)
            EXPECT_NE(message.find(part), std::string::npos) << message << "\nlacks " << part;
    };
    const auto in_txn = [&](const std::function<void(WriteTxn&)>& action,
                            std::initializer_list<std::string_view> parts) {
        WriteTxn txn = this->writer();
        expect_parts(message_of([&] { action(txn); }), parts);
    };
    const Table p = this->p();
    const Table d = this->d();
    in_txn([&](WriteTxn& txn) { txn.cursor(d).put_no_dup("aa", "2"); }, {"KeyExists", "table D"});
    in_txn([&](WriteTxn& txn) { txn.append(p, "a", "x"); }, {"KeyMismatch", "table P"});
    in_txn([&](WriteTxn& txn) { txn.append_dup(d, "aa", "0"); }, {"KeyMismatch", "table D"});
    in_txn(
        [&](WriteTxn& txn) {
            WriteCursor cursor = txn.cursor(p);
            cursor.first();
            cursor.put_current("b", "x");
        },
        {"KeyMismatch", "table P"});
    in_txn([&](WriteTxn& txn) { txn.cursor(p).delete_current(); }, {"NotPositioned", "table P"});
    in_txn([&](WriteTxn& txn) { txn.cursor(d).delete_all_dups(); }, {"NotPositioned", "table D"});
    in_txn([&](WriteTxn& txn) { txn.put(p, too_long, "x"); },
           {"BadKeySize", "table P", "511", "510"});
    in_txn([&](WriteTxn& txn) { txn.put(d, "aa", longer); },
           {"BadValueSize", "table D", "700", "510"});
    in_txn([&](WriteTxn& txn) { txn.cursor(p).seek_both_exact("a", "1"); },
           {"KindMismatch", "table P"});
    in_txn([&](WriteTxn& txn) { txn.create_table({"D", Kind::Plain}); },
           {"KindMismatch", "table D"});
    in_txn([&](WriteTxn& txn) { txn.put(unknown, "k", "v"); }, {"NoSuchTable", "unknown_table"});
    in_txn([&](WriteTxn& txn) { txn.create_table({"bad name", Kind::Plain}); },
           {"NoSuchTable", "bad name"});
    in_txn(
        [&](WriteTxn& txn) {
            for (size_t number = 0; number <= kTablesMax; ++number)
                txn.create_table({"table-" + std::to_string(number), Kind::Plain});
        },
        {"TooManyTables", "256"});
    in_txn(
        [&](WriteTxn& txn) {
            txn.set_sequence(p, UINT64_MAX - 1);
            txn.increment(p, 77);
        },
        {"SequenceOverflow", "table P", "77"});
    {
        WriteTxn txn = this->writer();
        std::string message;
        std::jthread([&] { message = message_of([&] { txn.commit(); }); }).join();
        expect_parts(message, {"WrongThread"});
    }
    OpenOptions small = this->options();
    small.size_max_bytes = uint64_t{8} << 20;
    this->reopen(small);
    in_txn([&](WriteTxn& txn) { txn.put(p, "k", Bytes(size_t{16} << 20, 0)); },
           {"MapFull", "8388608"});
    in_txn(
        [&](WriteTxn& txn) {
            EXPECT_EQ(error_of([&] { txn.put(p, "k", Bytes(size_t{16} << 20, 0)); }),
                      ErrorCode::MapFull);
            txn.get(p, "a");
        },
        {"TxnBroken"});
    {
        const Database closing = this->store();
        closing.close();
        expect_parts(message_of([&] { closing.begin_ro(); }), {"Closed"});
    }
    OpenOptions read_only = this->options();
    read_only.access = Access::ReadOnly;
    this->reopen(read_only);
    expect_parts(message_of([&] { static_cast<void>(this->store().begin_rw().has_value()); }),
                 {"ReadOnly"});
    this->close();
    OpenOptions wrong_kind = this->options();
    wrong_kind.schema[0].kind = Kind::DupSort;
    expect_parts(message_of([&] { db::open(this->kBackend, wrong_kind); }),
                 {"KindMismatch", "table P"});
    const std::string data_file = this->kMem ? "store.img" : "data.mdb";
    ASSERT_TRUE(std::filesystem::exists(this->directory() / data_file));
    const uint64_t bytes = std::filesystem::file_size(this->directory() / data_file);
    std::filesystem::resize_file(this->directory() / data_file, bytes - kPageBytes);
    expect_parts(message_of([&] { db::open(this->kBackend, this->options()); }),
                 {"Corrupt", data_file});
    std::filesystem::remove_all(this->directory());
    std::filesystem::create_directory(this->directory());
    expect_parts(message_of([&] { db::open(this->kBackend, read_only); }), {"NotFound"});
}

}  // namespace

}  // namespace keel::db::testing
