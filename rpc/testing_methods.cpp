// testing_…: for test drivers; off unless the namespace is asked for. Source: execution-apis,
// testing.

#include "rpc/engine/builder.hpp"
#include "rpc/members.hpp"
#include "rpc/methods.hpp"

namespace keel::rpc::testing_api {

Answer<void> build_block_v1(Call& call) {
    Args args(call.params, 4);
    const core::Hash32 parent = args.hash(0);
    const auto object = args.object(1);
    engine::BuildTask task;
    task.txs = args.optional(2, +[](JsonValue value) { return to_list(value, to_bytes); });
    task.extra_data = args.optional(3, to_bytes).value_or(core::Bytes{});
    if (!args.ok()) return args.error();
    Snapshot& snapshot = call.snapshot();
    if (parent != snapshot.head().hash) {
        return fail(Code::Failed, "parentHash is not current head");
    }
    const uint64_t head_time = snapshot.header(snapshot.head()).timestamp;
    const auto attributes = engine::parse_attributes(engine::kForkchoiceVersionMax, *object,
                                                     *call.backend.schedule, head_time);
    if (!attributes) return core::unexpected(attributes.error());
    task.attributes = *attributes;
    task.gas_limit_target = call.backend.building.gas_limit_target;
    const auto built = engine::build_block(call, task);
    if (!built) return core::unexpected(built.error());
    constexpr unsigned kLikeGetPayload = 5;
    engine::write_built(call.out, *built, kLikeGetPayload);
    return {};
}

}  // namespace keel::rpc::testing_api
