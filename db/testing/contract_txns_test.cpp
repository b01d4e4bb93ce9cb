// KV.md A.11, transactions: isolation, abort, view ids, broken and refused calls: K30 to K39, K46
// to K48.

#include <functional>
#include <set>

#include "db/testing/contract_fixture.hpp"

namespace keel::db::testing {

namespace {

TYPED_TEST_SUITE(KvContract, BothBackends, BackendNames);

/// B3. Seen elsewhere: a delete or clear that was the first action on a table changed what readers
/// saw. `change` is that first action; it must show in the table named by `changed` or in its
/// sequence.
template <class Test>
void check_isolation(Test& test, const std::function<void(WriteTxn&)>& change) {
    test.fill_golden();
    test.store().update([&](WriteTxn& txn) { txn.set_sequence(test.p(), 7); });
    const auto look = [&](const ReadTxn& txn) {
        std::string text;
        for (const Table table : {test.p(), test.d()})
            text += !txn.exists(table) ? "gone\n"
                                       : test.content_of(txn, table) + " count " +
                                             std::to_string(txn.count(table)) + " sequence " +
                                             std::to_string(txn.sequence(table)) + "\n";
        return text;
    };
    const ReadTxn before = test.reader();
    const std::string old = look(before);
    ReadCursor walking = before.cursor(test.p());
    walking.seek_exact("aa");
    {
        WriteTxn txn = test.writer();
        change(txn);
        EXPECT_NE(look(txn), old) << "a writer sees its own change";
        EXPECT_EQ(look(before), old) << "an older reader";
        EXPECT_EQ(look(test.reader()), old) << "a reader beside the writer";
        txn.abort();
    }
    EXPECT_EQ(look(before), old);
    EXPECT_EQ(look(test.reader()), old) << "after the abort";
    EXPECT_EQ(test.reader().view_id(), before.view_id());
    std::string changed;
    {
        WriteTxn txn = test.writer();
        change(txn);
        changed = look(txn);
        txn.commit();
    }
    EXPECT_NE(changed, old);
    EXPECT_EQ(look(before), old) << "an older reader after the commit";
    EXPECT_EQ(walking.current(), (Entry{"aa", "2"}));
    EXPECT_EQ(walking.next(), (Entry{"aab", "3"}));
    EXPECT_EQ(look(test.reader()), changed) << "a new reader after the commit";
    EXPECT_EQ(test.reader().view_id(), before.view_id() + 1);
}

// K30 (R13, B3).
TYPED_TEST(KvContract, K30_a_reader_keeps_what_a_writer_only_deletes) {
    check_isolation(*this, [&](WriteTxn& txn) {
        txn.del(this->p(), "aab");
        txn.del(this->d(), "aa", "2");
        txn.del(this->d(), "b");
    });
}

// K31 (R13, R25).
TYPED_TEST(KvContract, K31_a_reader_keeps_what_a_writer_clears) {
    check_isolation(*this, [&](WriteTxn& txn) {
        txn.clear_table(this->p());
        txn.clear_table(this->d());
    });
}

// K32 (R13, R25).
TYPED_TEST(KvContract, K32_a_reader_keeps_what_a_writer_drops) {
    check_isolation(*this, [&](WriteTxn& txn) {
        EXPECT_TRUE(txn.drop_table(this->p()));
        EXPECT_TRUE(txn.drop_table(this->d()));
    });
}

// K33 (R13).
TYPED_TEST(KvContract, K33_a_reader_keeps_what_a_range_delete_takes) {
    check_isolation(*this, [&](WriteTxn& txn) {
        EXPECT_EQ(txn.del_range(this->p(), "aa", "ab"), 2u);
        EXPECT_EQ(txn.del_range(this->d(), "aa", std::nullopt), 8u);
    });
}

// K34 (R13).
TYPED_TEST(KvContract, K34_a_reader_keeps_what_a_cursor_deletes) {
    check_isolation(*this, [&](WriteTxn& txn) {
        WriteCursor plain = txn.cursor(this->p());
        plain.first();
        plain.delete_current();
        WriteCursor dups = txn.cursor(this->d());
        dups.last();
        dups.delete_all_dups();
    });
}

// K35 (R13, R23).
TYPED_TEST(KvContract, K35_a_reader_keeps_its_sequence) {
    check_isolation(*this, [&](WriteTxn& txn) { txn.set_sequence(this->p(), 99); });
}

// K36 (R14).
TYPED_TEST(KvContract, K36_a_writer_that_fails_leaves_no_trace) {
    this->fill_golden();
    this->store().update([&](WriteTxn& txn) { txn.increment(this->p(), 5); });
    const std::string before = digest_of_all(this->store());
    const uint64_t view_id = this->reader().view_id();
    const auto change_everything = [&](WriteTxn& txn) {
        txn.create_table({"new", Kind::DupSort});
        txn.put(this->store().table("new"), "k", "v");
        txn.put(this->p(), "aaa", "new");
        txn.clear_table(this->d());
        txn.increment(this->p(), 10);
        txn.put(this->d(), "k", std::string(kDupValueBytesMax, 'v'));
    };
    const auto expect_untouched = [&](const char* how) {
        EXPECT_EQ(digest_of_all(this->store()), before) << how;
        EXPECT_EQ(this->reader().view_id(), view_id) << how;
        EXPECT_EQ(this->writer().view_id(), view_id + 1) << how;
        EXPECT_FALSE(this->reader().exists(this->store().table("new"))) << how;
    };
    EXPECT_THROW(this->store().update([&](WriteTxn& txn) {
        change_everything(txn);
        throw std::runtime_error("the caller's own");
    }),
                 std::runtime_error);
    expect_untouched("exception");
    {
        WriteTxn txn = this->writer();
        change_everything(txn);
    }
    expect_untouched("destructor");
    {
        WriteTxn txn = this->writer();
        change_everything(txn);
        txn.abort();
        txn.abort();
    }
    expect_untouched("abort");
    // A commit fails when the txn is broken: the size limit is reached before it.
    OpenOptions small = this->options();
    small.size_max_bytes = uint64_t{8} << 20;
    this->reopen(small);
    expect_untouched("reopen");
    {
        WriteTxn txn = this->writer();
        change_everything(txn);
        const Bytes value(100'000, 'v');
        EXPECT_EQ(error_of([&] {
                      for (uint64_t number = 0; number < 1'000; ++number)
                          txn.put(this->p(), number_key(number), value);
                  }),
                  ErrorCode::MapFull);
        EXPECT_EQ(error_of([&] { txn.commit(); }), ErrorCode::TxnBroken);
    }
    expect_untouched("failed commit");
    this->reopen();
    expect_untouched("reopen after a failed commit");
}

// K37 (R15).
TYPED_TEST(KvContract, K37_a_writer_sees_its_own_changes_through_every_door) {
    this->fill_golden();
    WriteTxn txn = this->writer();
    WriteCursor plain = txn.cursor(this->p());
    WriteCursor other = txn.cursor(this->p());
    plain.seek_exact("aa");
    other.seek_exact("ab");
    txn.put(this->p(), "aac", "new");
    EXPECT_EQ(txn.get(this->p(), "aac"), ByteView("new"));
    EXPECT_EQ(plain.next(), (Entry{"aab", "3"}));
    EXPECT_EQ(plain.next(), (Entry{"aac", "new"}));
    EXPECT_EQ(other.prev(), (Entry{"aac", "new"}));
    other.put("aac", "newer");
    EXPECT_EQ(plain.current(), (Entry{"aac", "newer"}));
    EXPECT_EQ(txn.get(this->p(), "aac"), ByteView("newer"));
    EXPECT_TRUE(txn.del(this->p(), "aac"));
    EXPECT_EQ(txn.get(this->p(), "aac"), std::nullopt);
    EXPECT_EQ(plain.next(), (Entry{"ab", "4"}));
    EXPECT_EQ(other.prev(), (Entry{"aab", "3"}));
    EXPECT_EQ(txn.count(this->p()), 5u);
    const Bytes keys[] = {ByteView("ab").to_bytes(), ByteView("aac").to_bytes(),
                          ByteView("a").to_bytes(), ByteView("ab").to_bytes()};
    const std::vector<ByteView> asked(std::begin(keys), std::end(keys));
    std::vector<std::optional<ByteView>> found(asked.size());
    txn.get_many(this->p(), asked, found);
    EXPECT_EQ(found, (std::vector<std::optional<ByteView>>{"4", std::nullopt, "1", "4"}));
    txn.put(this->d(), "aa", "15");
    EXPECT_EQ(rows(txn.range(this->d(), "aa", "aab")),
              (std::vector<Row>{row("aa", "1"), row("aa", "15"), row("aa", "2"), row("aa", "3")}));
}

// K38 (R18, C4).
TYPED_TEST(KvContract, K38_a_reader_outlives_a_thousand_commits) {
    constexpr uint64_t kRows = 2'000;
    const size_t commits = scaled(1'000, 30);
    const auto rewrite = [&](uint64_t round) {
        this->store().update([&](WriteTxn& txn) {
            for (uint64_t number = 0; number < kRows; ++number) {
                Bytes value = number_key(round);
                value.resize(100, static_cast<uint8_t>(number));
                txn.put(this->p(), number_key(number), value);
            }
            txn.put(this->d(), "rounds", number_key(round));
        });
    };
    rewrite(0);
    const ReadTxn old = this->reader();
    const uint64_t digest_before = digest(old, this->p());
    const ByteView view = *old.get(this->p(), number_key(17));
    const Bytes copy = view.to_bytes();
    for (uint64_t round = 1; round <= commits; ++round) {
        rewrite(round);
        if (round % 100 == 0) {
            ASSERT_EQ(digest(old, this->p()), digest_before) << round;
        }
    }
    EXPECT_EQ(digest(old, this->p()), digest_before);
    EXPECT_EQ(view, ByteView(copy));
    EXPECT_EQ(old.count(this->d()), 1u);
    EXPECT_EQ(this->reader().count(this->d()), commits + 1);
    const Stats stats = this->store().stats();
    EXPECT_EQ(stats.oldest_view_id, old.view_id());
    if (this->kMem) {
        // C4: the reader pins at most its own tree; what was born and replaced after it is used
        // again at once, so beyond the two trees there are twice the pages of a commit at most.
        // (LMDB keeps all since the reader.)
        const uint64_t tree = this->reader().stat(this->p()).bytes + (64 << 10);
        EXPECT_LE(stats.pinned_bytes, tree);
        EXPECT_LE(stats.anonymous_bytes - stats.free_bytes, 4 * tree);
    }
}

// K39 (R20, R22, B4).
TYPED_TEST(KvContract, K39_the_view_id_is_the_number_of_the_commit) {
    const uint64_t created = this->reader().view_id();
    EXPECT_GE(created, 1u);
    {
        const ReadTxn first = this->reader();
        const ReadTxn second = this->reader();
        const ReadTxn third = this->reader();
        EXPECT_EQ(first.view_id(), created);
        EXPECT_EQ(second.view_id(), created);
        EXPECT_EQ(third.view_id(), created);
    }
    EXPECT_EQ(this->writer().commit(), created) << "an empty commit changes nothing";
    EXPECT_EQ(this->reader().view_id(), created);
    const Stats before = this->store().stats();
    EXPECT_EQ(before.view_id, created);
    {
        WriteTxn txn = this->writer();
        EXPECT_EQ(txn.view_id(), created + 1);
        txn.put(this->p(), "k", "aborted");
        EXPECT_EQ(this->reader().view_id(), created);
        txn.abort();
    }
    EXPECT_EQ(this->reader().view_id(), created);
    WriteTxn txn = this->writer();
    EXPECT_EQ(txn.view_id(), created + 1) << "as the aborted one";
    txn.put(this->p(), "k", "v");
    EXPECT_EQ(txn.commit(), created + 1);
    EXPECT_EQ(this->reader().view_id(), created + 1);
    EXPECT_EQ(error_of([&] { txn.put(this->p(), "k", "w"); }), ErrorCode::TxnEnded);
    EXPECT_EQ(error_of([&] { txn.commit(); }), ErrorCode::TxnEnded);
    for (uint64_t more = 2; more <= 10; ++more)
        EXPECT_EQ(this->store().update(
                      [&](WriteTxn& change) { change.put(this->d(), "k", number_key(more)); }),
                  created + more);
    EXPECT_EQ(this->store().update([&](WriteTxn& change) { change.clear_table(this->d()); }),
              created + 11);
    EXPECT_EQ(this->store().update([&](WriteTxn& change) { change.set_sequence(this->d(), 3); }),
              created + 12);
    const Stats after = this->store().stats();
    EXPECT_EQ(after.commits - before.commits, 12u);
    EXPECT_EQ(after.aborts - before.aborts, 1u);
    const std::string uid = this->store().uid();
    EXPECT_EQ(uid.size(), 32u);
    this->reopen();
    EXPECT_EQ(this->store().uid(), uid);
    EXPECT_EQ(this->reader().view_id(), created + 12);
    EXPECT_EQ(this->store().update([&](WriteTxn& change) { change.put(this->p(), "l", "v"); }),
              created + 13);
    this->reopen();
    EXPECT_EQ(this->reader().view_id(), created + 13);
}

// K46 (R32).
TYPED_TEST(KvContract, K46_reaching_the_size_limit_breaks_the_txn_and_nothing_else) {
    OpenOptions small = this->options();
    small.size_max_bytes = uint64_t{8} << 20;
    this->open(small);
    this->fill_golden();
    const std::string before = digest_of_all(this->store());
    const Bytes value(10'000, 'v');
    const auto fill = [&](WriteTxn& txn) {
        for (uint64_t number = 0; number < 2'000; ++number)
            txn.put(this->p(), number_key(number), value);
    };
    ReadTxn old = this->reader();
    {
        WriteTxn txn = this->writer();
        WriteCursor cursor = txn.cursor(this->d());
        cursor.first();
        EXPECT_EQ(error_of([&] { fill(txn); }), ErrorCode::MapFull);
        EXPECT_EQ(error_of([&] { txn.put(this->p(), "k", "v"); }), ErrorCode::TxnBroken);
        EXPECT_EQ(error_of([&] { txn.get(this->p(), "k"); }), ErrorCode::TxnBroken);
        EXPECT_EQ(error_of([&] { cursor.next(); }), ErrorCode::TxnBroken);
        EXPECT_EQ(error_of([&] { txn.increment(this->p(), 1); }), ErrorCode::TxnBroken);
        EXPECT_EQ(error_of([&] { txn.clear_table(this->p()); }), ErrorCode::TxnBroken);
        EXPECT_EQ(this->content_of(old, this->p()), "a=1 aa=2 aab=3 ab=4 b=5");
        EXPECT_EQ(error_of([&] { txn.commit(); }), ErrorCode::TxnBroken);
    }
    EXPECT_EQ(digest_of_all(this->store()), before);
    // Not latched: the next txn works.
    this->store().update([&](WriteTxn& txn) { txn.put(this->p(), "k", "v"); });
    EXPECT_TRUE(this->reader().has(this->p(), "k"));
    {
        WriteTxn txn = this->writer();
        EXPECT_EQ(error_of([&] { fill(txn); }), ErrorCode::MapFull);
    }
    EXPECT_TRUE(this->reader().has(this->p(), "k"));
    old.end();
    // A greater limit lets the same txn through.
    OpenOptions large = this->options();
    large.size_max_bytes = uint64_t{256} << 20;
    this->close();
    this->open(large);
    EXPECT_TRUE(this->reader().has(this->p(), "k"));
    this->store().update(fill);
    EXPECT_EQ(this->reader().count(this->p()), 2'006u);
}

// K47 (R28): each usable error in the middle of a hundred changes.
TYPED_TEST(KvContract, K47_a_refused_call_changes_nothing_and_the_txn_goes_on) {
    this->fill_golden();
    const Table unknown = this->store().table("unknown");
    struct Refusal {
        const char* what;
        ErrorCode code;
        std::function<void(WriteTxn&, WriteCursor& plain, WriteCursor& dups)> call;
        const char* plain_then;  // current of the two cursors afterwards
        const char* dups_then;
    };
    const std::string too_long(kKeyBytesMax + 1, 'k');
    const Table p = this->p();
    const Table d = this->d();
    // Both cursors start At: aab=3 and aa:2.
    const std::vector<Refusal> refusals = {
        {"put_no_dup of a pair that is there", ErrorCode::KeyExists,
         [&](WriteTxn&, WriteCursor&, WriteCursor& dups) { dups.put_no_dup("b", "8"); }, "aab=3",
         "b:8"},
        {"append of a smaller key", ErrorCode::KeyMismatch,
         [&](WriteTxn&, WriteCursor& plain, WriteCursor&) { plain.append("a", "x"); }, "b=5",
         "aa:2"},
        {"append of an equal pair", ErrorCode::KeyMismatch,
         [&](WriteTxn&, WriteCursor&, WriteCursor& dups) { dups.append("b", "9"); }, "aab=3",
         "b:9"},
        {"append_dup of a smaller value", ErrorCode::KeyMismatch,
         [&](WriteTxn&, WriteCursor&, WriteCursor& dups) { dups.append_dup("aa", "0"); }, "aab=3",
         "aa:3"},
        {"append through the txn", ErrorCode::KeyMismatch,
         [&](WriteTxn& txn, WriteCursor&, WriteCursor&) { txn.append(p, "a", "x"); }, "aab=3",
         "aa:2"},
        {"put_current with another key", ErrorCode::KeyMismatch,
         [&](WriteTxn&, WriteCursor& plain, WriteCursor&) { plain.put_current("ab", "x"); },
         "aab=3", "aa:2"},
        {"delete_current in a Gap without landing", ErrorCode::NotPositioned,
         [&](WriteTxn&, WriteCursor&, WriteCursor& dups) {
             dups.seek_both_exact("aa", "zz");
             dups.delete_current();
         },
         "aab=3", "·"},
        {"delete_all_dups at the End", ErrorCode::NotPositioned,
         [&](WriteTxn&, WriteCursor& plain, WriteCursor&) {
             plain.seek("zzz");
             plain.delete_all_dups();
         },
         "·", "aa:2"},
        {"a key too long", ErrorCode::BadKeySize,
         [&](WriteTxn&, WriteCursor& plain, WriteCursor&) { plain.put(too_long, "x"); }, "aab=3",
         "aa:2"},
        {"a dup value too long", ErrorCode::BadValueSize,
         [&](WriteTxn&, WriteCursor&, WriteCursor& dups) { dups.put("aa", too_long); }, "aab=3",
         "aa:2"},
        {"a pair operation on a plain table", ErrorCode::KindMismatch,
         [&](WriteTxn&, WriteCursor& plain, WriteCursor&) { plain.put_no_dup("aab", "x"); },
         "aab=3", "aa:2"},
        {"creating a table of another kind", ErrorCode::KindMismatch,
         [&](WriteTxn& txn, WriteCursor&, WriteCursor&) { txn.create_table({"P", Kind::DupSort}); },
         "aab=3", "aa:2"},
        {"put into a table that is not there", ErrorCode::NoSuchTable,
         [&](WriteTxn& txn, WriteCursor&, WriteCursor&) { txn.put(unknown, "k", "v"); }, "aab=3",
         "aa:2"},
        {"a name with a blank", ErrorCode::NoSuchTable,
         [&](WriteTxn& txn, WriteCursor&, WriteCursor&) { txn.create_table({"a b", Kind::Plain}); },
         "aab=3", "aa:2"},
        {"a sequence beyond 64 bits", ErrorCode::SequenceOverflow,
         [&](WriteTxn& txn, WriteCursor&, WriteCursor&) {
             txn.set_sequence(p, UINT64_MAX);
             txn.increment(p, 1);
         },
         "aab=3", "aa:2"},
    };
    for (const Refusal& refusal : refusals) {
        SCOPED_TRACE(refusal.what);
        this->store().update([&](WriteTxn& txn) {
            txn.clear_table(p);
            txn.clear_table(d);
            for (const Row& row : rows_of(GoldenTable::P5)) txn.put(p, row.key, row.value);
            for (const Row& row : rows_of(GoldenTable::D9)) txn.put(d, row.key, row.value);
        });
        ModelTable plain_model = this->golden_model(GoldenTable::P5);
        ModelTable dups_model = this->golden_model(GoldenTable::D9);
        {
            WriteTxn txn = this->writer();
            WriteCursor plain = txn.cursor(p);
            WriteCursor dups = txn.cursor(d);
            for (uint64_t number = 0; number < 100; ++number) {
                if (number == 50) {
                    ASSERT_TRUE(plain.seek_exact("aab"));
                    ASSERT_TRUE(dups.seek_both_exact("aa", "2"));
                    EXPECT_EQ(error_of([&] { refusal.call(txn, plain, dups); }), refusal.code);
                    const Step current{Op::Current, {}, {}};
                    EXPECT_EQ(to_text(run(plain, current), Kind::Plain), refusal.plain_then);
                    EXPECT_EQ(to_text(run(dups, current), Kind::DupSort), refusal.dups_then);
                    continue;
                }
                // Sorts before all of P5 and D9, so that the refused appends stay what they are.
                const std::string key = "A" + std::to_string(number);
                Table table = number % 2 == 0 ? p : d;
                txn.put(table, key, "changed");
                (number % 2 == 0 ? plain_model : dups_model).put(key, "changed");
            }
            txn.commit();
        }
        const ReadTxn txn = this->reader();
        EXPECT_EQ(digest(txn, p), digest(plain_model));
        EXPECT_EQ(digest(txn, d), digest(dups_model));
    }
}

// K48 (A.2).
TYPED_TEST(KvContract, K48_a_range_delete_takes_from_first_to_last_and_counts_entries) {
    this->fill_golden();
    const std::optional<std::string_view> bounds[] = {std::nullopt, "",   "a", "aa", "aab",
                                                      "aac",        "ab", "b", "c"};
    const auto view = [](const auto& bound) {
        return bound ? std::optional<ByteView>(*bound) : std::nullopt;
    };
    const ReadTxn old = this->reader();
    for (const GoldenTable which : {GoldenTable::P5, GoldenTable::D9})
        for (const auto& from : bounds)
            for (const auto& to : bounds) {
                WriteTxn txn = this->writer();
                ModelTable model = this->golden_model(which);
                EXPECT_EQ(txn.del_range(this->table(which), view(from), view(to)),
                          model.del_range(view(from), view(to)));
                EXPECT_EQ(digest(txn, this->table(which)), digest(model))
                    << "from " << from.value_or("open") << " to " << to.value_or("open");
                EXPECT_EQ(txn.count(this->table(which)), model.size());
            }
    EXPECT_EQ(this->content_of(old, this->p()), "a=1 aa=2 aab=3 ab=4 b=5");
    // Across pages, with groups that span pages and values of many pages.
    Random random = this->random();
    const size_t many = scaled(20'000, 2'000);
    ModelTable plain(Kind::Plain);
    ModelTable dups(Kind::DupSort);
    this->store().update([&](WriteTxn& txn) {
        txn.clear_table(this->p());
        txn.clear_table(this->d());
        for (uint64_t number = 0; number < many; ++number) {
            const Bytes value(random.one_in(200) ? 9'000 : random.below(60),
                              static_cast<uint8_t>(number));
            txn.put(this->p(), number_key(number), value);
            plain.put(number_key(number), value);
            const Bytes group = number_key(number / (number % 3 == 0 ? 500 : 5));
            const Bytes dup = random.bytes(20, "abc");
            txn.put(this->d(), group, dup);
            dups.put(group, dup);
        }
    });
    for (int round = 0; round < 12; ++round) {
        const uint64_t from = random.below(many);
        const uint64_t to = from + random.below(many / 8);
        const ReadTxn before = this->reader();
        const uint64_t digest_before = digest(before, this->p());
        this->store().update([&](WriteTxn& txn) {
            WriteCursor cursor = txn.cursor(this->p());
            const Hit next = cursor.seek(number_key(to));
            const std::optional<Row> behind = next ? std::optional(to_row(*next)) : std::nullopt;
            const Hit inside = cursor.seek(number_key(from));
            const bool is_deleted = inside && inside->key < ByteView(number_key(to));
            EXPECT_EQ(txn.del_range(this->p(), number_key(from), number_key(to)),
                      plain.del_range(number_key(from), number_key(to)));
            EXPECT_EQ(txn.del_range(this->d(), number_key(from / 5), number_key(to / 5)),
                      dups.del_range(number_key(from / 5), number_key(to / 5)));
            if (is_deleted) {
                const Hit landing = cursor.current();
                EXPECT_EQ(landing ? std::optional(to_row(*landing)) : std::nullopt, behind);
            }
        });
        const ReadTxn after = this->reader();
        ASSERT_EQ(digest(after, this->p()), digest(plain));
        ASSERT_EQ(digest(after, this->d()), digest(dups));
        ASSERT_EQ(digest(before, this->p()), digest_before);
    }
    this->store().update([&](WriteTxn& txn) {
        EXPECT_EQ(txn.del_range(this->p(), std::nullopt, std::nullopt), plain.size());
        EXPECT_EQ(txn.del_range(this->d(), std::nullopt, std::nullopt), dups.size());
    });
    EXPECT_EQ(this->reader().count(this->p()), 0u);
    EXPECT_EQ(this->reader().stat(this->d()).keys, 0u);
}

}  // namespace

}  // namespace keel::db::testing
