#include "node/runners/tx_test.hpp"

#include <fmt/format.h>

#include "chain/tx_rules.hpp"
#include "core/hex.hpp"
#include "crypto/keccak.hpp"
#include "crypto/recover.hpp"
#include "node/runners/expectation.hpp"
#include "node/runners/network.hpp"

namespace keel::node::runners {
namespace {

/// What the tests ask of a transaction that is valid.
struct Judged {
    core::Hash32 hash;
    core::Address sender;
    chain::IntrinsicGas intrinsic;
};
using Judgement = core::Result<Judged, chain::Rejection>;

/// All that can be said without a block and a state, in the order of a block's checks.
Judgement judge(core::ByteView raw, const chain::ChainConfig& config,
                const chain::BlockRules& rules) {
    const auto tx = core::decode_tx(raw);
    if (!tx) return core::unexpected(chain::reject_undecodable(0, raw, tx.error()));
    // The type first: the signature of an unknown one means nothing.
    const auto alone = chain::check_tx_alone(*tx, rules);
    if (!alone && alone.error().verdict == chain::Verdict::TxTypeNotSupported) {
        return core::unexpected(alone.error());
    }
    // An old v that states a chain id is no signature before EIP-155; recover_sender says so.
    const auto sender = crypto::recover_sender(*tx, rules.rules);
    if (tx->chain_id && *tx->chain_id != core::U256(config.chain_id) &&
        (sender || sender.error() != crypto::SignatureError::WrongV)) {
        return core::unexpected(chain::reject<chain::Verdict::TxWrongChainId>(
            *tx->chain_id, core::U256(config.chain_id)));
    }
    if (!sender) return core::unexpected(chain::reject<chain::Verdict::TxBadSignature>());
    if (!alone) return core::unexpected(alone.error());
    return Judged{.hash = crypto::keccak256(raw),
                  .sender = *sender,
                  .intrinsic = chain::intrinsic_gas(*tx, rules.rules)};
}

class TxTestRunner final : public Runner {
  public:
    explicit TxTestRunner(const SuiteOptions& options) : options_(options) {}

    void run(const FixtureFile::Member& member, size_t, std::vector<CaseResult>& results) override {
        const std::optional<core::Bytes> raw = core::from_hex(need_text(member.test, "txbytes"));
        for (const auto& [network, value] : need_object(member.test, "result")) {
            if (!options_.network.empty() && options_.network != network) continue;
            CaseResult& result = results.emplace_back();
            result.name = member.name;
            result.network = network;
            JsonObject expected;
            if (value.get(expected) != simdjson::SUCCESS) {
                throw MalformedFixture("a result is no object");
            }
            const auto config = config_of_test(member.test, network);
            if (!config) {
                result.outcome = Outcome::UnsupportedNetwork;
                continue;
            }
            const chain::ForkSchedule schedule(*config);
            const chain::BlockRules rules = schedule.at(0, 0, schedule.is_proof_of_stake({}));
            const Judgement judgement =
                raw ? judge(*raw, *config, rules)
                    : core::unexpected(chain::reject<chain::Verdict::TxUndecodable>("no hex"));
            compare(expected, judgement, result);
        }
    }

  private:
    static void fail(CaseResult& result, std::string error) {
        result.outcome = Outcome::Failed;
        result.error = std::move(error);
    }

    void compare(const JsonObject& expected, const Judgement& judgement, CaseResult& result) const {
        const auto exception = find_text(expected, "exception");
        if (!judgement) {
            const chain::Rejection& refused = judgement.error();
            if (!exception) return fail(result, fmt::format("refused: {}", refused.text));
            if (allows(*exception, refused.verdict)) return;
            std::string warning =
                fmt::format("refused by {}, expected {}: {}", chain::to_string(refused.verdict),
                            *exception, refused.text);
            if (options_.strict) return fail(result, std::move(warning));
            result.warning = std::move(warning);
            return;
        }
        if (exception)
            return fail(result, fmt::format("valid, although {} is expected", *exception));
        if (const core::Hash32 hash = read_hash(need(expected, "hash")); judgement->hash != hash) {
            return fail(result, fmt::format("hash is {}, expected {}",
                                            core::to_hex_prefixed(judgement->hash),
                                            core::to_hex_prefixed(hash)));
        }
        const core::Address sender = read_address(need_text(expected, "sender"));
        if (judgement->sender != sender) {
            return fail(result, fmt::format("sender is {}, expected {}",
                                            core::to_hex_prefixed(judgement->sender),
                                            core::to_hex_prefixed(sender)));
        }
        const uint64_t gas = read_uint64(need(expected, "intrinsicGas"));
        if (judgement->intrinsic.gas != gas) {
            return fail(result, fmt::format("intrinsic gas is {}, expected {}",
                                            judgement->intrinsic.gas, gas));
        }
    }

    const SuiteOptions& options_;
};

}  // namespace

Suite tx_test_suite(SuiteOptions options) {
    const auto shared = std::make_shared<const SuiteOptions>(std::move(options));
    Suite suite;
    suite.pieces = [shared](const FixtureFile::Member& member) -> std::optional<size_t> {
        if (!find(member.test, "txbytes") || !find(member.test, "result")) return std::nullopt;
        return shared->select && !shared->select(member.name) ? 0 : 1;
    };
    suite.make_runner = [shared] { return std::make_unique<TxTestRunner>(*shared); };
    return suite;
}

}  // namespace keel::node::runners
