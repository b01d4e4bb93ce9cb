#include "state/state_root.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <random>
#include <string>

#include "core/fault.hpp"
#include "core/rlp.hpp"
#include "crypto/keccak.hpp"
#include "db/open.hpp"
#include "db/testing/rows.hpp"
#include "state/codecs.hpp"
#include "state/journal.hpp"
#include "state/reader.hpp"
#include "state/trie/eager_trie.hpp"

namespace keel::state {
namespace {

using core::Address;
using core::ByteView;
using core::Fork;
using core::Hash32;
using core::U256;

/// Rows as the eager twin gives them.
using MadeRows = std::map<core::Bytes, core::Bytes>;

class NoHashes final : public BlockHashes {
  public:
    Hash32 block_hash(uint64_t) override { return {}; }
};

Address address_of(uint8_t number) {
    Address address;
    address[0] = static_cast<uint8_t>(number * 37);
    address[19] = number;
    return address;
}

class StateRoot : public ::testing::Test {
  protected:
    const db::Database database = db::open_ephemeral(schema());
    const Tables tables{database};
    Journal journal;
    NoHashes hashes;

    /// Executes, resolves and writes one block. Returns its root.
    template <class Execute>
    Hash32 block(const Execute& execute) {
        Hash32 root;
        database.update([&](db::WriteTxn& txn) {
            NewestState state(txn, tables);
            NewestTries tries(txn, tables);
            journal.begin_block(state, hashes);
            execute(state);
            ChangeSet changes = journal.changes();
            TrieChanges rows;
            root = resolve_state_root(tries, changes, &rows);
            ChangeSet again = journal.changes();
            EXPECT_EQ(resolve_state_root(tries, again, nullptr), root);
            EXPECT_EQ(changes, again);
            check_find(rows.account);
            check_find(rows.storage);
            write_flat_state(txn, tables, changes);
            write_trie_rows(txn, tables, rows);
        });
        return root;
    }

    static void check_find(const TrieRows& rows) {
        for (size_t at = 0; at < rows.size(); ++at) {
            const auto found = rows.find(rows[at].key);
            ASSERT_TRUE(found);
            EXPECT_EQ(found->rlp, rows[at].rlp);
        }
        EXPECT_FALSE(rows.find(ByteView("no such key, longer than a path")));
    }

    static MadeRows stored(const db::ReadTxn& txn, db::Table table) {
        const db::testing::Rows rows = db::testing::rows_of(txn, table);
        return {rows.begin(), rows.end()};
    }

