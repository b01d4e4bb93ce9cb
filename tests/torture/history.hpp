#pragma once

// A fixed history of a store: commit n changes the same rows in the same way wherever it is made,
// so that what a reopening must find is known for every commit.

#include <fmt/format.h>

#include <string>
#include <vector>

#include "db/bulk_load.hpp"
#include "db/testing/contract_fixture.hpp"

namespace keel::tests {

inline db::Schema history_schema() {
    return {{"P", db::Kind::Plain}, {"D", db::Kind::DupSort}};
}

/// Makes commit number `view_id`; the one before it must be there.
inline void make_commit(const db::Database& store, uint64_t view_id) {
    const db::Table p = store.table("P");
    const db::Table d = store.table("D");
    const db::Table extra = store.table("Extra");
    db::testing::Random random(view_id * 0x9e3779b97f4a7c15);
    store.update([&](db::WriteTxn& txn) {
        for (int change = 0; change < 12; ++change) {
            const uint64_t row = random.below(200);
            const std::string key = fmt::format("row {}", row);
            switch (random.below(8)) {
                case 0:
                    txn.del(p, key);
                    break;
                case 1:
                    txn.del(d, key);
                    break;
                case 2:
                    txn.put(p, key, std::string(random.below(9'000), 'a'));
                    break;
                case 3:
                    if (random.one_in(10)) txn.del_range(p, key, fmt::format("row {}", row + 10));
                    break;
                case 4:
                    for (int value = 0; value < 20; ++value)
                        txn.put(d, key, std::to_string(random.bits()));
                    break;
                default:
                    txn.put(p, key, fmt::format("{} of {}", change, view_id));
            }
        }
        if (view_id % 10 == 3) {
            if (txn.exists(extra)) {
                txn.drop_table(extra);
            } else {
                txn.create_table({"Extra", db::Kind::Plain});
                txn.put(extra, "k", "v");
            }
        }
        if (view_id % 15 == 0) txn.clear_table(d);
        txn.set_sequence(p, view_id);
        txn.put(p, "view", std::to_string(view_id));
    });
}

/// Makes commit number `view_id` as one bulk load: new and old rows, a key twice, an index.
inline void make_bulk_commit(const db::Database& store, uint64_t view_id, uint64_t record_count,
                             const db::BulkLoad::Options& how = {.threads = 1}) {
    db::testing::Random random(view_id * 0x9e3779b97f4a7c15);
    db::BulkLoad load(how);
    db::BulkLoad::Stream& rows = load.table(store.table("P"));
    db::BulkLoad::Stream& index = load.index(store.table("D"), rows);
    for (uint64_t row = 0; row < record_count; ++row) {
        const std::string key = fmt::format("row {}", random.below(record_count * 3 / 2));
        rows.add(key,
                 fmt::format("{} of {} {}", row, view_id, std::string(random.below(300), 'b')));
        index.add(fmt::format("index {}", random.below(50)), key);
    }
    store.update([&](db::WriteTxn& txn) {
        load.into(txn);
        txn.set_sequence(store.table("P"), view_id);
    });
}

/// The same as rows in order, which are built while they come, with an index in any order.
inline void make_ahead_commit(const db::Database& store, uint64_t view_id) {
    db::testing::Random random(view_id * 0x9e3779b97f4a7c15);
    store.update([&](db::WriteTxn& txn) {
        db::BulkLoad load({.threads = 2, .ahead_from_bytes = 200'000});
        db::BulkLoad::Stream& rows = load.table(store.table("D"));
        db::BulkLoad::Stream& index = load.index(store.table("P"), rows);
        load.begin(txn);
        for (uint64_t row = 0; row < 9000; ++row) {
            const std::string key = fmt::format("row {:08}", row);
            rows.add(key, fmt::format("{} {}", view_id, std::string(random.below(300), 'b')));
            index.add(fmt::format("index {} {}", random.below(50), key), "");
        }
        load.into(txn);
        txn.set_sequence(store.table("P"), view_id);
    });
}

constexpr uint64_t kSmallLoad = 400;
/// More than a megabyte: what a new store takes straight into its image.
constexpr uint64_t kLargeLoad = 9000;

/// Every third one is a bulk load.
inline void make_mixed_commit(const db::Database& store, uint64_t view_id) {
    view_id % 3 == 0 ? make_bulk_commit(store, view_id, kSmallLoad) : make_commit(store, view_id);
}

/// What the creation is followed by is a large load.
inline void make_first_a_load(const db::Database& store, uint64_t view_id) {
    view_id == 2 ? make_bulk_commit(store, view_id, kLargeLoad) : make_commit(store, view_id);
}

/// Digest of everything after each commit; [0] is unused, [1] the creation.
inline std::vector<std::string> history_digests(uint64_t commits,
                                                void (*commit)(const db::Database&,
                                                               uint64_t) = make_commit) {
    const db::Database store = db::open_ephemeral(history_schema(), db::testing::kReserveBytes);
    std::vector<std::string> digests(2);
    digests[1] = db::testing::digest_of_all(store);
    for (uint64_t view = 2; view <= commits; ++view) {
        commit(store, view);
        digests.push_back(db::testing::digest_of_all(store));
    }
    return digests;
}

}  // namespace keel::tests
