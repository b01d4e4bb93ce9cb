#pragma once

// A block made of transactions: of those given, or of what the pool has. Source: execution-apis,
// engine/paris, payload building, and testing_buildBlockV1; RPC.md 5.2, 6.5.

#include <optional>
#include <vector>

#include "chain/execute_tx.hpp"
#include "core/types/block.hpp"
#include "core/types/request.hpp"
#include "rpc/dispatch.hpp"
#include "rpc/engine/attributes.hpp"
#include "rpc/engine/payload.hpp"
#include "rpc/pool/pool.hpp"

namespace keel::rpc::engine {

struct BuildTask {
    PayloadAttributes attributes;
    core::Bytes extra_data;
    uint64_t gas_limit_target = 60'000'000;
    // What the parent does not lead to (solo mode); none: as the rules have it.
    std::optional<uint64_t> gas_limit;
    std::optional<core::U256> base_fee;
    /// Network or plain forms that must all go in, in this order; none: the pool's best.
    std::optional<std::vector<core::Bytes>> txs;
};

/// A block that is right, and what goes with it. Its transactions view `kept`.
struct BuiltBlock {
    core::Block block;
    core::Hash32 hash;
    core::U256 value;  // wei that its transactions pay to the fee recipient
    core::Requests requests;
    std::vector<pool::TxHandle> kept;
};

/// Where a block is built: on the head as `txn` sees it.
/// lifetime: all of it, until the block is built.
struct BuildSite {
    const db::ReadTxn& txn;
    const state::Tables& tables;
    const chain::ForkSchedule& schedule;
    Worker& worker;
    pool::Pool* pool;  // null: nothing waits
};
Answer<BuiltBlock> build_block(const BuildSite& site, const BuildTask& task);

/// On the head of the call's snapshot, whose state is read.
Answer<BuiltBlock> build_block(Call& call, const BuildTask& task);

/// The block as a consensus client would hand it back.
NewPayload payload_of(const BuiltBlock& built);

/// The result of engine_getPayloadV<version>: the payload, and what that version says besides.
void write_built(JsonOut& out, const BuiltBlock& built, unsigned version);

}  // namespace keel::rpc::engine
