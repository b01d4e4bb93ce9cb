// Solo mode by its methods, on a chain of two funded keys.

#include "rpc/dev/solo.hpp"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "chain/genesis.hpp"
#include "core/hex.hpp"
#include "crypto/secp256k1.hpp"
#include "db/open.hpp"
#include "rpc/dev/keys.hpp"
#include "rpc/head_signal.hpp"
#include "state/tables.hpp"

namespace keel::rpc::dev {
namespace {

constexpr std::string_view kConfig = R"({"chainId": 31337, "homesteadBlock": 0, "eip150Block": 0,
"eip155Block": 0, "eip158Block": 0, "byzantiumBlock": 0, "constantinopleBlock": 0,
"petersburgBlock": 0, "istanbulBlock": 0, "berlinBlock": 0, "londonBlock": 0,
"mergeNetsplitBlock": 0, "terminalTotalDifficulty": 0, "shanghaiTime": 0, "cancunTime": 0})";
constexpr std::string_view kOther = "0x00000000000000000000000000000000000000aa";
// Returns the word of slot 0.
constexpr std::string_view kReader = "0x60005460005260206000f3";
// Reverts with nothing.
constexpr std::string_view kReverter = "0x60006000fd";

std::string word(uint64_t value) {
    return core::to_hex_prefixed(core::ByteView(core::U256(value).to_be32()));
}

class SoloMode : public testing::Test {
  protected:
    SoloMode() {
        const std::string json = fmt::format(
            R"({{"config": {}, "difficulty": "0x0", "gasLimit": "0x1c9c380", "timestamp": "0x0",
"baseFeePerGas": "0x3b9aca00", "alloc": {{"{}": {{"balance": "0x21e19e0c9bab2400000"}}}}}})",
            kConfig, core::to_hex(keys()[0].address));
        chain::write_genesis(database, chain::parse_genesis(json, "test"));
        start();
    }

    /// As after a restart: of the process nothing is left, the store is as it was.
    void start() {
        dispatcher.reset();
        solo.reset();
        pool.reset();
        pool.emplace(database, tables, schedule,
                     pool::PoolOptions{.tip_wei_min = 0, .fee_cap_wei = 0});
        solo.emplace(database, schedule, *pool, Solo::Options{});
        backend.database = database;
        backend.tables = &tables;
        backend.schedule = &schedule;
        backend.pool = &*pool;
        backend.solo = &*solo;
        backend.head_signal = &head_signal;
        backend.client_version = "anvil/test";
        dispatcher.emplace(backend, std::vector<std::string>{"eth", "debug"}, DispatchLimits{});
    }

    /// Text of `result`, or of the error.
    std::string call(std::string_view method, const std::string& params) {
        std::string body =
            fmt::format(R"({{"jsonrpc":"2.0","id":1,"method":"{}","params":{}}})", method, params);
        const size_t size = body.size();
        body.append(kJsonPadding, ' ');
        static_cast<void>(dispatcher->parse(exchange, std::string_view(body).substr(0, size)));
        dispatcher->run(exchange, worker);
        std::string text(exchange.out.text());
        const size_t at = text.find(R"("result":)");
        if (at == std::string::npos) return text;
        return text.substr(at + 9, text.size() - at - 10);
    }
    std::string send(const std::string& rest, std::string_view from = {}) {
        return call("eth_sendTransaction",
                    fmt::format(R"([{{"from":"{}",{}}}])", from.empty() ? own() : from, rest));
    }
    std::string own() const { return core::to_hex_prefixed(keys()[0].address); }
    std::string balance(std::string_view address, std::string_view block = "latest") {
        return call("eth_getBalance", fmt::format(R"(["{}","{}"])", address, block));
    }
    std::string number() { return call("eth_blockNumber", "[]"); }
    uint64_t timestamp() {
        const std::string block = call("eth_getBlockByNumber", R"(["latest",false])");
        const size_t at = block.find(R"("timestamp":"0x)") + 15;
        return std::stoull(block.substr(at), nullptr, 16);
    }
    void set(std::string_view method, const std::string& params) {
        EXPECT_EQ(call(method, params), "true") << method;
    }

    db::Database database = db::open_ephemeral(state::schema());
    state::Tables tables{database};
    chain::ForkSchedule schedule{chain::parse_chain_config(kConfig, "test")};
    std::optional<pool::Pool> pool;
    std::optional<Solo> solo;
    HeadSignal head_signal;
    Backend backend;
    std::optional<Dispatcher> dispatcher;
    Exchange exchange;
    Worker worker;
};

