#include "rpc/debug/call_tracer.hpp"

#include <algorithm>

#include "core/clock.hpp"
#include "evm/call.hpp"
#include "rpc/error.hpp"

namespace keel::rpc::debug {
namespace {

constexpr uint8_t kLog0 = 0xa0;
constexpr uint8_t kLog4 = 0xa4;
constexpr uint8_t kCreate2 = 0xf5;
constexpr uint8_t kSelfDestruct = 0xff;
constexpr uint64_t kStepsBetweenLooks = 4096;

}  // namespace

void CallTracer::enter(const evm::Message& message) {
    Frame frame;
    frame.from = message.sender;
    frame.to = message.recipient;
    frame.value = message.value;
    frame.gas = message.gas;
    frame.input = message.input.to_bytes();
    switch (message.kind) {
        case evm::CallKind::Call:
            break;
        case evm::CallKind::CallCode:
            frame.type = "CALLCODE";
            frame.to = message.code_address;
            break;
        case evm::CallKind::DelegateCall:
            frame.type = "DELEGATECALL";
            frame.from = message.recipient;
            frame.to = message.code_address;
            break;
        case evm::CallKind::StaticCall:
            frame.type = "STATICCALL";
            frame.value.reset();
            break;
        case evm::CallKind::Create:
            frame.type = message.depth > 0 && op_ == kCreate2 ? "CREATE2" : "CREATE";
            break;
    }
    open_.push_back(std::move(frame));
}

void CallTracer::drop_logs(Frame& frame) {
    frame.logs.clear();
    for (Frame& each : frame.calls) drop_logs(each);
}

void CallTracer::exit(const evm::Message&, const evm::CallResult& result) {
    Frame frame = std::move(open_.back());
    open_.pop_back();
    frame.status = result.status;
    frame.gas_used = frame.gas - result.gas_left;
    if (result.status == evm::Status::Success || result.status == evm::Status::Revert) {
        frame.output = result.output.to_bytes();
    }
    if (frame.is_create() && result.status == evm::Status::Success) {
        frame.output.clear();
    }
    if (result.status != evm::Status::Success) drop_logs(frame);
    if (open_.empty()) {
        root_ = std::move(frame);
    } else if (!config_.only_top_call) {
        open_.back().calls.push_back(std::move(frame));
    }
}

void CallTracer::step(const evm::Step& step) {
    if (++steps_ % kStepsBetweenLooks == 0 && core::monotonic_coarse_ms() >= deadline_ms_) {
        throw TraceStopped{"execution timeout"};
    }
    op_ = step.op;
    destructs_.reset();
    if (step.op != kSelfDestruct || step.stack.empty()) return;
    const auto beneficiary = step.stack.back().to_be32();
    Frame& frame = destructs_.emplace();
    frame.type = "SELFDESTRUCT";
    frame.from = step.message.recipient;
    frame.to = core::Address(core::ByteView(beneficiary).sub(12));
    frame.value = step.evm.host.balance(step.message.recipient);
}

void CallTracer::charged(int64_t) {
    if (destructs_ && !config_.only_top_call) open_.back().calls.push_back(*std::move(destructs_));
    destructs_.reset();
    if (op_ < kLog0 || op_ > kLog4) return;
    const uint64_t index = log_count_++;
    if (config_.with_log && (!config_.only_top_call || open_.size() == 1)) {
        open_.back().logs.push_back({journal_.logs().back(), index, open_.back().calls.size()});
    }
}

void CallTracer::fault(evm::Status) {
    destructs_.reset();
}

void CallTracer::write(JsonOut& out, uint64_t gas_limit, uint64_t gas_used) const {
    write_frame(out, root_, gas_limit, gas_used);
}

void CallTracer::write_frame(JsonOut& out, const Frame& frame, uint64_t gas,
                             uint64_t gas_used) const {
    const bool failed = frame.status != evm::Status::Success;
    out.begin_object();
    out.data("from", frame.from);
    out.quantity("gas", gas);
    out.quantity("gasUsed", gas_used);
    if (!(failed && frame.is_create())) out.data("to", frame.to);
    out.data("input", frame.input);
    if (!frame.output.empty()) out.data("output", frame.output);
    if (failed) {
        out.key("error");
        out.string(vm_error_text(frame.status));
        if (frame.status == evm::Status::Revert) {
            constexpr std::string_view kPlain = "execution reverted: ";
            const std::string message = revert_message(frame.output);
            if (message.starts_with(kPlain)) {
                out.key("revertReason");
                out.string(std::string_view(message).substr(kPlain.size()));
            }
        }
    }
    if (!frame.calls.empty()) {
        out.key("calls");
        out.begin_array();
        for (const Frame& each : frame.calls) {
            write_frame(out, each, static_cast<uint64_t>(each.gas),
                        static_cast<uint64_t>(each.gas_used));
        }
        out.end_array();
    }
    if (!frame.logs.empty()) {
        out.key("logs");
        out.begin_array();
        for (const Log& each : frame.logs) {
            out.begin_object();
            out.data("address", each.log.address);
            out.key("topics");
            out.begin_array();
            for (const core::Hash32& topic : each.log.topics) out.data(topic);
            out.end_array();
            out.data("data", each.log.data);
            out.quantity("index", each.index);
            out.quantity("position", uint64_t{each.position});
            out.end_object();
        }
        out.end_array();
    }
    if (frame.value) out.quantity("value", *frame.value);
    out.key("type");
    out.string(frame.type);
    out.end_object();
}

}  // namespace keel::rpc::debug
