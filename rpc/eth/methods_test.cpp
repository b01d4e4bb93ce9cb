// What the methods of eth, net and web3 answer on a store whose rows the test has written.

#include <gtest/gtest.h>

#include "chain/bad_blocks.hpp"
#include "core/hex.hpp"
#include "rpc/engine/builder.hpp"
#include "rpc/eth/log_filter.hpp"
#include "rpc/testing/small_store.hpp"

namespace keel::rpc {
namespace {

class Methods : public testing::Test {
  protected:
    std::string hex(core::ByteView bytes) { return core::to_hex_prefixed(bytes); }
    std::string quoted(core::ByteView bytes) { return "\"" + hex(bytes) + "\""; }
    std::string call(const std::string& method, const std::string& params) {
        return store.call(method, params);
    }
    std::string error(int code, const std::string& message) {
        return R"({"code":)" + std::to_string(code) + R"(,"message":")" + message + R"("})";
    }
    bool contains(const std::string& text, const std::string& part) {
        return text.find(part) != std::string::npos;
    }
    /// Member names of the outermost object, in order.
    static std::vector<std::string> keys(const std::string& object) {
        std::vector<std::string> names;
        int depth = 0;
        for (size_t at = 0; at < object.size(); ++at) {
            if (object[at] == '{' || object[at] == '[') ++depth;
            if (object[at] == '}' || object[at] == ']') --depth;
            if (object[at] != '"') continue;
            const size_t end = object.find('"', at + 1);
            if (depth == 1 && object[end + 1] == ':') {
                names.push_back(object.substr(at + 1, end - at - 1));
            }
            at = end;
        }
        return names;
    }

