#include "rpc/engine/attributes.hpp"

#include <fmt/format.h>

#include "rpc/members.hpp"
#include "rpc/withdrawals.hpp"

namespace keel::rpc::engine {
namespace {

core::unexpected<Error> invalid(std::string_view reason) {
    return fail(Code::InvalidPayloadAttributes,
                fmt::format("Invalid payload attributes: {}", reason));
}

}  // namespace

Answer<PayloadAttributes> parse_attributes(unsigned version, JsonValue object,
                                           const chain::ForkSchedule& schedule,
                                           uint64_t head_time) {
    PayloadAttributes attributes;
    Members members(object);
    members.require("timestamp", to_uint64, attributes.timestamp);
    members.require("prevRandao", to_hash, attributes.prev_randao);
    members.require("suggestedFeeRecipient", to_address, attributes.fee_recipient);
    members.read("withdrawals", to_withdrawals, attributes.withdrawals);
    members.read("parentBeaconBlockRoot", to_hash, attributes.parent_beacon_root);
    if (members.error()) return invalid(members.error()->message);

    // The number plays no part: all forks from the merge on are set by time.
    const core::ForkRules rules = schedule.at(UINT64_MAX, attributes.timestamp, true).rules;
    const bool withdrawals = version == 2 ? rules.eip_4895 : version > 2;
    if (attributes.withdrawals.has_value() != withdrawals) {
        return invalid(withdrawals ? "missing withdrawals" : "unexpected withdrawals");
    }
    const bool beacon_root = version >= 3;
    if (attributes.parent_beacon_root.has_value() != beacon_root) {
        return invalid(beacon_root ? "missing beacon root" : "unexpected beacon root");
    }
    const bool fits = version == 1 ? !rules.eip_4895
                      : version == 2
                          ? !rules.eip_4844
                          : rules.eip_4844 && !schedule.unsupported_at(attributes.timestamp);
    if (!fits) {
        return fail(Code::UnsupportedFork,
                    fmt::format("Unsupported fork: engine_forkchoiceUpdatedV{} does not build for "
                                "time {}",
                                version, attributes.timestamp));
    }
    if (attributes.timestamp <= head_time) {
        return invalid(fmt::format("timestamp {} is not after the head's {}", attributes.timestamp,
                                   head_time));
    }
    return attributes;
}

}  // namespace keel::rpc::engine
