#include "chain/fork_choice.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>

#include "chain/log_index.hpp"
#include "core/base.hpp"
#include "core/fault.hpp"
#include "core/hex.hpp"
#include "state/codecs.hpp"
#include "state/history.hpp"
#include "state/indexer.hpp"
#include "state/state_root.hpp"

namespace keel::chain {

using state::Layer;
using state::StateShift;
using state::Values;

namespace {

[[noreturn]] void throw_damaged(const BlockId& block, std::string_view what) {
    throw core::Fault(core::FaultKind::Damaged,
                      fmt::format("block {} (0x{}): {}; run keel db check", block.number,
                                  core::to_hex(block.hash), what));
}

}  // namespace

BlockId ForkChoice::head(const db::ReadTxn& txn) {
    if (!head_) {
        head_ = BlockReader(txn, tables_).head();
        if (!head_) {
            throw core::Fault(
                core::FaultKind::Usage,
                "there is no genesis in this data directory: run keel init GENESIS first");
        }
    }
    return *head_;
}

ForkChoice::Branch ForkChoice::branch_of(const BlockReader& reader, const BlockId& block) const {
    Branch branch{{}, block};
    while (!reader.is_canonical(branch.fork)) {
        branch.blocks.push_back(branch.fork);
        branch.fork = reader.parent_of(branch.fork);
    }
    return branch;
}

const ForkChoice::Kept* ForkChoice::find_kept(const BlockId& block) const {
    const auto found = std::ranges::find(layers_, block, &Kept::block);
    return found == layers_.end() ? nullptr : &*found;
}

bool ForkChoice::push_way_back(const BlockReader& reader, const BlockId& head, const BlockId& fork,
                               Path& path) const {
    if (head.number - fork.number > layers_.size()) return false;
    for (BlockId block = head; block != fork; block = reader.parent_of(block)) {
        const Kept* kept = find_kept(block);
        if (kept == nullptr) return false;
        path.push(kept->back);
    }
    return true;
}

std::optional<ForkChoice::Path> ForkChoice::path_in_memory(const BlockReader& reader,
                                                           const BlockId& head,
                                                           const Branch& branch) const {
    // Downwards from the block until a base is met, or the canonical chain.
    std::vector<std::shared_ptr<const Layer>> downwards;
    Path path;
    bool complete = false;
    for (size_t i = 0; !complete; ++i) {
        const BlockId& block = i < branch.blocks.size() ? branch.blocks[i] : branch.fork;
        const auto base = std::ranges::find(bases_, block, &Base::block);
        if (base != bases_.end()) {
            downwards.push_back(base->layer);
            complete = true;
        } else if (i == branch.blocks.size()) {
            if (!push_way_back(reader, head, block, path)) return std::nullopt;
            complete = true;
        } else {
            const Kept* kept = find_kept(block);
            if (kept == nullptr) return std::nullopt;
            downwards.push_back(kept->layer);
        }
    }
    for (auto& layer : downwards | std::views::reverse) path.push(std::move(layer));
    return path;
}

Values ForkChoice::after_values_of(const db::ReadTxn& txn, const BlockId& block) const {
    const auto row =
        txn.get(tables_.forward_change_set, state::block_key(block.number, block.hash));
    if (!row) throw_damaged(block, "its changes are not in table ForwardChangeSet");
    return state::decode_values(*row);
}

Layer ForkChoice::resolve(const db::ReadTxn& txn, const StateShift& shift,
                          const BlockId& block) const {
    Layer layer{.changes = shift.net(), .tries = {}};
    state::NewestTries tries(txn, tables_);
    const core::Hash32 root = state::resolve_state_root(tries, layer.changes, &layer.tries);
    const auto header = BlockReader(txn, tables_).header(block);
    if (!header) throw_damaged(block, "its header is not stored");
    if (root != header->state_root && root != BlockReader(txn, tables_).edited_root(block)) {
        throw_damaged(block, fmt::format("its stored changes lead to state root 0x{} instead of "
                                         "0x{}",
                                         core::to_hex(root), core::to_hex(header->state_root)));
    }
    return layer;
}

ForkChoice::Path ForkChoice::path_to(const db::ReadTxn& txn, const BlockId& block) {
    const BlockId newest = head(txn);
    if (block == newest) return {};
    const BlockReader reader(txn, tables_);
    const Branch branch = branch_of(reader, block);
    if (auto path = path_in_memory(reader, newest, branch)) return *std::move(path);

    // A base for this very block: the layers of the blocks on top of it are kept, so that the next
    // one is made kLayersKept blocks later.
    StateShift shift(txn, tables_);
    for (uint64_t number = newest.number; number > branch.fork.number; --number) {
        Values before = state::read_change_set(txn, tables_, number);
        shift.exchange(before);
    }
    for (const BlockId& each : branch.blocks | std::views::reverse) {
        Values after = after_values_of(txn, each);
        shift.exchange(after);
    }
    auto base = std::make_shared<const Layer>(resolve(txn, shift, block));
    if (bases_.size() == kBasesKept) bases_.pop_front();
    bases_.push_back({block, base});
    Path path;
    path.push(std::move(base));
    return path;
}

void ForkChoice::write_state(db::WriteTxn& txn, const Layer& layer) const {
    state::write_flat_state(txn, tables_, layer.changes);
    state::write_trie_rows(txn, tables_, layer.tries);
}

void ForkChoice::keep(const BlockId& block, ExecutedLayer executed) {
    if (layers_.size() == kLayersKept) layers_.pop_front();
    Layer& layer = executed.layer;
    auto back = std::make_shared<const Layer>(
        state::way_back(layer.changes, std::move(executed.tries_before)));
    // Code is stored with its block, and may be large.
    layer.changes.codes = {};
    layers_.push_back(
        {block, std::make_shared<const Layer>(std::move(layer)), std::move(back), false});
}

void ForkChoice::move_head(db::WriteTxn& txn, const BlockId& block) {
    put_position(txn, tables_, setting::kHead, block);
    head_ = block;
    bases_.clear();
}

void ForkChoice::extend(db::WriteTxn& txn, const BlockId& block,
                        std::span<const core::Hash32> tx_hashes, ExecutedLayer executed) {
    write_state(txn, executed.layer);
    state::write_change_set(txn, tables_, block.number, executed.layer.changes);
    put_canonical(txn, tables_, block, tx_hashes);
    move_head(txn, block);
    keep(block, std::move(executed));
}

void ForkChoice::add_branch_block(db::WriteTxn& txn, const BlockId& block, ExecutedLayer executed) {
    const state::ChangeSet& changes = executed.layer.changes;
    core::Bytes after;
    state::append_after_values(after, changes);
    txn.put(tables_.forward_change_set, state::block_key(block.number, block.hash), after);
    for (const state::NewCode& code : changes.codes) {
        txn.put_no_overwrite(tables_.code, code.hash, code.code);
    }
    keep(block, std::move(executed));
}

void ForkChoice::unwind(db::WriteTxn& txn, const BlockId& block, StateShift& shift) const {
    Values values = state::read_change_set(txn, tables_, block.number);
    shift.exchange(values);
    core::Bytes after;
    state::append_values(after, values);
    make_not_canonical(txn, block, after);
}

void ForkChoice::unwind(db::WriteTxn& txn, const BlockId& block, const Layer& layer) const {
    core::Bytes after;
    state::append_after_values(after, layer.changes);
    make_not_canonical(txn, block, after);
}

void ForkChoice::make_not_canonical(db::WriteTxn& txn, const BlockId& block,
                                    core::ByteView after) const {
    txn.put(tables_.forward_change_set, state::block_key(block.number, block.hash), after);
    state::delete_change_set(txn, tables_, block.number);
    remove_canonical(txn, tables_, block, BlockReader(txn, tables_).tx_hashes(block));
}

void ForkChoice::apply(db::WriteTxn& txn, const BlockId& block, const Layer& layer) const {
    state::write_change_set(txn, tables_, block.number, layer.changes);
    make_canonical(txn, block);
}

void ForkChoice::apply(db::WriteTxn& txn, const BlockId& block, StateShift& shift) const {
    Values values = after_values_of(txn, block);
    shift.exchange(values);
    state::write_change_set(txn, tables_, block.number, values);
    make_canonical(txn, block);
}

void ForkChoice::make_canonical(db::WriteTxn& txn, const BlockId& block) const {
    txn.del(tables_.forward_change_set, state::block_key(block.number, block.hash));
    put_canonical(txn, tables_, block, BlockReader(txn, tables_).tx_hashes(block));
}

void ForkChoice::set_head(db::WriteTxn& txn, const BlockId& block) {
    const BlockId newest = head(txn);
    if (block == newest) return;
    const BlockReader reader(txn, tables_);
    const Branch branch = branch_of(reader, block);
    const std::optional<Path> path = path_in_memory(reader, newest, branch);

    const uint64_t indexed = reader.indexed();
    std::vector<BlockId> canonical;  // to be unwound, newest first
    std::vector<BlockId> unindexed;
    for (uint64_t number = newest.number; number > branch.fork.number; --number) {
        const auto hash = reader.canonical_hash(number);
        if (!hash) throw_damaged(newest, fmt::format("no canonical block {} below it", number));
        canonical.push_back({number, *hash});
        if (number <= indexed) unindexed.push_back(canonical.back());
    }
    // With all layers in memory nothing has to be made of the values that are stored.
    const auto is_kept = [&](const BlockId& each) { return find_kept(each) != nullptr; };
    const bool layers_suffice = path && unindexed.empty() &&
                                std::ranges::all_of(canonical, is_kept) &&
                                std::ranges::all_of(branch.blocks, is_kept);
    StateShift shift(txn, tables_);  // reads the flat tables, which change last
    for (const BlockId& each : canonical) {
        if (layers_suffice) {
            unwind(txn, each, *find_kept(each)->layer);
        } else {
            unwind(txn, each, shift);
        }
    }
    if (!unindexed.empty()) {
        state::unindex_history(txn, tables_, shift, branch.fork.number);
        unindex_logs(txn, tables_, unindexed, branch.fork.number);
        put_setting(txn, tables_, setting::kIndexed, state::number_key(branch.fork.number));
    }
    for (const BlockId& each : branch.blocks | std::views::reverse) {
        if (layers_suffice) {
            apply(txn, each, *find_kept(each)->layer);
        } else {
            apply(txn, each, shift);
        }
    }
    if (path) {
        for (const Layer* layer : path->layers()) write_state(txn, *layer);
    } else {
        write_state(txn, resolve(txn, shift, block));
    }
    move_head(txn, block);
}

void ForkChoice::on_abort() {
    std::erase_if(layers_, [](const Kept& kept) { return !kept.committed; });
    bases_.clear();
    head_.reset();
}

void ForkChoice::on_commit() {
    for (Kept& kept : layers_) kept.committed = true;
}

}  // namespace keel::chain
