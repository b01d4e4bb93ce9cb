#pragma once

#include <string>

#include "chain/genesis.hpp"
#include "node/open_database.hpp"

namespace keel::node {

/// The genesis of solo mode: chain id 31337, all forks that there are from the first block on, of
/// now, ten accounts of 10 000 ether (rpc/dev/keys.hpp), the system contracts.
chain::Genesis solo_genesis();

/// Writes it where there is no chain yet; a directory with a chain is taken as it is.
void init_solo(const Options& options);

/// What a client that asks web3_clientVersion is told: test helpers refuse names that they do not
/// know to have their methods.
std::string solo_client_version(const std::string& client_version);

}  // namespace keel::node
