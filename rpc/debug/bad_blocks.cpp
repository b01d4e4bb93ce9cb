// debug_getBadBlocks: what was refused, as far as it is remembered. Source: execution-apis, debug.

#include "chain/bad_blocks.hpp"

#include "crypto/seal.hpp"
#include "rpc/eth/objects.hpp"
#include "rpc/methods.hpp"

namespace keel::rpc::debug {
namespace {

/// The members that do not need the block to be stored.
void write_bad_block(JsonOut& out, const core::Hash32& hash, const crypto::SealedBlock& sealed) {
    out.begin_object();
    eth::write_header_members(out, sealed.block.header, hash);
    out.key("transactions");
    out.begin_array();
    for (const core::Hash32& tx_hash : sealed.tx_hashes) out.data(tx_hash);
    out.end_array();
    if (sealed.block.withdrawals) eth::write_withdrawals(out, *sealed.block.withdrawals);
    out.end_object();
}

}  // namespace

Answer<void> get_bad_blocks(Call& call) {
    const Args args(call.params, 0);
    if (!args.ok()) return args.error();
    const db::ReadTxn& txn = call.snapshot().txn();
    const state::Tables& tables = call.snapshot().tables();
    JsonOut& out = call.out;
    out.begin_array();
    for (const core::Hash32& hash : chain::bad_block_hashes(txn, tables)) {
        const auto bad = chain::find_bad_block(txn, tables, hash);
        if (!bad) continue;
        out.begin_object();
        out.data("hash", hash);
        out.key("block");
        if (const auto sealed = crypto::seal(bad->rlp.to_bytes())) {
            write_bad_block(out, hash, *sealed);
        } else {
            out.null();
        }
        out.data("rlp", bad->rlp);
        out.end_object();
    }
    out.end_array();
    return {};
}

}  // namespace keel::rpc::debug
