#include "chain/fork_schedule.hpp"

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

namespace keel::chain {
namespace {

using core::Fork;
using core::ForkRules;

constexpr auto kForkKeys = std::to_array<ForkKey>({
    {"homesteadBlock", &ChainConfig::homestead, Fork::Homestead, false, false},
    {"daoForkBlock", &ChainConfig::dao, Fork::Dao, false, true},
    {"eip150Block", &ChainConfig::tangerine_whistle, Fork::TangerineWhistle, false, false},
    {"eip155Block", &ChainConfig::eip155, std::nullopt, false, false},
    {"eip158Block", &ChainConfig::eip158, Fork::SpuriousDragon, false, false},
    {"byzantiumBlock", &ChainConfig::byzantium, Fork::Byzantium, false, false},
    {"constantinopleBlock", &ChainConfig::constantinople, Fork::Constantinople, false, false},
    {"petersburgBlock", &ChainConfig::petersburg, Fork::Petersburg, false, false},
    {"istanbulBlock", &ChainConfig::istanbul, Fork::Istanbul, false, false},
    {"muirGlacierBlock", &ChainConfig::muir_glacier, Fork::MuirGlacier, false, true},
    {"berlinBlock", &ChainConfig::berlin, Fork::Berlin, false, false},
    {"londonBlock", &ChainConfig::london, Fork::London, false, false},
    {"arrowGlacierBlock", &ChainConfig::arrow_glacier, Fork::ArrowGlacier, false, true},
    {"grayGlacierBlock", &ChainConfig::gray_glacier, Fork::GrayGlacier, false, true},
    {"mergeNetsplitBlock", &ChainConfig::merge_netsplit, std::nullopt, false, true},
    {"shanghaiTime", &ChainConfig::shanghai, Fork::Shanghai, true, false},
    {"cancunTime", &ChainConfig::cancun, Fork::Cancun, true, true},
    {"pragueTime", &ChainConfig::prague, Fork::Prague, true, true},
    {"osakaTime", &ChainConfig::osaka, Fork::Osaka, true, true},
    {"bpo1Time", &ChainConfig::bpo1, Fork::Bpo1, true, true},
    {"bpo2Time", &ChainConfig::bpo2, Fork::Bpo2, true, true},
    {"bpo3Time", &ChainConfig::bpo3, Fork::Bpo3, true, true},
    {"bpo4Time", &ChainConfig::bpo4, Fork::Bpo4, true, true},
    {"bpo5Time", &ChainConfig::bpo5, Fork::Bpo5, true, true},
    {"amsterdamTime", &ChainConfig::amsterdam, std::nullopt, true, true},
    {"bogotaTime", &ChainConfig::bogota, std::nullopt, true, true},
});

// Parameters of the test networks; no chain has chosen any yet (fixtures/README.md 4.9).
constexpr BlobParameters kBpo3TestBlobs{21, 32, 20'609'697};
constexpr BlobParameters kBpo4TestBlobs{14, 21, 13'739'630};

bool is_active(const std::optional<uint64_t>& activation, uint64_t at) noexcept {
    return activation && *activation <= at;
}

// EIP-155 and EIP-158 (with 160 and 170) have keys of their own, which may differ.
void set_spurious_dragon(ForkRules& rules, const ChainConfig& config, uint64_t number) noexcept {
    rules.eip_155 = is_active(config.eip155, number);
    rules.eip_158 = rules.eip_160 = rules.eip_170 = is_active(config.eip158, number);
}

// Newest fork of its kind that is active at a number or time.
Fork newest_fork(const ChainConfig& config, bool by_time, uint64_t at) noexcept {
    Fork newest = Fork::Frontier;
    for (const ForkKey& key : kForkKeys) {
        if (key.by_time != by_time || !key.fork) continue;
        if (is_active(activation_of(config, key), at)) newest = std::max(newest, *key.fork);
    }
    return newest;
}

// The entry of the newest active fork that has one.
BlobParameters blobs_at(const ChainConfig& config, uint64_t timestamp) noexcept {
    std::optional<BlobParameters> entry;
    for (const ForkKey& key : kForkKeys) {
        if (!key.by_time || !key.fork || !is_active(config.*key.activation, timestamp)) continue;
        const auto& own = config.blob_schedule[static_cast<size_t>(*key.fork)];
        if (own) entry = own;
    }
    return entry ? *entry : default_blob_parameters(newest_fork(config, true, timestamp));
}

}  // namespace

core::Address default_deposit_contract() noexcept {
    return core::Address({0x00, 0x00, 0x00, 0x00, 0x21, 0x9a, 0xb5, 0x40, 0x35, 0x6c,
                          0xbb, 0x83, 0x9c, 0xbe, 0x05, 0x30, 0x3d, 0x77, 0x05, 0xfa});
}

std::span<const ForkKey> fork_keys() noexcept {
    return kForkKeys;
}

std::optional<uint64_t> activation_of(const ChainConfig& config, const ForkKey& key) noexcept {
    const auto& activation = config.*key.activation;
    // EIP-1716: where no block is given, Petersburg comes with Constantinople.
    if (key.fork == Fork::Petersburg && !activation) return config.constantinople;
    return activation;
}

BlobParameters default_blob_parameters(Fork fork) noexcept {
    if (fork >= Fork::Bpo4) return kBpo4TestBlobs;
    if (fork >= Fork::Bpo3) return kBpo3TestBlobs;
    if (fork >= Fork::Bpo2) return kBpo2Blobs;
    if (fork >= Fork::Bpo1) return kBpo1Blobs;
    if (fork >= Fork::Prague) return kPragueBlobs;
    if (fork >= Fork::Cancun) return kCancunBlobs;
    return {};
}

ForkSchedule::ForkSchedule(ChainConfig config) : config_(config) {
    std::set<uint64_t> numbers = {0}, times;
    for (const ForkKey& key : kForkKeys) {
        if (const auto activation = activation_of(config_, key)) {
            (key.by_time ? times : numbers).insert(*activation);
        }
    }
    for (const uint64_t number : numbers) {
        Step step{number, {core::rules_of(newest_fork(config_, false, number)), {}}};
        set_spurious_dragon(step.rules.rules, config_, number);
        by_block_.push_back(step);
    }
    for (const uint64_t time : times) {
        const Fork fork = newest_fork(config_, true, time);
        if (fork == Fork::Frontier) continue;  // only forks without rules so far
        by_time_.push_back({time, {core::rules_of(fork), blobs_at(config_, time)}});
    }
}

BlockRules ForkSchedule::at(uint64_t number, uint64_t timestamp,
                            bool proof_of_stake) const noexcept {
    // From the back: the newest rules are asked for most.
    const auto newest = [](const std::vector<Step>& steps, uint64_t at) -> const Step* {
        for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
            if (step->from <= at) return &*step;
        }
        return nullptr;
    };
    const BlockRules& by_block = newest(by_block_, number)->rules;
    const Step* by_time = by_block.rules.eip_1559 ? newest(by_time_, timestamp) : nullptr;
    if (by_time == nullptr && !proof_of_stake) return by_block;

