#include "rpc/debug/failed_step.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "evm/opcodes.hpp"
#include "evm/precompiles/table.hpp"
#include "rpc/debug/op_name.hpp"
#include "rpc/error.hpp"

namespace keel::rpc::debug {

using core::Address;
using core::U256;
using evm::Op;
using evm::Status;

namespace {

constexpr const char* kOverflow = "gas uint64 overflow";
constexpr const char* kWrappedOverflow = "out of gas: gas uint64 overflow";
constexpr const char* kSentry = "out of gas: not enough gas for reentrancy sentry";
constexpr const char* kColdUnpaid = "out of gas: out of gas";
constexpr const char* kInitCode = "out of gas: max initcode size exceeded: size ";
constexpr uint64_t kMemoryMax = 0x1f'ffff'ffe0;  // geth's bytes, before a price is asked
constexpr uint64_t kLogGas = 375;

Address address_of(const U256& word) {
    return Address(core::ByteView(word.to_be32()).sub(12));
}

bool is_call(Op op) noexcept {
    return op == Op::CALL || op == Op::CALLCODE || op == Op::DELEGATECALL || op == Op::STATICCALL;
}

/// Instructions whose price depends on their operands or the state.
bool is_dynamic(Op op) noexcept {
    switch (op) {
        case Op::EXP:
        case Op::KECCAK256:
        case Op::BALANCE:
        case Op::CALLDATACOPY:
        case Op::CODECOPY:
        case Op::EXTCODESIZE:
        case Op::EXTCODECOPY:
        case Op::EXTCODEHASH:
        case Op::RETURNDATACOPY:
        case Op::MLOAD:
        case Op::MSTORE:
        case Op::MSTORE8:
        case Op::SLOAD:
        case Op::SSTORE:
        case Op::MCOPY:
        case Op::CREATE:
        case Op::CREATE2:
        case Op::RETURN:
        case Op::REVERT:
        case Op::SELFDESTRUCT:
            return true;
        default:
            return is_call(op) || (op >= Op::LOG0 && op <= Op::LOG4);
    }
}

/// Where the account stands that the instruction is about; none: it is about none.
std::optional<size_t> account_operand(Op op) noexcept {
    if (is_call(op)) return 1;
    const bool is_about_one = op == Op::BALANCE || op == Op::EXTCODESIZE || op == Op::EXTCODECOPY ||
                              op == Op::EXTCODEHASH || op == Op::SELFDESTRUCT;
    return is_about_one ? std::optional<size_t>(0) : std::nullopt;
}

/// Without making it warm.
bool is_cold(evm::Evm& evm, const Address& address) {
    const size_t before = evm.host.snapshot();
    const bool cold = evm.host.access_account(address) == evm::Access::Cold;
    evm.host.revert(before);
    return cold &&
           !(evm.tx.precompiles_are_warm && evm::find_precompile(address, evm.rules) != nullptr);
}

}  // namespace

void FailedStep::take(const evm::Step& step) {
    evm_ = &step.evm;
    op_ = step.op;
    gas_ = static_cast<uint64_t>(step.gas);
    stack_size_ = step.stack.size();
    const auto op = static_cast<Op>(step.op);
    if (!is_dynamic(op)) return;
    const size_t count = std::min(stack_size_, kWordsMax);
    for (size_t i = 0; i < count; ++i) words_[i] = step.stack[stack_size_ - 1 - i];
    memory_size_ = step.memory.size();
    self_ = step.message.recipient;
    cold_ = cold_delegate_ = has_delegate_ = false;
    if (!step.evm.rules.eip_2929) return;
    evm::Host& host = step.evm.host;
    if ((op == Op::SLOAD || op == Op::SSTORE) && count > 0) {
        const size_t before = host.snapshot();
        cold_ = host.access_slot(self_, word(0)) == evm::Access::Cold;
        host.revert(before);
    } else if (const auto at = account_operand(op); at && *at < count) {
        const Address address = address_of(word(*at));
        cold_ = is_cold(step.evm, address);
        if (!step.evm.rules.eip_7702 || !is_call(op)) return;
        if (const auto delegate = evm::delegate_of(host.code(address))) {
            has_delegate_ = true;
            cold_delegate_ = *delegate != address && is_cold(step.evm, *delegate);
        }
    }
}

bool FailedStep::is_found_in_execution(Status status) noexcept {
    return status == Status::BadJump || status == Status::InvalidOpcode ||
           status == Status::StaticViolation || status == Status::ReturnDataOutOfBounds;
}

std::string FailedStep::error(Status status) const {
    const evm::OpInfo& info = evm::op_infos()[op_];
    switch (status) {
        case Status::StackUnderflow:
            return fmt::format("stack underflow ({} <=> {})", stack_size_, info.in);
        case Status::StackOverflow:
            return fmt::format("stack limit reached {} ({})", stack_size_,
                               evm::kStackWords + info.in - info.out);
        case Status::InvalidOpcode:
            return "invalid opcode: " + op_name(op_);
        case Status::InitCodeTooLarge:
            return kInitCode + word(2).to_decimal();
        case Status::OutOfGas:
            if (const char* const reason = price_of(status).reason) return reason;
            break;
        default:
            break;
    }
    return std::string(vm_error_text(status));
}

uint64_t FailedStep::price(Status status) const {
    return price_of(status).gas;
}

FailedStep::Price FailedStep::price_of(Status status) const {
    const uint64_t paid_first = constant();
    const bool is_dear = is_dynamic(static_cast<Op>(op_));
    const bool stack_fails = status == Status::StackUnderflow || status == Status::StackOverflow;
    if (stack_fails || status == Status::InvalidOpcode || status == Status::InitCodeTooLarge ||
        !is_dear || gas_ < paid_first) {
        return {paid_first, nullptr};
    }
    Price price = dynamic();
    price.gas += paid_first;
    return price;
}

/// What geth takes before it looks at operands.
uint64_t FailedStep::constant() const {
    const evm::OpRow& row = evm_->op_table[op_];
    if (row.min_size == evm::kNotAssigned) return 0;
    const auto op = static_cast<Op>(op_);
    const bool is_all_dynamic = op == Op::EXP || op == Op::SLOAD ||
                                (op >= Op::LOG0 && op <= Op::LOG4) ||
                                (op == Op::SELFDESTRUCT && !evm_->rules.eip_2929);
    return is_all_dynamic ? 0 : row.gas;
}

FailedStep::Price FailedStep::dynamic() const {
    const core::ForkRules& rules = evm_->rules;
    const uint64_t row_gas = evm_->op_table[op_].gas;
    const uint64_t cold_account = cold_ ? evm::kColdAccount - evm::kWarm : 0;
    const auto copied = [&](size_t at) {
        const uint64_t bytes = word(at).saturated64();
        return bytes > kMemoryMax ? uint64_t{0} : evm::words_of(bytes);
    };
    const auto op = static_cast<Op>(op_);
    switch (op) {
        case Op::EXP:
            return {row_gas + (word(1).bit_length() + 7) / 8 * (rules.eip_160 ? 50u : 10u)};
        case Op::KECCAK256:
            return with_memory(0, 1, 6 * copied(1));
        case Op::CALLDATACOPY:
        case Op::CODECOPY:
        case Op::RETURNDATACOPY:
            return with_memory(0, 2, 3 * copied(2));
        case Op::EXTCODECOPY:
            return with_memory(1, 3, 3 * copied(3) + cold_account);
        case Op::BALANCE:
        case Op::EXTCODESIZE:
        case Op::EXTCODEHASH:
            return {cold_account};
        case Op::MLOAD:
        case Op::MSTORE:
            return memory_price(word(0), U256(32));
        case Op::MSTORE8:
            return memory_price(word(0), U256(1));
        case Op::MCOPY: {
            Price price = memory_price(std::max(word(0), word(1)), word(2));
            if (price.reason == nullptr) price.gas += 3 * copied(2);
            return price;
        }
        case Op::SLOAD:
            return {cold_ ? static_cast<uint64_t>(evm::kColdSlot) : row_gas};
        case Op::SSTORE:
            return sstore_price();
        case Op::CREATE:
        case Op::CREATE2:
            return create_price();
        case Op::RETURN:
        case Op::REVERT:
            return with_memory(0, 1, 0);
        case Op::SELFDESTRUCT:
            return {selfdestruct_price()};
        default:
            break;
    }
    if (is_call(op)) return call_price();
    const uint64_t topics = op_ - static_cast<uint8_t>(Op::LOG0);
    const uint64_t length = word(1).saturated64();
    return with_memory(0, 1, kLogGas * (1 + topics) + (length > kMemoryMax ? 0 : 8 * length));
}

FailedStep::Price FailedStep::with_memory(size_t offset_at, size_t length_at,
                                          uint64_t other) const {
    Price price = memory_price(word(offset_at), word(length_at));
    if (price.reason == nullptr) price.gas += other;
    return price;
}

FailedStep::Price FailedStep::memory_price(const U256& offset, const U256& length) const {
    if (length.is_zero()) return {};
    if (!offset.fits_uint64() || !length.fits_uint64() ||
        offset.low64() > UINT64_MAX - length.low64() ||
        offset.low64() + length.low64() > UINT64_MAX - 31) {
        return {0, kOverflow};
    }
    const uint64_t end = offset.low64() + length.low64();
    if (end > kMemoryMax) return {0, kWrappedOverflow};
    if (end <= memory_size_) return {};
    const auto price_of_words = [](uint64_t words) { return 3 * words + words * words / 512; };
    return {price_of_words(evm::words_of(end)) - price_of_words(memory_size_ / 32)};
}

FailedStep::Price FailedStep::sstore_price() const {
    const core::ForkRules& rules = evm_->rules;
    if (rules.eip_2200 && gas_ <= evm::kStipend) return {0, kSentry};
    const U256 current = evm_->host.storage(self_, word(0));
    const bool net_metered = rules.eip_1283 || rules.eip_2200;
    const U256 original = net_metered ? evm_->host.original_storage(self_, word(0)) : current;
    const evm::SstorePrice price = evm::sstore_price(rules, original, current, word(1));
    return {static_cast<uint64_t>(price.gas) + (cold_ ? static_cast<uint64_t>(evm::kColdSlot) : 0)};
}

FailedStep::Price FailedStep::create_price() const {
    const uint64_t per_word =
        (static_cast<Op>(op_) == Op::CREATE2 ? 6u : 0u) + (evm_->rules.eip_3860 ? 2u : 0u);
    const uint64_t length = word(2).saturated64();
    return with_memory(1, 2, length > kMemoryMax ? 0 : per_word * evm::words_of(length));
}

uint64_t FailedStep::selfdestruct_price() const {
    const core::ForkRules& rules = evm_->rules;
    evm::Host& host = evm_->host;
    uint64_t gas = rules.eip_2929 ? 0 : evm_->op_table[op_].gas;
    if (cold_) gas += evm::kColdAccount;
    if (!rules.eip_150) return gas;
    const Address to = address_of(word(0));
    const bool creates = rules.eip_158 ? !host.balance(self_).is_zero() && host.is_dead(to)
                                       : !host.account_exists(to);
    return gas + (creates ? evm::kNewAccount : 0);
}

/// What is handed on is paid too. Unsigned on purpose: geth lets the rest of the gas wrap around
/// when it does not suffice, and shows the price that follows.
FailedStep::Price FailedStep::call_price() const {
    const core::ForkRules& rules = evm_->rules;
    const auto op = static_cast<Op>(op_);
    const bool takes_value = op == Op::CALL || op == Op::CALLCODE;
    const size_t ranges = takes_value ? 3 : 2;
    const Price in = memory_price(word(ranges), word(ranges + 1));
    const Price out = memory_price(word(ranges + 2), word(ranges + 3));
    for (const Price& range : {in, out}) {
        if (range.reason == kOverflow) return range;
    }
    uint64_t available = gas_ - constant();
    uint64_t ahead = cold_ ? evm::kColdAccount - evm::kWarm : 0;  // of access
    if (ahead > available) return {0, kColdUnpaid};
    if (has_delegate_) ahead += cold_delegate_ ? evm::kColdAccount : evm::kWarm;
    if (ahead > available) return {0, kColdUnpaid};
    available -= ahead;
    for (const Price& range : {in, out}) {
        if (range.reason != nullptr) return range;
    }
    uint64_t base = std::max(in.gas, out.gas);
    const bool has_value = takes_value && !word(2).is_zero();
    if (has_value) base += evm::kCallValue;
    if (op == Op::CALL) {
        const Address to = address_of(word(1));
        const bool creates =
            rules.eip_158 ? has_value && evm_->host.is_dead(to) : !evm_->host.account_exists(to);
        if (creates) base += evm::kNewAccount;
    }
    uint64_t handed_on = word(0).low64();
    if (rules.eip_150) {
        const uint64_t rest = available - base;
        const uint64_t most = rest - rest / 64;
        if (!word(0).fits_uint64() || most < handed_on) handed_on = most;
    } else if (!word(0).fits_uint64()) {
        return {0, kWrappedOverflow};
    }
    if (handed_on > UINT64_MAX - base - ahead) return {0, kWrappedOverflow};
    return {base + handed_on + ahead};
}

}  // namespace keel::rpc::debug