TEST_F(SoloMode, the_first_key_is_the_one_that_everybody_knows) {
    EXPECT_EQ(own(), "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266");
    EXPECT_EQ(core::to_hex_prefixed(keys()[9].address),
              "0xa0ee7a142d267c1f36714e4a8f75612f20a79720");
}

TEST_F(SoloMode, a_transaction_is_mined_when_it_is_answered) {
    const std::string hash = send(fmt::format(R"("to":"{}","value":"0x7")", kOther));
    EXPECT_EQ(number(), "\"0x1\"");
    EXPECT_EQ(balance(kOther), "\"0x7\"");
    EXPECT_NE(call("eth_getTransactionReceipt", "[" + hash + "]").find(R"("status":"0x1")"),
              std::string::npos);
}

TEST_F(SoloMode, without_automine_transactions_wait_for_a_block) {
    set("evm_setAutomine", "[false]");
    for (int i = 0; i < 3; ++i) send(fmt::format(R"("to":"{}","value":"0x7")", kOther));
    EXPECT_EQ(number(), "\"0x0\"");
    call("evm_mine", "[]");
    EXPECT_EQ(number(), "\"0x1\"");
    EXPECT_EQ(balance(kOther), "\"0x15\"");
}

TEST_F(SoloMode, who_cannot_pay_the_next_block_is_refused_at_once_and_waits_without_automine) {
    const std::string cheap = fmt::format(R"("to":"{}","gas":"0x5208","gasPrice":"0x1")", kOther);
    EXPECT_NE(
        send(cheap).find(R"("code":-32000,"message":"max fee per gas less than block base fee)"
                         R"(: address 0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266, )"
                         R"(maxFeePerGas: 1, baseFee: 875000000")"),
        std::string::npos)
        << send(cheap);
    const std::string pending = "[\"" + own() + R"(","pending"])";
    EXPECT_EQ(call("eth_getTransactionCount", pending), "\"0x0\"");
    EXPECT_EQ(number(), "\"0x0\"");
    set("evm_setAutomine", "[false]");
    const std::string hash = send(cheap);
    EXPECT_EQ(call("eth_getTransactionCount", pending), "\"0x1\"");
    set("hardhat_setNextBlockBaseFeePerGas", R"(["0x1"])");
    call("evm_mine", "[]");
    EXPECT_NE(call("eth_getTransactionReceipt", "[" + hash + "]").find(R"("status":"0x1")"),
              std::string::npos);
}

TEST_F(SoloMode, the_clock_makes_blocks_as_long_as_it_is_set) {
    set("evm_setAutomine", "[false]");
    send(fmt::format(R"("to":"{}","value":"0x7")", kOther));
    set("evm_setIntervalMining", "[20]");
    const auto height = [this] { return std::stoull(number().substr(3), nullptr, 16); };
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (height() < 3 && std::chrono::steady_clock::now() < deadline) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    EXPECT_GE(height(), 3U);
    EXPECT_EQ(balance(kOther), "\"0x7\"");
    set("evm_setIntervalMining", "[0]");
    const uint64_t last = height();
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    EXPECT_EQ(height(), last);
}

TEST_F(SoloMode, a_revert_is_told_by_the_estimate_and_mined_with_gas_given) {
    set("hardhat_setCode", fmt::format(R"(["{}","{}"])", kOther, kReverter));
    EXPECT_NE(send(fmt::format(R"("to":"{}")", kOther)).find(R"("code":3)"), std::string::npos);
    EXPECT_EQ(number(), "\"0x0\"");
    const std::string hash = send(fmt::format(R"("to":"{}","gas":"0x186a0")", kOther));
    EXPECT_NE(call("eth_getTransactionReceipt", "[" + hash + "]").find(R"("status":"0x0")"),
              std::string::npos);
}

