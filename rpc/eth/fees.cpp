// What gas costs now, and did before. Source: execution-apis, eth/fee_market; the price that is
// suggested: RPC.md 1.7, as geth's oracle has it.

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "chain/base_fee.hpp"
#include "chain/blob_fee.hpp"
#include "rpc/eth/fee_cache.hpp"
#include "rpc/eth/fees.hpp"
#include "rpc/eth/objects.hpp"
#include "rpc/head_signal.hpp"
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
void write_rewards(JsonOut& out, const BlockFees& block, const std::vector<double>& percentiles) {
    out.begin_array();
    for (const double percentile : percentiles) {
        if (block.paid.empty()) {
            out.quantity(uint64_t{0});
            continue;
        }
        const auto threshold =
            static_cast<uint64_t>(static_cast<double>(block.gas_used) * percentile / 100);
        const auto found =
            std::ranges::lower_bound(block.paid, threshold, {}, &BlockFees::Paid::gas);
        out.quantity(found == block.paid.end() ? block.paid.back().tip : found->tip);
    }
    out.end_array();
}

U256 blob_fee_of(const core::Header& header, const chain::BlockRules& rules) {
    if (!header.excess_blob_gas) return {};
    return chain::blob_base_fee(*header.excess_blob_gas, rules.blobs.base_fee_update_fraction);
}

/// Of the block behind this one, by the schedule of this one.
U256 next_blob_fee(const core::Header& header, const chain::BlockRules& rules) {
    if (!header.excess_blob_gas) return {};
    const uint64_t excess =
        chain::next_excess_blob_gas({.excess_blob_gas = *header.excess_blob_gas,
                                     .blob_gas_used = header.blob_gas_used.value_or(0),
                                     .base_fee = header.base_fee.value_or(U256{})},
                                    rules.blobs, rules.rules.eip_7918);
    return chain::blob_base_fee(excess, rules.blobs.base_fee_update_fraction);
}

/// As a JSON number.
std::string ratio_of(uint64_t used, uint64_t limit) {
    JsonOut out;
    out.number(limit == 0 ? 0.0 : static_cast<double>(used) / static_cast<double>(limit));
    return std::string(out.text());
}

/// What each transaction paid, and which tips count for a suggestion: the lowest ones, without
/// those of the block's own producer and tiny ones.
void add_tips(BlockFees& fees, const chain::BlockReader& blocks, const chain::BlockId& id,
              const core::Header& header) {
    const size_t count = blocks.tx_count(id);
    fees.paid.reserve(count);
    uint64_t gas_before = 0;
    for (size_t i = 0; i < count; ++i) {
        const uint64_t gas = blocks.cumulative_gas(id, i);
        const U256 tip = tip_of(blocks.tx(id, i), header.base_fee);
        fees.paid.push_back({.tip = tip, .gas = gas - gas_before});
        gas_before = gas;
        if (tip < U256(kTipIgnoredBelow) || blocks.sender(id, i) == header.coinbase) continue;
        fees.lowest.push_back(tip);
    }
    std::ranges::sort(fees.paid, {}, &BlockFees::Paid::tip);
    for (size_t i = 1; i < fees.paid.size(); ++i) fees.paid[i].gas += fees.paid[i - 1].gas;
    std::ranges::sort(fees.lowest);
    if (fees.lowest.size() > kTipsOfBlock) fees.lowest.resize(kTipsOfBlock);
}

std::shared_ptr<const BlockFees> fees_of(Call& call, const chain::BlockId& id) {
    HeadSignal* const shared = call.backend.head_signal;
    if (shared != nullptr) {
        if (auto found = shared->fees().find(id.hash)) return found;
    }
    Snapshot& snapshot = call.snapshot();
    const chain::ForkSchedule& schedule = *call.backend.schedule;
    const core::Header header = snapshot.header(id);
    const chain::BlockRules rules = snapshot.rules(schedule, id, header);
    auto fees = std::make_shared<BlockFees>();
    fees->parent = header.parent_hash;
    fees->base_fee = header.base_fee;
    fees->next_base_fee = base_fee_after(schedule, header);
    fees->blob_fee = blob_fee_of(header, rules);
    fees->next_blob_fee = next_blob_fee(header, rules);
    fees->gas_used = header.gas_used;
    fees->gas_ratio = ratio_of(header.gas_used, header.gas_limit);
    fees->blob_ratio =
        ratio_of(header.blob_gas_used.value_or(0), rules.blobs.max * chain::kGasPerBlob);
    add_tips(*fees, snapshot.blocks(), id, header);
    if (shared != nullptr) shared->fees().put(id.hash, fees);
    return fees;
}

