#pragma once

#include <algorithm>

#include "evm/ops_state.hpp"

namespace keel::evm {

/// All but one 64th from EIP-150 on.
inline int64_t most_to_forward(const core::ForkRules& rules, int64_t gas) noexcept {
    return rules.eip_150 ? gas - gas / 64 : gas;
}

/// The account that runs, its delegate and what a new account costs. Operands as for CALL.
inline bool charge_call(Frame& frame, CallKind kind, const core::Address& target, bool has_value) {
    const core::ForkRules& rules = frame.evm.rules;
    Host& host = frame.evm.host;
    if (has_value && !frame.charge(kCallValue)) return false;
    if (kind == CallKind::Call) {
        const bool creates =
            rules.eip_158 ? has_value && host.is_dead(target) : !host.account_exists(target);
        if (creates && !frame.charge(kNewAccount)) return false;
    }
    if (rules.eip_7702) {
        if (const auto delegate = delegate_of(host.code(target))) {
            const bool cold = access_account(frame.evm, *delegate) == Access::Cold;
            if (!frame.charge(cold ? kColdAccount : kWarm)) return false;
        }
    }
    return true;
}

template <CallKind kKind, bool kTraced>
[[gnu::noinline]] Status op_call(Frame& frame, core::U256* top) {
    constexpr bool kTakesValue = kKind == CallKind::Call || kKind == CallKind::CallCode;
    const core::ForkRules& rules = frame.evm.rules;
    const core::U256* ranges = kTakesValue ? top - 3 : top - 2;  // in, in length, out, out length
    const Message& parent = frame.message;
    Message child;
    child.kind = kKind;
    child.code_address = to_address(top[-2]);
    if (kTakesValue) child.value = top[-3];
    const bool has_value = kTakesValue && !child.value.is_zero();
    frame.return_data = {};
    if (kKind == CallKind::Call && has_value && parent.is_static) return Status::StaticViolation;
    if (!charge_account(frame, child.code_address)) return Status::OutOfGas;

    uint64_t in_end = 0;
    uint64_t out_end = 0;
    if (!ranges[-2].is_zero() && !Memory::end_of(ranges[-1], ranges[-2], in_end)) {
        return Status::OutOfGas;
    }
    if (!ranges[-4].is_zero() && !Memory::end_of(ranges[-3], ranges[-4], out_end)) {
        return Status::OutOfGas;
    }
    if (!frame.memory.expand(std::max(in_end, out_end), frame.gas)) return Status::OutOfGas;
    if (!charge_call(frame, kKind, child.code_address, has_value)) return Status::OutOfGas;

    const uint64_t requested = top[-1].saturated64();
    if (rules.eip_150) {
        const auto most = static_cast<uint64_t>(most_to_forward(rules, frame.gas));
        child.gas = static_cast<int64_t>(std::min(requested, most));
    } else {
        if (requested > static_cast<uint64_t>(frame.gas)) return Status::OutOfGas;
        child.gas = static_cast<int64_t>(requested);
    }
    frame.gas -= child.gas;
    if constexpr (kTraced) frame.evm.tracer->charged(frame.gas);
    if (has_value) child.gas += kStipend;

    child.depth = parent.depth + 1;
    child.is_static = parent.is_static || kKind == CallKind::StaticCall;
    const bool keeps_self = kKind == CallKind::CallCode || kKind == CallKind::DelegateCall;
    child.recipient = keeps_self ? parent.recipient : child.code_address;
    child.sender = kKind == CallKind::DelegateCall ? parent.sender : parent.recipient;
    if (kKind == CallKind::DelegateCall) child.value = parent.value;
    child.input = frame.memory.view(in_end == 0 ? 0 : ranges[-1].low64(), ranges[-2].low64());

    const CallResult result = frame.evm.run_message(child, top);
    frame.gas += result.gas_left;
    frame.return_data = result.output;
    const uint64_t copied = std::min<uint64_t>(result.output.size(), ranges[-4].low64());
    if (copied != 0) {
        std::memcpy(frame.memory.at(ranges[-3].low64()), result.output.data(), copied);
    }
    const core::U256 pushed = result.status == Status::Success ? 1 : 0;
    top[kTakesValue ? -7 : -6] = pushed;
    return Status::Success;
}

/// What keeps a create from being tried at all; Success: nothing.
inline Status obstacle_to_create(Evm& evm, const Message& child, uint64_t nonce) {
    if (child.depth > kMaxDepth) return Status::DepthExceeded;
    if (evm.host.balance(child.sender) < child.value) return Status::InsufficientBalance;
    return nonce == UINT64_MAX ? Status::NonceOverflow : Status::Success;
}

template <bool kSalted>
core::Address created_address(const Message& child, uint64_t nonce, const core::U256* top) {
    return kSalted ? create2_address(child.sender, top[-4], child.input)
                   : create_address(child.sender, nonce);
}

/// CREATE and CREATE2.
template <bool kSalted, bool kTraced>
[[gnu::noinline]] Status op_create(Frame& frame, core::U256* top) {
    const core::ForkRules& rules = frame.evm.rules;
    Host& host = frame.evm.host;
    const Message& parent = frame.message;
    if (parent.is_static) return Status::StaticViolation;
    frame.return_data = {};
    if (!frame.memory.expand(top[-2], top[-3], frame.gas)) return Status::OutOfGas;
    const uint64_t length = top[-3].low64();
    if (rules.eip_3860 && length > kMaxInitCode) return Status::InitCodeTooLarge;
    const int64_t per_word = (kSalted ? 6 : 0) + (rules.eip_3860 ? 2 : 0);
    if (!frame.charge_words(per_word, length)) return Status::OutOfGas;
    if constexpr (kTraced) frame.evm.tracer->charged(frame.gas);

    core::U256& pushed = top[kSalted ? -4 : -3];
    Message child;
    child.kind = CallKind::Create;
    child.depth = parent.depth + 1;
    child.sender = parent.recipient;
    child.value = top[-1];
    child.input = frame.memory.view(length == 0 ? 0 : top[-2].low64(), length);
    const uint64_t nonce = host.nonce(child.sender);
    child.gas = most_to_forward(rules, frame.gas);
    const Status obstacle = obstacle_to_create(frame.evm, child, nonce);
    if (obstacle != Status::Success) {
        if constexpr (kTraced) {
            child.recipient = created_address<kSalted>(child, nonce, top);
            frame.evm.tracer->enter(child);
            frame.evm.tracer->exit(child, {obstacle, child.gas, {}});
        }
        pushed = 0;
        return Status::Success;
    }
    frame.gas -= child.gas;
    host.increment_nonce(child.sender);
    child.recipient = created_address<kSalted>(child, nonce, top);

    const CallResult result = frame.evm.run_message(child, top);
    frame.gas += result.gas_left;
    if (result.status == Status::Revert) frame.return_data = result.output;
    pushed = result.status == Status::Success ? to_word(child.recipient) : core::U256{};
    return Status::Success;
}

}  // namespace keel::evm
