#include <fmt/format.h>

#include <ranges>

#include "core/hex.hpp"
#include "rpc/engine/engine_impl.hpp"

namespace keel::rpc::engine {
namespace {

using chain::BlockId;

// The chunked indexes follow the head in steps of this many blocks.
constexpr uint64_t kIndexStep = 128;

std::optional<BlockId> kept_or_cleared(const chain::BlockReader& reader,
                                       const std::optional<BlockId>& stored, const BlockId& head) {
    return stored && is_in_branch(reader, *stored, head) ? stored : std::nullopt;
}

}  // namespace

bool is_in_branch(const chain::BlockReader& reader, const BlockId& block, const BlockId& head) {
    BlockId at = head;
    while (at.number > block.number) {
        if (reader.is_canonical(at)) return reader.is_canonical(block);
        at = reader.parent_of(at);
    }
    return at == block;
}

PayloadStatus Engine::Impl::connect(db::WriteTxn& txn, const core::Hash32& hash) {
    const chain::BlockReader reader(txn, chain.tables());
    std::vector<core::Hash32> waiting;  // newest first
    core::Hash32 at = hash;
    while (!reader.number_of(at)) {
        if (chain.bad_block(txn, at)) break;
        const crypto::SealedBlock* const block = orphans.find(at);
        if (block == nullptr) return {.status = Status::Syncing};
        waiting.push_back(at);
        at = block->block.header.parent_hash;
    }
    PayloadStatus status{.status = Status::Valid, .latest_valid_hash = at};
    if (auto bad = status_of_bad(txn, at)) status = *std::move(bad);
    for (const core::Hash32& each : waiting | std::views::reverse) {
        status = execute(txn, *orphans.find(each));
        // Without a mark its descendants may be right another time.
        if (!status.is_valid() && !chain.bad_block(txn, each)) break;
        orphans.remove(each);
    }
    return status;
}

Answer<void> Engine::Impl::check_depth(const chain::BlockReader& reader,
                                       const BlockId& head) const {
    if (options.reorg_depth_max == 0) return {};
    BlockId fork = head;
    while (!reader.is_canonical(fork)) fork = reader.parent_of(fork);
    const auto newest = reader.head();
    const uint64_t depth = newest ? newest->number - fork.number : 0;
    if (depth <= options.reorg_depth_max) return {};
    return fail(Code::TooDeepReorg, fmt::format("Too deep reorg: {} blocks, at most {}", depth,
                                                options.reorg_depth_max));
}

bool Engine::Impl::is_valid_end_of_work(const chain::BlockReader& reader,
                                        const BlockId& head) const {
    const auto header = reader.header(head);
    if (head.number == 0 || !header || header->difficulty.is_zero()) return true;
    const auto total_difficulty = reader.total_difficulty(head);
    return total_difficulty && chain.schedule().is_proof_of_stake(*total_difficulty);
}

void Engine::Impl::index_behind(db::WriteTxn& txn, uint64_t head_number) {
    const uint64_t indexed = chain::BlockReader(txn, chain.tables()).indexed();
    if (head_number >= indexed + kIndexStep) chain.index(txn, kIndexStep);
}

Answer<ForkchoiceUpdated> Engine::Impl::set_forkchoice(db::WriteTxn& txn,
                                                       const ForkchoiceState& state) {
    const chain::BlockReader reader(txn, chain.tables());
    const BlockId head = *reader.id_of(state.head);
    const ForkchoiceUpdated valid{
        .status = {.status = Status::Valid, .latest_valid_hash = head.hash}, .head = head};
    if (!is_valid_end_of_work(reader, head)) {
        return ForkchoiceUpdated{
            .status = {.status = Status::Invalid,
                       .latest_valid_hash = core::Hash32{},
                       .validation_error = "head is before the terminal total difficulty"}};
    }

    const auto finalized_before = reader.finalized();
    if (finalized_before && !state.finalized.is_zero() && head != *finalized_before &&
        is_in_branch(reader, head, *finalized_before)) {
        return ForkchoiceUpdated{.status = valid.status};
    }
    const auto wanted = [&](const core::Hash32& hash, const std::optional<BlockId>& before,
                            std::string_view name) -> Answer<std::optional<BlockId>> {
        if (hash.is_zero()) return kept_or_cleared(reader, before, head);
        const auto id = reader.id_of(hash);
        if (id && is_in_branch(reader, *id, head)) return id;
        return fail(Code::InvalidForkchoiceState,
                    fmt::format("Invalid forkchoice state: the {} block is {}", name,
                                id ? "not an ancestor of the head" : "unknown"));
    };
    const auto safe_before = reader.safe();
    const auto safe = wanted(state.safe, safe_before, "safe");
    if (!safe) return core::unexpected(safe.error());
    const auto finalized = wanted(state.finalized, finalized_before, "finalized");
    if (!finalized) return core::unexpected(finalized.error());
    if (auto checked = check_depth(reader, head); !checked) {
        return core::unexpected(checked.error());
    }

    const bool moves = reader.head() != head;
    if (!moves && safe_before == *safe && finalized_before == *finalized) return valid;
    changed = true;
    if (moves) chain.set_head(txn, head.hash);
    head_moved = moves;
    if (safe_before != *safe) chain.set_safe(txn, *safe);
    if (finalized_before != *finalized) chain.set_finalized(txn, *finalized);
    index_behind(txn, head.number);
    if (moves) {
        note(fmt::format("head number={} hash={}", head.number, core::to_hex_prefixed(head.hash)));
    }
    return valid;
}

// execution-apis, engine/paris, forkchoiceUpdated; order of checks: RPC.md 6.5.
Answer<ForkchoiceUpdated> Engine::forkchoice_updated(const ForkchoiceState& state) {
    if (state.head.is_zero()) return ForkchoiceUpdated{.status = {.status = Status::Invalid}};
    const uint64_t began = core::monotonic_ns();
    const std::scoped_lock lock(impl_->mutex);
    PayloadStatus known =
        impl_->with_txn([&](db::WriteTxn& txn) { return impl_->connect(txn, state.head); });
    if (!known.is_valid()) return ForkchoiceUpdated{.status = std::move(known)};
    impl_->head_moved = false;
    auto updated =
        impl_->with_txn([&](db::WriteTxn& txn) { return impl_->set_forkchoice(txn, state); });
    if (impl_->head_moved && impl_->options.on_head) impl_->options.on_head();
    impl_->did({.part = BlockWork::Part::Forkchoice, .ns = core::monotonic_ns() - began});
    return updated;
}

}  // namespace keel::rpc::engine
