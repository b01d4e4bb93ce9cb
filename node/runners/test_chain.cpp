#include "node/runners/test_chain.hpp"

#include <fmt/format.h>

#include "chain/block_store.hpp"
#include "core/hex.hpp"
#include "db/open.hpp"
#include "node/runners/alloc.hpp"
#include "node/runners/network.hpp"
#include "state/codecs.hpp"
#include "state/reader.hpp"

namespace keel::node::runners {
namespace {

// Address space of a store: most tests write some KiB, the largest a few GiB of code.
constexpr uint64_t kStoreReserveBytes = uint64_t{16} << 30;
// A store is made anew after this many tests, so that the memory of a large one is given back.
constexpr unsigned kTestsAStore = 500;

}  // namespace

db::Database open_test_store() {
    return db::open_ephemeral(state::schema(), kStoreReserveBytes);
}

db::Database open_lmdb_test_store(const std::filesystem::path& directory) {
    std::filesystem::remove_all(directory);
    std::filesystem::create_directories(directory);
    db::OpenOptions open;
    open.directory = directory;
    open.durability = db::Durability::Close;
    open.schema = state::schema();
    return db::open(db::Backend::Lmdb, open);
}

const db::Database& ScratchStore::empty() {
    if (tests_++ % kTestsAStore == 0) {
        if (tests_ > 1) database_.close();
        database_ = open_test_store();
        return database_;
    }
    auto txn = database_.begin_rw();
    if (!txn) throw MalformedFixture("the store of the test has another writer");
    for (const db::TableSpec& table : state::schema())
        txn->clear_table(database_.table(table.name));
    txn->commit();
    return database_;
}

chain::Genesis read_genesis(const JsonObject& test, const chain::ChainConfig& config) {
    const JsonObject header = need_object(test, "genesisBlockHeader");
    chain::Genesis genesis;
    genesis.config = config;
    genesis.config_json = to_json(config);
    genesis.nonce = read_uint64(need(header, "nonce"));
    genesis.timestamp = read_uint64(need(header, "timestamp"));
    genesis.gas_limit = read_uint64(need(header, "gasLimit"));
    genesis.gas_used = read_uint64(need(header, "gasUsed"));
    genesis.extra_data = read_bytes(need(header, "extraData"));
    genesis.difficulty = read_u256(need(header, "difficulty"));
    genesis.mix_hash = read_hash(need(header, "mixHash"));
    genesis.parent_hash = read_hash(need(header, "parentHash"));
    genesis.coinbase = read_address(need_text(header, "coinbase"));
    genesis.alloc = read_alloc(need_object(test, "pre"));
    if (const auto base_fee = find(header, "baseFeePerGas")) {
        genesis.base_fee = read_u256(*base_fee);
    }
    if (const auto excess = find(header, "excessBlobGas")) {
        genesis.excess_blob_gas = read_uint64(*excess);
    }
    if (const auto used = find(header, "blobGasUsed")) genesis.blob_gas_used = read_uint64(*used);
    return genesis;
}

Alloc read_newest(const db::ReadTxn& txn, const state::Tables& tables) {
    Alloc alloc;
    state::NewestState state(txn, tables);
    db::Range rows = txn.range(tables.account);
    while (const auto row = rows.next()) {
        const core::Address address(row->key);
        const core::Account from = state::decode_slim_account(row->value);
        chain::GenesisAccount& account = alloc[address];
        account.balance = from.balance;
        account.nonce = from.nonce;
        if (from.code_hash != core::kEmptyCodeHash) {
            const auto code = state.code(from.code_hash);
            if (!code) throw MalformedFixture("the store has no code of an account");
            account.code = code->to_bytes();
        }
        state.each_slot(address, [&account](const core::U256& slot, const core::U256& value) {
            account.storage[slot] = value;
        });
    }
    return alloc;
}

std::optional<std::string> end_difference(const db::ReadTxn& txn, const state::Tables& tables,
                                          const JsonObject& test) {
    const chain::BlockReader blocks(txn, tables);
    const auto head = blocks.head();
    if (!head) return "there is no head";
    const core::Hash32 expected = read_hash(need(test, "lastblockhash"));
    if (head->hash != expected) {
        return fmt::format("head is block {} {}, expected {}", head->number,
                           core::to_hex_prefixed(head->hash), core::to_hex_prefixed(expected));
    }
    if (const auto root = find(test, "postStateHash")) {
        const auto header = blocks.header(*head);
        if (!header || header->state_root != read_hash(*root)) {
            return "state root of the head is not postStateHash";
        }
    }
    JsonObject post;
    if (test.at_key("postState").get(post) != simdjson::SUCCESS) return std::nullopt;
    return first_difference(read_alloc(post), read_newest(txn, tables));
}

}  // namespace keel::node::runners
