#include "node/runners/state_test.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "chain/blob_fee.hpp"
#include "chain/execute_tx.hpp"
#include "core/hex.hpp"
#include "crypto/keccak.hpp"
#include "crypto/recover.hpp"
#include "crypto/secp256k1.hpp"
#include "node/runners/alloc.hpp"
#include "node/runners/expectation.hpp"
#include "node/runners/network.hpp"
#include "state/journal.hpp"

namespace keel::node::runners {
namespace {

// Entries in one piece: few enough that threads share a member with thousands, many enough that
// building its state does not count.
constexpr size_t kPieceEntries = 32;

// Of an `env` that does not say it.
constexpr uint64_t kDefaultBaseFee = 10;

struct Entry {
    std::string_view network;
    JsonObject post;
};

/// The entries that are selected, in the order of the file.
std::vector<Entry> entries_of(const JsonObject& test, const std::string& network) {
    std::vector<Entry> entries;
    for (const auto& [name, value] : need_object(test, "post")) {
        if (!network.empty() && network != name) continue;
        JsonArray list;
        if (value.get(list) != simdjson::SUCCESS) throw MalformedFixture("post is not of lists");
        for (const Json& item : list) {
            JsonObject post;
            if (item.get(post) != simdjson::SUCCESS) throw MalformedFixture("a post is no object");
            entries.push_back({name, post});
        }
    }
    return entries;
}

/// BLOCKHASH of a state test: the hash of the number's decimal digits.
class DigitHashes final : public state::BlockHashes {
  public:
    core::Hash32 block_hash(uint64_t number) override {
        return crypto::keccak256(std::to_string(number));
    }
};

struct Indexes {
    size_t data, gas, value;
};

Indexes read_indexes(const JsonObject& post) {
    const JsonObject from = need_object(post, "indexes");
    return {read_uint64(need(from, "data")), read_uint64(need(from, "gas")),
            read_uint64(need(from, "value"))};
}

Json element(const JsonArray& array, size_t index) {
    Json value;
    if (array.at(index).get(value) != simdjson::SUCCESS) {
        throw MalformedFixture("an index points beyond its list");
    }
    return value;
}

/// A transaction that may be refused already where it is made.
struct Candidate {
    core::Bytes bytes;  // what `tx` views
    core::Tx tx;
    core::Address sender;
    std::optional<chain::Rejection> refused;

