#include "rpc/eth/log_filter.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "chain/log_index.hpp"
#include "core/types/bloom.hpp"
#include "crypto/keccak.hpp"
#include "rpc/eth/block_logs.hpp"
#include "rpc/members.hpp"

namespace keel::rpc::eth {
namespace {

using core::Address;
using core::Hash32;

constexpr size_t kPositions = 4;

/// One value or a list of them.
template <class T>
Converted<std::vector<T>> to_one_or_many(JsonValue value, Converted<T> (*convert)(JsonValue)) {
    if (value.is(JsonKind::Array)) return to_list(value, convert);
    auto one = convert(value);
    if (!one) return core::unexpected(one.error());
    return std::vector<T>{*std::move(one)};
}

Converted<std::vector<Hash32>> to_position(JsonValue value) {
    if (value.is(JsonKind::Null)) return std::vector<Hash32>{};
    // null within a position is any, too.
    if (value.is(JsonKind::Array)) {
        for (const JsonValue each : value) {
            if (each.is(JsonKind::Null)) return std::vector<Hash32>{};
        }
    }
    return to_one_or_many(value, to_hash);
}

Converted<std::vector<std::vector<Hash32>>> to_topics(JsonValue value) {
    return to_list(value, to_position);
}

Converted<std::vector<Address>> to_addresses(JsonValue value) {
    return to_one_or_many(value, to_address);
}

template <class T>
bool accepts(const std::vector<T>& choices, core::ByteView value) {
    return choices.empty() ||
           std::ranges::any_of(choices, [&](const T& choice) { return choice.view() == value; });
}

/// The header's bloom, for blocks that no index covers.
class BloomFilter {
  public:
    explicit BloomFilter(const LogFilter& filter) {
        add(filter.addresses);
        for (const auto& position : filter.topics) add(position);
    }
    bool may_match(const core::Bloom& bloom) const {
        return std::ranges::all_of(groups_, [&](const std::vector<Hash32>& group) {
            return std::ranges::any_of(group, [&](const Hash32& digest) {
                return core::bloom_may_contain(bloom, digest);
            });
        });
    }

  private:
    template <class T>
    void add(const std::vector<T>& choices) {
        if (choices.empty()) return;
        std::vector<Hash32>& group = groups_.emplace_back();
        for (const T& choice : choices) group.push_back(crypto::keccak256(choice));
    }

    std::vector<std::vector<Hash32>> groups_;  // one of each must be in
};

/// Walks over the blocks that can have a matching log.
class Candidates {
  public:
    Candidates(const Snapshot& snapshot, const LogFilter& filter, Patience& patience,
               bool use_index)
        : snapshot_(snapshot),
          filter_(filter),
          patience_(patience),
          bloom_(filter),
          indexed_(use_index ? snapshot.blocks().indexed() : 0),
          any_(filter.addresses.empty() &&
               std::ranges::all_of(filter.topics, &std::vector<Hash32>::empty)) {}

    /// First candidate from `number` to `last`; none, too, when patience has ended.
    std::optional<uint64_t> next(uint64_t number, uint64_t last) {
        if (patience_.has_ended()) return std::nullopt;
        if (any_) return number <= last ? std::optional(number) : std::nullopt;
        // Block 0 has no logs; the index speaks of those above a number.
        number = std::max<uint64_t>(number, 1);
        if (number <= indexed_) {
            if (const auto found = next_indexed(number)) {
                return *found <= last ? found : std::nullopt;
            }
            number = indexed_ + 1;
        }
        for (; number <= last && !patience_.has_ended(); ++number) {
            const auto hash = snapshot_.blocks().canonical_hash(number);
            if (hash && bloom_.may_match(snapshot_.header({number, *hash}).bloom)) return number;
        }
        return std::nullopt;
    }

  private:
    /// The first indexed block from `number` on that all groups have; each is asked again from
    /// where the last one led.
    std::optional<uint64_t> next_indexed(uint64_t number) const {
        for (;;) {
            uint64_t at = number;
            if (!filter_.addresses.empty()) {
                const auto found = nearest(filter_.addresses, at, [&](const Address& address) {
                    return chain::next_block_with(snapshot_.txn(), snapshot_.tables(), address,
                                                  at - 1);
                });
                if (!found) return std::nullopt;
                at = *found;
            }
            for (size_t i = 0; i < filter_.topics.size(); ++i) {
                if (filter_.topics[i].empty()) continue;
                const auto found = nearest(filter_.topics[i], at, [&](const Hash32& topic) {
                    return chain::next_block_with(snapshot_.txn(), snapshot_.tables(), topic, i,
                                                  at - 1);
                });
                if (!found) return std::nullopt;
                at = *found;
            }
            if (at == number) return at;
            number = at;
        }
    }
    template <class T, class Find>
    static std::optional<uint64_t> nearest(const std::vector<T>& choices, uint64_t at,
                                           const Find& find) {
        std::optional<uint64_t> best;
        for (const T& choice : choices) {
            const std::optional<uint64_t> found = find(choice);
            if (found && (!best || *found < *best)) best = found;
            if (best == at) break;
        }
        return best;
    }

