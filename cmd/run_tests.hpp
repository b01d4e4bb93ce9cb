#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cmd/options.hpp"
#include "core/files.hpp"
#include "node/runners/suite.hpp"

namespace keel::cmd {

/// The choice of tests that the flags make. Throws core::Fault{Usage} for a wrong expression.
node::runners::SuiteOptions suite_options(const Options& options);

/// A folder for the stores of the tests that is gone at the end.
class ScratchDirectory {
  public:
    ScratchDirectory();
    ~ScratchDirectory();
    ScratchDirectory(const ScratchDirectory&) = delete;
    ScratchDirectory& operator=(const ScratchDirectory&) = delete;
    const std::filesystem::path& path() const noexcept { return path_; }

  private:
    std::filesystem::path path_;
};

/// Runs a suite over the paths of the options (none: names on stdin, one a line), tells the results
/// as the flags ask, and returns the exit code.
int run_fixtures(const Options& options, const node::runners::Suite& suite);

}  // namespace keel::cmd
