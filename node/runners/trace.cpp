#include "node/runners/trace.hpp"

#include <fmt/format.h>

#include <iterator>
#include <utility>

#include "core/hex.hpp"
#include "evm/call.hpp"
#include "evm/opcodes.hpp"

namespace keel::node::runners {
namespace {

using core::U256;
using evm::Op;
using evm::Status;

constexpr size_t kFlushBytes = size_t{1} << 16;

// EIP-4788, EIP-2935, EIP-7002, EIP-7251.
constexpr std::string_view kSystemCaller = "fffffffffffffffffffffffffffffffffffffffe";

std::string op_name(uint8_t op) {
    if (op == static_cast<uint8_t>(Op::INVALID)) return "INVALID";
    const char* const name = evm::op_infos()[op].name;
    return name != nullptr ? name : fmt::format("opcode {:#x} not defined", op);
}

/// Operands that geth takes off the stack before it finds the reason to fail.
size_t operands_taken(Op op) noexcept {
    switch (op) {
        case Op::JUMP:
            return 1;
        case Op::JUMPI:
        case Op::REVERT:
            return 2;
        case Op::RETURNDATACOPY:
            return 3;
        case Op::CALL:
            return 7;
        default:
            return 0;
    }
}

/// geth's words for the end of a frame. Those of stack and opcode carry numbers: error_of_step.
std::string_view error_of(Status status) noexcept {
    switch (status) {
        case Status::Success:
            return "";
        case Status::Revert:
            return "execution reverted";
        case Status::OutOfGas:
        case Status::PrecompileFailure:
            return "out of gas";
        case Status::InvalidOpcode:
            return "invalid opcode";
        case Status::StackUnderflow:
            return "stack underflow";
        case Status::StackOverflow:
            return "stack limit reached";
        case Status::BadJump:
            return "invalid jump destination";
        case Status::StaticViolation:
            return "write protection";
        case Status::ReturnDataOutOfBounds:
            return "return data out of bounds";
        case Status::InitCodeTooLarge:
            return "max initcode size exceeded";
        case Status::InvalidCode:
            return "invalid code: must not begin with 0xef";
        case Status::CodeTooLarge:
            return "max code size exceeded";
        case Status::CodeUnpaid:
            return "contract creation code storage out of gas";
        case Status::CreateCollision:
            return "contract address collision";
        case Status::DepthExceeded:
            return "max call depth exceeded";
        case Status::InsufficientBalance:
            return "insufficient balance for transfer";
        case Status::NonceOverflow:
            return "nonce uint64 overflow";
    }
    return "";
}

std::string error_of_step(Status status, uint8_t op, size_t stack_size) {
    const evm::OpInfo& info = evm::op_infos()[op];
    switch (status) {
        case Status::StackUnderflow:
            return fmt::format("stack underflow ({} <=> {})", stack_size, info.in);
        case Status::StackOverflow:
            return fmt::format("stack limit reached {} ({})", stack_size,
                               evm::kStackWords + info.in - info.out);
        case Status::InvalidOpcode:
            return fmt::format("invalid opcode: {}", op_name(op));
        default:
            return std::string(error_of(status));
    }
}

/// Whether geth finds the failure while it executes the instruction: its price is paid by then.
bool fails_in_execution(Status status) noexcept {
    return status == Status::BadJump || status == Status::StaticViolation ||
           status == Status::ReturnDataOutOfBounds || status == Status::InvalidOpcode;
}

}  // namespace

JsonTrace::JsonTrace(Sink sink, TraceFields fields) : sink_(std::move(sink)), fields_(fields) {}

JsonTrace::~JsonTrace() {
    flush();
}

void JsonTrace::flush() {
    if (!text_.empty()) sink_(text_);
    text_.clear();
}

void JsonTrace::state_root(const core::Hash32& root) {
    fmt::format_to(std::back_inserter(text_), "{{\"stateRoot\": \"{}\"}}\n",
                   core::to_hex_prefixed(root));
    flush();
}

void JsonTrace::enter(const evm::Message& message) {
    if (message.depth == 0) system_call_ = core::to_hex(message.sender) == kSystemCaller;
}

void JsonTrace::exit(const evm::Message& message, const evm::CallResult& result) {
    if (message.depth != 0 || system_call_) return;
    fmt::format_to(std::back_inserter(text_), "{{\"output\":\"{}\",\"gasUsed\":\"{:#x}\"",
                   core::to_hex(result.output), message.gas - result.gas_left);
    if (result.status != Status::Success) {
        // The last instruction of the frame is the one that failed, if any was executed.
        const bool stepped = pending_.evm != nullptr && pending_.depth == 1;
        const std::string error =
            stepped ? error_of_step(result.status, pending_.op, pending_.stack.size())
                    : std::string(error_of(result.status));
        fmt::format_to(std::back_inserter(text_), ",\"error\":\"{}\"", error);
    }
    text_ += "}\n";
    pending_.evm = nullptr;
    flush();
}

void JsonTrace::step(const evm::Step& step) {
    if (system_call_) return;
    pending_.evm = &step.evm;
    pending_.pc = step.pc;
    pending_.op = step.op;
    pending_.depth = step.message.depth + 1;
    pending_.gas = step.gas;
    pending_.memory_size = step.memory.size();
    pending_.stack.assign(step.stack.begin(), step.stack.end());
    if (fields_.memory) pending_.memory = core::to_hex(step.memory);
    if (fields_.return_data) pending_.return_data = core::to_hex(step.return_data);
}

void JsonTrace::charged(int64_t gas_left) {
    if (system_call_) return;
    const int64_t cost = pending_.gas - gas_left;
    line(cost, "");
    if (pending_.op == static_cast<uint8_t>(Op::REVERT)) {
        second_line(cost, error_of(Status::Revert));
    }
}

void JsonTrace::fault(Status status) {
    if (system_call_) return;
    const evm::OpRow& row = pending_.evm->op_table[pending_.op];
    const int64_t cost = row.min_size == evm::kNotAssigned ? 0 : row.gas;
    const std::string error = error_of_step(status, pending_.op, pending_.stack.size());
    if (fails_in_execution(status)) {
        line(cost, "");
        second_line(cost, error);
    } else {
        line(cost, error);
    }
}

void JsonTrace::line(int64_t cost, std::string_view error) {
    const auto out = std::back_inserter(text_);
    fmt::format_to(out, "{{\"pc\":{},\"op\":{},\"gas\":\"{:#x}\",\"gasCost\":\"{:#x}\"",
                   pending_.pc, pending_.op, pending_.gas, cost);
    if (!pending_.memory.empty()) fmt::format_to(out, ",\"memory\":\"0x{}\"", pending_.memory);
    fmt::format_to(out, ",\"memSize\":{},\"stack\":", pending_.memory_size);
    if (fields_.stack) {
        text_ += '[';
        for (size_t i = 0; i < pending_.stack.size(); ++i) {
            if (i != 0) text_ += ',';
            text_ += '"';
            text_ += pending_.stack[i].to_quantity();
            text_ += '"';
        }
        text_ += ']';
    } else {
        text_ += "null";
    }
    if (!pending_.return_data.empty()) {
        fmt::format_to(out, ",\"returnData\":\"0x{}\"", pending_.return_data);
    }
    fmt::format_to(out, ",\"depth\":{},\"refund\":{},\"opName\":\"{}\"", pending_.depth,
                   pending_.evm->host.refund(), op_name(pending_.op));
    if (!error.empty()) fmt::format_to(out, ",\"error\":\"{}\"", error);
    text_ += "}\n";
    if (text_.size() >= kFlushBytes) flush();
}

/// The machine as the instruction left it when it failed: operands taken, memory grown.
void JsonTrace::second_line(int64_t cost, std::string_view error) {
    const Op op = static_cast<Op>(pending_.op);
    const std::vector<U256>& stack = pending_.stack;
    if (op == Op::REVERT) {
        const U256& offset = stack[stack.size() - 1];
        const U256& length = stack[stack.size() - 2];
        if (!length.is_zero()) {
            const uint64_t end = evm::words_of(offset.low64() + length.low64()) * 32;
            if (end > pending_.memory_size) {
                if (fields_.memory) pending_.memory.resize(end * 2, '0');
                pending_.memory_size = end;
            }
        }
    }
    pending_.stack.resize(stack.size() - std::min(stack.size(), operands_taken(op)));
    pending_.return_data.clear();
    line(cost, error);
}

}  // namespace keel::node::runners
