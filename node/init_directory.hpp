#pragma once

#include <cstdint>
#include <optional>

#include "chain/genesis.hpp"
#include "node/open_database.hpp"

namespace keel::node {

/// Opens the data directory, makes it if need be, writes the genesis, and closes it, so that all is
/// on the disk. A failure leaves everything as it was: a directory that was not there is not there
/// afterwards. `options.schema` is filled in here. Throws what open_database and
/// chain::write_genesis throw.
chain::GenesisWritten init_directory(Options options, const chain::Genesis& genesis,
                                     std::optional<uint64_t> network_id);

}  // namespace keel::node
