#pragma once

// Members of one object, read by name.

#include <fmt/format.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rpc/args.hpp"
#include "rpc/error.hpp"
#include "rpc/json_in.hpp"

namespace keel::rpc {

/// Remembers the first error, so that reading an object is a list of its members. null is absent.
class Members {
  public:
    explicit Members(JsonValue object) : object_(object) {}

    /// `into` stays as it is where there is no such member.
    template <class T, class Into>
    void read(std::string_view name, Converted<T> (*convert)(JsonValue), Into& into) {
        if (const auto value = find(name); value && !error_) take(name, *value, convert, into);
    }
    /// A missing member is an error.
    template <class T, class Into>
    void require(std::string_view name, Converted<T> (*convert)(JsonValue), Into& into) {
        if (error_) return;
        if (const auto value = find(name)) {
            take(name, *value, convert, into);
        } else {
            refuse(name, "missing");
        }
    }
    std::optional<JsonValue> find(std::string_view name) const {
        auto value = object_.member(name);
        if (value && value->is(JsonKind::Null)) value.reset();
        return value;
    }
    void refuse(std::string_view name, std::string_view reason) {
        if (error_) return;
        error_ = Error{.code = Code::InvalidParams,
                       .message = fmt::format("invalid field {}: {}", name, reason)};
    }
    const std::optional<Error>& error() const noexcept { return error_; }

  private:
    template <class T, class Into>
    void take(std::string_view name, JsonValue value, Converted<T> (*convert)(JsonValue),
              Into& into) {
        auto converted = convert(value);
        if (converted) {
            into = *std::move(converted);
        } else {
            refuse(name, converted.error());
        }
    }

    JsonValue object_;
    std::optional<Error> error_;
};

/// The elements of an array, each converted.
template <class T>
Converted<std::vector<T>> to_list(JsonValue value, Converted<T> (*convert)(JsonValue)) {
    if (!value.is(JsonKind::Array)) return core::unexpected(std::string("not an array"));
    std::vector<T> list;
    list.reserve(value.size());
    for (const JsonValue element : value) {
        auto converted = convert(element);
        if (!converted) return core::unexpected(converted.error());
        list.push_back(*std::move(converted));
    }
    return list;
}

}  // namespace keel::rpc
