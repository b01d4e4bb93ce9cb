#pragma once

#include <cstdint>
#include <vector>

#include "core/bytes.hpp"

namespace keel::core {

/// What the execution layer asks of the beacon chain (EIP-7685); the value is the type byte.
enum class RequestType : uint8_t {
    Deposit = 0,        // EIP-6110, records of 192 bytes
    Withdrawal = 1,     // EIP-7002, records of 76 bytes
    Consolidation = 2,  // EIP-7251, records of 116 bytes
};

/// All records of one type, joined. The requests of a block are in ascending order of type, and
/// none has empty data.
struct Request {
    RequestType type = RequestType::Deposit;
    Bytes data;

    friend bool operator==(const Request&, const Request&) = default;
};
using Requests = std::vector<Request>;

}  // namespace keel::core
