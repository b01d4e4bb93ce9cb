#include "rpc/withdrawals.hpp"

#include "rpc/members.hpp"

namespace keel::rpc {
namespace {

Converted<core::Withdrawal> to_withdrawal(JsonValue value) {
    if (!value.is(JsonKind::Object)) return core::unexpected(std::string("not an object"));
    Members members(value);
    core::Withdrawal one;
    members.require("index", to_uint64, one.index);
    members.require("validatorIndex", to_uint64, one.validator_index);
    members.require("address", to_address, one.address);
    members.require("amount", to_uint64, one.amount);
    if (members.error()) return core::unexpected(members.error()->message);
    return one;
}

}  // namespace

Converted<std::vector<core::Withdrawal>> to_withdrawals(JsonValue value) {
    return to_list(value, to_withdrawal);
}

}  // namespace keel::rpc