/// Elements that are JSON already.
void write_all_of(JsonOut& out, const std::vector<std::shared_ptr<const BlockFees>>& blocks,
                  std::string BlockFees::* text) {
    for (const auto& each : blocks) {
        const std::string& element = (*each).*text;
        JsonRun(out, element.size()).text(std::string_view(element));
    }
}

void write_history(JsonOut& out, uint64_t oldest,
                   const std::vector<std::shared_ptr<const BlockFees>>& blocks,
                   const std::vector<double>& percentiles) {
    const BlockFees& newest = *blocks.back();
    out.begin_object();
    out.quantity("oldestBlock", oldest);
    if (!percentiles.empty()) {
        out.key("reward");
        out.begin_array();
        for (const auto& each : blocks) write_rewards(out, *each, percentiles);
        out.end_array();
    }
    out.key("baseFeePerGas");
    out.begin_array();
    for (const auto& each : blocks) out.quantity(each->base_fee.value_or(U256{}));
    out.quantity(newest.next_base_fee.value_or(U256{}));
    out.end_array();
    out.key("gasUsedRatio");
    out.begin_array();
    write_all_of(out, blocks, &BlockFees::gas_ratio);
    out.end_array();
    out.key("baseFeePerBlobGas");
    out.begin_array();
    for (const auto& each : blocks) out.quantity(each->blob_fee);
    out.quantity(newest.next_blob_fee);
    out.end_array();
    out.key("blobGasUsedRatio");
    out.begin_array();
    write_all_of(out, blocks, &BlockFees::blob_ratio);
    out.end_array();
    out.end_object();
}

}  // namespace

U256 suggested_tip(Call& call) {
    std::vector<U256> tips;
    chain::BlockId at = call.snapshot().head();
    uint64_t wanted = kSampleBlocks;
    for (uint64_t seen = 0; seen < wanted && at.number > 0; ++seen) {
        const auto fees = fees_of(call, at);
        // A block that says little is made up for by an older one, up to twice as many in all.
        if (fees->lowest.size() <= 1) wanted = std::min(wanted + 1, 2 * kSampleBlocks);
        tips.insert(tips.end(), fees->lowest.begin(), fees->lowest.end());
        if (fees->lowest.empty()) tips.emplace_back(kTipFloor);
        at = {at.number - 1, fees->parent};
    }
    if (tips.empty()) return U256(kTipFloor);
    std::ranges::sort(tips);
    return std::min(tips[(tips.size() - 1) * kTipPercentile / 100], U256(kTipMax));
}

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
        call.out.quantity(blob_fee_of(header, rules));
    } else {
        call.out.null();
    }
    return {};
}

Answer<void> max_priority_fee_per_gas(Call& call) {
    const Args args(call.params, 0);
    if (!args.ok()) return args.error();
    call.out.quantity(suggested_tip(call));
    return {};
}

Answer<void> gas_price(Call& call) {
    const Args args(call.params, 0);
    if (!args.ok()) return args.error();
    Snapshot& snapshot = call.snapshot();
    const U256 base = snapshot.header(snapshot.head()).base_fee.value_or(U256{});
    call.out.quantity(suggested_tip(call) + base);
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
    std::vector<std::shared_ptr<const BlockFees>> blocks;
    chain::BlockId at = *newest;
    for (uint64_t left = std::min(count, kHistoryBlocksMax);; --left) {
        blocks.push_back(fees_of(call, at));
        if (at.number == 0 || left == 1) break;
        at = {at.number - 1, blocks.back()->parent};
    }
    std::ranges::reverse(blocks);
    write_history(call.out, at.number, blocks, percentiles);
    return {};
}

}  // namespace keel::rpc::eth