TEST_F(SoloMode, edits_are_seen_at_once_and_are_part_of_the_next_root) {
    set("hardhat_setBalance", fmt::format(R"(["{}","0x5"])", kOther));
    set("anvil_setNonce", fmt::format(R"(["{}",9])", kOther));
    set("hardhat_setCode", fmt::format(R"(["{}","{}"])", kOther, kReader));
    set("hardhat_setStorageAt", fmt::format(R"(["{}","0x0","{}"])", kOther, word(42)));
    EXPECT_EQ(balance(kOther), "\"0x5\"");
    EXPECT_EQ(call("eth_call", fmt::format(R"([{{"to":"{}"}},"latest"])", kOther)),
              "\"" + word(42) + "\"");
    call("evm_mine", "[]");
    start();
    EXPECT_EQ(number(), "\"0x1\"");
    EXPECT_EQ(balance(kOther), "\"0x5\"");
    EXPECT_EQ(call("eth_getTransactionCount", fmt::format(R"(["{}","latest"])", kOther)),
              "\"0x9\"");
}

TEST_F(SoloMode, an_edit_stays_out_of_the_blocks_before_it) {
    call("evm_mine", "[]");
    call("evm_mine", "[]");
    set("hardhat_setBalance", fmt::format(R"(["{}","0x5"])", kOther));
    call("evm_mine", "[]");
    EXPECT_EQ(balance(kOther, "0x1"), "\"0x0\"");
    EXPECT_EQ(balance(kOther, "0x2"), "\"0x5\"");
    EXPECT_EQ(balance(kOther, "0x3"), "\"0x5\"");
}

TEST_F(SoloMode, revert_takes_back_blocks_edits_and_waiting_transactions) {
    send(fmt::format(R"("to":"{}","value":"0x7")", kOther));
    set("hardhat_setBalance", fmt::format(R"(["{}","0x64"])", kOther));
    const std::string before = call("eth_getBlockByNumber", R"(["latest",true])");
    const std::string own_before = balance(own());
    EXPECT_EQ(call("evm_snapshot", "[]"), "\"0x1\"");

    set("hardhat_setBalance", fmt::format(R"(["{}","0xc8"])", kOther));
    set("hardhat_setStorageAt", fmt::format(R"(["{}","0x1","{}"])", kOther, word(1)));
    send(fmt::format(R"("to":"{}","value":"0x7")", kOther));
    EXPECT_EQ(call("evm_snapshot", "[]"), "\"0x2\"");
    set("evm_setAutomine", "[false]");
    send(fmt::format(R"("to":"{}","value":"0x7")", kOther));

    EXPECT_EQ(call("evm_revert", R"(["0x1"])"), "true");
    EXPECT_EQ(call("eth_getBlockByNumber", R"(["latest",true])"), before);
    EXPECT_EQ(balance(kOther), "\"0x64\"");
    EXPECT_EQ(balance(own()), own_before);
    EXPECT_EQ(call("eth_getStorageAt", fmt::format(R"(["{}","0x1","latest"])", kOther)),
              "\"" + word(0) + "\"");
    EXPECT_EQ(call("hardhat_getAutomine", "[]"), "true");
    EXPECT_EQ(call("evm_revert", R"(["0x2"])"), "false");
    EXPECT_EQ(call("evm_revert", R"(["0x1"])"), "false");
    // The chain goes on from there, and a restart finds it.
    send(fmt::format(R"("to":"{}","value":"0x1")", kOther));
    EXPECT_EQ(balance(kOther), "\"0x65\"");
    start();
    EXPECT_EQ(number(), "\"0x2\"");
    EXPECT_EQ(balance(kOther), "\"0x65\"");
}

TEST_F(SoloMode, edits_on_indexed_blocks_are_found_in_the_history) {
    set("hardhat_mine", R"(["0x90"])");
    const std::string head = number();
    set("hardhat_setBalance", fmt::format(R"(["{}","0x5"])", kOther));
    set("hardhat_mine", R"(["0x100"])");
    EXPECT_EQ(balance(kOther, "0x8f"), "\"0x0\"");
    EXPECT_EQ(balance(kOther, head.substr(1, head.size() - 2)), "\"0x5\"");
    EXPECT_EQ(balance(kOther), "\"0x5\"");
}

