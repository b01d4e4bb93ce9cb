#include "rpc/duration.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

namespace keel::rpc {

std::optional<uint64_t> parse_duration_ms(std::string_view text) {
    constexpr std::array<std::pair<std::string_view, double>, 6> kUnits = {
        {{"ns", 1e-6}, {"us", 1e-3}, {"ms", 1}, {"s", 1e3}, {"m", 6e4}, {"h", 3.6e6}}};
    constexpr double kYear_ms = 365 * 86'400e3;
    if (text.empty()) return std::nullopt;
    double total_ms = 0;
    while (!text.empty()) {
        double amount = 0;
        const auto read = std::from_chars(text.data(), text.data() + text.size(), amount);
        if (read.ec != std::errc() || !std::isfinite(amount) || amount < 0) return std::nullopt;
        text.remove_prefix(static_cast<size_t>(read.ptr - text.data()));
        const size_t unit_bytes = std::min(text.find_first_of("0123456789."), text.size());
        const auto unit = std::ranges::find(kUnits, text.substr(0, unit_bytes),
                                            &std::pair<std::string_view, double>::first);
        if (unit == kUnits.end()) return std::nullopt;
        total_ms += amount * unit->second;
        text.remove_prefix(unit_bytes);
    }
    return static_cast<uint64_t>(std::min(total_ms, kYear_ms));
}

std::string duration_text(uint64_t duration_ms) {
    constexpr uint64_t kSecond = 1'000;
    constexpr uint64_t kMinute = 60 * kSecond;
    constexpr uint64_t kHour = 60 * kMinute;
    if (duration_ms < kSecond) {
        return duration_ms == 0 ? std::string("0s") : fmt::format("{}ms", duration_ms);
    }
    std::string text;
    if (duration_ms >= kHour) text += fmt::format("{}h", duration_ms / kHour);
    if (duration_ms >= kMinute) text += fmt::format("{}m", duration_ms % kHour / kMinute);
    return text + fmt::format("{}s", static_cast<double>(duration_ms % kMinute) / 1e3);
}

}  // namespace keel::rpc
