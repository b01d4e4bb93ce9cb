#include "crypto/recover.hpp"

#include <gtest/gtest.h>

#include "crypto/keccak.hpp"
#include "crypto/seal.hpp"
#include "crypto/secp256k1.hpp"

namespace keel::crypto {
namespace {

using core::Fork;
using core::rules_of;

core::Hash32 private_key() {
    core::Hash32 key;
    key.bytes.fill(0x46);
    return key;
}

core::Tx signed_tx(core::TxType type) {
    core::Tx tx;
    tx.type = type;
    tx.chain_id = core::U256(1);
    tx.to = core::Address{};
    core::Bytes payload;
    core::encode_for_signing(payload, tx);
    const Signature signature = sign(keccak256(payload), private_key());
    core::set_signature(tx, signature.y_parity, signature.r, signature.s);
    return tx;
}

class EveryTxType : public testing::TestWithParam<core::TxType> {};

TEST_P(EveryTxType, is_recovered_to_its_signer) {
    EXPECT_EQ(recover_sender(signed_tx(GetParam()), rules_of(Fork::Osaka)),
              address_of(private_key()));
}

// EIP-2: (r, n - s, other parity) is the same signature, and only the low s is valid.
TEST_P(EveryTxType, with_a_high_s_is_refused) {
    core::Tx tx = signed_tx(GetParam());
    core::set_signature(tx, static_cast<uint8_t>(core::y_parity(tx) == 1 ? 0 : 1), tx.r,
                        kSecp256k1Order - tx.s);
    const auto sender = recover_sender(tx, rules_of(Fork::Osaka));
    ASSERT_FALSE(sender);
    EXPECT_EQ(sender.error(), SignatureError::WrongS);
}

INSTANTIATE_TEST_SUITE_P(Recover, EveryTxType,
                         testing::Values(core::TxType(0), core::TxType(1), core::TxType(2),
                                         core::TxType(3), core::TxType(4)));

TEST(Recover, a_chain_id_in_v_is_unknown_before_eip_155) {
    const core::Tx tx = signed_tx(core::TxType(0));
    const auto sender = recover_sender(tx, rules_of(Fork::Homestead));
    ASSERT_FALSE(sender);
    EXPECT_EQ(sender.error(), SignatureError::WrongV);
}

TEST(Recover, an_authorization_has_its_signer_or_none) {
    core::Authorization authorization;
    authorization.nonce = 3;
    core::Bytes payload;
    core::encode_for_signing(payload, authorization);
    const Signature signature = sign(keccak256(payload), private_key());
    authorization.r = signature.r;
    authorization.s = signature.s;
    authorization.y_parity = signature.y_parity;
    EXPECT_EQ(recover_authority(authorization), address_of(private_key()));
    authorization.y_parity = 2;
    EXPECT_EQ(recover_authority(authorization), std::nullopt);
}

TEST(Seal, carries_hashes_and_senders_of_what_it_was_given) {
    core::Block block;
    block.txs = {signed_tx(core::TxType(0)), signed_tx(core::TxType(2))};
    core::Bytes rlp;
    core::append_block(rlp, block);
    auto sealed = seal(rlp);
    ASSERT_TRUE(sealed);
    ASSERT_EQ(sealed->tx_hashes.size(), 2u);
    EXPECT_EQ(sealed->tx_hashes[1], keccak256(sealed->block.txs[1].raw));
    ASSERT_TRUE(recover_senders(*sealed, rules_of(Fork::Osaka)));
    EXPECT_EQ(sealed->senders, std::vector<core::Address>(2, address_of(private_key())));
    rlp.push_back(0);
    EXPECT_FALSE(seal(rlp));
}

}  // namespace
}  // namespace keel::crypto
