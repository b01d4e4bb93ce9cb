// When blocks are made, and what the next one says.

#include <fmt/format.h>

#include "core/clock.hpp"
#include "rpc/dev/methods.hpp"
#include "rpc/dev/solo.hpp"
#include "rpc/dev/values.hpp"
#include "rpc/members.hpp"

namespace keel::rpc::dev {
namespace {

// A call that mines more than this is a mistake.
constexpr uint64_t kBlocksMax = 1'000'000;
constexpr uint64_t kMsPerSecond = 1'000;

template <class Change>
Answer<void> change_settings(Call& call, const Args& args, const Change& change) {
    if (!args.ok()) return args.error();
    call.backend.solo->change(change);
    call.out.boolean(true);
    return {};
}

Answer<void> mine_blocks(Call& call, uint64_t count, uint64_t interval_s) {
    if (count > kBlocksMax) {
        return fail(Code::InvalidParams,
                    fmt::format("{} blocks are too many, at most {}", count, kBlocksMax));
    }
    return call.backend.solo->mine(count, std::max<uint64_t>(interval_s, 1));
}

/// Whether a block could have this timestamp now.
Answer<void> check_timestamp(Call& call, uint64_t timestamp) {
    Snapshot& snapshot = call.snapshot();
    const uint64_t head = snapshot.header(snapshot.head()).timestamp;
    if (timestamp > head) return {};
    return fail(Code::Failed,
                fmt::format("timestamp {} is not above that of the head, {}", timestamp, head));
}

Answer<void> set_interval(Call& call, uint64_t ms_per_unit) {
    Args args(call.params, 1);
    const uint64_t interval = args.required(0, to_count);
    return change_settings(
        call, args, [&](Settings& settings) { settings.interval_ms = interval * ms_per_unit; });
}

}  // namespace

// [timestamp], [{timestamp, blocks}] or nothing.
Answer<void> evm_mine(Call& call) {
    std::optional<uint64_t> timestamp;
    uint64_t count = 1;
    const auto first = call.params && call.params->is(JsonKind::Array) && call.params->size() > 0
                           ? std::optional(*call.params->begin())
                           : std::nullopt;
    if (first && first->is(JsonKind::Object)) {
        Members members(*first);
        members.read("timestamp", to_count, timestamp);
        members.read("blocks", to_count, count);
        if (members.error()) return core::unexpected(*members.error());
    } else {
        Args args(call.params, 1);
        timestamp = args.optional(0, to_count);
        if (!args.ok()) return args.error();
    }
    if (timestamp) {
        if (auto checked = check_timestamp(call, *timestamp); !checked) return checked;
        call.backend.solo->change([&](Settings& settings) { settings.next_timestamp = timestamp; });
    }
    if (auto mined = mine_blocks(call, count, 1); !mined) return mined;
    call.out.string("0x0");
    return {};
}

Answer<void> mine(Call& call) {
    Args args(call.params, 2);
    const uint64_t count = args.optional(0, to_count).value_or(1);
    const uint64_t interval_s = args.optional(1, to_count).value_or(1);
    if (!args.ok()) return args.error();
    if (auto mined = mine_blocks(call, count, interval_s); !mined) return mined;
    call.out.boolean(true);
    return {};
}

Answer<void> get_automine(Call& call) {
    const Args args(call.params, 0);
    if (!args.ok()) return args.error();
    call.out.boolean(call.backend.solo->settings().automine);
    return {};
}

Answer<void> set_automine(Call& call) {
    Args args(call.params, 1);
    const bool automine = args.boolean(0);
    return change_settings(call, args, [&](Settings& settings) { settings.automine = automine; });
}

// Seconds; null: no clock makes blocks.
Answer<void> get_interval_s(Call& call) {
    const Args args(call.params, 0);
    if (!args.ok()) return args.error();
    const uint64_t interval_ms = call.backend.solo->settings().interval_ms;
    if (interval_ms == 0) {
        call.out.null();
    } else {
        call.out.number(interval_ms / kMsPerSecond);
    }
    return {};
}
Answer<void> set_interval_ms(Call& call) {
    return set_interval(call, 1);
}
Answer<void> set_interval_s(Call& call) {
    return set_interval(call, kMsPerSecond);
}

Answer<void> increase_time(Call& call) {
    Args args(call.params, 1);
    const int64_t seconds = args.required(0, to_seconds);
    if (!args.ok()) return args.error();
    int64_t offset = 0;
    call.backend.solo->change([&](Settings& settings) {
        settings.clock_offset_s += seconds;
        offset = settings.clock_offset_s;
    });
    call.out.number(offset);
    return {};
}

Answer<void> set_time(Call& call) {
    Args args(call.params, 1);
    const int64_t time = args.required(0, to_seconds);
    if (!args.ok()) return args.error();
    const int64_t offset = time - static_cast<int64_t>(core::wall_clock_s());
    call.backend.solo->change([&](Settings& settings) { settings.clock_offset_s = offset; });
    call.out.number(offset);
    return {};
}

Answer<void> set_next_timestamp(Call& call) {
    Args args(call.params, 1);
    const uint64_t timestamp = args.required(0, to_count);
    if (!args.ok()) return args.error();
    if (auto checked = check_timestamp(call, timestamp); !checked) return checked;
    return change_settings(call, args,
                           [&](Settings& settings) { settings.next_timestamp = timestamp; });
}

Answer<void> set_timestamp_step(Call& call) {
    Args args(call.params, 1);
    const uint64_t step = args.required(0, to_count);
    return change_settings(call, args, [&](Settings& settings) {
        settings.timestamp_step_s = std::max<uint64_t>(step, 1);
    });
}

Answer<void> remove_timestamp_step(Call& call) {
    const Args args(call.params, 0);
    return change_settings(call, args,
                           [](Settings& settings) { settings.timestamp_step_s.reset(); });
}

Answer<void> set_gas_limit(Call& call) {
    Args args(call.params, 1);
    const uint64_t gas_limit = args.required(0, to_count);
    return change_settings(call, args, [&](Settings& settings) { settings.gas_limit = gas_limit; });
}

// Of chains before London; there, and in Hardhat, this is the answer.
Answer<void> set_min_gas_price(Call& call) {
    const Args args(call.params, 1);
    if (!args.ok()) return args.error();
    return fail(Code::Failed, "setMinGasPrice is not supported when EIP-1559 is active");
}

Answer<void> set_next_base_fee(Call& call) {
    Args args(call.params, 1);
    const core::U256 base_fee = args.required(0, to_amount);
    return change_settings(call, args,
                           [&](Settings& settings) { settings.next_base_fee = base_fee; });
}

Answer<void> set_prev_randao(Call& call) {
    Args args(call.params, 1);
    const core::U256 value = args.storage_key(0);
    return change_settings(call, args, [&](Settings& settings) {
        settings.next_prev_randao = core::Hash32(core::ByteView(value.to_be32()));
    });
}

Answer<void> set_coinbase(Call& call) {
    Args args(call.params, 1);
    const core::Address coinbase = args.address(0);
    return change_settings(call, args, [&](Settings& settings) { settings.coinbase = coinbase; });
}

Answer<void> drop_transaction(Call& call) {
    Args args(call.params, 1);
    const core::Hash32 hash = args.hash(0);
    if (!args.ok()) return args.error();
    call.out.boolean(call.backend.pool->drop(hash));
    return {};
}

Answer<void> drop_transactions_of(Call& call) {
    Args args(call.params, 1);
    const core::Address sender = args.address(0);
    if (!args.ok()) return args.error();
    std::vector<pool::TxHandle> others = call.backend.pool->all();
    std::erase_if(others, [&](const pool::TxHandle& each) { return each->sender == sender; });
    call.backend.pool->replace(others);
    call.out.null();
    return {};
}

Answer<void> drop_all_transactions(Call& call) {
    const Args args(call.params, 0);
    if (!args.ok()) return args.error();
    call.backend.pool->replace({});
    call.out.null();
    return {};
}

}  // namespace keel::rpc::dev
