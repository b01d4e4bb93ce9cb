#pragma once

#include <expected>

namespace keel::core {

/// A verdict with a value: bytes of others may be wrong, and the caller must act on it. Every
/// function that returns one is [[nodiscard]]. E is a domain's enum, never a string. Faults (I/O,
/// damage) are exceptions: core/fault.hpp.
template <class T, class E>
using Result = std::expected<T, E>;

using std::unexpected;

}  // namespace keel::core
