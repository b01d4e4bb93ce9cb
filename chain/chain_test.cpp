#include "chain/chain.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <random>

#include "chain/base_fee.hpp"
#include "chain/fork_schedule.hpp"
#include "chain/genesis.hpp"
#include "core/fault.hpp"
#include "core/hex.hpp"
#include "crypto/seal.hpp"
#include "db/open.hpp"
#include "db/testing/rows.hpp"
#include "state/history.hpp"
#include "state/state_root.hpp"
#include "state/trie/ordered_root.hpp"
#include "tests/support/fixtures.hpp"

namespace keel::chain {
namespace {

using core::Address;
using core::Hash32;
using core::U256;

constexpr uint64_t kWeiPerGwei = 1'000'000'000;

Address address_of(uint64_t number) {
    const auto word = U256(number).to_be32();
    return Address(core::ByteView(word).sub(12));
}

std::string read_text(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
}

Hash32 hash_of_hex(std::string_view digits) {
    return core::fixed_from_hex<Hash32>(digits).value();
}

std::map<std::string, db::testing::Rows> all_rows(const db::Database& database) {
    std::map<std::string, db::testing::Rows> all;
    database.view([&](const db::ReadTxn& txn) {
        for (const db::TableSpec& spec : state::schema()) {
            all[spec.name] = db::testing::rows_of(txn, database.table(spec.name));
        }
    });
    return all;
}

// A chain that pays out withdrawals from its first block on: blocks with changes in the state that
// need no signatures.
constexpr const char* kShanghai = R"({
  "config": {"chainId": 7, "homesteadBlock": 0, "eip150Block": 0, "eip155Block": 0,
             "eip158Block": 0, "byzantiumBlock": 0, "constantinopleBlock": 0,
             "petersburgBlock": 0, "istanbulBlock": 0, "berlinBlock": 0, "londonBlock": 0,
             "mergeNetsplitBlock": 0, "terminalTotalDifficulty": 0, "shanghaiTime": 0},
  "difficulty": "0x0", "gasLimit": "0x1c9c380", "timestamp": "0x0", "baseFeePerGas": "0x7",
  "alloc": {"00000000000000000000000000000000000000aa": {"balance": "0x1"}}
})";
// The same with proof of work, so that total difficulty decides.
constexpr const char* kProofOfWork = R"({
  "config": {"chainId": 7, "homesteadBlock": 0, "eip150Block": 0, "eip155Block": 0,
             "eip158Block": 0, "byzantiumBlock": 0},
  "difficulty": "0x20000", "gasLimit": "0x1c9c380", "timestamp": "0x0",
  "alloc": {"00000000000000000000000000000000000000aa": {"balance": "0x1"}}
})";

struct World {
    explicit World(std::string_view genesis_json) {
        const Genesis genesis = parse_genesis(genesis_json, "test");
        genesis_hash = write_genesis(database, genesis).hash;
        chain.emplace(database, Chain::Options{});
    }

    db::WriteTxn begin() { return std::move(database.begin_rw().value()); }
    void commit(db::WriteTxn& txn) {
        txn.commit();
        chain->on_commit();
    }