TEST_F(SoloMode, reset_gives_back_the_genesis_as_it_was_written) {
    set("hardhat_setBalance", fmt::format(R"(["{}","0x5"])", kOther));
    send(fmt::format(R"("to":"{}","value":"0x1")", kOther));
    set("hardhat_reset", "[]");
    EXPECT_EQ(number(), "\"0x0\"");
    EXPECT_EQ(balance(kOther), "\"0x0\"");
    EXPECT_EQ(balance(own()), "\"0x21e19e0c9bab2400000\"");
    EXPECT_NE(call("hardhat_reset", R"([{"forking":{}}])").find("-32602"), std::string::npos);
}

TEST_F(SoloMode, contracts_are_impersonated_and_only_then) {
    set("hardhat_setBalance", fmt::format(R"(["{}","0xde0b6b3a7640000"])", kOther));
    set("hardhat_setCode", fmt::format(R"(["{}","{}"])", kOther, kReader));
    const std::string wish = fmt::format(R"("to":"{}","value":"0x1")", own());
    EXPECT_NE(send(wish, kOther).find("unknown account"), std::string::npos);
    set("hardhat_impersonateAccount", fmt::format(R"(["{}"])", kOther));
    const std::string hash = send(wish, kOther);
    EXPECT_EQ(number(), "\"0x1\"");
    EXPECT_NE(call("eth_getTransactionByHash", "[" + hash + "]")
                  .find(fmt::format(R"("from":"{}")", kOther)),
              std::string::npos);
    set("hardhat_stopImpersonatingAccount", fmt::format(R"(["{}"])", kOther));
    EXPECT_NE(send(wish, kOther).find("unknown account"), std::string::npos);
}

TEST_F(SoloMode, time_base_fee_gas_limit_and_coinbase_are_what_was_set) {
    call("evm_mine", "[]");
    const uint64_t first = timestamp();
    set("evm_setNextBlockTimestamp", fmt::format("[{}]", first + 1000));
    set("hardhat_setNextBlockBaseFeePerGas", R"(["0x7"])");
    set("evm_setBlockGasLimit", R"(["0xf4240"])");
    set("hardhat_setCoinbase", fmt::format(R"(["{}"])", kOther));
    call("evm_mine", "[]");
    EXPECT_EQ(timestamp(), first + 1000);
    const std::string block = call("eth_getBlockByNumber", R"(["latest",false])");
    EXPECT_NE(block.find(R"("baseFeePerGas":"0x7")"), std::string::npos);
    EXPECT_NE(block.find(R"("gasLimit":"0xf4240")"), std::string::npos);
    EXPECT_NE(block.find(fmt::format(R"("miner":"{}")", kOther)), std::string::npos);
    call("evm_increaseTime", "[3600]");
    call("evm_mine", "[]");
    EXPECT_GE(timestamp(), first + 4600);
    EXPECT_NE(call("evm_setNextBlockTimestamp", "[1]").find("error"), std::string::npos);
}

// Vectors: EIP-712, example Mail; the key is keccak256("cow"), its digest is given there.
TEST_F(SoloMode, typed_data_is_signed_by_its_digest) {
    const std::string document =
        R"({"types":{"EIP712Domain":[{"name":"name","type":"string"},{"name":"version","type":"string"},)"
        R"({"name":"chainId","type":"uint256"},{"name":"verifyingContract","type":"address"}],)"
        R"("Person":[{"name":"name","type":"string"},{"name":"wallet","type":"address"}],)"
        R"("Mail":[{"name":"from","type":"Person"},{"name":"to","type":"Person"},{"name":"contents","type":"string"}]},)"
        R"("primaryType":"Mail","domain":{"name":"Ether Mail","version":"1","chainId":1,)"
        R"("verifyingContract":"0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC"},"message":{)"
        R"("from":{"name":"Cow","wallet":"0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826"},)"
        R"("to":{"name":"Bob","wallet":"0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB"},"contents":"Hello, Bob!"}})";
    const std::string signature =
        call("eth_signTypedData_v4", fmt::format(R"(["{}",{}])", own(), document));
    const core::Bytes bytes = core::from_hex(signature.substr(3, 130)).value();
    const auto digest = core::fixed_from_hex<core::Hash32>(
        "be609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2");
    EXPECT_EQ(crypto::recover_address(*digest, core::U256::load_be32(bytes.data()),
                                      core::U256::load_be32(bytes.data() + 32),
                                      static_cast<uint8_t>(bytes[64] - 27)),
              keys()[0].address);
}

