// eth_subscribe and eth_unsubscribe.

#include <fmt/format.h>

#include "rpc/members.hpp"
#include "rpc/methods.hpp"
#include "rpc/subscriptions.hpp"

namespace keel::rpc::eth {
namespace {

constexpr size_t kTxHashesMax = 200;  // geth

Converted<std::vector<core::Hash32>> to_hashes(JsonValue value) {
    return to_list(value, to_hash);
}

Answer<Subscription::Wish> parse_wish(Args& args, std::string_view name, const LogLimits& limits) {
    Subscription::Wish wish;
    if (name == "newHeads") {
        wish.topic = Topic::NewHeads;
    } else if (name == "logs") {
        wish.topic = Topic::Logs;
        if (const auto object = args.optional_object(1)) {
            auto filter = parse_log_filter(*object, limits);
            if (!filter) return core::unexpected(filter.error());
            if (filter->block_hash) {
                return fail(Code::InvalidParams, "a subscription to logs takes no blockHash");
            }
            wish.logs = *std::move(filter);
        }
    } else if (name == "newPendingTransactions") {
        wish.topic = Topic::PendingTxs;
        wish.full = args.optional(1, to_bool).value_or(false);
    } else if (name == "transactionReceipts") {
        wish.topic = Topic::TransactionReceipts;
        if (const auto object = args.optional_object(1)) {
            Members members(*object);
            members.read("transactionHashes", to_hashes, wish.tx_hashes);
            if (members.error()) return core::unexpected(*members.error());
            if (wish.tx_hashes.size() > kTxHashesMax) {
                return fail(Code::InvalidParams,
                            fmt::format("at most {} transaction hashes", kTxHashesMax));
            }
        }
    } else if (name == "syncing") {
        // There are no peers to sync from: told once, with the answer.
        wish.topic = Topic::Syncing;
    } else {
        return fail(Code::MethodNotFound,
                    fmt::format("no \"{}\" subscription in eth namespace", name));
    }
    if (!args.ok()) return args.error();
    return wish;
}

Answer<void> none_here() {
    return fail(Code::MethodNotFound, "notifications not supported");
}

}  // namespace

Answer<void> subscribe(Call& call) {
    if (call.exchange == nullptr || call.backend.subscriptions == nullptr) return none_here();
    Args args(call.params, 2);
    const std::string_view name = args.required(0, to_text);
    if (!args.ok()) return args.error();
    auto wish = parse_wish(args, name, call.backend.log_limits);
    if (!wish) return core::unexpected(wish.error());
    const auto subscription =
        call.backend.subscriptions->begin(*call.exchange->subscriber, *std::move(wish));
    if (!subscription) return core::unexpected(subscription.error());
    call.exchange->begun.push_back(*subscription);
    call.out.string((*subscription)->id());
    return {};
}

Answer<void> unsubscribe(Call& call) {
    if (call.exchange == nullptr || call.backend.subscriptions == nullptr) return none_here();
    Args args(call.params, 1);
    const std::string_view id = args.required(0, to_text);
    if (!args.ok()) return args.error();
    if (!call.backend.subscriptions->end(*call.exchange->subscriber, id)) {
        return fail(Code::Failed, "subscription not found");
    }
    call.out.boolean(true);
    return {};
}

}  // namespace keel::rpc::eth
