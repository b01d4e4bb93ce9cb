#include "tests/differential/compare.hpp"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <map>
#include <utility>

#include "core/hex.hpp"
#include "crypto/keccak.hpp"
#include "evm/call.hpp"
#include "evm/opcodes.hpp"
#include "evm/tracer.hpp"
#include "state/journal.hpp"

namespace keel::differential {
namespace {

using evm::Status;

/// What both machines are compared by, before each instruction and at the end of each frame.
struct Record {
    bool is_end = false;
    uint8_t op = 0;  // Ending at an end
    int32_t depth = 0;
    uint64_t pc = 0;
    int64_t gas = 0;  // what is left
    int64_t refund = 0;
    uint64_t logs = 0;  // how many
    uint64_t stack_size = 0;
    uint64_t stack = 0;  // digest; at an end, of the state
    uint64_t memory_size = 0;
    uint64_t memory = 0;       // digest
    uint64_t return_data = 0;  // digest; at an end, of the output

    friend bool operator==(const Record&, const Record&) = default;
};

uint64_t digest(ByteView bytes) {
    return XXH3_64bits(bytes.data(), bytes.size());
}
uint64_t digest(std::span<const U256> words) {
    return XXH3_64bits(words.data(), words.size_bytes());
}

std::string to_text(const Record& record) {
    if (record.is_end) {
        return fmt::format(
            "end of depth {}: ending {}, gas {}, refund {}, logs {}, state {:x}, output {:x}",
            record.depth, record.op, record.gas, record.refund, record.logs, record.stack,
            record.return_data);
    }
    const char* const name = evm::op_infos()[record.op].name;
    return fmt::format(
        "depth {} pc {} op {:02x} {}: gas {}, refund {}, logs {}, stack {} {:x}, memory {} {:x}, "
        "return data {:x}",
        record.depth, record.pc, record.op, name == nullptr ? "?" : name, record.gas, record.refund,
        record.logs, record.stack_size, record.stack, record.memory_size, record.memory,
        record.return_data);
}

Ending ending_of(Status status) {
    switch (status) {
        case Status::Success:
            return Ending::Success;
        case Status::Revert:
            return Ending::Revert;
        case Status::DepthExceeded:
        case Status::InsufficientBalance:
        case Status::NonceOverflow:
            return Ending::NotStarted;
        default:
            return Ending::Halt;
    }
}

/// State of the interesting accounts, as words to hash.
struct Picture {
    std::vector<U256> words;

    void add(bool exists, uint64_t nonce, const U256& balance, ByteView code) {
        words.emplace_back(exists ? 1 : 0, nonce, code.size(), digest(code));
        words.push_back(balance);
    }
    uint64_t take() {
        const uint64_t result = digest(words);
        words.clear();
        return result;
    }
};

/// The state before the block, as the journal reads it.
class Before final : public state::StateReader {
  public:
    explicit Before(const Scenario& scenario) : scenario_(scenario) {
        for (const Scenario::Account& account : scenario.accounts) {
            hashes_.push_back(crypto::keccak256(account.code));
        }
    }

    std::optional<core::Account> account(const Address& address) override {
        for (size_t i = 0; i < hashes_.size(); ++i) {
            const Scenario::Account& from = scenario_.accounts[i];
            if (from.address != address) continue;
            core::Account result;
            result.nonce = from.nonce;
            result.balance = from.balance;
            result.code_hash = hashes_[i];
            // Any root but the empty one.
            if (!from.storage.empty()) result.storage_root = Hash32(U256(1).to_be32());
            return result;
        }
        return std::nullopt;
    }
    U256 storage(const Address& address, const U256& slot) override {
        for (const Scenario::Account& from : scenario_.accounts) {
            if (from.address != address) continue;
            for (const auto& [key, value] : from.storage) {
                if (key == slot) return value;
            }
        }
        return {};
    }
    std::optional<ByteView> code(const Hash32& hash) override {
        for (size_t i = 0; i < hashes_.size(); ++i) {
            if (hashes_[i] == hash) return scenario_.accounts[i].code;
        }
        return std::nullopt;
    }
    void each_slot(const Address& address, const OnSlot& on_slot) override {
        for (const Scenario::Account& from : scenario_.accounts) {
            if (from.address != address) continue;
            auto slots = from.storage;
            std::ranges::sort(slots);
            for (const auto& [key, value] : slots) on_slot(key, value);
        }
    }

