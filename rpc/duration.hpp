#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace keel::rpc {

/// A duration as Go writes one, in milliseconds: "5s", "300ms", "1m30s". None: it is none. At most
/// a year.
std::optional<uint64_t> parse_duration_ms(std::string_view text);

}  // namespace keel::rpc
