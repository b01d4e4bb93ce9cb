// KV.md A.11, costs as counts and long workloads: K61 to K63, K65, K67.

#include <sys/resource.h>

#include <array>
#include <fstream>
#include <map>

#include "core/endian.hpp"
#include "db/testing/contract_fixture.hpp"

namespace keel::db::testing {

namespace {

TYPED_TEST_SUITE(KvContract, BothBackends, BackendNames);

/// number_key without an allocation.
struct NumberKey {
    explicit NumberKey(uint64_t number) { core::store_be(bytes.data(), number); }
    operator ByteView() const { return bytes; }
    std::array<uint8_t, 8> bytes{};
};

/// What the kernel counts of this thread: calls that read and wrote, and bytes handed to it.
struct ThreadIo {
    uint64_t reads = 0;
    uint64_t writes = 0;
    uint64_t bytes_written = 0;
    friend bool operator==(const ThreadIo&, const ThreadIo&) = default;
};

ThreadIo thread_io() {
    ThreadIo io;
    std::ifstream file("/proc/thread-self/io");
    std::string name;
    for (uint64_t value = 0; file >> name >> value;) {
        if (name == "syscr:") io.reads = value;
        if (name == "syscw:") io.writes = value;
        if (name == "wchar:") io.bytes_written = value;
    }
    return io;
}

/// What `action` did beyond the counting itself.
template <class Action>
ThreadIo io_of(Action&& action) {
    const auto measured = [](auto&& between) {
        const ThreadIo before = thread_io();
        between();
        const ThreadIo after = thread_io();
        return ThreadIo{after.reads - before.reads, after.writes - before.writes,
                        after.bytes_written - before.bytes_written};
    };
    // The first measuring warms up: a sanitizer's checks of a type write to a pipe once.
    measured([] {});
    const ThreadIo own = measured([] {});
    const ThreadIo all = measured(action);
    return {all.reads - own.reads, all.writes - own.writes, all.bytes_written - own.bytes_written};
}

template <class Action>
uint64_t allocations_of(Action&& action) {
    const uint64_t before = allocations_of_this_thread();
    action();
    return allocations_of_this_thread() - before;
}

void append_numbers(const Database& store, Table table, uint64_t count) {
    store.update([&](WriteTxn& txn) {
        for (uint64_t number = 0; number < count; ++number)
            txn.append(table, NumberKey(number), NumberKey(number * 3));
    });
}

// K61 (R3).
TYPED_TEST(KvContract, K61_reads_allocate_nothing_and_call_no_file) {
    if (kViewGuard) GTEST_SKIP() << "the view guard copies what it hands out";
    const uint64_t many = scaled(1'000'000, 20'000);
    const Table p = this->p();
    append_numbers(this->store(), p, many);
    this->reopen();
    const ReadTxn txn = this->reader();
    ReadCursor cursor = txn.cursor(this->p());
    uint64_t found = 0;
    uint64_t walked = 0;
    const auto read_all = [&] {
        for (uint64_t number = 0; number < many; ++number)
            if (txn.get(p, NumberKey(number * 7919 % many))) ++found;
        for (Hit hit = cursor.first(); hit; hit = cursor.next()) ++walked;
    };
    read_all();  // warms the pages
    uint64_t allocations = 0;
    const ThreadIo io = io_of([&] { allocations = allocations_of(read_all); });
    EXPECT_EQ(allocations, 0u);
    EXPECT_EQ(io, ThreadIo{});
    EXPECT_EQ(found, 2 * many);
    EXPECT_EQ(walked, 2 * many);
    // The same for every other move, and for keys in bulk.
    std::array<NumberKey, 4> keys = {NumberKey(3), NumberKey(many), NumberKey(1), NumberKey(2)};
    const std::array<ByteView, 4> views = {keys[0], keys[1], keys[2], keys[3]};
    std::array<std::optional<ByteView>, 4> values;
    EXPECT_EQ(allocations_of([&] {
                  cursor.last();
                  cursor.prev();
                  cursor.prev_nodup();
                  cursor.next_nodup();
                  cursor.next_dup();
                  cursor.first_dup();
                  cursor.last_dup();
                  cursor.count_dups();
                  cursor.current();
                  cursor.seek(keys[0]);
                  cursor.seek_exact(keys[1]);
                  txn.get_many(p, views, values);
                  txn.count(p);
                  txn.sequence(p);
              }),
              0u);
    const Database& store = this->store();
    store.begin_ro().end();  // the first on this thread may take a slot
    EXPECT_EQ(allocations_of([&] {
                  for (int times = 0; times < 1'000; ++times) {
                      const ReadTxn one = store.begin_ro();
                      if (one.get(p, keys[0])) ++found;
                  }
              }),
              0u);
}

/// What a begin and an end cost, as counts.
struct BeginCost {
    uint64_t allocations_ro = 0;
    uint64_t allocations_rw = 0;
    uint64_t pages_copied = 0;
    uint64_t pages_written = 0;
    uint64_t pages_allocated = 0;
    ThreadIo io;
    friend bool operator==(const BeginCost&, const BeginCost&) = default;
};

std::ostream& operator<<(std::ostream& out, const BeginCost& cost) {
    return out << "allocations ro " << cost.allocations_ro << " rw " << cost.allocations_rw
               << " pages copied " << cost.pages_copied << " written " << cost.pages_written
               << " allocated " << cost.pages_allocated << " bytes written "
               << cost.io.bytes_written << " calls " << cost.io.reads << "+" << cost.io.writes;
}

BeginCost begin_cost(const Database& store) {
    const auto read = [&] { store.begin_ro().end(); };
    const auto write = [&] {
        auto txn = store.begin_rw();
        if (!txn) throw std::logic_error("refused");
        txn->commit();
    };
    read();
    write();
    const Stats before = store.stats();
    BeginCost cost;
    cost.io = io_of([&] {
        cost.allocations_ro = allocations_of(read);
        cost.allocations_rw = allocations_of(write);
    });
    const Stats after = store.stats();
    cost.pages_copied = after.pages_copied - before.pages_copied;
    cost.pages_written = after.pages_written - before.pages_written;
    cost.pages_allocated = after.pages_allocated - before.pages_allocated;
    return cost;
}

// K62 (C1, C2, B10).
TYPED_TEST(KvContract, K62_beginning_costs_the_same_on_any_content) {
    const BeginCost empty = begin_cost(this->store());
    EXPECT_EQ(empty.pages_copied, 0u);
    EXPECT_EQ(empty.pages_written, 0u);
    EXPECT_EQ(empty.pages_allocated, 0u);
    // The view guard keeps its copies in an object of each txn.
    if (!kViewGuard) {
        EXPECT_EQ(empty.allocations_ro, 0u);
    }
    EXPECT_EQ(empty.io, ThreadIo{});
    append_numbers(this->store(), this->p(), scaled(1'000'000, 20'000));
    EXPECT_EQ(begin_cost(this->store()), empty) << "many rows";
    this->store().update([&](WriteTxn& txn) {
        for (size_t number = 2; number < kTablesMax; ++number)
            txn.create_table({"table-" + std::to_string(number), Kind::Plain});
    });
    EXPECT_EQ(begin_cost(this->store()), empty) << "many tables";
    this->reopen();
    EXPECT_EQ(begin_cost(this->store()), empty) << "opened anew";
}

// K63 (C3, B17).
TYPED_TEST(KvContract, K63_a_put_copies_its_path_and_allocates_nothing_per_entry) {
    const uint64_t many = scaled(1'000'000, 20'000);
    append_numbers(this->store(), this->p(), many);
    const Table p = this->p();
    const Database& store = this->store();
    const uint64_t depth = this->reader().stat(p).depth;
    // Levels that every commit touches beside the table's own: the catalogue (two tables: one leaf,
    // at most a root above it); on LMDB also the list of free pages and the meta page.
    const uint64_t catalogue_depth = this->kMem ? 2 : 6;
    const auto put_some = [&](uint64_t first, uint64_t count) {
        auto txn = store.begin_rw();
        if (!txn) throw std::logic_error("refused");
        for (uint64_t number = first; number < first + count; ++number)
            txn->put(p, NumberKey(number), NumberKey(number + 1));
        txn->commit();
    };
    for (uint64_t warm = 0; warm < 8; ++warm) put_some(many / 2 + warm * 1'000, 100);
    for (uint64_t round = 0; round < 20; ++round) {
        const Stats before = store.stats();
        const ThreadIo io = io_of([&] { put_some(many / 20 * round, 1); });
        const Stats after = store.stats();
        const uint64_t copied = after.pages_copied - before.pages_copied;
        EXPECT_LE(copied, depth + catalogue_depth);
        if (this->kMem) {
            EXPECT_GE(copied, depth) << "the counter counts";
        }
        EXPECT_LE(io.bytes_written, (depth + catalogue_depth) * kPageBytes);
    }
    // Allocations belong to the txn, not to its entries.
    const uint64_t for_one = allocations_of([&] { put_some(many / 2, 1); });
    const uint64_t for_a_hundred = allocations_of([&] { put_some(many / 2 + 3'000, 100); });
    EXPECT_LE(for_a_hundred, for_one + 8);
    // Reading through a write txn's cursor copies nothing.
    WriteTxn txn = this->writer();
    const Stats before = store.stats();
    WriteCursor cursor = txn.cursor(p);
    uint64_t walked = 0;
    while (cursor.next()) ++walked;
    EXPECT_EQ(walked, many);
    EXPECT_EQ(store.stats().pages_copied, before.pages_copied);
}

// K65 (B7): history keyed by txn number, an index of variable-length keys, pruned ten txn numbers
// at a time.
TYPED_TEST(KvContract, K65_pruning_in_small_batches_equals_deleting_at_once) {
    OpenOptions options = this->options();
    for (const char* name : {"History", "Index", "HistoryAtOnce", "IndexAtOnce"})
        options.schema.push_back({name, Kind::DupSort});
    this->open(options);
    const Database& store = this->store();
    const Table history = store.table("History");
    const Table index = store.table("Index");
    const Table history_at_once = store.table("HistoryAtOnce");
    const Table index_at_once = store.table("IndexAtOnce");
    constexpr uint64_t kNumbers = 1'000;
    constexpr uint64_t kCutoff = 500;
    constexpr uint64_t kBatch = 10;
    Random random = this->random();
    std::vector<Bytes> keys;
    for (int count = 0; count < 300; ++count) keys.push_back(random.bytes(random.below(7), "ab"));
    for (int count = 0; count < 100; ++count)
        keys.push_back(random.bytes(20 + random.below(40), "abcdef"));
    ModelTable history_model(Kind::DupSort);
    ModelTable index_model(Kind::DupSort);
    store.update([&](WriteTxn& txn) {
        for (uint64_t number = 0; number < kNumbers; ++number)
            for (size_t changes = 1 + random.below(8); changes > 0; --changes) {
                const Bytes& key = keys[random.below(keys.size())];
                const NumberKey at(number);
                for (const Table table : {history, history_at_once}) txn.put(table, at, key);
                for (const Table table : {index, index_at_once}) txn.put(table, key, at);
                if (number >= kCutoff) {
                    history_model.put(at, key);
                    index_model.put(key, at);
                }
            }
    });
    uint64_t batches = 0;
    for (bool more = true; more; ++batches) {
        more = false;
        store.update([&](WriteTxn& txn) {
            WriteCursor numbers = txn.cursor(history);
            WriteCursor positions = txn.cursor(index);
            uint64_t pruned = 0;
            for (Hit hit = numbers.first(); hit; hit = numbers.next_nodup()) {
                ASSERT_EQ(hit->key.size(), 8u);
                if (number_of(hit->key) >= kCutoff) break;
                if (pruned == kBatch) {
                    more = true;
                    break;
                }
                for (hit = numbers.first_dup(); hit; hit = numbers.next_dup()) {
                    ASSERT_TRUE(positions.seek_both_exact(hit->value, hit->key));
                    positions.delete_current();
                    numbers.delete_current();
                }
                ++pruned;
            }
        });
    }
    EXPECT_EQ(batches, kCutoff / kBatch);
    store.update([&](WriteTxn& txn) {
        txn.del_range(history_at_once, std::nullopt, NumberKey(kCutoff));
        WriteCursor cursor = txn.cursor(index_at_once);
        for (Hit hit = cursor.first(); hit; hit = cursor.next())
            if (number_of(hit->value) < kCutoff) cursor.delete_current();
    });
    this->reopen(options);
    const ReadTxn txn = this->reader();
    EXPECT_EQ(digest(txn, history), digest(history_model));
    EXPECT_EQ(digest(txn, index), digest(index_model));
    EXPECT_EQ(digest(txn, history_at_once), digest(history_model));
    EXPECT_EQ(digest(txn, index_at_once), digest(index_model));
    EXPECT_EQ(txn.count(index), index_model.size());
}

/// One random txn, replayed on any store: the choices are made before, so that both stores do the
/// same.
struct Change {
    enum class What : uint8_t {
        Put,
        PutNoOverwrite,
        Del,
        DelPair,
        DelRange,
        CursorDelete,
        Clear,
        Increment,
        SetSequence,
        DropAndCreate
    };
    What what;
    size_t table;
    Bytes key;
    Bytes value;
    uint64_t number;
};

constexpr std::array<const char*, 4> kSideBySideTables = {"P", "D", "X", "Y"};
constexpr std::array<Kind, 4> kSideBySideKinds = {Kind::Plain, Kind::DupSort, Kind::Plain,
                                                  Kind::DupSort};

Change random_change(Random& random) {
    using What = Change::What;
    Change change{};
    const size_t choice = random.below(100'000);
    change.what = choice < 55'000   ? What::Put
                  : choice < 60'000 ? What::PutNoOverwrite
                  : choice < 76'000 ? What::Del
                  : choice < 86'000 ? What::DelPair
                  : choice < 90'000 ? What::DelRange
                  : choice < 96'000 ? What::CursorDelete
                  : choice < 98'000 ? What::Increment
                  : choice < 99'996 ? What::SetSequence
                  : choice < 99'998 ? What::Clear
                                    : What::DropAndCreate;
    change.table = random.below(kSideBySideTables.size());
    const bool dup_sort = kSideBySideKinds[change.table] == Kind::DupSort;
    change.key =
        dup_sort ? random.bytes(random.below(5), "ab") : random.bytes(random.below(7), "abcd");
    const bool large = random.one_in(500);
    const size_t value_size =
        dup_sort ? random.below(6) + (large ? 400 : 0) : random.below(100) + (large ? 20'000 : 0);
    change.value = random.bytes(value_size, "xyz");
    change.number = random.below(1'000);
    // Wide deletes are rare: else the tables would stay almost empty.
    if (change.what == What::DelRange && change.key.size() < 4) change.what = What::Put;
    if (change.what == What::Del && dup_sort && !random.one_in(16)) change.what = What::DelPair;
    return change;
}

void apply(const Change& change, const Database& store, WriteTxn& txn) {
    using What = Change::What;
    const Table table = store.table(kSideBySideTables[change.table]);
    const bool dup_sort = kSideBySideKinds[change.table] == Kind::DupSort;
    switch (change.what) {
        case What::Put:
            txn.put(table, change.key, change.value);
            return;
        case What::PutNoOverwrite:
            txn.put_no_overwrite(table, change.key, change.value);
            return;
        case What::Del:
            txn.del(table, change.key);
            return;
        case What::DelPair:
            if (dup_sort) txn.del(table, change.key, change.value);
            return;
        case What::DelRange: {
            Bytes end = change.key;
            end.push_back('b');
            txn.del_range(table, change.key, end);
            return;
        }
        case What::CursorDelete: {
            WriteCursor cursor = txn.cursor(table);
            uint64_t left = change.number % 3;
            for (Hit hit = cursor.seek(change.key); hit && left > 0; hit = cursor.next(), --left)
                cursor.delete_current();
            return;
        }
        case What::Clear:
            txn.clear_table(table);
            return;
        case What::Increment:
            txn.increment(table, change.number);
            return;
        case What::SetSequence:
            txn.set_sequence(table, change.number);
            return;
        case What::DropAndCreate:
            txn.drop_table(table);
            txn.create_table({kSideBySideTables[change.table], kSideBySideKinds[change.table]});
            return;
    }
}

// K67 (B18): the same workload on both stores, compared after each commit.
TEST(KvContract, K67_both_backends_hold_the_same_after_every_commit_of_a_random_workload) {
    const size_t txns = scaled(10'000);
    constexpr size_t kChanges = 100;
    constexpr size_t kReopenEvery = 100;
    Random random(process_seed());
    SCOPED_TRACE("KEEL_SEED=" + std::to_string(process_seed()));
    const std::array<TempDirectory, 2> directories;
    std::array<Database, 2> stores;
    const auto open_both = [&] {
        for (const Backend backend : {Backend::Mem, Backend::Lmdb}) {
            const size_t which = static_cast<size_t>(backend);
            if (stores[which]) stores[which].close();
            OpenOptions options;
            options.directory = directories[which].path();
            // mem through log, replay and folds, so that all of them hold the same as lmdb.
            options.durability = backend == Backend::Mem ? Durability::Group : Durability::Close;
            options.fold_bytes_min = uint64_t{1} << 20;
            options.reserve_bytes = kReserveBytes;
            for (size_t table = 0; table < kSideBySideTables.size(); ++table)
                options.schema.push_back({kSideBySideTables[table], kSideBySideKinds[table]});
            stores[which] = Database();
            stores[which] = db::open(backend, options);
        }
    };
    open_both();
    std::string digests = digest_of_all(stores[0]);
    for (size_t txn = 0; txn < txns; ++txn) {
        std::vector<Change> changes;
        changes.reserve(kChanges);
        for (size_t count = 0; count < kChanges; ++count) changes.push_back(random_change(random));
        const bool abort = random.one_in(5);
        const uint64_t view_id = stores[0].begin_ro().view_id();
        for (const Database& store : stores) {
            auto begun = store.begin_rw();
            ASSERT_TRUE(begun);
            for (const Change& change : changes) apply(change, store, *begun);
            if (abort) {
                begun->abort();
                continue;
            }
            begun->commit();
        }
        const std::string mem = digest_of_all(stores[0]);
        ASSERT_EQ(mem, digest_of_all(stores[1])) << "after txn " << txn;
        ASSERT_EQ(stores[0].begin_ro().view_id(), stores[1].begin_ro().view_id());
        if (abort) {
            ASSERT_EQ(mem, digests) << "an abort leaves no trace, txn " << txn;
            ASSERT_EQ(stores[0].begin_ro().view_id(), view_id);
        }
        digests = mem;
        if (txn % kReopenEvery == kReopenEvery - 1) {
            open_both();
            ASSERT_EQ(digest_of_all(stores[0]), digests) << "reopened after txn " << txn;
            ASSERT_EQ(digest_of_all(stores[1]), digests) << "reopened after txn " << txn;
        }
    }
    for (const Database& store : stores) store.close();
}

// K64 (C4).
TYPED_TEST(KvContract, K64_space_is_flat_under_overwrites_and_comes_back_after_a_long_reader) {
    constexpr uint64_t kRows = 100'000;
    const size_t rounds = scaled(100, 8);
    RecordingObserver observer;
    OpenOptions options = this->options();
    options.observer = &observer;
    options.reader_warn_ms = 1;
    const Database& store = this->open(options);
    const auto rewrite = [&](uint64_t round) {
        store.update([&](WriteTxn& txn) {
            for (uint64_t row = 0; row < kRows; ++row)
                txn.put(this->p(), number_key(row), number_key(round));
        });
        const ReadTxn reader = store.begin_ro();
        EXPECT_EQ(number_of(*reader.get(this->p(), number_key(round))), round);
    };
    const auto bytes = [&] {
        const Stats stats = store.stats();
        return stats.image_bytes + stats.anonymous_bytes;
    };
    uint64_t round = 0;
    while (round < 3) rewrite(round++);
    const uint64_t flat = bytes();
    for (size_t i = 0; i < rounds; ++i) {
        rewrite(round++);
        ASSERT_LE(bytes(), flat + flat / 10) << "round " << round;
    }
    ReadTxn held = store.begin_ro();
    const uint64_t view = held.view_id();
    for (size_t i = 0; i < rounds / 10 + 2; ++i) rewrite(round++);
    ASSERT_TRUE(observer.wait_for_long_readers(1, std::chrono::seconds(20)));
    const std::vector<LongReader> reported = observer.long_readers();
    EXPECT_EQ(reported.back().view_id, view);
    EXPECT_GE(reported.back().age_ms, 1u);
    const Stats stats = store.stats();
    ASSERT_EQ(stats.long_readers.size(), 1u);
    EXPECT_EQ(stats.long_readers[0].view_id, view);
    EXPECT_GT(stats.long_readers[0].bytes_pinned, kRows * 8) << "every page was replaced";
    const uint64_t with_reader = bytes();
    if (this->kMem) {
        EXPECT_LE(with_reader, 2 * flat + flat / 10) << "its own tree and no more";
    }
    held.end();
    for (size_t i = 0; i < rounds; ++i) {
        rewrite(round++);
        ASSERT_LE(bytes(), with_reader) << "round " << round;
    }
}

}  // namespace

}  // namespace keel::db::testing
