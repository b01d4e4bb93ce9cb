// engine_getPayloadBodiesBy…: transactions and withdrawals of known blocks. Source: execution-apis,
// engine/shanghai.

#include <fmt/format.h>

#include <algorithm>

#include "rpc/eth/objects.hpp"
#include "rpc/members.hpp"
#include "rpc/methods.hpp"

namespace keel::rpc::engine {
namespace {

constexpr uint64_t kBodiesMax = 1024;

core::unexpected<Error> too_large(uint64_t count) {
    return fail(Code::TooLargeRequest,
                fmt::format("Too large request: {} bodies, at most {}", count, kBodiesMax));
}

void write_body(JsonOut& out, const chain::BlockReader& blocks, const chain::BlockId& id) {
    out.begin_object();
    out.key("transactions");
    out.begin_array();
    const size_t count = blocks.tx_count(id);
    for (size_t i = 0; i < count; ++i) out.data(blocks.tx_raw(id, i).value());
    out.end_array();
    if (const auto withdrawals = blocks.withdrawals(id)) {
        eth::write_withdrawals(out, *withdrawals);
    } else {
        out.null("withdrawals");
    }
    out.end_object();
}

}  // namespace

Answer<void> get_payload_bodies_by_hash_v1(Call& call) {
    Args args(call.params, 1);
    const auto hashes = args.required(0, +[](JsonValue value) { return to_list(value, to_hash); });
    if (!args.ok()) return args.error();
    if (hashes.size() > kBodiesMax) return too_large(hashes.size());
    const chain::BlockReader& blocks = call.snapshot().blocks();
    call.out.begin_array();
    for (const core::Hash32& hash : hashes) {
        if (const auto id = blocks.id_of(hash)) {
            write_body(call.out, blocks, *id);
        } else {
            call.out.null();
        }
    }
    call.out.end_array();
    return {};
}

Answer<void> get_payload_bodies_by_range_v1(Call& call) {
    Args args(call.params, 2);
    const uint64_t start = args.uint64(0);
    const uint64_t count = args.uint64(1);
    if (!args.ok()) return args.error();
    if (start == 0 || count == 0) {
        return fail(Code::InvalidParams, "start and count must be positive");
    }
    if (count > kBodiesMax) return too_large(count);
    const chain::BlockReader& blocks = call.snapshot().blocks();
    const uint64_t head = call.snapshot().head().number;
    const uint64_t left = start > head ? 0 : std::min(count, head - start + 1);
    call.out.begin_array();
    for (uint64_t number = start; number < start + left; ++number) {
        write_body(call.out, blocks, {number, blocks.canonical_hash(number).value()});
    }
    call.out.end_array();
    return {};
}

}  // namespace keel::rpc::engine
