#include "rpc/debug/tracers/call_tree.hpp"

#include <utility>

#include "evm/call.hpp"
#include "evm/opcodes.hpp"
#include "evm/precompiles/table.hpp"
#include "rpc/error.hpp"

namespace keel::rpc::debug {

using evm::Op;
using evm::Status;
using Type = TracedCall::Type;

namespace {

/// Why a precompile refuses its input, in geth's words where they are known.
std::string_view precompile_error(const core::Address& address, core::ByteView input) {
    constexpr uint8_t kPairing = 0x08;
    constexpr uint8_t kBlake2f = 0x09;
    constexpr uint8_t kPointEvaluation = 0x0a;
    constexpr size_t kPairBytes = 192;
    constexpr size_t kBlake2fBytes = 213;
    constexpr size_t kPointEvaluationBytes = 192;
    switch (address.bytes.back()) {
        case kPairing:
            if (input.size() % kPairBytes != 0) return "bad elliptic curve pairing size";
            break;
        case kBlake2f:
            return input.size() == kBlake2fBytes ? "invalid final flag" : "invalid input length";
        case kPointEvaluation:
            if (input.size() != kPointEvaluationBytes) return "invalid input length";
            break;
        default:
            break;
    }
    return vm_error_text(Status::PrecompileFailure);
}

void drop_logs_of_failed(TracedCall& call, bool parent_failed) {
    const bool failed = parent_failed || call.failed();
    if (failed) call.logs.clear();
    for (TracedCall& each : call.calls) drop_logs_of_failed(each, failed);
}

}  // namespace

CallTree::CallTree(const TracedTx& traced, const CallTreeOptions& options)
    : NamedTracer(traced), options_(options) {}

void CallTree::enter(const evm::Message& message) {
    depth_ = message.depth;
    fault_.clear();
    if (options_.only_top_call && message.depth > 0) return;
    TracedCall call;
    call.from = message.sender;
    call.to = message.recipient;
    call.value = message.value;
    call.gas = static_cast<uint64_t>(message.gas);
    call.input = message.input.to_bytes();
    switch (message.kind) {
        case evm::CallKind::Call:
            break;
        case evm::CallKind::CallCode:
            call.type = Type::CallCode;
            call.to = message.code_address;
            break;
        case evm::CallKind::DelegateCall:
            call.type = Type::DelegateCall;
            call.from = message.recipient;
            call.to = message.code_address;
            break;
        case evm::CallKind::StaticCall:
            call.type = Type::StaticCall;
            break;
        case evm::CallKind::Create: {
            const bool salted =
                message.depth > 0 && static_cast<Op>(last_step_.op()) == Op::CREATE2;
            call.type = salted ? Type::Create2 : Type::Create;
            break;
        }
    }
    open_.push_back(std::move(call));
}

bool CallTree::leaves_out(const TracedCall& call) const {
    return !options_.with_precompiles &&
           (call.type == Type::Call || call.type == Type::StaticCall) &&
           evm::find_precompile(call.to, traced().rules()) != nullptr;
}

void CallTree::exit(const evm::Message& message, const evm::CallResult& result) {
    depth_ = message.depth - 1;
    if (options_.only_top_call && message.depth > 0) return;
    TracedCall call = std::move(open_.back());
    open_.pop_back();
    call.status = result.status;
    call.gas_used = call.gas - static_cast<uint64_t>(result.gas_left);
    if (result.status == Status::Success || result.status == Status::Revert) {
        call.output = result.output.to_bytes();
    }
    if (result.status == Status::PrecompileFailure) {
        call.error = precompile_error(message.code_address, message.input);
    } else if (result.status != Status::Success) {
        call.error = fault_.empty() ? vm_error_text(result.status) : std::exchange(fault_, {});
    }
    fault_.clear();
    if (open_.empty()) {
        root_ = std::move(call);
    } else if (!leaves_out(call)) {
        open_.back().calls.push_back(std::move(call));
    }
}

void CallTree::step(const evm::Step& step) {
    tick();
    last_step_.take(step);
    depth_ = step.message.depth;
    destructs_.reset();
    if (static_cast<Op>(step.op) != Op::SELFDESTRUCT || step.stack.empty()) return;
    const auto beneficiary = step.stack.back().to_be32();
    TracedCall& call = destructs_.emplace();
    call.type = Type::SelfDestruct;
    call.from = step.message.recipient;
    call.to = core::Address(core::ByteView(beneficiary).sub(12));
    call.value = step.evm.host.balance(step.message.recipient);
}

void CallTree::charged(int64_t) {
    if (destructs_ && !options_.only_top_call) open_.back().calls.push_back(*std::move(destructs_));
    destructs_.reset();
    const auto op = static_cast<Op>(last_step_.op());
    if (!options_.with_log || op < Op::LOG0 || op > Op::LOG4) return;
    if (options_.only_top_call && depth_ > 0) return;
    const std::vector<core::Log>& logs = traced().journal.logs();
    open_.back().logs.push_back(
        {logs.back(), traced().logs_before + logs.size() - 1, open_.back().calls.size()});
}

void CallTree::fault(Status status) {
    destructs_.reset();
    fault_ = last_step_.error(status);
}

const TracedCall& CallTree::finish(const chain::TxOutcome& outcome) {
    root_.gas = traced().tx.gas;
    root_.gas_used = outcome.gas_used;
    drop_logs_of_failed(root_, false);
    return root_;
}

}  // namespace keel::rpc::debug
