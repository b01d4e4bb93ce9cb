#include "state/chunk.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "db/open.hpp"
#include "db/testing/rows.hpp"
#include "state/codecs.hpp"
#include "state/tables.hpp"

namespace keel::state {
namespace {

using core::Bytes;
using core::ByteView;

using db::testing::Rows;
using db::testing::rows_of;

struct Store {
    db::Database database = db::open_ephemeral(schema());
    Tables tables{database};
};

TEST(Chunk, is_closed_at_256_numbers_and_named_by_its_last) {
    const Store store;
    const Bytes key(20, 0xab);
    store.database.update([&](db::WriteTxn& txn) {
        std::vector<uint64_t> numbers;
        for (uint64_t i = 0; i < 300; ++i) numbers.push_back(1000 + 3 * i);
        add_numbers(txn, store.tables.account_history, key, numbers);
        const Rows rows = rows_of(txn, store.tables.account_history);
        ASSERT_EQ(rows.size(), 2u);
        Bytes closed = key;
        core::append(closed, number_key(1000 + 3 * 255));
        Bytes open = key;
        core::append(open, number_key(UINT64_MAX));
        // First number in full, then a byte for each difference of 3.
        EXPECT_EQ(rows[0].first, closed);
        EXPECT_EQ(rows[0].second.size(), 8u + 255);
        EXPECT_EQ(rows[1].first, open);
        EXPECT_EQ(rows[1].second.size(), 8u + 43);
        EXPECT_EQ(ByteView(rows[1].second).sub(0, 8), ByteView(number_key(1000 + 3 * 256)));
    });
}

TEST(Chunk, exactly_256_numbers_leave_no_open_chunk) {
    const Store store;
    const Bytes key(20, 0xff);
    store.database.update([&](db::WriteTxn& txn) {
        for (uint64_t i = 1; i <= kChunkNumbers; ++i) {
            add_numbers(txn, store.tables.account_history, key, std::array{i});
        }
        EXPECT_EQ(rows_of(txn, store.tables.account_history).size(), 1u);
        remove_numbers_above(txn, store.tables.account_history, key, kChunkNumbers - 1);
        const Rows rows = rows_of(txn, store.tables.account_history);
        ASSERT_EQ(rows.size(), 1u);
        EXPECT_EQ(ByteView(rows.begin()->first).sub(20), ByteView(number_key(UINT64_MAX)));
        remove_numbers_above(txn, store.tables.account_history, key, 0);
        EXPECT_TRUE(rows_of(txn, store.tables.account_history).empty());
    });
}

TEST(Chunk, rows_depend_on_the_numbers_alone) {
    const Store store;
    const db::Table table = store.tables.account_history;
    const char* given = std::getenv("KEEL_SEED");
    const uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : 1;
    for (uint64_t run = seed; run < seed + 20; ++run) {
        SCOPED_TRACE("KEEL_SEED=" + std::to_string(run));
        std::mt19937_64 random(run);
        std::map<Bytes, std::set<uint64_t>> model;
        std::vector<Bytes> keys = {Bytes(20, 0x00), Bytes(20, 0x7f), Bytes(20, 0xff)};
        uint64_t top = 0;
        store.database.update([&](db::WriteTxn& txn) {
            txn.clear_table(table);
            for (int step = 0; step < 60; ++step) {
                if (random() % 4 != 0) {
                    const uint64_t end = top + 1 + random() % 200;
                    for (const Bytes& key : keys) {
                        std::vector<uint64_t> numbers;
                        const uint64_t one_of = 1 + random() % 5;
                        for (uint64_t number = top + 1; number < end; ++number) {
                            if (random() % one_of == 0) numbers.push_back(number * 1000);
                        }
                        add_numbers(txn, table, key, numbers);
                        model[key].insert(numbers.begin(), numbers.end());
                    }
                    top = end - 1;
                } else {
                    top -= std::min(top, random() % 700);
                    for (const Bytes& key : keys) {
                        remove_numbers_above(txn, table, key, top * 1000);
                        model[key].erase(model[key].upper_bound(top * 1000), model[key].end());
                    }
                }
                db::ReadCursor cursor = txn.cursor(table);
                for (const Bytes& key : keys) {
                    const uint64_t number = random() % (top * 1000 + 2000);
                    const auto above = model[key].upper_bound(number);
                    const auto found = first_number_above(cursor, key, number);
                    EXPECT_EQ(found.has_value(), above != model[key].end());
                    if (found && above != model[key].end()) {
                        EXPECT_EQ(*found, *above);
                    }
                }
            }
            const Rows grown = rows_of(txn, table);
            txn.clear_table(table);
            for (const Bytes& key : keys) {
                const std::vector<uint64_t> all(model[key].begin(), model[key].end());
                add_numbers(txn, table, key, all);
            }
            EXPECT_EQ(grown, rows_of(txn, table));
        });
    }
}

}  // namespace
}  // namespace keel::state
