#include "rpc/methods.hpp"

#include "rpc/engine/attributes.hpp"
#include "rpc/engine/engine.hpp"
#include "rpc/engine/payloads.hpp"
#include "rpc/members.hpp"

namespace keel::rpc::engine {
namespace {

// Two letters that no other client has (execution-apis, engine/identification).
constexpr std::string_view kClientCode = "KL";
constexpr std::string_view kClientName = "keel";

/// What is asked for below this listener's engine; batches read behind what they have written.
Engine& engine_of(Call& call) {
    call.shared_snapshot.reset();
    return *call.backend.engine;
}

void write_status(JsonOut& out, const PayloadStatus& status) {
    out.begin_object();
    out.key("status");
    out.string(to_string(status.status));
    if (status.latest_valid_hash) {
        out.data("latestValidHash", *status.latest_valid_hash);
    } else {
        out.null("latestValidHash");
    }
    out.key("validationError");
    if (status.validation_error) {
        out.string(*status.validation_error);
    } else {
        out.null();
    }
    out.end_object();
}

Answer<ForkchoiceState> parse_state(JsonValue object) {
    ForkchoiceState state;
    Members members(object);
    members.require("headBlockHash", to_hash, state.head);
    members.require("safeBlockHash", to_hash, state.safe);
    members.require("finalizedBlockHash", to_hash, state.finalized);
    if (members.error()) return core::unexpected(*members.error());
    return state;
}

/// Builds a block without transactions on the head, for whoever fetches it by the id.
Answer<PayloadId> begin_building(Call& call, unsigned version, JsonValue object,
                                 const chain::BlockId& head) {
    const uint64_t head_time = call.snapshot().header(head).timestamp;
    auto attributes = parse_attributes(version, object, *call.backend.schedule, head_time);
    if (!attributes) return core::unexpected(attributes.error());
    const PayloadId id = payload_id_of(version, head.hash, *attributes);
    if (call.backend.payloads->find(id)) return id;
    auto process = std::make_shared<BuildProcess>();
    process->id = id;
    process->parent = head;
    process->task.attributes = *std::move(attributes);
    process->task.extra_data = call.backend.building.extra_data;
    process->task.gas_limit_target = call.backend.building.gas_limit_target;
    process->task.txs.emplace();
    auto empty = build_block(call, process->task);
    if (!empty) return core::unexpected(empty.error());
    process->built = *std::move(empty);
    call.backend.payloads->add(std::move(process));
    return id;
}

Answer<void> forkchoice_updated(Call& call, unsigned version) {
    Args args(call.params, 2);
    const auto object = args.object(0);
    const auto attributes_object = args.optional_object(1);
    if (!args.ok()) return args.error();
    const auto state = parse_state(*object);
    if (!state) return core::unexpected(state.error());
    Engine& engine = engine_of(call);
    const auto updated = engine.forkchoice_updated(*state);
    if (!updated) return core::unexpected(updated.error());
    std::optional<PayloadId> id;
    if (attributes_object && updated->head) {
        const auto begun = begin_building(call, version, *attributes_object, *updated->head);
        if (!begun) return core::unexpected(begun.error());
        id = *begun;
    }
    call.out.begin_object();
    call.out.key("payloadStatus");
    write_status(call.out, updated->status);
    if (id) {
        call.out.data("payloadId", *id);
    } else {
        call.out.null("payloadId");
    }
    call.out.end_object();
    return {};
}

Answer<void> new_payload(Call& call, unsigned version) {
    const auto status = engine_of(call).new_payload(version, call.params);
    if (!status) return core::unexpected(status.error());
    write_status(call.out, *status);
    return {};
}

}  // namespace

Answer<void> new_payload_v1(Call& call) {
    return new_payload(call, 1);
}
Answer<void> new_payload_v2(Call& call) {
    return new_payload(call, 2);
}
Answer<void> new_payload_v3(Call& call) {
    return new_payload(call, 3);
}
Answer<void> new_payload_v4(Call& call) {
    return new_payload(call, 4);
}

Answer<void> forkchoice_updated_v1(Call& call) {
    return forkchoice_updated(call, 1);
}
Answer<void> forkchoice_updated_v2(Call& call) {
    return forkchoice_updated(call, 2);
}
Answer<void> forkchoice_updated_v3(Call& call) {
    return forkchoice_updated(call, 3);
}

Answer<void> exchange_capabilities(Call& call) {
    // What the consensus client can do changes nothing here.
    Args args(call.params, 1);
    (void)args.optional(0, +[](JsonValue value) { return to_list(value, to_text); });
    if (!args.ok()) return args.error();
    call.out.begin_array();
    for (const std::string_view name : method_names("engine")) {
        if (name != "engine_exchangeCapabilities") call.out.string(name);
    }
    call.out.end_array();
    return {};
}

Answer<void> get_client_version_v1(Call& call) {
    // What the consensus client says of itself may be anything.
    const Args args(call.params, 1);
    if (!args.ok()) return args.error();
    JsonOut& out = call.out;
    out.begin_array();
    out.begin_object();
    out.key("code");
    out.string(kClientCode);
    out.key("name");
    out.string(kClientName);
    out.key("version");
    out.string(call.backend.version);
    out.key("commit");
    out.string(call.backend.commit);
    out.end_object();
    out.end_array();
    return {};
}

}  // namespace keel::rpc::engine
