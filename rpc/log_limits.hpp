#pragma once

#include <cstdint>

namespace keel::rpc {

/// What a query of logs may be at most.
struct LogLimits {
    uint64_t logs_max = 20'000;    // 0: any number
    uint64_t blocks_max = 0;       // of a range; 0: any number
    uint64_t choices_max = 1'000;  // addresses, and topics of a position; 0: any number
};

}  // namespace keel::rpc
