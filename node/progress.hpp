#pragma once

// How far an import is: a bar on a terminal, else a log line every 8 s.

#include <cstdint>
#include <memory>
#include <string>

#include "node/logging.hpp"

namespace keel::node {

struct Progress {
    uint64_t blocks = 0;       // executed
    uint64_t gas = 0;          // of these
    uint64_t number = 0;       // of the newest
    uint64_t input_done = 0;   // bytes of the files
    uint64_t input_total = 0;  // 0: unknown
};

struct ProgressRates {
    uint64_t blocks_per_s = 0;
    double mgas_per_s = 0;
};

/// `event key=value…`, for the log.
std::string progress_line(const Progress& progress, const ProgressRates& rates,
                          uint64_t elapsed_ns);
/// For people, at most `columns` wide.
std::string progress_bar(const Progress& progress, const ProgressRates& rates, uint64_t elapsed_ns,
                         size_t columns);

/// One thread.
class ProgressMeter {
  public:
    /// Null: nothing is shown.
    ProgressMeter(std::shared_ptr<Console> console, uint64_t now_ns);
    ProgressMeter(const ProgressMeter&) = delete;
    ProgressMeter& operator=(const ProgressMeter&) = delete;
    /// Takes the bar away.
    ~ProgressMeter();

    /// Shows it if it is time to.
    void update(const Progress& progress, uint64_t now_ns);

  private:
    const std::shared_ptr<Console> console_;
    const uint64_t began_ns_;
    uint64_t shown_ns_;
    // Rates are of the time since the older of two marks.
    uint64_t mark_ns_;
    uint64_t next_mark_ns_;
    Progress mark_;
    Progress next_mark_;
};

}  // namespace keel::node
