// The Engine API on the chain of testdata, whose last blocks come as payloads.

#include "rpc/engine/engine.hpp"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include "chain/chain.hpp"
#include "chain/genesis.hpp"
#include "core/files.hpp"
#include "core/hex.hpp"
#include "db/open.hpp"
#include "evm/tracer.hpp"
#include "rpc/dispatch.hpp"
#include "rpc/engine/payloads.hpp"
#include "rpc/testing/payload_json.hpp"
#include "state/tables.hpp"

namespace keel::rpc::engine {
namespace {

constexpr uint64_t kFirstStakeBlock = 36;

std::string hex(core::ByteView bytes) {
    return core::to_hex_prefixed(bytes);
}

core::Bytes read(const std::string& name) {
    core::SystemFiles files;
    return core::read_file(files, std::string(KEEL_SOURCE_DIR) + "/testdata/" + name);
}

/// Blocks 1 to 68.
std::vector<crypto::SealedBlock> main_chain() {
    const core::Bytes file = read("chains/main.rlp");
    std::vector<crypto::SealedBlock> blocks;
    for (core::RlpReader rest{core::ByteView(file)}; !rest.at_end();) {
        blocks.push_back(crypto::seal(rest.item()->to_bytes()).value());
    }
    return blocks;
}

class EngineApi : public testing::Test {
  protected:
    EngineApi() {
        const core::Bytes text = read("genesis/main.json");
        chain::write_genesis(database,
                             chain::parse_genesis(core::ByteView(text).text(), "main.json"));
        import_work();
        start();
    }

    /// All up to the last block of work.
    void import_work() {
        chain::Chain chain(database, {});
        database.update([&](db::WriteTxn& txn) {
            for (auto& block : blocks) {
                if (block.block.header.number >= kFirstStakeBlock) break;
                ASSERT_TRUE(chain.insert_block(txn, block, chain::HeadRule::Import));
            }
            chain.on_commit();
        });
    }
    void start(Engine::Options options = {}) {
        options.producer = "test";
        engine.emplace(database, std::move(options));
        backend.database = database;
        backend.tables = &tables;
        backend.schedule = &engine->schedule();
        backend.engine = &*engine;
        backend.payloads = &payloads;
        dispatcher.emplace(backend, std::vector<std::string>{"engine", "eth"}, DispatchLimits{});
    }

    const crypto::SealedBlock& block(uint64_t number) const { return blocks.at(number - 1); }
    core::Hash32 hash(uint64_t number) const { return block(number).hash; }

    NewPayload payload(uint64_t number) const { return payload_of(block(number)); }
    /// The payload with something else in it, and the hash that it then has.
    template <class Change>
    NewPayload changed(uint64_t number, const Change& change) const {
        NewPayload payload = payload_of(block(number));
        change(payload);
        NewPayload copy = payload;
        const auto refused = to_block(std::move(copy));
        if (refused) return payload;
        const std::string& text = refused.error();
        const size_t at = text.find(", got ");
        EXPECT_NE(at, std::string::npos) << text;
        payload.block_hash = *core::fixed_from_hex<core::Hash32>(text.substr(at + 6));
        return payload;
    }
    PayloadStatus give(NewPayload payload) { return engine->new_payload(std::move(payload)); }
    void give_up_to(uint64_t last) {
        for (uint64_t number = kFirstStakeBlock; number <= last; ++number) {
            const PayloadStatus status = give(payload(number));
            ASSERT_TRUE(status.is_valid()) << number << status.validation_error.value_or("");
            EXPECT_EQ(status.latest_valid_hash, hash(number));
        }
    }
    Answer<ForkchoiceUpdated> choose(const core::Hash32& head, const core::Hash32& safe = {},
                                     const core::Hash32& finalized = {}) {
        return engine->forkchoice_updated({.head = head, .safe = safe, .finalized = finalized});
    }
    Status status_of(const Answer<ForkchoiceUpdated>& answer) {
        EXPECT_TRUE(answer) << answer.error().message;
        return answer ? answer->status.status : Status::Accepted;
    }
    template <class T>
    Code code_of(const Answer<T>& answer) {
        EXPECT_FALSE(answer);
        return answer ? Code::Internal : answer.error().code;
    }

