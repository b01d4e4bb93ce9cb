#include "cmd/commands.hpp"
#include "cmd/run_tests.hpp"
#include "node/runners/state_test.hpp"

namespace keel::cmd {

int run_statetest(const Options& options) {
    return run_fixtures(options, node::runners::state_test_suite(suite_options(options)));
}

}  // namespace keel::cmd
