#include "cmd/commands.hpp"
#include "cmd/run_tests.hpp"
#include "node/runners/engine_test.hpp"

namespace keel::cmd {

int run_enginetest(const Options& options) {
    return run_fixtures(options, node::runners::engine_test_suite(suite_options(options)));
}

}  // namespace keel::cmd