    /// An empty block but for withdrawals of `gwei` to `address`, on any stored parent.
    crypto::SealedBlock make_pos(const db::ReadTxn& txn, const Hash32& parent_hash,
                                 uint64_t address, uint64_t gwei) {
        const BlockReader reader(txn, chain->tables());
        const BlockId parent_id = reader.id_of(parent_hash).value();
        const core::Header parent = reader.header(parent_id).value();
        core::Block block;
        block.header.parent_hash = parent_hash;
        block.header.number = parent.number + 1;
        block.header.gas_limit = parent.gas_limit;
        block.header.timestamp = parent.timestamp + 12;
        block.header.base_fee =
            next_base_fee(parent.base_fee.value(), parent.gas_limit, parent.gas_used);
        core::Withdrawal withdrawal;
        withdrawal.address = address_of(address);
        withdrawal.amount = gwei;
        block.withdrawals = {withdrawal};
        core::Bytes item;
        core::append_withdrawal(item, withdrawal);
        block.header.withdrawals_root = state::ordered_root(std::vector<core::ByteView>{item});

        std::map<Address, U256> balances = paid[parent_hash];
        balances[withdrawal.address] += U256(gwei) * U256(kWeiPerGwei);
        block.header.state_root = root_of(balances);
        core::Bytes rlp;
        core::append_block(rlp, block);
        auto sealed = crypto::seal(std::move(rlp)).value();
        paid[sealed.hash] = std::move(balances);
        return sealed;
    }
    /// Rewards to `coinbase` alone; `seconds` after the parent decide the difficulty.
    crypto::SealedBlock make_pow(const db::ReadTxn& txn, const Hash32& parent_hash,
                                 uint64_t coinbase, const U256& difficulty, uint64_t seconds) {
        const BlockReader reader(txn, chain->tables());
        const core::Header parent = reader.header(reader.id_of(parent_hash).value()).value();
        core::Block block;
        block.header.parent_hash = parent_hash;
        block.header.number = parent.number + 1;
        block.header.gas_limit = parent.gas_limit;
        block.header.timestamp = parent.timestamp + seconds;
        block.header.coinbase = address_of(coinbase);
        block.header.difficulty = difficulty;
        std::map<Address, U256> balances = paid[parent_hash];
        balances[block.header.coinbase] += U256(3) * U256(kWeiPerGwei) * U256(kWeiPerGwei);
        block.header.state_root = root_of(balances);
        core::Bytes rlp;
        core::append_block(rlp, block);
        auto sealed = crypto::seal(std::move(rlp)).value();
        paid[sealed.hash] = std::move(balances);
        return sealed;
    }
    /// Root of the genesis state with these balances paid to accounts beside it.
    static Hash32 root_of(const std::map<Address, U256>& balances) {
        const db::Database other = db::open_ephemeral(state::schema());
        const state::Tables tables(other);
        const db::ReadTxn txn = other.begin_ro();
        state::NewestTries tries(txn, tables);
        std::map<Address, U256> all = balances;
        all[address_of(0xaa)] += U256(1);
        state::ChangeSet changes;
        for (const auto& [address, balance] : all) {
            state::AccountChange change;
            change.address = address;
            change.after.emplace().balance = balance;
            changes.accounts.push_back(change);
        }
        return state::resolve_state_root(tries, changes, nullptr);
    }

    Hash32 insert(db::WriteTxn& txn, crypto::SealedBlock& sealed, HeadRule rule) {
        const auto inserted = chain->insert_block(txn, sealed, rule);
        EXPECT_TRUE(inserted.has_value()) << (inserted ? "" : inserted.error().text);
        return sealed.hash;
    }
    Hash32 head(const db::ReadTxn& txn) {
        return BlockReader(txn, chain->tables()).head().value().hash;
    }
    void expect_balances(const db::ReadTxn& txn, const Hash32& hash) {
        const BlockReader reader(txn, chain->tables());
        const BlockId id = reader.id_of(hash).value();
        ASSERT_TRUE(reader.is_canonical(id));
        const auto state = state_at(txn, chain->tables(), id.number);
        for (uint64_t i = 1; i < 20; ++i) {
            const auto account = state->account(address_of(i));
            const auto expected = paid[hash].find(address_of(i));
            ASSERT_EQ(account.has_value(), expected != paid[hash].end());
            if (account) {
                EXPECT_EQ(account->balance, expected->second);
            }
        }
    }

    db::Database database = db::open_ephemeral(state::schema());
    Hash32 genesis_hash;
    std::optional<Chain> chain;
    std::map<Hash32, std::map<Address, U256>> paid;  // by block: all that was paid up to it
};

TEST(Chain, without_a_genesis_says_what_to_run) {
    const db::Database database = db::open_ephemeral(state::schema());
    try {
        const Chain chain(database, {});
        FAIL();
    } catch (const core::Fault& fault) {
        EXPECT_EQ(fault.kind(), core::FaultKind::Usage);
        EXPECT_NE(fault.message().find("keel init"), std::string::npos);
    }
}

