#include "evm/gas.hpp"

#include "evm/opcodes.hpp"

namespace keel::evm {
namespace {

/// Static prices that forks changed. With EIP-2929 the price is that of a warm access and the
/// instruction adds the rest.
uint16_t static_gas(Op op, uint16_t frontier, const core::ForkRules& rules) noexcept {
    const auto pick = [&](uint16_t tangerine, uint16_t istanbul) -> uint16_t {
        if (rules.eip_2929) return static_cast<uint16_t>(kWarm);
        if (rules.eip_1884) return istanbul;
        return rules.eip_150 ? tangerine : frontier;
    };
    switch (op) {
        case Op::BALANCE:
            return pick(400, 700);
        case Op::EXTCODESIZE:
        case Op::EXTCODECOPY:
            return pick(700, 700);
        case Op::EXTCODEHASH:
            return pick(400, 700);
        case Op::SLOAD:
            return pick(200, 800);
        case Op::CALL:
        case Op::CALLCODE:
        case Op::DELEGATECALL:
        case Op::STATICCALL:
            return pick(700, 700);
        case Op::SELFDESTRUCT:
            return rules.eip_150 ? 5000 : 0;
        default:
            return frontier;
    }
}

}  // namespace

OpTable make_op_table(const core::ForkRules& rules) noexcept {
    OpTable table{};
    for (unsigned i = 0; i < 256; ++i) {
        const OpInfo& info = op_infos()[i];
        OpRow& row = table[i];
        if (info.name == nullptr || (info.since != nullptr && !(rules.*info.since))) {
            row.min_size = kNotAssigned;
            continue;
        }
        row.gas = static_gas(static_cast<Op>(i), info.gas, rules);
        row.min_size = info.in;
        row.max_size = static_cast<uint16_t>(kStackWords + info.in - info.out);
        row.range = static_cast<uint16_t>(row.max_size - row.min_size);
    }
    return table;
}

SstorePrice sstore_price(const core::ForkRules& rules, const core::U256& original,
                         const core::U256& current, const core::U256& value) noexcept {
    const bool net_metered = rules.eip_1283 || rules.eip_2200 || rules.eip_2929;
    if (!net_metered) {
        const bool adds = current.is_zero() && !value.is_zero();
        const bool clears = !current.is_zero() && value.is_zero();
        return {adds ? 20000 : 5000, clears ? 15000 : 0};
    }
    const int64_t same = rules.eip_2929 ? kWarm : rules.eip_2200 ? 800 : 200;
    const int64_t add = 20000;
    const int64_t change = rules.eip_2929 ? 5000 - kColdSlot : 5000;
    const int64_t clear_refund = rules.eip_3529 ? 4800 : 15000;
    if (value == current) return {same, 0};
    if (current == original) {
        if (original.is_zero()) return {add, 0};
        return {change, value.is_zero() ? clear_refund : 0};
    }
    int64_t refund = 0;
    if (!original.is_zero()) {
        if (current.is_zero()) refund -= clear_refund;
        if (value.is_zero()) refund += clear_refund;
    }
    if (value == original) refund += (original.is_zero() ? add : change) - same;
    return {same, refund};
}

}  // namespace keel::evm
