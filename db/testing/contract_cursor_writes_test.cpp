// KV.md A.11, cursors that write, alone and under each other's feet: K19 to K28.

#include <algorithm>
#include <numeric>

#include "db/testing/contract_fixture.hpp"

namespace keel::db::testing {

namespace {

TYPED_TEST_SUITE(KvContract, BothBackends, BackendNames);

// K19 (B2). Seen elsewhere: the repair stepped before it looked where the seek had landed, and
// skipped aab:7.
TYPED_TEST(KvContract, K19_next_nodup_after_foreign_deletes_skips_no_key) {
    this->fill_golden();
    WriteTxn txn = this->writer();
    EXPECT_EQ(this->play(txn, this->d(),
                         "A seek_both_exact aa 2 -> aa:2;"
                         "B delete_exact aa 2 -> true; B delete_exact aa 3 -> true;"
                         "A next_nodup -> aab:7"),
              "");
}

// K20 (G14, B8). Seen elsewhere: next_dup after a delete said "nothing", so that only the first
// value was pruned.
TYPED_TEST(KvContract, K20_deleting_with_next_dup_empties_a_group) {
    const Table d = this->d();
    WriteTxn txn = this->writer();
    for (const char* value : {"v1", "v2", "v3"}) txn.put(d, "k", value);
    txn.put(d, "j", "before");
    txn.put(d, "ka", "behind");
    WriteCursor cursor = txn.cursor(d);
    cursor.seek_exact("k");
    int deleted = 0;
    for (Hit hit = cursor.first_dup(); hit; hit = cursor.next_dup()) {
        EXPECT_EQ(hit->key, ByteView("k"));
        cursor.delete_current();
        ++deleted;
    }
    EXPECT_EQ(deleted, 3);
    EXPECT_EQ(cursor.next_nodup(), (Entry{"ka", "behind"}));
    EXPECT_EQ(this->content_of(txn, d), "j:before ka:behind");
}

// K21 (G21, X7). MDBX skips from the last key's last value to the key before.
TYPED_TEST(KvContract, K21_walking_back_from_a_multi_valued_last_key_meets_every_entry) {
    const Table d = this->d();
    const auto there_and_back = [&](const ReadTxn& txn) {
        const std::vector<Row> all = rows(txn, d);
        ReadCursor cursor = txn.cursor(d);
        size_t count = 0;
        while (cursor.next()) ++count;
        ASSERT_EQ(count, all.size());
        for (size_t left = all.size() - 1; left > 0; --left) {
            const Hit hit = cursor.prev();
            ASSERT_TRUE(hit);
            EXPECT_EQ(to_row(*hit), all[left - 1]);
        }
        EXPECT_EQ(cursor.prev(), std::nullopt);
        EXPECT_EQ(to_row(*cursor.current()), all.front());
    };
    this->fill_golden();
    there_and_back(this->reader());
    // A last group that fills pages of its own.
    this->store().update([&](WriteTxn& txn) {
        for (uint64_t number = 0; number < 3'000; ++number) txn.put(d, "z", number_key(number));
    });
    there_and_back(this->reader());
    there_and_back(this->writer());
}

// K22 (X16, X17). liblmdb truncates the value, breaks the order or makes twins.
TYPED_TEST(KvContract, K22_put_current_keeps_key_order_and_set) {
    this->fill_golden();
    const std::string long_value(kDupValueBytesMax, 'v');
    {
        WriteTxn txn = this->writer();
        EXPECT_EQ(this->play(txn, this->p(),
                             "seek_exact aab; put_current ab 9 -> KeyMismatch; current -> aab=3;"
                             "put_current aab 333333 -> ok; current -> aab=333333; next -> ab=4;"
                             "prev -> aab=333333; put_current aab \"\" -> ok; current -> aab=;"
                             "count_dups -> 1; prev -> aa=2; B put_current aa 1 -> NotPositioned;"
                             "B seek c; B put_current c 1 -> NotPositioned;"
                             "B seek_exact c; B put_current c 1 -> NotPositioned"),
                  "");
        EXPECT_EQ(this->content_of(txn, this->p()), "a=1 aa=2 aab= ab=4 b=5");
        // A value of many pages replaces a small one, and goes again.
        WriteCursor cursor = txn.cursor(this->p());
        cursor.seek_exact("aab");
        const std::string run_of_pages(5 * kPageBytes, 'r');
        cursor.put_current("aab", run_of_pages);
        EXPECT_EQ(cursor.current(), (Entry{"aab", run_of_pages}));
        cursor.put_current("aab", "3");
        EXPECT_EQ(this->content_of(txn, this->p()), "a=1 aa=2 aab=3 ab=4 b=5");
    }
    WriteTxn txn = this->writer();
    EXPECT_EQ(this->play(txn, this->d(),
                         "seek_both_exact aa 2; put_current aab 2 -> KeyMismatch; current -> aa:2;"
                         "count_dups -> 3;"
                         "put_current aa 2 -> ok; count_dups -> 3; next -> aa:3; prev -> aa:2;"
                         "put_current aa 15 -> ok; current -> aa:15; prev -> aa:1; next -> aa:15;"
                         "next -> aa:3; put_current aa \"\" -> ok; current -> aa:; next -> aa:1;"
                         "count_dups -> 3; put_current aa 15 -> ok; current -> aa:15;"
                         "count_dups -> 2"),
              "");
    EXPECT_EQ(this->content_of(txn, this->d()), "a:1 aa: aa:15 aab:7 ab:1 ab:2 b:8 b:9");
    WriteCursor cursor = txn.cursor(this->d());
    cursor.seek_both_exact("aa", "");
    cursor.put_current("aa", long_value);
    EXPECT_EQ(cursor.current(), (Entry{"aa", long_value}));
    EXPECT_EQ(cursor.count_dups(), 2u);
    EXPECT_EQ(cursor.prev(), (Entry{"aa", "15"}));
    // In a Gap the landing is what is replaced; its key is the one that must be named.
    EXPECT_EQ(this->play(txn, this->d(),
                         "seek_both_exact aab 7; delete_current -> ok;"
                         "put_current aab 8 -> KeyMismatch; put_current ab 15 -> ok;"
                         "current -> ab:15; count_dups -> 2; next -> ab:2; seek_both_exact b 9;"
                         "delete_current -> ok; put_current b 7 -> NotPositioned; prev -> b:8"),
              "");
}

// K23 (X18, X19).
TYPED_TEST(KvContract, K23_append_takes_ascending_entries_and_refuses_others) {
    const size_t many = scaled(100'000, 5'000);
    const Bytes value(24, 'v');
    {
        WriteTxn txn = this->writer();
        for (uint64_t number = 0; number < many; ++number) {
            txn.append(this->p(), number_key(number), value);
            txn.append(this->d(), number_key(number / 4), number_key(number));
        }
        const Bytes last = number_key(many - 1);
        txn.append(this->p(), last, "replaced");  // plain: an equal key replaces
        EXPECT_EQ(txn.get(this->p(), last), ByteView("replaced"));
        txn.append(this->p(), last, value);
        EXPECT_EQ(error_of([&] { txn.append(this->p(), number_key(many - 2), "x"); }),
                  ErrorCode::KeyMismatch);
        EXPECT_EQ(error_of([&] { txn.append(this->p(), "", "x"); }), ErrorCode::KeyMismatch);
        const Bytes last_group = number_key((many - 1) / 4);
        EXPECT_EQ(error_of([&] { txn.append(this->d(), last_group, last); }),
                  ErrorCode::KeyMismatch);
        EXPECT_EQ(error_of([&] { txn.append(this->d(), last_group, ""); }), ErrorCode::KeyMismatch);
        EXPECT_EQ(error_of([&] { txn.append(this->d(), number_key(0), number_key(many)); }),
                  ErrorCode::KeyMismatch);
        EXPECT_EQ(error_of([&] { txn.append_dup(this->d(), number_key(0), number_key(3)); }),
                  ErrorCode::KeyMismatch);
        txn.append_dup(this->d(), number_key(0),
                       number_key(many));  // greater than the group's last
        EXPECT_TRUE(txn.del(this->d(), number_key(0), number_key(many)));
        txn.append_dup(this->d(), "\xff", "a new key may stand anywhere");
        txn.append_dup(this->d(), "", "a new key may stand anywhere");
        EXPECT_TRUE(txn.del(this->d(), "\xff"));
        EXPECT_TRUE(txn.del(this->d(), ""));
        EXPECT_EQ(txn.count(this->p()), many);
        EXPECT_EQ(txn.count(this->d()), many);
        txn.commit();
    }
    const ReadTxn txn = this->reader();
    ReadCursor plain = txn.cursor(this->p());
    ReadCursor dups = txn.cursor(this->d());
    for (uint64_t number = 0; number < many; ++number) {
        ASSERT_EQ(plain.next(), (Entry{number_key(number), value}));
        ASSERT_EQ(dups.next(), (Entry{number_key(number / 4), number_key(number)}));
    }
    if (this->kMem) {
        // What an entry of a leaf takes beside key and value (db/mem/page.hpp): head, slot and two
        // lengths.
        constexpr uint64_t kEntryOverheadBytes = 8 + 2 + 4;
        const uint64_t entry_bytes = sizeof(uint64_t) + value.size() + kEntryOverheadBytes;
        const uint64_t leaf_bytes = txn.stat(this->p()).leaf_pages * kPageBytes;
        EXPECT_GE(many * entry_bytes * 10, leaf_bytes * 9) << "pages are filled to nine tenths";
    }
}

// K24 (A.5, writes; B14).
TYPED_TEST(KvContract, K24_refused_inserts_stand_on_the_existing_entry) {
    this->fill_golden();
    WriteTxn txn = this->writer();
    EXPECT_EQ(this->play(txn, this->p(),
                         "put_no_overwrite aab 9 -> false; current -> aab=3; next -> ab=4;"
                         "put_no_overwrite aac 9 -> true; current -> aac=9; prev -> aab=3;"
                         "put_no_dup aab 3 -> KindMismatch; current -> aab=3"),
              "");
    EXPECT_EQ(this->content_of(txn, this->p()), "a=1 aa=2 aab=3 aac=9 ab=4 b=5");
    EXPECT_EQ(this->play(txn, this->d(),
                         "put_no_overwrite aa 2 -> false; current -> aa:1; next -> aa:2;"
                         "put_no_overwrite aa 9 -> false; current -> aa:1;"
                         "put_no_overwrite aac 9 -> true; current -> aac:9; next -> ab:1;"
                         "put_no_dup aa 2 -> KeyExists; current -> aa:2; next -> aa:3;"
                         "put_no_dup aa 25 -> ok; current -> aa:25; next -> aa:3"),
              "");
    EXPECT_EQ(this->content_of(txn, this->d()),
              "a:1 aa:1 aa:2 aa:25 aa:3 aab:7 aac:9 ab:1 ab:2 b:8 b:9");
    EXPECT_FALSE(txn.put_no_overwrite(this->p(), "a", "x"));
    EXPECT_EQ(txn.get(this->p(), "a"), ByteView("1"));
    EXPECT_TRUE(txn.put_no_overwrite(this->p(), "", "x"));
}

// K25 (R26 a–g): two cursors, one content. Each script runs on its own copy of the golden tables.
TYPED_TEST(KvContract, K25_two_cursors_on_one_table_are_one_content_with_two_positions) {
    this->fill_golden();
    const auto on = [&](Table table, std::string_view script) {
        WriteTxn txn = this->writer();
        EXPECT_EQ(this->play(txn, table, script), "") << script;
    };
    // c: delete under, before, behind.
    on(this->p(), "A seek_exact aab; B seek_exact aab; B delete_current; A current -> ab=4");
    on(this->p(), "A seek_exact aab; B del aab; A next -> ab=4; A prev -> aa=2");
    on(this->p(), "A seek_exact aab; B del aa; A current -> aab=3; A prev -> a=1");
    on(this->p(), "A seek_exact aab; B del ab; A current -> aab=3; A next -> b=5");
    on(this->d(), "A seek_both_exact aa 2; B delete_exact aa 2; A next_dup -> aa:3");
    on(this->d(),
       "A seek_both_exact aa 3; B delete_exact aa 3; A current -> ·; A prev_dup -> aa:2");
    // a: insert before and behind.
    on(this->p(), "A seek_exact aab; B put aaa 0; A prev -> aaa=0; A next -> aab=3");
    on(this->p(), "A seek_exact aab; B put aabb 0; A next -> aabb=0; A next -> ab=4");
    on(this->d(),
       "A seek_both_exact aa 2; B put aa 15; B put aa 25; A prev -> aa:15;"
       "A next -> aa:2; A next -> aa:25");
    // b: overwrite by a longer value.
    on(this->p(),
       "A seek_exact aab; B put aab 3333333333333333; A current -> aab=3333333333333333;"
       "A next -> ab=4");
    // f: clear; clear then put.
    {
        WriteTxn txn = this->writer();
        WriteCursor fresh = txn.cursor(this->p());
        WriteCursor at = txn.cursor(this->p());
        at.seek_exact("aab");
        txn.clear_table(this->p());
        EXPECT_EQ(at.current(), std::nullopt);
        EXPECT_EQ(at.next(), std::nullopt);
        txn.put(this->p(), "aab", "new");
        EXPECT_EQ(at.current(), std::nullopt);  // Lost, though its key is there again
        EXPECT_EQ(at.next(), std::nullopt);
        EXPECT_EQ(at.prev(), std::nullopt);
        EXPECT_EQ(fresh.next(), std::nullopt);
        EXPECT_EQ(at.first(), (Entry{"aab", "new"}));
    }
    // g: delete and put again; put a smaller and a greater neighbour into the gap.
    on(this->p(),
       "A seek_exact aab; B seek_exact aab; B delete_current; B put aab 3;"
       "A current -> ab=4; A prev -> aab=3");
    on(this->p(), "A seek_exact aab; B del aab; B put aabb 0; A next -> aabb=0; A next -> ab=4");
    on(this->p(), "A seek_exact aab; B del aab; B put aaa 0; A prev -> aaa=0; A prev -> aa=2");
    on(this->d(), "A seek_both_exact aa 2; B delete_exact aa 2; B put aa 25; A next -> aa:25");
    // The group emptied through the txn.
    {
        WriteTxn txn = this->writer();
        WriteCursor cursor = txn.cursor(this->d());
        cursor.seek_both_exact("aa", "2");
        EXPECT_TRUE(txn.del(this->d(), "aa"));
        EXPECT_EQ(cursor.count_dups(), 1u);  // of the landing's group, aab
        EXPECT_EQ(cursor.next_dup(), std::nullopt);
        EXPECT_EQ(cursor.prev(), (Entry{"a", "1"}));
        EXPECT_EQ(cursor.next(), (Entry{"aab", "7"}));
    }
    // e: single becomes two.
    on(this->d(),
       "A seek_exact aab; B put aab 8; A current -> aab:7; A count_dups -> 2;"
       "A next_dup -> aab:8; A prev_dup -> aab:7");
    on(this->d(), "A seek_exact aab; B put aab 6; A current -> aab:7; A prev_dup -> aab:6");
    // d: thousands of writes around; all others deleted.
    for (const Table table : {this->p(), this->d()}) {
        WriteTxn txn = this->writer();
        WriteCursor cursor = txn.cursor(table);
        ASSERT_TRUE(cursor.seek_exact("aab"));
        const Row own = to_row(*cursor.current());
        for (uint64_t number = 0; number < 5'000; ++number) {
            const Bytes value = number_key(number);
            std::string key = "aa" + std::to_string(number * 7919 % 5'000);
            txn.put(table, key, value);
            key[1] = 'b';
            txn.put(table, key, value);
        }
        EXPECT_EQ(to_row(*cursor.current()), own);
        for (const Row& row : rows(txn, table))
            if (row.key != own.key) txn.del(table, row.key);
        EXPECT_EQ(to_row(*cursor.current()), own);
        EXPECT_EQ(cursor.next(), std::nullopt);
        EXPECT_EQ(cursor.prev(), std::nullopt);
        EXPECT_EQ(to_row(*cursor.current()), own);
    }
    // 2 000 values added to the group under a cursor.
    {
        WriteTxn txn = this->writer();
        WriteCursor cursor = txn.cursor(this->d());
        ASSERT_TRUE(cursor.seek_both_exact("aa", "2"));
        WriteCursor other = txn.cursor(this->d());
        for (uint64_t number = 0; number < 2'000; ++number)
            other.put("aa", "1" + std::to_string(number * 7919 % 2'000));
        EXPECT_EQ(cursor.current(), (Entry{"aa", "2"}));
        EXPECT_EQ(cursor.count_dups(), 2'003u);
        EXPECT_EQ(cursor.next(), (Entry{"aa", "3"}));
        EXPECT_EQ(cursor.next(), (Entry{"aab", "7"}));
        EXPECT_EQ(cursor.prev_nodup(), (Entry{"aa", "3"}));
        EXPECT_EQ(cursor.first_dup(), (Entry{"aa", "1"}));
    }
}

// K26 (R2): arguments that are views into the store act as if they had been copied first.
TYPED_TEST(KvContract, K26_arguments_may_be_views_into_the_store_itself) {
    const Table p = this->p();
    const Table d = this->d();
    const std::string run_of_pages(3 * kPageBytes, 'r');
    WriteTxn txn = this->writer();
    for (int number = 1; number <= 9; ++number)
        txn.put(p, "k" + std::to_string(number), std::string(100, static_cast<char>('0' + number)));
    txn.put(p, "large", run_of_pages);
    // On one page, a longer value first: the page is moved together under the view.
    txn.put(p, "k9", *txn.get(p, "k1"));
    EXPECT_EQ(txn.get(p, "k9"), ByteView(std::string(100, '1')));
    txn.put(p, "k2", "short");
    txn.put(p, "k3", *txn.get(p, "k2"));
    EXPECT_EQ(txn.get(p, "k3"), ByteView("short"));
    txn.put(p, "k2", *txn.get(p, "k4"));
    EXPECT_EQ(txn.get(p, "k2"), ByteView(std::string(100, '4')));
    txn.put(p, "k5", *txn.get(p, "large"));
    EXPECT_EQ(txn.get(p, "k5"), ByteView(run_of_pages));
    txn.put(p, "large", *txn.get(p, "large"));
    EXPECT_EQ(txn.get(p, "large"), ByteView(run_of_pages));
    txn.put(p, "large", txn.get(p, "large")->sub(1, 10));
    EXPECT_EQ(txn.get(p, "large"), ByteView("rrrrrrrrrr"));
    // The entry itself: key, value and both.
    WriteCursor cursor = txn.cursor(p);
    Hit hit = cursor.seek_exact("k6");
    cursor.put_current(hit->key, hit->value.sub(50));
    EXPECT_EQ(cursor.current(), (Entry{"k6", std::string(50, '6')}));
    hit = cursor.current();
    cursor.put_current(hit->key, hit->key);
    EXPECT_EQ(cursor.current(), (Entry{"k6", "k6"}));
    hit = cursor.current();
    cursor.put(hit->value, hit->key);
    EXPECT_EQ(cursor.current(), (Entry{"k6", "k6"}));
    hit = cursor.last();
    cursor.append(hit->key, hit->value);
    EXPECT_EQ(cursor.current(), (Entry{"large", "rrrrrrrrrr"}));
    hit = cursor.seek_exact("k7");
    EXPECT_TRUE(txn.del(p, hit->key));
    EXPECT_FALSE(txn.has(p, "k7"));

    for (const char* value : {"v1", "v3", "v5"}) txn.put(d, "k", value);
    WriteCursor dups = txn.cursor(d);
    hit = dups.seek_both_exact("k", "v3");
    dups.put_current(hit->key, hit->value);
    EXPECT_EQ(dups.current(), (Entry{"k", "v3"}));
    hit = dups.current();
    dups.put_current(hit->key, hit->value.sub(0, 1));  // "v": goes to the front
    EXPECT_EQ(this->content_of(txn, d), "k:v k:v1 k:v5");
    hit = dups.last_dup();
    dups.put(hit->value, hit->key);
    EXPECT_EQ(this->content_of(txn, d), "k:v k:v1 k:v5 v5:k");
    hit = dups.seek_both_exact("k", "v1");
    EXPECT_TRUE(dups.delete_exact(hit->key, hit->value));
    hit = dups.last();
    EXPECT_EQ(error_of([&] { dups.append(hit->key, hit->value); }), ErrorCode::KeyMismatch);
    hit = dups.last();
    dups.append(hit->key, hit->key);
    EXPECT_EQ(this->content_of(txn, d), "k:v k:v5 v5:k v5:v5");
}

// K27 (R1): with the view guard a late use stops at once; without it a view is the page itself,
// handed out twice alike.
TYPED_TEST(KvContract, K27_views_end_with_the_next_write_or_the_txn) {
    const Table p = this->p();
    this->store().update([&](WriteTxn& txn) { txn.put(p, "k", "a value in the page"); });
    if (!kViewGuard) {
        const ReadTxn txn = this->reader();
        const ReadTxn other = this->reader();
        EXPECT_EQ(txn.get(p, "k")->data(), other.get(p, "k")->data());
        EXPECT_EQ(txn.get(p, "k")->data(), txn.cursor(p).first()->value.data());
        return;
    }
    const auto sum = [](ByteView view) {
        return std::accumulate(view.begin(), view.end(), uint64_t{0});
    };
    if (!kAddressSanitizer) GTEST_SKIP() << "the guard poisons for AddressSanitizer";
    {
        WriteTxn txn = this->writer();
        const ByteView view = *txn.get(p, "k");
        EXPECT_NE(sum(view), 0u);
        txn.put(p, "other", "x");
        EXPECT_DEATH(std::cerr << sum(view), "AddressSanitizer");
    }
    {
        WriteTxn txn = this->writer();
        WriteCursor cursor = txn.cursor(p);
        const Hit hit = cursor.first();
        cursor.delete_current();
        EXPECT_DEATH(std::cerr << sum(hit->key), "AddressSanitizer");
    }
    ReadTxn txn = this->reader();
    const ByteView view = *txn.get(p, "k");
    EXPECT_NE(sum(view), 0u);
    txn.end();
    EXPECT_DEATH(std::cerr << sum(view), "AddressSanitizer");
}

// K28 (A.5): pruning code is written once for both kinds, so the dup moves work on groups of one.
TYPED_TEST(KvContract, K28_a_plain_table_answers_dup_moves_with_groups_of_one) {
    this->fill_golden();
    WriteTxn txn = this->writer();
    EXPECT_EQ(
        this->play(txn, this->p(),
                   "A seek_exact aab; next_dup -> ·; prev_dup -> ·; first_dup -> aab=3;"
                   "last_dup -> aab=3; count_dups -> 1; next_nodup -> ab=4;"
                   "prev_nodup -> aab=3; B next_dup -> a=1; C prev_dup -> b=5;"
                   "D first_dup -> ·; D last_dup -> ·; D count_dups -> 0;"
                   "seek_both_exact aab 3 -> KindMismatch; seek_both_range aab 3 -> KindMismatch;"
                   "put_no_dup aab 3 -> KindMismatch; append_dup aab 3 -> KindMismatch;"
                   "delete_exact aab 3 -> KindMismatch; current -> aab=3;"
                   "delete_all_dups -> ok; current -> ab=4; count_dups -> 1"),
        "");
    EXPECT_EQ(this->content_of(txn, this->p()), "a=1 aa=2 ab=4 b=5");
    EXPECT_EQ(error_of([&] { txn.del(this->p(), "a", "1"); }), ErrorCode::KindMismatch);
    EXPECT_EQ(error_of([&] { txn.append_dup(this->p(), "z", "1"); }), ErrorCode::KindMismatch);
    txn.put(this->p(), "z", "the txn is usable");
    txn.commit();
    EXPECT_TRUE(this->reader().has(this->p(), "z"));
}

}  // namespace

}  // namespace keel::db::testing