  private:
    const Scenario& scenario_;
    std::vector<Hash32> hashes_;
};

class DigitHashes final : public state::BlockHashes {
  public:
    Hash32 block_hash(uint64_t number) override {
        return crypto::keccak256(std::to_string(number));
    }
};

/// What is left of one transaction on either machine.
struct Result {
    Ending ending = Ending::Success;
    int64_t gas_left = 0;
    int64_t refund = 0;
    Bytes output;
    std::vector<core::Log> logs;
    std::vector<bool> warm;  // interesting accounts, then their slots
    std::vector<Record> records;
};

std::string hex(const Address& address) {
    return core::to_hex_prefixed(address);
}

/// Writes down what the interpreter does.
class Recorder final : public evm::Tracer {
  public:
    const Scenario* scenario = nullptr;
    state::Journal* journal = nullptr;
    std::vector<Record> records;

    void enter(const evm::Message&) override {}
    void exit(const evm::Message& message, const evm::CallResult& result) override {
        Record& record = records.emplace_back();
        record.is_end = true;
        record.op = static_cast<uint8_t>(ending_of(result.status));
        record.depth = message.depth;
        record.gas = result.gas_left;
        record.refund = journal->refund();
        record.logs = journal->logs().size();
        record.stack = picture();
        record.return_data = digest(result.output);
    }
    void step(const evm::Step& step) override {
        Record& record = records.emplace_back();
        record.op = step.op;
        record.depth = step.message.depth;
        record.pc = step.pc;
        record.gas = step.gas;
        record.refund = journal->refund();
        record.logs = journal->logs().size();
        record.stack_size = step.stack.size();
        record.stack = digest(step.stack);
        record.memory_size = step.memory.size();
        record.memory = digest(step.memory);
        record.return_data = digest(step.return_data);
    }
    void charged(int64_t) override {}
    void fault(Status) override {}

  private:
    uint64_t picture() {
        for (size_t i = 0; i < scenario->interesting.size(); ++i) {
            const Address& address = scenario->interesting[i];
            picture_.add(journal->account_exists(address), journal->nonce(address),
                         journal->balance(address), journal->code(address));
            if (i >= scenario->with_storage) continue;
            for (const U256& key : scenario->keys) {
                picture_.words.push_back(journal->storage(address, key));
                picture_.words.push_back(journal->transient_storage(address, key));
            }
        }
        return picture_.take();
    }

    Picture picture_;
};

evm::Message to_message(const Call& call) {
    evm::Message message;
    message.kind = call.kind == Kind::Create ? evm::CallKind::Create : evm::CallKind::Call;
    message.gas = call.gas;
    message.sender = call.sender;
    message.recipient = call.recipient;
    message.code_address = call.code_address;
    message.input = call.input;
    message.value = call.value;
    return message;
}

}  // namespace

struct Comparison::Impl {
    Counts counts;
    evm::Workspace traced, plain;
    state::Journal traced_journal, plain_journal;
    Recorder recorder;

    Impl() { traced.set_tracer(&recorder); }

    struct Fast {
        std::vector<Result> results;
        state::ChangeSet changes;
    };

