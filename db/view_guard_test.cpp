#include "db/view_guard.hpp"

#include <gtest/gtest.h>

#include <cstdio>

#include "db/mem/store.hpp"

namespace keel::db {
namespace {

Database guarded_store() {
    OpenOptions options;
    options.schema = {{"P", Kind::Plain}, {"D", Kind::DupSort}};
    options.reserve_bytes = uint64_t{1} << 30;
    return Database(guard_views(mem::open_store(options)));
}

TEST(ViewGuard, hands_out_a_copy_for_each_view) {
    const Database store = guarded_store();
    const Table table = store.table("P");
    store.update([&](WriteTxn& txn) { txn.put(table, "k", "value"); });
    const ReadTxn txn = store.begin_ro();
    const auto first = txn.get(table, "k");
    const auto second = txn.get(table, "k");
    EXPECT_EQ(first, ByteView("value"));
    EXPECT_EQ(first, second);
    EXPECT_NE(first->data(), second->data());
}

TEST(ViewGuard, a_view_may_be_an_argument_of_the_write_that_ends_it) {
    const Database store = guarded_store();
    const Table table = store.table("P");
    store.update([&](WriteTxn& txn) {
        txn.put(table, "a", "value");
        txn.put(table, "b", *txn.get(table, "a"));
        WriteCursor cursor = txn.cursor(table);
        const Hit hit = cursor.seek("b");
        cursor.put(hit->value, hit->key);
        EXPECT_EQ(txn.get(table, "value"), ByteView("b"));
    });
    EXPECT_EQ(store.begin_ro().get(table, "b"), ByteView("value"));
}

TEST(ViewGuard, keeps_empty_values_apart_from_absent_ones) {
    const Database store = guarded_store();
    const Table table = store.table("P");
    store.update([&](WriteTxn& txn) { txn.put(table, "k", ""); });
    const ReadTxn txn = store.begin_ro();
    ASSERT_TRUE(txn.get(table, "k").has_value());
    EXPECT_NE(txn.get(table, "k")->data(), nullptr);
    EXPECT_EQ(txn.get(table, "l"), std::nullopt);
}

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define KEEL_TEST_ASAN 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define KEEL_TEST_ASAN 1
#endif

#ifdef KEEL_TEST_ASAN
// K27 (R1).
TEST(ViewGuardDeathTest, a_late_use_stops_the_program) {
    // The store is opened by the child: one that was opened before a fork answers Forked.
    const auto use_after_the_end = [] {
        const Database store = guarded_store();
        const Table table = store.table("P");
        store.update([&](WriteTxn& txn) { txn.put(table, "k", "value"); });
        ReadTxn txn = store.begin_ro();
        const ByteView view = *txn.get(table, "k");
        txn.end();
        std::fprintf(stderr, "read %d\n", view[0]);
    };
    EXPECT_DEATH(use_after_the_end(), "use-after-free");
    const auto use_after_a_write = [] {
        const Database store = guarded_store();
        const Table table = store.table("P");
        auto txn = store.begin_rw();
        txn->put(table, "k", "value");
        const ByteView view = *txn->get(table, "k");
        txn->put(table, "l", "x");
        std::fprintf(stderr, "read %d\n", view[0]);
    };
    EXPECT_DEATH(use_after_a_write(), "use-after-free");
}
#endif

}  // namespace
}  // namespace keel::db
