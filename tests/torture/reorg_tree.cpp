#include "tests/torture/reorg_tree.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "chain/genesis.hpp"
#include "core/files.hpp"
#include "core/hex.hpp"
#include "rpc/engine/builder.hpp"
#include "state/reader.hpp"
#include "testdata/make/cast.hpp"
#include "testdata/make/contracts.hpp"
#include "tests/support/fixtures.hpp"

namespace keel::tests::reorg {
namespace {

// Seconds; a block comes 1 to 12 behind its parent.
constexpr uint64_t kCancun = 60;
constexpr uint64_t kPrague = 120;
constexpr uint64_t kOsaka = 180;

const core::Bytes kContractCode = {0x60, 0x20, 0x35, 0x60, 0x00, 0x35, 0x55, 0x60,
                                   0x00, 0x35, 0x60, 0x00, 0x60, 0x00, 0xa1, 0x00};
// Makes a contract of the one byte fe.
const core::Bytes kCreation = {0x60, 0xfe, 0x60, 0x00, 0x53, 0x60, 0x01, 0x60, 0x00, 0xf3};
const testdata::Signer kSender("reorg sender");
constexpr uint64_t kDeepEvery = 20;      // so many-th trees are deep
constexpr uint64_t kDeepOnFixture = 12;  // there it is this seed of as many

std::string config_text() {
    return fmt::format(R"({{"chainId": {}, "homesteadBlock": 0, "eip150Block": 0,
      "eip155Block": 0, "eip158Block": 0, "byzantiumBlock": 0, "constantinopleBlock": 0,
      "petersburgBlock": 0, "istanbulBlock": 0, "berlinBlock": 0, "londonBlock": 0,
      "terminalTotalDifficulty": 0, "shanghaiTime": 0, "cancunTime": {}, "pragueTime": {},
      "osakaTime": {}, "depositContractAddress": "{}"}})",
                       testdata::kChainId, kCancun, kPrague, kOsaka,
                       core::to_hex_prefixed(testdata::contract::deposit()));
}

Hash32 write_own_genesis(const db::Database& database) {
    chain::Genesis genesis;
    genesis.config_json = config_text();
    genesis.config = chain::parse_chain_config(genesis.config_json, "reorg");
    genesis.gas_limit = 30'000'000;
    genesis.base_fee = core::U256(7);
    genesis.difficulty = core::U256(0);
    genesis.alloc[kSender.address].balance = testdata::kEther * core::U256(1'000'000);
    for (const PoolSender& each : pool_senders()) {
        genesis.alloc[each.signer.address].balance = testdata::kEther * core::U256(1'000'000);
    }
    genesis.alloc[contract()].code = kContractCode;
    namespace made = testdata::contract;
    genesis.alloc[made::beacon_roots()].code = testdata::beacon_roots_code();
    genesis.alloc[made::block_hashes()].code = testdata::block_hashes_code();
    genesis.alloc[made::withdrawal_requests()].code = testdata::withdrawal_requests_code();
    genesis.alloc[made::consolidation_requests()].code = testdata::consolidation_requests_code();
    for (size_t i = 0; i < kAccounts / 2; ++i) genesis.alloc[account(i)].balance = core::U256(1);
    return chain::write_genesis(database, genesis).hash;
}

crypto::SealedBlock seal(const core::Block& block) {
    core::Bytes rlp;
    core::append_block(rlp, block);
    return crypto::seal(std::move(rlp)).value();
}

/// The block with one fault in its header.
crypto::SealedBlock spoil(const crypto::SealedBlock& good, Random& random) {
    crypto::SealedBlock copy = crypto::seal(core::Bytes(good.rlp)).value();
    core::Header& header = copy.block.header;
    switch (below(random, 6)) {
        case 0:
            header.state_root[31] ^= 1;
            break;
        case 1:
            header.receipts_root[31] ^= 1;
            break;
        case 2:
            ++header.gas_used;
            break;
        case 3:
            header.base_fee = *header.base_fee + core::U256(1);
            break;
        case 4:
            header.gas_limit *= 2;
            break;
        default:
            header.bloom.bytes[0] ^= 1;
    }
    return seal(copy.block);
}

/// Raw transactions of a block.
std::vector<core::Bytes> raws_of(const crypto::SealedBlock& block) {
    std::vector<core::Bytes> raws;
    for (const core::Tx& tx : block.block.txs) raws.push_back(tx.raw.to_bytes());
    return raws;
}

core::Bytes read(const std::filesystem::path& path) {
    core::SystemFiles files;
    return core::read_file(files, path);
}

}  // namespace

core::Address account(size_t index) {
    return testdata::address_named(fmt::format("reorg account {}", index));
}