    Fast run_fast(const Scenario& scenario, Before& before, evm::Workspace& workspace,
                  state::Journal& journal) {
        const core::ForkRules rules = core::rules_of(scenario.fork);
        DigitHashes hashes;
        journal.begin_block(before, hashes);
        Fast fast;
        for (const Call& call : scenario.messages) {
            journal.begin_transaction(rules);
            if (rules.eip_2929) {
                journal.access_account(call.sender);
                if (call.kind == Kind::Call) journal.access_account(call.recipient);
            }
            if (rules.eip_3651) journal.access_account(scenario.block.coinbase);
            const evm::TxContext tx{.origin = call.sender,
                                    .gas_price = scenario.gas_price,
                                    .blob_hashes = scenario.blob_hashes};
            evm::Evm machine(workspace, journal, rules, scenario.block, tx);
            const evm::CallResult called = machine.execute(to_message(call));
            Result& result = fast.results.emplace_back();
            result.ending = ending_of(called.status);
            result.gas_left = called.gas_left;
            result.refund = journal.refund();
            result.output = called.output.to_bytes();
            result.records.swap(recorder.records);
            result.logs = journal.take_logs();
            for (const Address& address : scenario.interesting) {
                result.warm.push_back(journal.access_account(address) == evm::Access::Warm);
                if (result.warm.size() > scenario.with_storage * (1 + scenario.keys.size())) {
                    continue;
                }
                for (const U256& key : scenario.keys) {
                    result.warm.push_back(journal.access_slot(address, key) == evm::Access::Warm);
                }
            }
            journal.end_transaction();
        }
        fast.changes = journal.changes();
        return fast;
    }

    struct Difference {
        std::string text;
    };

    /// Throws Difference at the first record that is another one.
    std::vector<Result> run_reference(const Scenario& scenario, World& world, const Fast& fast) {
        const core::ForkRules rules = core::rules_of(scenario.fork);
        std::vector<Result> results;
        for (const Call& call : scenario.messages) {
            const std::vector<Record>& expected = fast.results[results.size()].records;
            size_t position = 0;
            const auto check = [&](const Record& record) {
                if (position < expected.size() && expected[position] == record) {
                    ++position;
                    return;
                }
                std::string text = fmt::format("transaction {}, record {}\n  reference:   {}\n",
                                               results.size(), position, to_text(record));
                text += fmt::format("  interpreter: {}\n", position < expected.size()
                                                               ? to_text(expected[position])
                                                               : "has ended");
                const size_t first = position < 12 ? 0 : position - 12;
                for (size_t i = first; i < position; ++i) {
                    text += fmt::format("  before:      {}\n", to_text(expected[i]));
                }
                throw Difference{std::move(text)};
            };
            world.begin_transaction();
            const evm::TxContext tx{.origin = call.sender,
                                    .gas_price = scenario.gas_price,
                                    .blob_hashes = scenario.blob_hashes};
            ReferenceEvm machine(world, rules, scenario.block, tx);
            machine.on_step = [&](const Machine& m, uint8_t op) {
                ++counts.steps;
                Record record;
                record.op = op;
                record.depth = m.call.depth;
                record.pc = m.pc;
                record.gas = m.gas;
                record.refund = world.rows.refund;
                record.logs = world.rows.log_count;
                record.stack_size = m.stack.size();
                record.stack = digest(m.stack);
                record.memory_size = m.memory.size();
                record.memory = digest(m.memory);
                record.return_data = digest(m.return_data);
                check(record);
            };
            machine.on_end = [&](const Call& ended_call, const Ended& ended) {
                ++counts.frames;
                Record record;
                record.is_end = true;
                record.op = static_cast<uint8_t>(ended.ending);
                record.depth = ended_call.depth;
                record.gas = ended.gas_left;
                record.refund = world.rows.refund;
                record.logs = world.rows.log_count;
                record.stack = picture(scenario, world);
                record.return_data = digest(ended.output);
                check(record);
            };
            if (rules.eip_2929) {
                machine.access(call.sender);
                if (call.kind == Kind::Call) machine.access(call.recipient);
            }
            if (rules.eip_3651) machine.access(scenario.block.coinbase);
            const Ended ended = machine.execute(call);
            Result& result = results.emplace_back();
            result.ending = ended.ending;
            result.gas_left = ended.gas_left;
            result.refund = world.rows.refund;
            result.output = ended.output;
            result.logs = world.logs;
            for (const Address& address : scenario.interesting) {
                const World::Account* const account = world.find(address);
                result.warm.push_back(account != nullptr && account->warm);
                if (result.warm.size() > scenario.with_storage * (1 + scenario.keys.size())) {
                    continue;
                }
                for (const U256& key : scenario.keys) {
                    result.warm.push_back(
                        std::ranges::any_of(world.rows.slots, [&](const World::Slot& slot) {
                            return slot.warm && slot.address == address && slot.key == key;
                        }));
                }
            }
            world.end_transaction(rules.eip_158);
        }
        return results;
    }

