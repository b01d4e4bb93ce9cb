#include "state/history.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "db/open.hpp"
#include "db/testing/rows.hpp"
#include "state/indexer.hpp"
#include "state/state_root.hpp"
#include "state/testing/model_state.hpp"
#include "state/unwind.hpp"

namespace keel::state {
namespace {

using core::Address;
using core::U256;
using testing::ModelState;

using db::testing::Rows;
using db::testing::rows_of;

void expect_state(StateReader& reader, const ModelState& model,
                  const testing::ModelOptions& options) {
    for (uint64_t i = 0; i < options.accounts; ++i) {
        const Address address = testing::model_address(i);
        const auto found = model.find(address);
        const auto account = reader.account(address);
        ASSERT_EQ(account.has_value(), found != model.end());
        std::map<U256, U256> slots;
        reader.each_slot(address, [&](const U256& slot, const U256& value) {
            EXPECT_TRUE(slots.empty() || slots.rbegin()->first < slot);
            slots[slot] = value;
        });
        if (found == model.end()) {
            EXPECT_TRUE(slots.empty());
            continue;
        }
        EXPECT_EQ(*account, found->second.account);
        EXPECT_EQ(slots, found->second.slots);
        for (uint64_t k = 0; k < options.slots; ++k) {
            const U256 slot = testing::model_slot(k);
            const auto value = found->second.slots.find(slot);
            EXPECT_EQ(reader.storage(address, slot),
                      value == found->second.slots.end() ? U256() : value->second);
        }
    }
}

/// A chain without branches: states by number, change sets and flat tables.
class Line {
  public:
    Line() : states_(1) {}

    void append(db::WriteTxn& txn, ModelState next) {
        ChangeSet changes = testing::difference(states_.back(), next);
        NewestTries tries(txn, tables);
        TrieChanges rows;
        resolve_state_root(tries, changes, &rows);
        testing::adopt_storage_roots(next, changes);
        write_flat_state(txn, tables, changes);
        write_trie_rows(txn, tables, rows);
        write_change_set(txn, tables, states_.size(), changes);
        states_.push_back(std::move(next));
    }
    void unwind_to(db::WriteTxn& txn, uint64_t number) {
        StateShift shift(txn, tables);
        while (top() > number) {
            Values before = read_change_set(txn, tables, top());
            shift.exchange(before);
            delete_change_set(txn, tables, top());
            states_.pop_back();
        }
        if (indexed > number) {
            unindex_history(txn, tables, shift, number);
            indexed = number;
        }
        ChangeSet net = shift.net();
        NewestTries tries(txn, tables);
        TrieChanges rows;
        resolve_state_root(tries, net, &rows);
        write_flat_state(txn, tables, net);
        write_trie_rows(txn, tables, rows);
    }
    void index_to(db::WriteTxn& txn, uint64_t number) {
        index_history(txn, tables, indexed + 1, number + 1);
        indexed = number;
    }
    uint64_t top() const { return states_.size() - 1; }
    const ModelState& state(uint64_t number) const { return states_[number]; }

    db::Database database = db::open_ephemeral(schema());
    Tables tables{database};
    uint64_t indexed = 0;

  private:
    std::vector<ModelState> states_;
};

TEST(History, past_states_are_those_of_the_model_however_far_the_index_goes) {
    const char* given = std::getenv("KEEL_SEED");
    const uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : 1;
    for (uint64_t run = seed; run < seed + 8; ++run) {
        SCOPED_TRACE("KEEL_SEED=" + std::to_string(run));
        std::mt19937_64 random(run);
        const testing::ModelOptions options;
        Line line;
        line.database.update([&](db::WriteTxn& txn) {
            for (int step = 0; step < 40; ++step) {
                const uint64_t kind = random() % 10;
                if (kind < 6) {
                    for (uint64_t i = random() % 20; i > 0; --i) {
                        line.append(txn, testing::random_successor(line.state(line.top()), random));
                    }
                } else if (kind < 8) {
                    line.index_to(txn, line.indexed + random() % (line.top() - line.indexed + 1));
                } else {
                    line.unwind_to(
                        txn, line.top() - random() % (std::min<uint64_t>(line.top(), 30) + 1));
                }
                NewestState newest(txn, line.tables);
                expect_state(newest, line.state(line.top()), options);
                for (int i = 0; i < 4; ++i) {
                    const uint64_t number = random() % (line.top() + 1);
                    PastState past(txn, line.tables, number,
                                   {.head = line.top(), .indexed = line.indexed});
                    expect_state(past, line.state(number), options);
                }
            }
            // The same chain indexed in one pass has the same rows.
            line.index_to(txn, line.top());
            const Rows accounts = rows_of(txn, line.tables.account_history);
            const Rows slots = rows_of(txn, line.tables.storage_history);
            txn.clear_table(line.tables.account_history);
            txn.clear_table(line.tables.storage_history);
            line.indexed = 0;
            line.index_to(txn, line.top());
            EXPECT_EQ(accounts, rows_of(txn, line.tables.account_history));
            EXPECT_EQ(slots, rows_of(txn, line.tables.storage_history));
            // Nothing is left of anything when all is unwound.
            line.unwind_to(txn, 0);
            for (const db::TableSpec& table : schema()) {
                EXPECT_EQ(txn.count(line.database.table(table.name)), 0u) << table.name;
            }
        });
    }
}

TEST(History, a_change_set_is_read_as_it_was_written) {
    std::mt19937_64 random(3);
    Line line;
    line.database.update([&](db::WriteTxn& txn) {
        ModelState state;
        for (uint64_t number = 1; number < 50; ++number) {
            const ModelState next = testing::random_successor(state, random);
            const ChangeSet changes = testing::difference(state, next);
            write_change_set(txn, line.tables, number, changes);
            EXPECT_EQ(read_change_set(txn, line.tables, number), before_values(changes));
            state = next;
        }
        delete_change_set(txn, line.tables, 20);
        EXPECT_TRUE(read_change_set(txn, line.tables, 20).accounts.empty());
        for (uint64_t number = 1; number < 50; ++number) {
            delete_change_set(txn, line.tables, number);
        }
        EXPECT_EQ(txn.count(line.tables.account_change_set), 0u);
        EXPECT_EQ(txn.count(line.tables.storage_change_set), 0u);
    });
}

}  // namespace
}  // namespace keel::state
