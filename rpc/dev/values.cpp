#include "rpc/dev/values.hpp"

#include <charconv>
#include <limits>

#include "core/u256.hpp"

namespace keel::rpc::dev {

using core::unexpected;

Converted<core::U256> to_amount(JsonValue value) {
    if (!value.is(JsonKind::Number)) return to_u256(value);
    const auto number = core::U256::from_decimal(value.text());
    if (!number) return unexpected(std::string("not a whole number"));
    return *number;
}

Converted<uint64_t> to_count(JsonValue value) {
    const auto amount = to_amount(value);
    if (!amount) return unexpected(amount.error());
    if (*amount > core::U256(UINT64_MAX)) return unexpected(std::string("number > 64 bits"));
    return amount->saturated64();
}

Converted<int64_t> to_seconds(JsonValue value) {
    const std::string_view text = value.text();
    if (value.is(JsonKind::Number) && text.starts_with('-')) {
        int64_t number = 0;
        const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (wrong != std::errc() || end != text.data() + text.size()) {
            return unexpected(std::string("not a whole number"));
        }
        return number;
    }
    const auto count = to_count(value);
    if (!count) return unexpected(count.error());
    constexpr auto kMax = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
    if (*count > kMax) return unexpected(std::string("number > 63 bits"));
    return static_cast<int64_t>(*count);
}

}  // namespace keel::rpc::dev
