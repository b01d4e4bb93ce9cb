#include "chain/execute_tx.hpp"

#include <gtest/gtest.h>

#include "chain/testing/world.hpp"
#include "crypto/keccak.hpp"
#include "crypto/secp256k1.hpp"

namespace keel::chain {
namespace {

using core::Address;
using core::Bytes;
using core::Fork;
using core::Hash32;
using core::Tx;
using core::TxType;
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

/// A world in which kSender is rich, and one transaction in it.
struct Case {
    Case(Fork fork, GivenAccounts accounts) : world(fork, with_sender(std::move(accounts))) {
        tx.max_fee = tx.max_priority_fee = 10;
        tx.gas = 100'000;
        tx.to = kTarget;
        env.rules = world.rules;
        env.context.coinbase = kCoinbase;
        env.context.number = 1;
        env.context.gas_limit = 30'000'000;
        if (world.rules.rules.eip_1559) env.context.base_fee = 7;
        if (world.rules.rules.eip_4844) env.context.blob_base_fee = 3;
    }

    static GivenAccounts with_sender(GivenAccounts accounts) {
        accounts.try_emplace(kSender, GivenAccount{.balance = kEther});
        return accounts;
    }
    core::Result<TxOutcome, Rejection> run(const TxChecks& checks = {}) {
        return execute_tx(world.executor.workspace, world.journal(), env, tx, kSender, tx_room(env),
                          checks);
    }
    U256 balance(const Address& address) { return world.journal().balance(address); }
    U256 slot(const Address& address, uint64_t key) {
        return world.journal().storage(address, key);
    }

