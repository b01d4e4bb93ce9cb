#pragma once

// How many cases the torture takes, and what came of them.

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <map>
#include <string>
#include <string_view>

namespace keel::tests {

/// KEEL_TORTURE=full takes every case.
inline bool full() {
    const char* const wish = std::getenv("KEEL_TORTURE");
    return wish != nullptr && std::string_view(wish) == "full";
}

/// Every case in a full run, else about `sample` of them.
inline uint64_t step_of(uint64_t cases, uint64_t sample) {
    return full() || cases <= sample ? 1 : cases / sample;
}

/// Prints itself at its end: "matrix | SCENARIO | CASES UNIT | OUTCOME n, OUTCOME n", which
/// matrix.py gathers. Outcomes in capitals are failures.
class Counts {
  public:
    Counts(std::string scenario, std::string unit)
        : scenario_(std::move(scenario)), unit_(std::move(unit)) {}
    ~Counts() {
        std::cout << "matrix | " << scenario_ << " | " << cases_ << " " << unit_ << " | ";
        const char* comma = "";
        for (const auto& [what, count] : counts_) {
            std::cout << comma << what << " " << count;
            comma = ", ";
        }
        std::cout << std::endl;
    }
    Counts(const Counts&) = delete;
    Counts& operator=(const Counts&) = delete;
    /// One more case.
    void take() { ++cases_; }
    void add(const std::string& what) { ++counts_[what]; }
    uint64_t of(const std::string& what) const {
        const auto found = counts_.find(what);
        return found != counts_.end() ? found->second : 0;
    }
    uint64_t wrong() const { return of("LOST") + of("WRONG") + of("REFUSED") + of("UNCLEAR"); }

  private:
    std::string scenario_;
    std::string unit_;
    uint64_t cases_ = 0;
    std::map<std::string, uint64_t> counts_;
};

}  // namespace keel::tests
