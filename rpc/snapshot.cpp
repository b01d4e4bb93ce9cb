#include "rpc/snapshot.hpp"

#include <fmt/format.h>

#include "chain/chain.hpp"
#include "core/fault.hpp"
#include "core/hex.hpp"

namespace keel::rpc {

const chain::BlockId& Snapshot::head() {
    if (!head_) {
        head_ = blocks_.head();
        if (!head_) throw core::Fault(core::FaultKind::Damaged, "the chain has no head");
    }
    return *head_;
}

Answer<std::optional<chain::BlockId>> Snapshot::find(const BlockSelector& selector) {
    using Kind = BlockSelector::Kind;
    const auto tagged = [](const std::optional<chain::BlockId>& id,
                           const char* text) -> Answer<std::optional<chain::BlockId>> {
        if (!id) return fail(Code::Failed, text);
        return id;
    };
    const auto canonical = [this](uint64_t number) -> std::optional<chain::BlockId> {
        const auto hash = blocks_.canonical_hash(number);
        if (!hash) return std::nullopt;
        return chain::BlockId{number, *hash};
    };
    switch (selector.kind) {
        case Kind::Latest:
        // The pool is empty: what is pending is what is.
        case Kind::Pending:
            return head();
        case Kind::Earliest:
            return canonical(0);
        case Kind::Safe:
            return tagged(blocks_.safe(), "safe block not found");
        case Kind::Finalized:
            return tagged(blocks_.finalized(), "finalized block not found");
        case Kind::Number:
            return canonical(selector.number);
        case Kind::Hash:
            break;
    }
    const auto id = blocks_.id_of(selector.hash);
    if (id && selector.require_canonical && !blocks_.is_canonical(*id)) {
        return fail(Code::Failed, "hash is not currently canonical");
    }
    return id;
}

Answer<chain::BlockId> Snapshot::require(const BlockSelector& selector) {
    const auto found = find(selector);
    if (!found) return core::unexpected(found.error());
    if (*found) return **found;
    return fail(Code::Failed, selector.kind == BlockSelector::Kind::Hash
                                  ? "header for hash not found"
                                  : "header not found");
}

Answer<std::unique_ptr<state::StateReader>> Snapshot::state(const chain::BlockId& id) {
    if (id == head()) return std::make_unique<state::NewestState>(txn_, tables_);
    if (!blocks_.is_canonical(id)) {
        return fail(Code::Failed, fmt::format("state of block {} is not available: the block is "
                                              "not canonical",
                                              core::to_hex_prefixed(id.hash)));
    }
    return chain::state_at(txn_, tables_, id.number);
}

Answer<std::unique_ptr<state::StateReader>> Snapshot::state(const BlockSelector& selector) {
    const auto id = require(selector);
    if (!id) return core::unexpected(id.error());
    return state(*id);
}

core::Header Snapshot::header(const chain::BlockId& id) const {
    auto header = blocks_.header(id);
    if (!header) {
        throw core::Fault(core::FaultKind::Damaged,
                          fmt::format("header of block {} {} is missing", id.number,
                                      core::to_hex_prefixed(id.hash)));
    }
    return *std::move(header);
}

chain::BlockRules Snapshot::rules(const chain::ForkSchedule& schedule, const chain::BlockId& id,
                                  const core::Header& header) const {
    core::U256 parent_difficulty;
    if (id.number > 0) {
        const auto total =
            blocks_.total_difficulty({.number = id.number - 1, .hash = header.parent_hash});
        if (total) parent_difficulty = *total;
    }
    return schedule.at(header.number, header.timestamp,
                       schedule.is_proof_of_stake(parent_difficulty));
}

}  // namespace keel::rpc