TEST(Chain, import_follows_the_last_proof_of_stake_block) {
    World world(kShanghai);
    db::WriteTxn txn = world.begin();
    auto a1 = world.make_pos(txn, world.genesis_hash, 1, 10);
    world.insert(txn, a1, HeadRule::Import);
    EXPECT_EQ(world.head(txn), a1.hash);
    auto a2 = world.make_pos(txn, a1.hash, 1, 20);
    world.insert(txn, a2, HeadRule::Import);
    auto b1 = world.make_pos(txn, world.genesis_hash, 2, 30);
    world.insert(txn, b1, HeadRule::Import);
    EXPECT_EQ(world.head(txn), b1.hash);
    world.expect_balances(txn, b1.hash);
    auto a3 = world.make_pos(txn, a2.hash, 3, 1);
    world.insert(txn, a3, HeadRule::Import);
    EXPECT_EQ(world.head(txn), a3.hash);
    world.expect_balances(txn, a3.hash);
    world.expect_balances(txn, a1.hash);
    // A known block moves nothing.
    const auto again = world.chain->insert_block(txn, b1, HeadRule::Import);
    ASSERT_TRUE(again.has_value());
    EXPECT_TRUE(again->known);
    EXPECT_FALSE(again->became_head);
    EXPECT_EQ(world.head(txn), a3.hash);
}

TEST(Chain, only_set_head_moves_the_head_of_the_engine) {
    World world(kShanghai);
    db::WriteTxn txn = world.begin();
    std::vector<Hash32> hashes = {world.genesis_hash};
    for (uint64_t i = 1; i <= 40; ++i) {
        auto block = world.make_pos(txn, hashes.back(), i % 15 + 1, i);
        const auto inserted = world.chain->insert_block(txn, block, HeadRule::Never);
        ASSERT_TRUE(inserted.has_value()) << inserted.error().text;
        EXPECT_FALSE(inserted->became_head);
        hashes.push_back(block.hash);
        EXPECT_EQ(world.head(txn), world.genesis_hash);
    }
    const BlockReader reader(txn, world.chain->tables());
    EXPECT_FALSE(reader.canonical_hash(1).has_value());
    EXPECT_FALSE(world.chain->set_head(txn, Hash32{}));
    EXPECT_TRUE(world.chain->set_head(txn, hashes[40]));
    for (const Hash32& hash : hashes) world.expect_balances(txn, hash);
    for (const size_t number : {5u, 39u, 0u, 40u, 1u, 0u}) {
        EXPECT_TRUE(world.chain->set_head(txn, hashes[number]));
        EXPECT_EQ(world.head(txn), hashes[number]);
        for (size_t i = 0; i <= number; ++i) world.expect_balances(txn, hashes[i]);
        EXPECT_FALSE(reader.canonical_hash(number + 1).has_value());
    }
}

TEST(Chain, total_difficulty_decides_before_the_merge_and_the_first_stays_at_equality) {
    World world(kProofOfWork);
    db::WriteTxn txn = world.begin();
    // Byzantium with the smallest difficulty: 131072 whatever the time.
    const U256 least(131072);
    auto a1 = world.make_pow(txn, world.genesis_hash, 1, least, 13);
    auto b1 = world.make_pow(txn, world.genesis_hash, 2, least, 13);
    world.insert(txn, a1, HeadRule::Import);
    world.insert(txn, b1, HeadRule::Import);
    EXPECT_EQ(world.head(txn), a1.hash);
    auto b2 = world.make_pow(txn, b1.hash, 3, least, 13);
    world.insert(txn, b2, HeadRule::Import);
    EXPECT_EQ(world.head(txn), b2.hash);
    world.expect_balances(txn, b2.hash);
    auto a2 = world.make_pow(txn, a1.hash, 4, least, 13);
    world.insert(txn, a2, HeadRule::Import);
    EXPECT_EQ(world.head(txn), b2.hash);
    auto a3 = world.make_pow(txn, a2.hash, 5, least, 13);
    world.insert(txn, a3, HeadRule::Import);
    EXPECT_EQ(world.head(txn), a3.hash);
    world.expect_balances(txn, a3.hash);
    EXPECT_EQ(BlockReader(txn, world.chain->tables()).total_difficulty({3, a3.hash}),
              U256(4 * 131072));
}

