// testing_…: for test drivers; off unless the namespace is asked for. Source: execution-apis,
// testing.

#include "rpc/engine/builder.hpp"
#include "rpc/members.hpp"
#include "rpc/methods.hpp"

namespace keel::rpc::testing_api {

namespace {

/// A block on the head; the other parameters begin at `first`.
Answer<engine::BuiltBlock> build(Call& call, Args& args, size_t first) {
    const auto object = args.object(first);
    engine::BuildTask task;
    task.txs = args.optional(first + 1, +[](JsonValue value) { return to_list(value, to_bytes); });
    task.extra_data = args.optional(first + 2, to_bytes).value_or(core::Bytes{});
    if (!args.ok()) return args.error();
    Snapshot& snapshot = call.snapshot();
    const uint64_t head_time = snapshot.header(snapshot.head()).timestamp;
    const auto attributes = engine::parse_attributes(engine::kForkchoiceVersionMax, *object,
                                                     *call.backend.schedule, head_time);
    if (!attributes) return core::unexpected(attributes.error());
    task.attributes = *attributes;
    task.gas_limit_target = call.backend.building.gas_limit_target;
    return engine::build_block(call, task);
}

}  // namespace

Answer<void> build_block_v1(Call& call) {
    Args args(call.params, 4);
    const core::Hash32 parent = args.hash(0);
    static_cast<void>(args.object(1));
    if (!args.ok()) return args.error();
    if (parent != call.snapshot().head().hash) {
        return fail(Code::Failed, "parentHash is not current head");
    }
    const auto built = build(call, args, 1);
    if (!built) return core::unexpected(built.error());
    constexpr unsigned kLikeGetPayload = 5;
    engine::write_built(call.out, *built, kLikeGetPayload);
    return {};
}

Answer<void> commit_block_v1(Call& call) {
    Args args(call.params, 3);
    const auto built = build(call, args, 0);
    if (!built) return core::unexpected(built.error());
    if (!call.backend.commit_block) return fail(Code::Failed, "blocks cannot be committed here");
    if (auto committed = call.backend.commit_block(*built); !committed) return committed;
    call.out.data(built->hash);
    return {};
}

}  // namespace keel::rpc::testing_api
