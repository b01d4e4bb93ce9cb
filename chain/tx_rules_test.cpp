#include "chain/tx_rules.hpp"

#include <gtest/gtest.h>

#include <map>

#include "chain/verdict.hpp"

namespace keel::chain {
namespace {

using core::Address;
using core::Bytes;
using core::Fork;
using core::Hash32;
using core::Tx;
using core::TxType;
using core::U256;

Address address_of(uint8_t last) {
    Address address;
    address[19] = last;
    return address;
}
const Address kSender = address_of(1);
const Address kRecipient = address_of(2);

struct KnownState final : state::StateReader {
    std::map<Address, core::Account> accounts;
    std::map<Hash32, Bytes> codes;

    std::optional<core::Account> account(const Address& address) override {
        const auto found = accounts.find(address);
        return found == accounts.end() ? std::nullopt : std::optional(found->second);
    }
    U256 storage(const Address&, const U256&) override { return {}; }
    std::optional<core::ByteView> code(const Hash32& hash) override {
        const auto found = codes.find(hash);
        return found == codes.end() ? std::nullopt : std::optional(core::ByteView(found->second));
    }
    void each_slot(const Address&, const OnSlot&) override {}
};
struct NoHashes final : state::BlockHashes {
    Hash32 block_hash(uint64_t) override { return {}; }
};

BlockRules rules_at(Fork fork) {
    return {core::rules_of(fork), default_blob_parameters(fork)};
}

Hash32 blob_hash() {
    Hash32 hash;
    hash[0] = 1;
    return hash;
}

// A call of type `type` that is right in every respect for the room below.
Tx good(TxType type) {
    Tx tx;
    tx.type = type;
    if (type != TxType::Legacy) tx.chain_id = 1;
    tx.nonce = 5;
    tx.max_fee = tx.max_priority_fee = 20;
    tx.gas = 100'000;
    tx.to = kRecipient;
    if (type == TxType::Blob) {
        tx.max_fee_per_blob_gas = 3;
        tx.blob_hashes = {blob_hash()};
    }
    if (type == TxType::SetCode) tx.authorizations.resize(1);
    return tx;
}

class TxRules : public testing::Test {
  protected:
    TxRules() {
        core::Account sender;
        sender.nonce = 5;
        sender.balance = 10'000'000;
        state_.accounts[kSender] = sender;
    }
    /// None: the transaction is valid.
    std::optional<Verdict> check(const Tx& tx, Fork fork = Fork::Osaka) {
        journal_.begin_block(state_, hashes_);
        const BlockRules block = rules_at(fork);
        journal_.begin_transaction(block.rules);
        const auto checked = check_tx(tx, kSender, block, room_, journal_, checks_);
        if (checked) return std::nullopt;
        text_ = checked.error().text;
        return checked.error().verdict;
    }
    void give_code(Bytes code) {
        Hash32 hash;
        hash[0] = 0xcc;
        state_.accounts[kSender].code_hash = hash;
        state_.codes[hash] = std::move(code);
    }

