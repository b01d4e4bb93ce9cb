#include "chain/fork_choice.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <random>

#include "core/fault.hpp"
#include "crypto/seal.hpp"
#include "db/open.hpp"
#include "db/testing/rows.hpp"
#include "state/codecs.hpp"
#include "state/history.hpp"
#include "state/indexer.hpp"
#include "state/state_root.hpp"
#include "state/testing/model_state.hpp"

namespace keel::chain {
namespace {

using core::Address;
using core::U256;
using state::testing::ModelState;

using db::testing::rows_of;

struct TestBlock {
    BlockId id;
    BlockId parent;
    std::vector<core::Hash32> tx_hashes;
    ModelState state;
};

/// Blocks whose changes are made up instead of executed, in any tree.
class Tree {
  public:
    explicit Tree(uint64_t seed, db::Database opened = db::open_ephemeral(state::schema()))
        : random(seed), database(std::move(opened)) {
        database.update([&](db::WriteTxn& txn) {
            TestBlock genesis;
            genesis.state = state::testing::random_successor({}, random, {.steps_max = 30});
            state::ChangeSet changes = state::testing::difference({}, genesis.state);
            state::NewestTries tries(txn, tables);
            state::TrieChanges rows;
            const core::Hash32 root = state::resolve_state_root(tries, changes, &rows);
            state::testing::adopt_storage_roots(genesis.state, changes);
            state::write_flat_state(txn, tables, changes);
            state::write_trie_rows(txn, tables, rows);
            store(txn, genesis, root);
            put_canonical(txn, tables, genesis.id, genesis.tx_hashes);
            put_position(txn, tables, setting::kHead, genesis.id);
            blocks.push_back(std::move(genesis));
        });
    }

    /// Executes a made-up block on `parent` and stores it.
    size_t grow(db::WriteTxn& txn, size_t parent_index, bool extend) {
        TestBlock block;
        block.parent = blocks[parent_index].id;
        block.state = state::testing::random_successor(blocks[parent_index].state, random);
        ExecutedLayer executed;
        state::Layer& layer = executed.layer;
        layer.changes = state::testing::difference(blocks[parent_index].state, block.state);
        core::Hash32 root;
        {
            const ForkChoice::Path path = fork_choice->path_to(txn, block.parent);
            state::NewestState newest(txn, tables);
            state::LayeredState reader(newest, path.layers());
            expect_state(reader, blocks[parent_index].state);
            state::NewestTries newest_tries(txn, tables);
            state::LayeredTries tries(newest_tries, path.layers());
            root = state::resolve_state_root(tries, layer.changes, &layer.tries,
                                             &executed.tries_before);
        }
        state::testing::adopt_storage_roots(block.state, layer.changes);
        store(txn, block, root);
        if (extend) {
            fork_choice->extend(txn, block.id, block.tx_hashes, std::move(executed));
        } else {
            fork_choice->add_branch_block(txn, block.id, std::move(executed));
        }
        blocks.push_back(std::move(block));
        return blocks.size() - 1;
    }

    size_t head_index(const db::ReadTxn& txn) {
        const BlockId head = fork_choice->head(txn);
        for (size_t i = 0; i < blocks.size(); ++i) {
            if (blocks[i].id == head) return i;
        }
        ADD_FAILURE() << "head is no block of the tree";
        return 0;
    }
    size_t index_of(const BlockId& id) const {
        for (size_t i = 0; i < blocks.size(); ++i) {
            if (blocks[i].id == id) return i;
        }
        ADD_FAILURE() << "no block of the tree";
        return 0;
    }

    void expect_state(state::StateReader& reader, const ModelState& model) const {
        const state::testing::ModelOptions options;
        for (uint64_t i = 0; i < options.accounts; ++i) {
            const Address address = state::testing::model_address(i);
            const auto found = model.find(address);
            const auto account = reader.account(address);
            ASSERT_EQ(account.has_value(), found != model.end());
            std::map<U256, U256> slots;
            reader.each_slot(
                address, [&](const U256& slot, const U256& value) { slots.emplace(slot, value); });
            if (found == model.end()) {
                ASSERT_TRUE(slots.empty());
                continue;
            }
            ASSERT_EQ(*account, found->second.account);
            ASSERT_EQ(slots, found->second.slots);
            for (uint64_t k = 0; k < options.slots; ++k) {
                const U256 slot = state::testing::model_slot(k);
                const auto value = found->second.slots.find(slot);
                ASSERT_EQ(reader.storage(address, slot),
                          value == found->second.slots.end() ? U256() : value->second);
            }
        }
    }

