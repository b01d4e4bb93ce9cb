#include "chain/execute_block.hpp"

#include <gtest/gtest.h>

#include "chain/ethash_difficulty.hpp"
#include "chain/testing/world.hpp"
#include "crypto/keccak.hpp"
#include "crypto/sha256.hpp"

namespace keel::chain {
namespace {

using core::Address;
using core::Block;
using core::Bytes;
using core::Fork;
using core::Hash32;
using core::Tx;
using core::U256;
using testing::address_of;
using testing::bytes_of;
using testing::GivenAccount;
using testing::GivenAccounts;
using testing::kCoinbase;
using testing::kEther;
using testing::kSender;
using testing::kTarget;
using testing::World;

Address address_of_digits(std::string_view digits) {
    return core::fixed_from_hex<Address>(digits).value();
}
const Address kBeaconRoots = address_of_digits("000F3df6D732807Ef1319fB7B8bB8522d0Beac02");
const Address kParentHashes = address_of_digits("0000F90827F1C53a10cb7A02335B175320002935");
const Address kWithdrawals = address_of_digits("00000961Ef480Eb55e80D19ad83579A64c007002");
const Address kConsolidations = address_of_digits("0000BBdDc7CE488642fb579F8B00f3a590007251");
const Address kSystem = address_of_digits("fffffffffffffffffffffffffffffffffffffffe");

// Stores the first word of its input, its caller and the gas price: slots 0, 1, 2.
constexpr std::string_view kStoresInput = "5f355f55336001553a60025500";

/// What a fork asks of a block: withdrawals, beacon root, contracts for requests.
Block empty_block(Fork fork) {
    const core::ForkRules rules = core::rules_of(fork);
    Block block;
    block.header.number = 5;
    block.header.timestamp = 1'000;
    block.header.gas_limit = 30'000'000;
    block.header.coinbase = kCoinbase;
    if (rules.eip_1559) block.header.base_fee = 7;
    if (rules.eip_4895) {
        block.header.withdrawals_root = core::kEmptyTrieRoot;
        block.withdrawals.emplace();
    }
    if (rules.eip_4844) {
        block.header.blob_gas_used = block.header.excess_blob_gas = 0;
        block.header.parent_beacon_root = crypto::keccak256("root");
    }
    if (rules.eip_7685) block.header.requests_hash = core::kEmptyRequestsHash;
    return block;
}
GivenAccounts with_request_contracts(GivenAccounts accounts) {
    accounts.try_emplace(kWithdrawals, GivenAccount{.code = "00"});
    accounts.try_emplace(kConsolidations, GivenAccount{.code = "00"});
    return accounts;
}

Tx call_of(const Address& to, core::ByteView data = {}, uint64_t nonce = 0) {
    Tx tx;
    tx.nonce = nonce;
    tx.max_fee = tx.max_priority_fee = 10;
    tx.gas = 200'000;
    tx.to = to;
    tx.data = data;
    tx.v = 27;
    tx.r = tx.s = 1;  // nobody looks at them
    return tx;
}

const state::AccountChange* change_of(const BlockOutcome& outcome, const Address& address) {
    for (const state::AccountChange& change : outcome.changes.accounts) {
        if (change.address == address) return &change;
    }
    return nullptr;
}
U256 slot_after(const BlockOutcome& outcome, const Address& address, uint64_t slot) {
    const auto* change = change_of(outcome, address);
    if (change == nullptr) return {};
    for (const state::SlotChange& entry : outcome.changes.slots_of(*change)) {
        if (entry.slot == U256(slot)) return entry.after;
    }
    return {};
}
U256 word_of(const Hash32& hash) {
    return U256::load_be32(hash.data());
}
U256 word_of(const Address& address) {
    return U256::from_be(address);
}

TEST(ExecuteBlock, an_empty_block_changes_nothing_from_paris_on) {
    World world(Fork::Shanghai, {{kSender, {.balance = 1}}});
    Block block = empty_block(Fork::Shanghai);
    const auto outcome = world.run(block);
    ASSERT_TRUE(outcome) << outcome.error().text;
    EXPECT_TRUE(outcome->changes.empty());
    EXPECT_EQ(outcome->state_root, World::root_of({{kSender, {.balance = 1}}}));
    EXPECT_EQ(receipts_root(outcome->receipts), core::kEmptyTrieRoot);
}

TEST(ExecuteBlock, adds_up_gas_and_joins_blooms) {
    // LOG1 with no data, topic 1; then LOG0.
    World world(Fork::Shanghai,
                {{kSender, {.balance = kEther}}, {kTarget, {.code = "60015f5fa15f5fa000"}}});
    Block block = empty_block(Fork::Shanghai);
    block.txs = {call_of(kTarget), call_of(address_of(0x1234), {}, 1)};
    const auto outcome = world.run(block, {kSender, kSender});
    ASSERT_TRUE(outcome) << outcome.error().text;
    ASSERT_EQ(outcome->receipts.size(), 2u);
    const uint64_t first_gas = 21'000 + 3 + 2 * 2 + 750 + 2 * 2 + 375;
    EXPECT_EQ(outcome->receipts[0].cumulative_gas_used, first_gas);
    EXPECT_EQ(outcome->receipts[1].cumulative_gas_used, first_gas + 21'000);
    EXPECT_EQ(outcome->gas_used, first_gas + 21'000);
    EXPECT_TRUE(outcome->receipts[0].success);
    ASSERT_EQ(outcome->receipts[0].logs.size(), 2u);

    core::Bloom bloom;
    core::bloom_add(bloom, crypto::keccak256(kTarget));
    core::bloom_add(bloom, crypto::keccak256(U256(1).to_be32()));
    EXPECT_EQ(outcome->receipts[0].bloom, bloom);
    EXPECT_EQ(outcome->receipts[1].bloom, core::Bloom{});
    EXPECT_EQ(outcome->bloom, bloom);
}

TEST(ExecuteBlock, says_which_transaction_is_refused) {
    World world(Fork::Shanghai, {{kSender, {.balance = kEther}}});
    Block block = empty_block(Fork::Shanghai);
    block.txs = {call_of(kTarget), call_of(kTarget, {}, 7)};
    const auto outcome = world.run(block, {kSender, kSender});
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().verdict, Verdict::TxNonceTooHigh);
    EXPECT_TRUE(outcome.error().text.starts_with("could not apply tx 1 [" +
                                                 core::to_hex_prefixed(world.sealed.tx_hashes[1]) +
                                                 "]: nonce too high"))
        << outcome.error().text;
}

TEST(ExecuteBlock, has_no_more_gas_than_the_limit) {
    World world(Fork::Shanghai, {{kSender, {.balance = kEther}}, {kTarget, {.code = "fe"}}});
    Block block = empty_block(Fork::Shanghai);
    block.header.gas_limit = 399'999;
    block.txs = {call_of(kTarget), call_of(kTarget, {}, 1)};
    const auto outcome = world.run(block, {kSender, kSender});
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().verdict, Verdict::TxGasLimitReached);
}

TEST(ExecuteBlock, has_no_more_blobs_than_the_schedule_allows) {
    World world(Fork::Cancun, {{kSender, {.balance = kEther}}});
    Block block = empty_block(Fork::Cancun);
    Hash32 hash;
    hash[0] = 1;
    for (uint64_t i = 0; i < 2; ++i) {
        Tx tx = call_of(kTarget, {}, i);
        tx.type = core::TxType::Blob;
        tx.chain_id = 1;
        tx.v = 0;
        tx.max_fee_per_blob_gas = 1;
        tx.blob_hashes.assign(4, hash);
        block.txs.push_back(tx);
    }
    const auto outcome = world.run(block, {kSender, kSender});
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().verdict, Verdict::TxBlobGasAboveAllowance);
}

TEST(ExecuteBlock, puts_state_roots_into_receipts_before_byzantium) {
    World world(Fork::SpuriousDragon, {{kSender, {.balance = kEther}}});
    Block block = empty_block(Fork::SpuriousDragon);
    block.txs = {call_of(kTarget), call_of(kTarget, {}, 1)};
    block.txs[0].value = block.txs[1].value = 1;
    const auto outcome = world.run(block, {kSender, kSender});
    ASSERT_TRUE(outcome) << outcome.error().text;
    for (uint64_t i = 1; i <= 2; ++i) {
        EXPECT_EQ(outcome->receipts[i - 1].state_root,
                  World::root_of({{kSender, {.balance = kEther - i * 210'001, .nonce = i}},
                                  {kTarget, {.balance = i}},
                                  {kCoinbase, {.balance = i * 210'000}}}));
    }
    EXPECT_EQ(outcome->state_root,
              World::root_of({{kSender, {.balance = kEther - 2 * 210'001, .nonce = 2}},
                              {kTarget, {.balance = 2}},
                              {kCoinbase, {.balance = 5 * kEther + 420'000}}}));
}

TEST(ExecuteBlock, rewards_the_coinbase_and_those_of_ommers) {
    World world(Fork::Byzantium, {});
    Block block = empty_block(Fork::Byzantium);
    block.ommers.resize(2);
    block.ommers[0].number = 4;
    block.ommers[0].coinbase = address_of(1);
    block.ommers[1].number = 2;
    block.ommers[1].coinbase = address_of(2);
    const auto outcome = world.run(block);
    ASSERT_TRUE(outcome) << outcome.error().text;
    EXPECT_EQ(outcome->state_root,
              World::root_of({{kCoinbase, {.balance = 3 * kEther + 2 * (3 * kEther / 32)}},
                              {address_of(1), {.balance = 3 * kEther / 8 * 7}},
                              {address_of(2), {.balance = 3 * kEther / 8 * 5}}}));
}

TEST(ExecuteBlock, moves_the_balances_of_the_dao_at_its_block_alone) {
    const Address drained = address_of_digits("005f5cee7a43331d5a3d3eec71305925a62f34b6");
    const Address refund = address_of_digits("bf4ed7b27f1d666546e30d74d50d173d20bca754");
    const GivenAccounts before = {{drained, {.balance = 9, .code = "00", .storage = {{1, 2}}}}};
    for (const bool support : {true, false}) {
        World world(Fork::Dao, before);
        world.config.dao = 5;
        world.config.dao_support = support;
        Block block = empty_block(Fork::Dao);
        const auto outcome = world.run(block);
        ASSERT_TRUE(outcome) << outcome.error().text;
        GivenAccounts after = before;
        after[kCoinbase].balance = 5 * kEther;
        if (support) {
            after[drained].balance = 0;
            after[refund].balance = 9;
        }
        EXPECT_EQ(outcome->state_root, World::root_of(after));
    }
}

TEST(ExecuteBlock, pays_withdrawals_in_gwei) {
    World world(Fork::Shanghai, {{address_of(3), {.balance = 1}}, {address_of(4), {}}});
    Block block = empty_block(Fork::Shanghai);
    block.withdrawals = {{0, 0, address_of(3), 2},
                         {1, 0, address_of(3), 3},
                         {2, 0, address_of(4), 0},  // empty: goes
                         {3, 0, address_of(5), 0},  // absent: stays so
                         {4, 0, address_of(6), 1}};
    const auto outcome = world.run(block);
    ASSERT_TRUE(outcome) << outcome.error().text;
    EXPECT_EQ(outcome->state_root, World::root_of({{address_of(3), {.balance = 5'000'000'001}},
                                                   {address_of(6), {.balance = 1'000'000'000}}}));
}

TEST(SystemCalls, tell_beacon_root_and_parent_hash) {
    World world(Fork::Prague, with_request_contracts({{kBeaconRoots, {.code = kStoresInput}},
                                                      {kParentHashes, {.code = kStoresInput}}}));
    Block block = empty_block(Fork::Prague);
    block.header.parent_hash = crypto::keccak256("parent");
    const auto outcome = world.run(block);
    ASSERT_TRUE(outcome) << outcome.error().text;
    EXPECT_EQ(slot_after(*outcome, kBeaconRoots, 0), word_of(*block.header.parent_beacon_root));
    EXPECT_EQ(slot_after(*outcome, kBeaconRoots, 1), word_of(kSystem));
    EXPECT_EQ(slot_after(*outcome, kBeaconRoots, 2), U256());
    EXPECT_EQ(slot_after(*outcome, kParentHashes, 0), word_of(block.header.parent_hash));
    EXPECT_EQ(change_of(*outcome, kSystem), nullptr);
    EXPECT_EQ(outcome->gas_used, 0u);
}

TEST(SystemCalls, at_the_start_may_fail_or_find_no_contract) {
    World world(Fork::Cancun, {{kBeaconRoots, {.code = "60015f55fe"}}});
    Block block = empty_block(Fork::Cancun);
    const auto failed = world.run(block);
    ASSERT_TRUE(failed) << failed.error().text;
    EXPECT_TRUE(failed->changes.empty());

    World bare(Fork::Cancun, {});
    const auto skipped = bare.run(block);
    ASSERT_TRUE(skipped) << skipped.error().text;
    EXPECT_TRUE(skipped->changes.empty());
}

TEST(SystemCalls, at_the_end_give_requests) {
    // Returns the word aa…: one of 32 bytes, one of nothing.
    World world(Fork::Prague,
                {{kWithdrawals, {.code = "60aa5f5260205ff3"}}, {kConsolidations, {.code = "00"}}});
    Block block = empty_block(Fork::Prague);
    const auto outcome = world.run(block);
    ASSERT_TRUE(outcome) << outcome.error().text;
    ASSERT_EQ(outcome->requests.size(), 1u);
    EXPECT_EQ(outcome->requests[0].type, core::RequestType::Withdrawal);
    EXPECT_EQ(core::ByteView(outcome->requests[0].data), core::ByteView(U256(0xaa).to_be32()));
}

TEST(SystemCalls, at_the_end_must_succeed) {
    Block block = empty_block(Fork::Prague);
    World missing(Fork::Prague, {{kWithdrawals, {.code = "00"}}});
    const auto empty = missing.run(block);
    ASSERT_FALSE(empty);
    EXPECT_EQ(empty.error().verdict, Verdict::SystemContractEmpty);

    World reverting(Fork::Prague,
                    {{kWithdrawals, {.code = "5f5ffd"}}, {kConsolidations, {.code = "00"}}});
    const auto failed = reverting.run(block);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().verdict, Verdict::SystemCallFailed);
    EXPECT_TRUE(failed.error().text.starts_with("system call failed to execute:"));
}

TEST(SystemCalls, do_not_warm_anything_for_transactions) {
    // The call at the start reads slot 5; so does the transaction, which pays for a cold slot.
    World world(Fork::Cancun,
                {{kSender, {.balance = kEther}}, {kBeaconRoots, {.code = "60055400"}}});
    Block block = empty_block(Fork::Cancun);
    block.txs = {call_of(kBeaconRoots)};
    const auto outcome = world.run(block, {kSender});
    ASSERT_TRUE(outcome) << outcome.error().text;
    EXPECT_EQ(outcome->gas_used, 21'000u + 3 + 2'100);
}

/// Data of a deposit event whose parts are filled with 1, 2, 3, 4, 5.
Bytes deposit_event() {
    struct Part {
        uint64_t offset, bytes;
    };
    constexpr Part kParts[] = {{160, 48}, {256, 32}, {320, 8}, {384, 96}, {512, 8}};
    Bytes data(576);
    uint8_t number = 0;
    for (const Part& part : kParts) {
        U256(part.offset).store_be32(data.data() + 32 * number);
        U256(part.bytes).store_be32(data.data() + part.offset);
        ++number;
        std::fill_n(data.data() + part.offset + 32, part.bytes, number);
    }
    return data;
}
// Emits its input as a deposit event.
constexpr std::string_view kEmitsDeposit =
    "365f5f377f649bbc62d0e31342afea4e5cd82d4049e7e1ee912fc0889aa790803be39038c5365fa100";

core::Result<BlockOutcome, Rejection> run_deposit(const Bytes& data, std::string_view code,
                                                  const Address& contract) {
    World world(Fork::Prague, with_request_contracts(
                                  {{kSender, {.balance = kEther}}, {contract, {.code = code}}}));
    Block block = empty_block(Fork::Prague);
    block.txs = {call_of(contract, data)};
    return world.run(block, {kSender});
}

TEST(Deposits, are_taken_from_the_logs_of_the_contract) {
    const auto outcome = run_deposit(deposit_event(), kEmitsDeposit, default_deposit_contract());
    ASSERT_TRUE(outcome) << outcome.error().text;
    ASSERT_EQ(outcome->requests.size(), 1u);
    Bytes wanted;
    const std::pair<size_t, uint8_t> parts[] = {{48, 1}, {32, 2}, {8, 3}, {96, 4}, {8, 5}};
    for (const auto& [count, byte] : parts) wanted.insert(wanted.end(), count, byte);
    EXPECT_EQ(outcome->requests[0], (core::Request{core::RequestType::Deposit, wanted}));

    const auto elsewhere = run_deposit(deposit_event(), kEmitsDeposit, kTarget);
    ASSERT_TRUE(elsewhere) << elsewhere.error().text;
    EXPECT_TRUE(elsewhere->requests.empty());
}

TEST(Deposits, of_another_layout_make_the_block_invalid) {
    std::vector<Bytes> wrong(4, deposit_event());
    wrong[0].pop_back();
    wrong[1].push_back(0);
    wrong[2][31] = 161;      // offset of the key
    wrong[3][512 + 31] = 9;  // length of the index
    for (const Bytes& data : wrong) {
        const auto outcome = run_deposit(data, kEmitsDeposit, default_deposit_contract());
        ASSERT_FALSE(outcome);
        EXPECT_EQ(outcome.error().verdict, Verdict::DepositLayout);
        EXPECT_TRUE(outcome.error().text.starts_with("failed to parse deposit logs: "));
    }
    // The same without a topic, or with another one, is no deposit event.
    for (const std::string_view code : {"365f5f37365fa000", "365f5f376001365fa100"}) {
        const auto outcome = run_deposit(wrong[0], code, default_deposit_contract());
        ASSERT_TRUE(outcome) << outcome.error().text;
        EXPECT_TRUE(outcome->requests.empty());
    }
}

TEST(RequestsHash, leaves_out_types_without_data) {
    EXPECT_EQ(requests_hash({}), core::kEmptyRequestsHash);
    const core::Request withdrawal{core::RequestType::Withdrawal, bytes_of("aabb")};
    const Hash32 inner = crypto::sha256(bytes_of("01aabb"));
    EXPECT_EQ(requests_hash({withdrawal}), crypto::sha256(inner));
    EXPECT_EQ(requests_hash({{core::RequestType::Deposit, {}}, withdrawal}), crypto::sha256(inner));
}

TEST(VerifyOutcome, compares_in_the_order_of_the_rules) {
    World world(Fork::Prague, with_request_contracts({{kSender, {.balance = kEther}}}));
    Block block = empty_block(Fork::Prague);
    block.txs = {call_of(kTarget)};
    const auto outcome = world.run(block, {kSender});
    ASSERT_TRUE(outcome) << outcome.error().text;
    core::Header header = block.header;
    const auto expect = [&](Verdict verdict, std::string_view text) {
        const auto verified = verify_outcome(header, *outcome, world.rules.rules);
        ASSERT_FALSE(verified);
        EXPECT_EQ(verified.error().verdict, verdict);
        EXPECT_TRUE(verified.error().text.starts_with(text)) << verified.error().text;
    };
    header.bloom[0] = 1;
    header.requests_hash = Hash32{};
    expect(Verdict::GasUsed, "invalid gas used (remote: 0 local: 21000)");
    header.gas_used = 21'000;
    expect(Verdict::Bloom, "invalid bloom (remote: 01");
    header.bloom = {};
    expect(Verdict::ReceiptsRoot, "invalid receipt root hash (remote: 56e8");
    header.receipts_root = receipts_root(outcome->receipts);
    expect(Verdict::RequestsHash, "invalid requests hash (remote: 0000");
    header.requests_hash = core::kEmptyRequestsHash;
    expect(Verdict::StateRoot, "invalid merkle root (remote: 56e8");
    header.state_root = outcome->state_root;
    EXPECT_TRUE(verify_outcome(header, *outcome, world.rules.rules));
}

}  // namespace
}  // namespace keel::chain