    void refuse(chain::Verdict verdict, std::string text) {
        if (!refused) refused = chain::Rejection{verdict, std::move(text)};
    }
};

core::Address sender_of(const JsonObject& from) {
    if (const auto sender = find_text(from, "sender")) return read_address(*sender);
    const core::Hash32 key = read_hash(need(from, "secretKey"));
    if (!crypto::is_private_key(key)) throw MalformedFixture("secretKey is no key");
    return crypto::address_of(key);
}

/// From `txbytes`, as a block would bring it.
Candidate decode_candidate(const Json& txbytes, const core::Address& sender,
                           const core::ForkRules& rules) {
    Candidate candidate;
    candidate.bytes = read_bytes(txbytes);
    auto tx = core::decode_tx(candidate.bytes);
    if (!tx) {
        candidate.refuse(chain::Verdict::TxUndecodable, core::to_string(tx.error()));
        return candidate;
    }
    candidate.tx = *std::move(tx);
    const auto recovered = crypto::recover_sender(candidate.tx, rules);
    if (!recovered) {
        candidate.refuse(chain::Verdict::TxBadSignature, "no sender");
        return candidate;
    }
    candidate.sender = *recovered;
    if (candidate.sender != sender) {
        candidate.refuse(
            chain::Verdict::TxBadSignature,
            fmt::format("signed by {}, not by the sender {}",
                        core::to_hex_prefixed(candidate.sender), core::to_hex_prefixed(sender)));
    }
    return candidate;
}

core::AccessList read_access_list(const Json& value) {
    core::AccessList list;
    JsonArray entries;
    if (value.get(entries) != simdjson::SUCCESS) return list;  // null
    for (const Json& item : entries) {
        JsonObject from;
        if (item.get(from) != simdjson::SUCCESS) throw MalformedFixture("an access list");
        core::AccessListEntry& entry = list.emplace_back();
        entry.address = read_address(need_text(from, "address"));
        for (const Json& key : need_array(from, "storageKeys")) {
            entry.keys.push_back(read_hash(key));
        }
    }
    return list;
}

/// From the fields, for files without `txbytes`. They are older than typed transactions but for
/// access lists.
Candidate build_candidate(const JsonObject& from, const Indexes& indexes,
                          const core::Address& sender) {
    Candidate candidate;
    candidate.sender = sender;
    core::Tx& tx = candidate.tx;
    // A value that does not fit its field could not be encoded: the transaction is refused.
    const auto u256 = [&candidate](const Json& value, core::U256& into) {
        const auto number = to_u256(value);
        if (!number) return candidate.refuse(chain::Verdict::TxUndecodable, "a field overflows");
        into = *number;
    };
    const auto uint64 = [&candidate](const Json& value, uint64_t& into) {
        const auto number = to_uint64(value);
        if (!number) return candidate.refuse(chain::Verdict::TxUndecodable, "a field overflows");
        into = *number;
    };
    uint64(need(from, "nonce"), tx.nonce);
    uint64(element(need_array(from, "gasLimit"), indexes.gas), tx.gas);
    u256(element(need_array(from, "value"), indexes.value), tx.value);
    if (const auto to = find_text(from, "to"); to && !to->empty()) tx.to = read_address(*to);
    candidate.bytes = read_bytes(element(need_array(from, "data"), indexes.data));
    tx.data = candidate.bytes;
    if (const auto max_fee = find(from, "maxFeePerGas")) {
        tx.type = core::TxType::DynamicFee;
        u256(*max_fee, tx.max_fee);
        u256(need(from, "maxPriorityFeePerGas"), tx.max_priority_fee);
    } else {
        u256(need(from, "gasPrice"), tx.max_fee);
        tx.max_priority_fee = tx.max_fee;
    }
    if (find(from, "accessLists")) {
        const Json list = element(need_array(from, "accessLists"), indexes.data);
        if (!list.is_null() && tx.type == core::TxType::Legacy) tx.type = core::TxType::AccessList;
        tx.access_list = read_access_list(list);
    }
    if (find(from, "blobVersionedHashes") || find(from, "authorizationList")) {
        throw MalformedFixture("a blob or set-code transaction without txbytes");
    }
    if (tx.type != core::TxType::Legacy) tx.chain_id = core::U256(1);
    return candidate;
}

/// The header that `env` describes, under the rules of its own block.
core::Header read_env(const JsonObject& env, const chain::ForkSchedule& schedule,
                      chain::BlockRules& rules) {
    core::Header header;
    header.coinbase = read_address(need_text(env, "currentCoinbase"));
    header.gas_limit = read_uint64(need(env, "currentGasLimit"));
    header.number = read_uint64(need(env, "currentNumber"));
    header.timestamp = read_uint64(need(env, "currentTimestamp"));
    rules = schedule.at(header.number, header.timestamp, schedule.is_proof_of_stake({}));
    // One `env` serves the networks before and after the merge.
    const auto random = find(env, "currentRandom");
    if (rules.rules.eip_4399) {
        if (random) header.mix_hash = read_hash(*random);
    } else if (const auto difficulty = find(env, "currentDifficulty")) {
        header.difficulty = read_u256(*difficulty);
    }
    if (rules.rules.eip_1559) {
        const auto base_fee = find(env, "currentBaseFee");
        header.base_fee = base_fee ? read_u256(*base_fee) : core::U256(kDefaultBaseFee);
    }
    if (rules.rules.eip_4844) {
        const auto excess = find(env, "currentExcessBlobGas");
        header.excess_blob_gas = excess ? read_uint64(*excess) : 0;
        header.blob_gas_used = 0;
    }
    return header;
}

class StateTestRunner final : public Runner {
  public:
    explicit StateTestRunner(const SuiteOptions& options) : options_(options) {
        if (!options.trace) return;
        trace_.emplace(options.trace, options.trace_fields);
        workspace_.set_tracer(&*trace_);
    }

    void run(const FixtureFile::Member& member, size_t index,
             std::vector<CaseResult>& results) override {
        const std::vector<Entry> entries = entries_of(member.test, options_.network);
        const Alloc alloc = read_alloc(need_object(member.test, "pre"));
        AllocState pre(alloc);
        const size_t last = std::min((index + 1) * kPieceEntries, entries.size());
        for (size_t i = index * kPieceEntries; i < last; ++i) {
            CaseResult& result = results.emplace_back();
            result.name = member.name;
            result.network = entries[i].network;
            try {
                run_entry(member.test, entries[i], alloc, pre, result);
            } catch (const core::Fault& fault) {
                result.outcome = Outcome::Failed;
                result.error = fault.message();
            }
        }
    }

