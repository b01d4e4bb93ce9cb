// What is kept of blocks against what is made anew (LESSONS.md E3: the twin without a cache), while
// blocks come and go.

#include "rpc/eth/block_facts.hpp"

#include <gtest/gtest.h>

#include <random>

#include "chain/receipts.hpp"
#include "core/hex.hpp"
#include "rpc/head_signal.hpp"
#include "rpc/testing/small_store.hpp"

namespace keel::rpc::eth {
namespace {

/// A store whose blocks have random transactions of all types and random logs; nothing is executed.
class RandomChain {
  public:
    explicit RandomChain(uint64_t seed) : random_(seed) {}

    uint64_t below(uint64_t limit) { return random_() % limit; }

    /// A block on `parent`, made canonical and the head.
    void add(SmallStore& store, const chain::BlockId& parent) {
        const std::vector<core::Tx> txs = random_txs();
        core::Block block;
        core::Header& header = block.header;
        header.number = parent.number + 1;
        header.parent_hash = parent.hash;
        header.timestamp = 1000 + below(1'000'000);
        header.gas_limit = 30'000'000;
        header.gas_used = below(30'000'000);
        if (below(4) > 0) header.base_fee = core::U256(below(1'000'000'000));
        if (header.base_fee && below(2) > 0) {
            header.withdrawals_root = core::kEmptyTrieRoot;
            header.blob_gas_used = 0;
            header.excess_blob_gas = below(10'000'000);
            header.parent_beacon_root = core::Hash32{};
            block.withdrawals.emplace();
        }
        block.txs = txs;
        core::Bytes rlp;
        core::append_block(rlp, block);
        auto sealed = crypto::seal(rlp);
        ASSERT_TRUE(sealed) << core::to_string(sealed.error());
        for (size_t i = 0; i < txs.size(); ++i) sealed->senders.push_back(random<core::Address>());
        const chain::BlockId id{header.number, sealed->hash};
        const std::vector<core::Receipt> receipts = random_receipts(txs);
        store.database.update([&](db::WriteTxn& txn) {
            chain::put_block(txn, store.tables, *sealed, core::U256(0));
            chain::put_receipts(txn, store.tables, id, receipts);
            chain::put_canonical(txn, store.tables, id, sealed->tx_hashes);
            chain::put_position(txn, store.tables, chain::setting::kHead, id);
        });
        stored_.push_back({id, sealed->tx_hashes, receipts});
        canonical_.push_back(stored_.size() - 1);
    }
    /// The newest canonical block stays stored, but is no longer part of the chain.
    void unwind(SmallStore& store, const chain::BlockId& base) {
        const Stored gone = stored_[canonical_.back()];
        canonical_.pop_back();
        store.database.update([&](db::WriteTxn& txn) {
            chain::remove_canonical(txn, store.tables, gone.id, gone.tx_hashes);
            chain::put_position(txn, store.tables, chain::setting::kHead, head(base));
        });
    }
    chain::BlockId head(const chain::BlockId& base) const {
        return canonical_.empty() ? base : stored_[canonical_.back()].id;
    }
    size_t canonical() const { return canonical_.size(); }

    /// Any call that reads blocks, as method and parameters.
    std::pair<std::string, std::string> random_call() {
        const Stored& block = stored_[below(stored_.size())];
        const std::string hash = core::to_hex_prefixed(block.id.hash);
        const std::string number = "0x" + std::to_string(3 + below(5));
        const std::string tx = core::to_hex_prefixed(
            block.tx_hashes.empty() ? block.id.hash
                                    : block.tx_hashes[below(block.tx_hashes.size())]);
        switch (below(8)) {
            case 0:
                return {"eth_getBlockByHash", "[\"" + hash + "\",false]"};
            case 1:
                return {"eth_getBlockByHash", "[\"" + hash + "\",true]"};
            case 2:
                return {"eth_getBlockByNumber", "[\"" + number + "\",true]"};
            case 3:
                return {"eth_getBlockReceipts", "[\"" + hash + "\"]"};
            case 4:
                return {"eth_getTransactionReceipt", "[\"" + tx + "\"]"};
            case 5:
                return {"eth_getTransactionByHash", "[\"" + tx + "\"]"};
            case 6:
                return {"eth_getLogs", "[{\"blockHash\":\"" + hash + "\"}]"};
            default:
                return {"eth_getLogs", "[{\"fromBlock\":\"0x3\",\"toBlock\":\"latest\"}]"};
        }
    }
    struct Stored {
        chain::BlockId id;
        std::vector<core::Hash32> tx_hashes;
        std::vector<core::Receipt> receipts;
    };
    const std::vector<Stored>& stored() const { return stored_; }

  private:
    template <class Fixed>
    Fixed random() {
        // Few values: contracts and topics repeat.
        return filled<Fixed>(static_cast<uint8_t>(below(5)));
    }
    core::Bytes random_bytes(size_t max) {
        core::Bytes bytes(below(max + 1));
        for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random_());
        return bytes;
    }
    std::vector<core::Tx> random_txs() {
        std::vector<core::Tx> txs(below(12));
        for (core::Tx& tx : txs) {
            tx.type = static_cast<core::TxType>(below(4));
            if (tx.type != core::TxType::Legacy) tx.chain_id = core::U256(1);
            tx.nonce = random_();
            tx.max_fee = core::U256(below(3'000'000'000));
            const bool has_one_price = tx.type < core::TxType::DynamicFee;
            tx.max_priority_fee = has_one_price ? tx.max_fee : core::U256(below(2'000'000'000));
            tx.gas = below(1'000'000);
            if (tx.type == core::TxType::Blob || below(3) > 0) tx.to = random<core::Address>();
            if (tx.type == core::TxType::Blob) tx.blob_hashes.resize(1 + below(3));
            data_.push_back(random_bytes(100));
            tx.data = data_.back();
            tx.v = core::U256(tx.type == core::TxType::Legacy ? 27 : 1);
            tx.r = core::U256(random_(), random_(), random_(), below(2) * random_());
            tx.s = core::U256(random_());
        }
        return txs;
    }
    std::vector<core::Receipt> random_receipts(const std::vector<core::Tx>& txs) {
        std::vector<core::Receipt> receipts(txs.size());
        uint64_t gas = 0;
        for (size_t i = 0; i < receipts.size(); ++i) {
            core::Receipt& receipt = receipts[i];
            receipt.type = txs[i].type;
            if (below(5) == 0) receipt.state_root = random<core::Hash32>();
            receipt.success = !receipt.state_root && below(2) > 0;
            receipt.cumulative_gas_used = gas += below(100'000);
            receipt.logs.resize(below(4));
            for (core::Log& log : receipt.logs) {
                log.address = random<core::Address>();
                log.topics.resize(below(5));
                for (core::Hash32& topic : log.topics) topic = random<core::Hash32>();
                log.data = random_bytes(70);
            }
        }
        return receipts;
    }

    std::mt19937_64 random_;
    std::vector<Stored> stored_;
    std::vector<size_t> canonical_;  // indexes into stored_
    std::deque<core::Bytes> data_;
};

TEST(BlockFacts, an_answer_with_a_cache_is_the_answer_without) {
    SmallStore store;
    const chain::BlockId base = store.blocks.back();
    HeadSignal signal;
    const Backend without = store.backend;
    RandomChain chain(1);
    size_t compared = 0;
    for (size_t step = 0; step < 300; ++step) {
        if (chain.canonical() == 0 || (chain.canonical() < 6 && chain.below(3) > 0)) {
            chain.add(store, chain.head(base));
        } else {
            chain.unwind(store, base);
        }
        for (int i = 0; i < 4; ++i) {
            const auto [method, params] = chain.random_call();
            store.backend.head_signal = &signal;
            const std::string with = store.call(method, params);
            store.backend.head_signal = nullptr;
            ASSERT_EQ(with, store.call(method, params)) << method << params;
            ++compared;
        }
    }
    EXPECT_EQ(compared, 1200U);
    EXPECT_GT(signal.facts().tx_hashes.size(), 20U);
    EXPECT_GT(signal.facts().receipts.size(), 20U);
}

TEST(BlockFacts, blooms_and_log_indexes_are_those_of_the_receipts) {
    SmallStore store;
    const chain::BlockId base = store.blocks.back();
    RandomChain chain(2);
    for (int i = 0; i < 50; ++i) chain.add(store, chain.head(base));
    const db::ReadTxn txn = store.database.begin_ro();
    const chain::BlockReader reader(txn, store.tables);
    for (const RandomChain::Stored& stored : chain.stored()) {
        const chain::BlockView block(txn, store.tables, stored.id);
        const ReceiptFacts facts(block);
        std::vector<core::Receipt> receipts = stored.receipts;
        chain::fill_blooms(receipts);
        EXPECT_EQ(*tx_hashes_of(block, nullptr), stored.tx_hashes);
        ASSERT_EQ(block.receipt_count(), receipts.size());
        uint64_t logs = 0;
        for (size_t i = 0; i < receipts.size(); ++i) {
            const chain::ReceiptView receipt = block.receipt(i);
            EXPECT_EQ(facts.bloom(i), receipts[i].bloom);
            EXPECT_EQ(bloom_of(block, receipt.logs), receipts[i].bloom);
            EXPECT_EQ(facts.first_log(i), logs);
            EXPECT_EQ(logs_before(block, i), logs);
            logs += receipts[i].logs.size();
            const core::Tx tx = reader.tx(stored.id, i);
            const chain::TxHead head = block.tx_head(i);
            EXPECT_EQ(head.type, tx.type);
            EXPECT_EQ(head.nonce, tx.nonce);
            EXPECT_EQ(head.max_fee, tx.max_fee);
            EXPECT_EQ(head.max_priority_fee, tx.max_priority_fee);
            EXPECT_EQ(head.to.empty(), !tx.to.has_value());
            EXPECT_EQ(head.blob_count, tx.blob_hashes.size());
        }
    }
}

TEST(BlockCache, the_bound_holds) {
    BlockCache<int> cache(160);
    for (uint8_t i = 0; i < 250; ++i) {
        cache.put(filled<core::Hash32>(i), std::make_shared<const int>(i), 5);
    }
    // Two of weight 5 in each of 16 parts.
    EXPECT_EQ(cache.size(), 32U);
    EXPECT_EQ(cache.find(filled<core::Hash32>(3)), nullptr);
    ASSERT_NE(cache.find(filled<core::Hash32>(249)), nullptr);
    EXPECT_EQ(*cache.find(filled<core::Hash32>(249)), 249);
    // What is heavier than all else stays until the next one comes.
    cache.put(filled<core::Hash32>(250), std::make_shared<const int>(250), 1000);
    EXPECT_NE(cache.find(filled<core::Hash32>(250)), nullptr);
    EXPECT_EQ(cache.find(filled<core::Hash32>(234)), nullptr);
}

TEST(BlockCache, what_is_asked_for_twice_is_wanted) {
    BlockCache<int> cache(1);
    EXPECT_FALSE(cache.is_wanted_again(filled<core::Hash32>(7)));
    EXPECT_TRUE(cache.is_wanted_again(filled<core::Hash32>(7)));
    EXPECT_FALSE(cache.is_wanted_again(filled<core::Hash32>(8)));
}

}  // namespace
}  // namespace keel::rpc::eth
