#pragma once

#include "node/runners/suite.hpp"

namespace keel::node::runners {

/// GeneralStateTests and state_tests: one transaction on a state in memory, once an entry of
/// `post`. Source: fixtures/README.md 4.2, EVM.md 10.
Suite state_test_suite(SuiteOptions options);

}  // namespace keel::node::runners
