#include "node/runners/block_test.hpp"

#include <fmt/format.h>

#include <atomic>
#include <utility>

#include "chain/chain.hpp"
#include "core/hex.hpp"
#include "crypto/ethash.hpp"
#include "crypto/keccak.hpp"
#include "db/open.hpp"
#include "node/runners/expectation.hpp"
#include "node/runners/network.hpp"
#include "node/runners/test_chain.hpp"

namespace keel::node::runners {
namespace {

/// Hash of the header in an RLP block; none: there is no such header.
std::optional<core::Hash32> header_hash(core::ByteView block_rlp) {
    auto block = core::rlp_outer_list(block_rlp);
    if (!block) return std::nullopt;
    const auto header = block->item();
    if (!header) return std::nullopt;
    return crypto::keccak256(*header);
}

/// The exception names of a block; old files have them by network.
std::optional<std::string_view> expectation_of(const JsonObject& block, std::string_view network) {
    if (const auto expected = find_text(block, "expectException")) return expected;
    if (const auto expected = find_text(block, "expectExceptionALL")) return expected;
    return find_text(block, fmt::format("expectException{}", network));
}

class BlockTestRunner final : public Runner {
  public:
    BlockTestRunner(const BlockTestOptions& options, unsigned number)
        : options_(options), number_(number) {
        if (options.suite.trace) trace_.emplace(options.suite.trace, options.suite.trace_fields);
    }

    void run(const FixtureFile::Member& member, size_t, std::vector<CaseResult>& results) override {
        CaseResult& result = results.emplace_back();
        result.name = member.name;
        result.network = need_text(member.test, "network");
        const auto config = config_of_test(member.test, result.network);
        if (!config) {
            result.outcome = Outcome::UnsupportedNetwork;
            return;
        }
        try {
            if (options_.lmdb_parent) {
                const db::Database database =
                    open_lmdb_test_store(*options_.lmdb_parent / fmt::format("store-{}", number_));
                run_on(database, member.test, *config, result);
                database.close();
            } else {
                run_on(scratch_.empty(), member.test, *config, result);
            }
        } catch (const core::Fault& fault) {
            fail(result, fault.message());
        }
    }

  private:
    static void fail(CaseResult& result, std::string error) {
        result.outcome = Outcome::Failed;
        result.error = std::move(error);
    }

    void run_on(const db::Database& database, const JsonObject& test,
                const chain::ChainConfig& config, CaseResult& result) {
        if (!write_genesis(database, test, config, result)) return;
        // Absent: made before tests without seal existed.
        const auto seal = find_text(test, "sealEngine");
        chain::Chain::Options chain_options;
        chain_options.verify_seal = !seal || *seal == "Ethash";
        chain_options.ethash = &ethash_;
        chain_options.tracer = trace_ ? &*trace_ : nullptr;
        chain::Chain chain(database, chain_options);
        auto txn = database.begin_rw();
        if (!txn) throw MalformedFixture("the store of the test has another writer");
        size_t index = 0;
        for (const Json& item : need_array(test, "blocks")) {
            JsonObject block;
            if (item.get(block) != simdjson::SUCCESS) throw MalformedFixture("a block");
            if (!deliver(chain, *txn, block, index++, result)) return;
        }
        if (auto difference = end_difference(*txn, chain.tables(), test)) {
            fail(result, *std::move(difference));
        }
        // Nothing of the test is kept: the transaction ends without commit.
    }

    static bool write_genesis(const db::Database& database, const JsonObject& test,
                              const chain::ChainConfig& config, CaseResult& result) {
        const chain::Genesis genesis = read_genesis(test, config);
        const core::Hash32 hash = chain::write_genesis(database, genesis).hash;
        const JsonObject header = need_object(test, "genesisBlockHeader");
        const core::Hash32 expected = read_hash(need(header, "hash"));
        if (hash != expected) {
            fail(result, fmt::format("genesis: hash is {}, expected {}",
                                     core::to_hex_prefixed(hash), core::to_hex_prefixed(expected)));
            return false;
        }
        if (const auto rlp = find(test, "genesisRLP")) {
            if (header_hash(read_bytes(*rlp)) != expected) {
                fail(result, "genesis: genesisRLP is another block");
                return false;
            }
        }
        return true;
    }

    /// False: the test has ended with a result.
    bool deliver(chain::Chain& chain, db::WriteTxn& txn, const JsonObject& block, size_t index,
                 CaseResult& result) const {
        const auto header = find(block, "blockHeader");
        auto inserted = insert(chain, txn, need_text(block, "rlp"));
        if (inserted) {
            if (!header) {
                fail(result,
                     fmt::format("block {}: accepted, although {} is expected", index,
                                 expectation_of(block, result.network).value_or("its refusal")));
                return false;
            }
            JsonObject fields;
            if (header->get(fields) != simdjson::SUCCESS) throw MalformedFixture("blockHeader");
            if (inserted->id.hash != read_hash(need(fields, "hash"))) {
                fail(result, fmt::format("block {}: blockHeader is another one's", index));
                return false;
            }
            return true;
        }
        const chain::Rejection& refused = inserted.error();
        if (header) {
            fail(result, fmt::format("block {}: refused: {}", index, refused.text));
            return false;
        }
        const auto expected = expectation_of(block, result.network);
        if (expected && !allows(*expected, refused.verdict)) {
            std::string warning =
                fmt::format("block {}: refused by {}, expected {}: {}", index,
                            chain::to_string(refused.verdict), *expected, refused.text);
            if (options_.suite.strict) {
                fail(result, std::move(warning));
                return false;
            }
            if (result.warning.empty()) result.warning = std::move(warning);
        }
        return true;
    }

    static core::Result<chain::Inserted, chain::Rejection> insert(chain::Chain& chain,
                                                                  db::WriteTxn& txn,
                                                                  std::string_view rlp) {
        auto bytes = core::from_hex(rlp);
        if (!bytes) {
            return core::unexpected(
                chain::Rejection{chain::Verdict::BlockUndecodable, "not hex digits"});
        }
        auto sealed = crypto::seal(*std::move(bytes));
        if (!sealed) {
            return core::unexpected(chain::Rejection{chain::Verdict::BlockUndecodable,
                                                     core::to_string(sealed.error())});
        }
        return chain.insert_block(txn, *sealed, chain::HeadRule::Import);
    }

    const BlockTestOptions& options_;
    const unsigned number_;
    ScratchStore scratch_;
    crypto::Ethash ethash_;  // its cache serves all tests
    std::optional<JsonTrace> trace_;
};

}  // namespace

Suite block_test_suite(BlockTestOptions options) {
    const auto shared = std::make_shared<const BlockTestOptions>(std::move(options));
    const auto runners = std::make_shared<std::atomic<unsigned>>(0);
    Suite suite;
    suite.pieces = [shared](const FixtureFile::Member& member) -> std::optional<size_t> {
        if (!find(member.test, "blocks") || !find(member.test, "network")) return std::nullopt;
        const SuiteOptions& options_of_suite = shared->suite;
        if (options_of_suite.select && !options_of_suite.select(member.name)) return 0;
        const auto network = find_text(member.test, "network");
        if (!options_of_suite.network.empty() && network != options_of_suite.network) return 0;
        return 1;
    };
    suite.make_runner = [shared, runners] {
        return std::make_unique<BlockTestRunner>(*shared, runners->fetch_add(1));
    };
    return suite;
}

}  // namespace keel::node::runners
