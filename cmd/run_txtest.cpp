#include "cmd/commands.hpp"
#include "cmd/run_tests.hpp"
#include "node/runners/tx_test.hpp"

namespace keel::cmd {

int run_txtest(const Options& options) {
    return run_fixtures(options, node::runners::tx_test_suite(suite_options(options)));
}

}  // namespace keel::cmd
