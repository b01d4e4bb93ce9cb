// Loading many entries at once (LESSONS.md E2): the same content as one put after the other, on
// both backends.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <map>

#include "core/endian.hpp"
#include "db/bulk_load.hpp"
#include "db/testing/contract_fixture.hpp"

namespace keel::db::testing {
namespace {

TYPED_TEST_SUITE(KvContract, BothBackends, BackendNames);

Bytes random_key(Random& random) {
    if (random.one_in(20)) return Bytes(random.below(kKeyBytesMax + 1), 0x61);
    Bytes key = random.bytes(random.below(5), "\x01z\xff");
    if (random.one_in(3)) core::append(key, number_key(random.bits() % 5000));
    return key;
}

TYPED_TEST(KvContract, bulk_loads_leave_what_single_puts_leave) {
    Random random = this->random();
    for (size_t round = 0; round < 6; ++round) {
        for (const Table table : {this->p(), this->d()}) {
            const bool dup = table.kind == Kind::DupSort;
            this->store().update([&](WriteTxn& txn) { txn.clear_table(table); });
            ModelTable model(table.kind);
            // What is there already: nothing, little, or more than comes.
            const size_t before = round % 3 == 0 ? 0 : round % 3 == 1 ? 300 : 20'000;
            this->store().update([&](WriteTxn& txn) {
                for (size_t i = 0; i < scaled(before); ++i) {
                    const Bytes key = random_key(random);
                    const Bytes value = number_key(i);
                    txn.put(table, key, value);
                    model.put(key, value);
                }
            });
            this->store().update([&](WriteTxn& txn) {
                BulkLoad load({.threads = round % 2});
                BulkLoad::Stream& stream = load.table(table);
                for (size_t i = 0; i < scaled(9000); ++i) {
                    const Bytes key = random_key(random);
                    const size_t bytes = dup ? random.below(60) : random.below(200);
                    Bytes value = random.bytes(bytes, "ab");
                    if (!dup && random.one_in(500)) value.resize(10'000);
                    stream.add(key, value);
                    model.put(key, value);
                }
                load.into(txn);
            });
            const ReadTxn txn = this->reader();
            EXPECT_EQ(txn.count(table), model.size());
            EXPECT_EQ(digest(txn, table), digest(model)) << "round " << round;
        }
    }
}

TYPED_TEST(KvContract, bulk_entries_that_come_in_order_are_not_sorted) {
    BulkLoad load;
    BulkLoad::Stream& plain = load.table(this->p());
    BulkLoad::Stream& dup = load.table(this->d());
    for (uint64_t i = 0; i < 3000; ++i) {
        plain.add(number_key(i), "v");
        dup.add(number_key(i / 10), number_key(i));
    }
    WriteTxn txn = this->writer();
    const BulkLoad::Figures figures = load.into(txn);
    EXPECT_EQ(figures.streams_sorted, 0U);
    EXPECT_EQ(figures.entries, 6000U);
    txn.commit();
    EXPECT_EQ(this->reader().count(this->p()), 3000U);
    EXPECT_EQ(this->reader().stat(this->d()).keys, 300U);
}

TYPED_TEST(KvContract, bulk_records_that_share_a_key_leave_no_index_entries_behind) {
    Random random = this->random();
    BulkLoad load;
    BulkLoad::Stream& records = load.table(this->p());
    BulkLoad::Stream& index = load.index(this->d(), records);
    std::map<Bytes, Bytes> last_owner;
    const size_t count = scaled(20'000);
    for (size_t i = 0; i < count; ++i) {
        const Bytes key = number_key(random.below(count / 2));
        const Bytes owner = number_key(random.below(50));
        records.add(key, owner);
        index.add(owner, key);
        last_owner[key] = owner;
    }
    WriteTxn txn = this->writer();
    const BulkLoad::Figures figures = load.into(txn);
    txn.commit();
    EXPECT_EQ(figures.replaced_records, count - last_owner.size());
    const ReadTxn reader = this->reader();
    EXPECT_EQ(reader.count(this->p()), last_owner.size());
    ASSERT_EQ(reader.count(this->d()), last_owner.size());
    ReadCursor cursor = reader.cursor(this->d());
    for (const auto& [key, owner] : last_owner) {
        EXPECT_EQ(reader.get(this->p(), key), std::optional<ByteView>(owner));
        EXPECT_TRUE(cursor.seek_both_exact(owner, key).has_value());
    }
}

TYPED_TEST(KvContract, bulk_loads_that_are_aborted_leave_nothing) {
    this->fill_golden();
    const std::string before = digest_of_all(this->store());
    {
        WriteTxn txn = this->writer();
        BulkLoad load;
        BulkLoad::Stream& records = load.table(this->p());
        for (uint64_t i = 0; i < 5000; ++i) records.add(number_key(i * 7919 % 5000), "v");
        load.into(txn);
        EXPECT_EQ(txn.count(this->p()), 5005U);
        txn.abort();
    }
    EXPECT_EQ(digest_of_all(this->store()), before);
}

TYPED_TEST(KvContract, bulk_loads_keep_cursors_and_readers_where_they_are) {
    this->fill_golden();
    const ReadTxn reader = this->reader();
    WriteTxn txn = this->writer();
    WriteCursor at = txn.cursor(this->p());
    WriteCursor gap = txn.cursor(this->p());
    at.seek_exact("aab");
    gap.seek_exact("ab");
    gap.delete_current();
    BulkLoad load;
    BulkLoad::Stream& records = load.table(this->p());
    for (uint64_t i = 0; i < 3000; ++i) records.add("ab" + std::to_string(i), "v");
    load.into(txn);
    EXPECT_EQ(at.current()->key, ByteView("aab"));
    EXPECT_EQ(at.next()->key, ByteView("ab0"));
    EXPECT_EQ(gap.next()->key, ByteView("ab0"));
    EXPECT_EQ(gap.prev()->key, ByteView("aab"));
    txn.commit();
    EXPECT_EQ(reader.count(this->p()), 5U);
    EXPECT_EQ(this->reader().count(this->p()), 3004U);
}

TYPED_TEST(KvContract, bulk_entries_cost_no_allocation_each) {
    const auto allocations_of = [&](uint64_t count) {
        const uint64_t before = allocations_of_this_thread();
        WriteTxn txn = this->writer();
        BulkLoad load({.threads = 1});
        BulkLoad::Stream& records = load.table(this->p());
        BulkLoad::Stream& index = load.index(this->d(), records);
        std::array<uint8_t, 8> key;
        std::array<uint8_t, 8> owner;
        for (uint64_t i = 0; i < count; ++i) {
            core::store_be(key.data(), i);
            core::store_be(owner.data(), i * 7919 % count);
            records.add(key, owner);
            index.add(owner, key);
        }
        load.into(txn);
        const uint64_t after = allocations_of_this_thread();
        txn.abort();
        return after - before;
    };
    if (!TestFixture::kMem) GTEST_SKIP() << "liblmdb allocates every page that it changes";
    allocations_of(50'000);
    EXPECT_LE(allocations_of(50'000), 200U);
}

TYPED_TEST(KvContract, bulk_sizes_that_no_table_takes_are_refused_at_once) {
    BulkLoad load;
    BulkLoad::Stream& plain = load.table(this->p());
    BulkLoad::Stream& dup = load.table(this->d());
    const Bytes long_key(kKeyBytesMax + 1, 0x61);
    EXPECT_EQ(error_of([&] { plain.add(long_key, "v"); }), ErrorCode::BadKeySize);
    EXPECT_EQ(error_of([&] { dup.add("k", long_key); }), ErrorCode::BadValueSize);
    EXPECT_EQ(plain.entries() + dup.entries(), 0U);
}

TYPED_TEST(KvContract, bulk_loads_are_there_after_reopening_by_record_or_by_image) {
    OpenOptions options = this->options();
    options.durability = Durability::Group;
    options.fold_bytes_min = 1 << 18;
    this->open(options);
    ModelTable model(Kind::Plain);
    // Into a record, past what a record may be, and into a record behind that image.
    for (const size_t count : {size_t{1000}, size_t{30'000}, size_t{2000}}) {
        WriteTxn txn = this->writer();
        BulkLoad load;
        BulkLoad::Stream& stream = load.table(this->p());
        for (size_t i = 0; i < count; ++i) {
            const Bytes key = number_key(i * 104'729 % 40'000);
            const Bytes value = number_key(i + count);
            stream.add(key, value);
            model.put(key, value);
        }
        load.into(txn);
        txn.put(this->d(), "loaded", number_key(count));
        txn.commit();
        this->reopen(options);
        EXPECT_EQ(digest(this->reader(), this->p()), digest(model)) << count;
    }
    EXPECT_EQ(this->reader().count(this->d()), 3U);
}

TYPED_TEST(KvContract, bulk_loaded_tables_are_saved_as_they_would_be_otherwise) {
    // The image depends on the content alone; a loaded table goes into it page by page.
    if (!TestFixture::kMem) GTEST_SKIP() << "liblmdb's file depends on its history";
    const auto image_digest = [&](bool bulk) {
        OpenOptions options = this->options();
        const TempDirectory directory;
        options.directory = directory.path();
        {
            const Database store = open(Backend::Mem, options);
            const Table p = store.table("P");
            const Table d = store.table("D");
            store.update([&](WriteTxn& txn) {
                BulkLoad load;
                BulkLoad::Stream& plain = load.table(p);
                BulkLoad::Stream& dup = load.table(d);
                for (uint64_t i = 0; i < 30'000; ++i) {
                    const Bytes key = number_key(i * 104'729 % 30'000);
                    Bytes value(i % 90, 0x76);
                    if (i % 1000 == 0) value.resize(9000);
                    const Bytes owner = number_key(i % 70);
                    if (bulk) {
                        plain.add(key, value);
                        dup.add(owner, key);
                    } else {
                        txn.put(p, key, value);
                        txn.put(d, owner, key);
                    }
                }
                if (bulk) load.into(txn);
            });
            store.close();
        }
        // Changed after reopening: one table as it lies in the image, the other made anew.
        {
            const Database store = open(Backend::Mem, options);
            const Table d = store.table("D");
            store.update([&](WriteTxn& txn) { txn.put(d, "more", "m"); });
            store.close();
        }
        core::SystemFiles files;
        Bytes image = core::read_file(files, directory.path() / "store.img");
        image.erase(image.begin(), image.begin() + 2 * kPageBytes);  // header: time, uid
        return image;
    };
    EXPECT_EQ(image_digest(true), image_digest(false));
}

/// Records in any order, some keys twice, with an index in a table whose name comes first.
BulkLoad::Figures load_people(WriteTxn& txn, Table records, Table index, uint64_t count,
                              const BulkLoad::Options& how = {}) {
    BulkLoad load(how);
    BulkLoad::Stream& people = load.table(records);
    BulkLoad::Stream& owners = load.index(index, people);
    for (uint64_t i = 0; i < count; ++i) {
        const Bytes key = number_key(i * 104'729 % (count * 9 / 10));
        Bytes value(i % 90, 0x76);
        if (i % 1000 == 0) value.resize(9000);
        people.add(key, value);
        owners.add(number_key(i % 70), key);
    }
    return load.into(txn);
}

/// A store of its own, whose content after `fill` and after reopening is the same as that of one
/// in memory.
template <class F>
void expect_same_as_in_memory(OpenOptions options, Backend backend, F&& fill) {
    const TempDirectory directory;
    options.directory = directory.path();
    const Database plain = open_ephemeral(options.schema, kReserveBytes);
    fill(plain);
    const std::string wanted = digest_of_all(plain);
    {
        const Database store = open(backend, options);
        fill(store);
        EXPECT_EQ(digest_of_all(store), wanted);
        store.close();
    }
    {
        const Database store = open(backend, options);
        EXPECT_EQ(digest_of_all(store), wanted);
        store.update([&](WriteTxn& txn) { txn.put(store.table("P"), "more", "m"); });
        store.close();
    }
    plain.update([&](WriteTxn& txn) { txn.put(plain.table("P"), "more", "m"); });
    EXPECT_EQ(digest_of_all(open(backend, options)), digest_of_all(plain));
}

TYPED_TEST(KvContract, bulk_loads_of_a_new_store_are_right_whatever_else_its_transaction_does) {
    constexpr uint64_t kCount = 20'000;  // more than a megabyte: it goes straight into the image
    const std::function<void(const Database&)> cases[] = {
        [](const Database& store) {
            store.update([&](WriteTxn& txn) {
                load_people(txn, store.table("P"), store.table("D"), kCount);
            });
        },
        // Changes behind the load, of what it loaded, of what it copied, and of another table.
        [](const Database& store) {
            store.update([&](WriteTxn& txn) {
                txn.put(store.table("A"), "k", "v");
                txn.set_sequence(store.table("P"), 5);
            });
            store.update([&](WriteTxn& txn) {
                load_people(txn, store.table("P"), store.table("D"), kCount);
                txn.set_sequence(store.table("D"), 7);
                txn.put(store.table("Z"), "k", "v");
            });
            store.update([&](WriteTxn& txn) {
                EXPECT_TRUE(txn.del(store.table("P"), number_key(77)));
                txn.del_range(store.table("D"), number_key(3), number_key(9));
            });
        },
        [](const Database& store) {
            store.update([&](WriteTxn& txn) {
                txn.put(store.table("A"), "before", "v");
                load_people(txn, store.table("P"), store.table("D"), kCount);
                txn.put(store.table("A"), "behind", "v");
            });
        },
        [](const Database& store) {
            store.update([&](WriteTxn& txn) { txn.put(store.table("A"), "before", "v"); });
            store.update([&](WriteTxn& txn) {
                load_people(txn, store.table("P"), store.table("D"), kCount);
                txn.put(store.table("A"), "behind", "v");
                txn.put(store.table("P"), number_key(5), "changed");
            });
        },
        // Aborted, then loaded again, over itself, and cleared.
        [](const Database& store) {
            {
                WriteTxn txn = store.begin_rw().value();
                load_people(txn, store.table("P"), store.table("D"), kCount);
                txn.abort();
            }
            for (int times = 0; times < 2; ++times)
                store.update([&](WriteTxn& txn) {
                    load_people(txn, store.table("P"), store.table("D"), kCount);
                });
            store.update([&](WriteTxn& txn) {
                txn.clear_table(store.table("P"));
                load_people(txn, store.table("P"), store.table("D"), kCount / 2);
            });
        },
        // Two loads in one transaction, the later one of a table that comes first.
        [](const Database& store) {
            store.update([&](WriteTxn& txn) {
                load_people(txn, store.table("P"), store.table("D"), kCount);
                load_people(txn, store.table("A"), store.table("E"), kCount);
            });
        }};
    for (const Durability durability : {Durability::Group, Durability::Close}) {
        OpenOptions options = this->options();
        options.durability = durability;
        options.schema = {{"A", Kind::Plain},
                          {"D", Kind::DupSort},
                          {"E", Kind::DupSort},
                          {"P", Kind::Plain},
                          {"Z", Kind::Plain}};
        for (size_t at = 0; at < std::size(cases); ++at) {
            SCOPED_TRACE(fmt::format("case {}, {}", at, to_string(durability)));
            expect_same_as_in_memory(options, TestFixture::kBackend, cases[at]);
        }
    }
}

/// Records in order, in a table that is built first, with an index. Then what `more` adds.
template <class F>
BulkLoad::Figures load_early(WriteTxn& txn, const Database& store, F&& more) {
    BulkLoad load({.threads = 2});
    BulkLoad::Stream& records = load.table(store.table("A"));
    BulkLoad::Stream& index = load.index(store.table("D"), records);
    load.begin(txn);
    const auto add = [&](const Bytes& key, size_t bytes, uint64_t owner) {
        records.add(key, Bytes(bytes, 0x76));
        index.add(number_key(owner), key);
    };
    for (uint64_t i = 0; i < 60'000; ++i)
        add(number_key(2 * i), i == 50'000 ? 3 << 20 : 100 + i % 90, i * 7919 % 1000);
    more(add);
    return load.into(txn);
}

TYPED_TEST(KvContract, bulk_loads_that_build_what_comes_in_order_while_it_comes) {
    const auto nothing = [](auto&&) {};
    const std::function<void(const Database&)> cases[] = {
        [&](const Database& store) {
            store.update([&](WriteTxn& txn) {
                const BulkLoad::Figures figures = load_early(txn, store, nothing);
                const bool has_image = TestFixture::kMem && !store.path().empty();
                EXPECT_EQ(figures.built_ahead, has_image ? 60'000U : 0U);
                EXPECT_EQ(figures.streams_sorted, 1U);
            });
        },
        // Not in order after all: a key that is new, the last one again, and one from the middle.
        [&](const Database& store) {
            for (const uint64_t late : {uint64_t{77}, uint64_t{119'998}, uint64_t{3000}})
                store.update([&](WriteTxn& txn) {
                    txn.clear_table(store.table("A"));
                    txn.clear_table(store.table("D"));
                    const BulkLoad::Figures figures = load_early(txn, store, [&](auto&& add) {
                        add(number_key(late), 3, 1);
                        for (uint64_t i = 0; i < 100; ++i) add(number_key(200'000 + i), 5, 2);
                    });
                    EXPECT_EQ(figures.built_ahead, 0U);
                    EXPECT_EQ(figures.replaced_records, late % 2 == 0 ? 1U : 0U);
                });
        },
        // Left, and then done.
        [&](const Database& store) {
            store.update([&](WriteTxn& txn) {
                struct Enough {};
                EXPECT_THROW(load_early(txn, store, [](auto&&) { throw Enough(); }), Enough);
                EXPECT_EQ(txn.count(store.table("A")), 0U);
                txn.put(store.table("A"), "k", "v");
                load_early(txn, store, nothing);
            });
        },
        // Aborted; into a table that has entries; one thing behind the other.
        [&](const Database& store) {
            {
                WriteTxn txn = store.begin_rw().value();
                load_early(txn, store, nothing);
                txn.abort();
            }
            store.update([&](WriteTxn& txn) { load_early(txn, store, nothing); });
            store.update([&](WriteTxn& txn) {
                EXPECT_EQ(load_early(txn, store, nothing).built_ahead, 0U);
                txn.put(store.table("P"), "behind", "v");
            });
        }};
    for (const Durability durability : {Durability::Group, Durability::Close}) {
        OpenOptions options = this->options();
        options.durability = durability;
        options.schema = {{"A", Kind::Plain}, {"D", Kind::DupSort}, {"P", Kind::Plain}};
        for (size_t at = 0; at < std::size(cases); ++at) {
            SCOPED_TRACE(fmt::format("case {}, {}", at, to_string(durability)));
            expect_same_as_in_memory(options, TestFixture::kBackend, cases[at]);
        }
    }
}

TYPED_TEST(KvContract, bulk_loads_one_behind_the_other_go_into_one_image) {
    const TempDirectory directory;
    OpenOptions options = this->options();
    options.directory = directory.path();
    options.schema = {{"A", Kind::Plain}, {"D", Kind::DupSort}, {"P", Kind::Plain}};
    const Database store = open(TestFixture::kBackend, options);
    const uint64_t before = store.stats().anonymous_bytes;
    store.update([&](WriteTxn& txn) {
        for (const char* const name : {"A", "D", "P"}) {
            BulkLoad load;
            BulkLoad::Stream& stream = load.table(store.table(name));
            for (uint64_t i = 0; i < 20'000; ++i) stream.add(number_key(i), Bytes(100, 0x76));
            load.into(txn);
        }
    });
    const ReadTxn txn = store.begin_ro();
    for (const char* const name : {"A", "D", "P"}) EXPECT_EQ(txn.count(store.table(name)), 20'000U);
    if (TestFixture::kMem) {
        EXPECT_LE(store.stats().anonymous_bytes, before + (1U << 20));
    }
}

TYPED_TEST(KvContract, an_empty_table_may_change_its_kind_beside_a_bulk_load_of_a_new_store) {
    const TempDirectory directory;
    OpenOptions options = this->options();
    options.directory = directory.path();
    options.schema = {{"D", Kind::DupSort}, {"P", Kind::Plain}};
    {
        const Database store = open(TestFixture::kBackend, options);
        store.update([&](WriteTxn& txn) { txn.create_table({"A", Kind::Plain}); });
        store.update([&](WriteTxn& txn) {
            load_people(txn, store.table("P"), store.table("D"), 20'000);
            txn.drop_table(store.table("A"));
            txn.create_table({"A", Kind::DupSort});
        });
        store.close();
    }
    const Database store = open(TestFixture::kBackend, options);
    const std::vector<TableSpec> tables = store.begin_ro().list_tables();
    ASSERT_EQ(tables.size(), 3u);
    EXPECT_EQ(tables[0].name, "A");
    EXPECT_EQ(tables[0].kind, Kind::DupSort);
}

TYPED_TEST(KvContract, what_a_killed_bulk_load_left_is_taken_away_by_the_next_opening_to_write) {
    const TempDirectory directory;
    OpenOptions options = this->options();
    options.directory = directory.path();
    open(TestFixture::kBackend, options).close();
    const std::filesystem::path left[] = {directory.path() / "store.img.load",
                                          directory.path() / "bulk-77-0.tmp"};
    core::SystemFiles files;
    for (const std::filesystem::path& path : left)
        core::write_file_atomically(files, path, std::string(5000, 'x'));
    {
        OpenOptions reading = options;
        reading.access = Access::ReadOnly;
        const Database store = open(TestFixture::kBackend, reading);
        EXPECT_EQ(store.begin_ro().view_id(), 1u);
    }
    for (const std::filesystem::path& path : left) EXPECT_TRUE(std::filesystem::exists(path));
    const Database store = open(TestFixture::kBackend, options);
    EXPECT_EQ(std::filesystem::exists(left[0]), TestFixture::kBackend == Backend::Lmdb)
        << "no file of such a store";
    EXPECT_FALSE(std::filesystem::exists(left[1]));
}

TYPED_TEST(KvContract, bulk_loads_larger_than_their_memory_leave_what_others_leave) {
    Random random = this->random();
    const TempDirectory runs;
    for (size_t round = 0; round < 4; ++round) {
        const uint64_t memory_bytes = 20'000 + random.below(400'000);
        const auto digest_after = [&](bool bounded) {
            const Database store = open_ephemeral(this->options().schema, kReserveBytes);
            const uint64_t ordered = round % 2;
            Random same = random;
            BulkLoad::Options how;
            if (bounded) how.runs = {.directory = runs.path(), .memory_bytes = memory_bytes};
            BulkLoad load(how);
            BulkLoad::Stream& people = load.table(store.table("P"));
            BulkLoad::Stream& owners = load.index(store.table("D"), people);
            const uint64_t count = scaled(20'000);
            for (uint64_t i = 0; i < count; ++i) {
                const Bytes key = number_key(ordered ? i : same.below(count));
                Bytes value = same.bytes(same.below(40), "ab");
                if (same.one_in(900)) value.resize(300'000);
                people.add(key, value);
                for (uint64_t owner = same.below(3); owner > 0; --owner)
                    owners.add(number_key(same.below(50)), key);
            }
            WriteTxn txn = store.begin_rw().value();
            const BulkLoad::Figures figures = load.into(txn);
            txn.commit();
            EXPECT_EQ(figures.runs > 3, bounded) << figures.runs;
            return digest_of_all(store);
        };
        EXPECT_EQ(digest_after(true), digest_after(false)) << memory_bytes << " bytes";
        random.bits();
    }
    EXPECT_TRUE(std::filesystem::is_empty(runs.path()));
}

}  // namespace
}  // namespace keel::db::testing
