#include "node/hive_env.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <initializer_list>
#include <string_view>

#include "core/fault.hpp"

namespace keel::node {
namespace {

/// A key of the config and the variable, without HIVE_, that its value comes from.
struct NumberRow {
    const char* key;
    const char* variable;
    const char* other_spelling = nullptr;
};

constexpr NumberRow kBlockForks[] = {
    {"homesteadBlock", "FORK_HOMESTEAD"},
    {"daoForkBlock", "FORK_DAO_BLOCK"},
    {"eip150Block", "FORK_TANGERINE"},
    {"eip155Block", "FORK_SPURIOUS"},
    {"eip158Block", "FORK_SPURIOUS"},
    {"byzantiumBlock", "FORK_BYZANTIUM"},
    {"constantinopleBlock", "FORK_CONSTANTINOPLE"},
    {"petersburgBlock", "FORK_PETERSBURG"},
    {"istanbulBlock", "FORK_ISTANBUL"},
    {"muirGlacierBlock", "FORK_MUIR_GLACIER", "FORK_MUIRGLACIER"},
    {"berlinBlock", "FORK_BERLIN"},
    {"londonBlock", "FORK_LONDON"},
    {"arrowGlacierBlock", "FORK_ARROW_GLACIER"},
    {"grayGlacierBlock", "FORK_GRAY_GLACIER"},
    {"mergeNetsplitBlock", "MERGE_BLOCK_ID"},
    {"terminalTotalDifficulty", "TERMINAL_TOTAL_DIFFICULTY"},
};

struct TimeFork {
    const char* name;      // in the config
    const char* variable;  // HIVE_<variable>_TIMESTAMP
    bool has_blobs;
    uint64_t target = 0, max = 0, fraction = 0;  // hive's defaults
    const char* newer = nullptr;                 // variable that takes precedence
};

constexpr TimeFork kTimeForks[] = {
    {"shanghai", "SHANGHAI", false},
    {"cancun", "CANCUN", true, 3, 6, 3'338'477},
    {"prague", "PRAGUE", true, 6, 9, 5'007'716},
    {"osaka", "OSAKA", true, 6, 9, 5'007'716},
    {"bpo1", "BPO1", true, 10, 15, 8'346'193},
    {"bpo2", "BPO2", true, 14, 21, 11'684'671},
    // Made-up forks of tests, perhaps behind Amsterdam, take the slots of BPO3 and BPO4.
    {"bpo3", "BPO3", true, 9, 14, 8'832'827, "BPO_INCREASE"},
    {"bpo4", "BPO4", true, 9, 14, 8'832'827, "BPO_DECREASE"},
    {"bpo5", "BPO5", true, 9, 14, 8'832'827},
    {"amsterdam", "AMSTERDAM", true, 14, 21, 11'684'671},
    {"bogota", "BOGOTA", true, 14, 21, 11'684'671},
};

constexpr uint64_t kCliqueEpoch = 30'000;          // EIP-225
constexpr uint64_t kExactMax = uint64_t{1} << 53;  // beyond it a number stays text

const std::string* find(const HiveEnvironment& environment, std::string_view name) {
    const auto found = environment.find(fmt::format("HIVE_{}", name));
    return found == environment.end() ? nullptr : &found->second;
}

/// The value as JSON: a number, or text where readers would round it; empty: not given.
std::string number(const HiveEnvironment& environment, std::string_view name) {
    const std::string* const text = find(environment, name);
    if (text == nullptr || text->empty()) return {};
    if (!std::ranges::all_of(*text, [](char c) { return c >= '0' && c <= '9'; }))
        throw core::Fault(core::FaultKind::Usage,
                          fmt::format("HIVE_{}: not a decimal number: {}", name, *text));
    uint64_t value = 0;
    const auto read = std::from_chars(text->data(), text->data() + text->size(), value);
    const bool leading_zero = text->size() > 1 && (*text)[0] == '0';
    if (read.ec != std::errc() || value > kExactMax || leading_zero)
        return fmt::format("\"{}\"", *text);
    return *text;
}

uint64_t number_of_64_bits(const std::string& name, const std::string& text) {
    uint64_t value = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
    if (read.ec != std::errc() || read.ptr != text.data() + text.size())
        throw core::Fault(core::FaultKind::Usage,
                          fmt::format("HIVE_{}: not a decimal number of 64 bits: {}", name, text));
    return value;
}

std::optional<uint64_t> find_number(const HiveEnvironment& environment, const char* name) {
    const std::string* const text = find(environment, name);
    if (text == nullptr || text->empty()) return std::nullopt;
    return number_of_64_bits(name, *text);
}

/// Members of one JSON object.
class Members {
  public:
    void add(std::string_view key, std::string_view json) {
        if (json.empty()) return;
        if (!text_.empty()) text_ += ',';
        text_ += fmt::format("\"{}\":{}", key, json);
    }
    bool empty() const noexcept { return text_.empty(); }
    std::string object() const { return "{" + text_ + "}"; }

