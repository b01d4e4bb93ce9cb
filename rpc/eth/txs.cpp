#include "rpc/eth/objects.hpp"
#include "rpc/methods.hpp"
#include "rpc/pool/pool.hpp"

namespace keel::rpc::eth {
namespace {

/// Block and index of a canonical transaction.
std::optional<std::pair<chain::BlockId, size_t>> find_tx(const Snapshot& snapshot,
                                                         const core::Hash32& hash) {
    const auto place = snapshot.blocks().find_tx(hash);
    if (!place) return std::nullopt;
    const auto block = snapshot.blocks().canonical_hash(place->number);
    if (!block) return std::nullopt;
    return std::pair{chain::BlockId{place->number, *block}, size_t{place->index}};
}

Answer<void> write_at(Call& call, const BlockSelector& selector, uint64_t index) {
    const auto id = call.snapshot().find(selector);
    if (!id) return core::unexpected(id.error());
    if (*id && index < call.snapshot().blocks().tx_count(**id)) {
        write_tx_at(call.out, call.snapshot(), **id, index);
    } else {
        call.out.null();
    }
    return {};
}

Answer<void> write_raw_at(Call& call, const BlockSelector& selector, uint64_t index) {
    const auto id = call.snapshot().find(selector);
    if (!id) return core::unexpected(id.error());
    if (*id && index < call.snapshot().blocks().tx_count(**id)) {
        call.out.data(call.snapshot().blocks().tx_raw(**id, index).value());
    } else {
        call.out.null();
    }
    return {};
}

}  // namespace

Answer<void> get_transaction_by_hash(Call& call) {
    Args args(call.params, 1);
    const core::Hash32 hash = args.hash(0);
    if (!args.ok()) return args.error();
    if (const auto found = find_tx(call.snapshot(), hash)) {
        write_tx_at(call.out, call.snapshot(), found->first, found->second);
        return {};
    }
    const pool::TxHandle waiting =
        call.backend.pool == nullptr ? nullptr : call.backend.pool->find(hash);
    if (waiting) {
        write_pooled_tx(call.out, waiting->tx, waiting->hash, waiting->sender);
    } else {
        call.out.null();
    }
    return {};
}

Answer<void> get_transaction_by_block_number_and_index(Call& call) {
    Args args(call.params, 2);
    const BlockSelector selector = args.block(0);
    const uint64_t index = args.uint64(1);
    if (!args.ok()) return args.error();
    return write_at(call, selector, index);
}

Answer<void> get_transaction_by_block_hash_and_index(Call& call) {
    Args args(call.params, 2);
    const core::Hash32 hash = args.hash(0);
    const uint64_t index = args.uint64(1);
    if (!args.ok()) return args.error();
    return write_at(call, {.kind = BlockSelector::Kind::Hash, .hash = hash}, index);
}

Answer<void> get_transaction_receipt(Call& call) {
    Args args(call.params, 1);
    const core::Hash32 hash = args.hash(0);
    if (!args.ok()) return args.error();
    if (const auto found = find_tx(call.snapshot(), hash)) {
        ReceiptWriter(call.snapshot(), *call.backend.schedule, found->first)
            .write_one(call.out, found->second);
    } else {
        call.out.null();
    }
    return {};
}

Answer<void> get_raw_transaction_by_hash(Call& call) {
    Args args(call.params, 1);
    const core::Hash32 hash = args.hash(0);
    if (!args.ok()) return args.error();
    if (const auto found = find_tx(call.snapshot(), hash)) {
        call.out.data(call.snapshot().blocks().tx_raw(found->first, found->second).value());
        return {};
    }
    const pool::TxHandle waiting =
        call.backend.pool == nullptr ? nullptr : call.backend.pool->find(hash);
    if (waiting) {
        core::Bytes network_form;
        pool::append_network_form(network_form, *waiting);
        call.out.data(network_form);
    } else {
        call.out.null();
    }
    return {};
}

Answer<void> get_raw_transaction_by_block_number_and_index(Call& call) {
    Args args(call.params, 2);
    const BlockSelector selector = args.block(0);
    const uint64_t index = args.uint64(1);
    if (!args.ok()) return args.error();
    return write_raw_at(call, selector, index);
}

Answer<void> get_raw_transaction_by_block_hash_and_index(Call& call) {
    Args args(call.params, 2);
    const core::Hash32 hash = args.hash(0);
    const uint64_t index = args.uint64(1);
    if (!args.ok()) return args.error();
    return write_raw_at(call, {.kind = BlockSelector::Kind::Hash, .hash = hash}, index);
}

}  // namespace keel::rpc::eth
