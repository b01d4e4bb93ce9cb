#include "node/runners/network.hpp"

#include <fmt/format.h>

#include <cctype>

#include "core/hex.hpp"

namespace keel::node::runners {
namespace {

// "shanghaiTime" -> "shanghai", the fork's name in a blob schedule.
std::string_view schedule_name(const chain::ForkKey& key) {
    std::string_view name = key.key;
    name.remove_suffix(std::string_view("Time").size());
    return name;
}

bool equal_without_case(std::string_view a, std::string_view b) {
    return std::ranges::equal(a, b, [](char x, char y) {
        return std::tolower(static_cast<unsigned char>(x)) ==
               std::tolower(static_cast<unsigned char>(y));
    });
}

void read_blob_schedule(const JsonObject& from, chain::ChainConfig& config) {
    for (const auto& [fork, value] : from) {
        JsonObject entry;
        if (value.get(entry) != simdjson::SUCCESS) throw MalformedFixture("blobSchedule");
        for (const chain::ForkKey& key : chain::fork_keys()) {
            if (!key.by_time || !key.fork || !equal_without_case(schedule_name(key), fork)) {
                continue;
            }
            config.blob_schedule[static_cast<size_t>(*key.fork)] = chain::BlobParameters{
                .target = read_uint64(need(entry, "target")),
                .max = read_uint64(need(entry, "max")),
                .base_fee_update_fraction = read_uint64(need(entry, "baseFeeUpdateFraction"))};
        }
    }
}

}  // namespace

std::optional<chain::ChainConfig> config_of_test(const JsonObject& test, std::string_view network) {
    auto config = chain::config_of_network(network);
    JsonObject own;
    if (!config || test.at_key("config").get(own) != simdjson::SUCCESS) return config;
    if (const auto chain_id = find(own, "chainid")) config->chain_id = read_uint64(*chain_id);
    JsonObject schedule;
    if (own.at_key("blobSchedule").get(schedule) == simdjson::SUCCESS) {
        read_blob_schedule(schedule, *config);
    }
    return config;
}

std::string to_json(const chain::ChainConfig& config) {
    std::string json = fmt::format("{{\"chainId\":{}", config.chain_id);
    std::string schedule;
    for (const chain::ForkKey& key : chain::fork_keys()) {
        if (const auto& activation = config.*key.activation) {
            json += fmt::format(",\"{}\":{}", key.key, *activation);
        }
        if (!key.by_time || !key.fork) continue;
        if (const auto& blobs = config.blob_schedule[static_cast<size_t>(*key.fork)]) {
            schedule +=
                fmt::format("{}\"{}\":{{\"target\":{},\"max\":{},\"baseFeeUpdateFraction\":{}}}",
                            schedule.empty() ? "" : ",", schedule_name(key), blobs->target,
                            blobs->max, blobs->base_fee_update_fraction);
        }
    }
    if (config.dao) json += fmt::format(",\"daoForkSupport\":{}", config.dao_support);
    if (config.terminal_total_difficulty) {
        json += fmt::format(",\"terminalTotalDifficulty\":{}",
                            config.terminal_total_difficulty->to_decimal());
    }
    json += fmt::format(",\"depositContractAddress\":\"{}\"",
                        core::to_hex_prefixed(config.deposit_contract));
    if (config.has_ethash) json += ",\"ethash\":{}";
    json += fmt::format(",\"blobSchedule\":{{{}}}}}", schedule);
    return json;
}

}  // namespace keel::node::runners