const core::Address& contract() {
    static const core::Address address = testdata::address_named("reorg contract");
    return address;
}

const std::vector<PoolSender>& pool_senders() {
    static const std::vector<PoolSender> all = [] {
        std::vector<PoolSender> senders;
        for (size_t i = 0; i < kPoolSenders; ++i) {
            PoolSender& sender =
                senders.emplace_back(testdata::Signer(fmt::format("reorg pool {}", i)));
            for (uint64_t nonce = 0; nonce < kPoolTxs; ++nonce) {
                testdata::TxPlan plan;
                plan.type = core::TxType::DynamicFee;
                plan.nonce = nonce;
                plan.to = account(nonce % kAccounts);
                plan.value = core::U256(1 + i);
                plan.gas = 21'000;
                sender.raws.push_back(testdata::sign_tx(sender.signer, plan));
            }
        }
        return senders;
    }();
    return all;
}

Ground own_ground() {
    return {.write_genesis = write_own_genesis};
}

std::optional<Ground> fixture_ground() {
    const auto set = fixture_set("hive-chains");
    if (!set) return std::nullopt;
    const std::filesystem::path folder = *set / "ethereum" / "sync" / "chain";
    Ground ground;
    ground.write_genesis = [folder](const db::Database& database) {
        const core::Bytes text = read(folder / "genesis.json");
        const auto genesis = chain::parse_genesis(core::ByteView(text).text(), "genesis.json");
        return chain::write_genesis(database, genesis).hash;
    };
    ground.genesis_is_work = true;
    const core::Bytes file = read(folder / "chain.rlp");
    core::RlpReader rest{core::ByteView(file)};
    while (!rest.at_end() && ground.chain.size() < kDepthMax) {
        ground.chain.push_back(crypto::seal(rest.item()->to_bytes()).value());
    }
    return ground;
}

Maker::Maker(const Ground& ground)
    : ground_(ground), database_(db::open_ephemeral(state::schema())) {
    genesis_hash_ = ground.write_genesis(database_);
    chain_.emplace(database_, chain::Chain::Options{});
}

crypto::SealedBlock Maker::child_of(const Hash32& parent, Random& random) {
    if (head_ != parent) change([&](db::WriteTxn& txn) { chain_->set_head(txn, parent); });
    crypto::SealedBlock sealed = make(random);
    take(sealed);
    return sealed;
}

void Maker::take(const crypto::SealedBlock& block) {
    change([&](db::WriteTxn& txn) {
        crypto::SealedBlock copy = crypto::seal(core::Bytes(block.rlp)).value();
        const auto inserted = chain_->insert_block(txn, copy, chain::HeadRule::Never);
        if (!inserted) throw std::runtime_error(inserted.error().text);
        chain_->set_head(txn, block.hash);
    });
    head_ = block.hash;
}

std::vector<core::Bytes> Maker::txs_behind(const db::ReadTxn& txn, Random& random) const {
    state::NewestState state(txn, chain_->tables());
    std::vector<core::Bytes> raws;
    const uint64_t height = chain::BlockReader(txn, chain_->tables()).head()->number;
    if (!ground_.chain.empty()) {
        // Those of the block that the fixture has here, as long as the branch has all before it.
        return height < ground_.chain.size() ? raws_of(ground_.chain[height]) : raws;
    }
    const uint64_t nonce = state.account(kSender.address)->nonce;
    for (uint64_t count = below(random, 4), i = 0; i < count; ++i) {
        testdata::TxPlan plan;
        plan.type = core::TxType::DynamicFee;
        plan.nonce = nonce + i;
        switch (below(random, 8)) {
            case 0:
                plan.data = kCreation;
                break;
            case 1:
                plan.to = account(below(random, kAccounts));
                plan.value = core::U256(1 + below(random, 1000));
                break;
            default: {
                // Few slots and values, zero among them: they are made, changed and cleared.
                plan.to = contract();
                plan.data.assign(64, 0);
                plan.data[31] = static_cast<uint8_t>(below(random, 12));
                plan.data[63] = static_cast<uint8_t>(below(random, 3));
            }
        }
        raws.push_back(testdata::sign_tx(kSender, plan));
    }
    // The same ones on every branch, some earlier, some later.
    for (const PoolSender& sender : pool_senders()) {
        uint64_t next = state.account(sender.signer.address)->nonce;
        for (uint64_t left = below(random, 3); left > 0 && next < sender.raws.size(); --left) {
            raws.push_back(sender.raws[next++]);
        }
    }
    return raws;
}