  private:
    void run_entry(const JsonObject& test, const Entry& entry, const Alloc& alloc, AllocState& pre,
                   CaseResult& result) {
        const Indexes indexes = read_indexes(entry.post);
        result.entry = fmt::format("d{} g{} v{}", indexes.data, indexes.gas, indexes.value);
        const auto config = config_of_test(test, entry.network);
        if (!config) {
            result.outcome = Outcome::UnsupportedNetwork;
            return;
        }
        const chain::ForkSchedule schedule(*config);
        chain::BlockRules rules;
        const core::Header header = read_env(need_object(test, "env"), schedule, rules);
        const JsonObject tx_fields = need_object(test, "transaction");
        const core::Address sender = sender_of(tx_fields);
        const auto txbytes = find(entry.post, "txbytes");
        const Candidate candidate = txbytes ? decode_candidate(*txbytes, sender, rules.rules)
                                            : build_candidate(tx_fields, indexes, sender);

        DigitHashes hashes;
        journal_.begin_block(pre, hashes);
        std::vector<core::Log> logs;
        std::optional<chain::Rejection> refused = candidate.refused;
        if (!refused) {
            auto outcome = execute(header, rules, schedule.config(), candidate);
            if (outcome) {
                logs = std::move(outcome->logs);
            } else {
                refused = std::move(outcome.error());
            }
        }
        const auto expected = find_text(entry.post, "expectException");
        // A transaction touches the coinbase; makers of old files touched it for a refused one too
        // (fixtures/README.md 4.2.3).
        if (!refused || (expected && !is_new_name(*expected))) {
            touch(header.coinbase, rules.rules);
        }
        state::ChangeSet changes = journal_.changes();
        const core::Hash32 root = state::resolve_state_root(pre, changes, nullptr);
        result.state_root = root;
        if (trace_) trace_->state_root(root);
        judge(entry.post, refused, root, logs, result);
        JsonObject state;
        if (result.outcome == Outcome::Failed &&
            entry.post.at_key("state").get(state) == simdjson::SUCCESS) {
            const auto difference = first_difference(read_alloc(state), applied(alloc, changes));
            if (difference) result.error += "; " + *difference;
        }
    }

    core::Result<chain::TxOutcome, chain::Rejection> execute(const core::Header& header,
                                                             const chain::BlockRules& rules,
                                                             const chain::ChainConfig& config,
                                                             const Candidate& candidate) {
        const chain::BlockEnv env = chain::block_env(header, rules, config);
        const chain::TxRoom room{
            .gas_left = header.gas_limit,
            .blob_gas_left = rules.blobs.max * chain::kGasPerBlob,
            .base_fee = header.base_fee.value_or(core::U256()),
            .blob_base_fee = env.context.blob_base_fee,
            .chain_id = config.chain_id,
        };
        return chain::execute_tx(workspace_, journal_, env, candidate.tx, candidate.sender, room);
    }

    void touch(const core::Address& coinbase, const core::ForkRules& rules) {
        journal_.begin_transaction(rules);
        journal_.add_balance(coinbase, {});
        journal_.end_transaction();
    }

    void judge(const JsonObject& post, const std::optional<chain::Rejection>& refused,
               const core::Hash32& root, const std::vector<core::Log>& logs,
               CaseResult& result) const {
        const auto expected = find_text(post, "expectException");
        const auto fail = [&result](std::string error) {
            result.outcome = Outcome::Failed;
            result.error = std::move(error);
        };
        if (refused && !expected) return fail(fmt::format("refused: {}", refused->text));
        if (!refused && expected) {
            return fail(fmt::format("executed, although {} is expected", *expected));
        }
        if (refused && !allows(*expected, refused->verdict)) {
            std::string warning =
                fmt::format("refused by {}, expected {}: {}", chain::to_string(refused->verdict),
                            *expected, refused->text);
            if (options_.strict) return fail(std::move(warning));
            result.warning = std::move(warning);
        }
        const core::Hash32 expected_root = read_hash(need(post, "hash"));
        if (root != expected_root) {
            return fail(fmt::format("state root is {}, expected {}", core::to_hex_prefixed(root),
                                    core::to_hex_prefixed(expected_root)));
        }
        core::Bytes encoded;
        core::append_logs(encoded, logs);
        const core::Hash32 logs_hash = crypto::keccak256(encoded);
        const core::Hash32 expected_logs = read_hash(need(post, "logs"));
        if (logs_hash != expected_logs) {
            return fail(fmt::format("hash of {} logs is {}, expected {}", logs.size(),
                                    core::to_hex_prefixed(logs_hash),
                                    core::to_hex_prefixed(expected_logs)));
        }
    }

    const SuiteOptions& options_;
    std::optional<JsonTrace> trace_;
    evm::Workspace workspace_;
    state::Journal journal_;
};

}  // namespace

Suite state_test_suite(SuiteOptions options) {
    const auto shared = std::make_shared<const SuiteOptions>(std::move(options));
    Suite suite;
    suite.pieces = [shared](const FixtureFile::Member& member) -> std::optional<size_t> {
        if (!find(member.test, "post") || !find(member.test, "transaction")) return std::nullopt;
        if (shared->select && !shared->select(member.name)) return 0;
        const size_t entries = entries_of(member.test, shared->network).size();
        return (entries + kPieceEntries - 1) / kPieceEntries;
    };
    suite.make_runner = [shared] { return std::make_unique<StateTestRunner>(*shared); };
    return suite;
}

}  // namespace keel::node::runners
