// eth_newFilter and its like.

#include "rpc/filters.hpp"

#include <fmt/format.h>

#include "core/clock.hpp"
#include "rpc/eth/objects.hpp"
#include "rpc/head_change.hpp"
#include "rpc/methods.hpp"
#include "rpc/pool/pool.hpp"

namespace keel::rpc::eth {
namespace {

using Kind = PolledFilter::Kind;

// A filter that was not polled over more blocks than this tells of the newest of them.
constexpr size_t kBlocksMax = 100'000;

Answer<void> not_found() {
    return fail(Code::Failed, "filter not found");
}

Answer<void> add(Call& call, Kind kind, LogFilter logs, bool full) {
    if (call.backend.filters == nullptr) return fail(Code::Failed, "filters are not offered");
    const auto filter = std::make_shared<PolledFilter>(kind, std::move(logs), full);
    filter->told_head = call.snapshot().head();
    if (kind == Kind::PendingTxs && call.backend.pool != nullptr) {
        filter->told_txs = call.backend.pool->executable_count();
    }
    const auto id = call.backend.filters->add(filter, core::monotonic_coarse_ms());
    if (!id) return fail(Code::Failed, "too many filters");
    call.out.string(*id);
    return {};
}

std::optional<uint64_t> number_of(const std::optional<BlockSelector>& bound) {
    if (!bound || bound->kind != BlockSelector::Kind::Number) return std::nullopt;
    return bound->number;
}

bool is_wanted(const LogFilter& filter, const chain::BlockId& id) {
    if (filter.block_hash) return id.hash == *filter.block_hash;
    return id.number >= number_of(filter.from).value_or(0) &&
           id.number <= number_of(filter.to).value_or(UINT64_MAX);
}

Answer<void> write_logs(Call& call, const LogFilter& filter, const HeadChange& change) {
    const uint64_t logs_max = call.backend.log_limits.logs_max;
    uint64_t written = 0;
    call.out.begin_array();
    for (const bool removed : {true, false}) {
        for (const chain::BlockId& id : removed ? change.removed : change.added) {
            if (!is_wanted(filter, id)) continue;
            written += write_block_logs(call.out, call.snapshot(), id, filter, removed);
            if (logs_max > 0 && written > logs_max) {
                return fail(Code::InvalidParams,
                            fmt::format("query returned more than {} results", logs_max));
            }
        }
    }
    call.out.end_array();
    return {};
}

void write_txs(Call& call, PolledFilter& filter) {
    call.out.begin_array();
    if (call.backend.pool != nullptr) {
        for (const auto& [hash, tx] : call.backend.pool->executable_since(filter.told_txs)) {
            if (!filter.full) {
                call.out.data(hash);
            } else if (tx) {
                write_pooled_tx(call.out, tx->tx, tx->hash, tx->sender);
            }
        }
    }
    call.out.end_array();
}

std::shared_ptr<PolledFilter> find(Call& call, std::string_view id) {
    if (call.backend.filters == nullptr) return nullptr;
    return call.backend.filters->find(std::string(id), core::monotonic_coarse_ms());
}

}  // namespace

Answer<void> new_filter(Call& call) {
    Args args(call.params, 1);
    const auto object = args.object(0);
    if (!args.ok()) return args.error();
    auto filter = parse_log_filter(*object, call.backend.log_limits);
    if (!filter) return core::unexpected(filter.error());
    const auto first = number_of(filter->from);
    const auto last = number_of(filter->to);
    if (first && last && *first > *last) {
        return fail(Code::InvalidParams, "invalid block range params");
    }
    return add(call, Kind::Logs, *std::move(filter), false);
}

Answer<void> new_block_filter(Call& call) {
    const Args args(call.params, 0);
    if (!args.ok()) return args.error();
    return add(call, Kind::Blocks, {}, false);
}

Answer<void> new_pending_transaction_filter(Call& call) {
    Args args(call.params, 1);
    const bool full = args.optional(0, to_bool).value_or(false);
    if (!args.ok()) return args.error();
    return add(call, Kind::PendingTxs, {}, full);
}

Answer<void> uninstall_filter(Call& call) {
    Args args(call.params, 1);
    const std::string_view id = args.required(0, to_text);
    if (!args.ok()) return args.error();
    call.out.boolean(call.backend.filters != nullptr &&
                     call.backend.filters->remove(std::string(id), core::monotonic_coarse_ms()));
    return {};
}

Answer<void> get_filter_changes(Call& call) {
    Args args(call.params, 1);
    const std::string_view id = args.required(0, to_text);
    if (!args.ok()) return args.error();
    const auto filter = find(call, id);
    if (!filter) return not_found();
    const std::scoped_lock lock(filter->mutex);
    if (filter->kind == Kind::PendingTxs) {
        write_txs(call, *filter);
        return {};
    }
    // A batch has one snapshot: the first of two polls in it may have told of a newer head.
    const chain::BlockId head = call.snapshot().head();
    const HeadChange change = change_since(call.snapshot(), filter->told_head, kBlocksMax);
    if (filter->kind == Kind::Logs) {
        if (auto written = write_logs(call, filter->logs, change); !written) return written;
    } else {
        call.out.begin_array();
        for (const chain::BlockId& each : change.added) call.out.data(each.hash);
        call.out.end_array();
    }
    filter->told_head = head;
    return {};
}

Answer<void> get_filter_logs(Call& call) {
    Args args(call.params, 1);
    const std::string_view id = args.required(0, to_text);
    if (!args.ok()) return args.error();
    const auto filter = find(call, id);
    if (!filter || filter->kind != Kind::Logs) return not_found();
    return write_logs_of(call.out, call.snapshot(), filter->logs, call.backend.log_limits,
                         Patience(call));
}

}  // namespace keel::rpc::eth
