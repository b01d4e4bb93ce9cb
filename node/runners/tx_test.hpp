#pragma once

#include "node/runners/suite.hpp"

namespace keel::node::runners {

/// TransactionTests and transaction_tests: what the bytes of a transaction alone say, once a
/// network of `result`. Source: fixtures/README.md 4.5.
Suite tx_test_suite(SuiteOptions options);

}  // namespace keel::node::runners
