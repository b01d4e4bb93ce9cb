// What goes into a block that is built: the best of the pool, as far as there is room.

#include "rpc/engine/builder.hpp"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include <stdexcept>

#include "chain/body_rules.hpp"
#include "chain/chain.hpp"
#include "chain/genesis.hpp"
#include "core/hex.hpp"
#include "crypto/keccak.hpp"
#include "crypto/secp256k1.hpp"
#include "db/open.hpp"
#include "rpc/dev/keys.hpp"
#include "state/tables.hpp"

namespace keel::rpc::engine {
namespace {

using core::U256;

constexpr std::string_view kConfig = R"({"chainId": 1, "homesteadBlock": 0, "eip150Block": 0,
"eip155Block": 0, "eip158Block": 0, "byzantiumBlock": 0, "constantinopleBlock": 0,
"petersburgBlock": 0, "istanbulBlock": 0, "berlinBlock": 0, "londonBlock": 0,
"mergeNetsplitBlock": 0, "terminalTotalDifficulty": 0, "shanghaiTime": 0, "cancunTime": 0,
"pragueTime": 0, "osakaTime": 0})";
constexpr uint64_t kGasLimit = 200'000'000;
constexpr uint64_t kGwei = 1'000'000'000;

/// A transaction of one of the known keys.
struct Wish {
    size_t key = 0;
    uint64_t nonce = 0;
    uint64_t tip_gwei = 1;
    size_t zeros = 0;  // bytes of data
};

core::Bytes sign(const Wish& wish) {
    // EIP-7623: ten gas a zero byte at least.
    constexpr uint64_t kFloorGasPerZero = 10;
    const core::Bytes data(wish.zeros, 0);
    core::Tx tx;
    tx.type = core::TxType::DynamicFee;
    tx.chain_id = U256(1);
    tx.nonce = wish.nonce;
    tx.max_fee = U256(100 * kGwei);
    tx.max_priority_fee = U256(wish.tip_gwei * kGwei);
    tx.gas = 21'000 + kFloorGasPerZero * wish.zeros;
    tx.to = dev::keys()[9].address;
    tx.data = data;
    core::Bytes message;
    core::encode_for_signing(message, tx);
    const auto signature = crypto::sign(crypto::keccak256(message), dev::keys()[wish.key].secret);
    core::set_signature(tx, signature.y_parity, signature.r, signature.s);
    core::Bytes raw;
    core::append_tx(raw, tx);
    return raw;
}