    uint64_t picture(const Scenario& scenario, const World& world) {
        for (size_t i = 0; i < scenario.interesting.size(); ++i) {
            const Address& address = scenario.interesting[i];
            const World::Account* const account = world.find(address);
            if (account == nullptr) {
                picture_.add(false, 0, {}, {});
            } else {
                picture_.add(account->exists, account->nonce, account->balance, account->code);
            }
            if (i >= scenario.with_storage) continue;
            const size_t first = picture_.words.size();
            picture_.words.resize(first + 2 * scenario.keys.size());
            const auto place = [&](const auto& slot, size_t which) {
                if (slot.address != address) return;
                const auto found = std::ranges::find(scenario.keys, slot.key);
                if (found == scenario.keys.end()) return;
                const auto index = static_cast<size_t>(found - scenario.keys.begin());
                picture_.words[first + 2 * index + which] = slot.value;
            };
            for (const World::Slot& slot : world.rows.slots) place(slot, 0);
            for (const World::TransientSlot& slot : world.rows.transients) place(slot, 1);
        }
        return picture_.take();
    }
    Picture picture_;
};

namespace {

std::optional<std::string> difference_of(const Result& fast, const Result& reference) {
    if (fast.ending != reference.ending) return "ending";
    if (fast.gas_left != reference.gas_left) return "gas left";
    if (fast.refund != reference.refund) return "refund";
    if (fast.output != reference.output) return "output";
    if (fast.logs != reference.logs) return "logs";
    if (fast.warm != reference.warm) return "warm accounts and slots";
    return std::nullopt;
}

World world_of(const Scenario& scenario) {
    World world;
    for (const Scenario::Account& from : scenario.accounts) {
        World::Account& account = world.account(from.address);
        account.exists = true;
        account.nonce = from.nonce;
        account.balance = from.balance;
        account.code = world.keep_code(from.code);
        for (const auto& [key, value] : from.storage) world.slot(from.address, key).value = value;
    }
    return world;
}

/// An account as both machines can say it.
struct State {
    bool exists = false;
    uint64_t nonce = 0;
    U256 balance;
    Hash32 code_hash = core::kEmptyCodeHash;
    std::map<U256, U256> storage;