crypto::SealedBlock Maker::make(Random& random) {
    const db::ReadTxn txn = database_.begin_ro();
    const chain::BlockReader reader(txn, chain_->tables());
    const core::Header parent = reader.header(reader.head().value()).value();
    rpc::engine::BuildTask task;
    rpc::engine::PayloadAttributes& attributes = task.attributes;
    attributes.timestamp = parent.timestamp + 1 + below(random, 12);
    attributes.prev_randao[0] = static_cast<uint8_t>(random());  // siblings differ
    attributes.prev_randao[1] = static_cast<uint8_t>(random());
    attributes.fee_recipient = account(below(random, kAccounts));
    attributes.withdrawals.emplace();
    for (uint64_t left = below(random, 3); left > 0; --left) {
        core::Withdrawal& withdrawal = attributes.withdrawals->emplace_back();
        withdrawal.address = account(below(random, kAccounts));
        withdrawal.amount = below(random, 5);
    }
    const auto rules = chain_->schedule().at(parent.number + 1, attributes.timestamp, true).rules;
    if (rules.eip_4844) {
        attributes.parent_beacon_root.emplace().bytes[0] = static_cast<uint8_t>(random());
    }
    task.gas_limit = parent.gas_limit;
    task.txs = txs_behind(txn, random);
    const rpc::engine::BuildSite site{.txn = txn,
                                      .tables = chain_->tables(),
                                      .schedule = chain_->schedule(),
                                      .worker = worker_,
                                      .pool = nullptr};
    auto built = rpc::engine::build_block(site, task);
    if (!built && !ground_.chain.empty()) {
        task.txs->clear();
        built = rpc::engine::build_block(site, task);
    }
    if (!built) throw std::runtime_error(built.error().message);
    return seal(built->block);
}

Tree::Tree(uint64_t seed, const Ground& ground)
    : seed_(seed), ground_(ground), random_(seed), maker_(ground) {
    // A deep one now and then: one long branch with others on it.
    const bool is_deep =
        seed % kDeepEvery == (ground.chain.empty() ? kDeepEvery - 1 : kDeepOnFixture);
    if (!ground.chain.empty()) {
        const size_t most = is_deep ? ground.chain.size() : ground.chain.size() / 8;
        grow_trunk(1 + below(random_, most));
    }
    const size_t own =
        ground.chain.empty() ? kDepthMax / 4 + below(random_, kDepthMax * 3 / 4 + 1) : 0;
    for (size_t i = 0; is_deep && i < own; ++i) add(i == 0 ? kGenesis : i - 1);
    grow(is_deep ? 40 : 6 + below(random_, 30));
}

void Tree::grow_trunk(size_t length) {
    for (size_t i = 0; i < length; ++i) {
        const crypto::SealedBlock& block = ground_.chain[i];
        maker_.take(block);
        Made made;
        made.block = crypto::seal(core::Bytes(block.rlp)).value();
        made.parent = i == 0 ? kGenesis : i - 1;
        made.depth = i + 1;
        blocks.push_back(std::move(made));
    }
}

void Tree::grow(size_t count) {
    for (size_t i = 0; i < count; ++i) {
        // Mostly behind the last ones, so that branches grow, sometimes far back.
        const size_t all = blocks.size();
        const bool far = all == 0 || below(random_, 6) == 0;
        const size_t at =
            far ? below(random_, all + 1) : all - 1 - below(random_, std::min<size_t>(all, 5));
        add(at == all ? kGenesis : at);
    }
}

void Tree::add(size_t parent) {
    Made made;
    made.parent = parent;
    const bool is_root = parent == kGenesis;
    made.depth = is_root ? 1 : blocks[parent].depth + 1;
    const bool parent_valid = is_root || blocks[parent].chain_valid;
    if (parent_valid) {
        made.block =
            maker_.child_of(is_root ? maker_.genesis_hash() : blocks[parent].block.hash, random_);
        if (blocks.size() > 2 && made.depth < kDepthMax / 4 && below(random_, 6) == 0) {
            made.block = spoil(made.block, random_);
            made.is_valid = false;
        }
    } else {
        made.block = child_of_bad(blocks[parent].block);
    }
    made.chain_valid = parent_valid && made.is_valid;
    blocks.push_back(std::move(made));
}

// Nobody can execute it; its header fits its parent.
crypto::SealedBlock Tree::child_of_bad(const crypto::SealedBlock& parent) {
    crypto::SealedBlock copy = crypto::seal(core::Bytes(parent.rlp)).value();
    core::Header& header = copy.block.header;
    header.parent_hash = parent.hash;
    ++header.number;
    header.timestamp += 1 + below(random_, 5);
    header.mix_hash[2] = static_cast<uint8_t>(random_());
    return seal(copy.block);
}

}  // namespace keel::tests::reorg