    BlockRules block =
        by_time != nullptr ? by_time->rules : BlockRules{core::rules_of(Fork::Paris), {}};
    block.rules.eip_155 = by_block.rules.eip_155;
    block.rules.eip_158 = by_block.rules.eip_158;
    block.rules.eip_160 = by_block.rules.eip_160;
    block.rules.eip_170 = by_block.rules.eip_170;
    return block;
}

std::optional<std::string_view> ForkSchedule::unsupported_at(uint64_t timestamp) const noexcept {
    if (is_active(config_.bogota, timestamp)) return "Bogota";
    if (is_active(config_.amsterdam, timestamp)) return "Amsterdam";
    return std::nullopt;
}

namespace {

struct NetworkName {
    std::string_view name;
    Fork fork;
};
constexpr auto kNetworkNames = std::to_array<NetworkName>({
    {"Frontier", Fork::Frontier},
    {"Homestead", Fork::Homestead},
    {"Dao", Fork::Dao},
    {"EIP150", Fork::TangerineWhistle},
    {"EIP158", Fork::SpuriousDragon},
    {"Byzantium", Fork::Byzantium},
    {"Constantinople", Fork::Constantinople},
    {"ConstantinopleFix", Fork::Petersburg},
    {"Istanbul", Fork::Istanbul},
    {"MuirGlacier", Fork::MuirGlacier},
    {"Berlin", Fork::Berlin},
    {"London", Fork::London},
    {"ArrowGlacier", Fork::ArrowGlacier},
    {"GrayGlacier", Fork::GrayGlacier},
    {"Merge", Fork::Paris},
    {"Paris", Fork::Paris},
    {"Shanghai", Fork::Shanghai},
    {"Cancun", Fork::Cancun},
    {"Prague", Fork::Prague},
    {"Osaka", Fork::Osaka},
    {"BPO1", Fork::Bpo1},
    {"BPO2", Fork::Bpo2},
    {"BPO3", Fork::Bpo3},
    {"BPO4", Fork::Bpo4},
});

std::optional<Fork> fork_of_network(std::string_view name) noexcept {
    for (const NetworkName& entry : kNetworkNames) {
        if (entry.name == name) return entry.fork;
    }
    return std::nullopt;
}

// Sets every fork in (after, last] to a number and a time. The DAO fork is no step of the networks:
// it is set where its name says so.
void activate(ChainConfig& config, Fork after, Fork last, uint64_t at) {
    for (const ForkKey& key : kForkKeys) {
        if (!key.fork || *key.fork == Fork::Dao) continue;
        if (*key.fork > after && *key.fork <= last) config.*key.activation = at;
    }
    if (after < Fork::SpuriousDragon && last >= Fork::SpuriousDragon) config.eip155 = at;
    if (after < Fork::Paris && last >= Fork::Paris) config.terminal_total_difficulty = at;
}

// "5", "15k", "C0000" (hex); none on anything else.
std::optional<uint64_t> parse_count(std::string_view text, int base) {
    uint64_t scale = 1;
    if (base == 10 && text.ends_with('k')) {
        scale = 1'000;
        text.remove_suffix(1);
    }
    uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value * scale;
}

struct Transition {
    Fork from, to;
    enum class By : uint8_t { Block, Time, Difficulty } by;
    uint64_t at;
};

// <A>To<B>At<number>, AtTime<seconds>, AtDiff<hex>.
std::optional<Transition> parse_transition(std::string_view name) {
    const size_t at = name.rfind("At"), to = name.find("To");
    if (at == std::string_view::npos || to == std::string_view::npos || to > at) {
        return std::nullopt;
    }
    const auto from_fork = fork_of_network(name.substr(0, to));
    const auto to_fork = fork_of_network(name.substr(to + 2, at - to - 2));
    std::string_view when = name.substr(at + 2);
    Transition::By by = Transition::By::Block;
    if (when.starts_with("Time")) by = Transition::By::Time;
    if (when.starts_with("Diff")) by = Transition::By::Difficulty;
    if (by != Transition::By::Block) when.remove_prefix(4);
    const auto value = parse_count(when, by == Transition::By::Difficulty ? 16 : 10);
    if (!from_fork || !to_fork || *to_fork <= *from_fork || !value) return std::nullopt;
    return Transition{*from_fork, *to_fork, by, *value};
}

}  // namespace

