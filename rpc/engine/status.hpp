#pragma once

// What the Engine API says of blocks. Source: execution-apis, engine/paris.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/types/hash.hpp"

namespace keel::rpc::engine {

enum class Status : uint8_t { Valid, Invalid, Syncing, Accepted };
std::string_view to_string(Status status) noexcept;

/// PayloadStatusV1.
struct PayloadStatus {
    Status status = Status::Syncing;
    std::optional<core::Hash32> latest_valid_hash = {};  // zero: the last valid block is of work
    std::optional<std::string> validation_error = {};

    bool is_valid() const noexcept { return status == Status::Valid; }
};

/// ForkchoiceStateV1; zero: the caller has none.
struct ForkchoiceState {
    core::Hash32 head;
    core::Hash32 safe;
    core::Hash32 finalized;
};

}  // namespace keel::rpc::engine
