// Headers and ommers alone.

#include "crypto/keccak.hpp"
#include "rpc/eth/objects.hpp"
#include "rpc/methods.hpp"

namespace keel::rpc::eth {
namespace {

BlockSelector by_hash(const core::Hash32& hash) {
    return {.kind = BlockSelector::Kind::Hash, .hash = hash};
}

Answer<void> write_found_header(Call& call, const BlockSelector& selector) {
    const auto id = call.snapshot().find(selector);
    if (!id) return core::unexpected(id.error());
    if (*id) {
        call.out.begin_object();
        write_header_members(call.out, call.snapshot().header(**id), (*id)->hash);
        call.out.end_object();
    } else {
        call.out.null();
    }
    return {};
}

Answer<void> write_ommer_count(Call& call, const BlockSelector& selector) {
    const auto id = call.snapshot().find(selector);
    if (!id) return core::unexpected(id.error());
    if (*id) {
        call.out.quantity(uint64_t{call.snapshot().blocks().ommers(**id).size()});
    } else {
        call.out.null();
    }
    return {};
}

/// A block of a header alone.
void write_ommer(JsonOut& out, const core::Header& header) {
    core::Block block;
    block.header = header;
    core::Bytes header_rlp, block_rlp;
    append_header(header_rlp, header);
    append_block(block_rlp, block);
    out.begin_object();
    write_header_members(out, header, crypto::keccak256(header_rlp));
    out.quantity("size", uint64_t{block_rlp.size()});
    out.key("uncles");
    out.begin_array();
    out.end_array();
    out.end_object();
}

Answer<void> write_ommer_at(Call& call, const BlockSelector& selector, uint64_t index) {
    const auto id = call.snapshot().find(selector);
    if (!id) return core::unexpected(id.error());
    const auto ommers = *id ? call.snapshot().blocks().ommers(**id) : std::vector<core::Header>();
    if (index < ommers.size()) {
        write_ommer(call.out, ommers[index]);
    } else {
        call.out.null();
    }
    return {};
}

}  // namespace

Answer<void> get_header_by_number(Call& call) {
    Args args(call.params, 1);
    const BlockSelector selector = args.block(0);
    if (!args.ok()) return args.error();
    return write_found_header(call, selector);
}

Answer<void> get_header_by_hash(Call& call) {
    Args args(call.params, 1);
    const core::Hash32 hash = args.hash(0);
    if (!args.ok()) return args.error();
    return write_found_header(call, by_hash(hash));
}

Answer<void> get_uncle_count_by_block_number(Call& call) {
    Args args(call.params, 1);
    const BlockSelector selector = args.block(0);
    if (!args.ok()) return args.error();
    return write_ommer_count(call, selector);
}

Answer<void> get_uncle_count_by_block_hash(Call& call) {
    Args args(call.params, 1);
    const core::Hash32 hash = args.hash(0);
    if (!args.ok()) return args.error();
    return write_ommer_count(call, by_hash(hash));
}

Answer<void> get_uncle_by_block_number_and_index(Call& call) {
    Args args(call.params, 2);
    const BlockSelector selector = args.block(0);
    const uint64_t index = args.uint64(1);
    if (!args.ok()) return args.error();
    return write_ommer_at(call, selector, index);
}

Answer<void> get_uncle_by_block_hash_and_index(Call& call) {
    Args args(call.params, 2);
    const core::Hash32 hash = args.hash(0);
    const uint64_t index = args.uint64(1);
    if (!args.ok()) return args.error();
    return write_ommer_at(call, by_hash(hash), index);
}

}  // namespace keel::rpc::eth
