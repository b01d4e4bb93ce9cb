// Upstream's small sets: RLP, genesis, difficulty, paths and neighbours in tries, keys and
// signatures, sizes of proof of work. Every file of ethereum-tests' BasicTests, GenesisTests,
// RLPTests, TrieTests and PoWTests is read here or beside the code that it is about; the ones that
// nothing reads are listed, with the reason, in kLeftOut. Source: fixtures/README.md 4.6, 4.7.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "chain/ethash_difficulty.hpp"
#include "chain/fork_schedule.hpp"
#include "chain/genesis.hpp"
#include "core/hex.hpp"
#include "core/types/block.hpp"
#include "crypto/ethash.hpp"
#include "crypto/keccak.hpp"
#include "crypto/secp256k1.hpp"
#include "db/open.hpp"
#include "state/trie/nibbles.hpp"
#include "tests/support/fixtures.hpp"

namespace keel::tests {
namespace {

using core::Bytes;
using core::ByteView;
using core::U256;
using nlohmann::json;

class BasicFixtures : public ::testing::Test {
  public:
    void SetUp() override {
        const auto set = fixture_set("ethereum-tests");
        if (!set) GTEST_SKIP() << "needs the fixture set ethereum-tests";
        root = *set;
    }
    json read(const std::string& name) const {
        std::ifstream stream(root / name);
        return json::parse(stream);
    }
    std::filesystem::path root;
};

Bytes bytes_of(const json& text) {
    const auto bytes = core::from_hex(text.get<std::string>());
    if (!bytes) throw std::runtime_error("not hex: " + text.get<std::string>());
    return *bytes;
}

U256 number_of(const json& value) {
    if (value.is_number()) return value.get<uint64_t>();
    const auto text = value.get<std::string>();
    const auto number = text.empty() || text == "0x" ? U256() : U256::parse(text);
    if (!number) throw std::runtime_error("not a number: " + text);
    return *number;
}

core::Hash32 hash_of(const json& text) {
    return core::Hash32(ByteView(bytes_of(text)));
}

// --- RLP ---

// The one number of these tests that is wider than every field of the protocol: 2^256.
constexpr std::string_view kTwoTo256 =
    "#115792089237316195423570985008687907853269984665640564039457584007913129639936";

void append_value(Bytes& to, const json& value) {
    if (value.is_array()) {
        const size_t begin = core::rlp_begin_list(to);
        for (const json& item : value) append_value(to, item);
        core::rlp_end_list(to, begin);
    } else if (value.is_number()) {
        core::rlp_append_uint(to, value.get<uint64_t>());
    } else if (const auto text = value.get<std::string>(); text == kTwoTo256) {
        Bytes number(33);
        number[0] = 1;
        core::rlp_append_string(to, number);
    } else if (text.starts_with('#')) {
        core::rlp_append_uint(to, number_of(text.substr(1)));
    } else {
        core::rlp_append_string(to, text);
    }
}

/// Walks over an item and all in it; what it wrote is what it read.
core::RlpResult<void> copy_item(core::RlpReader& from, Bytes& to) {
    if (!from.next_is_list()) {
        const auto text = from.string();
        if (!text) return core::unexpected(text.error());
        core::rlp_append_string(to, *text);
        return {};
    }
    auto list = from.list();
    if (!list) return core::unexpected(list.error());
    const size_t begin = core::rlp_begin_list(to);
    while (!list->at_end()) {
        if (auto copied = copy_item(*list, to); !copied) return copied;
    }
    core::rlp_end_list(to, begin);
    return {};
}

/// Whether the bytes are one item in the shortest form, and no more.
bool is_strict_rlp(const Bytes& bytes) {
    core::RlpReader reader{ByteView(bytes)};
    Bytes copy;
    return copy_item(reader, copy) && reader.at_end() && copy == bytes;
}

TEST_F(BasicFixtures, rlp_of_values_both_ways) {
    size_t count = 0;
    const json document = read("RLPTests/rlptest.json");
    for (const auto& [name, test] : document.items()) {
        SCOPED_TRACE(name);
        const Bytes expected = bytes_of(test["out"]);
        Bytes encoded;
        append_value(encoded, test["in"]);
        EXPECT_EQ(encoded, expected);
        EXPECT_TRUE(is_strict_rlp(expected));
        ++count;
    }
    EXPECT_EQ(count, 28u);
}

TEST_F(BasicFixtures, rlp_that_is_not_strict_is_refused) {
    size_t count = 0;
    for (const char* const file : {"invalidRLPTest.json", "RandomRLPTests/example.json"}) {
        const json document = read(std::string("RLPTests/") + file);
        for (const auto& [name, test] : document.items()) {
            SCOPED_TRACE(name);
            EXPECT_EQ(is_strict_rlp(bytes_of(test["out"])), test["in"] == "VALID");
            ++count;
        }
    }
    EXPECT_EQ(count, 26u + 1u);
}

// --- Genesis ---

TEST_F(BasicFixtures, genesis_blocks_have_the_expected_bytes) {
    size_t count = 0;
    const json document = read("GenesisTests/basic_genesis_tests.json");
    for (const auto& [name, test] : document.items()) {
        SCOPED_TRACE(name);
        chain::Genesis genesis;
        genesis.config = *chain::config_of_network("Frontier");
        genesis.nonce = number_of(test["nonce"]).low64();
        genesis.timestamp = number_of(test["timestamp"]).low64();
        genesis.gas_limit = number_of(test["gasLimit"]).low64();
        genesis.difficulty = number_of(test["difficulty"]);
        genesis.extra_data = bytes_of(test["extraData"]);
        genesis.mix_hash = hash_of(test["mixHash"]);
        genesis.parent_hash = hash_of(test["parentHash"]);
        genesis.coinbase = core::Address(ByteView(bytes_of(test["coinbase"])));
        for (const auto& [address, from] : test["alloc"].items()) {
            chain::GenesisAccount& account =
                genesis.alloc[core::Address(ByteView(bytes_of(address)))];
            // An older name of the balance.
            account.balance = number_of(from.value("balance", from.value("wei", "")));
            account.nonce = number_of(from.value("nonce", "")).low64();
            account.code = bytes_of(from.value("code", ""));
            if (!from.contains("storage")) continue;
            for (const auto& [slot, value] : from["storage"].items()) {
                account.storage[number_of(slot)] = number_of(value);
            }
        }
        core::Block block;
        block.header = chain::genesis_header(genesis, chain::genesis_state_root(genesis));
        Bytes rlp;
        core::append_block(rlp, block);
        EXPECT_EQ(core::to_hex(rlp), core::to_hex(bytes_of(test["result"])));
        ++count;
    }
    EXPECT_EQ(count, 3u);
}

TEST_F(BasicFixtures, genesis_of_mainnet_has_its_hash) {
    const json test = read("BasicTests/genesishashestest.json");
    const Bytes rlp = bytes_of(test["genesis_rlp_hex"]);
    const auto block = core::decode_block(ByteView(rlp));
    ASSERT_TRUE(block);
    EXPECT_EQ(block->header.state_root, hash_of(test["genesis_state_root"]));
    Bytes header;
    core::append_header(header, block->header);
    EXPECT_EQ(crypto::keccak256(header), hash_of(test["genesis_hash"]));
}

// --- Difficulty ---

struct DifficultyFile {
    const char* name;
    std::optional<uint64_t> homestead, byzantium, constantinople;
    size_t entries;
};

// Rules by block of the chains that the files are named after.
constexpr DifficultyFile kDifficultyFiles[] = {
    {"difficulty", 1'150'000, 4'370'000, {}, 14},
    {"difficultyMainNetwork", 1'150'000, 4'370'000, {}, 2254},
    {"difficultyRopsten", 0, 1'700'000, 4'230'000, 2254},
};

TEST_F(BasicFixtures, difficulties_of_public_chains) {
    for (const DifficultyFile& file : kDifficultyFiles) {
        chain::ChainConfig config;
        config.homestead = file.homestead;
        config.byzantium = file.byzantium;
        config.constantinople = config.petersburg = file.constantinople;
        const chain::ForkSchedule schedule(config);
        size_t count = 0;
        const json document = read(std::string("BasicTests/") + file.name + ".json");
        for (const auto& [name, test] : document.items()) {
            const uint64_t number = number_of(test["currentBlockNumber"]).low64();
            const uint64_t timestamp = number_of(test["currentTimestamp"]).low64();
            const U256 ommers = number_of(test.value("parentUncles", "0x00"));
            const bool has_ommers =
                !ommers.is_zero() && ommers != U256::load_be32(core::kEmptyOmmersHash.data());
            const chain::DifficultyInput input{
                .number = number,
                .timestamp = timestamp,
                .parent_timestamp = number_of(test["parentTimestamp"]).low64(),
                .parent_difficulty = number_of(test["parentDifficulty"]),
                .parent_has_ommers = has_ommers};
            EXPECT_EQ(chain::ethash_difficulty(input, schedule.at(number, timestamp, false).rules),
                      number_of(test["currentDifficulty"]))
                << file.name << ' ' << name;
            ++count;
        }
        EXPECT_EQ(count, file.entries) << file.name;
    }
}

// --- Tries ---

TEST_F(BasicFixtures, paths_in_hex_prefix_form_both_ways) {
    size_t count = 0;
    const json document = read("BasicTests/hexencodetest.json");
    for (const auto& [name, test] : document.items()) {
        SCOPED_TRACE(name);
        const Bytes nibbles = test["seq"].get<Bytes>();
        const Bytes packed = bytes_of(test["out"]);
        const bool leaf = test["term"].get<bool>();
        Bytes encoded;
        state::append_hex_prefix(encoded, nibbles, leaf);
        EXPECT_EQ(encoded, packed);
        const auto path = state::parse_hex_prefix(packed);
        ASSERT_TRUE(path);
        EXPECT_EQ(path->leaf, leaf);
        Bytes unpacked(path->nibbles);
        path->unpack(unpacked.data());
        EXPECT_EQ(unpacked, nibbles);
        ++count;
    }
    EXPECT_EQ(count, 12u);
}

// Our tries are walked by the store's cursors: neighbours are a matter of its order.
TEST_F(BasicFixtures, neighbours_of_keys_in_their_order) {
    const json test = read("TrieTests/trietestnextprev.json")["basic"];
    const db::Database database = db::open_ephemeral({{.name = "Keys"}});
    auto txn = database.begin_rw();
    ASSERT_TRUE(txn);
    const db::Table table = database.table("Keys");
    for (const json& key : test["in"]) txn->put(table, key.get<std::string>(), "");
    size_t count = 0;
    for (const json& entry : test["tests"]) {
        const auto key = entry[0].get<std::string>();
        SCOPED_TRACE(key);
        auto cursor = txn->cursor(table);
        const auto text = [](const db::Hit& hit) {
            return hit ? std::string(hit->key.text()) : std::string();
        };
        db::Hit next = cursor.seek(key);
        if (next && next->key == ByteView(key)) next = cursor.next();
        EXPECT_EQ(text(next), entry[2].get<std::string>());
        db::Hit previous = cursor.seek(key) ? cursor.prev() : cursor.last();
        EXPECT_EQ(text(previous), entry[1].get<std::string>());
        ++count;
    }
    EXPECT_EQ(count, 12u);
}

// --- Keys and signatures ---

TEST_F(BasicFixtures, transactions_are_signed_as_expected) {
    size_t count = 0;
    const json document = read("BasicTests/txtest.json");
    for (const json& test : document) {
        const Bytes data = bytes_of(test["data"]);
        core::Tx tx;
        tx.nonce = test["nonce"].get<uint64_t>();
        tx.max_fee = tx.max_priority_fee = number_of(test["gasprice"]);
        tx.gas = test["startgas"].get<uint64_t>();
        if (const Bytes to = bytes_of(test["to"]); !to.empty()) tx.to = core::Address(ByteView(to));
        tx.value = number_of(test["value"]);
        tx.data = data;
        Bytes unsigned_form;
        core::encode_for_signing(unsigned_form, tx);
        const crypto::Signature signature =
            crypto::sign(crypto::keccak256(unsigned_form), hash_of(test["key"]));
        // The expected ones were made with nonces of their maker's own: the key is compared.
        const Bytes signed_form = bytes_of(test["signed"]);
        const auto decoded = core::decode_tx(signed_form);
        ASSERT_TRUE(decoded);
        const auto parity = core::y_parity(*decoded);
        ASSERT_TRUE(parity);
        const core::Address signer = crypto::address_of(hash_of(test["key"]));
        EXPECT_EQ(crypto::recover_address(crypto::keccak256(unsigned_form), decoded->r, decoded->s,
                                          *parity),
                  signer);
        EXPECT_EQ(crypto::recover_address(crypto::keccak256(unsigned_form), signature.r,
                                          signature.s, signature.y_parity),
                  signer);
        core::set_signature(tx, *parity, decoded->r, decoded->s);
        Bytes encoded;
        core::append_tx(encoded, tx);
        EXPECT_EQ(core::to_hex(encoded), core::to_hex(signed_form));
        ++count;
    }
    EXPECT_EQ(count, 2u);
}

TEST_F(BasicFixtures, keys_and_addresses_of_seeds) {
    size_t count = 0;
    const json document = read("BasicTests/keyaddrtest.json");
    for (const json& test : document) {
        const core::Hash32 key = crypto::keccak256(test["seed"].get<std::string>());
        EXPECT_EQ(key, hash_of(test["key"]));
        const core::Address address = crypto::address_of(key);
        EXPECT_EQ(address, core::Address(ByteView(bytes_of(test["addr"]))));
        // The signatures are of a hash that the file does not name.
        ++count;
    }
    EXPECT_EQ(count, 2u);
}

// --- Proof of work ---

TEST_F(BasicFixtures, sizes_of_cache_and_dataset) {
    const json document = read("PoWTests/ethash_tests.json");
    for (const auto& [name, test] : document.items()) {
        EXPECT_EQ(crypto::Ethash::epoch_seed(0), hash_of(test["seed"])) << name;
        EXPECT_EQ(crypto::Ethash::cache_bytes(0), test["cache_size"].get<uint64_t>()) << name;
        EXPECT_EQ(crypto::Ethash::dataset_bytes(0), test["full_size"].get<uint64_t>()) << name;
    }
}

// --- Nothing is passed over ---

struct LeftOut {
    const char* file;
    const char* reason;
};
constexpr LeftOut kLeftOut[] = {
    {"blockgenesistest.json", "headers of 13 fields, from before the protocol was launched"},
    {"crypto.json", "ciphers of the peer-to-peer protocol, which keel does not speak"},
    {"difficultyCustomHomestead.json",
     "parents below the minimum difficulty; at one block number entries of several rule sets, "
     "which "
     "no file describes"},
    {"difficultyCustomMainNetwork.json", "the same"},
};

TEST_F(BasicFixtures, every_file_is_read_or_left_out_for_a_reason) {
    std::set<std::string> known = {"genesishashestest.json", "txtest.json", "keyaddrtest.json",
                                   "hexencodetest.json"};
    for (const DifficultyFile& file : kDifficultyFiles) {
        known.insert(std::string(file.name) + ".json");
    }
    for (const LeftOut& left_out : kLeftOut) {
        known.insert(left_out.file);
        fmt::print("left out: {}: {}\n", left_out.file, left_out.reason);
    }
    std::set<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(root / "BasicTests")) {
        found.insert(entry.path().filename().string());
    }
    EXPECT_EQ(found, known);
}

}  // namespace
}  // namespace keel::tests
