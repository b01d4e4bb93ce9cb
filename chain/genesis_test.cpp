#include "chain/genesis.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "chain/block_store.hpp"
#include "chain/body_rules.hpp"
#include "chain/header_rules.hpp"
#include "core/fault.hpp"
#include "core/files.hpp"
#include "core/hex.hpp"
#include "crypto/keccak.hpp"
#include "db/open.hpp"
#include "state/reader.hpp"
#include "state/state_root.hpp"
#include "tests/support/fixtures.hpp"

namespace keel::chain {
namespace {

using core::Bytes;
using core::ByteView;
using core::Hash32;
using core::U256;

Hash32 hash_of(const Genesis& genesis) {
    Bytes rlp;
    append_header(rlp, genesis_header(genesis, genesis_state_root(genesis)));
    return crypto::keccak256(rlp);
}

std::string hash_text(const std::string& json) {
    return core::to_hex_prefixed(hash_of(parse_genesis(json, "test")));
}

// The message of the refusal, or that there is none.
std::string refusal_of(const std::string& json) {
    try {
        parse_genesis(json, "g.json");
    } catch (const core::Fault& fault) {
        EXPECT_EQ(fault.kind(), core::FaultKind::Usage);
        return fault.message();
    }
    return "accepted";
}

std::string with_config(const std::string& members) {
    return R"({"config":{)" + members + R"(},"alloc":{}})";
}

constexpr const char* kBlockForks =
    R"("homesteadBlock":0,"eip150Block":0,"eip155Block":0,"eip158Block":0,"byzantiumBlock":0,)"
    R"("constantinopleBlock":0,"petersburgBlock":0,"istanbulBlock":0)";

// HIVE.md D.1.3, base B.
std::string smoke(const std::string& alloc, const std::string& more_forks = "") {
    return fmt::format(R"({{"config":{{"chainId":10,{}{},"ethash":{{}}}},
        "nonce":"0x0000000000000042","difficulty":"0x2123456",
        "mixHash":"0x123456789abcdef123456789abcdef123456789abcdef123456789abcdef1234",
        "coinbase":"0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","timestamp":"0x123456",
        "parentHash":"0x0000000000000000000000000000000000000000000000000000000000000000",
        "extraData":"0xfafbfcfd","gasLimit":"0x2fefd8","alloc":{}}})",
                       kBlockForks, more_forks, alloc);
}

TEST(Genesis, of_the_smoke_tests_have_the_known_hashes) {
    constexpr const char* kEmptyHash =
        "0x433d0b859a77a29753d2a6df477c971dcc6300af33f9d64d821a1d490b4148b1";
    EXPECT_EQ(hash_text(R"({"config":{"ethash":{}},"difficulty":"0x20000","gasLimit":"0x1",
                            "alloc":{}})"),
              kEmptyHash);
    EXPECT_EQ(hash_text(R"({"config":{"chainId":10,"homesteadBlock":11,"daoForkBlock":12,
        "daoForkSupport":true,"eip150Block":13,"eip155Block":14,"eip158Block":14,
        "byzantiumBlock":15,"constantinopleBlock":16,"petersburgBlock":17,"istanbulBlock":18,
        "muirGlacierBlock":19,"berlinBlock":20,"londonBlock":21,"arrowGlacierBlock":22,
        "grayGlacierBlock":23,"terminalTotalDifficulty":24,"shanghaiTime":25,"cancunTime":26,
        "ethash":{}},"difficulty":"0x20000","gasLimit":"0x1","alloc":{}})"),
              kEmptyHash);
    EXPECT_EQ(hash_text(smoke(R"({
        "dbdbdb2cbd23b783741e8d7fcf51e459b497e4a6":{"balance":
          "0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"},
        "e6716f9544a56c530d868e4bfbacb172315bdead":{"balance":"0x11","code":"0x12"},
        "b9c015918bdaba24b4ff057a92a3873d6eb201be":{"balance":"0x21","storage":{
          "0x0000000000000000000000000000000000000000000000000000000000000001":"0x22"}},
        "1a26338f0d905e295fccb71fa9ea849ffa12aaf4":{"balance":"0x31","nonce":"0x32"},
        "0000000000000000000000000000000000000001":{"balance":"0x41"},
        "0000000000000000000000000000000000000002":{"balance":"0x51"},
        "0000000000000000000000000000000000000003":{"balance":"0x61"},
        "0000000000000000000000000000000000000004":{"balance":"0x71"}})")),
              "0x5ae31c6522bd5856129f66be3d582b842e4e9faaa87f21cce547128339a9db3c");
    EXPECT_EQ(hash_text(smoke(R"({"0000000000000000000000000000000000000003":{"balance":"0x61",
        "code":"0x1234","nonce":"0xFF","storage":{"0x00":"0x01"}}})")),
              "0x1b5dc4bd86f9209e6261d43dd3085034d3a502c3823903a417a95320caccaebf");
    EXPECT_EQ(hash_text(smoke(R"({"0x0000000000000000000000000000000000000003":{"balance":"0x0",
        "code":"0x","nonce":"0x0","storage":{}}})",
                              R"(,"berlinBlock":0)")),
              "0xf6df6eb772235f4f193b1a514f34bc5e4e9ce747a83732d4e8fced78ba2e939c");
    EXPECT_EQ(hash_text(smoke(R"({"0000000000000000000000000000000000000003":{"balance":"0x0",
        "code":"0x1234","nonce":"0xFF","storage":{"0x0":"1"}}})",
                              R"(,"berlinBlock":0)")),
              "0x251e6c3c84531a8b59a62535db474d0b5967f6f4ec82e47d62e70497ccdde6a7");
}

