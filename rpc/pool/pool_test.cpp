// What the pool takes and refuses. Transactions are signed by secp256k1 with keys of the test.

#include "rpc/pool/pool.hpp"

#include <gtest/gtest.h>

#include <secp256k1.h>
#include <secp256k1_recovery.h>

#include <array>

#include "crypto/keccak.hpp"
#include "crypto/recover.hpp"
#include "rpc/testing/small_store.hpp"

namespace keel::rpc::pool {
namespace {

using core::U256;

/// A key and the account that it makes.
class Wallet {
  public:
    explicit Wallet(uint8_t byte) { key_.fill(byte); }
    static core::Tx plain(uint64_t nonce) {
        core::Tx tx;
        tx.type = core::TxType::DynamicFee;
        tx.chain_id = U256(1);
        tx.nonce = nonce;
        tx.max_fee = U256(2'000'000'000);
        tx.max_priority_fee = U256(1'000'000'000);
        tx.gas = 21'000;
        tx.to = filled<core::Address>(0x42);
        return tx;
    }
    core::Bytes sign(core::Tx tx) const {
        core::Bytes message;
        encode_for_signing(message, tx);
        const core::Hash32 digest = crypto::keccak256(message);
        secp256k1_context* const context = secp256k1_context_create(SECP256K1_CONTEXT_SIGN);
        secp256k1_ecdsa_recoverable_signature signature;
        EXPECT_EQ(secp256k1_ecdsa_sign_recoverable(context, &signature, digest.data(), key_.data(),
                                                   nullptr, nullptr),
                  1);
        std::array<uint8_t, 64> compact{};
        int parity = 0;
        secp256k1_ecdsa_recoverable_signature_serialize_compact(context, compact.data(), &parity,
                                                                &signature);
        secp256k1_context_destroy(context);
        set_signature(tx, static_cast<uint8_t>(parity), U256::load_be32(compact.data()),
                      U256::load_be32(compact.data() + 32));
        core::Bytes raw;
        append_tx(raw, tx);
        return raw;
    }

  private:
    std::array<uint8_t, 32> key_{};
};

class PoolTest : public testing::Test {
  protected:
    PoolTest() {
        const PooledTx decoded = *decode_network_form(wallet.sign(Wallet::plain(0)));
        sender = *crypto::recover_sender(decoded.tx, core::rules_of(core::Fork::Cancun));
        fund(U256(1'000'000'000'000'000'000), 0);
    }
    void fund(const U256& wei, uint64_t nonce) {
        store.database.update([&](db::WriteTxn& txn) {
            core::Bytes row;
            state::append_slim_account(row, {.nonce = nonce, .balance = wei});
            txn.put(store.tables.account, sender, row);
        });
    }
    std::string refusal(const core::Tx& tx) {
        const auto added = pool.add(wallet.sign(tx));
        return added ? "" : added.error().message;
    }
    size_t pending() {
        const Content content = pool.content();
        return content.pending.empty() ? 0 : content.pending.begin()->second.size();
    }
    size_t queued() {
        const Content content = pool.content();
        return content.queued.empty() ? 0 : content.queued.begin()->second.size();
    }

    SmallStore store;
    Pool pool{store.database, store.tables, store.schedule, {}};
    Wallet wallet{7};
    core::Address sender;
};

TEST_F(PoolTest, gaps_wait_until_they_are_filled) {
    for (const uint64_t nonce : {0U, 2U, 3U}) EXPECT_EQ(refusal(Wallet::plain(nonce)), "");
    EXPECT_EQ(pending(), 1U);
    EXPECT_EQ(queued(), 2U);
    EXPECT_EQ(pool.next_nonce(sender), 1U);
    EXPECT_EQ(refusal(Wallet::plain(1)), "");
    EXPECT_EQ(pending(), 4U);
    EXPECT_EQ(queued(), 0U);
    EXPECT_EQ(pool.next_nonce(sender), 4U);
}

TEST_F(PoolTest, so_many_wait_behind_a_gap_whatever_can_be_executed) {
    const size_t limit = PoolOptions{}.queued_of_sender_max;
    for (uint64_t nonce = 0; nonce < limit + 10; ++nonce) {
        ASSERT_EQ(refusal(Wallet::plain(nonce)), "");
    }
    const uint64_t gap = limit + 10;
    for (uint64_t i = 1; i <= limit; ++i) ASSERT_EQ(refusal(Wallet::plain(gap + i)), "");
    EXPECT_EQ(refusal(Wallet::plain(gap + limit + 1)), "txpool is full");
    EXPECT_EQ(refusal(Wallet::plain(gap)), "");
    EXPECT_EQ(pending(), gap + limit + 1);
}

TEST_F(PoolTest, refusals_have_the_words_that_tools_look_for) {
    EXPECT_EQ(refusal(Wallet::plain(0)), "");
    EXPECT_EQ(refusal(Wallet::plain(0)), "already known");
    const auto with = [](const auto& change) {
        core::Tx tx = Wallet::plain(1);
        change(tx);
        return tx;
    };
    const auto says = [&](const core::Tx& tx, const std::string& words) {
        const std::string text = refusal(tx);
        EXPECT_NE(text.find(words), std::string::npos) << text << " / " << words;
    };
    says(with([](core::Tx& tx) { tx.gas = 20'000; }), "intrinsic gas too low");
    says(with([](core::Tx& tx) { tx.gas = 31'000'000; }), "exceeds block gas limit");
    says(with([](core::Tx& tx) { tx.chain_id = U256(2); }), "invalid sender");
    says(with([](core::Tx& tx) { tx.value = U256(1'000'000'000'000'000'000); }),
         "insufficient funds for gas * price + value");
    says(with([](core::Tx& tx) { tx.max_priority_fee = U256(3'000'000'000); }),
         "max priority fee per gas higher than max fee per gas");
    says(with([](core::Tx& tx) { tx.max_priority_fee = U256{}; }), "below minimum");
    says(with([](core::Tx& tx) { tx.max_fee = U256(1'000'000'000'000'000); }),
         "exceeds the configured cap");
    says(with([](core::Tx& tx) { tx.nonce = UINT64_MAX; }), "nonce has max value");
    fund(U256(1'000'000'000'000'000'000), 5);
    says(with([](core::Tx&) {}), "nonce too low: next nonce 5, tx nonce 1");
    const core::Bytes garbage = {0xc1, 0x80};
    EXPECT_TRUE(pool.add(garbage).error().message.starts_with("rlp: "));
    EXPECT_EQ(pool.add(core::Bytes{0x7f, 0x01}).error().message, "transaction type not supported");
}

TEST_F(PoolTest, a_replacement_must_offer_a_tenth_more) {
    EXPECT_EQ(refusal(Wallet::plain(0)), "");
    core::Tx tx = Wallet::plain(0);
    tx.max_fee = U256(2'199'999'999);
    tx.max_priority_fee = U256(1'100'000'000);
    EXPECT_TRUE(refusal(tx).starts_with("replacement transaction underpriced"));
    tx.max_fee = U256(2'200'000'000);
    tx.max_priority_fee = U256(1'099'999'999);
    EXPECT_TRUE(refusal(tx).starts_with("replacement transaction underpriced"));
    tx.max_priority_fee = U256(1'100'000'000);
    EXPECT_EQ(refusal(tx), "");
    EXPECT_EQ(pending(), 1U);
    EXPECT_EQ(pool.content().pending[sender][0]->tx.max_fee, U256(2'200'000'000));
}

TEST_F(PoolTest, the_cheapest_makes_room) {
    Pool small(store.database, store.tables, store.schedule, {.txs_max = 2});
    core::Tx cheap = Wallet::plain(0);
    cheap.max_priority_fee = U256(5);
    EXPECT_TRUE(small.add(wallet.sign(cheap)));
    cheap.nonce = 1;
    EXPECT_TRUE(small.add(wallet.sign(cheap)));
    cheap.nonce = 2;
    EXPECT_EQ(small.add(wallet.sign(cheap)).error().message, "transaction underpriced");
    EXPECT_TRUE(small.add(wallet.sign(Wallet::plain(2))));
    EXPECT_EQ(small.content().pending[sender].size(), 1U);
}

TEST_F(PoolTest, blobs_need_their_sidecar) {
    core::Tx tx = Wallet::plain(0);
    tx.type = core::TxType::Blob;
    tx.max_fee_per_blob_gas = U256(1);
    tx.blob_hashes = {filled<core::Hash32>(1)};
    EXPECT_EQ(refusal(tx), "missing sidecar in blob transaction");
}

}  // namespace
}  // namespace keel::rpc::pool
