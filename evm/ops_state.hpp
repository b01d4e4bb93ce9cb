#pragma once

#include <array>

#include "evm/frame.hpp"
#include "evm/ops_memory.hpp"

namespace keel::evm {

/// Makes the account warm and says what it was before (EIP-2929). Precompiles are warm by their
/// address and never have to be put among the warm accounts.
inline Access access_account(Evm& evm, const core::Address& address) {
    if (evm.host.access_account(address) == Access::Warm) return Access::Warm;
    const bool is_warm_precompile =
        evm.tx.precompiles_are_warm && find_precompile(address, evm.rules) != nullptr;
    return is_warm_precompile ? Access::Warm : Access::Cold;
}

/// Makes the account warm; the warm price is in the static one.
inline bool charge_account(Frame& frame, const core::Address& address) {
    if (!frame.evm.rules.eip_2929) return true;
    if (access_account(frame.evm, address) == Access::Warm) return true;
    return frame.charge(kColdAccount - kWarm);
}

[[gnu::noinline]] inline Status op_balance(Frame& frame, core::U256* top) {
    const core::Address address = to_address(top[-1]);
    if (!charge_account(frame, address)) return Status::OutOfGas;
    top[-1] = frame.evm.host.balance(address);
    return Status::Success;
}

[[gnu::noinline]] inline Status op_extcodesize(Frame& frame, core::U256* top) {
    const core::Address address = to_address(top[-1]);
    if (!charge_account(frame, address)) return Status::OutOfGas;
    top[-1] = frame.evm.host.code(address).size();
    return Status::Success;
}

[[gnu::noinline]] inline Status op_extcodehash(Frame& frame, core::U256* top) {
    const core::Address address = to_address(top[-1]);
    if (!charge_account(frame, address)) return Status::OutOfGas;
    Host& host = frame.evm.host;
    top[-1] = host.is_dead(address) ? core::U256{}
                                    : core::U256::load_be32(host.code_hash(address).data());
    return Status::Success;
}

[[gnu::noinline]] inline Status op_extcodecopy(Frame& frame, core::U256* top) {
    const core::Address address = to_address(top[-1]);
    if (!charge_account(frame, address)) return Status::OutOfGas;
    return copy_padded(frame, top - 1, frame.evm.host.code(address));
}

[[gnu::noinline]] inline Status op_sload(Frame& frame, core::U256* top) {
    Host& host = frame.evm.host;
    const core::Address& self = frame.message.recipient;
    if (frame.evm.rules.eip_2929 && host.access_slot(self, top[-1]) == Access::Cold &&
        !frame.charge(kColdSlot - kWarm)) {
        return Status::OutOfGas;
    }
    top[-1] = host.storage(self, top[-1]);
    return Status::Success;
}

[[gnu::noinline]] inline Status op_sstore(Frame& frame, core::U256* top) {
    if (frame.message.is_static) return Status::StaticViolation;
    const core::ForkRules& rules = frame.evm.rules;
    Host& host = frame.evm.host;
    const core::Address& self = frame.message.recipient;
    if (rules.eip_2200 && frame.gas <= kStipend) return Status::OutOfGas;
    if (rules.eip_2929 && host.access_slot(self, top[-1]) == Access::Cold &&
        !frame.charge(kColdSlot)) {
        return Status::OutOfGas;
    }
    const core::U256 current = host.storage(self, top[-1]);
    const bool net_metered = rules.eip_1283 || rules.eip_2200;
    const core::U256 original = net_metered ? host.original_storage(self, top[-1]) : current;
    const SstorePrice price = sstore_price(rules, original, current, top[-2]);
    if (!frame.charge(price.gas)) return Status::OutOfGas;
    if (price.refund != 0) host.add_refund(price.refund);
    if (!(current == top[-2])) host.set_storage(self, top[-1], top[-2]);
    return Status::Success;
}

[[gnu::noinline]] inline Status op_tload(Frame& frame, core::U256* top) {
    top[-1] = frame.evm.host.transient_storage(frame.message.recipient, top[-1]);
    return Status::Success;
}

[[gnu::noinline]] inline Status op_tstore(Frame& frame, core::U256* top) {
    if (frame.message.is_static) return Status::StaticViolation;
    frame.evm.host.set_transient_storage(frame.message.recipient, top[-1], top[-2]);
    return Status::Success;
}

[[gnu::noinline]] inline Status op_blockhash(Frame& frame, core::U256* top) {
    const uint64_t current = frame.evm.block.number;
    const uint64_t number = top[-1].saturated64();
    const bool known = number < current && current - number <= 256;
    top[-1] =
        known ? core::U256::load_be32(frame.evm.host.block_hash(number).data()) : core::U256{};
    return Status::Success;
}

[[gnu::noinline]] inline Status op_log(Frame& frame, core::U256* top, unsigned topic_count) {
    if (frame.message.is_static) return Status::StaticViolation;
    if (!frame.memory.expand(top[-1], top[-2], frame.gas)) return Status::OutOfGas;
    const uint64_t length = top[-2].low64();
    if (!frame.charge(8 * static_cast<int64_t>(length))) return Status::OutOfGas;
    std::array<core::Hash32, 4> topics;
    for (unsigned i = 0; i < topic_count; ++i) {
        (top - 3 - i)->store_be32(topics[i].data());
    }
    frame.evm.host.add_log(frame.message.recipient, std::span(topics).first(topic_count),
                           frame.memory.view(length == 0 ? 0 : top[-1].low64(), length));
    return Status::Success;
}

[[gnu::noinline]] inline Status op_selfdestruct(Frame& frame, core::U256* top) {
    if (frame.message.is_static) return Status::StaticViolation;
    const core::ForkRules& rules = frame.evm.rules;
    Host& host = frame.evm.host;
    const core::Address& self = frame.message.recipient;
    const core::Address beneficiary = to_address(top[-1]);
    if (rules.eip_2929 && access_account(frame.evm, beneficiary) == Access::Cold &&
        !frame.charge(kColdAccount)) {
        return Status::OutOfGas;
    }
    const core::U256 balance = host.balance(self);
    if (rules.eip_150) {
        const bool creates = rules.eip_158 ? !balance.is_zero() && host.is_dead(beneficiary)
                                           : !host.account_exists(beneficiary);
        if (creates && !frame.charge(kNewAccount)) return Status::OutOfGas;
    }
    const bool removes = !rules.eip_6780 || host.created_in_transaction(self);
    host.transfer(self, beneficiary, balance);
    if (removes) {
        if (beneficiary == self) host.burn_balance(self);
        if (host.mark_destructed(self) && !rules.eip_3529) host.add_refund(24000);
    }
    return Status::Success;
}

}  // namespace keel::evm