TEST(Genesis, has_the_header_fields_of_the_forks_that_are_active) {
    const std::string forks = std::string(kBlockForks) + R"(,"berlinBlock":0,"londonBlock":0)";
    const auto header = [&](const std::string& more, const std::string& fields = "") {
        const Genesis genesis = parse_genesis(
            R"({"config":{)" + forks + more + R"(},"timestamp":"10",)" + fields + R"("alloc":{}})",
            "x");
        return genesis_header(genesis, genesis_state_root(genesis));
    };
    EXPECT_EQ(header("").base_fee, U256(1'000'000'000));
    EXPECT_EQ(header("", R"("baseFeePerGas":"0x7",)").base_fee, U256(7));
    EXPECT_FALSE(header("").withdrawals_root);
    EXPECT_EQ(header(R"(,"shanghaiTime":10)").withdrawals_root, core::kEmptyTrieRoot);
    EXPECT_FALSE(header(R"(,"shanghaiTime":11)").withdrawals_root);
    const core::Header cancun =
        header(R"(,"shanghaiTime":0,"cancunTime":0)",
               R"("excessBlobGas":"0x20000","blobGasUsed":1,"parentBeaconBlockRoot":"0x01",)");
    EXPECT_EQ(cancun.excess_blob_gas, 0x20000u);
    EXPECT_EQ(cancun.blob_gas_used, 1u);
    EXPECT_EQ(cancun.parent_beacon_root, Hash32());
    EXPECT_FALSE(cancun.requests_hash);
    EXPECT_EQ(header(R"(,"shanghaiTime":0,"cancunTime":0,"pragueTime":0)").requests_hash,
              core::kEmptyRequestsHash);
}

TEST(Genesis, excess_blob_gas_before_cancun_is_written_where_the_header_can_be_read_back) {
    const auto header = [](const std::string& more) {
        const Genesis genesis = parse_genesis(R"({"config":{)" + std::string(kBlockForks) +
                                                  R"(,"berlinBlock":0,"londonBlock":0)" + more +
                                                  R"(},"excessBlobGas":"0x20000","alloc":{}})",
                                              "x");
        return genesis_header(genesis, core::kEmptyTrieRoot);
    };
    const core::Header shanghai = header(R"(,"shanghaiTime":0,"cancunTime":1)");
    EXPECT_EQ(shanghai.excess_blob_gas, 0x20000u);
    EXPECT_EQ(shanghai.blob_gas_used, 0u);
    EXPECT_FALSE(shanghai.parent_beacon_root);
    core::Bytes rlp;
    core::append_header(rlp, shanghai);
    const auto read = core::decode_header(rlp);
    ASSERT_TRUE(read);
    EXPECT_EQ(*read, shanghai);
    EXPECT_THROW(header(""), core::Fault);
}

TEST(Genesis, bpo_forks_may_come_behind_amsterdam) {
    const auto config = [](const std::string& times) {
        return parse_genesis(R"({"config":{)" + std::string(kBlockForks) +
                                 R"(,"berlinBlock":0,"londonBlock":0,"shanghaiTime":0,)" +
                                 R"("cancunTime":0,"pragueTime":0,"osakaTime":0,"bpo1Time":0,)" +
                                 R"("bpo2Time":0,)" + times + R"(},"alloc":{}})",
                             "x")
            .config;
    };
    const ChainConfig later = config(R"("amsterdamTime":0,"bpo3Time":15000,"bpo4Time":15001)");
    EXPECT_EQ(later.bpo3, 15'000u);
    EXPECT_EQ(ForkSchedule(later).unsupported_at(15'000), "Amsterdam");
    EXPECT_THROW(config(R"("bpo3Time":2,"bpo4Time":1)"), core::Fault);
    EXPECT_THROW(config(R"("amsterdamTime":2,"bogotaTime":1)"), core::Fault);
}

TEST(Genesis, has_defaults_for_gas_limit_and_difficulty) {
    const auto header = [](const std::string& json) {
        return genesis_header(parse_genesis(json, "x"), core::kEmptyTrieRoot);
    };
    const core::Header plain = header(R"({"config":{},"alloc":{}})");
    EXPECT_EQ(plain.gas_limit, 4'712'388u);
    EXPECT_EQ(plain.difficulty, U256(0));
    EXPECT_EQ(header(R"({"config":{"ethash":{}},"alloc":{}})").difficulty, U256(131'072));
    EXPECT_EQ(header(R"({"config":{"ethash":{}},"difficulty":null,"alloc":{},"mixHash":
        "0x0000000000000000000000000000000000000000000000000000000000000001"})")
                  .difficulty,
              U256(0));
}

TEST(Genesis, takes_the_config_with_numbers_in_any_form) {
    const ChainConfig config = parse_chain_config(
        R"({"chainId":"0x539","homesteadBlock":"","daoForkBlock":null,
        "terminalTotalDifficulty":5.875e+22,"terminalTotalDifficultyPassed":true,
        "yolov3Block":7,"ephemeryResetTime":1,"ubtTime":null,"burntContract":{"0":"0x1"},
        "depositContractAddress":"0x4242424242424242424242424242424242424242",
        "blobSchedule":{"cancun":{"target":1,"max":"0x2","baseFeeUpdateFraction":3},"future":{}}})",
        "x");
    EXPECT_EQ(config.chain_id, 1337u);
    EXPECT_FALSE(config.homestead || config.dao);
    EXPECT_EQ(config.terminal_total_difficulty, U256::from_decimal("58750000000000000000000"));
    EXPECT_EQ(config.deposit_contract[19], 0x42);
    EXPECT_EQ(config.blob_schedule[static_cast<size_t>(core::Fork::Cancun)],
              (BlobParameters{1, 2, 3}));
    EXPECT_EQ(parse_chain_config("{}", "x").deposit_contract, default_deposit_contract());
}

TEST(Genesis, refusals_name_file_pointer_and_value) {
    struct Case {
        std::string json;
        const char* message;
    };
    const Case cases[] = {
        {"[]", "invalid genesis file g.json: /: not an object"},
        {R"({"alloc":{}})", "invalid genesis file g.json: /: genesis has no chain configuration"},
        {R"({"config":null,"alloc":{}})",
         "invalid genesis file g.json: /: genesis has no chain configuration"},
        {R"({"config":{}})", "invalid genesis file g.json: /: genesis has no alloc"},
        {R"({"config":{},"alloc":{},"number":"0x1"})",
         "invalid genesis file g.json: /number: \"0x1\": can't commit genesis block with number > "
         "0"},
        {R"({"config":{"clique":{"period":1}},"alloc":{},"extraData":"0x00"})",
         "invalid genesis file g.json: /: can't start clique chain without signers"},
        {R"({"config":{},"alloc":{},"gasLimit":"18446744073709551616"})",
         "invalid genesis file g.json: /gasLimit: \"18446744073709551616\": more than 64 bits"},
        {R"({"config":{},"alloc":{},"coinbase":"0x00"})",
         "invalid genesis file g.json: /coinbase: \"0x00\": not an address of 20 bytes"},
        {R"({"config":{},"alloc":{"0x12":{}}})",
         "invalid genesis file g.json: /alloc/0x12: the key is not an address of 20 bytes in hex"},
        {R"({"config":{},"alloc":{"00000000000000000000000000000000000000aa":{"storage":{"0x1":5}}}})",
         "invalid genesis file g.json: "
         "/alloc/00000000000000000000000000000000000000aa/storage/0x1: 5: key and value are not at "
         "most 32 bytes in hex"},
        {R"({"config":{},"alloc":{"00000000000000000000000000000000000000aa":{"code":"0x123"}}})",
         "invalid genesis file g.json: /alloc/00000000000000000000000000000000000000aa/code: "
         "\"0x123\": not whole bytes in hex"},
        {with_config(R"("chainId":-1)"),
         "invalid genesis file g.json: /config/chainId: -1: not a whole number of at most 256 "
         "bits"},
        {with_config(R"("verkleTime":5)"),
         "invalid genesis file g.json: /config/verkleTime: 5: a fork that keel does not know"},
        {with_config(R"("atlantisBlock":5)"),
         "invalid genesis file g.json: /config/atlantisBlock: 5: a fork that keel does not know"},
        {with_config(R"("daoForkSupport":1)"),
         "invalid genesis file g.json: /config/daoForkSupport: 1: not true or false"},
        {with_config(R"("blobSchedule":{"cancun":{"target":3,"max":6}})"),
         "invalid genesis file g.json: /config/blobSchedule/cancun: baseFeeUpdateFraction is "
         "missing"},
        {with_config(R"("blobSchedule":{"cancun":{"target":7,"max":6,"baseFeeUpdateFraction":1}})"),
         "invalid genesis file g.json: /config/blobSchedule/cancun: target is above max"},
    };
    for (const Case& expected : cases) EXPECT_EQ(refusal_of(expected.json), expected.message);
}

// HIVE.md D.1.1: geth's words.
TEST(Genesis, forks_out_of_order_are_refused) {
    struct Case {
        std::string config;
        const char* message;  // null: accepted
    };
    const std::string to_london = std::string(kBlockForks) + R"(,"berlinBlock":0,"londonBlock":5)";
    const Case cases[] = {
        {R"("homesteadBlock":1,"eip155Block":2)",
         "unsupported fork ordering: eip150Block not enabled, but eip155Block enabled at block 2"},
        {R"("homesteadBlock":3,"eip150Block":2)",
         "unsupported fork ordering: homesteadBlock enabled at block 3, but eip150Block enabled at "
         "block 2"},
        {R"("homesteadBlock":1,"daoForkBlock":4,"eip150Block":3)",
         "unsupported fork ordering: daoForkBlock enabled at block 4, but eip150Block enabled at "
         "block 3"},
        {R"("shanghaiTime":5)",
         "unsupported fork ordering: londonBlock not enabled, but shanghaiTime enabled at "
         "timestamp 5"},
        {to_london + R"(,"cancunTime":5)",
         "unsupported fork ordering: shanghaiTime not enabled, but cancunTime enabled at timestamp "
         "5"},
        {to_london + R"(,"shanghaiTime":9,"cancunTime":5)",
         "unsupported fork ordering: shanghaiTime enabled at timestamp 9, but cancunTime enabled "
         "at timestamp 5"},
        {to_london + R"(,"shanghaiTime":1,"cancunTime":1,"pragueTime":2,"osakaTime":3)", nullptr},
        {to_london, nullptr},
        {R"("homesteadBlock":0,"eip150Block":0,"eip155Block":0,"eip158Block":0,"byzantiumBlock":0,)"
         R"("constantinopleBlock":0,"istanbulBlock":0)",
         nullptr},
    };
    for (const Case& expected : cases) {
        const std::string message = refusal_of(with_config(expected.config));
        if (expected.message == nullptr) {
            EXPECT_EQ(message, "accepted") << expected.config;
        } else {
            EXPECT_NE(message.find(expected.message), std::string::npos) << message;
        }
    }
}

TEST(Genesis, what_the_file_claims_of_its_header_is_kept_for_comparison) {
    const std::string zero(64, '0');
    const Genesis genesis = parse_genesis(
        R"({"config":{},"alloc":{},"hash":"0x)" + zero + R"(","stateRoot":"oops"})", "x");
    EXPECT_EQ(genesis.claimed_hash, Hash32());
    EXPECT_FALSE(genesis.claimed_state_root);
}

class WriteGenesis : public testing::Test {
  protected:
    WriteGenesis() : database_(db::open_ephemeral(state::schema(), uint64_t{1} << 30)) {
        tables_ = state::Tables(database_);
    }
    static std::string genesis_json(const std::string& config_members,
                                    const std::string& alloc = kAlloc) {
        return R"({"config":{"chainId":5,"ethash":{},)" + std::string(kBlockForks) +
               R"(,"berlinBlock":0)" + config_members + R"(},"alloc":)" + alloc + "}";
    }
    GenesisWritten write(const std::string& config_members,
                         std::optional<uint64_t> network_id = {}) {
        return write_genesis(database_, parse_genesis(genesis_json(config_members), "x"),
                             network_id);
    }
    std::string refusal_of_write(const std::string& config_members) {
        try {
            write(config_members);
        } catch (const core::Fault& fault) {
            EXPECT_EQ(fault.kind(), core::FaultKind::Failed);
            return fault.message();
        }
        return "accepted";
    }
    // A stored block, whatever is in it.
    void put_some_block(uint64_t number, uint64_t timestamp, uint64_t total_difficulty) {
        core::Block block;
        block.header.number = number;
        block.header.timestamp = timestamp;
        Bytes rlp;
        append_block(rlp, block);
        const auto sealed = crypto::seal(std::move(rlp));
        ASSERT_TRUE(sealed);
        database_.update([&](db::WriteTxn& txn) {
            put_block(txn, tables_, *sealed, total_difficulty);
            txn.put(tables_.bad_block, Hash32(), "some mark");
        });
    }
    std::string stored(std::string_view name) {
        const auto txn = database_.begin_ro();
        const auto row = BlockReader(txn, tables_).setting(name);
        return row ? std::string(row->text()) : "none";
    }

    static constexpr const char* kAlloc =
        R"({"00000000000000000000000000000000000000aa":
              {"balance":"7","nonce":"1","code":"0x6000","storage":{"0x02":"0x03","0x04":"0x00"}},
            "00000000000000000000000000000000000000bb":{"code":"0x6000"},
            "00000000000000000000000000000000000000cc":{}})";
    db::Database database_;
    state::Tables tables_;
};

TEST_F(WriteGenesis, puts_block_0_and_its_state_in_one_commit) {
    const uint64_t view_before = database_.begin_ro().view_id();
    const GenesisWritten written = write("");
    EXPECT_FALSE(written.was_there);
    const auto txn = database_.begin_ro();
    EXPECT_EQ(txn.view_id(), view_before + 1);
    const BlockReader blocks(txn, tables_);
    const BlockId id{0, written.hash};
    EXPECT_EQ(blocks.genesis_hash(), written.hash);
    EXPECT_EQ(blocks.head(), id);
    EXPECT_TRUE(blocks.is_canonical(id));
    EXPECT_EQ(blocks.total_difficulty(id), U256(131'072));
    const auto header = blocks.header(id);
    ASSERT_TRUE(header);
    EXPECT_EQ(header->state_root, written.state_root);
    EXPECT_EQ(crypto::keccak256(blocks.header_rlp(id).value()), written.hash);
    EXPECT_EQ(blocks.tx_count(id), 0u);
    EXPECT_EQ(stored(setting::kNetworkId), std::string("\0\0\0\0\0\0\0\5", 8));
    EXPECT_EQ(parse_chain_config(stored(setting::kConfig), "x"),
              parse_genesis(genesis_json(""), "x").config);

    state::NewestState state(txn, tables_);
    const auto address = [](uint8_t last) {
        core::Address made;
        made[19] = last;
        return made;
    };
    const auto account = state.account(address(0xaa));
    ASSERT_TRUE(account);
    EXPECT_EQ(account->balance, U256(7));
    EXPECT_EQ(account->nonce, 1u);
    EXPECT_NE(account->storage_root, core::kEmptyTrieRoot);
    EXPECT_EQ(state.code(account->code_hash), ByteView(core::from_hex("6000").value()));
    EXPECT_EQ(state.storage(address(0xaa), 2), U256(3));
    EXPECT_EQ(state.storage(address(0xaa), 4), U256(0));
    EXPECT_TRUE(state.account(address(0xcc))) << "an empty account stays";
    EXPECT_EQ(txn.count(tables_.code), 1u);
    EXPECT_EQ(txn.count(tables_.storage), 1u);
    // The stored nodes are those of the root: resolving nothing on them gives it again.
    state::NewestTries tries(txn, tables_);
    state::ChangeSet nothing;
    EXPECT_EQ(state::resolve_state_root(tries, nothing, nullptr), written.state_root);
}

TEST_F(WriteGenesis, another_genesis_is_refused_and_changes_nothing) {
    const GenesisWritten first = write("");
    const uint64_t view = database_.begin_ro().view_id();
    const Genesis other = parse_genesis(genesis_json("", "{}"), "x");
    try {
        write_genesis(database_, other);
        FAIL();
    } catch (const core::Fault& fault) {
        EXPECT_EQ(fault.kind(), core::FaultKind::Failed);
        EXPECT_EQ(
            fault.message(),
            fmt::format("database contains incompatible genesis (have {}, new {})",
                        core::to_hex_prefixed(first.hash), core::to_hex_prefixed(hash_of(other))));
    }
    EXPECT_EQ(database_.begin_ro().view_id(), view);
}

TEST_F(WriteGenesis, the_same_genesis_again_replaces_the_config_while_no_block_is_stored) {
    write("", 77);
    GenesisWritten again = write("");
    EXPECT_TRUE(again.was_there);
    EXPECT_FALSE(again.config_changed);
    EXPECT_EQ(stored(setting::kNetworkId).back(), 77);
    again = write(R"(,"londonBlock":5,"terminalTotalDifficulty":0)", 78);
    EXPECT_TRUE(again.config_changed);
    EXPECT_EQ(stored(setting::kNetworkId).back(), 78);
    EXPECT_EQ(parse_chain_config(stored(setting::kConfig), "x").london, 5u);
}

TEST_F(WriteGenesis, a_config_that_agrees_with_all_stored_blocks_replaces_the_old_one) {
    const std::string london = R"(,"londonBlock":5,"terminalTotalDifficulty":1000)";
    write(london + R"(,"shanghaiTime":200)");
    put_some_block(9, 100, 500);
    EXPECT_EQ(refusal_of_write(london + R"(,"shanghaiTime":101,"cancunTime":102)"), "accepted");
    EXPECT_EQ(refusal_of_write(london), "accepted");
    EXPECT_EQ(refusal_of_write(R"(,"londonBlock":5,"terminalTotalDifficulty":501)"), "accepted");
    EXPECT_EQ(refusal_of_write(R"(,"londonBlock":5,"arrowGlacierBlock":10)"), "accepted");
    const auto txn = database_.begin_ro();
    EXPECT_EQ(txn.count(tables_.bad_block), 0u) << "marks of the old rules are gone";
}

TEST_F(WriteGenesis, a_config_that_contradicts_a_stored_block_changes_nothing) {
    const std::string config =
        R"(,"londonBlock":5,"terminalTotalDifficulty":1000,"shanghaiTime":90,"cancunTime":95)";
    write(config);
    put_some_block(9, 100, 500);
    put_some_block(8, 120, 700);  // a side branch, later and heavier
    const uint64_t view = database_.begin_ro().view_id();
    struct Case {
        std::string config;
        const char* words;
    };
    const Case cases[] = {
        {R"(,"londonBlock":6,"terminalTotalDifficulty":1000,"shanghaiTime":90,"cancunTime":95)",
         "londonBlock was 5 and is 6 now, but block 9 "},
        {R"(,"londonBlock":5,"terminalTotalDifficulty":1000,"shanghaiTime":90)",
         "cancunTime was 95 and is never now, but block 8 "},
        {config + R"(,"pragueTime":120)", "pragueTime was never and is 120 now, but block 8 "},
        {R"(,"londonBlock":5,"terminalTotalDifficulty":700,"shanghaiTime":90,"cancunTime":95)",
         "terminalTotalDifficulty was 1000 and is 700 now, but block 8 "},
        {config + R"(,"blobSchedule":{"cancun":{"target":1,"max":2,"baseFeeUpdateFraction":3}})",
         "blobSchedule from cancunTime on was 3/6/3338477 and is 1/2/3 now, but block 8 "},
        {config + R"(,"chainId":6)", "chainId was 5 and is 6 now"},
    };
    for (const Case& expected : cases) {
        const std::string message = refusal_of_write(expected.config);
        EXPECT_NE(message.find(expected.words), std::string::npos) << message;
        EXPECT_NE(message.find("keel export, keel init in a new directory, keel import"),
                  std::string::npos)
            << message;
    }
    EXPECT_EQ(database_.begin_ro().view_id(), view);
    // What is beyond the blocks may still change.
    EXPECT_EQ(refusal_of_write(config + R"(,"pragueTime":121,"blobSchedule":{"prague":
        {"target":1,"max":2,"baseFeeUpdateFraction":3},
        "cancun":{"target":3,"max":6,"baseFeeUpdateFraction":3338477}})"),
              "accepted");
}

// Real chains: the genesis file makes the parent of the first block, and every header and body
// obeys its rules. Execution is not part of this test.
void check_chain(const std::filesystem::path& genesis_file, const std::filesystem::path& chain_file,
                 uint64_t blocks_expected) {
    core::SystemFiles files;
    const Bytes json = core::read_file(files, genesis_file);
    const Bytes chain = core::read_file(files, chain_file);
    const Genesis genesis = parse_genesis(ByteView(json).text(), genesis_file.string());
    const ForkSchedule schedule(genesis.config);
    std::vector<OmmerAncestor> ancestors;  // from the genesis on
    ancestors.push_back({.hash = hash_of(genesis),
                         .header = genesis_header(genesis, genesis_state_root(genesis)),
                         .ommers = {},
                         .proof_of_stake_child = false});
    U256 total = ancestors[0].header.difficulty;
    for (ByteView rest(chain); !rest.empty();) {
        const auto length = core::rlp_item_length(rest);
        ASSERT_TRUE(length);
        auto sealed = crypto::seal(rest.sub(0, *length).to_bytes());
        ASSERT_TRUE(sealed);
        rest = rest.sub(*length);
        const core::Header& header = sealed->block.header;
        if (header.number == 0) {  // some files begin with the genesis block
            EXPECT_EQ(sealed->hash, ancestors[0].hash);
            continue;
        }
        OmmerAncestor& parent = ancestors.back();
        ASSERT_EQ(core::to_hex(header.parent_hash), core::to_hex(parent.hash)) << header.number;
        const bool proof_of_stake = schedule.is_proof_of_stake(total);
        parent.proof_of_stake_child = proof_of_stake;
        const BlockRules rules = schedule.at(header.number, header.timestamp, proof_of_stake);
        EXPECT_TRUE(has_fields_of(header, rules.rules)) << header.number;
        const auto header_checked =
            check_header(header, parent.header, rules, schedule, proof_of_stake);
        EXPECT_TRUE(header_checked) << header.number << ": " << header_checked.error().text;
        const auto find = [&](uint64_t distance) -> std::optional<OmmerAncestor> {
            if (distance > ancestors.size()) return std::nullopt;
            return ancestors[ancestors.size() - distance];
        };
        const auto body_checked = check_body(*sealed, rules, schedule, find);
        EXPECT_TRUE(body_checked) << header.number << ": " << body_checked.error().text;
        total = total + header.difficulty;
        ancestors.push_back({sealed->hash, header, sealed->block.ommers, false});
    }
    EXPECT_EQ(ancestors.size(), blocks_expected + 1);
}

TEST(GenesisFixture, of_rpc_compat_is_the_parent_of_its_chain_and_all_headers_obey) {
    const auto set = tests::fixture_set("rpc-compat");
    if (!set) GTEST_SKIP() << "no rpc-compat fixtures: set KEEL_FIXTURES";
    check_chain(*set / "genesis.json", *set / "chain.rlp", 54);
}

TEST(GenesisFixture, of_the_graphql_chain_is_the_parent_of_its_proof_of_work_blocks) {
    const auto set = tests::fixture_set("hive-chains");
    if (!set) GTEST_SKIP() << "no hive-chains fixtures: set KEEL_FIXTURES";
    const auto folder = *set / "ethereum" / "graphql" / "init";
    check_chain(folder / "testGenesis.json", folder / "testBlockchain.blocks", 34);
}

}  // namespace
}  // namespace keel::chain