  private:
    std::string text_;
};

std::string parameter(const HiveEnvironment& environment, const TimeFork& fork, const char* what) {
    if (fork.newer != nullptr) {
        const std::string value = number(environment, fmt::format("{}_{}", fork.newer, what));
        if (!value.empty()) return value;
    }
    return number(environment, fmt::format("{}_{}", fork.variable, what));
}

/// What is given over the defaults; empty when the fork has neither a time nor a parameter.
std::string blobs(const HiveEnvironment& environment, const TimeFork& fork) {
    const auto given = [&](const char* what) { return parameter(environment, fork, what); };
    const std::string target = given("BLOB_TARGET");
    const std::string max = given("BLOB_MAX");
    const std::string fraction = given("BLOB_BASE_FEE_UPDATE_FRACTION");
    if (given("TIMESTAMP").empty() && target.empty() && max.empty() && fraction.empty()) return {};
    Members members;
    members.add("target", target.empty() ? std::to_string(fork.target) : target);
    members.add("max", max.empty() ? std::to_string(fork.max) : max);
    members.add("baseFeeUpdateFraction",
                fraction.empty() ? std::to_string(fork.fraction) : fraction);
    return members.object();
}

const char* truth(bool value) noexcept {
    return value ? "true" : "false";
}

std::string quoted(const std::string& name, const std::string& text) {
    const bool plain = std::ranges::all_of(
        text, [](char c) { return c > ' ' && c < 0x7f && c != '"' && c != '\\'; });
    if (!plain)
        throw core::Fault(core::FaultKind::Usage,
                          fmt::format("HIVE_{}: not an address: {}", name, text));
    return fmt::format("\"{}\"", text);
}

}  // namespace

std::string hive_config(const HiveEnvironment& environment) {
    Members config;
    const std::string period = number(environment, "CLIQUE_PERIOD");
    if (period.empty())
        config.add("ethash", "{}");
    else
        config.add("clique", fmt::format("{{\"period\":{},\"epoch\":{}}}", period, kCliqueEpoch));
    const std::string chain_id = number(environment, "CHAIN_ID");
    config.add("chainId", chain_id.empty() ? "1" : chain_id);
    for (const NumberRow& row : kBlockForks) {
        std::string value = number(environment, row.variable);
        if (value.empty() && row.other_spelling != nullptr)
            value = number(environment, row.other_spelling);
        config.add(row.key, value);
    }
    if (const std::string* const vote = find(environment, "FORK_DAO_VOTE"))
        config.add("daoForkSupport", truth(*vote == "1"));
    if (const std::string* const passed = find(environment, "TERMINAL_TOTAL_DIFFICULTY_PASSED"))
        config.add("terminalTotalDifficultyPassed", truth(*passed == "1" || *passed == "true"));
    Members schedule;
    for (const TimeFork& fork : kTimeForks) {
        config.add(fmt::format("{}Time", fork.name), parameter(environment, fork, "TIMESTAMP"));
        if (fork.has_blobs) schedule.add(fork.name, blobs(environment, fork));
    }
    const std::string* const deposit = find(environment, "DEPOSIT_CONTRACT_ADDRESS");
    if (deposit == nullptr)
        config.add("depositContractAddress", "\"0x00000000219ab540356cBB839Cbe05303d7705Fa\"");
    else if (!deposit->empty())
        config.add("depositContractAddress", quoted("DEPOSIT_CONTRACT_ADDRESS", *deposit));
    config.add("blobSchedule", schedule.object());
    return config.object();
}

std::optional<uint64_t> hive_network_id(const HiveEnvironment& environment) {
    return find_number(environment, "NETWORK_ID");
}

std::optional<uint64_t> hive_log_level(const HiveEnvironment& environment) {
    return find_number(environment, "LOGLEVEL");
}

}  // namespace keel::node