// eth_sendRawTransactionSync, eth_fillTransaction and what looks between two transactions.

class Sync : public SoloMode {
  protected:
    /// A transfer of 7 wei, signed; quoted.
    std::string signed_transfer() {
        return call("eth_signTransaction",
                    fmt::format(R"([{{"from":"{}","to":"{}","value":"0x7"}}])", own(), kOther));
    }
};

TEST_F(Sync, the_receipt_is_the_answer_when_the_transaction_is_mined) {
    const std::string receipt = call("eth_sendRawTransactionSync", "[" + signed_transfer() + "]");
    EXPECT_NE(receipt.find(R"("status":"0x1")"), std::string::npos) << receipt;
    EXPECT_NE(receipt.find(R"("blockNumber":"0x1")"), std::string::npos);
}

TEST_F(Sync, it_waits_for_a_block_of_another_thread) {
    set("evm_setAutomine", "[false]");
    const std::string transfer = signed_transfer();
    std::jthread miner([this] {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        EXPECT_TRUE(solo->mine(1));
        head_signal.head_changed();
    });
    const std::string receipt = call("eth_sendRawTransactionSync", "[" + transfer + "]");
    EXPECT_NE(receipt.find(R"("status":"0x1")"), std::string::npos) << receipt;
}

TEST_F(Sync, in_vain_the_error_has_the_hash) {
    set("evm_setAutomine", "[false]");
    const std::string transfer = signed_transfer();
    const std::string answer = call("eth_sendRawTransactionSync", "[" + transfer + ",50]");
    EXPECT_NE(
        answer.find(R"("code":4,"message":"The transaction was added to the transaction pool )"
                    R"(but wasn't processed in 50ms","data":"0x)"),
        std::string::npos)
        << answer;
    EXPECT_NE(call("eth_sendRawTransactionSync", "[" + transfer + "]").find("already known"),
              std::string::npos);
    EXPECT_NE(call("eth_sendRawTransactionSync", R"(["0x02",1.5])").find("-32602"),
              std::string::npos);
}

TEST_F(Sync, whoever_stops_ends_the_waiting) {
    set("evm_setAutomine", "[false]");
    const std::string transfer = signed_transfer();
    std::jthread stopping([this] {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        head_signal.close();
    });
    EXPECT_NE(call("eth_sendRawTransactionSync", "[" + transfer + ",60000]").find(R"("code":4)"),
              std::string::npos);
}

TEST_F(SoloMode, a_filled_transaction_has_all_that_is_signed) {
    const std::string filled =
        call("eth_fillTransaction",
             fmt::format(R"([{{"from":"{}","to":"{}","value":"0x7"}}])", own(), kOther));
    for (const char* const member :
         {R"({"raw":"0x02)", R"("type":"0x2")", R"("nonce":"0x0")", R"("gas":"0x5208")",
          R"("chainId":"0x7a69")", R"("value":"0x7")", R"("maxPriorityFeePerGas":"0x1")",
          R"("maxFeePerGas":"0x77359401")", R"("accessList":[])"}) {
        EXPECT_NE(filled.find(member), std::string::npos) << member << " in " << filled;
    }
    EXPECT_EQ(filled.find(R"("hash")"), std::string::npos);
    const auto refusal = [&](const std::string& object) {
        return call("eth_fillTransaction", "[" + object + "]");
    };
    EXPECT_NE(refusal(R"({"value":"0x1"})").find("contract creation without any data provided"),
              std::string::npos);
    EXPECT_NE(refusal(fmt::format(R"({{"to":"{}","maxFeePerGas":"0x0"}})", kOther))
                  .find("maxFeePerGas must be non-zero"),
              std::string::npos);
    EXPECT_NE(
        refusal(fmt::format(R"({{"to":"{}","maxFeePerGas":"0x1","maxPriorityFeePerGas":"0x2"}})",
                            kOther))
            .find("maxFeePerGas (1) < maxPriorityFeePerGas (2)"),
        std::string::npos);
    EXPECT_NE(refusal(fmt::format(R"({{"to":"{}","chainId":"0x1"}})", kOther))
                  .find("chainId does not match node's (have=1, want=31337)"),
              std::string::npos);
}