TEST(Chain, a_bad_block_is_refused_again_with_its_first_text_and_its_children_with_it) {
    World world(kShanghai);
    db::WriteTxn txn = world.begin();
    auto good = world.make_pos(txn, world.genesis_hash, 1, 10);
    core::Block block = good.block;
    block.header.state_root[0] ^= 1;
    core::Bytes rlp;
    core::append_block(rlp, block);
    auto bad = crypto::seal(core::Bytes(rlp)).value();
    const auto first = world.chain->insert_block(txn, bad, HeadRule::Import);
    ASSERT_FALSE(first.has_value());
    EXPECT_EQ(first.error().verdict, Verdict::StateRoot);
    EXPECT_EQ(world.head(txn), world.genesis_hash);

    const auto second = world.chain->insert_block(txn, bad, HeadRule::Import);
    ASSERT_FALSE(second.has_value());
    EXPECT_EQ(second.error().verdict, Verdict::KnownBad);
    EXPECT_EQ(second.error().text, first.error().text);
    const auto mark = world.chain->bad_block(txn, bad.hash);
    ASSERT_TRUE(mark.has_value());
    EXPECT_EQ(mark->last_valid, (BlockId{0, world.genesis_hash}));
    EXPECT_EQ(mark->rlp, core::ByteView(bad.rlp));

    core::Block child = block;
    child.header.parent_hash = bad.hash;
    child.header.number = 2;
    core::Bytes child_rlp;
    core::append_block(child_rlp, child);
    auto orphan = crypto::seal(std::move(child_rlp)).value();
    const auto imported = world.chain->insert_block(txn, orphan, HeadRule::Import);
    ASSERT_FALSE(imported.has_value());
    EXPECT_EQ(imported.error().verdict, Verdict::UnknownAncestor);
    const auto third = world.chain->insert_block(txn, orphan, HeadRule::Never);
    ASSERT_FALSE(third.has_value());
    EXPECT_EQ(third.error().text, "links to previously rejected block");
    EXPECT_EQ(world.chain->bad_block(txn, orphan.hash)->last_valid,
              (BlockId{0, world.genesis_hash}));
    world.commit(txn);

    // Another program judges anew.
    Chain other(world.database, {.producer = "another"});
    db::WriteTxn later = world.begin();
    EXPECT_FALSE(other.bad_block(later, bad.hash).has_value());
    const auto fourth = other.insert_block(later, bad, HeadRule::Import);
    ASSERT_FALSE(fourth.has_value());
    EXPECT_EQ(fourth.error().verdict, Verdict::StateRoot);
}

TEST(Chain, a_wrong_state_root_shows_what_the_block_changed) {
    World world(kShanghai);
    db::WriteTxn txn = world.begin();
    const auto good = world.make_pos(txn, world.genesis_hash, 0xaa, 10);
    core::Block block = good.block;
    block.header.state_root[31] ^= 1;
    core::Bytes rlp;
    core::append_block(rlp, block);
    auto bad = crypto::seal(std::move(rlp)).value();
    const auto refused = world.chain->insert_block(txn, bad, HeadRule::Never);
    ASSERT_FALSE(refused.has_value());
    const auto report = nlohmann::json::parse(refused.error().evidence);
    EXPECT_EQ(report["block"], 1);
    EXPECT_EQ(report["hash"], core::to_hex_prefixed(bad.hash));
    EXPECT_EQ(report["parent"], core::to_hex_prefixed(world.genesis_hash));
    EXPECT_EQ(report["stateRootOfHeader"], core::to_hex_prefixed(block.header.state_root));
    EXPECT_EQ(report["stateRootComputed"], core::to_hex_prefixed(good.block.header.state_root));
    ASSERT_EQ(report["accounts"].size(), 1u);
    const auto& account = report["accounts"][0];
    EXPECT_EQ(account["address"], core::to_hex_prefixed(address_of(0xaa)));
    EXPECT_EQ(account["key"], core::to_hex_prefixed(crypto::keccak256(address_of(0xaa))));
    EXPECT_EQ(account["before"]["balance"], "1");
    EXPECT_EQ(account["after"]["balance"], "10000000001");
    EXPECT_TRUE(report["accountsComplete"]);
    ASSERT_EQ(report["subtrees"].size(), 1u);  // one account: the root is its leaf
    EXPECT_EQ(report["subtrees"][0]["path"], "");
    EXPECT_NE(report["subtrees"][0]["before"], report["subtrees"][0]["after"]);
    EXPECT_EQ(report["subtrees"][0]["after"], report["stateRootComputed"]);

    // Other faults show nothing.
    block.header.gas_used = 1;
    rlp.clear();
    core::append_block(rlp, block);
    auto other = crypto::seal(std::move(rlp)).value();
    const auto without = world.chain->insert_block(txn, other, HeadRule::Never);
    ASSERT_FALSE(without.has_value());
    EXPECT_EQ(without.error().evidence, "");
}

