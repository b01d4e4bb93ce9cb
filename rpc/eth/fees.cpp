// What gas costs now, and did before. Source: execution-apis, eth/fee_market; the price that is
// suggested: RPC.md 1.7, as geth's oracle has it.

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "chain/base_fee.hpp"
#include "chain/blob_fee.hpp"
#include "rpc/eth/objects.hpp"
#include "rpc/members.hpp"
#include "rpc/methods.hpp"

namespace keel::rpc::eth {
namespace {

using core::U256;

constexpr uint64_t kSampleBlocks = 20;
constexpr size_t kTipsOfBlock = 3;
constexpr size_t kTipPercentile = 60;
constexpr uint64_t kTipIgnoredBelow = 2;       // wei
constexpr uint64_t kTipMax = 500'000'000'000;  // wei
constexpr uint64_t kTipFloor = 1;              // wei
constexpr uint64_t kHistoryBlocksMax = 1024;
constexpr size_t kPercentilesMax = 100;

/// What the block's producer got of each transaction for a gas.
U256 tip_of(const core::Tx& tx, const std::optional<U256>& base_fee) {
    const U256 price = effective_gas_price(tx, base_fee);
    if (!base_fee) return price;
    return price > *base_fee ? price - *base_fee : U256{};
}

/// The lowest tips of a block, ascending; those of its own producer and tiny ones are left out.
std::vector<U256> lowest_tips(const Snapshot& snapshot, const chain::BlockId& id) {
    const chain::BlockReader& blocks = snapshot.blocks();
    const core::Header header = snapshot.header(id);
    std::vector<U256> tips;
    const size_t count = blocks.tx_count(id);
    for (size_t i = 0; i < count; ++i) {
        const U256 tip = tip_of(blocks.tx(id, i), header.base_fee);
        if (tip < U256(kTipIgnoredBelow) || blocks.sender(id, i) == header.coinbase) continue;
        tips.push_back(tip);
    }
    std::ranges::sort(tips);
    if (tips.size() > kTipsOfBlock) tips.resize(kTipsOfBlock);
    return tips;
}

U256 suggested_tip(Snapshot& snapshot) {
    std::vector<U256> tips;
    chain::BlockId at = snapshot.head();
    uint64_t wanted = kSampleBlocks;
    for (uint64_t seen = 0; seen < wanted && at.number > 0; ++seen) {
        std::vector<U256> own = lowest_tips(snapshot, at);
        // A block that says little is made up for by an older one, up to twice as many in all.
        if (own.size() <= 1) wanted = std::min(wanted + 1, 2 * kSampleBlocks);
        if (own.empty()) own.push_back(U256(kTipFloor));
        tips.insert(tips.end(), own.begin(), own.end());
        at = snapshot.blocks().parent_of(at);
    }
    if (tips.empty()) return U256(kTipFloor);
    std::ranges::sort(tips);
    return std::min(tips[(tips.size() - 1) * kTipPercentile / 100], U256(kTipMax));
}

/// Of the block behind `header`; none before London.
std::optional<U256> base_fee_after(const chain::ForkSchedule& schedule,
                                   const core::Header& header) {
    if (header.base_fee) {
        return chain::next_base_fee(*header.base_fee, header.gas_limit, header.gas_used);
    }
    const bool starts = schedule.at(header.number + 1, header.timestamp, false).rules.eip_1559;
    return starts ? std::optional(U256(chain::kInitialBaseFee)) : std::nullopt;
}

void write_optional(JsonOut& out, const std::optional<U256>& value) {
    if (value) {
        out.quantity(*value);
    } else {
        out.null();
    }
}

Converted<uint64_t> to_count(JsonValue value) {
    if (value.is(JsonKind::String) && value.text().starts_with("0x")) return to_uint64(value);
    uint64_t count = 0;
    const std::string_view text =
        value.is(JsonKind::String) || value.is(JsonKind::Number) ? value.text() : "";
    const auto read = std::from_chars(text.data(), text.data() + text.size(), count);
    if (text.empty() || read.ec != std::errc() || read.ptr != text.data() + text.size()) {
        return core::unexpected(std::string("not a number"));
    }
    return count;
}

Converted<double> to_percentile(JsonValue value) {
    double percentile = 0;
    const std::string_view text = value.is(JsonKind::Number) ? value.raw() : "";
    const auto read = std::from_chars(text.data(), text.data() + text.size(), percentile);
    if (text.empty() || read.ec != std::errc())
        return core::unexpected(std::string("not a number"));
    return percentile;
}

Answer<void> check_percentiles(const std::vector<double>& percentiles) {
    if (percentiles.size() > kPercentilesMax) {
        return fail(Code::Failed, fmt::format("invalid reward percentile: over the query limit {}",
                                              kPercentilesMax));
    }
    for (size_t i = 0; i < percentiles.size(); ++i) {
        if (!(percentiles[i] >= 0 && percentiles[i] <= 100)) {
            return fail(Code::Failed, fmt::format("invalid reward percentile: {}", percentiles[i]));
        }
        if (i > 0 && percentiles[i] <= percentiles[i - 1]) {
            return fail(Code::Failed, fmt::format("invalid reward percentile: #{}:{} >= #{}:{}",
                                                  i - 1, percentiles[i - 1], i, percentiles[i]));
        }
    }
    return {};
}

/// Writes the tips at the percentiles of a block's gas, cheapest first.
void write_rewards(JsonOut& out, const Snapshot& snapshot, const chain::BlockId& id,
                   const core::Header& header, const std::vector<double>& percentiles) {
    struct Paid {
        U256 tip;
        uint64_t gas;
    };
    const chain::BlockReader& blocks = snapshot.blocks();
    std::vector<Paid> paid(blocks.tx_count(id));
    uint64_t gas_before = 0;
    for (size_t i = 0; i < paid.size(); ++i) {
        const uint64_t gas = blocks.cumulative_gas(id, i);
        paid[i] = {tip_of(blocks.tx(id, i), header.base_fee), gas - gas_before};
        gas_before = gas;
    }
    std::ranges::sort(paid, {}, &Paid::tip);
    out.begin_array();
    size_t at = 0;
    uint64_t gas = paid.empty() ? 0 : paid[0].gas;
    for (const double percentile : percentiles) {
        if (paid.empty()) {
            out.quantity(uint64_t{0});
            continue;
        }
        const auto threshold =
            static_cast<uint64_t>(static_cast<double>(header.gas_used) * percentile / 100);
        while (gas < threshold && at + 1 < paid.size()) gas += paid[++at].gas;
        out.quantity(paid[at].tip);
    }
    out.end_array();
}

struct HistoryBlock {
    chain::BlockId id;
    core::Header header;
    chain::BlockRules rules;
};

U256 blob_fee_of(const HistoryBlock& block) {
    if (!block.header.excess_blob_gas) return {};
    return chain::blob_base_fee(*block.header.excess_blob_gas,
                                block.rules.blobs.base_fee_update_fraction);
}

/// Of the block behind the newest one, by the schedule of that one.
U256 next_blob_fee(const HistoryBlock& newest) {
    const core::Header& header = newest.header;
    if (!header.excess_blob_gas) return {};
    const uint64_t excess =
        chain::next_excess_blob_gas({.excess_blob_gas = *header.excess_blob_gas,
                                     .blob_gas_used = header.blob_gas_used.value_or(0),
                                     .base_fee = header.base_fee.value_or(U256{})},
                                    newest.rules.blobs, newest.rules.rules.eip_7918);
    return chain::blob_base_fee(excess, newest.rules.blobs.base_fee_update_fraction);
}

double blob_ratio_of(const HistoryBlock& block) {
    const uint64_t max = block.rules.blobs.max * chain::kGasPerBlob;
    if (!block.header.blob_gas_used || max == 0) return 0;
    return static_cast<double>(*block.header.blob_gas_used) / static_cast<double>(max);
}

void write_history(Call& call, const std::vector<HistoryBlock>& blocks,
                   const std::vector<double>& percentiles) {
    JsonOut& out = call.out;
    const HistoryBlock& newest = blocks.back();
    out.begin_object();
    out.quantity("oldestBlock", blocks.front().id.number);
    if (!percentiles.empty()) {
        out.key("reward");
        out.begin_array();
        for (const HistoryBlock& each : blocks) {
            write_rewards(out, call.snapshot(), each.id, each.header, percentiles);
        }
        out.end_array();
    }
    out.key("baseFeePerGas");
    out.begin_array();
    for (const HistoryBlock& each : blocks) out.quantity(each.header.base_fee.value_or(U256{}));
    out.quantity(base_fee_after(*call.backend.schedule, newest.header).value_or(U256{}));
    out.end_array();
    out.key("gasUsedRatio");
    out.begin_array();
    for (const HistoryBlock& each : blocks) {
        out.number(each.header.gas_limit == 0 ? 0.0
                                              : static_cast<double>(each.header.gas_used) /
                                                    static_cast<double>(each.header.gas_limit));
    }
    out.end_array();
    out.key("baseFeePerBlobGas");
    out.begin_array();
    for (const HistoryBlock& each : blocks) out.quantity(blob_fee_of(each));
    out.quantity(next_blob_fee(newest));
    out.end_array();
    out.key("blobGasUsedRatio");
    out.begin_array();
    for (const HistoryBlock& each : blocks) out.number(blob_ratio_of(each));
    out.end_array();
    out.end_object();
}

}  // namespace

Answer<void> base_fee(Call& call) {
    const Args args(call.params, 0);
    if (!args.ok()) return args.error();
    Snapshot& snapshot = call.snapshot();
    write_optional(call.out,
                   base_fee_after(*call.backend.schedule, snapshot.header(snapshot.head())));
    return {};
}

Answer<void> blob_base_fee(Call& call) {
    const Args args(call.params, 0);
    if (!args.ok()) return args.error();
    Snapshot& snapshot = call.snapshot();
    const chain::BlockId head = snapshot.head();
    const core::Header header = snapshot.header(head);
    if (header.excess_blob_gas) {
        const auto rules = snapshot.rules(*call.backend.schedule, head, header);
        call.out.quantity(blob_fee_of({head, header, rules}));
    } else {
        call.out.null();
    }
    return {};
}

Answer<void> max_priority_fee_per_gas(Call& call) {
    const Args args(call.params, 0);
    if (!args.ok()) return args.error();
    call.out.quantity(suggested_tip(call.snapshot()));
    return {};
}

Answer<void> gas_price(Call& call) {
    const Args args(call.params, 0);
    if (!args.ok()) return args.error();
    Snapshot& snapshot = call.snapshot();
    const U256 base = snapshot.header(snapshot.head()).base_fee.value_or(U256{});
    call.out.quantity(suggested_tip(snapshot) + base);
    return {};
}

Answer<void> fee_history(Call& call) {
    Args args(call.params, 3);
    const uint64_t count = args.required(0, to_count);
    const BlockSelector selector = args.block(1);
    const auto percentiles =
        args.required(2, +[](JsonValue value) { return to_list(value, to_percentile); });
    if (!args.ok()) return args.error();
    if (auto checked = check_percentiles(percentiles); !checked) return checked;
    Snapshot& snapshot = call.snapshot();
    if (selector.kind == BlockSelector::Kind::Number && selector.number > snapshot.head().number) {
        return fail(Code::Failed, fmt::format("request beyond head block: requested {}, head {}",
                                              selector.number, snapshot.head().number));
    }
    const auto newest = snapshot.require(selector);
    if (!newest) return core::unexpected(newest.error());
    if (count == 0) {
        call.out.begin_object();
        call.out.quantity("oldestBlock", uint64_t{0});
        call.out.null("gasUsedRatio");
        call.out.end_object();
        return {};
    }
    std::vector<HistoryBlock> blocks;
    chain::BlockId at = *newest;
    for (uint64_t left = std::min(count, kHistoryBlocksMax); left > 0; --left) {
        core::Header header = snapshot.header(at);
        const auto rules = snapshot.rules(*call.backend.schedule, at, header);
        const core::Hash32 parent = header.parent_hash;
        blocks.push_back({at, std::move(header), rules});
        if (at.number == 0) break;
        at = {at.number - 1, parent};
    }
    std::ranges::reverse(blocks);
    write_history(call, blocks, percentiles);
    return {};
}

}  // namespace keel::rpc::eth
