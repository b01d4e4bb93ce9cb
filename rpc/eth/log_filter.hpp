#pragma once

// Which logs are asked for, and finding them. Source: execution-apis, eth_getLogs; RPC.md 3.1.

#include <cstdint>
#include <optional>
#include <vector>

#include "chain/block_view.hpp"
#include "rpc/args.hpp"
#include "rpc/json_in.hpp"
#include "rpc/json_out.hpp"
#include "rpc/log_limits.hpp"
#include "rpc/patience.hpp"
#include "rpc/snapshot.hpp"

namespace keel::rpc::eth {

struct LogFilter {
    std::optional<core::Hash32> block_hash;  // then no range
    std::optional<BlockSelector> from, to;   // none: latest
    std::vector<core::Address> addresses;    // empty: any
    /// By position; an empty one is any. A log with fewer topics than positions never matches.
    std::vector<std::vector<core::Hash32>> topics;

    bool matches(const chain::LogView& log) const;
};
Answer<LogFilter> parse_log_filter(JsonValue object, const LogLimits& limits);

/// Numbers of the canonical blocks of a filter's range, both included.
struct BlockRange {
    uint64_t first = 0;
    uint64_t last = 0;
};
Answer<BlockRange> resolve_range(Snapshot& snapshot, const LogFilter& filter,
                                 const LogLimits& limits);

/// Writes the logs of one block that match; their number.
uint64_t write_block_logs(JsonOut& out, const Snapshot& snapshot, const chain::BlockId& id,
                          const LogFilter& filter, bool removed = false);

/// All logs of a filter as an array. `use_index` false: the blooms decide about every block.
Answer<void> write_logs_of(JsonOut& out, Snapshot& snapshot, const LogFilter& filter,
                           const LogLimits& limits, Patience patience = {}, bool use_index = true);

}  // namespace keel::rpc::eth
