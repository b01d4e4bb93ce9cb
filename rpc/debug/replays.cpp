// What the state is between two transactions of a block: debug_intermediateRoots,
// debug_storageRangeAt. Source: geth's eth/tracers and eth/api_debug.

#include <fmt/format.h>

#include <algorithm>

#include "chain/chain.hpp"
#include "core/hex.hpp"
#include "crypto/keccak.hpp"
#include "rpc/debug/counts.hpp"
#include "rpc/debug/replay.hpp"
#include "rpc/methods.hpp"
#include "state/state_root.hpp"

namespace keel::rpc::debug {
namespace {

constexpr uint64_t kRangeMax = 1'000;  // slots of an answer

/// Tries of the state that a block begins on.
class TriesBefore {
  public:
    TriesBefore(Snapshot& snapshot, const chain::BlockId& parent)
        : newest_(snapshot.txn(), snapshot.tables()) {
        if (parent == snapshot.head()) return;
        layer_.changes = chain::changes_back_to(snapshot.txn(), snapshot.tables(), parent.number);
        state::resolve_state_root(newest_, layer_.changes, &layer_.tries);
        layered_.emplace(newest_, path_);
    }
    TriesBefore(const TriesBefore&) = delete;
    TriesBefore& operator=(const TriesBefore&) = delete;

    core::Hash32 root_after(state::ChangeSet changes) {
        state::TrieReader& tries = layered_ ? static_cast<state::TrieReader&>(*layered_) : newest_;
        return state::resolve_state_root(tries, changes, nullptr);
    }

  private:
    state::NewestTries newest_;
    state::Layer layer_;
    const state::Layer* path_[1] = {&layer_};
    std::optional<state::LayeredTries> layered_;
};

struct Slot {
    core::Hash32 hashed_key;
    core::U256 key, value;
};

/// Ascending by hashed key, from this one on.
std::vector<Slot> slots_from(state::StateReader& state, const core::Address& address,
                             const core::Hash32& first) {
    std::vector<Slot> slots;
    const auto account = state.account(address);
    if (!account || account->storage_root == core::kEmptyTrieRoot) return slots;
    state.each_slot(address, [&](const core::U256& key, const core::U256& value) {
        const core::Hash32 hashed = crypto::keccak256(core::ByteView(key.to_be32()));
        if (!(hashed < first)) slots.push_back({hashed, key, value});
    });
    std::ranges::sort(slots, {}, &Slot::hashed_key);
    return slots;
}

void write_slots(JsonOut& out, const std::vector<Slot>& slots, uint64_t count_max) {
    const size_t count = std::min<size_t>(slots.size(), std::min(count_max, kRangeMax));
    out.begin_object();
    out.key("storage");
    out.begin_object();
    for (size_t i = 0; i < count; ++i) {
        out.key(core::to_hex_prefixed(slots[i].hashed_key));
        out.begin_object();
        out.data("key", slots[i].key.to_be32());
        out.data("value", slots[i].value.to_be32());
        out.end_object();
    }
    out.end_object();
    out.key("nextKey");
    if (count < slots.size()) {
        out.data(slots[count].hashed_key);
    } else {
        out.null();
    }
    out.end_object();
}

/// A key of fewer bytes than a hash stands for the first hash that begins so.
Converted<core::Hash32> to_first_key(JsonValue value) {
    const auto bytes = to_bytes(value);
    if (!bytes) return core::unexpected(bytes.error());
    if (bytes->size() > core::Hash32::kSize) return core::unexpected(std::string("too long"));
    core::Hash32 key;
    std::ranges::copy(*bytes, key.bytes.begin());
    return key;
}

}  // namespace

Converted<uint64_t> to_count(JsonValue value) {
    if (!value.is(JsonKind::Number)) return to_uint64(value);
    const std::string text(value.raw());
    if (text.empty() || text.size() > 9 || !std::ranges::all_of(text, [](char character) {
            return character >= '0' && character <= '9';
        })) {
        return core::unexpected(std::string("not a small whole number"));
    }
    return std::stoull(text);
}

Answer<void> intermediate_roots(Call& call) {
    Args args(call.params, 2);
    const core::Hash32 hash = args.hash(0);
    static_cast<void>(args.optional_object(1));
    if (!args.ok()) return args.error();
    Snapshot& snapshot = call.snapshot();
    const auto id = snapshot.blocks().id_of(hash);
    if (!id) {
        return fail(Code::Failed, fmt::format("block {} not found", core::to_hex_prefixed(hash)));
    }
    const auto replay = BlockReplay::of(call, *id);
    if (!replay) return core::unexpected(replay.error());
    TriesBefore tries(snapshot, snapshot.blocks().parent_of(*id));
    call.out.begin_array();
    while ((*replay)->next() < (*replay)->size()) {
        if (auto ran = (*replay)->run_next(nullptr); !ran) return core::unexpected(ran.error());
        call.out.data(tries.root_after((*replay)->journal().changes()));
    }
    call.out.end_array();
    return {};
}

Answer<void> storage_range_at(Call& call) {
    Args args(call.params, 5);
    const BlockSelector selector = args.block(0);
    const uint64_t tx_index = args.required(1, to_count);
    const core::Address address = args.address(2);
    const core::Hash32 first = args.required(3, to_first_key);
    const uint64_t count_max = args.required(4, to_count);
    if (!args.ok()) return args.error();
    const auto id = call.snapshot().require(selector);
    if (!id) return core::unexpected(id.error());
    const auto replay = BlockReplay::of(call, *id);
    if (!replay) return core::unexpected(replay.error());
    if (tx_index > (*replay)->size()) {
        return fail(Code::Failed, fmt::format("transaction index {} out of range for block {}",
                                              tx_index, core::to_hex_prefixed(id->hash)));
    }
    while ((*replay)->next() < tx_index) {
        if (auto ran = (*replay)->run_next(nullptr); !ran) return core::unexpected(ran.error());
    }
    const auto state = (*replay)->take_state();
    write_slots(call.out, slots_from(*state, address, first), count_max);
    return {};
}

}  // namespace keel::rpc::debug
