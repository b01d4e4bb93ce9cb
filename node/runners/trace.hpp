#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/types/hash.hpp"
#include "evm/tracer.hpp"

namespace keel::node::runners {

/// What a line says beyond pc, op, gas, gasCost, memSize, depth, refund and opName.
struct TraceFields {
    bool memory = false;
    bool stack = true;
    bool return_data = false;
};

/// Writes EIP-3155 lines as geth's `evm statetest --trace` does: one for each instruction before
/// its effect, with its whole price (for a call also the gas that it hands on) and the refund
/// counter behind it. An instruction that fails after its price is paid, and a REVERT, gets a
/// second line, with `error`. A transaction ends with a line of output, gas used by its outermost
/// frame and error. System calls are left out.
class JsonTrace final : public evm::Tracer {
  public:
    using Sink = std::function<void(std::string_view lines)>;
    JsonTrace(Sink sink, TraceFields fields);
    ~JsonTrace() override;

    /// The line behind each state test.
    void state_root(const core::Hash32& root);

    void enter(const evm::Message& message) override;
    void exit(const evm::Message& message, const evm::CallResult& result) override;
    void step(const evm::Step& step) override;
    void charged(int64_t gas_left) override;
    void fault(evm::Status status) override;

  private:
    /// The instruction of the last step: the views of it do not live long enough.
    struct Pending {
        evm::Evm* evm = nullptr;
        uint64_t pc = 0;
        uint8_t op = 0;
        int32_t depth = 0;
        int64_t gas = 0;
        size_t memory_size = 0;
        std::vector<core::U256> stack;
        std::string memory;       // hex digits, if asked for
        std::string return_data;  // the same
    };

    void line(int64_t cost, std::string_view error);
    void second_line(int64_t cost, std::string_view error);
    void flush();

    Sink sink_;
    TraceFields fields_;
    bool system_call_ = false;
    Pending pending_;
    std::string text_;
};

}  // namespace keel::node::runners
