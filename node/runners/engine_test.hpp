#pragma once

#include "node/runners/suite.hpp"

namespace keel::node::runners {

/// blockchain_tests_engine and blockchain_tests_engine_x: calls of newPayload and forkchoiceUpdated
/// through the very object that serves them, and what each is answered. Source: fixtures/README.md
/// 4.3, 4.4.
Suite engine_test_suite(SuiteOptions options);

}  // namespace keel::node::runners
