#pragma once

// The logs of a call with, if asked for, one for each move of ether, in the order in which they
// happen. Source: execution-apis, eth_simulateV1, traceTransfers.

#include <cstdint>
#include <optional>
#include <vector>

#include "core/types/receipt.hpp"
#include "evm/tracer.hpp"
#include "state/journal.hpp"

namespace keel::rpc::eth {

/// Counts through the transactions of one block; indices of logs that are reverted are not given
/// again.
class TransferTracer final : public evm::Tracer {
  public:
    struct TracedLog {
        core::Log log;
        uint64_t index;  // in the block
    };

    /// lifetime: the journal.
    TransferTracer(const state::Journal& journal, bool traces_transfers)
        : journal_(journal), traces_transfers_(traces_transfers) {}

    /// Logs of the transaction that has ended.
    std::vector<TracedLog> take_logs() { return std::exchange(logs_, {}); }

    void enter(const evm::Message& message) override;
    void exit(const evm::Message& message, const evm::CallResult& result) override;
    void step(const evm::Step& step) override;
    void charged(int64_t gas_left) override;
    void fault(evm::Status status) override;

  private:
    struct Move {
        core::Address from;
        core::Address to;
        core::U256 value;
    };
    void add(core::Log log) { logs_.push_back({std::move(log), count_++}); }
    void add_transfer(const Move& move);

    const state::Journal& journal_;
    const bool traces_transfers_;
    std::vector<TracedLog> logs_;
    std::vector<size_t> frames_;  // how many logs there were when each began
    uint64_t count_ = 0;
    bool logs_now_ = false;      // the instruction of the last step is one
    std::optional<Move> moves_;  // it is a SELFDESTRUCT that moves something
};

}  // namespace keel::rpc::eth
