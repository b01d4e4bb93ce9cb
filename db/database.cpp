#include "db/database.hpp"

#include <stdexcept>

namespace keel::db {

void detail::TxnImpl::load(Table table, SortedEntries& entries) {
    const bool is_empty = count(table) == 0;
    for (Entry entry; entries.next(entry);) {
        if (is_empty) {
            append(table, entry.key, entry.value);
        } else {
            put(table, entry.key, entry.value);
        }
    }
}

std::optional<Bytes> next_prefix(ByteView prefix) {
    size_t size = prefix.size();
    while (size > 0 && prefix[size - 1] == 0xff) --size;
    if (size == 0) return std::nullopt;
    Bytes next = prefix.sub(0, size).to_bytes();
    ++next.back();
    return next;
}

Range::Range(ReadCursor cursor, std::optional<ByteView> from, std::optional<ByteView> to,
             Order order, uint64_t limit)
    : cursor_(std::move(cursor)), order_(order), left_(limit) {
    if (from) from_ = from->to_bytes();
    if (to) to_ = to->to_bytes();
}

Hit Range::next() {
    if (left_ == 0) return std::nullopt;
    Hit hit;
    if (started_) {
        hit = order_ == Order::Asc ? cursor_.next() : cursor_.prev();
    } else if (order_ == Order::Asc) {
        hit = from_ ? cursor_.seek(*from_) : cursor_.first();
    } else if (!from_) {
        hit = cursor_.last();
    } else {
        // The last value of the greatest key that is not beyond `from`.
        hit = cursor_.seek(*from_);
        if (!hit) {
            hit = cursor_.last();
        } else if (hit->key == ByteView(*from_)) {
            hit = cursor_.last_dup();
        } else {
            hit = cursor_.prev();
        }
    }
    started_ = true;
    const bool within =
        hit &&
        (!to_ || (order_ == Order::Asc ? hit->key < ByteView(*to_) : hit->key > ByteView(*to_)));
    if (!within) {
        left_ = 0;
        return std::nullopt;
    }
    --left_;
    return hit;
}

void ReadTxn::throw_ended() {
    throw Error(ErrorCode::TxnEnded, "use of a transaction that has ended");
}

Range ReadTxn::prefix(Table table, ByteView prefix) const {
    const std::optional<Bytes> to = next_prefix(prefix);
    return Range(cursor(table), prefix, to ? std::optional<ByteView>(*to) : std::nullopt,
                 Order::Asc, UINT64_MAX);
}

void WriteTxn::end_failed() {
    try {
        throw;
    } catch (const Error& error) {
        // Refused before anything happened: the transaction goes on where it belongs.
        if (error.code() != ErrorCode::WrongThread) end();
    } catch (...) {
        end();
    }
}

core::Result<WriteTxn, Refused> Database::begin_rw(std::stop_token stop, Deadline deadline) const {
    const core::Result<detail::TxnImpl*, Refused> begun =
        impl_->begin_rw(std::move(stop), deadline);
    if (!begun) return core::unexpected(begun.error());
    return WriteTxn(*begun);
}

core::Result<WriteTxn, Refused> Database::begin_rw_try() const {
    const core::Result<detail::TxnImpl*, Refused> begun = impl_->begin_rw_try();
    if (!begun) return core::unexpected(begun.error());
    return WriteTxn(*begun);
}

uint64_t Database::update(const std::function<void(WriteTxn&)>& change) const {
    core::Result<WriteTxn, Refused> txn = begin_rw();
    if (!txn) throw std::logic_error("update called by the thread that holds the write txn");
    change(*txn);
    return txn->commit();
}

void Database::view(const std::function<void(const ReadTxn&)>& look) const {
    const ReadTxn txn = begin_ro();
    look(txn);
}

}  // namespace keel::db