    KnownState state_;
    NoHashes hashes_;
    state::Journal journal_;
    TxRoom room_{1'000'000, 9 * kGasPerBlob, U256(10), U256(2), 1};
    TxChecks checks_;
    std::string text_;
};

TEST_F(TxRules, a_good_transaction_of_every_type_passes) {
    for (int type = 0; type <= 4; ++type) {
        EXPECT_EQ(check(good(static_cast<TxType>(type))), std::nullopt) << type << ": " << text_;
    }
}

TEST_F(TxRules, a_type_comes_with_its_fork) {
    struct Case {
        TxType type;
        Fork before, since;
    };
    constexpr Case kCases[] = {
        {TxType::AccessList, Fork::Istanbul, Fork::Berlin},
        {TxType::DynamicFee, Fork::Berlin, Fork::London},
        {TxType::Blob, Fork::Shanghai, Fork::Cancun},
        {TxType::SetCode, Fork::Cancun, Fork::Prague},
    };
    for (const Case& expected : kCases) {
        EXPECT_EQ(check(good(expected.type), expected.before), Verdict::TxTypeNotSupported);
        EXPECT_EQ(check(good(expected.type), expected.since), std::nullopt) << text_;
    }
}

TEST_F(TxRules, each_rule_has_its_verdict) {
    struct Case {
        Verdict verdict;
        TxType type;
        void (*spoil)(Tx&);
    };
    const Case cases[] = {
        {Verdict::TxWrongChainId, TxType::DynamicFee, [](Tx& tx) { tx.chain_id = 2; }},
        {Verdict::TxWrongChainId, TxType::Legacy, [](Tx& tx) { tx.chain_id = 0; }},
        {Verdict::TxNonceTooLow, TxType::Legacy, [](Tx& tx) { tx.nonce = 4; }},
        {Verdict::TxNonceTooHigh, TxType::Legacy, [](Tx& tx) { tx.nonce = 6; }},
        {Verdict::TxGasLimitTooHigh, TxType::Legacy, [](Tx& tx) { tx.gas = 16'777'217; }},
        {Verdict::TxPriorityAboveMaxFee, TxType::DynamicFee,
         [](Tx& tx) { tx.max_priority_fee = 21; }},
        {Verdict::TxMaxFeeBelowBaseFee, TxType::Legacy,
         [](Tx& tx) { tx.max_fee = tx.max_priority_fee = 9; }},
        {Verdict::TxNoBlobs, TxType::Blob, [](Tx& tx) { tx.blob_hashes.clear(); }},
        {Verdict::TxTooManyBlobs, TxType::Blob,
         [](Tx& tx) { tx.blob_hashes.assign(7, blob_hash()); }},
        {Verdict::TxBlobHashVersion, TxType::Blob, [](Tx& tx) { tx.blob_hashes.emplace_back(); }},
        {Verdict::TxBlobFeeTooLow, TxType::Blob, [](Tx& tx) { tx.max_fee_per_blob_gas = 1; }},
        {Verdict::TxBlobCreate, TxType::Blob, [](Tx& tx) { tx.to.reset(); }},
        {Verdict::TxSetCodeCreate, TxType::SetCode, [](Tx& tx) { tx.to.reset(); }},
        {Verdict::TxNoAuthorizations, TxType::SetCode, [](Tx& tx) { tx.authorizations.clear(); }},
        {Verdict::TxInsufficientFunds, TxType::Legacy, [](Tx& tx) { tx.value = 8'000'001; }},
        {Verdict::TxInsufficientFunds, TxType::Legacy, [](Tx& tx) { tx.value = U256::max(); }},
        {Verdict::TxFeeOverflow, TxType::Legacy,
         [](Tx& tx) { tx.max_fee = tx.max_priority_fee = U256::max(); }},
        {Verdict::TxInsufficientFunds, TxType::Blob,
         [](Tx& tx) { tx.max_fee_per_blob_gas = U256::max(); }},
        {Verdict::TxIntrinsicGas, TxType::Legacy, [](Tx& tx) { tx.gas = 20'999; }},
    };
    for (const Case& expected : cases) {
        Tx tx = good(expected.type);
        expected.spoil(tx);
        EXPECT_EQ(check(tx), expected.verdict) << to_string(expected.verdict) << ": " << text_;
    }
}

TEST_F(TxRules, a_nonce_of_the_largest_number_is_refused) {
    state_.accounts[kSender].nonce = UINT64_MAX;
    Tx tx = good(TxType::Legacy);
    tx.nonce = UINT64_MAX;
    EXPECT_EQ(check(tx), Verdict::TxNonceIsMax);
}

TEST_F(TxRules, an_absent_sender_has_nonce_0_and_nothing) {
    state_.accounts.clear();
    room_.base_fee = 0;
    Tx tx = good(TxType::Legacy);
    tx.nonce = 0;
    tx.max_fee = tx.max_priority_fee = 0;
    EXPECT_EQ(check(tx), std::nullopt) << text_;
    tx.value = 1;
    EXPECT_EQ(check(tx), Verdict::TxInsufficientFunds);
}

// EIP-3607; a designator of EIP-7702 is no code in this respect.
TEST_F(TxRules, a_sender_with_code_is_refused_unless_it_delegates) {
    give_code({0x00});
    EXPECT_EQ(check(good(TxType::Legacy)), Verdict::TxSenderNotEoa);
    EXPECT_EQ(check(good(TxType::Legacy), Fork::Frontier), Verdict::TxSenderNotEoa);
    checks_.sender_is_eoa = false;
    EXPECT_EQ(check(good(TxType::Legacy)), std::nullopt);
    checks_.sender_is_eoa = true;
    Bytes designator = {0xef, 0x01, 0x00};
    designator.resize(23);
    give_code(designator);
    EXPECT_EQ(check(good(TxType::Legacy), Fork::Prague), std::nullopt);
    EXPECT_EQ(check(good(TxType::Legacy), Fork::Cancun), Verdict::TxSenderNotEoa);
}

TEST_F(TxRules, gas_and_blobs_must_fit_into_what_is_left_of_the_block) {
    room_.gas_left = 99'999;
    EXPECT_EQ(check(good(TxType::Legacy)), Verdict::TxGasLimitReached);
    room_.gas_left = 100'000;
    EXPECT_EQ(check(good(TxType::Legacy)), std::nullopt);
    room_.blob_gas_left = kGasPerBlob - 1;
    EXPECT_EQ(check(good(TxType::Blob)), Verdict::TxBlobGasAboveAllowance);
}

// HIVE.md D.6.4: where a transaction has two faults, the one that geth meets first is named.
TEST_F(TxRules, of_two_faults_the_one_that_geth_meets_first_is_named) {
    Tx tx = good(TxType::Legacy);
    tx.nonce = 4;
    tx.value = U256::max();
    EXPECT_EQ(check(tx), Verdict::TxNonceTooLow);
    tx.nonce = 5;
    room_.gas_left = 1;
    tx.gas = 20'999;
    EXPECT_EQ(check(tx), Verdict::TxInsufficientFunds);
    tx.value = 0;
    EXPECT_EQ(check(tx), Verdict::TxGasLimitReached);
    room_.gas_left = 30'000;
    EXPECT_EQ(check(tx), Verdict::TxIntrinsicGas);
    tx.max_priority_fee = tx.max_fee = 1;
    EXPECT_EQ(check(tx), Verdict::TxMaxFeeBelowBaseFee);
}

TEST_F(TxRules, calls_may_leave_rules_out) {
    checks_ = {false, false, false, false, false};
    Tx tx = good(TxType::Blob);
    tx.nonce = 77;
    tx.max_fee = tx.max_priority_fee = tx.max_fee_per_blob_gas = 0;
    tx.value = U256::max();
    tx.gas = 16'777'217;
    room_.gas_left = UINT64_MAX;
    EXPECT_EQ(check(tx), std::nullopt) << text_;
    tx.max_fee = 9;  // a price that is given counts
    EXPECT_EQ(check(tx), Verdict::TxMaxFeeBelowBaseFee);
}

TEST_F(TxRules, init_code_has_a_limit_from_shanghai) {
    Tx tx = good(TxType::Legacy);
    tx.to.reset();
    const Bytes code(49'153, 0);
    tx.gas = 900'000;
    tx.max_fee = tx.max_priority_fee = 10;
    tx.data = code;
    EXPECT_EQ(check(tx, Fork::Paris), std::nullopt) << text_;
    EXPECT_EQ(check(tx, Fork::Shanghai), Verdict::TxInitCodeTooLarge);
    tx.data = core::ByteView(code).sub(1);
    EXPECT_EQ(check(tx, Fork::Shanghai), std::nullopt) << text_;
    EXPECT_EQ(check_tx_alone(tx, rules_at(Fork::Shanghai)).has_value(), true);
}

// EVM.md 4.3
TEST(IntrinsicGas, is_the_sum_of_its_parts_in_each_fork) {
    const Bytes data = {0, 0, 0, 1, 2};
    Tx tx;
    tx.to = kRecipient;
    tx.data = data;
    const auto gas = [&](Fork fork) { return intrinsic_gas(tx, core::rules_of(fork)).gas; };
    const auto floor = [&](Fork fork) { return intrinsic_gas(tx, core::rules_of(fork)).floor; };
    EXPECT_EQ(gas(Fork::Frontier), 21'000u + 3 * 4 + 2 * 68);
    EXPECT_EQ(gas(Fork::Istanbul), 21'000u + 3 * 4 + 2 * 16);
    EXPECT_EQ(floor(Fork::Cancun), 0u);
    EXPECT_EQ(floor(Fork::Prague), 21'000u + 10 * (3 + 4 * 2));
    tx.to.reset();
    EXPECT_EQ(gas(Fork::Frontier), 21'000u + 3 * 4 + 2 * 68);
    EXPECT_EQ(gas(Fork::Homestead), 53'000u + 3 * 4 + 2 * 68);
    EXPECT_EQ(gas(Fork::Paris), 53'000u + 3 * 4 + 2 * 16);
    EXPECT_EQ(gas(Fork::Shanghai), 53'000u + 3 * 4 + 2 * 16 + 2);
    tx.to = kRecipient;
    tx.data = {};
    tx.access_list = {{kRecipient, std::vector<Hash32>(3)}, {kRecipient, {}}};
    EXPECT_EQ(gas(Fork::Berlin), 21'000u + 2 * 2'400 + 3 * 1'900);
    tx.access_list.clear();
    tx.authorizations.resize(2);
    EXPECT_EQ(gas(Fork::Prague), 21'000u + 2 * 25'000);
}

// EIP-7623: a call with much data and little else pays the floor.
TEST(CheckTxAlone, the_floor_of_calldata_counts_beside_the_intrinsic_gas) {
    const Bytes data(1'000, 1);
    Tx tx = good(TxType::Legacy);
    tx.data = data;
    tx.gas = 21'000 + 40 * 1'000 - 1;
    EXPECT_TRUE(check_tx_alone(tx, rules_at(Fork::Cancun)));
    const auto checked = check_tx_alone(tx, rules_at(Fork::Prague));
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().verdict, Verdict::TxFloorGas);
    ++tx.gas;
    EXPECT_TRUE(check_tx_alone(tx, rules_at(Fork::Prague)));
}

TEST(CheckTxAlone, blobs_of_one_transaction_are_at_most_those_of_a_block) {
    Tx tx = good(TxType::Blob);
    tx.blob_hashes.assign(7, blob_hash());
    EXPECT_EQ(check_tx_alone(tx, rules_at(Fork::Cancun)).error().verdict,
              Verdict::TxBlobGasAboveAllowance);
    EXPECT_TRUE(check_tx_alone(tx, rules_at(Fork::Prague)));
    EXPECT_EQ(check_tx_alone(tx, rules_at(Fork::Osaka)).error().verdict, Verdict::TxTooManyBlobs);
    EXPECT_EQ(check_tx_alone(tx, rules_at(Fork::Bpo2)).error().verdict, Verdict::TxTooManyBlobs);
}

TEST(RejectUndecodable, names_the_faults_that_have_a_text_of_their_own) {
    Tx tx = good(TxType::Blob);
    Bytes raw;
    append_tx(raw, tx);
    Bytes network = core::from_hex("03").value();
    const size_t begin = core::rlp_begin_list(network);
    append(network, core::ByteView(raw).sub(1));
    for (int i = 0; i < 3; ++i) core::rlp_append_list_header(network, 0);
    core::rlp_end_list(network, begin);
    const auto sidecar = core::decode_tx(network);
    ASSERT_FALSE(sidecar);
    const Rejection with_sidecar = reject_undecodable(3, network, sidecar.error());
    EXPECT_EQ(with_sidecar.verdict, Verdict::TxBlobSidecar);
    EXPECT_EQ(with_sidecar.text, "unexpected blob sidecar in transaction at index 3");

    for (const TxType type : {TxType::Blob, TxType::SetCode}) {
        tx = good(type);
        tx.to.reset();
        raw.clear();
        append_tx(raw, tx);
        const auto create = core::decode_tx(raw);
        ASSERT_FALSE(create);
        EXPECT_EQ(reject_undecodable(0, raw, create.error()).verdict,
                  type == TxType::Blob ? Verdict::TxBlobCreate : Verdict::TxSetCodeCreate);
    }

    for (const Bytes& broken : {Bytes{}, Bytes{0x03}, Bytes{0x03, 0xc5, 1}, Bytes{0x04, 0xc1, 1},
                                Bytes{0x05, 0xc0}, Bytes{0xc1}}) {
        const auto decoded = core::decode_tx(broken);
        ASSERT_FALSE(decoded);
        const Rejection rejection = reject_undecodable(1, broken, decoded.error());
        EXPECT_EQ(rejection.verdict, Verdict::TxUndecodable);
        EXPECT_TRUE(rejection.text.starts_with("invalid transaction 1: ")) << rejection.text;
    }
}

}  // namespace
}  // namespace keel::chain