std::optional<ChainConfig> config_of_network(std::string_view name) {
    ChainConfig config;
    for (size_t i = static_cast<size_t>(Fork::Cancun); i < config.blob_schedule.size(); ++i) {
        config.blob_schedule[i] = default_blob_parameters(static_cast<Fork>(i));
    }
    if (const auto fork = fork_of_network(name); fork && *fork != Fork::Dao) {
        activate(config, Fork::Frontier, *fork, 0);
        // EIP-1283 stays on: Petersburg, which takes it back, never comes.
        if (*fork == Fork::Constantinople) config.petersburg = UINT64_MAX;
        return config;
    }
    const auto transition = parse_transition(name);
    if (!transition) return std::nullopt;
    activate(config, Fork::Frontier, transition->from, 0);
    if (transition->by == Transition::By::Difficulty) {
        if (transition->to != Fork::Paris) return std::nullopt;
        config.terminal_total_difficulty = transition->at;
    } else if (transition->to == Fork::Dao) {
        config.dao = transition->at;
        config.dao_support = true;
    } else {
        activate(config, transition->from, transition->to, transition->at);
        // A switch by time is one of a chain that is proof-of-stake already.
        if (transition->by == Transition::By::Time) config.terminal_total_difficulty = 0;
    }
    return config;
}

}  // namespace keel::chain
