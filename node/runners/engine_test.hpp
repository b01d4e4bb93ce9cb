#pragma once

#include <filesystem>
#include <optional>

#include "node/runners/suite.hpp"

namespace keel::node::runners {

/// blockchain_tests_engine and blockchain_tests_engine_x: calls of newPayload and forkchoiceUpdated
/// through the very object that serves them, and what each is answered. Source: fixtures/README.md
/// 4.3, 4.4. `lmdb_parent`: where stores are made on LMDB; none: in memory, nothing on disk.
Suite engine_test_suite(SuiteOptions options,
                        std::optional<std::filesystem::path> lmdb_parent = {});

}  // namespace keel::node::runners
