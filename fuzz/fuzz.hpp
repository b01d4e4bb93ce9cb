#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "core/bytes.hpp"

// What every target is written with. A target throws nothing and returns 0; whatever must not be
// ends with require, which libFuzzer takes as a finding.

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace keel::fuzz {

inline void require(bool condition, const char* what) {
    if (condition) return;
    std::fprintf(stderr, "not so: %s\n", what);
    std::abort();
}

/// Takes values from the front of an input; zeros when it has ended.
class Input {
  public:
    explicit Input(core::ByteView bytes) : rest_(bytes) {}

    uint8_t byte() {
        if (rest_.empty()) return 0;
        const uint8_t value = rest_[0];
        rest_ = rest_.sub(1);
        return value;
    }
    uint64_t number(unsigned bytes) {
        uint64_t value = 0;
        for (unsigned i = 0; i < bytes; ++i) value = value << 8 | byte();
        return value;
    }
    core::ByteView take(size_t count) {
        const core::ByteView taken = rest_.sub(0, count);
        rest_ = rest_.sub(count);
        return taken;
    }
    core::ByteView rest() const { return rest_; }

  private:
    core::ByteView rest_;
};

}  // namespace keel::fuzz
