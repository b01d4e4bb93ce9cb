#pragma once

// The environment that hive gives to a client's container, as the config of a genesis file. The
// same mapping for readers: hive/mapper.jq.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

namespace keel::node {

/// Variables whose names start with HIVE_, by their whole names. An empty value counts as absent,
/// but for HIVE_FORK_DAO_VOTE.
using HiveEnvironment = std::map<std::string, std::string, std::less<>>;

/// JSON text of the `config` object. Throws Fault::Usage that names the variable whose value is not
/// a decimal number.
std::string hive_config(const HiveEnvironment& environment);
/// HIVE_NETWORK_ID; none: not given.
std::optional<uint64_t> hive_network_id(const HiveEnvironment& environment);
/// HIVE_LOGLEVEL; none: not given.
std::optional<uint64_t> hive_log_level(const HiveEnvironment& environment);

}  // namespace keel::node
