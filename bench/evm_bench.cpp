// How long does the interpreter take for code of the field's benchmarks, beside the fastest peer?
//
// Cases: fixtures/workloads/evm_benchmarks, loops, and the token contract of bench/data. Each runs
// in two worlds: a mock (code alone, flat storage without undo) and state::Journal (with undo, warm
// sets, original values). Times are processor time of one call, the median of the rounds; the
// cases take turns, so that a disturbance does not fall on one of them alone. The peer's times were
// measured on such a machine with a mock host (evmone 0.15, baseline, g++ 12).

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <memory>
#include <sstream>
#include <string>
#include <unordered_map>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/clock.hpp"
#include "core/hex.hpp"
#include "crypto/keccak.hpp"
#include "evm/call.hpp"
#include "state/journal.hpp"

namespace {

using namespace keel;
using core::Address;
using core::Bytes;
using core::ByteView;
using core::Hash32;
using core::U256;

constexpr int64_t kGasLimit = 1'000'000'000;

Address address_of_number(uint64_t number) {
    Address address;
    for (size_t i = 0; i < 8; ++i) address[19 - i] = static_cast<uint8_t>(number >> (8 * i));
    return address;
}
const Address kSelf = address_of_number(0xc0de);
const Address kCaller = address_of_number(0xca11e2);

/// The least that a world can do: one account with code; no undo, no warm sets.
class MockHost final : public evm::Host {
  public:
    void set(ByteView code) {
        code_ = code;
        code_hash_ = crypto::keccak256(code);
    }
    void begin() {
        if (!storage_.empty()) storage_.clear();
        logs_ = 0;
    }

    bool account_exists(const Address&) override { return true; }
    bool is_dead(const Address&) override { return false; }
    U256 balance(const Address&) override { return U256::max(); }
    uint64_t nonce(const Address&) override { return 1; }
    ByteView code(const Address& a) override { return a == kSelf ? code_ : ByteView{}; }
    Hash32 code_hash(const Address&) override { return code_hash_; }
    bool has_storage(const Address&) override { return false; }
    U256 storage(const Address&, const U256& slot) override { return storage_[slot]; }
    U256 original_storage(const Address&, const U256&) override { return {}; }
    void set_storage(const Address&, const U256& slot, const U256& value) override {
        storage_[slot] = value;
    }
    U256 transient_storage(const Address&, const U256&) override { return {}; }
    void set_transient_storage(const Address&, const U256&, const U256&) override {}
    evm::Access access_account(const Address&) override { return evm::Access::Warm; }
    evm::Access access_slot(const Address&, const U256&) override { return evm::Access::Warm; }
    size_t snapshot() override { return 0; }
    void revert(size_t) override {}
    void touch(const Address&) override {}
    void transfer(const Address&, const Address&, const U256&) override {}
    void burn_balance(const Address&) override {}
    void create_account(const Address&, uint64_t) override {}
    bool created_in_transaction(const Address&) override { return false; }
    void set_code(const Address&, ByteView) override {}
    void increment_nonce(const Address&) override {}
    bool mark_destructed(const Address&) override { return false; }
    void add_log(const Address&, std::span<const Hash32>, ByteView data) override {
        logs_ += data.size();
    }
    void add_refund(int64_t) override {}
    int64_t refund() const noexcept override { return 0; }
    Hash32 block_hash(uint64_t) override { return {}; }

  private:
    struct SlotHash {
        size_t operator()(const U256& slot) const noexcept {
            return (slot.limbs[0] ^ slot.limbs[1] ^ slot.limbs[2] ^ slot.limbs[3]) *
                   0x9e3779b97f4a7c15;
        }
    };
    ByteView code_;
    Hash32 code_hash_;
    std::unordered_map<U256, U256, SlotHash> storage_;
    size_t logs_ = 0;
};

/// What the journal reads: the account with the code, and the caller.
class OneContract final : public state::StateReader {
  public:
    void set(ByteView code) {
        code_ = code;
        hash_ = crypto::keccak256(code);
    }
    std::optional<core::Account> account(const Address& address) override {
        core::Account account;
        account.nonce = 1;
        if (address == kSelf) account.code_hash = hash_;
        return account;
    }
    U256 storage(const Address&, const U256&) override { return {}; }
    std::optional<ByteView> code(const Hash32& hash) override {
        if (hash == hash_) return code_;
        return std::nullopt;
    }
    void each_slot(const Address&, const OnSlot&) override {}

  private:
    ByteView code_;
    Hash32 hash_;
};

class NoHashes final : public state::BlockHashes {
  public:
    Hash32 block_hash(uint64_t) override { return {}; }
};

struct Case {
    std::string name;
    std::string section;
    Bytes code;
    Bytes input;
    double peer_us = 0;  // 0: not known
    double peer_mgas = 0;
    int64_t gas = 0;
    std::vector<double> mock_us, journal_us;
};

struct Worlds {
    evm::Workspace workspace;
    MockHost mock;
    state::Journal journal;
    OneContract contract;
    NoHashes hashes;
    core::ForkRules rules = core::rules_of(core::Fork::Istanbul);
    evm::BlockContext block;
    evm::TxContext tx;

