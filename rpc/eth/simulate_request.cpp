#include "rpc/eth/simulate_request.hpp"

#include <fmt/format.h>

#include "rpc/members.hpp"

namespace keel::rpc::eth {
namespace {

constexpr size_t kBlocksMax = 256;
constexpr size_t kCallsOfBlockMax = 5'000;
constexpr size_t kCallsMax = 10'000;
constexpr uint64_t kBlockSeconds = 12;

/// A member that is an object, or none where it is missing.
Answer<std::optional<JsonValue>> object_member(const Members& members, std::string_view name) {
    auto value = members.find(name);
    if (value && !value->is(JsonKind::Object)) {
        return fail(Code::InvalidParams, fmt::format("invalid field {}: not an object", name));
    }
    return value;
}

Answer<SimulatedBlock> parse_block(JsonValue object) {
    SimulatedBlock parsed;
    const Members members(object);
    const auto block_object = object_member(members, "blockOverrides");
    if (!block_object) return core::unexpected(block_object.error());
    auto block = parse_whole_block_override(*block_object);
    if (!block) return core::unexpected(block.error());
    parsed.block = *std::move(block);
    const auto state_object = object_member(members, "stateOverrides");
    if (!state_object) return core::unexpected(state_object.error());
    auto state = parse_state_override(*state_object);
    if (!state) return core::unexpected(state.error());
    parsed.state = *std::move(state);
    const auto calls = members.find("calls");
    if (!calls) return parsed;
    if (!calls->is(JsonKind::Array)) {
        return fail(Code::InvalidParams, "invalid field calls: not an array");
    }
    if (calls->size() > kCallsOfBlockMax)
        return fail(Code::ClientLimit, "too many calls in a block");
    for (const JsonValue each : *calls) {
        if (!each.is(JsonKind::Object)) {
            return fail(Code::InvalidParams, "invalid field calls: not an object");
        }
        auto call = parse_call_request(each);
        if (!call) return core::unexpected(call.error());
        parsed.calls.push_back(*std::move(call));
    }
    return parsed;
}

SimulatedBlock empty_block(uint64_t number, uint64_t time) {
    SimulatedBlock block;
    block.block.number = number;
    block.block.time = time;
    return block;
}

}  // namespace

Answer<SimulateRequest> parse_simulate_request(JsonValue object) {
    SimulateRequest request;
    Members members(object);
    members.read("traceTransfers", to_bool, request.traces_transfers);
    members.read("validation", to_bool, request.validates);
    members.read("returnFullTransactions", to_bool, request.full_transactions);
    if (members.error()) return core::unexpected(*members.error());
    const auto blocks = members.find("blockStateCalls");
    if (blocks && !blocks->is(JsonKind::Array)) {
        return fail(Code::InvalidParams, "invalid field blockStateCalls: not an array");
    }
    if (!blocks || blocks->size() == 0) return fail(Code::InvalidParams, "empty input");
    if (blocks->size() > kBlocksMax) return fail(Code::ClientLimit, "too many blocks");
    size_t calls = 0;
    for (const JsonValue each : *blocks) {
        if (!each.is(JsonKind::Object)) {
            return fail(Code::InvalidParams, "invalid field blockStateCalls: not an object");
        }
        auto block = parse_block(each);
        if (!block) return core::unexpected(block.error());
        calls += block->calls.size();
        request.blocks.push_back(*std::move(block));
    }
    if (calls > kCallsMax) return fail(Code::ClientLimit, "too many calls");
    return request;
}

Answer<void> put_in_order(std::vector<SimulatedBlock>& blocks, const core::Header& base) {
    std::vector<SimulatedBlock> ordered;
    uint64_t number = base.number;
    uint64_t time = base.timestamp;
    for (SimulatedBlock& each : blocks) {
        const uint64_t wanted = each.block.number.value_or(number + 1);
        if (wanted <= number) {
            return fail(Code::BlockNumberOrder,
                        fmt::format("block numbers must be in order: {} <= {}", wanted, number));
        }
        if (wanted - base.number > kBlocksMax) return fail(Code::ClientLimit, "too many blocks");
        while (number + 1 < wanted) {
            time += kBlockSeconds;
            ordered.push_back(empty_block(++number, time));
        }
        number = wanted;
        const uint64_t own_time = each.block.time.value_or(time + kBlockSeconds);
        if (own_time <= time) {
            return fail(Code::BlockTimeOrder,
                        fmt::format("block timestamps must be in order: {} <= {}", own_time, time));
        }
        time = own_time;
        each.block.number = number;
        each.block.time = time;
        ordered.push_back(std::move(each));
    }
    blocks = std::move(ordered);
    return {};
}

}  // namespace keel::rpc::eth