    SmallStore store;
};

TEST_F(Methods, accounts_at_the_head) {
    const std::string rich = hex(store.rich);
    const std::string contract = hex(store.contract);
    const std::string nobody = "0xc1cadaffffffffffffffffffffffffffffffffff";
    EXPECT_EQ(call("eth_getBalance", R"([")" + rich + R"("])"), R"("0x5")");
    EXPECT_EQ(call("eth_getBalance", R"([")" + rich + R"(","latest"])"), R"("0x5")");
    EXPECT_EQ(call("eth_getBalance", R"([")" + rich + R"(","pending"])"), R"("0x5")");
    EXPECT_EQ(call("eth_getBalance", R"([")" + rich + R"(",null])"), R"("0x5")");
    EXPECT_EQ(call("eth_getBalance", R"([")" + rich + R"(","0x2"])"), R"("0x5")");
    EXPECT_EQ(call("eth_getBalance", R"([")" + nobody + R"("])"), R"("0x0")");
    EXPECT_EQ(call("eth_getTransactionCount", R"([")" + rich + R"("])"), R"("0x7")");
    EXPECT_EQ(call("eth_getTransactionCount", R"([")" + nobody + R"("])"), R"("0x0")");
    EXPECT_EQ(call("eth_getCode", R"([")" + contract + R"("])"), quoted(store.code));
    EXPECT_EQ(call("eth_getCode", R"([")" + rich + R"("])"), R"("0x")");
    EXPECT_EQ(call("eth_getCode", R"([")" + nobody + R"("])"), R"("0x")");
    const std::string word = R"("0x)" + std::string(60, '0') + R"(1234")";
    for (const char* const key : {"0x1", "0x01", "1", "0x0001"}) {
        EXPECT_EQ(call("eth_getStorageAt", R"([")" + contract + R"(",")" + key + R"("])"), word);
    }
    EXPECT_EQ(call("eth_getStorageAt", R"([")" + nobody + R"(","0x1","latest"])"),
              R"("0x)" + std::string(64, '0') + "\"");
    EXPECT_EQ(call("eth_getStorageAt", R"([")" + nobody + R"(","0xasdf","latest"])"),
              error(-32602, R"(invalid hex in storage key: \"0xasdf\")"));
}

TEST_F(Methods, state_methods_name_the_block_that_is_not_there) {
    const std::string account = R"([")" + hex(store.rich) + R"(",)";
    const std::string unknown = "0x" + std::string(60, '0') + "beef";
    EXPECT_EQ(call("eth_getBalance", account + R"("0x3"])"), error(-32000, "header not found"));
    EXPECT_EQ(call("eth_getBalance", account + "\"" + unknown + "\"]"),
              error(-32000, "header for hash not found"));
    EXPECT_EQ(call("eth_getBalance", account + R"("safe"])"),
              error(-32000, "safe block not found"));
    EXPECT_EQ(call("eth_getBalance", account + R"("finalized"])"),
              error(-32000, "finalized block not found"));
    EXPECT_EQ(call("eth_getBalance", account + R"({"blockNumber":"0x2"}])"), R"("0x5")");
    EXPECT_EQ(
        call("eth_getBalance", account + R"({"blockHash":)" + quoted(store.blocks[2].hash) + "}]"),
        R"("0x5")");
    EXPECT_TRUE(contains(call("eth_getBalance", account + "{}]"), "-32602"));
    EXPECT_TRUE(contains(call("eth_getBalance", R"(["0x12"])"), "-32602"));
    EXPECT_EQ(call("eth_getBalance", "[]"), error(-32602, "missing value for required argument 0"));
}

TEST_F(Methods, side_blocks_are_known_by_hash_but_not_by_state) {
    core::Hash32 side;
    store.database.update([&](db::WriteTxn& txn) {
        core::Block block;
        block.header.number = 2;
        block.header.gas_limit = 5;
        core::Bytes rlp;
        core::append_block(rlp, block);
        const auto sealed = crypto::seal(rlp);
        side = sealed->hash;
        chain::put_block(txn, store.tables, *sealed, core::U256(1));
    });
    EXPECT_TRUE(contains(call("eth_getBlockByHash", "[" + quoted(side) + ",false]"),
                         R"("gasLimit":"0x5")"));
    const std::string account = R"([")" + hex(store.rich) + R"(",{"blockHash":)" + quoted(side);
    EXPECT_EQ(call("eth_getBalance", account + R"(,"requireCanonical":true}])"),
              error(-32000, "hash is not currently canonical"));
    EXPECT_TRUE(contains(call("eth_getBalance", account + "}]"), "is not available"));
}

TEST_F(Methods, blocks_by_number_hash_and_tag) {
    const std::string block = call("eth_getBlockByNumber", R"(["0x1",false])");
    EXPECT_EQ(block, call("eth_getBlockByHash", "[" + quoted(store.blocks[1].hash) + ",false]"));
    EXPECT_EQ(keys(block),
              (std::vector<std::string>{"number",       "hash",          "parentHash",
                                        "nonce",        "mixHash",       "sha3Uncles",
                                        "logsBloom",    "stateRoot",     "miner",
                                        "difficulty",   "extraData",     "gasLimit",
                                        "gasUsed",      "timestamp",     "transactionsRoot",
                                        "receiptsRoot", "baseFeePerGas", "withdrawalsRoot",
                                        "blobGasUsed",  "excessBlobGas", "parentBeaconBlockRoot",
                                        "size",         "uncles",        "transactions",
                                        "withdrawals"}));
    EXPECT_TRUE(contains(block, R"("number":"0x1")"));
    EXPECT_TRUE(contains(block, R"("nonce":"0x0000000000000000")"));
    EXPECT_TRUE(contains(block, R"("baseFeePerGas":"0x3b9aca00")"));
    EXPECT_TRUE(contains(block, R"("transactions":[)" + quoted(store.tx_hashes[0]) + "," +
                                    quoted(store.tx_hashes[1]) + "]"));
    EXPECT_TRUE(
        contains(block, R"("withdrawals":[{"index":"0x1","validatorIndex":"0x2","address":)" +
                            quoted(store.rich) + R"(,"amount":"0x3"}])"));
    EXPECT_TRUE(contains(call("eth_getBlockByNumber", R"(["latest",false])"), R"("number":"0x2")"));
    EXPECT_TRUE(
        contains(call("eth_getBlockByNumber", R"(["earliest",true])"), R"("number":"0x0")"));
    EXPECT_EQ(call("eth_getBlockByNumber", R"(["0x3",true])"), "null");
    EXPECT_EQ(call("eth_getBlockByHash", R"(["0x)" + std::string(64, '0') + R"(",true])"), "null");
    EXPECT_EQ(call("eth_getBlockByNumber", R"(["safe",true])"),
              error(-32000, "safe block not found"));
    EXPECT_EQ(call("eth_getBlockByNumber", R"(["0x1"])"),
              error(-32602, "missing value for required argument 1"));
    EXPECT_EQ(call("eth_getBlockTransactionCountByNumber", R"(["0x1"])"), R"("0x2")");
    EXPECT_EQ(call("eth_getBlockTransactionCountByNumber", R"(["0x9"])"), "null");
}

TEST_F(Methods, transactions_of_a_block_and_by_hash) {
    const std::string legacy =
        call("eth_getTransactionByHash", "[" + quoted(store.tx_hashes[0]) + "]");
    EXPECT_EQ(
        legacy,
        R"({"blockHash":)" + quoted(store.blocks[1].hash) +
            R"(,"blockNumber":"0x1","blockTimestamp":"0x3f4","transactionIndex":"0x0","from":)" +
            quoted(store.sender) + R"(,"hash":)" + quoted(store.tx_hashes[0]) +
            R"(,"type":"0x0","nonce":"0x3","gas":"0x186a0","gasPrice":"0x77359400",)"
            R"("value":"0x9","input":"0x","to":null,"v":"0x1b","r":"0x1234","s":"0x5678"})");
    const std::string dynamic = call("eth_getTransactionByBlockNumberAndIndex", R"(["0x1","0x1"])");
    EXPECT_EQ(
        dynamic,
        R"({"blockHash":)" + quoted(store.blocks[1].hash) +
            R"(,"blockNumber":"0x1","blockTimestamp":"0x3f4","transactionIndex":"0x1","from":)" +
            quoted(store.sender) + R"(,"hash":)" + quoted(store.tx_hashes[1]) +
            R"(,"type":"0x2","nonce":"0x4","gas":"0x5208","gasPrice":"0x3b9aca05",)"
            R"("value":"0x0","input":"0x","to":)" +
            quoted(store.rich) + R"(,"chainId":"0x1","accessList":[{"address":)" +
            quoted(store.contract) + R"(,"storageKeys":[)" + quoted(filled<core::Hash32>(1)) +
            R"(]}],"maxFeePerGas":"0xb2d05e00","maxPriorityFeePerGas":"0x5",)"
            R"("v":"0x1","r":"0x1","s":"0x2","yParity":"0x1"})");
    EXPECT_EQ(dynamic, call("eth_getTransactionByBlockHashAndIndex",
                            "[" + quoted(store.blocks[1].hash) + R"(,"0x1"])"));
    EXPECT_TRUE(contains(call("eth_getBlockByNumber", R"(["0x1",true])"),
                         R"("transactions":[)" + legacy + "," + dynamic + "]"));
    EXPECT_EQ(call("eth_getTransactionByBlockNumberAndIndex", R"(["0x1","0x2"])"), "null");
    EXPECT_EQ(call("eth_getTransactionByBlockNumberAndIndex", R"(["0x7","0x0"])"), "null");
    EXPECT_EQ(call("eth_getTransactionByHash", "[" + quoted(store.blocks[1].hash) + "]"), "null");
}

TEST_F(Methods, receipts_count_gas_and_logs_through_the_block) {
    const std::string first =
        call("eth_getTransactionReceipt", "[" + quoted(store.tx_hashes[0]) + "]");
    const std::string second =
        call("eth_getTransactionReceipt", "[" + quoted(store.tx_hashes[1]) + "]");
    EXPECT_EQ(call("eth_getBlockReceipts", R"(["0x1"])"), "[" + first + "," + second + "]");
    EXPECT_EQ(call("eth_getBlockReceipts", "[" + quoted(store.blocks[1].hash) + "]"),
              "[" + first + "," + second + "]");
    EXPECT_EQ(call("eth_getBlockReceipts", R"(["0x0"])"), "[]");
    EXPECT_EQ(call("eth_getBlockReceipts", R"(["0x5"])"), "null");
    EXPECT_EQ(keys(first),
              (std::vector<std::string>{"blockHash", "blockNumber", "transactionHash",
                                        "transactionIndex", "from", "to", "contractAddress", "type",
                                        "gasUsed", "cumulativeGasUsed", "effectiveGasPrice", "logs",
                                        "logsBloom", "status"}));
    EXPECT_TRUE(contains(first, R"("gasUsed":"0xea60","cumulativeGasUsed":"0xea60")"));
    EXPECT_TRUE(contains(first, R"("status":"0x1")"));
    EXPECT_TRUE(contains(
        first, R"("logs":[{"address":)" + quoted(store.contract) + R"(,"topics":[)" +
                   quoted(filled<core::Hash32>(0x77)) +
                   R"(],"data":"0xbeef","blockNumber":"0x1","transactionHash":)" +
                   quoted(store.tx_hashes[0]) + R"(,"transactionIndex":"0x0","blockHash":)" +
                   quoted(store.blocks[1].hash) +
                   R"(,"blockTimestamp":"0x3f4","logIndex":"0x0","removed":false})"));
    EXPECT_TRUE(contains(second, R"("gasUsed":"0x5208","cumulativeGasUsed":"0x13c68")"));
    EXPECT_TRUE(contains(second, R"("status":"0x0")"));
    EXPECT_TRUE(contains(second, R"("logIndex":"0x2")"));
    EXPECT_TRUE(contains(second, R"("effectiveGasPrice":"0x3b9aca05")"));
    EXPECT_EQ(call("eth_getTransactionReceipt", "[" + quoted(store.blocks[1].hash) + "]"), "null");
}

TEST_F(Methods, calls_run_on_the_state_of_the_block) {
    const std::string to = R"([{"to":)" + quoted(store.contract);
    const std::string answer = R"("0x)" + std::string(62, '0') + R"(2a")";
    EXPECT_EQ(call("eth_call", to + "}]"), answer);
    EXPECT_EQ(call("eth_call", to + R"(},"latest"])"), answer);
    EXPECT_EQ(call("eth_call", to + R"(,"gas":"0x5300","value":"0x0","nonce":"0x99"}])"), answer);
    EXPECT_EQ(call("eth_call", to + R"(},"0x9"])"), error(-32000, "header not found"));
    EXPECT_EQ(call("eth_call", to + R"(,"data":"0x01","input":"0x01"}])"), answer);
    EXPECT_TRUE(contains(call("eth_call", to + R"(,"data":"0x01","input":"0x02"}])"), "-32000"));
    EXPECT_TRUE(contains(call("eth_call", to + R"(,"gasPrice":"0x1","maxFeePerGas":"0x1"}])"),
                         "both gasPrice and"));
    EXPECT_TRUE(contains(call("eth_call", to + R"(,"chainId":"0x2"}])"),
                         "chainId does not match node's (have=2, want=1)"));
    EXPECT_TRUE(contains(call("eth_call", to + R"(,"gas":"0x1"}])"), "(supplied gas 1)"));
    EXPECT_TRUE(contains(call("eth_call", to + R"(,"value":"0x1"}])"), "insufficient funds"));
    EXPECT_TRUE(contains(call("eth_call", to + R"(,"gasPrice":"0x1"}])"), "-32000"));
    EXPECT_EQ(call("eth_call", "[]"), error(-32602, "missing value for required argument 0"));
    EXPECT_EQ(call("eth_call", "[5]"), error(-32602, "invalid argument 0: not an object"));
}

/// Calls `code` at the contract's address, which is put there by an override.
#define CALL_CODE(code)                                                          \
    call("eth_call", R"([{"to":)" + quoted(store.contract) + R"(},"latest",{)" + \
                         quoted(store.contract) + R"(:{"code":")" + (code) + R"("}}])")

TEST_F(Methods, failures_of_a_call_have_geths_codes_and_texts) {
    // PUSH1 0 PUSH1 0 REVERT
    EXPECT_EQ(CALL_CODE("0x60006000fd"),
              R"({"code":3,"message":"execution reverted","data":"0x"})");
    EXPECT_EQ(CALL_CODE("0xfe"), error(-32000, "invalid opcode: INVALID"));
    EXPECT_EQ(CALL_CODE("0x5b600056"), error(-32000, "out of gas"));
    EXPECT_EQ(CALL_CODE("0x600156"), error(-32000, "invalid jump destination"));
}

TEST_F(Methods, overrides_hold_for_one_call) {
    const std::string target = quoted(store.contract);
    const std::string to = R"([{"to":)" + target + R"(},"latest",{)" + target + ":";
    // SLOAD of slot 1, returned.
    const std::string code = R"("code":"0x60015460005260206000f3")";
    const std::string zero = R"("0x)" + std::string(64, '0') + "\"";
    const auto word = [](const std::string& end) {
        return "\"0x" + std::string(64 - end.size(), '0') + end + "\"";
    };
    EXPECT_EQ(call("eth_call", to + "{" + code + "}}]"), word("1234"));
    EXPECT_EQ(call("eth_call",
                   to + "{" + code + R"(,"stateDiff":{)" + word("1") + ":" + word("77") + "}}}]"),
              word("77"));
    EXPECT_EQ(call("eth_call",
                   to + "{" + code + R"(,"stateDiff":{)" + word("2") + ":" + word("77") + "}}}]"),
              word("1234"));
    EXPECT_EQ(call("eth_call", to + "{" + code + R"(,"state":{}}}])"), zero);
    EXPECT_TRUE(contains(call("eth_call", to + R"({"state":{},"stateDiff":{}}}])"),
                         "has both 'state' and 'stateDiff'"));
    // BALANCE of itself, TIMESTAMP + NUMBER.
    EXPECT_EQ(call("eth_call", to + R"({"code":"0x4760005260206000f3","balance":"0xabc"}}])"),
              word("abc"));
    EXPECT_EQ(call("eth_call", to + R"({"code":"0x42430160005260206000f3"}},)"
                                    R"({"number":"0x10","time":"0x500"}])"),
              word("510"));
    EXPECT_EQ(call("eth_call", R"([{"to":)" + target + "}]"), word("2a"));
}

