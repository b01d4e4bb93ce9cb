#include "rpc/eth/objects.hpp"
#include "rpc/methods.hpp"

namespace keel::rpc::eth {
namespace {

/// A block by selector, or null.
Answer<void> write_found(Call& call, const BlockSelector& selector, bool full_transactions) {
    const auto id = call.snapshot().find(selector);
    if (!id) return core::unexpected(id.error());
    if (*id) {
        write_block(call.out, call.snapshot(), **id, full_transactions);
    } else {
        call.out.null();
    }
    return {};
}

Answer<void> write_count(Call& call, const BlockSelector& selector) {
    const auto id = call.snapshot().find(selector);
    if (!id) return core::unexpected(id.error());
    if (*id) {
        call.out.quantity(uint64_t{call.snapshot().blocks().tx_count(**id)});
    } else {
        call.out.null();
    }
    return {};
}

BlockSelector by_hash(const core::Hash32& hash) {
    return {.kind = BlockSelector::Kind::Hash, .hash = hash};
}

}  // namespace

Answer<void> block_number(Call& call) {
    const Args args(call.params, 0);
    if (!args.ok()) return args.error();
    call.out.quantity(call.snapshot().head().number);
    return {};
}

Answer<void> chain_id(Call& call) {
    const Args args(call.params, 0);
    if (!args.ok()) return args.error();
    call.out.quantity(call.backend.schedule->config().chain_id);
    return {};
}

Answer<void> syncing(Call& call) {
    const Args args(call.params, 0);
    if (!args.ok()) return args.error();
    // There are no peers to sync from: what is stored is the chain.
    call.out.boolean(false);
    return {};
}

Answer<void> get_block_by_number(Call& call) {
    Args args(call.params, 2);
    const BlockSelector selector = args.block(0);
    const bool full = args.boolean(1);
    if (!args.ok()) return args.error();
    return write_found(call, selector, full);
}

Answer<void> get_block_by_hash(Call& call) {
    Args args(call.params, 2);
    const core::Hash32 hash = args.hash(0);
    const bool full = args.boolean(1);
    if (!args.ok()) return args.error();
    return write_found(call, by_hash(hash), full);
}

Answer<void> get_block_access_list(Call& call) {
    Args args(call.params, 1);
    const BlockSelector selector = args.block(0);
    if (!args.ok()) return args.error();
    const auto id = call.snapshot().find(selector);
    if (!id) return core::unexpected(id.error());
    // EIP-7928 is not active in any block that can be here.
    call.out.null();
    return {};
}

Answer<void> get_block_receipts(Call& call) {
    Args args(call.params, 1);
    const BlockSelector selector = args.block(0);
    if (!args.ok()) return args.error();
    const auto id = call.snapshot().find(selector);
    if (!id) return core::unexpected(id.error());
    if (*id) {
        ReceiptWriter(call.snapshot(), *call.backend.schedule, **id).write_all(call.out);
    } else {
        call.out.null();
    }
    return {};
}

Answer<void> get_block_transaction_count_by_number(Call& call) {
    Args args(call.params, 1);
    const BlockSelector selector = args.block(0);
    if (!args.ok()) return args.error();
    return write_count(call, selector);
}

Answer<void> get_block_transaction_count_by_hash(Call& call) {
    Args args(call.params, 1);
    const core::Hash32 hash = args.hash(0);
    if (!args.ok()) return args.error();
    return write_count(call, by_hash(hash));
}

}  // namespace keel::rpc::eth
