#include "state/running_root.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>
#include <string>

#include "core/types/fork.hpp"
#include "db/open.hpp"
#include "db/testing/rows.hpp"
#include "state/journal.hpp"
#include "state/reader.hpp"

namespace keel::state {
namespace {

using core::Address;
using core::Fork;
using core::Hash32;
using core::U256;

class NoHashes final : public BlockHashes {
  public:
    Hash32 block_hash(uint64_t) override { return {}; }
};

Address address_of(uint64_t number) {
    Address address;
    address[0] = static_cast<uint8_t>(number * 37);
    address[19] = static_cast<uint8_t>(number);
    return address;
}

/// A store whose tries follow one way of resolving.
struct Side {
    db::Database database = db::open_ephemeral(schema());
    Tables tables{database};

    void write(const ChangeSet& changes, const TrieChanges& rows) {
        database.update([&](db::WriteTxn& txn) {
            write_flat_state(txn, tables, changes);
            write_trie_rows(txn, tables, rows);
        });
    }
    void expect_equal(const Side& other) const {
        const db::ReadTxn txn = database.begin_ro();
        const db::ReadTxn other_txn = other.database.begin_ro();
        for (const auto table :
             {&Tables::account, &Tables::storage, &Tables::trie_account, &Tables::trie_storage}) {
            EXPECT_EQ(db::testing::rows_of(txn, tables.*table),
                      db::testing::rows_of(other_txn, other.tables.*table));
        }
    }
};

void random_transaction(Journal& journal, std::mt19937_64& random) {
    const auto below = [&random](uint64_t end) { return random() % end; };
    for (uint64_t i = below(12); i != 0; --i) {
        const Address address = address_of(below(16));
        const size_t snapshot = journal.snapshot();
        switch (below(9)) {
            case 0:
                journal.create_account(address, below(2));
                break;
            case 1:
                journal.mark_destructed(address);
                break;
            case 2:
                journal.set_code(address, core::Bytes(below(3), 7));
                break;
            case 3:
                journal.add_balance(address, below(2));
                break;
            case 4:
                journal.increment_nonce(address);
                break;
            case 5:
                journal.touch(address);
                break;
            default:
                journal.set_storage(address, below(10), below(3));
                break;
        }
        if (below(6) == 0) journal.revert(snapshot);
    }
}

TEST(RunningRoot, equals_the_root_of_all_changes_after_each_transaction) {
    const char* given = std::getenv("KEEL_SEED");
    const uint64_t seed =
        given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
    SCOPED_TRACE("KEEL_SEED=" + std::to_string(seed));
    std::mt19937_64 random(seed);
    Side running_side, eager_side;
    Journal journal;
    NoHashes hashes;
    for (int number = 0; number < 200 && !::testing::Test::HasFailure(); ++number) {
        const auto rules = core::rules_of(number % 2 == 0 ? Fork::Frontier : Fork::SpuriousDragon);
        ChangeSet changes;
        TrieChanges rows, eager_rows;
        {
            const db::ReadTxn txn = running_side.database.begin_ro();
            NewestState state(txn, running_side.tables);
            NewestTries tries(txn, running_side.tables);
            journal.begin_block(state, hashes);
            journal.remember_dirty_keys();
            RunningRoot running(tries);
            for (uint64_t tx = random() % 8; tx != 0; --tx) {
                journal.begin_transaction(rules);
                random_transaction(journal, random);
                journal.end_transaction();
                if (random() % 4 == 0) continue;  // several at once
                const Hash32 root = running.after(journal.take_dirty_values());
                ChangeSet so_far = journal.changes();
                ASSERT_EQ(root, resolve_state_root(tries, so_far, nullptr)) << "block " << number;
                running.put_storage_roots(so_far);
            }
            const Hash32 root = running.after(journal.take_dirty_values());
            ChangeSet eager = journal.changes();
            changes = journal.take_changes();
            running.put_storage_roots(changes);
            rows = running.rows();
            ASSERT_EQ(root, resolve_state_root(tries, eager, &eager_rows));
            ASSERT_EQ(changes, eager) << "block " << number;
        }
        running_side.write(changes, rows);
        eager_side.write(changes, eager_rows);
        running_side.expect_equal(eager_side);
    }
}

}  // namespace
}  // namespace keel::state