TEST_F(Methods, small_answers) {
    EXPECT_EQ(call("eth_blockNumber", "[]"), R"("0x2")");
    EXPECT_EQ(call("eth_blockNumber", "[1]"), error(-32602, "too many arguments, want at most 0"));
    EXPECT_EQ(call("eth_chainId", "[]"), R"("0x1")");
    EXPECT_EQ(call("eth_syncing", "[]"), "false");
    EXPECT_EQ(call("eth_accounts", "[]"), "[]");
    EXPECT_EQ(call("net_version", "[]"), R"("4711")");
    EXPECT_EQ(call("net_listening", "[]"), "true");
    EXPECT_EQ(call("net_peerCount", "[]"), R"("0x0")");
    EXPECT_EQ(call("web3_clientVersion", "[]"), R"("keel/v0/test/none")");
    EXPECT_EQ(call("web3_sha3", R"(["0x"])"),
              "\"0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470\"");
}

TEST_F(Methods, about_the_node) {
    store.backend.datadir = "/some/where";
    store.backend.node_key = core::Bytes(64, 0xab);
    const auto ask = [this](const std::string& method, const std::string& params = "[]") {
        return store.ask(
            R"({"jsonrpc":"2.0","id":1,"method":")" + method + R"(","params":)" + params + "}",
            {"admin", "rpc"});
    };
    EXPECT_TRUE(contains(ask("rpc_modules"), R"("result":{"admin":"1.0","rpc":"1.0"})"));
    EXPECT_TRUE(contains(ask("admin_datadir"), R"("result":"/some/where")"));
    EXPECT_TRUE(contains(ask("admin_peers"), R"("result":[])"));
    EXPECT_TRUE(contains(ask("admin_addPeer", R"(["enode://00"])"), R"("result":true)"));
    EXPECT_TRUE(contains(ask("admin_addPeer"), "missing value for required argument 0"));
    const std::string info = ask("admin_nodeInfo");
    std::string digits;
    for (int i = 0; i < 64; ++i) digits += "ab";
    EXPECT_TRUE(contains(info, R"("enode":"enode://)" + digits + R"(@127.0.0.1:30303")")) << info;
    EXPECT_TRUE(contains(info, R"("network":4711)"));
    EXPECT_TRUE(contains(info, R"("head":)" + quoted(store.blocks.back().hash)));
    EXPECT_EQ(call("eth_coinbase", "[]"), quoted(core::Address{}));
    EXPECT_EQ(call("eth_getBlockAccessList", R"(["latest"])"), "null");
    EXPECT_EQ(call("eth_getBlockAccessList", R"(["0x77"])"), "null");
    EXPECT_TRUE(
        contains(call("eth_getBlockAccessList", R"(["finalized"])"), "finalized block not found"));
}

TEST_F(Methods, logs_are_not_looked_for_when_nobody_waits_or_time_is_over) {
    struct Gone final : Caller {
        bool has_gone() const override { return true; }
    };
    const Gone gone;
    eth::LogFilter filter;
    filter.from.emplace().kind = BlockSelector::Kind::Earliest;
    const auto write = [&](const Patience& patience) {
        Snapshot snapshot(store.database, store.tables);
        JsonOut out;
        return eth::write_logs_of(out, snapshot, filter, {}, patience);
    };
    EXPECT_TRUE(write(Patience()));
    Patience ended(&gone);
    ended.look();
    const auto refused = write(ended);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().message,
              "the client has gone; blocks 0x0 to 0x0 are done in that time");
}

TEST_F(Methods, accounts_of_a_state_come_in_pages) {
    const auto ask = [this](const std::string& method, const std::string& params) {
        return store.ask(R"({"jsonrpc":"2.0","id":1,"method":"debug_)" + method + R"(","params":)" +
                             params + "}",
                         {"debug"});
    };
    const std::string all = ask("dumpBlock", R"(["latest"])");
    EXPECT_TRUE(
        contains(all, R"("0xaAaAaAaaAaAaAaaAaAAAAAAAAaaaAaAaAaaAaaAa":{"balance":"5","nonce":7,)"))
        << all;
    EXPECT_TRUE(contains(
        all, R"("0x0000000000000000000000000000000000000000000000000000000000000001":"1234")"));
    EXPECT_TRUE(contains(all, R"("code":)" + quoted(store.code)));
    EXPECT_FALSE(contains(all, "next"));
    const std::string first = ask("accountRange", R"(["latest","0x",1,true,true,false])");
    EXPECT_TRUE(contains(first, R"("next":)" + quoted(store.contract))) << first;
    EXPECT_FALSE(contains(first, R"("code":)"));
    const std::string second =
        ask("accountRange", R"(["latest",)" + quoted(store.contract) + ",1,true,true,false]");
    EXPECT_FALSE(contains(second, quoted(store.rich)));
    EXPECT_TRUE(contains(second, quoted(store.contract)));
    EXPECT_FALSE(contains(second, "storage"));
}

TEST_F(Methods, a_built_block_is_committed_by_whoever_can) {
    const auto ask = [this] {
        return store.ask(R"({"jsonrpc":"2.0","id":1,"method":"testing_commitBlockV1","params":[)"
                         R"({"timestamp":"0x10000","prevRandao":"0x)" +
                             std::string(64, '0') + R"(","suggestedFeeRecipient":"0x)" +
                             std::string(40, '1') +
                             R"(","withdrawals":[],"parentBeaconBlockRoot":"0x)" +
                             std::string(64, '2') + R"("},[],"0x6b"]})",
                         {"testing"});
    };
    EXPECT_TRUE(contains(ask(), "blocks cannot be committed here")) << ask();
    core::Hash32 hash;
    store.backend.commit_block = [&](const engine::BuiltBlock& built) -> Answer<void> {
        hash = built.hash;
        auto payload = engine::payload_of(built);
        EXPECT_EQ(payload.header.number, 3U);
        EXPECT_TRUE(engine::to_block(std::move(payload)));
        return {};
    };
    const std::string answer = ask();
    EXPECT_TRUE(contains(answer, R"("result":)" + quoted(hash))) << answer;
}