    const Snapshot& snapshot_;
    const LogFilter& filter_;
    Patience& patience_;
    BloomFilter bloom_;
    uint64_t indexed_;
    bool any_;
};

Answer<uint64_t> resolve_bound(Snapshot& snapshot, const std::optional<BlockSelector>& bound) {
    const BlockSelector selector = bound.value_or(BlockSelector{});
    if (selector.kind == BlockSelector::Kind::Number) return selector.number;
    const auto id = snapshot.require(selector);
    if (!id) return core::unexpected(id.error());
    return id->number;
}

}  // namespace

bool LogFilter::matches(const chain::LogView& log) const {
    if (!accepts(addresses, log.address)) return false;
    if (log.topic_count < topics.size()) return false;
    for (size_t i = 0; i < topics.size(); ++i) {
        if (!accepts(topics[i], log.topics[i])) return false;
    }
    return true;
}

Answer<LogFilter> parse_log_filter(JsonValue object, const LogLimits& limits) {
    LogFilter filter;
    Members members(object);
    members.read("blockHash", to_hash, filter.block_hash);
    members.read("fromBlock", to_block, filter.from);
    members.read("toBlock", to_block, filter.to);
    members.read("address", to_addresses, filter.addresses);
    members.read("topics", to_topics, filter.topics);
    if (members.error()) return core::unexpected(*members.error());
    if (filter.block_hash && (filter.from || filter.to)) {
        return fail(Code::InvalidParams,
                    "invalid argument 0: cannot specify both BlockHash and FromBlock/ToBlock, "
                    "choose one or the other");
    }
    for (const auto& bound : {filter.from, filter.to}) {
        if (bound && bound->kind == BlockSelector::Kind::Pending) {
            return fail(Code::InvalidParams, "pending logs are not supported");
        }
    }
    if (filter.topics.size() > kPositions) return fail(Code::InvalidParams, "exceed max topics");
    const uint64_t choices_max = limits.choices_max == 0 ? UINT64_MAX : limits.choices_max;
    const bool too_many = filter.addresses.size() > choices_max ||
                          std::ranges::any_of(filter.topics, [choices_max](const auto& each) {
                              return each.size() > choices_max;
                          });
    if (too_many) {
        return fail(Code::Failed, "exceed max addresses or topics per search position");
    }
    return filter;
}

Answer<BlockRange> resolve_range(Snapshot& snapshot, const LogFilter& filter,
                                 const LogLimits& limits) {
    const auto first = resolve_bound(snapshot, filter.from);
    if (!first) return core::unexpected(first.error());
    const auto last = resolve_bound(snapshot, filter.to);
    if (!last) return core::unexpected(last.error());
    if (*first > *last) return fail(Code::InvalidParams, "invalid block range params");
    if (*last > snapshot.head().number) {
        return fail(Code::InvalidParams, "block range extends beyond current head block");
    }
    if (limits.blocks_max > 0 && *last - *first >= limits.blocks_max) {
        return fail(Code::InvalidParams,
                    fmt::format("exceed maximum block range {}", limits.blocks_max));
    }
    return BlockRange{*first, *last};
}

uint64_t write_block_logs(JsonOut& out, const Snapshot& snapshot, const chain::BlockId& id,
                          const LogFilter& filter, bool removed) {
    uint64_t written = 0;
    visit_logs(
        snapshot, id, [&filter](const chain::LogView& log) { return filter.matches(log); },
        [&](const chain::LogView& log, const MinedPlace& place, const Hash32& tx_hash,
            uint64_t index) {
            write_log(out, log, place, tx_hash, index, removed);
            ++written;
        });
    return written;
}

Answer<void> write_logs_of(JsonOut& out, Snapshot& snapshot, const LogFilter& filter,
                           const LogLimits& limits, Patience patience, bool use_index) {
    const chain::BlockReader& blocks = snapshot.blocks();
    if (filter.block_hash) {
        const auto id = blocks.id_of(*filter.block_hash);
        if (!id) return fail(Code::Failed, "unknown block");
        out.begin_array();
        write_block_logs(out, snapshot, *id, filter);
        out.end_array();
        return {};
    }
    const auto range = resolve_range(snapshot, filter, limits);
    if (!range) return core::unexpected(range.error());
    Candidates candidates(snapshot, filter, patience, use_index);
    uint64_t written = 0;
    uint64_t done_to = range->first;
    out.begin_array();
    for (auto number = candidates.next(range->first, range->last); number;
         number = candidates.next(*number + 1, range->last)) {
        const chain::BlockId id{*number, blocks.canonical_hash(*number).value()};
        written += write_block_logs(out, snapshot, id, filter);
        done_to = *number;
        if (limits.logs_max > 0 && written > limits.logs_max) {
            return fail(Code::InvalidParams,
                        fmt::format("query returned more than {} results; blocks {:#x} to {:#x} "
                                    "have that many",
                                    limits.logs_max, range->first, *number));
        }
    }
    if (patience.end()) {
        Error error = *patience.end();
        error.message +=
            fmt::format("; blocks {:#x} to {:#x} are done in that time", range->first, done_to);
        return core::unexpected(std::move(error));
    }
    out.end_array();
    return {};
}

}  // namespace keel::rpc::eth
