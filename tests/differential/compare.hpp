#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "tests/differential/scenario.hpp"

namespace keel::differential {

/// Runs scenarios on three machines: the interpreter with its tracer, the interpreter as blocks run
/// it, and the reference. Keeps the memory of the first two from one to the next, as an import
/// does.
class Comparison {
  public:
    Comparison();
    ~Comparison();

    /// None: they agree on every step (gas, stack, memory, return data, refund, logs), on the
    /// state at the end of every frame, and on results, logs, warm sets and all changes at the end.
    std::optional<std::string> first_difference(const Scenario& scenario);

    struct Counts {
        uint64_t steps = 0;
        uint64_t frames = 0;
        uint64_t successes = 0;  // of transactions
        uint64_t reverts = 0;
        uint64_t halts = 0;
    };
    const Counts& counts() const noexcept;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace keel::differential
