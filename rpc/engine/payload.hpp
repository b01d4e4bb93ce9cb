#pragma once

// Execution payloads: from the parameters of engine_newPayloadVn to a block. Nothing here needs a
// store. Source: execution-apis, engine/paris to engine/prague; RPC.md 6.3, 6.4.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "chain/fork_schedule.hpp"
#include "core/types/block.hpp"
#include "crypto/seal.hpp"
#include "rpc/error.hpp"
#include "rpc/json_in.hpp"

namespace keel::rpc::engine {

inline constexpr unsigned kNewPayloadVersionMax = 4;

/// Parameters of engine_newPayload of any version: what is absent or null there is none here.
struct NewPayload {
    /// The payload's fields; the roots that it does not state are made by to_block().
    core::Header header;
    core::Bytes logs_bloom;  // whatever its length is
    core::Hash32 block_hash;
    std::vector<core::Bytes> txs;
    std::optional<std::vector<core::Withdrawal>> withdrawals;
    std::optional<std::vector<core::Hash32>> blob_hashes;  // those that are expected
    std::optional<std::vector<core::Bytes>> requests;      // type ‖ data
};

/// Types of all values; required ones of every version. The rest is for check_version.
Answer<NewPayload> parse_new_payload(unsigned version, std::optional<JsonValue> params);

/// What the version demands and forbids (-32602), then whether its fork is the payload's (-38005),
/// then the form of the requests (-32602).
Answer<void> check_version(const NewPayload& payload, unsigned version,
                           const chain::ForkSchedule& schedule);

/// The block of a payload, its hash verified. The text says why there is none: a transaction that
/// does not decode, blob hashes, the block's hash. Senders are not recovered.
core::Result<crypto::SealedBlock, std::string> to_block(NewPayload&& payload);

}  // namespace keel::rpc::engine
