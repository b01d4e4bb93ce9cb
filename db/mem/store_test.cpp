#include "db/mem/store.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <random>
#include <thread>

namespace keel::db::mem {
namespace {

constexpr uint64_t kReserve = uint64_t{1} << 30;

Database ephemeral() {
    return open_ephemeral({{"P", Kind::Plain}, {"D", Kind::DupSort}}, kReserve);
}

std::optional<ErrorCode> error_of(const std::function<void()>& action) {
    try {
        action();
    } catch (const Error& error) {
        return error.code();
    }
    return std::nullopt;
}

TEST(Store, readers_that_end_while_the_store_closes_and_goes_leave_nothing_behind) {
    for (int round = 0; round < 60; ++round) {
        auto store = std::make_unique<Database>(ephemeral());
        const Table table = store->table("P");
        store->update([&](WriteTxn& txn) { txn.put(table, "k", std::string(3000, 'v')); });
        std::atomic<int> holding = 0;
        std::atomic<bool> go = false;
        std::vector<std::jthread> threads;
        for (int i = 0; i < 4; ++i)
            threads.emplace_back([&, i] {
                ReadTxn txn = store->begin_ro();
                const ByteView value = *txn.get(table, "k");
                ++holding;
                while (!go) std::this_thread::yield();
                for (int spin = 0; spin < i * round; ++spin) std::this_thread::yield();
                EXPECT_EQ(value.size(), 3000U);
                EXPECT_EQ(value[2999], 'v');
                txn.end();
            });
        while (holding < 4) std::this_thread::yield();
        go = true;
        store.reset();
    }
}

TEST(Store, a_write_transaction_may_outlive_the_handle) {
    WriteTxn txn;
    {
        OpenOptions options;
        options.schema = {{"P", Kind::Plain}};
        options.reserve_bytes = kReserve;
        options.close_grace_ms = 1;
        const Database store(open_store(options));
        txn = std::move(*store.begin_rw());
        txn.put(store.table("P"), "k", "v");
    }
    EXPECT_EQ(error_of([&] { txn.put(Table{0, Kind::Plain}, "l", "w"); }), ErrorCode::Closed);
    txn.abort();
}

// Seen: 2^32 pages were counted as none.
TEST(Store, more_address_space_than_pages_have_numbers_is_as_much_as_they_have) {
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
    GTEST_SKIP() << "sanitizers have less address space than that";
#endif
#endif
    const Database store = open_ephemeral({{"P", Kind::Plain}}, uint64_t{1} << 45);
    const Table table = store.table("P");
    store.update([&](WriteTxn& txn) { txn.put(table, "k", "v"); });
    const ReadTxn txn = store.begin_ro();
    ASSERT_TRUE(txn.get(table, "k"));
    EXPECT_EQ(txn.get(table, "k")->text(), "v");
}

TEST(Store, those_who_wait_to_write_are_told_when_the_store_closes) {
    OpenOptions options;
    options.schema = {{"P", Kind::Plain}};
    options.reserve_bytes = kReserve;
    options.close_grace_ms = 20;
    const Database store(open_store(options));
    auto held = store.begin_rw();
    ASSERT_TRUE(held.has_value());
    std::vector<std::jthread> waiting;
    std::atomic<int> told = 0;
    for (int i = 0; i < 3; ++i)
        waiting.emplace_back([&] {
            if (error_of([&] { (void)store.begin_rw(); }) == ErrorCode::Closed) ++told;
        });
    store.close();
    waiting.clear();
    EXPECT_EQ(told, 3);
    held->abort();
}

TEST(Store, pages_of_a_reader_survive_every_commit_and_come_back_afterwards) {
    const Database store = ephemeral();
    const Table table = store.table("P");
    const auto rewrite = [&](char fill) {
        store.update([&](WriteTxn& txn) {
            for (int row = 0; row < 5000; ++row)
                txn.put(table, "key" + std::to_string(row), std::string(40, fill));
        });
    };
    rewrite('a');
    rewrite('b');
    const uint64_t flat = store.stats().anonymous_bytes;
    {
        const ReadTxn held = store.begin_ro();
        for (char fill = 'c'; fill < 'z'; ++fill) rewrite(fill);
        Range range = held.range(table);
        uint64_t rows = 0;
        while (const Hit hit = range.next()) {
            EXPECT_EQ(hit->value, ByteView(std::string(40, 'b')));
            ++rows;
        }
        EXPECT_EQ(rows, 5000U);
        EXPECT_GT(store.stats().pinned_bytes, 0U);
        EXPECT_LE(store.stats().anonymous_bytes, flat + flat) << "only its own snapshot is pinned";
    }
    rewrite('A');
    EXPECT_EQ(store.stats().pinned_bytes, 0U);
    const uint64_t after = store.stats().anonymous_bytes;
    for (char fill = 'B'; fill < 'Z'; ++fill) rewrite(fill);
    EXPECT_EQ(store.stats().anonymous_bytes, after);
}

TEST(Store, get_many_answers_as_get) {
    const Database store = ephemeral();
    std::mt19937_64 random(5);
    for (const char* const name : {"P", "D"}) {
        const Table table = store.table(name);
        store.update([&](WriteTxn& txn) {
            for (int row = 0; row < 20'000; ++row) {
                const std::string key = std::to_string(random() % 30'000);
                txn.put(table, key,
                        row % 500 == 0 && table.kind == Kind::Plain ? std::string(5000, 'x')
                                                                    : std::to_string(row));
            }
        });
        const ReadTxn txn = store.begin_ro();
        std::vector<std::string> names(1000);
        for (std::string& key : names) key = std::to_string(random() % 30'000);
        const std::vector<ByteView> keys(names.begin(), names.end());
        std::vector<std::optional<ByteView>> values(keys.size());
        txn.get_many(table, keys, values);
        for (size_t i = 0; i < keys.size(); ++i) EXPECT_EQ(values[i], txn.get(table, keys[i]));
    }
}

TEST(Store, a_million_values_of_one_key_are_counted_and_ended_without_a_walk) {
    const Database store = ephemeral();
    const Table table = store.table("D");
    constexpr uint64_t kValues = 1'000'000;
    store.update([&](WriteTxn& txn) {
        for (uint64_t i = 0; i < kValues; ++i) {
            uint8_t value[8];
            core::store_be(value, i);
            txn.append(table, "group", {value, 8});
        }
        txn.put(table, "h", "behind");
    });
    const ReadTxn txn = store.begin_ro();
    EXPECT_EQ(txn.stat(table).keys, 2U);
    ReadCursor cursor = txn.cursor(table);
    ASSERT_TRUE(cursor.first());
    EXPECT_EQ(cursor.count_dups(), kValues);
    EXPECT_EQ(core::load_be<uint64_t>(cursor.last_dup()->value.data()), kValues - 1);
    EXPECT_EQ(cursor.next_nodup()->key, ByteView("h"));
    EXPECT_EQ(cursor.prev_nodup()->key, ByteView("group"));
    EXPECT_EQ(cursor.count_dups(), kValues);
}

}  // namespace
}  // namespace keel::db::mem
