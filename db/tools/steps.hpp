#pragma once

#include "db/tools/progress.hpp"

namespace keel::db::tools {

/// Counts entries, and tells of every so many. One thread.
class Steps {
  public:
    Steps(const Progress& progress, uint64_t all) : progress_(progress), all_(all) {}
    void step() {
        if (++done_ % kEvery == 0 && progress_) progress_(done_, all_);
    }
    uint64_t done() const noexcept { return done_; }

  private:
    static constexpr uint64_t kEvery = 1 << 16;

    const Progress& progress_;
    const uint64_t all_;
    uint64_t done_ = 0;
};

}  // namespace keel::db::tools