    /// Everything in the store that depends on the head, against the model.
    void expect_sound(const db::ReadTxn& txn) {
        const TestBlock& head = blocks[head_index(txn)];
        const BlockReader reader(txn, tables);
        EXPECT_EQ(reader.head(), head.id);
        state::NewestState newest(txn, tables);
        expect_state(newest, head.state);

        // The tries are those that the state has when it is built from nothing.
        const db::Database other = db::open_ephemeral(state::schema());
        const state::Tables other_tables(other);
        other.update([&](db::WriteTxn& other_txn) {
            state::ChangeSet all = state::testing::difference({}, head.state);
            state::NewestTries nothing(other_txn, other_tables);
            state::TrieChanges rows;
            state::resolve_state_root(nothing, all, &rows);
            state::write_trie_rows(other_txn, other_tables, rows);
            state::write_flat_state(other_txn, other_tables, all);
            EXPECT_EQ(rows_of(txn, tables.trie_account),
                      rows_of(other_txn, other_tables.trie_account));
            EXPECT_EQ(rows_of(txn, tables.trie_storage),
                      rows_of(other_txn, other_tables.trie_storage));
            EXPECT_EQ(rows_of(txn, tables.account), rows_of(other_txn, other_tables.account));
            EXPECT_EQ(rows_of(txn, tables.storage), rows_of(other_txn, other_tables.storage));
        });

        // The canonical chain, downwards from the head; every past state.
        std::map<core::Hash32, bool> canonical;
        size_t txs = 0;
        size_t at = index_of(head.id);
        for (uint64_t number = head.id.number;; --number) {
            const TestBlock& block = blocks[at];
            EXPECT_EQ(reader.canonical_hash(number), block.id.hash);
            canonical[block.id.hash] = true;
            for (size_t i = 0; i < block.tx_hashes.size(); ++i, ++txs) {
                const auto place = reader.find_tx(block.tx_hashes[i]);
                ASSERT_TRUE(place.has_value());
                EXPECT_EQ(place->number, number);
                EXPECT_EQ(place->index, i);
            }
            state::PastState past(txn, tables, number,
                                  {.head = head.id.number, .indexed = reader.indexed()});
            expect_state(past, block.state);
            if (number == 0) break;
            const state::Values before = state::read_change_set(txn, tables, number);
            at = index_of(block.parent);
            EXPECT_EQ(before, state::before_values(
                                  state::testing::difference(blocks[at].state, block.state)));
        }
        EXPECT_EQ(txn.count(tables.canonical_header), head.id.number + 1);
        EXPECT_EQ(txn.count(tables.tx_lookup), txs);
        EXPECT_LE(reader.indexed(), head.id.number);

        // I2: change sets of canonical blocks alone, after-values of all others.
        size_t branches = 0;
        for (const TestBlock& block : blocks) {
            const auto row = txn.get(tables.forward_change_set,
                                     state::block_key(block.id.number, block.id.hash));
            EXPECT_EQ(row.has_value(), !canonical[block.id.hash]);
            if (!row) continue;
            ++branches;
            state::ChangeSet changes =
                state::testing::difference(blocks[index_of(block.parent)].state, block.state);
            for (state::AccountChange& change : changes.accounts) {
                if (change.after) {
                    change.after->storage_root =
                        block.state.at(change.address).account.storage_root;
                }
            }
            EXPECT_EQ(state::decode_values(*row), state::after_values(changes));
        }
        EXPECT_EQ(txn.count(tables.forward_change_set), branches);
    }

    std::mt19937_64 random;
    db::Database database;
    state::Tables tables{database};
    std::optional<ForkChoice> fork_choice{std::in_place, tables};
    std::vector<TestBlock> blocks;

