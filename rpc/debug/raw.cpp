// debug_getRaw…: blocks and their parts as they are encoded. Source: execution-apis, debug.

#include "core/types/receipt.hpp"
#include "rpc/methods.hpp"

namespace keel::rpc::debug {
namespace {

/// The block of the only parameter.
Answer<chain::BlockId> block_of(Call& call) {
    Args args(call.params, 1);
    const BlockSelector selector = args.block(0);
    if (!args.ok()) return args.error();
    return call.snapshot().require(selector);
}

}  // namespace

Answer<void> get_raw_header(Call& call) {
    const auto id = block_of(call);
    if (!id) return core::unexpected(id.error());
    call.out.data(call.snapshot().blocks().header_rlp(*id).value());
    return {};
}

Answer<void> get_raw_block(Call& call) {
    const auto id = block_of(call);
    if (!id) return core::unexpected(id.error());
    call.out.data(call.snapshot().blocks().block_rlp(*id));
    return {};
}

Answer<void> get_raw_block_access_list(Call& call) {
    const auto id = block_of(call);
    if (!id) return core::unexpected(id.error());
    // EIP-7928 is not active in any block that can be here.
    call.out.null();
    return {};
}

Answer<void> get_raw_receipts(Call& call) {
    const auto id = block_of(call);
    if (!id) return core::unexpected(id.error());
    const chain::BlockReader& blocks = call.snapshot().blocks();
    call.out.begin_array();
    core::Bytes encoded;
    const size_t count = blocks.receipt_count(*id);
    for (size_t i = 0; i < count; ++i) {
        encoded.clear();
        append_receipt(encoded, blocks.receipt(*id, i));
        call.out.data(encoded);
    }
    call.out.end_array();
    return {};
}

Answer<void> get_raw_transaction(Call& call) {
    Args args(call.params, 1);
    const core::Hash32 hash = args.hash(0);
    if (!args.ok()) return args.error();
    const chain::BlockReader& blocks = call.snapshot().blocks();
    const auto place = blocks.find_tx(hash);
    if (!place) {
        call.out.null();
        return {};
    }
    const chain::BlockId id{place->number, blocks.canonical_hash(place->number).value()};
    call.out.data(blocks.tx_raw(id, place->index).value());
    return {};
}

}  // namespace keel::rpc::debug
