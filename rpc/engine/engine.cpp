#include "rpc/engine/engine.hpp"

#include <fmt/format.h>

#include "core/base.hpp"
#include "core/hex.hpp"
#include "rpc/engine/engine_impl.hpp"

namespace keel::rpc::engine {
namespace {

PayloadStatus invalid(std::optional<core::Hash32> latest_valid, std::string text) {
    return {.status = Status::Invalid,
            .latest_valid_hash = latest_valid,
            .validation_error = std::move(text)};
}

PayloadStatus valid(const core::Hash32& hash) {
    return {.status = Status::Valid, .latest_valid_hash = hash};
}

}  // namespace

std::string_view to_string(Status status) noexcept {
    switch (status) {
        case Status::Valid:
            return "VALID";
        case Status::Invalid:
            return "INVALID";
        case Status::Syncing:
            return "SYNCING";
        case Status::Accepted:
            return "ACCEPTED";
    }
    return "";
}

db::WriteTxn Engine::Impl::begin() const {
    auto begun = database.begin_rw();
    KEEL_ASSERT(begun.has_value(), "the directory's writer is ours");
    return *std::move(begun);
}

PayloadStatus Engine::Impl::invalid_after(const db::ReadTxn& txn, const chain::BlockId& last_valid,
                                          std::string text) const {
    const auto header = chain::BlockReader(txn, chain.tables()).header(last_valid);
    // execution-apis, engine/paris, payload validation 3: zero where that is a block of work.
    const bool is_work = header && !header->difficulty.is_zero();
    return invalid(is_work ? core::Hash32{} : last_valid.hash, std::move(text));
}

std::optional<PayloadStatus> Engine::Impl::status_of_bad(const db::ReadTxn& txn,
                                                         const core::Hash32& hash) const {
    const auto bad = chain.bad_block(txn, hash);
    if (!bad) return std::nullopt;
    return invalid_after(txn, bad->last_valid, bad->text);
}

PayloadStatus Engine::Impl::execute(db::WriteTxn& txn, crypto::SealedBlock& block) {
    const core::Header& header = block.block.header;
    changed = true;  // a refused block leaves its mark
    const uint64_t began = core::monotonic_ns();
    const auto inserted = chain.insert_block(txn, block, chain::HeadRule::Never);
    did({.part = BlockWork::Part::Execute,
         .ns = core::monotonic_ns() - began,
         .gas = inserted ? inserted->gas_used : 0,
         .txs = inserted ? inserted->tx_count : 0});
    if (inserted) return valid(block.hash);
    note(fmt::format("payload_invalid number={} hash={} reason=\"{}\"", header.number,
                     core::to_hex_prefixed(block.hash), inserted.error().text));
    if (auto bad = status_of_bad(txn, block.hash)) return *std::move(bad);
    // A fault that its hash does not commit to; the parent is stored, therefore valid.
    return invalid_after(txn, {header.number - 1, header.parent_hash}, inserted.error().text);
}

PayloadStatus Engine::Impl::new_payload(db::WriteTxn& txn, crypto::SealedBlock&& block) {
    const chain::BlockReader reader(txn, chain.tables());
    if (reader.number_of(block.hash)) return valid(block.hash);
    if (auto bad = status_of_bad(txn, block.hash)) return *std::move(bad);
    const core::Hash32 parent = block.block.header.parent_hash;
    if (!reader.number_of(parent)) {
        // A parent that waits may by now have all it waits for, or be known to be bad.
        PayloadStatus above = connect(txn, parent);
        if (above.status == Status::Syncing) {
            orphans.add(std::move(block));
            return above;
        }
        if (!above.is_valid() && !chain.bad_block(txn, parent)) return above;
    }
    PayloadStatus status = execute(txn, block);
    orphans.remove(block.hash);
    return status;
}

Engine::Engine(const db::Database& database, Options options)
    : impl_(std::make_unique<Impl>(database, std::move(options))) {}

Engine::~Engine() = default;

const chain::ForkSchedule& Engine::schedule() const noexcept {
    return impl_->chain.schedule();
}

Answer<PayloadStatus> Engine::new_payload(unsigned version, std::optional<JsonValue> params) {
    auto payload = parse_new_payload(version, params);
    if (!payload) return core::unexpected(payload.error());
    if (auto checked = check_version(*payload, version, schedule()); !checked) {
        return core::unexpected(checked.error());
    }
    return new_payload(*std::move(payload));
}

PayloadStatus Engine::new_payload(NewPayload&& payload) {
    const uint64_t began = core::monotonic_ns();
    auto block = to_block(std::move(payload));
    impl_->did({.part = BlockWork::Part::Decode, .ns = core::monotonic_ns() - began});
    if (!block) return invalid(std::nullopt, block.error());
    const std::scoped_lock lock(impl_->mutex);
    PayloadStatus status = impl_->with_txn(
        [&](db::WriteTxn& txn) { return impl_->new_payload(txn, *std::move(block)); });
    impl_->did({.part = BlockWork::Part::Payload, .ns = core::monotonic_ns() - began});
    return status;
}

}  // namespace keel::rpc::engine
