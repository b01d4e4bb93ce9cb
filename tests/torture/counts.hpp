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

/// Prints itself at its end.
class Counts {
  public:
    explicit Counts(std::string title) : title_(std::move(title)) {}
    ~Counts() {
        std::cout << title_ << ":";
        for (const auto& [what, count] : counts_) std::cout << "  " << what << " " << count;
        std::cout << std::endl;
    }
    Counts(const Counts&) = delete;
    Counts& operator=(const Counts&) = delete;
    void add(const std::string& what) { ++counts_[what]; }
    uint64_t of(const std::string& what) const {
        const auto found = counts_.find(what);
        return found != counts_.end() ? found->second : 0;
    }

  private:
    std::string title_;
    std::map<std::string, uint64_t> counts_;
};

}  // namespace keel::tests
