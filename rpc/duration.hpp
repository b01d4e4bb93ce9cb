#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace keel::rpc {

/// A duration as Go writes one, in milliseconds: "5s", "300ms", "1m30s". None: it is none. At most
/// a year.
std::optional<uint64_t> parse_duration_ms(std::string_view text);
/// As Go writes it: "300ms", "5s", "1m30s".
std::string duration_text(uint64_t duration_ms);

}  // namespace keel::rpc
