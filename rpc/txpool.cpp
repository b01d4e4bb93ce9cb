// txpool_…: what waits. Source: execution-apis, txpool; txpool_inspect as geth has it.

#include <fmt/format.h>

#include "core/hex.hpp"
#include "crypto/keccak.hpp"
#include "rpc/eth/objects.hpp"
#include "rpc/methods.hpp"
#include "rpc/pool/pool.hpp"

namespace keel::rpc::txpool {
namespace {

using Group = std::map<core::Address, pool::BySender>;

pool::Content content_of(Call& call) {
    return call.backend.pool == nullptr ? pool::Content{} : call.backend.pool->content();
}

void write_txs(JsonOut& out, const pool::BySender& txs) {
    out.begin_object();
    for (const auto& [nonce, each] : txs) {
        out.key(std::to_string(nonce));
        eth::write_pooled_tx(out, each->tx, each->hash, each->sender);
    }
    out.end_object();
}

/// What geth's inspect says of one.
std::string line_of(const pool::PooledTx& pooled) {
    const core::Tx& tx = pooled.tx;
    return fmt::format("{}: {} wei + {} gas × {} wei",
                       tx.to ? eth::with_checksum(*tx.to) : "contract creation",
                       tx.value.to_decimal(), tx.gas, tx.max_fee.to_decimal());
}

template <class WriteOne>
void write_group(JsonOut& out, const Group& group, const WriteOne& write_one) {
    out.begin_object();
    for (const auto& [sender, txs] : group) {
        out.key(eth::with_checksum(sender));
        write_one(txs);
    }
    out.end_object();
}

size_t count_of(const Group& group) {
    size_t count = 0;
    for (const auto& [sender, txs] : group) count += txs.size();
    return count;
}

}  // namespace

Answer<void> status(Call& call) {
    const Args args(call.params, 0);
    if (!args.ok()) return args.error();
    const pool::Content content = content_of(call);
    call.out.begin_object();
    call.out.quantity("pending", uint64_t{count_of(content.pending)});
    call.out.quantity("queued", uint64_t{count_of(content.queued)});
    call.out.end_object();
    return {};
}

Answer<void> content(Call& call) {
    const Args args(call.params, 0);
    if (!args.ok()) return args.error();
    const pool::Content all = content_of(call);
    JsonOut& out = call.out;
    const auto write_one = [&out](const pool::BySender& txs) { write_txs(out, txs); };
    out.begin_object();
    out.key("pending");
    write_group(out, all.pending, write_one);
    out.key("queued");
    write_group(out, all.queued, write_one);
    out.end_object();
    return {};
}

Answer<void> content_from(Call& call) {
    Args args(call.params, 1);
    const core::Address sender = args.address(0);
    if (!args.ok()) return args.error();
    const pool::Content own =
        call.backend.pool == nullptr ? pool::Content{} : call.backend.pool->content_of(sender);
    const auto write_own = [&](const Group& group) {
        const auto found = group.find(sender);
        write_txs(call.out, found == group.end() ? pool::BySender{} : found->second);
    };
    call.out.begin_object();
    call.out.key("pending");
    write_own(own.pending);
    call.out.key("queued");
    write_own(own.queued);
    call.out.end_object();
    return {};
}

Answer<void> inspect(Call& call) {
    const Args args(call.params, 0);
    if (!args.ok()) return args.error();
    const pool::Content all = content_of(call);
    JsonOut& out = call.out;
    const auto write_one = [&out](const pool::BySender& txs) {
        out.begin_object();
        for (const auto& [nonce, each] : txs) {
            out.key(std::to_string(nonce));
            out.string(line_of(*each));
        }
        out.end_object();
    };
    out.begin_object();
    out.key("pending");
    write_group(out, all.pending, write_one);
    out.key("queued");
    write_group(out, all.queued, write_one);
    out.end_object();
    return {};
}

}  // namespace keel::rpc::txpool
