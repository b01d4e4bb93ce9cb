#pragma once

// How far a long command is: a bar on a terminal, else a line every 8 s.

#include <cstdint>
#include <memory>
#include <string>

#include "cmd/options.hpp"
#include "db/tools/progress.hpp"

namespace keel::cmd {

/// One thread. Nothing is shown with --quiet.
class ProgressBar {
  public:
    /// `unit`: what is counted, e.g. "entries".
    ProgressBar(const Options& options, std::string unit);
    /// Takes the bar away.
    ~ProgressBar();
    ProgressBar(const ProgressBar&) = delete;
    ProgressBar& operator=(const ProgressBar&) = delete;

    void show(uint64_t done, uint64_t all);
    /// Lives no longer than this.
    db::tools::Progress watcher();

  private:
    const std::shared_ptr<node::Console> console_;  // null: quiet
    const std::string unit_;
    const uint64_t began_ns_;
    uint64_t shown_ns_;
};

/// "[####....] 50 %  5 of 10 pages  0:07 left".
std::string progress_text(uint64_t done, uint64_t all, const std::string& unit,
                          uint64_t elapsed_ns);

}  // namespace keel::cmd
