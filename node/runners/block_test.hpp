#pragma once

#include <filesystem>
#include <optional>

#include "node/runners/suite.hpp"

namespace keel::node::runners {

struct BlockTestOptions {
    SuiteOptions suite;
    /// Where the stores of the tests are made, one after the other for each thread, on LMDB; none:
    /// in memory, nothing on disk.
    std::optional<std::filesystem::path> lmdb_parent = {};
};

/// BlockchainTests and blockchain_tests: a genesis and blocks in order of delivery, each through
/// the one road of a block into a chain, on a store of the test's own. Source:
/// fixtures/README.md 4.1.
Suite block_test_suite(BlockTestOptions options);

}  // namespace keel::node::runners