    World world;
    BlockEnv env;
    Tx tx;
};

TEST(ExecuteTx, moves_the_value_and_pays_the_whole_price_to_the_coinbase_before_london) {
    Case c(Fork::Berlin, {});
    c.tx.value = 5;
    const auto outcome = c.run();
    ASSERT_TRUE(outcome) << outcome.error().text;
    EXPECT_TRUE(outcome->succeeded());
    EXPECT_EQ(outcome->gas_used, 21'000u);
    EXPECT_EQ(outcome->effective_price, U256(10));
    EXPECT_EQ(c.balance(kTarget), U256(5));
    EXPECT_EQ(c.balance(kCoinbase), U256(210'000));
    EXPECT_EQ(c.balance(kSender), U256(kEther - 5 - 210'000));
    EXPECT_EQ(c.world.journal().nonce(kSender), 1u);
    EXPECT_EQ(c.world.root(), World::root_of({{kSender, {.balance = kEther - 210'005, .nonce = 1}},
                                              {kTarget, {.balance = 5}},
                                              {kCoinbase, {.balance = 210'000}}}));
}

TEST(ExecuteTx, burns_the_base_fee_from_london_on) {
    Case c(Fork::London, {});
    c.tx.type = TxType::DynamicFee;
    c.tx.max_priority_fee = 2;
    const auto outcome = c.run();
    ASSERT_TRUE(outcome) << outcome.error().text;
    EXPECT_EQ(outcome->effective_price, U256(9));
    EXPECT_EQ(c.balance(kCoinbase), U256(2 * 21'000));
    EXPECT_EQ(c.balance(kSender), U256(kEther - 9 * 21'000));
}

TEST(ExecuteTx, keeps_nonce_and_fee_of_a_call_that_fails) {
    Case c(Fork::Cancun, {{kTarget, {.code = "60015f555f5ffd"}}});  // SSTORE, REVERT
    c.tx.value = 5;
    const auto outcome = c.run();
    ASSERT_TRUE(outcome) << outcome.error().text;
    EXPECT_EQ(outcome->status, evm::Status::Revert);
    EXPECT_TRUE(outcome->logs.empty());
    EXPECT_EQ(c.slot(kTarget, 0), U256());
    EXPECT_EQ(c.balance(kTarget), U256());
    EXPECT_EQ(c.balance(kSender), U256(kEther - 10 * outcome->gas_used));
    EXPECT_EQ(c.world.journal().nonce(kSender), 1u);
}

TEST(ExecuteTx, takes_all_gas_of_a_call_that_halts) {
    Case c(Fork::Cancun, {{kTarget, {.code = "fe"}}});
    const auto outcome = c.run();
    ASSERT_TRUE(outcome) << outcome.error().text;
    EXPECT_EQ(outcome->gas_used, c.tx.gas);
}

TEST(ExecuteTx, creates_at_the_address_of_the_nonce_before) {
    Case c(Fork::Cancun, {{kSender, {.balance = kEther, .nonce = 4}}});
    const Bytes init_code = bytes_of("60aa5f5360015ff3");  // returns one byte, aa
    c.tx.to.reset();
    c.tx.nonce = 4;
    c.tx.data = init_code;
    const auto outcome = c.run();
    ASSERT_TRUE(outcome) << outcome.error().text;
    const Address created = evm::create_address(kSender, 4);
    EXPECT_EQ(outcome->created, created);
    EXPECT_EQ(c.world.journal().code(created), core::ByteView(bytes_of("aa")));
    EXPECT_EQ(c.world.journal().nonce(created), 1u);
    EXPECT_EQ(c.world.journal().nonce(kSender), 5u);
}

TEST(ExecuteTx, uses_all_gas_of_a_create_that_collides) {
    const Address created = evm::create_address(kSender, 0);
    Case c(Fork::Cancun, {{created, {.code = "00"}}});
    c.tx.to.reset();
    const auto outcome = c.run();
    ASSERT_TRUE(outcome) << outcome.error().text;
    EXPECT_EQ(outcome->status, evm::Status::CreateCollision);
    EXPECT_EQ(outcome->gas_used, c.tx.gas);
    EXPECT_EQ(c.world.journal().nonce(kSender), 1u);
}

TEST(ExecuteTx, caps_the_refund_at_a_half_and_from_london_on_at_a_fifth) {
    // Clears the slots 0, 1 and 2.
    const GivenAccount clears{.code = "600060005560006001556000600255",
                              .storage = {{0, 1}, {1, 1}, {2, 1}}};
    Case berlin(Fork::Berlin, {{kTarget, clears}});
    const auto before = berlin.run();
    ASSERT_TRUE(before) << before.error().text;
    EXPECT_EQ(before->refund, 45'000);
    EXPECT_EQ(before->gas_before_refund, 21'000u + 3 * (5'000 + 6));
    EXPECT_EQ(before->gas_used, before->gas_before_refund - before->gas_before_refund / 2);

    Case london(Fork::London, {{kTarget, clears}});
    const auto after = london.run();
    ASSERT_TRUE(after) << after.error().text;
    EXPECT_EQ(after->refund, 3 * 4'800);
    EXPECT_EQ(after->gas_used, after->gas_before_refund - after->gas_before_refund / 5);
    EXPECT_EQ(london.balance(kSender), U256(kEther - 10 * after->gas_used));
}

TEST(ExecuteTx, charges_the_floor_of_calldata_after_the_refund) {
    Case c(Fork::Prague, {});
    const Bytes data(100, 0xff);
    c.tx.data = data;
    const auto outcome = c.run();
    ASSERT_TRUE(outcome) << outcome.error().text;
    EXPECT_EQ(outcome->gas_before_refund, 21'000u + 1'600);
    EXPECT_EQ(outcome->gas_used, 21'000u + 4'000);
    EXPECT_EQ(c.balance(kSender), U256(kEther - 10 * 25'000));
}

TEST(ExecuteTx, burns_the_blob_fee_at_the_price_of_the_block) {
    Case c(Fork::Cancun, {});
    c.tx.type = TxType::Blob;
    c.tx.max_fee_per_blob_gas = 1'000;
    Hash32 hash;
    hash[0] = 1;
    c.tx.blob_hashes = {hash, hash};
    const auto outcome = c.run();
    ASSERT_TRUE(outcome) << outcome.error().text;
    EXPECT_EQ(c.balance(kSender), U256(kEther - 10 * 21'000 - 3 * 2 * 131'072));
    EXPECT_EQ(c.balance(kCoinbase), U256(3 * 21'000));
}

TEST(ExecuteTx, warms_sender_recipient_list_and_from_shanghai_on_the_coinbase) {
    // Gas between two BALANCEs of the same account, stored: the price of the first one.
    const auto balance_price = [](Fork fork, const Address& of, core::AccessList list = {}) {
        const std::string code = "5a73" + core::to_hex(of) + "31505a900360005500";
        Case c(fork, {{kTarget, {.code = code}}});
        c.tx.type = TxType::AccessList;
        c.tx.access_list = std::move(list);
        const auto outcome = c.run();
        EXPECT_TRUE(outcome && outcome->succeeded());
        // GAS, PUSH20, POP stand between.
        return c.slot(kTarget, 0) - U256(2 + 3 + 2);
    };
    EXPECT_EQ(balance_price(Fork::Berlin, kSender), U256(100));
    EXPECT_EQ(balance_price(Fork::Berlin, kTarget), U256(100));
    EXPECT_EQ(balance_price(Fork::Berlin, address_of(9)), U256(100));
    EXPECT_EQ(balance_price(Fork::Berlin, address_of(10)), U256(2'600));
    EXPECT_EQ(balance_price(Fork::Berlin, kCoinbase), U256(2'600));
    EXPECT_EQ(balance_price(Fork::Shanghai, kCoinbase), U256(100));
    EXPECT_EQ(balance_price(Fork::Berlin, address_of(0x77)), U256(2'600));
    EXPECT_EQ(balance_price(Fork::Berlin, address_of(0x77), {{address_of(0x77), {}}}), U256(100));
}

TEST(ExecuteTx, touches_the_coinbase_with_a_tip_of_zero) {
    Case frontier(Fork::Frontier, {});
    frontier.tx.max_fee = frontier.tx.max_priority_fee = 0;
    ASSERT_TRUE(frontier.run());
    EXPECT_TRUE(frontier.world.journal().account_exists(kCoinbase));
    EXPECT_TRUE(frontier.world.journal().account_exists(kTarget));

    Case london(Fork::London, {{kCoinbase, {}}});
    london.tx.max_fee = london.tx.max_priority_fee = 7;
    ASSERT_TRUE(london.run());
    EXPECT_FALSE(london.world.journal().account_exists(kCoinbase));
    EXPECT_FALSE(london.world.journal().account_exists(kTarget));
}

TEST(ExecuteTx, changes_nothing_when_it_is_refused) {
    Case c(Fork::Cancun, {});
    const Hash32 before = c.world.root();
    c.tx.nonce = 1;
    const auto outcome = c.run();
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().verdict, Verdict::TxNonceTooHigh);
    EXPECT_EQ(c.world.root(), before);
}

TEST(ExecuteTx, takes_no_fee_without_the_check_of_the_balance) {
    Case c(Fork::Cancun, {{kSender, {}}, {kTarget, {.code = "3a5f5500"}}});  // SSTORE(0, GASPRICE)
    c.tx.value = 0;
    const auto outcome = c.run({.balance = false});
    ASSERT_TRUE(outcome) << outcome.error().text;
    EXPECT_EQ(c.slot(kTarget, 0), U256(10));
    EXPECT_EQ(c.balance(kSender), U256());
    EXPECT_EQ(c.balance(kCoinbase), U256());
}

/// Keys of accounts that sign authorizations.
struct Authority {
    explicit Authority(uint8_t number) { key[31] = number; }
    Address address() const { return crypto::address_of(key); }
    core::Authorization sign(const Address& delegate, uint64_t nonce, uint64_t chain_id = 1) const {
        core::Authorization tuple;
        tuple.chain_id = chain_id;
        tuple.address = delegate;
        tuple.nonce = nonce;
        Bytes message;
        core::encode_for_signing(message, tuple);
        const crypto::Signature signature = crypto::sign(crypto::keccak256(message), key);
        tuple.r = signature.r;
        tuple.s = signature.s;
        tuple.y_parity = signature.y_parity;
        return tuple;
    }
    Hash32 key;
};

std::string designator(const Address& delegate) {
    return "ef0100" + core::to_hex(delegate);
}

TEST(Authorizations, set_the_code_even_if_the_call_reverts) {
    Case c(Fork::Prague, {{kTarget, {.code = "5f5ffd"}}});
    const Authority authority(1);
    c.tx.type = TxType::SetCode;
    c.tx.authorizations = {authority.sign(kTarget, 0)};
    const auto outcome = c.run();
    ASSERT_TRUE(outcome) << outcome.error().text;
    EXPECT_EQ(outcome->status, evm::Status::Revert);
    EXPECT_EQ(outcome->refund, 0);
    EXPECT_EQ(outcome->gas_used, 21'000u + 25'000 + 4);
    const Address address = authority.address();
    EXPECT_EQ(c.world.journal().code(address), core::ByteView(bytes_of(designator(kTarget))));
    EXPECT_EQ(c.world.journal().nonce(address), 1u);
}

TEST(Authorizations, run_the_delegate_and_pay_back_for_accounts_that_exist) {
    const Authority authority(2);
    const Address address = authority.address();
    Case c(Fork::Prague, {{kTarget, {.code = "60015f5500"}}, {address, {.balance = 1}}});
    c.tx.type = TxType::SetCode;
    c.tx.to = address;
    c.tx.authorizations = {authority.sign(kTarget, 0)};
    const auto outcome = c.run();
    ASSERT_TRUE(outcome) << outcome.error().text;
    EXPECT_EQ(outcome->refund, 12'500);
    EXPECT_EQ(outcome->gas_before_refund, 21'000u + 25'000 + 5 + 22'100);
    EXPECT_EQ(c.slot(address, 0), U256(1));
    EXPECT_EQ(c.slot(kTarget, 0), U256());
}

TEST(Authorizations, are_taken_in_order_and_skipped_one_by_one) {
    const Authority first(3), second(4), contract(5);
    Case c(Fork::Prague, {{contract.address(), {.code = "00"}}});
    c.tx.type = TxType::SetCode;
    c.tx.gas = 500'000;
    core::Authorization bad_parity = second.sign(kTarget, 0);
    bad_parity.y_parity = 2;
    c.tx.authorizations = {
        first.sign(kTarget, 0, 2),          // another chain
        first.sign(kTarget, 1),             // nonce of later
        first.sign(address_of(0x11), 0),    // holds
        first.sign(address_of(0x22), 1, 0)  // holds on every chain; pays back
    };
    c.tx.authorizations.push_back(bad_parity);
    c.tx.authorizations.push_back(second.sign(kTarget, UINT64_MAX));
    c.tx.authorizations.push_back(contract.sign(kTarget, 0));
    const auto outcome = c.run();
    ASSERT_TRUE(outcome) << outcome.error().text;
    EXPECT_EQ(outcome->refund, 12'500);
    state::Journal& journal = c.world.journal();
    EXPECT_EQ(journal.code(first.address()),
              core::ByteView(bytes_of(designator(address_of(0x22)))));
    EXPECT_EQ(journal.nonce(first.address()), 2u);
    EXPECT_FALSE(journal.account_exists(second.address()));
    EXPECT_EQ(journal.code(contract.address()), core::ByteView(bytes_of("00")));
}

TEST(Authorizations, of_the_zero_address_clear_the_code) {
    const Authority authority(6);
    const std::string code = designator(kTarget);
    Case c(Fork::Prague, {{authority.address(), {.nonce = 7, .code = code}}});
    c.tx.type = TxType::SetCode;
    c.tx.authorizations = {authority.sign(Address{}, 7)};
    const auto outcome = c.run();
    ASSERT_TRUE(outcome) << outcome.error().text;
    EXPECT_TRUE(c.world.journal().code(authority.address()).empty());
    EXPECT_EQ(c.world.journal().code_hash(authority.address()), core::kEmptyCodeHash);
    EXPECT_EQ(c.world.journal().nonce(authority.address()), 8u);
}

}  // namespace
}  // namespace keel::chain
