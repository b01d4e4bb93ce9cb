// Lazy things against their eager twins.

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>
#include <vector>

#include "chain/receipts.hpp"
#include "core/rlp.hpp"
#include "crypto/keccak.hpp"
#include "db/open.hpp"
#include "state/codecs.hpp"
#include "state/layer.hpp"
#include "state/state_root.hpp"
#include "state/testing/model_state.hpp"
#include "state/trie/eager_trie.hpp"
#include "tests/differential/compare.hpp"
#include "tests/differential/random.hpp"

namespace keel::differential {
namespace {

using state::testing::ModelState;

uint64_t seed() {
    const char* const given = std::getenv("KEEL_SEED");
    return given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
}

Bytes slot_rlp(const U256& value) {
    Bytes rlp;
    core::rlp_append_uint(rlp, value);
    return rlp;
}

/// Root of a whole state, every trie built anew from all of its entries.
Hash32 eager_root(const ModelState& model) {
    state::EagerTrie accounts;
    for (const auto& [address, entry] : model) {
        state::EagerTrie storage;
        for (const auto& [slot, value] : entry.slots) {
            storage.insert(crypto::keccak256(slot.to_be32()), slot_rlp(value));
        }
        core::Account account = entry.account;
        account.storage_root = storage.root();
        Bytes row;
        state::append_trie_account(row, account);
        accounts.insert(crypto::keccak256(address), row);
    }
    return accounts.root();
}

/// Blocks of a tree whose states are layers on the first one's, which alone is in the store.
struct BlockTree {
    struct Block {
        size_t parent = 0;
        ModelState state;
        state::Layer layer;
    };

    std::mt19937_64 random;
    db::Database database = db::open_ephemeral(state::schema());
    state::Tables tables{database};
    std::vector<Block> blocks;

    explicit BlockTree(uint64_t start) : random(start) {
        Block& first = blocks.emplace_back();
        first.state = state::testing::random_successor({}, random, {.steps_max = 30});
        state::ChangeSet changes = state::testing::difference({}, first.state);
        database.update([&](db::WriteTxn& txn) {
            state::NewestTries nothing(txn, tables);
            state::TrieChanges rows;
            EXPECT_EQ(state::resolve_state_root(nothing, changes, &rows), eager_root(first.state));
            state::write_flat_state(txn, tables, changes);
            state::write_trie_rows(txn, tables, rows);
        });
        state::testing::adopt_storage_roots(first.state, changes);
    }