TEST(Chain, a_body_that_is_not_its_headers_leaves_no_mark) {
    World world(kShanghai);
    db::WriteTxn txn = world.begin();
    auto good = world.make_pos(txn, world.genesis_hash, 1, 10);
    core::Block block = good.block;
    (*block.withdrawals)[0].amount += 1;
    core::Bytes rlp;
    core::append_block(rlp, block);
    auto wrong_body = crypto::seal(std::move(rlp)).value();
    EXPECT_EQ(wrong_body.hash, good.hash);
    const auto refused = world.chain->insert_block(txn, wrong_body, HeadRule::Import);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().verdict, Verdict::WithdrawalsRoot);
    world.insert(txn, good, HeadRule::Import);
    EXPECT_EQ(world.head(txn), good.hash);
}

TEST(Chain, an_unknown_parent_is_refused_and_forgotten) {
    World world(kShanghai);
    db::WriteTxn txn = world.begin();
    core::Block block;
    block.header.parent_hash = hash_of_hex(std::string(64, '5'));
    block.header.number = 8;
    core::Bytes rlp;
    core::append_block(rlp, block);
    auto orphan = crypto::seal(std::move(rlp)).value();
    const auto refused = world.chain->insert_block(txn, orphan, HeadRule::Import);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().verdict, Verdict::UnknownAncestor);
    EXPECT_EQ(refused.error().text, "unknown ancestor");
    EXPECT_EQ(txn.count(world.chain->tables().bad_block), 0u);
}

TEST(Chain, an_aborted_transaction_never_was) {
    World world(kShanghai);
    {
        db::WriteTxn txn = world.begin();
        auto a1 = world.make_pos(txn, world.genesis_hash, 1, 10);
        world.insert(txn, a1, HeadRule::Import);
        world.commit(txn);
    }
    const auto before = all_rows(world.database);
    {
        db::WriteTxn txn = world.begin();
        auto b1 = world.make_pos(txn, world.genesis_hash, 2, 10);
        world.insert(txn, b1, HeadRule::Import);
        auto b2 = world.make_pos(txn, b1.hash, 2, 10);
        world.insert(txn, b2, HeadRule::Never);
        EXPECT_GT(world.chain->pending_bytes(), 0u);
        txn.abort();
        world.chain->on_abort();
        EXPECT_EQ(world.chain->pending_bytes(), 0u);
    }
    EXPECT_EQ(all_rows(world.database), before);
    db::WriteTxn txn = world.begin();
    auto c1 = world.make_pos(txn, world.head(txn), 3, 10);
    world.insert(txn, c1, HeadRule::Import);
    world.expect_balances(txn, c1.hash);
}

TEST(Chain, indexes_do_not_depend_on_batches) {
    World one(kShanghai);
    World many(kShanghai);
    std::mt19937_64 random(4);
    Hash32 parent = one.genesis_hash;
    for (int i = 0; i < 300; ++i) {
        db::WriteTxn txn = one.begin();
        auto block = one.make_pos(txn, parent, random() % 3 + 1, random() % 5 + 1);
        parent = one.insert(txn, block, HeadRule::Import);
        one.commit(txn);
        db::WriteTxn other = many.begin();
        auto same = crypto::seal(core::Bytes(block.rlp)).value();
        many.insert(other, same, HeadRule::Import);
        if (random() % 10 == 0) many.chain->index(other, random() % 20);
        if (random() % 50 == 0) {
            many.chain->set_head(other, block.block.header.parent_hash);
            many.chain->set_head(other, block.hash);
        }
        many.commit(other);
    }
    {
        db::WriteTxn txn = one.begin();
        EXPECT_FALSE(one.chain->index(txn, 299));
        EXPECT_TRUE(one.chain->index(txn, 1));
        EXPECT_TRUE(one.chain->index(txn, 1));
        one.commit(txn);
        db::WriteTxn other = many.begin();
        EXPECT_TRUE(many.chain->index(other, UINT64_MAX));
        many.commit(other);
    }
    EXPECT_EQ(all_rows(one.database), all_rows(many.database));
}

