// A `config` object of a genesis file: its keys, and whether its forks are in order. Source:
// HIVE.md D.1.2.

#include "chain/chain_config_json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "chain/genesis.hpp"

namespace keel::chain {
namespace {

using core::Fork;

// Named like forks, known to change nothing here.
constexpr auto kHarmlessKeys = std::to_array<std::string_view>({
    "frontierBlock",  // of no other value than 0
    "yolov2Block",
    "yolov3Block",
    "parisBlock",
    "mergeForkBlock",  // older name of mergeNetsplitBlock
    "eip150Hash",
    "terminalBlockNumber",
    "terminalBlockHash",
    "burntContract",
});
constexpr std::string_view kHarmlessPrefix = "ephemeryReset";

struct BlobScheduleKey {
    std::string_view key;
    Fork fork;
};
constexpr auto kBlobScheduleKeys = std::to_array<BlobScheduleKey>({
    {"cancun", Fork::Cancun},
    {"prague", Fork::Prague},
    {"osaka", Fork::Osaka},
    {"bpo1", Fork::Bpo1},
    {"bpo2", Fork::Bpo2},
    {"bpo3", Fork::Bpo3},
    {"bpo4", Fork::Bpo4},
    {"bpo5", Fork::Bpo5},
});
constexpr uint64_t kBlobsMax = uint64_t{1} << 32;  // products with the gas of a blob fit in 64 bits

bool is_set(const JsonNode& node) {
    return node.kind != JsonNode::Kind::Null &&
           !(node.kind == JsonNode::Kind::String && node.text.empty());
}

bool is_known_fork(std::string_view name) {
    const auto keys = fork_keys();
    return std::ranges::find(keys, name, &ForkKey::key) != keys.end();
}

void refuse_unknown_forks(const JsonPlace& config) {
    for (const JsonNode& node : config.node().members) {
        const std::string& name = node.name;
        if (!is_set(node) || is_known_fork(name)) continue;
        if (!name.ends_with("Block") && !name.ends_with("Time")) continue;
        if (std::ranges::find(kHarmlessKeys, name) != kHarmlessKeys.end()) continue;
        if (name.starts_with(kHarmlessPrefix)) continue;
        JsonPlace(config, name, node).refuse("a fork that keel does not know");
    }
}

BlobParameters read_blob_parameters(const JsonPlace& entry) {
    entry.need_object();
    const auto read = [&entry](std::string_view name) {
        const JsonNode* node = entry.node().find(name);
        if (node == nullptr) entry.refuse(fmt::format("{} is missing", name));
        const JsonPlace place(entry, name, *node);
        const uint64_t value = place.uint64();
        if (value > kBlobsMax) place.refuse(fmt::format("more than {}", kBlobsMax));
        return value;
    };
    const BlobParameters blobs{read("target"), read("max"), read("baseFeeUpdateFraction")};
    if (blobs.max == 0) entry.refuse("max is 0");
    if (blobs.target > blobs.max) entry.refuse("target is above max");
    if (blobs.base_fee_update_fraction == 0) entry.refuse("baseFeeUpdateFraction is 0");
    return blobs;
}

void read_blob_schedule(ChainConfig& config, const JsonPlace& schedule) {
    schedule.need_object();
    for (const BlobScheduleKey& key : kBlobScheduleKeys) {
        const JsonNode* node = schedule.node().find(key.key);
        if (node == nullptr) continue;
        config.blob_schedule[static_cast<size_t>(key.fork)] =
            read_blob_parameters(JsonPlace(schedule, key.key, *node));
    }
}

std::string shown(const ForkKey& key, uint64_t activation) {
    return fmt::format("{} {}", key.by_time ? "timestamp" : "block", activation);
}

/// Tests put BPO forks behind Amsterdam (HIVE.md D.3.3), where they stand in the order of keys.
bool may_come_later(const ForkKey& key, const ForkKey& than) {
    const auto is = [](const ForkKey& fork, auto... members) {
        return ((fork.activation == members) || ...);
    };
    return is(key, &ChainConfig::bpo3, &ChainConfig::bpo4, &ChainConfig::bpo5) &&
           is(than, &ChainConfig::amsterdam, &ChainConfig::bogota);
}

// Forks without which no later one may be set must be set, and activations ascend.
void check_fork_order(const ChainConfig& config, const JsonPlace& place) {
    const ForkKey* last = nullptr;
    std::optional<uint64_t> last_activation;
    for (const ForkKey& key : fork_keys()) {
        const auto activation = activation_of(config, key);
        if (last != nullptr && activation && !last_activation) {
            place.refuse(
                fmt::format("unsupported fork ordering: {} not enabled, but {} enabled at {}",
                            last->key, key.key, shown(key, *activation)));
        }
        // By block and by time are two scales; forks by time come after all those by block.
        if (last != nullptr && activation && last->by_time == key.by_time &&
            *last_activation > *activation && !may_come_later(*last, key)) {
            place.refuse(fmt::format(
                "unsupported fork ordering: {} enabled at {}, but {} enabled at {}", last->key,
                shown(*last, *last_activation), key.key, shown(key, *activation)));
        }
        if (!key.optional || activation) {
            last = &key;
            last_activation = activation;
        }
    }
}

}  // namespace

ChainConfig read_chain_config(const JsonPlace& place) {
    place.need_object();
    refuse_unknown_forks(place);
    ChainConfig config;
    const auto with = [&place](std::string_view name, const auto& use) {
        const JsonNode* node = place.node().find(name);
        if (node != nullptr && is_set(*node)) use(JsonPlace(place, name, *node));
    };
    with("chainId", [&](const JsonPlace& value) { config.chain_id = value.uint64(); });
    for (const ForkKey& key : fork_keys()) {
        with(key.key, [&](const JsonPlace& value) { config.*key.activation = value.uint64(); });
    }
    with("daoForkSupport", [&](const JsonPlace& value) { config.dao_support = value.boolean(); });
    with("terminalTotalDifficulty",
         [&](const JsonPlace& value) { config.terminal_total_difficulty = value.u256(); });
    with("depositContractAddress",
         [&](const JsonPlace& value) { config.deposit_contract = value.address(); });
    with("ethash", [&](const JsonPlace&) { config.has_ethash = true; });
    with("clique", [&](const JsonPlace&) { config.has_clique = true; });
    with("blobSchedule", [&](const JsonPlace& value) { read_blob_schedule(config, value); });
    check_fork_order(config, place);
    return config;
}

ChainConfig parse_chain_config(std::string_view json, const std::string& name) {
    const std::string document = "invalid chain config " + name;
    const JsonNode root = parse_json(json, document);
    return read_chain_config(JsonPlace(document, root));
}

}  // namespace keel::chain
