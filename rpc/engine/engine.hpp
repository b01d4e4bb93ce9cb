#pragma once

// The consensus client's side of the chain: payloads in, fork choice moved. Knows no transport; the
// server and the runner of engine tests drive the same object.
//
// I1  Calls take effect one after the other, in the order in which they come.
// I2  newPayload never moves the head. forkchoiceUpdated moves head, safe and finalized in one
//     commit, before it answers; whoever got the answer reads the new head.
// I3  A block that was VALID stays so, and one that was INVALID for what its hash commits to never
//     becomes VALID; both over restarts.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "chain/block_store.hpp"
#include "db/database.hpp"
#include "evm/tracer.hpp"
#include "rpc/engine/payload.hpp"
#include "rpc/engine/status.hpp"
#include "rpc/error.hpp"
#include "rpc/json_in.hpp"

namespace keel::rpc::engine {

struct ForkchoiceUpdated {
    PayloadStatus status;
    /// The head that the call has set or confirmed, on which a block may be built. None: the head
    /// is not valid, or the call was passed over.
    std::optional<chain::BlockId> head = {};
};

/// A part of the work on a block, and how long it took.
struct BlockWork {
    enum class Part : uint8_t {
        Decode,   // payload to block, its hash compared
        Execute,  // header, senders, execution, roots compared
        Commit,   // whatever the call has changed
        Payload,  // newPayload from its begin to its end
        Forkchoice,
    };
    Part part = Part::Payload;
    uint64_t ns = 0;
    // Of Execute; a refused block has none.
    uint64_t gas = 0;
    uint64_t txs = 0;
};

/// Any thread; one call at a time is at work, others wait.
class Engine {
  public:
    struct Options {
        /// Version and commit of the program, for marks of bad blocks (chain/chain.hpp).
        std::string producer = {};
        uint64_t reorg_depth_max = 0;  // blocks taken back by one call; 0: any number
        /// Watches the execution of payloads; may be null. lifetime: outlives the engine.
        evm::Tracer* tracer = nullptr;
        /// Told of heads and of refused blocks; the thread of the call. May be empty.
        std::function<void(std::string_view)> on_note = {};
        /// Called behind the commit that has moved the head, before the answer; the next call waits
        /// for it. May be empty.
        std::function<void()> on_head = {};
        /// Told of each part as it ends; the thread of the call. May be empty.
        std::function<void(const BlockWork&)> on_work = {};
    };
    /// Throws Fault::Usage when there is no genesis.
    Engine(const db::Database& database, Options options);
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;
    ~Engine();

    const chain::ForkSchedule& schedule() const noexcept;

    /// engine_newPayloadV<version>; `params` is the list of its parameters.
    Answer<PayloadStatus> new_payload(unsigned version, std::optional<JsonValue> params);
    /// The same behind parse_new_payload and check_version.
    PayloadStatus new_payload(NewPayload&& payload);

    /// engine_forkchoiceUpdatedVn without its attributes, which depend on the version.
    Answer<ForkchoiceUpdated> forkchoice_updated(const ForkchoiceState& state);

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace keel::rpc::engine
