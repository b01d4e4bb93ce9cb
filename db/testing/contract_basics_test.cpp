// KV.md A.11, basics and order: K01 to K09.

#include <sys/resource.h>

#include <map>

#include "db/testing/contract_fixture.hpp"

namespace keel::db::testing {

namespace {

using namespace std::string_view_literals;

TYPED_TEST_SUITE(KvContract, BothBackends, BackendNames);

/// The alphabet of K02: zero, one, a letter and the byte that has no successor.
constexpr std::string_view kAlphabet = "\x00\x01\x61\xff"sv;

// K01 (R4, R29). On an empty table every operation of A.5 finds nothing, in every state that an
// empty table allows.
TYPED_TEST(KvContract, K01_an_empty_table_gives_nothing_and_no_error) {
    constexpr std::string_view kMoves =
        "first -> ·; last -> ·; next -> ·; prev -> ·; next_nodup -> ·; prev_nodup -> ·;"
        "next_dup -> ·; prev_dup -> ·; first_dup -> ·; last_dup -> ·; current -> ·;"
        "count_dups -> 0; seek k -> ·; seek \"\" -> ·; seek_exact k -> ·;"
        "delete_current -> NotPositioned; delete_all_dups -> NotPositioned;"
        "put_current k v -> NotPositioned; del k -> false";
    constexpr std::string_view kStarts[] = {
        "",                               // Fresh
        "seek x",                         // End
        "seek_exact x",                   // Lost
        "put x y; delete_current -> ok",  // Gap
        "put x y; del x -> true",         // Gap
    };
    for (const Kind kind : {Kind::Plain, Kind::DupSort}) {
        std::string script_text(kMoves);
        script_text += kind == Kind::Plain
                           ? "; seek_both_exact k v -> KindMismatch; seek_both_range k v -> "
                             "KindMismatch; delete_exact k v -> KindMismatch"
                           : "; seek_both_exact k v -> ·; seek_both_range k v -> ·; "
                             "delete_exact k v -> false";
        for (const std::string_view start : kStarts) {
            // Each move from the start itself, so that no earlier one has changed the state.
            for (const ScriptLine& line : parse_script(script_text)) {
                SCOPED_TRACE(start);
                WriteTxn txn = this->writer();
                EXPECT_EQ(this->play(txn, this->table(kind), std::string(start) + ";" + line.text),
                          "");
            }
        }
        const ReadTxn txn = this->reader();
        const Table table = this->table(kind);
        EXPECT_EQ(txn.get(table, "k"), std::nullopt);
        EXPECT_FALSE(txn.has(table, ""));
        EXPECT_EQ(txn.count(table), 0u);
        EXPECT_TRUE(txn.exists(table));
        EXPECT_EQ(rows(txn.range(table)).size(), 0u);
        EXPECT_EQ(rows(txn.prefix(table, "k")).size(), 0u);
    }
    // R29: a value of 0 bytes is a value.
    this->store().update([&](WriteTxn& txn) {
        txn.put(this->p(), "k", "");
        txn.put(this->d(), "k", "");
    });
    const ReadTxn txn = this->reader();
    for (const Table table : {this->p(), this->d()}) {
        const std::optional<ByteView> value = txn.get(table, "k");
        ASSERT_TRUE(value.has_value());
        EXPECT_EQ(value->size(), 0u);
        EXPECT_NE(value->data(), nullptr);
        EXPECT_TRUE(txn.has(table, "k"));
        EXPECT_FALSE(txn.has(table, "j"));
    }
}

/// The keys of K02 and K08: random lengths, many of them short so that one is often the prefix of
/// another.
std::map<Bytes, Bytes> random_rows(Random& random, size_t count) {
    std::map<Bytes, Bytes> model;
    while (model.size() < count) {
        const size_t size = random.one_in(2) ? random.below(9) : random.below(kKeyBytesMax + 1);
        const Bytes key = random.bytes(size, kAlphabet);
        model[key] = number_key(random.bits());
    }
    return model;
}

void put_in_random_order(Random& random, WriteTxn& txn, Table table,
                         const std::map<Bytes, Bytes>& model) {
    std::vector<Row> order;
    order.reserve(model.size());
    for (const auto& [key, value] : model) order.push_back({key, value});
    random.shuffle(order);
    for (const Row& row : order) txn.put(table, row.key, row.value);
}

// K02 (R6).
TYPED_TEST(KvContract, K02_keys_are_ordered_bytewise_with_prefixes_first) {
    Random random = this->random();
    const std::map<Bytes, Bytes> model = random_rows(random, scaled(20'000, 2'000));
    this->store().update(
        [&](WriteTxn& txn) { put_in_random_order(random, txn, this->p(), model); });
    const ReadTxn txn = this->reader();
    ReadCursor cursor = txn.cursor(this->p());
    for (const auto& [key, value] : model) ASSERT_EQ(cursor.next(), (Entry{key, value}));
    ASSERT_EQ(cursor.next(), std::nullopt);
    cursor = txn.cursor(this->p());
    for (auto row = model.rbegin(); row != model.rend(); ++row)
        ASSERT_EQ(cursor.prev(), (Entry{row->first, row->second}));
    ASSERT_EQ(cursor.prev(), std::nullopt);
    EXPECT_EQ(txn.count(this->p()), model.size());
}

// K03 (R6, X23). liblmdb knows no empty key: the wrapper's zero-shift must not show.
TYPED_TEST(KvContract, K03_the_empty_key_and_keys_of_zeros_are_ordinary_keys) {
    const std::string zeros(kKeyBytesMax, '\0');
    const std::string_view in_order[] = {""sv, "\0"sv, "\0\0"sv, zeros, "\0\1"sv, "\1"sv};
    for (const Kind kind : {Kind::Plain, Kind::DupSort}) {
        const Table table = this->table(kind);
        this->store().update([&](WriteTxn& txn) {
            for (const size_t index : {3u, 0u, 5u, 1u, 4u, 2u})
                txn.put(table, in_order[index], number_key(index));
        });
        {
            const ReadTxn txn = this->reader();
            ReadCursor cursor = txn.cursor(table);
            for (size_t index = 0; index < std::size(in_order); ++index) {
                const Entry entry{in_order[index], ByteView()};
                const Bytes value = number_key(index);
                EXPECT_EQ(txn.get(table, entry.key), ByteView(value));
                EXPECT_EQ(cursor.next(), (Entry{entry.key, value}));
                ReadCursor seeker = txn.cursor(table);
                EXPECT_EQ(seeker.seek(entry.key), (Entry{entry.key, value}));
                EXPECT_EQ(seeker.seek_exact(entry.key), (Entry{entry.key, value}));
                EXPECT_EQ(seeker.count_dups(), 1u);
            }
            EXPECT_EQ(cursor.next(), std::nullopt);
            EXPECT_EQ(cursor.seek(""), (Entry{""sv, number_key(0)}));
            EXPECT_EQ(cursor.prev(), std::nullopt);
            EXPECT_EQ(txn.get(table, "\0\0\0"sv), std::nullopt);
        }
        WriteTxn txn = this->writer();
        size_t left = std::size(in_order);
        for (const std::string_view key : in_order) {
            EXPECT_TRUE(txn.del(table, key));
            EXPECT_FALSE(txn.del(table, key));
            EXPECT_FALSE(txn.has(table, key));
            EXPECT_EQ(rows(txn, table).size(), --left);
        }
    }
}

// K04 (R7, X24). liblmdb loses an empty dup value when a second one comes.
TYPED_TEST(KvContract, K04_dup_values_are_a_sorted_set_that_may_hold_the_empty_value) {
    const Table d = this->d();
    this->store().update([&](WriteTxn& txn) {
        for (const std::string_view value : {"\xff"sv, ""sv, "\0\0"sv, "x"sv, "\0"sv})
            txn.put(d, "k", value);
    });
    {
        const ReadTxn txn = this->reader();
        ReadCursor cursor = txn.cursor(d);
        for (const std::string_view value : {""sv, "\0"sv, "\0\0"sv, "x"sv, "\xff"sv})
            EXPECT_EQ(cursor.next(), (Entry{"k", value}));
        EXPECT_EQ(cursor.next(), std::nullopt);
        EXPECT_EQ(cursor.count_dups(), 5u);
        EXPECT_EQ(txn.count(d), 5u);
        EXPECT_EQ(txn.stat(d).keys, 1u);
        EXPECT_EQ(txn.get(d, "k"), ByteView(""));
        EXPECT_TRUE(cursor.seek_both_exact("k", ""));
        EXPECT_EQ(cursor.seek_both_range("k", "\0\1"sv), (Entry{"k", "x"}));
    }
    WriteTxn txn = this->writer();
    EXPECT_TRUE(txn.del(d, "k", ""));
    EXPECT_FALSE(txn.del(d, "k", ""));
    WriteCursor cursor = txn.cursor(d);
    EXPECT_EQ(cursor.first(), (Entry{"k", "\0"sv}));
    EXPECT_EQ(cursor.count_dups(), 4u);
    txn.put(d, "k", "");
    txn.put(d, "k", "");
    cursor.first();
    EXPECT_EQ(cursor.count_dups(), 5u);
    EXPECT_EQ(cursor.current(), (Entry{"k", ""}));
}

// K05 (R8). The concatenations "ab", "abb" and "ab" would order, and even confuse, these three.
TYPED_TEST(KvContract, K05_entries_of_a_dup_table_are_compared_by_key_then_value) {
    const Table d = this->d();
    WriteTxn txn = this->writer();
    txn.put(d, "ab", "");
    txn.put(d, "a", "bb");
    txn.put(d, "a", "b");
    EXPECT_EQ(this->content_of(txn, d), "a:b a:bb ab:");
    WriteCursor cursor = txn.cursor(d);
    EXPECT_EQ(cursor.seek_both_exact("ab", ""), (Entry{"ab", ""}));
    EXPECT_EQ(cursor.seek_both_exact("a", ""), std::nullopt);
    EXPECT_EQ(cursor.seek_both_range("a", ""), (Entry{"a", "b"}));
}

// K06 (A.6, R31).
TYPED_TEST(KvContract, K06_sizes_beyond_the_limits_are_refused_before_anything_changes) {
    const std::string longest(kKeyBytesMax, 'k');
    const std::string too_long = longest + "k";
    const std::string far_too_long(600, 'k');
    {
        WriteTxn txn = this->writer();
        txn.put(this->p(), longest, "v");
        txn.put(this->p(), "l", "behind");
        txn.put(this->d(), longest, longest);
        EXPECT_EQ(error_of([&] { txn.put(this->p(), too_long, "v"); }), ErrorCode::BadKeySize);
        EXPECT_EQ(error_of([&] { txn.put(this->d(), too_long, "v"); }), ErrorCode::BadKeySize);
        EXPECT_EQ(error_of([&] { txn.put(this->d(), "k", too_long); }), ErrorCode::BadValueSize);
        EXPECT_EQ(error_of([&] { txn.put_no_overwrite(this->p(), too_long, "v"); }),
                  ErrorCode::BadKeySize);
        EXPECT_EQ(error_of([&] { txn.append(this->p(), too_long, "v"); }), ErrorCode::BadKeySize);
        EXPECT_EQ(error_of([&] { txn.append(this->d(), "z", too_long); }), ErrorCode::BadValueSize);
        EXPECT_EQ(error_of([&] { txn.append_dup(this->d(), longest, far_too_long); }),
                  ErrorCode::BadValueSize);
        WriteCursor cursor = txn.cursor(this->d());
        cursor.first();
        EXPECT_EQ(error_of([&] { cursor.put_no_dup("k", too_long); }), ErrorCode::BadValueSize);
        EXPECT_EQ(error_of([&] { cursor.put_current(longest, too_long); }),
                  ErrorCode::BadValueSize);
        EXPECT_EQ(cursor.current(), (Entry{longest, longest}));
        txn.commit();
    }
    const ReadTxn txn = this->reader();
    EXPECT_EQ(rows(txn, this->p()), (std::vector<Row>{row(longest, "v"), row("l", "behind")}));
    EXPECT_EQ(rows(txn, this->d()), (std::vector<Row>{row(longest, longest)}));
    EXPECT_EQ(txn.get(this->p(), far_too_long), std::nullopt);
    EXPECT_EQ(txn.get(this->d(), far_too_long), std::nullopt);
    ReadCursor plain = txn.cursor(this->p());
    EXPECT_EQ(plain.seek(far_too_long), (Entry{"l", "behind"}));
    EXPECT_EQ(plain.seek_exact(far_too_long), std::nullopt);
    ReadCursor dups = txn.cursor(this->d());
    EXPECT_EQ(dups.seek(far_too_long), std::nullopt);
    EXPECT_EQ(dups.prev(), (Entry{longest, longest}));  // End
    EXPECT_EQ(dups.seek_both_exact(longest, far_too_long), std::nullopt);
    EXPECT_EQ(dups.seek_both_range(longest, far_too_long), std::nullopt);
    EXPECT_EQ(dups.seek_both_range(far_too_long, "v"), std::nullopt);
}

// K07 (R30). The seven sizes go round over seven keys, so that every commit holds the same bytes in
// other places.
TYPED_TEST(KvContract, K07_large_values_are_whole_and_their_pages_are_used_again) {
    constexpr size_t kSizes[] = {0,       1,       kPageBytes - 1, kPageBytes, kPageBytes + 1,
                                 1 << 20, 20 << 20};
    constexpr size_t kCount = std::size(kSizes);
    const size_t rounds = scaled(100, 12);
    Bytes pattern(kSizes[kCount - 1]);
    for (size_t index = 0; index < pattern.size(); ++index)
        pattern[index] = static_cast<uint8_t>(index * 2654435761u >> 13);
    const auto value_of = [&](size_t key, size_t round) {
        const size_t size = kSizes[(key + round) % kCount];
        // Another start a round, so that a stale value is not taken for the new one.
        return ByteView(pattern).sub(std::min(round, pattern.size() - size), size);
    };
    const auto used_bytes = [&] {
        const Stats stats = this->store().stats();
        return file_bytes(this->directory()) + stats.anonymous_bytes;
    };
    uint64_t bytes_after_3 = 0;
    uint64_t overflow_pages_after_3 = 0;
    uint64_t entries_bytes_after_3 = 0;
    for (size_t round = 0; round < rounds; ++round) {
        this->store().update([&](WriteTxn& txn) {
            for (size_t key = 0; key < kCount; ++key)
                txn.put(this->p(), number_key(key), value_of(key, round));
        });
        const ReadTxn txn = this->reader();
        for (size_t key = 0; key < kCount; ++key)
            ASSERT_EQ(txn.get(this->p(), number_key(key)), value_of(key, round))
                << "key " << key << " round " << round;
        const TableStat stat = txn.stat(this->p());
        if (round == 3) {
            bytes_after_3 = used_bytes();
            overflow_pages_after_3 = stat.overflow_pages;
            entries_bytes_after_3 = stat.bytes;
        } else if (round > 3) {
            ASSERT_LE(stat.overflow_pages, overflow_pages_after_3 + 2) << round;
            ASSERT_LE(stat.bytes, entries_bytes_after_3 + 4 * kPageBytes) << round;
        }
    }
    EXPECT_LE(used_bytes(), bytes_after_3 + bytes_after_3 / 10);
    this->reopen();
    const ReadTxn txn = this->reader();
    for (size_t key = 0; key < kCount; ++key)
        EXPECT_EQ(txn.get(this->p(), number_key(key)), value_of(key, rounds - 1)) << key;
}

// K08 (R9).
TYPED_TEST(KvContract, K08_a_prefix_scan_equals_a_filter) {
    EXPECT_EQ(next_prefix("\x61"sv), ByteView("\x62"sv).to_bytes());
    EXPECT_EQ(next_prefix("\x61\xff"sv), ByteView("\x62"sv).to_bytes());
    EXPECT_EQ(next_prefix("\x61\x00"sv), ByteView("\x61\x01"sv).to_bytes());
    EXPECT_EQ(next_prefix("\xff\xff"sv), std::nullopt);
    EXPECT_EQ(next_prefix(""sv), std::nullopt);

    Random random = this->random();
    const std::map<Bytes, Bytes> model = random_rows(random, scaled(20'000, 2'000));
    this->store().update(
        [&](WriteTxn& txn) { put_in_random_order(random, txn, this->p(), model); });
    const ReadTxn txn = this->reader();
    std::vector<Bytes> prefixes;
    for (const std::string_view prefix :
         {"\x61"sv, "\x61\xff"sv, "\xff\xff"sv, ""sv, "\0"sv, "\xff"sv, "\x62"sv, "\x01\xff\xff"sv})
        prefixes.push_back(ByteView(prefix).to_bytes());
    for (int more = 0; more < 20; ++more)
        prefixes.push_back(random.bytes(random.below(4), kAlphabet));
    for (const Bytes& prefix : prefixes) {
        Range range = txn.prefix(this->p(), prefix);
        for (const auto& [key, value] : model) {
            if (!ByteView(key).starts_with(prefix)) continue;
            ASSERT_EQ(range.next(), (Entry{key, value}));
        }
        ASSERT_EQ(range.next(), std::nullopt);
        ASSERT_EQ(range.next(), std::nullopt);
    }
}

/// R10, as a filter over all rows.
std::vector<Row> range_of(std::span<const Row> all, std::optional<std::string_view> from,
                          std::optional<std::string_view> to, Order order, uint64_t limit) {
    std::vector<Row> found;
    const auto take = [&](const Row& row) {
        const ByteView key = row.key;
        const bool within = order == Order::Asc
                                ? (!from || key >= ByteView(*from)) && (!to || key < ByteView(*to))
                                : (!from || key <= ByteView(*from)) && (!to || key > ByteView(*to));
        if (within && found.size() < limit) found.push_back(row);
    };
    if (order == Order::Asc) {
        for (const Row& row : all) take(row);
    } else {
        for (auto row = all.rbegin(); row != all.rend(); ++row) take(*row);
    }
    return found;
}

/// Page faults of the calling thread that needed no reading from disk.
uint64_t minor_faults() {
    rusage usage{};
    getrusage(RUSAGE_THREAD, &usage);
    return static_cast<uint64_t>(usage.ru_minflt);
}

// K09 (R10).
TYPED_TEST(KvContract, K09_ranges_are_lazy_and_half_open_in_both_directions) {
    this->fill_golden();
    {
        const ReadTxn txn = this->reader();
        const std::optional<std::string_view> bounds[] = {std::nullopt, "",   "a", "aa",
                                                          "aac",        "ab", "b", "c"};
        for (const GoldenTable which : {GoldenTable::P5, GoldenTable::D9})
            for (const auto& from : bounds)
                for (const auto& to : bounds)
                    for (const Order order : {Order::Asc, Order::Desc})
                        for (const uint64_t limit :
                             {uint64_t{0}, uint64_t{1}, uint64_t{4}, uint64_t{9}, UINT64_MAX}) {
                            const auto view = [](const auto& bound) {
                                return bound ? std::optional<ByteView>(*bound) : std::nullopt;
                            };
                            EXPECT_EQ(rows(txn.range(this->table(which), view(from), view(to),
                                                     order, limit)),
                                      range_of(rows_of(which), from, to, order, limit))
                                << "from " << from.value_or("open") << " to " << to.value_or("open")
                                << " limit " << limit;
                        }
    }
    // Breaking off after one row touches few pages: on a store just opened each page that is read
    // is a page fault.
    const size_t many = scaled(1'000'000, 20'000);
    this->store().update([&](WriteTxn& txn) {
        txn.clear_table(this->d());
        for (uint64_t number = 0; number < many; ++number)
            txn.append(this->p(), number_key((uint64_t{1} << 63) + number), number_key(number));
        txn.put(this->d(), "warm", "up");
    });
    this->reopen();
    const auto first_of = [&](Table table) {
        const ReadTxn txn = this->reader();
        const Hit hit = txn.range(table).next();
        return hit ? to_row(*hit) : Row{};
    };
    EXPECT_EQ(first_of(this->d()),
              row("warm", "up"));  // the code, the heap and the reader's slot are warm
    const uint64_t before = minor_faults();
    EXPECT_EQ(first_of(this->p()), row("a", "1"));
    const uint64_t touched = minor_faults() - before;
    // A sanitizer faults its own shadow pages in.
    if (kSlowdown == 1) {
        EXPECT_LT(touched, 10u);
    }
}

}  // namespace

}  // namespace keel::db::testing