    std::string ask(const std::string& method, const std::string& params) {
        std::string body =
            R"({"jsonrpc":"2.0","id":1,"method":")" + method + R"(","params":)" + params + "}";
        const size_t size = body.size();
        body.append(kJsonPadding, ' ');
        static_cast<void>(dispatcher->parse(exchange, std::string_view(body).substr(0, size)));
        dispatcher->run(exchange, worker);
        const std::string answer(exchange.out.text());
        return answer.substr(answer.find(R"("id":1,)") + 7);
    }
    std::string tag(const std::string& name) {
        const std::string answer = ask("eth_getBlockByNumber", "[\"" + name + "\",false]");
        const size_t at = answer.find(R"("hash":")");
        return at == std::string::npos ? answer : answer.substr(at + 8, 66);
    }

    std::vector<crypto::SealedBlock> blocks = main_chain();
    db::Database database = db::open_ephemeral(state::schema());
    state::Tables tables{database};
    std::optional<Engine> engine;
    Payloads payloads;
    Backend backend;
    std::optional<Dispatcher> dispatcher;
    Exchange exchange;
    Worker worker;
};

TEST_F(EngineApi, payloads_of_every_fork_are_valid_and_move_no_head) {
    give_up_to(68);
    EXPECT_EQ(tag("latest"), hex(hash(35)));
    EXPECT_EQ(status_of(choose(hash(68))), Status::Valid);
    EXPECT_EQ(tag("latest"), hex(hash(68)));
    // Once more: nothing is done, the answer is the same.
    EXPECT_EQ(give(payload(50)).latest_valid_hash, hash(50));
}

TEST_F(EngineApi, the_head_goes_to_any_known_block_and_the_tags_with_it) {
    give_up_to(68);
    ASSERT_EQ(status_of(choose(hash(68), hash(60), hash(50))), Status::Valid);
    EXPECT_EQ(tag("safe"), hex(hash(60)));
    EXPECT_EQ(tag("finalized"), hex(hash(50)));
    // Zero keeps what is still on the branch and clears what is not.
    ASSERT_EQ(status_of(choose(hash(55))), Status::Valid);
    EXPECT_EQ(tag("latest"), hex(hash(55)));
    EXPECT_NE(tag("safe").find("safe block not found"), std::string::npos);
    EXPECT_EQ(tag("finalized"), hex(hash(50)));
    // Below the finalized block with one named: passed over.
    const auto passed = choose(hash(45), {}, hash(40));
    EXPECT_EQ(status_of(passed), Status::Valid);
    EXPECT_FALSE(passed->head);
    EXPECT_EQ(tag("latest"), hex(hash(55)));
    // With zeros it moves, to the genesis too.
    const core::Hash32 genesis = block(1).block.header.parent_hash;
    ASSERT_EQ(status_of(choose(genesis)), Status::Valid);
    EXPECT_EQ(tag("latest"), hex(genesis));
    EXPECT_NE(tag("finalized").find("finalized block not found"), std::string::npos);
    ASSERT_EQ(status_of(choose(hash(68))), Status::Valid);
    EXPECT_EQ(tag("latest"), hex(hash(68)));
}

TEST_F(EngineApi, tags_and_head_are_there_after_a_restart) {
    give_up_to(60);
    ASSERT_EQ(status_of(choose(hash(60), hash(58), hash(57))), Status::Valid);
    start();
    EXPECT_EQ(tag("latest"), hex(hash(60)));
    EXPECT_EQ(tag("safe"), hex(hash(58)));
    EXPECT_EQ(tag("finalized"), hex(hash(57)));
    EXPECT_TRUE(give(payload(61)).is_valid());
}

TEST_F(EngineApi, inconsistent_choices_change_nothing) {
    give_up_to(60);
    ASSERT_EQ(status_of(choose(hash(59), hash(58), hash(57))), Status::Valid);
    core::Hash32 unknown;
    unknown[0] = 1;
    for (const auto& [safe, finalized] : {std::pair{unknown, hash(57)},
                                          {hash(58), unknown},
                                          {hash(60), hash(57)},
                                          {hash(58), hash(60)}}) {
        EXPECT_EQ(code_of(choose(hash(59), safe, finalized)), Code::InvalidForkchoiceState);
    }
    EXPECT_EQ(tag("latest"), hex(hash(59)));
    EXPECT_EQ(tag("safe"), hex(hash(58)));
    const auto syncing = choose(unknown, hash(58), hash(57));
    EXPECT_EQ(status_of(syncing), Status::Syncing);
    EXPECT_FALSE(syncing->status.latest_valid_hash);
    const auto zero = choose({});
    EXPECT_EQ(status_of(zero), Status::Invalid);
    EXPECT_FALSE(zero->status.latest_valid_hash);
    // A block of work below the terminal difficulty.
    const auto work = choose(hash(20));
    EXPECT_EQ(status_of(work), Status::Invalid);
    EXPECT_EQ(work->status.latest_valid_hash, core::Hash32{});
}

TEST_F(EngineApi, a_limit_on_reorgs_is_kept) {
    give_up_to(60);
    ASSERT_EQ(status_of(choose(hash(60))), Status::Valid);
    start({.reorg_depth_max = 10});
    EXPECT_EQ(code_of(choose(hash(49))), Code::TooDeepReorg);
    EXPECT_EQ(tag("latest"), hex(hash(60)));
    EXPECT_EQ(status_of(choose(hash(50))), Status::Valid);
}

TEST_F(EngineApi, a_bad_block_and_its_descendants_stay_invalid) {
    give_up_to(50);
    const NewPayload bad =
        changed(51, [](NewPayload& each) { each.header.state_root[31] ^= 0xff; });
    const PayloadStatus first = give(bad);
    EXPECT_EQ(first.status, Status::Invalid);
    EXPECT_EQ(first.latest_valid_hash, hash(50));
    ASSERT_TRUE(first.validation_error);
    EXPECT_TRUE(first.validation_error->starts_with("invalid merkle root"))
        << *first.validation_error;

    const NewPayload child =
        changed(52, [&](NewPayload& each) { each.header.parent_hash = bad.block_hash; });
    const PayloadStatus below = give(child);
    EXPECT_EQ(below.status, Status::Invalid);
    EXPECT_EQ(below.latest_valid_hash, hash(50));
    EXPECT_EQ(below.validation_error, "links to previously rejected block");

    start();  // a restart
    EXPECT_EQ(give(bad).validation_error, first.validation_error);
    EXPECT_EQ(give(bad).latest_valid_hash, hash(50));
    const auto chosen = choose(child.block_hash);
    EXPECT_EQ(status_of(chosen), Status::Invalid);
    EXPECT_EQ(chosen->status.latest_valid_hash, hash(50));
    EXPECT_NE(ask("eth_getBlockByHash", "[\"" + hex(bad.block_hash) + "\",false]").find("null"),
              std::string::npos);
    EXPECT_TRUE(give(payload(51)).is_valid());
}

TEST_F(EngineApi, what_does_not_convert_is_invalid_without_an_ancestor) {
    give_up_to(50);
    NewPayload wrong_hash = payload(51);
    wrong_hash.block_hash[31] ^= 0xff;
    NewPayload empty_tx = payload(51);
    empty_tx.txs.emplace_back();
    NewPayload garbage = payload(51);
    garbage.txs.push_back({0xc1, 0x80});
    NewPayload long_extra = payload(51);
    long_extra.header.extra_data.assign(33, 1);
    NewPayload short_bloom = payload(51);
    short_bloom.logs_bloom.pop_back();
    NewPayload blobs = payload(51);
    blobs.blob_hashes->emplace_back();
    for (const NewPayload& each : {wrong_hash, empty_tx, garbage, long_extra, short_bloom, blobs}) {
        const PayloadStatus status = give(each);
        EXPECT_EQ(status.status, Status::Invalid);
        EXPECT_FALSE(status.latest_valid_hash);
        EXPECT_TRUE(status.validation_error);
    }
    EXPECT_TRUE(give(payload(51)).is_valid());
}

TEST_F(EngineApi, a_tracer_watches_what_is_executed) {
    struct Watching final : evm::Tracer {
        void enter(const evm::Message&) override { ++calls; }
        void exit(const evm::Message&, const evm::CallResult&) override {}
        void step(const evm::Step&) override {}
        void charged(int64_t) override {}
        void fault(evm::Status) override {}
        unsigned calls = 0;
    } watching;
    engine.reset();
    start({.tracer = &watching});
    give_up_to(60);
    EXPECT_GT(watching.calls, 0U);
    const unsigned before = watching.calls;
    EXPECT_TRUE(give(payload(60)).is_valid());
    ASSERT_EQ(status_of(choose(hash(60))), Status::Valid);
    EXPECT_EQ(watching.calls, before) << "known blocks are not executed again";
}

TEST_F(EngineApi, blocks_wait_for_their_ancestors) {
    give_up_to(50);
    EXPECT_EQ(give(payload(53)).status, Status::Syncing);
    EXPECT_EQ(give(payload(52)).status, Status::Syncing);
    EXPECT_EQ(status_of(choose(hash(53))), Status::Syncing);
    EXPECT_TRUE(give(payload(51)).is_valid());
    // The choice of the last one executes what waits.
    EXPECT_EQ(status_of(choose(hash(53))), Status::Valid);
    EXPECT_EQ(tag("latest"), hex(hash(53)));
}

TEST_F(EngineApi, a_waiting_child_of_a_bad_block_is_invalid) {
    give_up_to(50);
    const NewPayload bad = changed(51, [](NewPayload& each) { each.header.gas_used += 1; });
    const NewPayload child =
        changed(52, [&](NewPayload& each) { each.header.parent_hash = bad.block_hash; });
    const NewPayload grandchild =
        changed(53, [&](NewPayload& each) { each.header.parent_hash = child.block_hash; });
    EXPECT_EQ(give(child).status, Status::Syncing);
    EXPECT_EQ(give(bad).latest_valid_hash, hash(50));
    const PayloadStatus last = give(grandchild);
    EXPECT_EQ(last.status, Status::Invalid);
    EXPECT_EQ(last.latest_valid_hash, hash(50));
    EXPECT_EQ(give(child).status, Status::Invalid);
}

TEST_F(EngineApi, each_version_is_for_the_payloads_of_its_forks) {
    // A payload of each fork, by the versions that there are: valid in one alone (Paris: two).
    give_up_to(68);
    unsigned right = 0;
    for (uint64_t number = kFirstStakeBlock; number <= 68; ++number) {
        const core::Header& header = block(number).block.header;
        const unsigned wanted = header.requests_hash ? 4 : header.blob_gas_used ? 3 : 2;
        const bool paris = !header.withdrawals_root;
        // Requests are not in the block: only payloads without any can be written again.
        if (header.requests_hash && *header.requests_hash != no_requests_hash()) continue;
        for (unsigned version = 1; version <= 4; ++version) {
            const std::string params = payload_json(block(number), version);
            const std::string answer = ask(fmt::format("engine_newPayloadV{}", version), params);
            if (version == wanted || (paris && version == 1)) {
                EXPECT_NE(answer.find(R"("status":"VALID")"), std::string::npos)
                    << number << " V" << version << answer;
                ++right;
            } else {
                EXPECT_NE(answer.find(R"("error":{"code":-3)"), std::string::npos)
                    << number << " V" << version << answer;
            }
        }
    }
    EXPECT_GE(right, 12U);
}

TEST_F(EngineApi, capabilities_bodies_and_attributes) {
    give_up_to(60);
    ASSERT_EQ(status_of(choose(hash(60))), Status::Valid);
    const std::string capabilities =
        ask("engine_exchangeCapabilities", "[[\"engine_newPayloadV1\"]]");
    for (const char* const name : {"newPayloadV1", "newPayloadV4", "forkchoiceUpdatedV3",
                                   "getPayloadBodiesByHashV1", "getPayloadBodiesByRangeV1"}) {
        EXPECT_NE(capabilities.find(name), std::string::npos) << name;
    }
    EXPECT_EQ(capabilities.find("exchange"), std::string::npos);
    EXPECT_NE(ask("engine_getClientVersionV1", "[{}]").find(R"("name":"keel")"), std::string::npos);

    EXPECT_EQ(ask("engine_getPayloadBodiesByRangeV1", R"(["0x3d","0x2"])"), R"("result":[]})");
    EXPECT_NE(ask("engine_getPayloadBodiesByRangeV1", R"(["0x0","0x2"])").find("-32602"),
              std::string::npos);
    EXPECT_NE(ask("engine_getPayloadBodiesByRangeV1", R"(["0x1","0x401"])").find("-38004"),
              std::string::npos);
    EXPECT_NE(
        ask("engine_getPayloadBodiesByRangeV1", R"(["0x24","0x1"])").find(R"("withdrawals":null)"),
        std::string::npos);
    const std::string by_hash =
        ask("engine_getPayloadBodiesByHashV1",
            "[[\"" + hex(core::Hash32{}) + "\",\"" + hex(hash(60)) + "\"]]");
    EXPECT_TRUE(by_hash.starts_with(R"("result":[null,{"transactions":[)")) << by_hash;

    const auto with_attributes = [&](unsigned version, const std::string& members, uint64_t time) {
        const std::string state = fmt::format(
            R"({{"headBlockHash":"{0}","safeBlockHash":"{1}","finalizedBlockHash":"{1}"}})",
            hex(hash(60)), hex(core::Hash32{}));
        const std::string attributes = fmt::format(
            R"({{"timestamp":"{:#x}","prevRandao":"{}","suggestedFeeRecipient":"0x{}"{}}})", time,
            hex(core::Hash32{}), std::string(40, '0'), members);
        return ask(fmt::format("engine_forkchoiceUpdatedV{}", version),
                   "[" + state + "," + attributes + "]");
    };
    const uint64_t next = block(60).block.header.timestamp + 1;
    const std::string root = R"(,"parentBeaconBlockRoot":")" + hex(core::Hash32{}) + "\"";
    const std::string both = R"(,"withdrawals":[])" + root;
    EXPECT_NE(with_attributes(3, both, next - 1).find("-38003"), std::string::npos);
    EXPECT_NE(with_attributes(3, R"(,"withdrawals":[])", next).find("-38003"), std::string::npos);
    EXPECT_NE(with_attributes(3, both, 1).find("-38005"), std::string::npos);
    EXPECT_NE(with_attributes(2, both, next).find("-38003"), std::string::npos);
    EXPECT_NE(with_attributes(2, R"(,"withdrawals":[])", next).find("-38005"), std::string::npos);

    // A block without transactions, the same whenever it is fetched.
    const std::string begun = with_attributes(3, both, next);
    const std::string key = R"("payloadId":")";
    const size_t at = begun.find(key);
    ASSERT_NE(at, std::string::npos) << begun;
    const std::string id = "[\"" + begun.substr(at + key.size(), 18) + "\"]";
    const std::string built = ask("engine_getPayloadV5", id);
    EXPECT_NE(built.find(R"("transactions":[])"), std::string::npos) << built;
    EXPECT_EQ(ask("engine_getPayloadV5", id), built);
    EXPECT_EQ(with_attributes(3, both, next), begun);
    EXPECT_NE(ask("engine_getPayloadV3", id).find("-38005"), std::string::npos);
    EXPECT_NE(ask("engine_getPayloadV5", R"(["0x0300000000000000"])").find("-38001"),
              std::string::npos);
    // What is built is valid.
    const size_t from = built.find(R"("executionPayload":)") + 19;
    const std::string payload = built.substr(from, built.find(R"(,"blockValue")") - from);
    EXPECT_NE(ask("engine_newPayloadV4", "[" + payload + ",[],\"" + hex(core::Hash32{}) + "\",[]]")
                  .find(R"("status":"VALID")"),
              std::string::npos);
}

}  // namespace
}  // namespace keel::rpc::engine