    int64_t execute(evm::Host& host, const Case& one) {
        evm::Message message;
        message.gas = kGasLimit;
        message.sender = kCaller;
        message.recipient = message.code_address = kSelf;
        message.input = one.input;
        evm::Evm machine(workspace, host, rules, block, tx);
        const evm::CallResult result = machine.execute(message);
        if (result.status != evm::Status::Success && result.status != evm::Status::Revert) {
            std::fprintf(stderr, "%s: %s\n", one.name.c_str(), evm::to_string(result.status));
            std::exit(1);
        }
        return kGasLimit - result.gas_left;
    }
};

/// Processor time of one `run` in microseconds, over as many as fill about `least_us`.
double time_us(const std::function<void()>& run, double least_us) {
    uint64_t runs = 0;
    const uint64_t begin = core::clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    uint64_t batch = 1;
    for (;;) {
        for (uint64_t i = 0; i < batch; ++i) run();
        runs += batch;
        const double us =
            static_cast<double>(core::clock_ns(CLOCK_PROCESS_CPUTIME_ID) - begin) / 1e3;
        if (us >= least_us) return us / static_cast<double>(runs);
        batch *= 2;
    }
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

Bytes hex(const std::string& text) {
    auto bytes = core::from_hex_lenient(text);
    if (!bytes) std::exit(1);
    return *bytes;
}

struct Peer {
    const char* name;
    double us;
    double mgas;
};
// Times and Mgas/s of the peer by name of case, measured once (see the head of this file).
constexpr Peer kPeers[] = {
    {"snailtracer/benchmark", 30050, 7818},
    {"sha1_divs/5311", 4382, 685},
    {"sha1_shifts/5311", 1779, 1629},
    {"blake2b_shifts/8415nulls", 7955, 1514},
    {"blake2b_huff/8415nulls", 714, 1232},
    {"weierstrudel/15", 2070, 289},
    {"structarray_alloc/nfts_rank", 406, 4282},
    {"swap_math/received", 3.3, 1060},
    {"swap_math/insufficient_liquidity", 2.5, 907},
    {"blake2b_huff/empty", 17.0, 824},
    {"weierstrudel/1", 177, 269},
    {"jump_around/empty", 26.2, 1873},
    {"loop_with_many_jumpdests/empty", 5090, 1569},
    {"memory_grow_mload/nogrow", 39, 1469},
    {"memory_grow_mstore/nogrow", 49, 1245},
    {"memory_grow_mstore/by32", 93, 1141},
    {"signextend/one", 58, 1663},
    {"loop_v1", 2.5, 2323},
    {"loop_v2", 2.8, 2075},
    // Another contract of the same kind: compare per gas and with care.
    {"token/transfer", 13658, 2020},
    {"token/mint", 8355, 3304},
    {"token/approve", 33960, 4386},
    {"token/hashes", 2940, 507},
};

void name_peer(Case& one) {
    for (const Peer& peer : kPeers) {
        if (one.name != peer.name) continue;
        one.peer_us = peer.us;
        one.peer_mgas = peer.mgas;
    }
}

void add_fixtures(std::vector<Case>& cases, const std::string& folder) {
    for (const char* name :
         {"main/snailtracer", "main/sha1_divs", "main/sha1_shifts", "main/blake2b_shifts",
          "main/blake2b_huff", "main/weierstrudel", "main/structarray_alloc", "main/swap_math",
          "micro/jump_around", "micro/loop_with_many_jumpdests", "micro/memory_grow_mload",
          "micro/memory_grow_mstore", "micro/signextend", "micro/JUMPDEST_n0"}) {
        std::ifstream file(folder + "/" + name + ".json");
        if (!file) {
            std::fprintf(stderr, "no %s/%s.json (unpack the fixtures)\n", folder.c_str(), name);
            continue;
        }
        const auto document = nlohmann::json::parse(file);
        for (const auto& [title, test] : document.items()) {
            const std::string to = test["transaction"]["to"];
            const auto& data = test["transaction"]["data"];
            for (size_t i = 0; i < data.size(); ++i) {
                const auto& labels = test["_info"]["labels"];
                Case one;
                one.name = title + "/" + labels.value(std::to_string(i), std::to_string(i));
                one.section = "table";
                one.code = hex(test["pre"][to]["code"]);
                one.input = hex(data[i]);
                cases.push_back(one);
            }
        }
    }
}

/// 255 times `inner`, counted down or up.
void add_loops(std::vector<Case>& cases) {
    const auto add = [&](const char* name, const char* section, const std::string& code) {
        Case one;
        one.name = name;
        one.section = section;
        one.code = hex(code);
        cases.push_back(one);
    };
    const auto repeat = [](const std::string& what, int times) {
        std::string text;
        for (int i = 0; i < times; ++i) text += what;
        return text;
    };
    const auto loop = [&](const std::string& inner) {
        return "60ff5b" + inner + "6001900380600257";
    };
    const std::string minus_255 = "7f" + repeat("ff", 31) + "01";
    add("loop_v1", "table", "60ff5b6001900380600257");
    add("loop_v2", "table", minus_255 + "5b600101" + "80602157");
    add("op/push1+pop", "loops", loop(repeat("60aa50", 32)));
    add("op/add", "loops", loop("6003" + repeat("8001", 32) + "50"));
    add("op/dup2,add,pop", "loops", loop("6003" + repeat("80810150", 32) + "50"));
    add("op/mul", "loops", loop("6003" + repeat("8002", 32) + "50"));
    add("op/caller,pop", "loops", loop(repeat("3350", 32)));
    add("op/gas,pop", "loops", loop(repeat("5a50", 32)));
    add("op/shl,dup", "loops", loop("6003" + repeat("60011b", 32) + "50"));
    add("op/dup1,push,lt,pop", "loops", loop("6003" + repeat("8060051050", 32) + "50"));
}

void add_tokens(std::vector<Case>& cases, const std::string& file_name) {
    std::ifstream file(file_name);
    std::string text, line;
    while (std::getline(file, line)) text += line;
    if (text.empty()) {
        std::fprintf(stderr, "no %s\n", file_name.c_str());
        return;
    }
    const std::pair<const char*, const char*> functions[] = {{"token/transfer", "d59854ee"},
                                                             {"token/mint", "34a38195"},
                                                             {"token/approve", "22cfe089"},
                                                             {"token/hashes", "806b4559"}};
    for (const auto& [name, selector] : functions) {
        Case one;
        one.name = name;
        one.section = "token";
        one.code = hex(text);
        one.input = hex(selector);
        cases.push_back(one);
    }
}

void print(const std::vector<Case>& cases) {
    std::printf("%-34s %12s %11s %9s %11s %9s | %10s %9s %7s\n", "case", "gas", "mock us", "Mgas/s",
                "journal us", "Mgas/s", "peer us", "Mgas/s", "ratio");
    double logs = 0;
    int count = 0;
    for (const Case& one : cases) {
        const double mock = median(one.mock_us), journal = median(one.journal_us);
        const auto gas = static_cast<double>(one.gas);
        std::printf("%-34s %12lld %11.3f %9.0f %11.3f %9.0f |", one.name.c_str(),
                    static_cast<long long>(one.gas), mock, gas / mock, journal, gas / journal);
        if (one.peer_us == 0) {
            std::printf("\n");
            continue;
        }
        const double ratio = gas / mock / one.peer_mgas;
        std::printf(" %10.1f %9.0f %7.2f\n", one.peer_us, one.peer_mgas, ratio);
        if (one.section == "table") {
            logs += std::log(ratio);
            ++count;
        }
    }
    if (count > 0) {
        std::printf("geometric mean of %d ratios without the token rows: %.2f\n", count,
                    std::exp(logs / count));
    }
}

}  // namespace

int main(int argc, char** argv) {
    std::string only, data = "bench/data";
    const char* fixtures = std::getenv("KEEL_FIXTURES");
    std::string folder = fixtures != nullptr ? fixtures : "";
    int rounds = 5;
    double least_ms = 20;
    long heat = -1;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (std::strcmp(argv[i], "--only") == 0) only = argv[i + 1];
        if (std::strcmp(argv[i], "--rounds") == 0) rounds = std::atoi(argv[i + 1]);
        if (std::strcmp(argv[i], "--fixtures") == 0) folder = argv[i + 1];
        if (std::strcmp(argv[i], "--data") == 0) data = argv[i + 1];
        // How often code is met before it is translated; a large number: never.
        if (std::strcmp(argv[i], "--heat") == 0) heat = std::atol(argv[i + 1]);
        if (std::strcmp(argv[i], "--ms") == 0) least_ms = std::atof(argv[i + 1]);
    }
    std::vector<Case> cases;
    add_fixtures(cases, folder + "/workloads/evm_benchmarks");
    add_loops(cases);
    add_tokens(cases, data + "/token.hex");
    std::erase_if(cases, [&](const Case& one) { return one.name.find(only) == std::string::npos; });
    for (Case& one : cases) name_peer(one);

    const auto worlds = std::make_unique<Worlds>();
    if (heat >= 0) worlds->workspace.set_heat_before_translation(static_cast<uint32_t>(heat));
    for (int round = 0; round < rounds; ++round) {
        for (Case& one : cases) {
            worlds->mock.set(one.code);
            const auto on_mock = [&] {
                worlds->mock.begin();
                one.gas = worlds->execute(worlds->mock, one);
            };
            on_mock();  // warms up
            one.mock_us.push_back(time_us(on_mock, least_ms * 1e3));
            worlds->contract.set(one.code);
            const auto on_journal = [&] {
                worlds->journal.begin_block(worlds->contract, worlds->hashes);
                worlds->journal.begin_transaction(worlds->rules);
                worlds->execute(worlds->journal, one);
                worlds->journal.end_transaction();
            };
            one.journal_us.push_back(time_us(on_journal, least_ms * 1e3));
        }
    }
    print(cases);
    return 0;
}
