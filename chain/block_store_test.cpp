#include "chain/block_store.hpp"

#include <gtest/gtest.h>

#include "chain/bad_blocks.hpp"
#include "chain/receipts.hpp"
#include "core/fault.hpp"
#include "crypto/keccak.hpp"
#include "crypto/seal.hpp"
#include "db/open.hpp"

namespace keel::chain {
namespace {

using core::U256;

struct Store {
    db::Database database = db::open_ephemeral(state::schema());
    state::Tables tables{database};
};

core::Address address_of(uint8_t last) {
    core::Address address;
    address[19] = last;
    return address;
}

core::Block sample_block(size_t txs, bool withdrawals) {
    core::Block block;
    block.header.number = 7;
    block.header.parent_hash = crypto::keccak256("parent");
    for (size_t i = 0; i < txs; ++i) {
        core::Tx tx;
        tx.type = static_cast<core::TxType>(i % 3);
        tx.nonce = i;
        tx.gas = 21000;
        tx.to = address_of(static_cast<uint8_t>(i));
        tx.r = tx.s = U256(5);
        if (i % 3 != 0) tx.chain_id = U256(1);
        if (i % 3 == 0) tx.v = U256(27);
        block.txs.push_back(tx);
    }
    if (withdrawals) {
        block.header.base_fee = U256(7);
        block.header.withdrawals_root = core::kEmptyTrieRoot;
        core::Withdrawal withdrawal;
        withdrawal.index = 3;
        withdrawal.amount = 99;
        block.withdrawals = {withdrawal, withdrawal};
    }
    return block;
}

crypto::SealedBlock sealed_block(const core::Block& block) {
    core::Bytes rlp;
    core::append_block(rlp, block);
    return crypto::seal(std::move(rlp)).value();
}

TEST(BlockStore, gives_back_what_was_put) {
    for (const size_t txs : {size_t{0}, size_t{1}, size_t{7}}) {
        for (const bool withdrawals : {false, true}) {
            const Store store;
            core::Block block = sample_block(txs, withdrawals);
            if (!withdrawals) block.ommers = {block.header, block.header};
            crypto::SealedBlock sealed = sealed_block(block);
            for (size_t i = 0; i < txs; ++i) {
                sealed.senders.push_back(address_of(static_cast<uint8_t>(200 + i)));
            }
            const BlockId id{7, sealed.hash};
            store.database.update([&](db::WriteTxn& txn) {
                put_block(txn, store.tables, sealed, U256(1) << 100);
                const BlockReader reader(txn, store.tables);
                EXPECT_EQ(reader.id_of(sealed.hash), id);
                EXPECT_EQ(reader.header(id), sealed.block.header);
                EXPECT_EQ(reader.parent_of(id), (BlockId{6, sealed.block.header.parent_hash}));
                EXPECT_EQ(reader.total_difficulty(id), U256(1) << 100);
                EXPECT_EQ(reader.block_rlp(id), sealed.rlp);
                EXPECT_EQ(reader.block_size(id), sealed.rlp.size());
                EXPECT_EQ(reader.ommers(id), sealed.block.ommers);
                EXPECT_EQ(reader.withdrawals(id), sealed.block.withdrawals);
                EXPECT_EQ(reader.tx_count(id), txs);
                EXPECT_EQ(reader.tx_hashes(id), sealed.tx_hashes);
                for (size_t i = 0; i < txs; ++i) {
                    EXPECT_EQ(*reader.tx_raw(id, i), sealed.block.txs[i].raw);
                    EXPECT_EQ(reader.tx(id, i).nonce, i);
                    EXPECT_EQ(reader.sender(id, i), sealed.senders[i]);
                }
                EXPECT_FALSE(reader.tx_raw(id, txs).has_value());
                EXPECT_FALSE(reader.sender(id, txs).has_value());
                EXPECT_FALSE(reader.is_canonical(id));
            });
        }
    }
}

TEST(BlockStore, receipts_come_back_with_their_blooms) {
    const Store store;
    std::vector<core::Receipt> receipts(3);
    receipts[0].state_root = crypto::keccak256("root");
    receipts[0].cumulative_gas_used = 21000;
    receipts[1].success = true;
    receipts[1].type = core::TxType::DynamicFee;
    receipts[1].cumulative_gas_used = 50000;
    receipts[1].logs.resize(2);
    receipts[1].logs[0].address = address_of(9);
    receipts[1].logs[0].topics = {crypto::keccak256("a"), crypto::keccak256("b")};
    receipts[1].logs[1].data = core::Bytes(100, 0xee);
    receipts[2].cumulative_gas_used = 71000;
    fill_blooms(receipts);
    const BlockId id{1, crypto::keccak256("block")};
    store.database.update([&](db::WriteTxn& txn) {
        put_receipts(txn, store.tables, id, receipts);
        const BlockReader reader(txn, store.tables);
        ASSERT_EQ(reader.receipt_count(id), receipts.size());
        for (size_t i = 0; i < receipts.size(); ++i) {
            EXPECT_EQ(reader.receipt(id, i), receipts[i]);
            EXPECT_EQ(reader.cumulative_gas(id, i), receipts[i].cumulative_gas_used);
        }
        EXPECT_EQ(reader.receipt_count({2, id.hash}), 0u);
        EXPECT_THROW(reader.receipt(id, 3), core::Fault);
    });
}

TEST(BlockStore, canonical_rows_and_positions_come_and_go) {
    const Store store;
    const crypto::SealedBlock sealed = sealed_block(sample_block(3, false));
    const BlockId id{7, sealed.hash};
    store.database.update([&](db::WriteTxn& txn) {
        const BlockReader reader(txn, store.tables);
        EXPECT_THROW(reader.genesis_hash(), core::Fault);
        put_canonical(txn, store.tables, id, sealed.tx_hashes);
        EXPECT_EQ(reader.canonical_hash(7), id.hash);
        EXPECT_TRUE(reader.is_canonical(id));
        EXPECT_FALSE(reader.is_canonical({7, crypto::keccak256("other")}));
        EXPECT_EQ(reader.find_tx(sealed.tx_hashes[2])->number, 7u);
        EXPECT_EQ(reader.find_tx(sealed.tx_hashes[2])->index, 2u);
        remove_canonical(txn, store.tables, id, sealed.tx_hashes);
        EXPECT_FALSE(reader.canonical_hash(7).has_value());
        EXPECT_FALSE(reader.find_tx(sealed.tx_hashes[2]).has_value());

        EXPECT_FALSE(reader.safe().has_value());
        put_position(txn, store.tables, setting::kSafe, id);
        EXPECT_EQ(reader.safe(), id);
        put_position(txn, store.tables, setting::kSafe, std::nullopt);
        EXPECT_FALSE(reader.safe().has_value());
        EXPECT_EQ(reader.indexed(), 0u);
    });
}

TEST(BlockStore, a_damaged_body_is_said_with_its_block) {
    const Store store;
    const crypto::SealedBlock sealed = sealed_block(sample_block(3, false));
    const BlockId id{7, sealed.hash};
    store.database.update([&](db::WriteTxn& txn) {
        put_block(txn, store.tables, sealed, U256(1));
        core::Bytes key(8);
        key[7] = 7;
        core::append(key, id.hash);
        const core::Bytes body = txn.get(store.tables.block_body, key)->to_bytes();
        for (const size_t bytes : {size_t{0}, size_t{5}, size_t{16}, body.size() / 2}) {
            txn.put(store.tables.block_body, key, core::ByteView(body).sub(0, bytes));
            const BlockReader reader(txn, store.tables);
            EXPECT_THROW(reader.tx_raw(id, 2), core::Fault) << bytes;
            EXPECT_THROW(reader.block_rlp(id), core::Fault) << bytes;
        }
    });
}

TEST(BadBlocks, the_newest_512_marks_stay) {
    const Store store;
    const auto hash_of = [](size_t i) { return crypto::keccak256(std::to_string(i)); };
    store.database.update([&](db::WriteTxn& txn) {
        const core::Bytes rlp = {0xc0};
        for (size_t i = 0; i < kBadBlocksMax + 20; ++i) {
            BadBlock bad;
            bad.verdict = Verdict::StateRoot;
            bad.text = "text " + std::to_string(i);
            bad.last_valid = {i, hash_of(i + 1)};
            bad.producer = "keel 1";
            bad.rlp = rlp;
            put_bad_block(txn, store.tables, hash_of(i), bad);
        }
        EXPECT_EQ(txn.count(store.tables.bad_block), kBadBlocksMax);
        EXPECT_FALSE(find_bad_block(txn, store.tables, hash_of(19)).has_value());
        const auto bad = find_bad_block(txn, store.tables, hash_of(20));
        ASSERT_TRUE(bad.has_value());
        EXPECT_EQ(bad->verdict, Verdict::StateRoot);
        EXPECT_EQ(bad->text, "text 20");
        EXPECT_EQ(bad->last_valid, (BlockId{20, hash_of(21)}));
        EXPECT_EQ(bad->producer, "keel 1");
        EXPECT_EQ(bad->rlp, core::ByteView(rlp));
        const auto hashes = bad_block_hashes(txn, store.tables);
        ASSERT_EQ(hashes.size(), kBadBlocksMax);
        EXPECT_EQ(hashes.front(), hash_of(kBadBlocksMax + 19));
        EXPECT_EQ(hashes.back(), hash_of(20));
        delete_bad_block(txn, store.tables, hash_of(20));
        EXPECT_FALSE(find_bad_block(txn, store.tables, hash_of(20)).has_value());
    });
}

}  // namespace
}  // namespace keel::chain