class Building : public testing::Test {
  protected:
    Building() {
        // Contracts that a block must find (EIP-7002, EIP-7251); these ask for nothing.
        std::string alloc = R"("00000961ef480eb55e80d19ad83579a64c007002": {"code": "0x00"},
"0000bbddc7ce488642fb579f8b00f3a590007251": {"code": "0x00"})";
        for (const dev::Key& key : dev::keys()) {
            alloc += fmt::format(R"(,"{}": {{"balance": "0x21e19e0c9bab2400000"}})",
                                 core::to_hex(key.address));
        }
        const std::string json = fmt::format(
            R"({{"config": {}, "difficulty": "0x0", "gasLimit": "{:#x}", "timestamp": "0x0",
"baseFeePerGas": "0x3b9aca00", "alloc": {{{}}}}})",
            kConfig, kGasLimit, alloc);
        chain::write_genesis(database, chain::parse_genesis(json, "test"));
    }
    void wait(const Wish& wish) {
        const auto hash = pool.add(sign(wish));
        ASSERT_TRUE(hash) << hash.error().message;
    }
    BuiltBlock build(std::optional<std::vector<core::Bytes>> txs = {}) {
        auto built = try_to_build(std::move(txs));
        if (!built) throw std::runtime_error(built.error().message);
        return *std::move(built);
    }
    Answer<BuiltBlock> try_to_build(std::optional<std::vector<core::Bytes>> txs = {}) {
        BuildTask task;
        task.attributes.timestamp = 12;
        task.attributes.withdrawals.emplace();
        task.attributes.parent_beacon_root.emplace();
        task.gas_limit_target = kGasLimit;
        task.txs = std::move(txs);
        const db::ReadTxn txn = database.begin_ro();
        return build_block(
            {.txn = txn, .tables = tables, .schedule = schedule, .worker = worker, .pool = &pool},
            task);
    }
    /// As a block that came from elsewhere would be.
    void expect_valid(const BuiltBlock& built) {
        core::Bytes rlp;
        core::append_block(rlp, built.block);
        chain::Chain chain(database, {});
        database.update([&](db::WriteTxn& txn) {
            auto sealed = crypto::seal(std::move(rlp)).value();
            const auto inserted = chain.insert_block(txn, sealed, chain::HeadRule::Never);
            EXPECT_TRUE(inserted) << inserted.error().text;
            chain.on_commit();
        });
    }
    /// (key, nonce) of each transaction, in the order of the block.
    static std::vector<std::pair<size_t, uint64_t>> order_of(const BuiltBlock& built) {
        std::vector<std::pair<size_t, uint64_t>> order;
        for (const pool::TxHandle& each : built.kept) {
            const auto index = dev::find_key(each->sender) - dev::keys().data();
            order.emplace_back(static_cast<size_t>(index), each->tx.nonce);
        }
        return order;
    }

    db::Database database = db::open_ephemeral(state::schema());
    state::Tables tables{database};
    chain::ForkSchedule schedule{chain::parse_chain_config(kConfig, "test")};
    pool::Pool pool{database, tables, schedule, {.tip_wei_min = 0, .fee_cap_wei = 0}};
    Worker worker;
};

TEST_F(Building, the_best_tip_comes_first_and_a_sender_in_the_order_of_its_nonces) {
    wait({.key = 0, .nonce = 0, .tip_gwei = 2});
    wait({.key = 0, .nonce = 1, .tip_gwei = 9});
    wait({.key = 1, .nonce = 0, .tip_gwei = 3});
    wait({.key = 1, .nonce = 1, .tip_gwei = 1});
    wait({.key = 2, .nonce = 0, .tip_gwei = 3});  // later than the equal one
    const BuiltBlock built = build();
    using Order = std::vector<std::pair<size_t, uint64_t>>;
    EXPECT_EQ(order_of(built), (Order{{1, 0}, {2, 0}, {0, 0}, {0, 1}, {1, 1}}));
    expect_valid(built);
}

// EIP-7934.
TEST_F(Building, a_block_is_never_longer_than_it_may_be) {
    constexpr size_t kZeros = 130'000;
    constexpr size_t kCount = 66;  // 8.58 MB
    for (size_t i = 0; i < kCount; ++i) wait({.key = i % 8, .nonce = i / 8, .zeros = kZeros});
    wait({.key = 8, .tip_gwei = 0, .zeros = 100});  // the last one, and short
    const BuiltBlock built = build();
    core::Bytes rlp;
    core::append_block(rlp, built.block);
    EXPECT_LE(rlp.size(), chain::kBlockBytesMax);
    EXPECT_GT(rlp.size(), chain::kBlockBytesMax - kZeros);
    EXPECT_EQ(order_of(built).back().first, 8U) << "the room that is left is used";
    expect_valid(built);

    std::vector<core::Bytes> all;
    for (size_t i = 0; i < kCount; ++i) {
        all.push_back(sign({.key = i % 8, .nonce = i / 8, .zeros = kZeros}));
    }
    const auto too_long = try_to_build(all);
    ASSERT_FALSE(too_long);
    EXPECT_NE(too_long.error().message.find("block RLP-encoded size exceeds maximum"),
              std::string::npos)
        << too_long.error().message;
}

}  // namespace
}  // namespace keel::rpc::engine