    friend bool operator==(const State&, const State&) = default;
};
using States = std::map<Address, State>;

void put(States& states, const Address& address, const core::Account& account) {
    State& state = states[address];
    state.exists = true;
    state.nonce = account.nonce;
    state.balance = account.balance;
    state.code_hash = account.code_hash;
}

/// The state before with the changes applied; an error if they do not fit each other.
std::optional<std::string> apply(States& states, const state::ChangeSet& changes) {
    for (size_t i = 0; i < changes.accounts.size(); ++i) {
        const state::AccountChange& change = changes.accounts[i];
        if (i > 0 && !(changes.accounts[i - 1].address < change.address)) {
            return "accounts of the changes are not ascending";
        }
        const auto found = states.find(change.address);
        State before = found == states.end() ? State() : found->second;
        if (change.before.has_value() != before.exists) return "existence before";
        const auto slots = changes.slots_of(change);
        if (change.before == change.after && slots.empty()) return "an account that is the same";
        for (size_t j = 0; j < slots.size(); ++j) {
            if (j > 0 && !(slots[j - 1].slot < slots[j].slot)) return "slots are not ascending";
            if (slots[j].before == slots[j].after) return "a slot that is the same";
            const auto slot = before.storage.find(slots[j].slot);
            if (slots[j].before != (slot == before.storage.end() ? U256() : slot->second)) {
                return "value before of a slot of " + hex(change.address);
            }
        }
        std::map<U256, U256> storage = before.storage;
        for (const state::SlotChange& slot : slots) {
            storage.erase(slot.slot);
            if (slot.after != U256()) storage[slot.slot] = slot.after;
        }
        states.erase(change.address);
        if (change.after) {
            put(states, change.address, *change.after);
            states[change.address].storage = std::move(storage);
        } else if (!storage.empty()) {
            return "slots without an account: " + hex(change.address);
        }
    }
    return std::nullopt;
}

std::optional<std::string> difference_of(const Scenario& scenario, Before& before,
                                         const state::ChangeSet& changes, const World& world) {
    States fast;
    std::vector<Hash32> known;
    for (const Scenario::Account& from : scenario.accounts) {
        put(fast, from.address, *before.account(from.address));
        for (const auto& [key, value] : from.storage) fast[from.address].storage[key] = value;
        known.push_back(fast[from.address].code_hash);
    }
    if (auto error = apply(fast, changes)) return error;
    States reference;
    for (const World::Account& account : world.rows.accounts) {
        if (!account.exists) continue;
        State& state = reference[account.address];
        state = {true, account.nonce, account.balance, crypto::keccak256(account.code), {}};
        const bool is_known =
            account.code.empty() || std::ranges::find(known, state.code_hash) != known.end();
        const bool is_new = std::ranges::any_of(changes.codes, [&](const state::NewCode& code) {
            return code.hash == state.code_hash && account.code == ByteView(code.code);
        });
        if (!is_known && !is_new) return "code of " + hex(account.address) + " is lost";
    }
    for (const World::Slot& slot : world.rows.slots) {
        if (slot.value != U256()) reference[slot.address].storage[slot.key] = slot.value;
    }
    for (const auto& [address, state] : reference) {
        const auto found = fast.find(address);
        if (found == fast.end()) return hex(address) + " is lost";
        if (found->second == state) continue;
        const State& other = found->second;
        return fmt::format("account {}: nonce {} {}, balance {} {}, code {} {}, slots {} {}",
                           hex(address), other.nonce, state.nonce, other.balance.to_quantity(),
                           state.balance.to_quantity(), core::to_hex(other.code_hash),
                           core::to_hex(state.code_hash), other.storage.size(),
                           state.storage.size());
    }
    for (const auto& [address, state] : fast) {
        if (!reference.contains(address)) return hex(address) + " should not be there";
    }
    return std::nullopt;
}

}  // namespace

Comparison::Comparison() : impl_(std::make_unique<Impl>()) {}
Comparison::~Comparison() = default;

const Comparison::Counts& Comparison::counts() const noexcept {
    return impl_->counts;
}

std::optional<std::string> Comparison::first_difference(const Scenario& scenario) {
    Before before(scenario);
    impl_->recorder.scenario = &scenario;
    impl_->recorder.journal = &impl_->traced_journal;
    const Impl::Fast traced =
        impl_->run_fast(scenario, before, impl_->traced, impl_->traced_journal);
    impl_->plain.set_heat_before_translation(scenario.heat);
    const Impl::Fast plain = impl_->run_fast(scenario, before, impl_->plain, impl_->plain_journal);
    World world = world_of(scenario);
    std::vector<Result> reference;
    try {
        reference = impl_->run_reference(scenario, world, traced);
    } catch (const Impl::Difference& difference) {
        return difference.text;
    }
    for (size_t i = 0; i < reference.size(); ++i) {
        for (const Impl::Fast* fast : {&traced, &plain}) {
            if (auto text = difference_of(fast->results[i], reference[i])) {
                return fmt::format("transaction {}, {}: {}\n", i,
                                   fast == &plain ? "as blocks run it" : "traced", *text);
            }
        }
        switch (reference[i].ending) {
            case Ending::Success:
                ++impl_->counts.successes;
                break;
            case Ending::Revert:
                ++impl_->counts.reverts;
                break;
            default:
                ++impl_->counts.halts;
                break;
        }
    }
    if (traced.changes != plain.changes) return "changes of the two variants\n";
    if (auto text = difference_of(scenario, before, plain.changes, world)) {
        return "changes: " + *text + "\n";
    }
    return std::nullopt;
}

}  // namespace keel::differential
