#pragma once

#include "chain/fork_schedule.hpp"
#include "chain/genesis_json.hpp"

namespace keel::chain {

/// Reads a `config` object. Throws Fault::Usage.
ChainConfig read_chain_config(const JsonPlace& place);

}  // namespace keel::chain