    /// Everything anew from the flat tables; the stored tries must be the same.
    Hash32 rebuilt() const {
        const db::ReadTxn txn = database.begin_ro();
        NewestState state(txn, tables);
        EagerTrie accounts;
        MadeRows storage_rows;
        size_t slots = 0;
        for (const auto& [key, row] : db::testing::rows_of(txn, tables.account)) {
            const Address address{ByteView(key)};
            core::Account account = decode_slim_account(row);
            EagerTrie storage;
            state.each_slot(address, [&](const U256& slot, const U256& value) {
                ++slots;
                core::Bytes rlp;
                core::rlp_append_uint(rlp, value);
                storage.insert(crypto::keccak256(slot.to_be32()), rlp);
                EXPECT_EQ(state.storage(address, slot), value);
            });
            EXPECT_EQ(account.storage_root, storage.root());
            for (const auto& [path, rlp] : storage.nodes()) {
                core::Bytes prefixed = key;
                core::append(prefixed, path);
                storage_rows[prefixed] = rlp;
            }
            if (account.code_hash != core::kEmptyCodeHash) {
                const auto code = state.code(account.code_hash);
                EXPECT_TRUE(code && crypto::keccak256(*code) == account.code_hash);
            }
            core::Bytes value;
            append_trie_account(value, account);
            accounts.insert(crypto::keccak256(address), value);
        }
        EXPECT_EQ(txn.count(tables.storage), slots) << "slots without an account";
        EXPECT_EQ(stored(txn, tables.trie_account), accounts.nodes());
        EXPECT_EQ(stored(txn, tables.trie_storage), storage_rows);
        return accounts.root();
    }
};

TEST_F(StateRoot, no_accounts_have_the_empty_root) {
    EXPECT_EQ(block([](auto&) {}), core::kEmptyTrieRoot);
    EXPECT_EQ(rebuilt(), core::kEmptyTrieRoot);
}

TEST_F(StateRoot, one_account_is_one_leaf) {
    const Hash32 root = block([&](auto&) { journal.add_balance(address_of(1), 7); });
    core::Bytes value, path, leaf;
    append_trie_account(value, {.nonce = 0, .balance = 7});
    path = {0x20};  // leaf, even
    core::append(path, crypto::keccak256(address_of(1)));
    const size_t begin = core::rlp_begin_list(leaf);
    core::rlp_append_string(leaf, path);
    core::rlp_append_string(leaf, value);
    core::rlp_end_list(leaf, begin);
    EXPECT_EQ(root, crypto::keccak256(leaf));
    EXPECT_EQ(rebuilt(), root);
}

TEST_F(StateRoot, removed_account_takes_its_storage_along_and_may_come_back) {
    const auto rules = core::rules_of(Fork::Constantinople);
    const auto create = [&](uint64_t first_slot) {
        journal.begin_transaction(rules);
        journal.create_account(address_of(1), 1);
        journal.set_code(address_of(1), core::Bytes{1, 2, 3});
        for (uint64_t slot = first_slot; slot < first_slot + 20; ++slot)
            journal.set_storage(address_of(1), slot, slot + 1);
        journal.end_transaction();
    };
    const auto destroy = [&] {
        journal.begin_transaction(rules);
        journal.mark_destructed(address_of(1));
        journal.end_transaction();
    };
    const Hash32 with = block([&](auto&) { create(0); });
    EXPECT_EQ(rebuilt(), with);
    const Hash32 without = block([&](auto&) { destroy(); });
    EXPECT_EQ(without, core::kEmptyTrieRoot);
    EXPECT_EQ(rebuilt(), without);
    EXPECT_EQ(block([&](auto&) { create(0); }), with);
    const Hash32 other = block([&](auto&) {
        destroy();
        create(10);
    });
    EXPECT_EQ(rebuilt(), other);
    const Hash32 back = block([&](auto&) {
        destroy();
        create(0);
    });
    EXPECT_EQ(back, with);
    EXPECT_EQ(rebuilt(), with);
    const Hash32 same = block([&](auto&) {
        destroy();
        create(0);
    });
    EXPECT_EQ(same, with);
    EXPECT_EQ(rebuilt(), with);
}

TEST_F(StateRoot, orphaned_storage_of_a_removed_account_is_damage) {
    block([&](auto&) {
        journal.create_account(address_of(1), 1);
        journal.set_storage(address_of(1), 1, 1);
    });
    database.update([&](db::WriteTxn& txn) { txn.clear_table(tables.storage); });
    try {
        block([&](auto&) {
            journal.begin_transaction(core::rules_of(Fork::Berlin));
            journal.mark_destructed(address_of(1));
            journal.end_transaction();
        });
        ADD_FAILURE();
    } catch (const core::Fault& fault) {
        EXPECT_EQ(fault.kind(), core::FaultKind::Damaged);
    }
}

TEST_F(StateRoot, of_a_new_state_is_the_same_on_all_processors) {
    for (const size_t count : {size_t{0}, size_t{1}, size_t{500}, size_t{25'000}}) {
        std::map<Address, uint64_t> alloc;
        for (uint64_t i = 0; i < count; ++i)
            alloc[Address(crypto::keccak256(std::to_string(i)))] = i;
        ChangeSet changes;
        for (const auto& [address, i] : alloc) {
            AccountChange change;
            change.address = address;
            change.after.emplace().balance = U256(i);
            change.first_slot = static_cast<uint32_t>(changes.slots.size());
            change.slot_count = static_cast<uint32_t>(i % 50 == 0 ? 3 : 0);
            for (uint32_t slot = 0; slot < change.slot_count; ++slot)
                changes.slots.push_back({U256(slot), U256(), U256(i + 1)});
            changes.accounts.push_back(change);
        }
        ChangeSet again = changes;
        TrieChanges rows, again_rows;
        const Hash32 root = resolve_new_state_root(changes, &rows);
        const db::ReadTxn txn = database.begin_ro();
        NewestTries nothing(txn, tables);
        EXPECT_EQ(resolve_state_root(nothing, again, &again_rows), root) << count;
        EXPECT_EQ(changes, again);
        for (const auto table : {&TrieChanges::account, &TrieChanges::storage}) {
            const TrieRows& left = rows.*table;
            const TrieRows& right = again_rows.*table;
            ASSERT_EQ(left.size(), right.size());
            for (size_t i = 0; i < left.size(); ++i) {
                ASSERT_EQ(left[i].key, right[i].key);
                ASSERT_EQ(left[i].rlp, right[i].rlp);
            }
        }
        EXPECT_EQ(resolve_new_state_root(changes, nullptr), root);
    }
}

TEST_F(StateRoot, equals_a_rebuild_after_random_blocks) {
    const char* given = std::getenv("KEEL_SEED");
    const uint64_t seed =
        given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
    SCOPED_TRACE("KEEL_SEED=" + std::to_string(seed));
    std::mt19937_64 random(seed);
    const auto below = [&random](uint64_t end) { return random() % end; };
    const auto rules = core::rules_of(Fork::Constantinople);
    for (int number = 0; number < 150; ++number) {
        const uint64_t removals_of_ten = (number / 15) % 2 == 0 ? 1 : 5;
        const Hash32 root = block([&](auto&) {
            for (uint64_t tx = below(4); tx != 0; --tx) {
                journal.begin_transaction(rules);
                for (uint64_t i = below(20); i != 0; --i) {
                    const Address address = address_of(static_cast<uint8_t>(below(24)));
                    const uint64_t slot = below(2) == 0 ? below(8) : below(100);
                    if (journal.is_dead(address)) {
                        journal.create_account(address, below(2));
                        if (below(2) == 0)
                            journal.set_code(address, core::Bytes(below(3), uint8_t(number)));
                        continue;
                    }
                    const U256 value =
                        below(10) < removals_of_ten ? U256{} : U256::max() >> unsigned(below(256));
                    switch (below(10)) {
                        case 0:
                            if (below(10) < removals_of_ten) journal.mark_destructed(address);
                            break;
                        case 1:
                            journal.add_balance(address, below(2));
                            break;
                        case 2:
                            journal.increment_nonce(address);
                            break;
                        default:
                            journal.set_storage(address, slot, value);
                    }
                }
                journal.end_transaction();
            }
        });
        ASSERT_EQ(rebuilt(), root) << "block " << number;
        if (HasFailure()) return;
    }
}

}  // namespace
}  // namespace keel::state