TEST_F(Methods, the_head_is_set_by_whoever_can) {
    const auto ask = [this](const std::string& params) {
        return store.ask(
            R"({"jsonrpc":"2.0","id":1,"method":"debug_setHead","params":)" + params + "}",
            {"debug"});
    };
    EXPECT_TRUE(contains(ask(R"(["0x1"])"), "the head cannot be set here"));
    std::optional<chain::BlockId> set;
    store.backend.set_head = [&set](const chain::BlockId& id) -> Answer<void> {
        set = id;
        return {};
    };
    EXPECT_TRUE(contains(ask(R"(["0x1"])"), R"("result":null)"));
    EXPECT_EQ(set, store.blocks[1]);
    EXPECT_TRUE(contains(ask(R"(["0x9"])"), "header not found"));
    EXPECT_TRUE(contains(ask("[1]"), "-32602"));
}

TEST_F(Methods, refused_blocks_are_remembered_with_their_reason_s_block) {
    const auto ask = [this] {
        return store.ask(R"({"jsonrpc":"2.0","id":1,"method":"debug_getBadBlocks","params":[]})",
                         {"debug"});
    };
    EXPECT_TRUE(contains(ask(), R"("result":[])"));
    core::Bytes rlp;
    store.database.update([&](db::WriteTxn& txn) {
        rlp = chain::BlockReader(txn, store.tables).block_rlp(store.blocks[1]);
        chain::put_bad_block(txn, store.tables, store.blocks[1].hash,
                             {.verdict = chain::Verdict::KnownBad,
                              .text = "x",
                              .last_valid = store.blocks[0],
                              .producer = "test",
                              .rlp = rlp});
    });
    const std::string answer = ask();
    EXPECT_TRUE(contains(answer, R"("result":[{"hash":)" + quoted(store.blocks[1].hash))) << answer;
    EXPECT_TRUE(contains(answer, R"("rlp":)" + quoted(rlp)));
    EXPECT_TRUE(contains(answer, R"("number":"0x1")"));
}

}  // namespace
}  // namespace keel::rpc
