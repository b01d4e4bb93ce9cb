#pragma once

#include <fmt/format.h>

#include <random>
#include <string>

namespace keel::rpc {

/// 128 random bits as a QUANTITY: names of filters and subscriptions, which nobody else can guess.
inline std::string random_id() {
    std::random_device source;  // the system's
    const auto half = [&source] { return uint64_t{source()} << 32U | source(); };
    const uint64_t high = half() | 1U;  // never zero, so that the low half keeps its digits
    return fmt::format("0x{:x}{:016x}", high, half());
}

}  // namespace keel::rpc
