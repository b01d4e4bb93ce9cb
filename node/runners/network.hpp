#pragma once

#include <optional>
#include <string>

#include "chain/fork_schedule.hpp"
#include "node/runners/fixture_json.hpp"

namespace keel::node::runners {

/// The chain that a test runs on: its network's rules, with chain id and blob parameters of the
/// test's own `config`; none: the network is not known.
std::optional<chain::ChainConfig> config_of_test(const JsonObject& test, std::string_view network);

/// The `config` object of a genesis file that parses to `config`.
std::string to_json(const chain::ChainConfig& config);

}  // namespace keel::node::runners