TEST(Chain, safe_and_finalized_are_kept_and_cleared) {
    World world(kShanghai);
    db::WriteTxn txn = world.begin();
    const BlockReader reader(txn, world.chain->tables());
    EXPECT_FALSE(reader.safe().has_value());
    const BlockId genesis{0, world.genesis_hash};
    world.chain->set_safe(txn, genesis);
    world.chain->set_finalized(txn, genesis);
    EXPECT_EQ(reader.safe(), genesis);
    EXPECT_EQ(reader.finalized(), genesis);
    world.chain->set_safe(txn, std::nullopt);
    EXPECT_FALSE(reader.safe().has_value());
}

TEST(Chain, block_hashes_are_those_of_the_own_branch) {
    World world(kShanghai);
    db::WriteTxn txn = world.begin();
    std::vector<Hash32> a = {world.genesis_hash};
    std::vector<Hash32> b = {world.genesis_hash};
    for (uint64_t i = 1; i <= 10; ++i) {
        auto block = world.make_pos(txn, a.back(), 1, i);
        a.push_back(world.insert(txn, block, HeadRule::Import));
    }
    b.push_back(a[1]);
    b.push_back(a[2]);
    for (uint64_t i = 3; i <= 8; ++i) {
        auto block = world.make_pos(txn, b.back(), 2, i);
        b.push_back(world.insert(txn, block, HeadRule::Never));
    }
    for (const std::vector<Hash32>* branch : {&a, &b}) {
        const uint64_t top = branch->size() - 1;
        for (const uint64_t from : {top, uint64_t{0}}) {
            const auto hashes = ancestor_hashes(txn, world.chain->tables(), {top, branch->back()});
            EXPECT_TRUE(hashes->block_hash(top + 1).is_zero());
            for (uint64_t i = 0; i <= top; ++i) {
                const uint64_t number = from == top ? top - i : i;
                EXPECT_EQ(hashes->block_hash(number), (*branch)[number]);
            }
        }
    }
}

/// The blocks of a file as they follow each other.
std::vector<core::Bytes> split_blocks(std::string_view file) {
    std::vector<core::Bytes> blocks;
    for (core::ByteView rest(file); !rest.empty();) {
        const size_t size = core::rlp_item_length(rest).value();
        blocks.push_back(rest.sub(0, size).to_bytes());
        rest = rest.sub(size);
    }
    return blocks;
}

TEST(Chain, rpc_compat_chain_goes_in_back_to_genesis_and_up_again) {
    const auto fixtures = tests::fixture_set("rpc-compat");
    if (!fixtures) GTEST_SKIP() << "no fixtures: set KEEL_FIXTURES, or run make conformance";
    World world(read_text(*fixtures / "genesis.json"));
    const Hash32 expected =
        hash_of_hex("d226371d0b1551adb03fb52b71f08e3e11247fe9b1af994768af8cdaa8e7dcd7");
    {
        db::WriteTxn txn = world.begin();
        for (core::Bytes& rlp : split_blocks(read_text(*fixtures / "chain.rlp"))) {
            auto sealed = crypto::seal(std::move(rlp)).value();
            if (sealed.block.header.number == 0) continue;
            const auto inserted = world.chain->insert_block(txn, sealed, HeadRule::Import);
            ASSERT_TRUE(inserted.has_value())
                << sealed.block.header.number << ": " << inserted.error().text;
        }
        EXPECT_EQ(world.head(txn), expected);
        world.chain->index(txn, UINT64_MAX);
        world.commit(txn);
    }
    const auto at_head = all_rows(world.database);
    {
        db::WriteTxn txn = world.begin();
        ASSERT_TRUE(world.chain->set_head(txn, world.genesis_hash));
        world.commit(txn);
    }
    {
        // In a process of its own, without anything in memory.
        world.chain.emplace(world.database, Chain::Options{});
        db::WriteTxn txn = world.begin();
        ASSERT_TRUE(world.chain->set_head(txn, expected));
        world.chain->index(txn, UINT64_MAX);
        world.commit(txn);
    }
    EXPECT_EQ(all_rows(world.database), at_head);
}

}  // namespace
}  // namespace keel::chain