TEST_F(SoloMode, raw_transactions_are_what_was_sent) {
    const std::string raw =
        call("eth_signTransaction",
             fmt::format(R"([{{"from":"{}","to":"{}","value":"0x7"}}])", own(), kOther));
    set("evm_setAutomine", "[false]");
    const std::string hash = call("eth_sendRawTransaction", "[" + raw + "]");
    EXPECT_EQ(call("eth_getRawTransactionByHash", "[" + hash + "]"), raw);
    call("evm_mine", "[]");
    EXPECT_EQ(call("eth_getRawTransactionByHash", "[" + hash + "]"), raw);
    EXPECT_EQ(call("eth_getRawTransactionByBlockNumberAndIndex", R"(["0x1","0x0"])"), raw);
    EXPECT_EQ(call("eth_getRawTransactionByBlockNumberAndIndex", R"(["0x1","0x1"])"), "null");
    EXPECT_EQ(call("eth_getRawTransactionByHash", "[\"" + word(1) + "\"]"), "null");
}

TEST_F(SoloMode, the_last_of_the_intermediate_roots_is_the_block_s) {
    set("evm_setAutomine", "[false]");
    for (int i = 0; i < 3; ++i) send(fmt::format(R"("to":"{}","value":"0x7")", kOther));
    call("evm_mine", "[]");
    call("evm_mine", "[]");
    const std::string block = call("eth_getBlockByNumber", R"(["0x1",false])");
    const auto member = [&block](const std::string& name) {
        const size_t at = block.find("\"" + name + "\":\"") + name.size() + 3;
        return block.substr(at, 68);
    };
    const std::string roots = call("debug_intermediateRoots", "[" + member("hash") + "]");
    EXPECT_EQ(roots.size(), 3 * 69U + 1) << roots;
    EXPECT_TRUE(roots.ends_with(member("stateRoot") + "]")) << roots;
    EXPECT_EQ(roots.find(member("stateRoot")), 2 * 69U + 1);
    EXPECT_NE(call("debug_intermediateRoots", "[\"" + word(1) + "\"]").find("not found"),
              std::string::npos);
}

