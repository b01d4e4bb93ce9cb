#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include "core/u256.hpp"

namespace keel::differential {

/// splitmix64: small, and the same on every machine and library.
class Random {
  public:
    explicit Random(uint64_t seed) : state_(seed) {}

    uint64_t next() {
        state_ += 0x9e3779b97f4a7c15;
        uint64_t z = state_;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }
    /// In [0, count).
    uint64_t below(uint64_t count) { return (next() >> 32) * count >> 32; }
    uint64_t between(uint64_t first, uint64_t last) { return first + below(last - first + 1); }
    bool one_in(uint64_t count) { return below(count) == 0; }
    uint8_t byte() { return static_cast<uint8_t>(next() >> 56); }
    core::U256 word() { return {next(), next(), next(), next()}; }

    template <class T>
    T pick(std::initializer_list<T> values) {
        return values.begin()[below(values.size())];
    }
    template <class Container>
    const auto& element(const Container& values) {
        return values[below(values.size())];
    }

  private:
    uint64_t state_;
};

}  // namespace keel::differential
