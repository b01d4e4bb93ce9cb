#include <unistd.h>

#include "cmd/commands.hpp"
#include "cmd/run_tests.hpp"
#include "node/runners/block_test.hpp"

namespace keel::cmd {
namespace {

/// A folder for the stores of the tests that is gone at the end.
class ScratchDirectory {
  public:
    ScratchDirectory()
        : path_(std::filesystem::temp_directory_path() /
                ("keel-blocktest-" + std::to_string(::getpid()))) {
        std::filesystem::create_directories(path_);
    }
    ~ScratchDirectory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    ScratchDirectory(const ScratchDirectory&) = delete;
    ScratchDirectory& operator=(const ScratchDirectory&) = delete;
    const std::filesystem::path& path() const noexcept { return path_; }

  private:
    std::filesystem::path path_;
};

}  // namespace

int run_blocktest(const Options& options) {
    node::runners::BlockTestOptions suite;
    suite.suite = suite_options(options);
    std::optional<ScratchDirectory> scratch;
    if (options.backend == db::Backend::Lmdb) suite.lmdb_parent = scratch.emplace().path();
    return run_fixtures(options, node::runners::block_test_suite(std::move(suite)));
}

}  // namespace keel::cmd