TEST_F(SoloMode, storage_between_two_transactions) {
    // Adds one to slot 0 with each call.
    set("hardhat_setCode", fmt::format(R"(["{}","0x6000546001016000556000"])", kOther));
    set("hardhat_setStorageAt", fmt::format(R"(["{}","0x5","{}"])", kOther, word(42)));
    set("evm_setAutomine", "[false]");
    for (int i = 0; i < 2; ++i) send(fmt::format(R"("to":"{}","gas":"0x186a0")", kOther));
    call("evm_mine", "[]");
    const std::string hash = [this] {
        const std::string block = call("eth_getBlockByNumber", R"(["0x1",false])");
        return block.substr(block.find(R"("hash":")") + 8, 66);
    }();
    const auto range = [&](int index, const char* first, int count) {
        return call("debug_storageRangeAt",
                    fmt::format(R"(["{}",{},"{}","{}",{}])", hash, index, kOther, first, count));
    };
    EXPECT_EQ(range(0, "0x", 10).find(R"("key":")" + word(0)), std::string::npos);
    const std::string between = range(1, "0x", 10);
    EXPECT_NE(between.find(fmt::format(R"("key":"{}","value":"{}")", word(0), word(1))),
              std::string::npos)
        << between;
    EXPECT_NE(between.find(fmt::format(R"("key":"{}","value":"{}")", word(5), word(42))),
              std::string::npos);
    EXPECT_TRUE(between.ends_with(R"("nextKey":null})"));
    EXPECT_NE(range(2, "0x", 10).find(fmt::format(R"("value":"{}")", word(2))), std::string::npos);
    // keccak256 of slot 5 stands before that of slot 0.
    const std::string first = range(1, "0x", 1);
    EXPECT_NE(first.find(R"("storage":{"0x036b6384)"), std::string::npos) << first;
    EXPECT_NE(first.find(R"("nextKey":"0x290decd9)"), std::string::npos) << first;
    EXPECT_NE(range(1, "0x29", 1).find(R"("storage":{"0x290decd9)"), std::string::npos);
    EXPECT_NE(range(3, "0x", 1).find("out of range"), std::string::npos);
}

TEST_F(SoloMode, balances_grow_and_do_not_overflow) {
    const std::string other(kOther);
    set("anvil_addBalance", fmt::format(R"(["{}","0x5"])", other));
    set("anvil_addBalance", fmt::format(R"(["{}",7])", other));
    EXPECT_EQ(balance(kOther), R"("0xc")");
    set("anvil_addBalance", fmt::format(R"(["{}","0x{}"])", other, std::string(64, 'f')));
    EXPECT_EQ(balance(kOther), fmt::format(R"("0x{}")", std::string(64, 'f')));
}

TEST_F(SoloMode, blocks_are_taken_back_with_their_transactions) {
    const std::string value = fmt::format(R"("to":"{}","value":"0x1")", kOther);
    for (int i = 0; i < 3; ++i) send(value);
    EXPECT_EQ(call("anvil_rollback", "[]"), "null");
    EXPECT_EQ(number(), R"("0x2")");
    EXPECT_EQ(balance(kOther), R"("0x2")");
    EXPECT_EQ(call("anvil_rollback", R"(["0x2"])"), "null");
    EXPECT_EQ(number(), R"("0x0")");
    EXPECT_NE(call("anvil_rollback", "[1]").find("-32602"), std::string::npos);
    EXPECT_EQ(call("evm_mine", "[]"), R"("0x0")");
    EXPECT_EQ(balance(kOther), R"("0x0")") << "nothing of it waits";
}

TEST_F(SoloMode, a_point_is_found_again_behind_blocks_that_were_taken_back) {
    const std::string value = fmt::format(R"("to":"{}","value":"0x1")", kOther);
    send(value);
    set("hardhat_setBalance", fmt::format(R"(["{}","0x9"])", kOther));
    const std::string point = call("evm_snapshot", "[]");
    set("hardhat_setBalance", fmt::format(R"(["{}","0x20"])", kOther));
    EXPECT_EQ(call("anvil_rollback", "[]"), "null");
    EXPECT_EQ(balance(kOther), R"("0x0")");
    send(value);
    EXPECT_EQ(call("evm_revert", "[" + point + "]"), "true");
    EXPECT_EQ(balance(kOther), R"("0x9")");
    EXPECT_EQ(number(), R"("0x1")");
}

TEST_F(SoloMode, the_pool_is_emptied_of_one_sender) {
    set("evm_setAutomine", "[false]");
    set("hardhat_setBalance", fmt::format(R"(["{}","0x21e19e0c9bab2400000"])", kOther));
    const std::string value = fmt::format(R"("to":"{}","value":"0x1","gas":"0x5208")", own());
    const std::string sent =
        call("eth_sendUnsignedTransaction", fmt::format(R"([{{"from":"{}",{}}}])", kOther, value));
    EXPECT_EQ(sent.size(), 68U) << sent;
    send(value);
    EXPECT_EQ(pool->all().size(), 2U);
    EXPECT_EQ(call("anvil_removePoolTransactions", fmt::format(R"(["{}"])", kOther)), "null");
    ASSERT_EQ(pool->all().size(), 1U);
    EXPECT_EQ(pool->all()[0]->sender, keys()[0].address);
}

TEST_F(SoloMode, intervals_and_the_first_time_are_told) {
    EXPECT_EQ(call("anvil_getIntervalMining", "[]"), "null");
    set("anvil_setIntervalMining", "[3600]");
    EXPECT_EQ(call("anvil_getIntervalMining", "[]"), "3600");
    EXPECT_EQ(call("anvil_getGenesisTime", "[]"), "0");
    EXPECT_NE(call("hardhat_setMinGasPrice", R"(["0x1"])").find("EIP-1559"), std::string::npos);
}

}  // namespace
}  // namespace keel::rpc::dev
