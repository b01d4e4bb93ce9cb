#include "rpc/debug/struct_logger.hpp"

#include "core/clock.hpp"
#include "core/hex.hpp"
#include "evm/call.hpp"
#include "rpc/debug/op_name.hpp"

namespace keel::rpc::debug {
namespace {

constexpr uint8_t kSload = 0x54;
constexpr uint8_t kSstore = 0x55;
constexpr size_t kWordBytes = 32;
constexpr uint64_t kStepsBetweenLooks = 4096;

}  // namespace

void StructLogger::check_limits() {
    if (++steps_ % kStepsBetweenLooks != 0) return;
    if (core::monotonic_coarse_ms() >= deadline_ms_) throw TraceStopped{kTimeOver};
    if (out_.size() > bytes_max_) throw TraceStopped{"trace too large; set limit"};
}

void StructLogger::take_storage(const evm::Step& step) {
    pending_.storage = nullptr;
    if (!config_.storage || (step.op != kSload && step.op != kSstore)) return;
    const size_t operands = step.op == kSload ? 1 : 2;
    if (step.stack.size() < operands) return;
    const core::U256& slot = step.stack.back();
    auto& slots = storage_[step.message.recipient];
    slots[slot] = step.op == kSload ? step.evm.host.storage(step.message.recipient, slot)
                                    : step.stack[step.stack.size() - 2];
    pending_.storage = &slots;
}

void StructLogger::step(const evm::Step& step) {
    check_limits();
    last_step_.take(step);
    pending_.pc = step.pc;
    pending_.op = step.op;
    pending_.depth = step.message.depth + 1;
    pending_.gas = step.gas;
    pending_.refund = step.evm.host.refund();
    if (config_.stack) pending_.stack.assign(step.stack.begin(), step.stack.end());
    if (config_.memory) pending_.memory.assign(step.memory.begin(), step.memory.end());
    if (config_.return_data) {
        pending_.return_data.assign(step.return_data.begin(), step.return_data.end());
    }
    take_storage(step);
}

void StructLogger::charged(int64_t gas_left) {
    write(static_cast<uint64_t>(pending_.gas - gas_left), nullptr);
}

void StructLogger::fault(evm::Status status) {
    const uint64_t cost = last_step_.price(status);
    if (FailedStep::is_found_in_execution(status)) {
        write(cost, nullptr);
    } else {
        write(cost, last_step_.error(status).c_str());
    }
}

void StructLogger::write(uint64_t cost, const char* error) {
    if (config_.limit > 0 && entries_ >= config_.limit) return;
    ++entries_;
    out_.begin_object();
    out_.key("pc");
    out_.number(pending_.pc);
    out_.key("op");
    out_.string(op_name(pending_.op));
    out_.key("gas");
    out_.number(pending_.gas);
    out_.key("gasCost");
    out_.number(cost);
    out_.key("depth");
    out_.number(int64_t{pending_.depth});
    if (error != nullptr) {
        out_.key("error");
        out_.string(error);
    }
    if (config_.stack) {
        out_.key("stack");
        out_.begin_array();
        for (const core::U256& word : pending_.stack) out_.quantity(word);
        out_.end_array();
    }
    if (config_.return_data && !pending_.return_data.empty()) {
        out_.data("returnData", pending_.return_data);
    }
    if (config_.memory && !pending_.memory.empty()) {
        out_.key("memory");
        out_.begin_array();
        for (size_t at = 0; at < pending_.memory.size(); at += kWordBytes) {
            out_.data(core::ByteView(pending_.memory).sub(at, kWordBytes));
        }
        out_.end_array();
    }
    if (pending_.storage != nullptr) {
        out_.key("storage");
        out_.begin_object();
        for (const auto& [slot, value] : *pending_.storage) {
            out_.key(core::to_hex_prefixed(slot.to_be32()));
            out_.data(value.to_be32());
        }
        out_.end_object();
    }
    if (pending_.refund != 0) {
        out_.key("refund");
        out_.number(pending_.refund);
    }
    out_.end_object();
    if (stream_ != nullptr && out_.size() >= Stream::kPartBytes && !stream_->send(out_)) {
        throw TraceStopped{"the client does not take the trace"};
    }
}

}  // namespace keel::rpc::debug
