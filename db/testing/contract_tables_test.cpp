// KV.md A.11, sequences and the catalogue: K44 and K45.

#include <algorithm>

#include "db/testing/contract_fixture.hpp"

namespace keel::db::testing {

namespace {

TYPED_TEST_SUITE(KvContract, BothBackends, BackendNames);

// K44 (R23, B15).
TYPED_TEST(KvContract, K44_a_sequence_is_part_of_the_transaction_and_of_its_table) {
    const Table p = this->p();
    const Table d = this->d();
    EXPECT_EQ(this->reader().sequence(p), 0u);
    {
        WriteTxn txn = this->writer();
        EXPECT_EQ(txn.increment(p, 0), 0u);
        EXPECT_EQ(txn.increment(p, 1), 0u);
        EXPECT_EQ(txn.increment(p, 10), 1u);
        EXPECT_EQ(txn.increment(p, 0), 11u);
        EXPECT_EQ(txn.sequence(p), 11u);
        EXPECT_EQ(txn.sequence(d), 0u);
        EXPECT_EQ(this->reader().sequence(p), 0u);
        txn.commit();
    }
    ReadTxn before = this->reader();
    EXPECT_EQ(before.sequence(p), 11u);
    {
        WriteTxn txn = this->writer();
        txn.increment(p, 5);
        txn.abort();
    }
    EXPECT_EQ(this->reader().sequence(p), 11u);
    {
        WriteTxn txn = this->writer();
        txn.set_sequence(p, UINT64_MAX - 1);
        EXPECT_EQ(txn.increment(p, 1), UINT64_MAX - 1);
        EXPECT_EQ(error_of([&] { txn.increment(p, 1); }), ErrorCode::SequenceOverflow);
        EXPECT_EQ(error_of([&] { txn.increment(p, UINT64_MAX); }), ErrorCode::SequenceOverflow);
        EXPECT_EQ(txn.sequence(p), UINT64_MAX);
        txn.set_sequence(p, 3);
        txn.put(p, "k", "v");
        txn.clear_table(p);
        EXPECT_EQ(txn.sequence(p), 3u) << "clear keeps it";
        txn.set_sequence(d, 4);
        EXPECT_TRUE(txn.drop_table(d));
        txn.create_table({"D", Kind::DupSort});
        EXPECT_EQ(txn.sequence(d), 0u) << "drop removes it";
        txn.set_sequence(d, 8);
        txn.commit();
    }
    EXPECT_EQ(before.sequence(p), 11u) << "a reader's snapshot";
    EXPECT_EQ(this->reader().sequence(p), 3u);
    EXPECT_EQ(this->reader().stat(p).sequence, 3u);
    before.end();
    this->reopen();
    EXPECT_EQ(this->reader().sequence(this->p()), 3u);
    EXPECT_EQ(this->reader().sequence(this->d()), 8u);
    EXPECT_EQ(this->reader().list_tables().size(), 2u) << "sequences are no table of their own";
}

std::vector<std::string> names(const ReadTxn& txn) {
    std::vector<std::string> names;
    for (const TableSpec& spec : txn.list_tables()) names.push_back(spec.name);
    return names;
}

// K45 (R24, D5).
TYPED_TEST(KvContract, K45_a_declared_table_is_made_by_a_writer_and_empty_for_a_reader) {
    this->fill_golden();
    OpenOptions with_x = this->options();
    with_x.schema.push_back({"X", Kind::DupSort});
    with_x.access = Access::ReadOnly;
    this->reopen(with_x);
    {
        const Table x = this->store().table("X");
        EXPECT_TRUE(this->store().read_only());
        const ReadTxn txn = this->reader();
        EXPECT_FALSE(txn.exists(x));
        EXPECT_EQ(txn.get(x, "k"), std::nullopt);
        EXPECT_EQ(txn.cursor(x).first(), std::nullopt);
        EXPECT_EQ(txn.cursor(x).seek_both_range("k", "v"), std::nullopt);
        EXPECT_EQ(txn.count(x), 0u);
        EXPECT_EQ(txn.sequence(x), 0u);
        EXPECT_EQ(txn.stat(x).entries, 0u);
        EXPECT_EQ(rows(txn.range(x)).size(), 0u);
        EXPECT_EQ(names(txn), (std::vector<std::string>{"D", "P"}));
        EXPECT_EQ(this->content_of(txn, this->p()), "a=1 aa=2 aab=3 ab=4 b=5");
        EXPECT_EQ(error_of([&] { return this->store().begin_rw().has_value(); }),
                  ErrorCode::ReadOnly);
        EXPECT_EQ(error_of([&] { return this->store().begin_rw_try().has_value(); }),
                  ErrorCode::ReadOnly);
    }
    with_x.access = Access::ReadWrite;
    this->reopen(with_x);
    const Table x = this->store().table("X");
    EXPECT_TRUE(this->reader().exists(x));
    EXPECT_EQ(names(this->reader()), (std::vector<std::string>{"D", "P", "X"}));
    this->store().update([&](WriteTxn& txn) { txn.put(x, "k", "v"); });
    // A schema that says less hides nothing.
    this->reopen();
    EXPECT_EQ(names(this->reader()), (std::vector<std::string>{"D", "P", "X"}));
    EXPECT_EQ(this->reader().get(this->store().table("X"), "k"), ByteView("v"));
    EXPECT_EQ(this->store().table("X").kind, Kind::DupSort);
}

// K45 (R24, R25).
TYPED_TEST(KvContract, K45_handles_survive_creating_dropping_and_aborting) {
    const Database& store = this->store();
    const Table table = store.table("T");
    EXPECT_EQ(store.table_name(table), "T");
    EXPECT_FALSE(this->reader().exists(table));
    EXPECT_EQ(error_of([&] { this->writer().put(table, "k", "v"); }), ErrorCode::NoSuchTable);
    EXPECT_EQ(error_of([&] { this->reader().get(table, "k"); }), ErrorCode::NoSuchTable)
        << "neither stored nor declared";
    {
        WriteTxn txn = this->writer();
        txn.create_table({"T", Kind::Plain});
        txn.put(table, "k", "aborted");
        EXPECT_EQ(txn.get(table, "k"), ByteView("aborted"));
        txn.abort();
    }
    EXPECT_FALSE(this->reader().exists(table));
    store.update([&](WriteTxn& txn) {
        EXPECT_EQ(error_of([&] { txn.put(table, "k", "v"); }), ErrorCode::NoSuchTable);
        txn.create_table({"T", Kind::Plain});
        txn.put(table, "k", "v");
        txn.create_table({"T", Kind::Plain});  // there already: nothing happens
        EXPECT_EQ(txn.get(table, "k"), ByteView("v"));
        EXPECT_EQ(error_of([&] { txn.create_table({"T", Kind::DupSort}); }),
                  ErrorCode::KindMismatch);
    });
    EXPECT_EQ(store.table("T"), table);
    {
        WriteTxn txn = this->writer();
        WriteCursor cursor = txn.cursor(table);
        EXPECT_TRUE(cursor.first());
        EXPECT_TRUE(txn.drop_table(table));
        EXPECT_FALSE(txn.drop_table(table));
        EXPECT_EQ(error_of([&] { cursor.next(); }), ErrorCode::NoSuchTable);
        EXPECT_EQ(error_of([&] { txn.put(table, "k", "v"); }), ErrorCode::NoSuchTable);
        EXPECT_FALSE(txn.exists(table));
        txn.abort();
    }
    EXPECT_EQ(this->reader().get(table, "k"), ByteView("v")) << "an aborted drop";
    store.update([&](WriteTxn& txn) {
        EXPECT_TRUE(txn.drop_table(table));
        txn.create_table({"T", Kind::Plain});
        EXPECT_EQ(txn.get(table, "k"), std::nullopt) << "dropped and made anew: empty";
        txn.put(table, "l", "new");
    });
    EXPECT_EQ(rows(this->reader(), table), (std::vector<Row>{row("l", "new")}));
    store.update([&](WriteTxn& txn) { EXPECT_TRUE(txn.drop_table(table)); });
    EXPECT_FALSE(this->reader().exists(table));
    store.update([&](WriteTxn& txn) {
        txn.create_table({"T", Kind::DupSort});  // the other kind, under the same name
        EXPECT_EQ(txn.count(table), 0u);
        txn.put(table, "k", "1");
        txn.put(table, "k", "2");
    });
    EXPECT_EQ(this->reader().count(store.table("T")), 2u);
    // The kind is checked at open.
    OpenOptions wrong = this->options();
    wrong.schema.push_back({"T", Kind::Plain});
    this->close();
    EXPECT_EQ(error_of([&] { db::open(this->kBackend, wrong); }), ErrorCode::KindMismatch);
    wrong.access = Access::ReadOnly;
    EXPECT_EQ(error_of([&] { db::open(this->kBackend, wrong); }), ErrorCode::KindMismatch);
    EXPECT_EQ(this->reader().count(this->store().table("T")), 2u)
        << "the refused open left no harm";
}

// K45 (A.6).
TYPED_TEST(KvContract, K45_there_are_256_tables_and_their_names_have_rules) {
    const Database& store = this->store();
    std::vector<std::string> expected = {"P", "D"};
    store.update([&](WriteTxn& txn) {
        for (size_t number = 0; number < kTablesMax - 2; ++number) {
            expected.push_back("table-" + std::to_string(number));
            txn.create_table({expected.back(), number % 2 == 0 ? Kind::Plain : Kind::DupSort});
            txn.put(store.table(expected.back()), "name", expected.back());
        }
        EXPECT_EQ(error_of([&] { txn.create_table({"one-more", Kind::Plain}); }),
                  ErrorCode::TooManyTables);
        EXPECT_TRUE(txn.drop_table(store.table("table-7")));
        std::erase(expected, "table-7");
        const std::string longest(kTableNameBytesMax, 'n');
        for (const std::string& bad :
             {std::string(), longest + "n", std::string("a b"), std::string("a/b"),
              std::string("_keel_sequence"), std::string("_keel"), std::string("\xc3\xa4")})
            EXPECT_EQ(error_of([&] { txn.create_table({bad, Kind::Plain}); }),
                      ErrorCode::NoSuchTable)
                << bad;
        txn.create_table({longest, Kind::Plain});
        expected.push_back(longest);
    });
    std::ranges::sort(expected);
    EXPECT_EQ(names(this->reader()), expected) << "sorted, the empty ones included";
    this->reopen();
    const ReadTxn txn = this->reader();
    EXPECT_EQ(names(txn), expected);
    std::vector<std::string> of_another_kind;
    for (const TableSpec& spec : txn.list_tables()) {
        const Table table = this->store().table(spec.name);
        if (table.kind != spec.kind) of_another_kind.push_back(spec.name);
        if (spec.name.starts_with("table-"))
            EXPECT_EQ(txn.get(table, "name"), ByteView(spec.name));
        else
            EXPECT_EQ(txn.count(table), 0u);
    }
    EXPECT_EQ(of_another_kind, std::vector<std::string>()) << "the handle of a stored table";
}

}  // namespace

}  // namespace keel::db::testing
