#include "cmd/commands.hpp"
#include "cmd/run_tests.hpp"
#include "node/runners/block_test.hpp"

namespace keel::cmd {

int run_blocktest(const Options& options) {
    node::runners::BlockTestOptions suite;
    suite.suite = suite_options(options);
    std::optional<ScratchDirectory> scratch;
    if (options.backend == db::Backend::Lmdb) suite.lmdb_parent = scratch.emplace().path();
    return run_fixtures(options, node::runners::block_test_suite(std::move(suite)));
}

}  // namespace keel::cmd
