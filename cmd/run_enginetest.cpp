#include "cmd/commands.hpp"
#include "cmd/run_tests.hpp"
#include "node/runners/engine_test.hpp"

namespace keel::cmd {

int run_enginetest(const Options& options) {
    std::optional<ScratchDirectory> scratch;
    std::optional<std::filesystem::path> lmdb_parent;
    if (options.backend == db::Backend::Lmdb) lmdb_parent = scratch.emplace().path();
    return run_fixtures(options,
                        node::runners::engine_test_suite(suite_options(options), lmdb_parent));
}

}  // namespace keel::cmd