  private:
    void store(db::WriteTxn& txn, TestBlock& block, const core::Hash32& root) {
        core::Block made;
        made.header.parent_hash = block.parent.hash;
        made.header.number = blocks.empty() ? 0 : block.parent.number + 1;
        made.header.state_root = root;
        made.header.timestamp = blocks.size();  // so that no two blocks are the same
        for (uint64_t i = random() % 3; i > 0; --i) {
            core::Tx tx;
            tx.nonce = ++nonce_;
            tx.r = tx.s = U256(1);
            made.txs.push_back(tx);
        }
        core::Bytes rlp;
        core::append_block(rlp, made);
        const auto sealed = crypto::seal(std::move(rlp));
        ASSERT_TRUE(sealed.has_value());
        put_block(txn, tables, *sealed, U256(made.header.number));
        block.id = {made.header.number, sealed->hash};
        block.tx_hashes = sealed->tx_hashes;
    }
    uint64_t nonce_ = 0;
};

uint64_t first_seed() {
    const char* given = std::getenv("KEEL_SEED");
    return given != nullptr ? std::strtoull(given, nullptr, 10) : 1;
}

/// Grows branches, moves the head and indexes at random; `check` is asked now and then.
template <class Check>
void run(Tree& tree, int steps, const Check& check) {
    for (int step = 0; step < steps && !::testing::Test::HasFailure(); ++step) {
        tree.database.update([&](db::WriteTxn& txn) {
            const uint64_t kind = tree.random() % 10;
            if (kind < 3) {
                for (uint64_t i = tree.random() % 8; i > 0; --i) {
                    tree.grow(txn, tree.head_index(txn), true);
                }
            } else if (kind < 6) {
                size_t parent = tree.random() % tree.blocks.size();
                for (uint64_t i = tree.random() % 25; i > 0; --i) {
                    parent = tree.grow(txn, parent, false);
                    if (tree.random() % 8 == 0) parent = tree.random() % tree.blocks.size();
                }
            } else if (kind < 7) {
                const BlockReader reader(txn, tree.tables);
                const uint64_t head = tree.fork_choice->head(txn).number;
                const uint64_t indexed = reader.indexed();
                const uint64_t to = indexed + tree.random() % (head - indexed + 1);
                state::index_history(txn, tree.tables, indexed + 1, to + 1);
                put_setting(txn, tree.tables, setting::kIndexed, state::number_key(to));
            } else {
                const size_t target = tree.random() % tree.blocks.size();
                tree.fork_choice->set_head(txn, tree.blocks[target].id);
                EXPECT_EQ(tree.head_index(txn), target);
            }
            if (tree.random() % 3 == 0) check(txn);
        });
        tree.fork_choice->on_commit();
        // What a restart leaves.
        if (tree.random() % 20 == 0) tree.fork_choice.emplace(tree.tables);
    }
}

TEST(ForkChoice, every_head_of_a_random_tree_has_the_state_of_the_model) {
    for (uint64_t seed = first_seed(); seed < first_seed() + 6; ++seed) {
        SCOPED_TRACE("KEEL_SEED=" + std::to_string(seed));
        Tree tree(seed);
        run(tree, 60, [&](const db::ReadTxn& txn) { tree.expect_sound(txn); });
        tree.database.update([&](db::WriteTxn& txn) {
            tree.fork_choice->set_head(txn, tree.blocks.front().id);
            tree.expect_sound(txn);
            EXPECT_EQ(txn.count(tree.tables.account_history), 0u);
            EXPECT_EQ(txn.count(tree.tables.storage_history), 0u);
        });
    }
}

TEST(ForkChoice, both_backends_hold_the_same_rows) {
    std::string pattern = std::filesystem::temp_directory_path() / "keel-forks-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    {
        db::OpenOptions options;
        options.directory = pattern;
        options.durability = db::Durability::Close;
        options.schema = state::schema();
        const db::Database lmdb = db::open(db::Backend::Lmdb, options);
        Tree on_lmdb(first_seed(), lmdb);
        Tree on_mem(first_seed());
        for (int part = 0; part < 5; ++part) {
            run(on_lmdb, 10, [](const db::ReadTxn&) {});
            run(on_mem, 10, [](const db::ReadTxn&) {});
            const db::ReadTxn lmdb_txn = lmdb.begin_ro();
            const db::ReadTxn mem_txn = on_mem.database.begin_ro();
            for (const db::TableSpec& spec : state::schema()) {
                EXPECT_EQ(rows_of(lmdb_txn, lmdb.table(spec.name)),
                          rows_of(mem_txn, on_mem.database.table(spec.name)))
                    << spec.name;
            }
        }
        lmdb.close();
    }
    std::filesystem::remove_all(pattern);
}

TEST(ForkChoice, a_transaction_that_is_dropped_leaves_no_trace_in_memory) {
    Tree tree(11);
    tree.database.update([&](db::WriteTxn& txn) {
        for (int i = 0; i < 5; ++i) tree.grow(txn, tree.head_index(txn), true);
    });
    tree.fork_choice->on_commit();
    const size_t committed = tree.blocks.size();
    for (int round = 0; round < 10; ++round) {
        {
            auto txn = tree.database.begin_rw();
            ASSERT_TRUE(txn.has_value());
            size_t parent = tree.random() % committed;
            for (int i = 0; i < 4; ++i) parent = tree.grow(*txn, parent, false);
            tree.fork_choice->set_head(*txn, tree.blocks[parent].id);
            txn->abort();
        }
        tree.fork_choice->on_abort();
        tree.blocks.resize(committed);
        tree.database.view([&](const db::ReadTxn& txn) { tree.expect_sound(txn); });
    }
}

TEST(ForkChoice, a_stored_change_that_leads_to_another_root_is_damage) {
    Tree tree(5);
    size_t branch = 0;
    tree.database.update([&](db::WriteTxn& txn) {
        branch = tree.grow(txn, 0, false);
        state::Values values;
        state::AccountValue account;
        account.address = state::testing::model_address(3);
        account.account.emplace().nonce = 12345;
        values.accounts.push_back(account);
        core::Bytes row;
        state::append_values(row, values);
        const BlockId& id = tree.blocks[branch].id;
        txn.put(tree.tables.forward_change_set, state::block_key(id.number, id.hash), row);
    });
    tree.fork_choice.emplace(tree.tables);
    auto txn = tree.database.begin_rw();
    ASSERT_TRUE(txn.has_value());
    EXPECT_THROW(tree.fork_choice->path_to(*txn, tree.blocks[branch].id), core::Fault);
    EXPECT_THROW(tree.fork_choice->set_head(*txn, tree.blocks[branch].id), core::Fault);
}

}  // namespace
}  // namespace keel::chain