    std::vector<const state::Layer*> path_to(size_t index) const {
        std::vector<const state::Layer*> path;
        for (; index != 0; index = blocks[index].parent) path.push_back(&blocks[index].layer);
        std::ranges::reverse(path);
        return path;
    }
};

void expect_equal(state::StateReader& reader, const ModelState& model) {
    const state::testing::ModelOptions options;
    for (uint64_t i = 0; i < options.accounts; ++i) {
        const Address address = state::testing::model_address(i);
        const auto found = model.find(address);
        const auto account = reader.account(address);
        ASSERT_EQ(account.has_value(), found != model.end());
        std::map<U256, U256> slots;
        reader.each_slot(address,
                         [&](const U256& slot, const U256& value) { slots[slot] = value; });
        if (found == model.end()) {
            ASSERT_TRUE(slots.empty());
            continue;
        }
        ASSERT_EQ(*account, found->second.account);
        ASSERT_EQ(slots, found->second.slots);
        for (uint64_t k = 0; k < options.slots; ++k) {
            const U256 slot = state::testing::model_slot(k);
            const auto value = found->second.slots.find(slot);
            const bool there = value != found->second.slots.end();
            ASSERT_EQ(reader.storage(address, slot), there ? value->second : U256());
        }
    }
}

TEST(TrieLazy, equals_eager_in_a_tree_of_random_blocks) {
    for (uint64_t start = seed(), end = start + 4; start < end; ++start) {
        SCOPED_TRACE("KEEL_SEED=" + std::to_string(start));
        BlockTree tree(start);
        for (int i = 0; i < 80; ++i) {
            // Mostly on the newest block, else a branch that begins anywhere.
            const bool extends = tree.random() % 3 != 0;
            const size_t parent =
                extends ? tree.blocks.size() - 1 : tree.random() % tree.blocks.size();
            BlockTree::Block block;
            block.parent = parent;
            block.state = state::testing::random_successor(tree.blocks[parent].state, tree.random);
            block.layer.changes =
                state::testing::difference(tree.blocks[parent].state, block.state);
            const auto path = tree.path_to(parent);
            const db::ReadTxn txn = tree.database.begin_ro();
            state::NewestTries newest(txn, tree.tables);
            state::LayeredTries tries(newest, path);
            ASSERT_EQ(state::resolve_state_root(tries, block.layer.changes, &block.layer.tries),
                      eager_root(block.state));
            state::testing::adopt_storage_roots(block.state, block.layer.changes);
            tree.blocks.push_back(std::move(block));
        }
    }
}

TEST(Overlay, equals_a_copy_of_the_state) {
    for (uint64_t start = seed(), end = start + 4; start < end; ++start) {
        SCOPED_TRACE("KEEL_SEED=" + std::to_string(start));
        BlockTree tree(start);
        for (int i = 0; i < 60; ++i) {
            const size_t parent = tree.random() % tree.blocks.size();
            BlockTree::Block block;
            block.parent = parent;
            block.state = state::testing::random_successor(tree.blocks[parent].state, tree.random);
            block.layer.changes =
                state::testing::difference(tree.blocks[parent].state, block.state);
            const db::ReadTxn txn = tree.database.begin_ro();
            state::NewestTries newest_tries(txn, tree.tables);
            const auto parents = tree.path_to(parent);
            state::LayeredTries tries(newest_tries, parents);
            state::resolve_state_root(tries, block.layer.changes, &block.layer.tries);
            state::testing::adopt_storage_roots(block.state, block.layer.changes);
            tree.blocks.push_back(std::move(block));
            const size_t looked_at = tree.random() % tree.blocks.size();
            state::NewestState newest(txn, tree.tables);
            const auto path = tree.path_to(looked_at);
            state::LayeredState reader(newest, path);
            ASSERT_NO_FATAL_FAILURE(expect_equal(reader, tree.blocks[looked_at].state));
        }
    }
}

/// Addresses and topics of few, so that logs repeat those of the log before, in the same place and
/// in another one.
core::Log random_log(Random& random) {
    const auto word = [&random] {
        return random.one_in(4) ? random.word() : U256(random.below(3));
    };
    core::Log log;
    log.address = Address(ByteView(word().to_be32()).sub(12));
    for (uint64_t i = random.below(5); i > 0; --i) log.topics.emplace_back(word().to_be32());
    log.data.resize(random.below(90), random.byte());
    return log;
}

/// The bloom by the words of the yellow paper: three pairs of bytes of a hash, 11 bits each.
core::Bloom eager_bloom(const std::vector<core::Log>& logs) {
    std::vector<bool> bits(2048);
    const auto add = [&bits](ByteView bytes) {
        const Hash32 hash = crypto::keccak256(bytes);
        for (size_t pair = 0; pair < 3; ++pair)
            bits[(hash[2 * pair] * 256u + hash[2 * pair + 1]) % 2048] = true;
    };
    for (const core::Log& log : logs) {
        add(log.address);
        for (const Hash32& topic : log.topics) add(topic);
    }
    core::Bloom bloom;
    for (size_t bit = 0; bit < 2048; ++bit) {
        // Bit 0 is the lowest one of the last byte.
        if (bits[bit])
            bloom[255 - bit / 8] = static_cast<uint8_t>(bloom[255 - bit / 8] | 1 << bit % 8);
    }
    return bloom;
}

TEST(Receipts, equals_eager) {
    const uint64_t start = seed();
    SCOPED_TRACE("KEEL_SEED=" + std::to_string(start));
    Random random(start);
    for (int round = 0; round < 60; ++round) {
        std::vector<core::Receipt> receipts(random.below(round % 10 == 0 ? 300 : 12));
        uint64_t gas = 0;
        for (core::Receipt& receipt : receipts) {
            receipt.type = random.pick({core::TxType::Legacy, core::TxType::AccessList,
                                        core::TxType::DynamicFee, core::TxType::Blob});
            if (receipt.type == core::TxType::Legacy && random.one_in(4)) {
                receipt.state_root = Hash32(random.word().to_be32());
            }
            receipt.success = !random.one_in(3);
            receipt.cumulative_gas_used = gas += random.below(100'000);
            for (uint64_t i = random.below(4); i > 0; --i)
                receipt.logs.push_back(random_log(random));
        }
        std::vector<core::Receipt> eager = receipts;
        std::vector<core::Log> all;
        state::EagerTrie trie;
        for (size_t i = 0; i < eager.size(); ++i) {
            eager[i].bloom = eager_bloom(eager[i].logs);
            all.insert(all.end(), eager[i].logs.begin(), eager[i].logs.end());
            Bytes key, value;
            core::rlp_append_uint(key, i);
            core::append_receipt(value, eager[i]);
            trie.insert(key, value);
        }
        ASSERT_EQ(chain::fill_blooms(receipts), eager_bloom(all));
        ASSERT_EQ(receipts, eager);
        ASSERT_EQ(chain::receipts_root(receipts), trie.root());
        ASSERT_EQ(chain::receipts_root(receipts, chain::encode_receipts(receipts)), trie.root());
    }
}

/// A jump to each place of random code, on both machines: the reference looks for what can be
/// jumped to whenever it starts.
TEST(Code, analysis_equals_reference) {
    const uint64_t start = seed();
    SCOPED_TRACE("KEEL_SEED=" + std::to_string(start));
    Random random(start);
    Comparison comparison;
    for (int round = 0; round < 60; ++round) {
        Scenario scenario;
        scenario.fork = core::Fork::Osaka;
        scenario.block.gas_limit = 30'000'000;
        Address contract, payer;
        contract[19] = 0xc0;
        payer[19] = 0xaa;
        scenario.interesting = {contract};
        scenario.with_storage = 1;
        Bytes body;
        for (uint64_t size = random.between(1, 200); size > 0; --size) {
            switch (random.below(4)) {
                case 0:
                    body.push_back(0x5b);
                    break;
                case 1:
                    body.push_back(static_cast<uint8_t>(random.between(0x5f, 0x7f)));
                    break;
                default:
                    body.push_back(random.byte());
                    break;
            }
        }
        scenario.accounts.push_back({payer, 0, U256(1), {}, {}});
        scenario.accounts.push_back({contract, 1, {}, {}, {}});
        // Places beyond the end, too.
        for (size_t target = 0; target < body.size() + 6; ++target) {
            Bytes code{0x61, static_cast<uint8_t>(target >> 8), static_cast<uint8_t>(target), 0x56};
            core::append(code, body);
            scenario.accounts[1].code = code;
            Call call;
            call.gas = 2000;
            call.sender = payer;
            call.recipient = call.code_address = contract;
            scenario.messages = {call};
            const auto difference = comparison.first_difference(scenario);
            ASSERT_FALSE(difference.has_value()) << *difference << to_text(scenario);
        }
    }
}

}  // namespace
}  // namespace keel::differential
