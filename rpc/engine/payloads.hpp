#pragma once

// Payloads that are being built, by their id. Source: execution-apis, engine/paris, payload
// building; RPC.md 6.5.

#include <array>
#include <deque>
#include <memory>
#include <mutex>

#include "rpc/engine/builder.hpp"

namespace keel::rpc::engine {

/// First byte: version of the attributes; the rest is a digest of parent and attributes, so that
/// the same wish has the same id.
using PayloadId = std::array<uint8_t, 8>;
PayloadId payload_id_of(unsigned version, const core::Hash32& parent,
                        const PayloadAttributes& attributes);

/// One of them. Built without transactions at once; the first who fetches it fills it from the pool
/// and freezes it.
struct BuildProcess {
    PayloadId id{};
    chain::BlockId parent;
    BuildTask task;
    std::mutex mutex;  // guards the two below; held while the block is filled
    BuiltBlock built;
    bool frozen = false;
};

/// The last ones. Any thread.
class Payloads {
  public:
    static constexpr size_t kKept = 10;

    /// Null: there is none.
    std::shared_ptr<BuildProcess> find(const PayloadId& id);
    void add(std::shared_ptr<BuildProcess> process);

  private:
    std::mutex mutex_;  // guards the list
    std::deque<std::shared_ptr<BuildProcess>> processes_;
};

}  // namespace keel::rpc::engine
