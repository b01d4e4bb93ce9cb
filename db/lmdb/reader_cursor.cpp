#include "core/endian.hpp"
#include "db/lmdb/cursor.hpp"
#include "db/lmdb/moves.hpp"

namespace keel::db::lmdb {
namespace {

constexpr uintptr_t kLineBytes = 64;
// Of a page: where the free space between numbers of entries and entries begins and ends.
constexpr size_t kFreeBeginOffset = 12;
constexpr size_t kFreeEndOffset = 14;

}  // namespace

ReaderCursor::ReaderCursor(Reader& reader, MDB_cursor* cursor, MDB_dbi dbi, bool dup_sort) noexcept
    : dup_sort_(dup_sort), cursor_(cursor), reader_(&reader), dbi_(dbi) {
    next_open = reader.cursors;
    if (next_open != nullptr) next_open->previous_open = this;
    reader.cursors = this;
}

ReaderCursor::~ReaderCursor() {
    if (state_ != State::Ended) detach();
}

void ReaderCursor::detach() noexcept {
    if (cursor_ != nullptr) reader_->keep_cursor(cursor_, dbi_);
    if (next_open != nullptr) next_open->previous_open = previous_open;
    (previous_open != nullptr ? previous_open->next_open : reader_->cursors) = next_open;
    cursor_ = nullptr;
    streaming_ = false;
    state_ = State::Ended;
}

void ReaderCursor::refuse_write() const {
    throw Error(ErrorCode::ReadOnly, "write through a cursor of a read transaction");
}

void ReaderCursor::require_dup_sort() const {
    if (!dup_sort_)
        throw Error(ErrorCode::KindMismatch, "operation on pairs in the plain table of a cursor");
}

/// Throws unless `code` says found or not found; the state is `otherwise` when nothing was found.
bool ReaderCursor::found(int code, State otherwise) {
    if (state_ == State::Ended)
        throw Error(ErrorCode::TxnEnded, "use of a cursor whose transaction has ended");
    if (code == 0) return true;
    stray();
    if (code != MDB_NOTFOUND) reader_->env().fail(code, "moving a cursor");
    state_ = otherwise;
    return false;
}

/// Both cursors are on the entry.
inline Hit ReaderCursor::arrive() noexcept {
    const ByteView key = from_stored(key_);
    streaming_ = key.size() == key_.mv_size;
    return detail::hit_of(key, value_view());
}

Hit ReaderCursor::absolute(int code, const MDB_val& key, const MDB_val& value, State otherwise) {
    if (!found(code, otherwise)) return std::nullopt;
    key_ = key;
    value_ = value;
    page_ = page_of(key);
    state_ = State::At;
    strayed_ = false;
    return arrive();
}

void ReaderCursor::return_to_entry() {
    MDB_val key;
    MDB_val value;
    const int code = dup_sort_ ? find_pair(cursor_, key_, value_, key, value)
                               : find_key(cursor_, key_, key, value);
    // The snapshot had the entry a moment ago.
    if (code != 0) reader_->env().fail(code == MDB_NOTFOUND ? MDB_CORRUPTED : code, "returning");
    strayed_ = false;
}

/// A walk has come to another page. Its entries lie in the order in which they were put: all their
/// lines are asked for at once, instead of one after the other as the walk needs them.
[[gnu::noinline]] void ReaderCursor::enter_page(uintptr_t page) noexcept {
    page_ = page;
    const auto* const bytes = reinterpret_cast<const uint8_t*>(page);
    const size_t free_begin = core::load_le<uint16_t>(bytes + kFreeBeginOffset);
    const size_t free_end = core::load_le<uint16_t>(bytes + kFreeEndOffset);
    for (size_t at = kLineBytes; at < std::min(free_begin, kPageBytes); at += kLineBytes)
        __builtin_prefetch(bytes + at);
    for (size_t at = free_end & ~(kLineBytes - 1); at < kPageBytes; at += kLineBytes)
        __builtin_prefetch(bytes + at);
}

/// A move from the entry under both cursors. liblmdb leaves its arguments alone when there is
/// nothing: written through locals, they would be stored in halves and loaded as a whole, which
/// costs a processor a tenth of the move.
inline Hit ReaderCursor::relative(MDB_cursor_op op) {
    const int code = mdb_cursor_get(cursor_, &key_, &value_, op);
    if (code != 0) [[unlikely]] {
        found(code, State::At);
        return std::nullopt;
    }
    follow();
    return arrive();
}

/// From anywhere else. `from_end`: the move leads from End back to the last entry.
Hit ReaderCursor::relative_slowly(MDB_cursor_op op, bool from_end) {
    const bool forward = op == MDB_NEXT || op == MDB_NEXT_NODUP || op == MDB_NEXT_DUP;
    switch (state_) {
        case State::At:
            return_to_entry();
            return relative(op);
        case State::Fresh:
            return forward ? first() : last();
        case State::End:
            return from_end ? last() : std::nullopt;
        case State::Lost:
            return std::nullopt;
        case State::Ended:
            break;
    }
    found(MDB_NOTFOUND, State::Ended);
    return std::nullopt;
}

Hit ReaderCursor::first() {
    MDB_val key;
    MDB_val value;
    return absolute(move(cursor_, MDB_FIRST, key, value), key, value, state_);
}

Hit ReaderCursor::last() {
    MDB_val key;
    MDB_val value;
    return absolute(move(cursor_, MDB_LAST, key, value), key, value, state_);
}

Hit ReaderCursor::next() {
    // The one move that scans are made of: nothing else stands in this function, so that it saves
    // no registers.
    if (streaming_) [[likely]] {
        const int code = mdb_cursor_get(cursor_, &key_, &value_, MDB_NEXT);
        if (code == 0) [[likely]] {
            follow();
            return detail::hit_of(raw_view(key_), value_view());
        }
        return not_found(code);
    }
    return next_from_anywhere();
}

[[gnu::noinline]] Hit ReaderCursor::next_from_anywhere() {
    if (state_ == State::At && !strayed_) return relative(MDB_NEXT);
    return relative_slowly(MDB_NEXT, false);
}

[[gnu::noinline]] Hit ReaderCursor::not_found(int code) {
    found(code, State::At);
    return std::nullopt;
}

Hit ReaderCursor::prev() {
    if (state_ == State::At && !strayed_) [[likely]]
        return relative(MDB_PREV);
    return relative_slowly(MDB_PREV, true);
}

Hit ReaderCursor::next_nodup() {
    if (state_ == State::At && !strayed_) return relative(MDB_NEXT_NODUP);
    return relative_slowly(MDB_NEXT_NODUP, false);
}

Hit ReaderCursor::prev_nodup() {
    if (state_ == State::At && !strayed_) return relative(MDB_PREV_NODUP);
    return relative_slowly(MDB_PREV_NODUP, true);
}

Hit ReaderCursor::next_dup() {
    if (streaming_) [[likely]] {
        if (!dup_sort_) return std::nullopt;
        const int code = mdb_cursor_get(cursor_, &key_, &value_, MDB_NEXT_DUP);
        if (code == 0) [[likely]]
            return detail::hit_of(raw_view(key_), from_stored(value_));
        // Behind the last value of a group liblmdb's cursor stays on it.
        if (code == MDB_NOTFOUND) [[likely]]
            return std::nullopt;
        return not_found(code);
    }
    return next_dup_from_anywhere();
}

[[gnu::noinline]] Hit ReaderCursor::next_dup_from_anywhere() {
    if (state_ == State::At && !dup_sort_) return std::nullopt;
    if (state_ == State::At && !strayed_) return relative(MDB_NEXT_DUP);
    return relative_slowly(MDB_NEXT_DUP, false);
}

Hit ReaderCursor::prev_dup() {
    if (state_ != State::At) return relative_slowly(MDB_PREV, false);
    if (!dup_sort_) return std::nullopt;
    if (strayed_) return_to_entry();
    MDB_val key;
    MDB_val value;
    if (!found(move(cursor_, MDB_PREV, key, value), State::At)) return std::nullopt;
    if (!same(key, key_)) {
        stray();
        return std::nullopt;
    }
    value_ = value;
    return entry();
}

Hit ReaderCursor::first_dup() {
    if (state_ != State::At) return current();
    if (!dup_sort_) return entry();
    // Not by MDB_FIRST_DUP: on the last key liblmdb would still think to be at the end.
    MDB_val key;
    MDB_val value;
    return absolute(find_key(cursor_, key_, key, value), key, value, state_);
}

Hit ReaderCursor::last_dup() {
    if (state_ != State::At) return current();
    if (!dup_sort_) return entry();
    MDB_val key;
    MDB_val value;
    if (!strayed_ && mdb_cursor_get(cursor_, &key, &value, MDB_LAST_DUP) == 0) [[likely]] {
        value_ = value;
        return entry();
    }
    return absolute(find_last_dup(cursor_, key_, key, value), key, value, state_);
}

Hit ReaderCursor::current() {
    if (state_ == State::At) return entry();
    found(MDB_NOTFOUND, state_);
    return std::nullopt;
}

uint64_t ReaderCursor::count_dups() {
    if (state_ != State::At) {
        found(MDB_NOTFOUND, state_);
        return 0;
    }
    if (!dup_sort_) return 1;
    MDB_val key;
    MDB_val value;
    size_t count = 0;
    // liblmdb counts nothing on a cursor that stands on the last entry; one that was set on the key
    // it does.
    int code = find_key(cursor_, key_, key, value);
    if (code == 0) code = mdb_cursor_count(cursor_, &count);
    stray();
    if (code != 0) reader_->env().fail(code, "counting values");
    return count;
}

Hit ReaderCursor::seek(ByteView wanted) {
    MDB_val key;
    MDB_val value;
    return absolute(seek_key(cursor_, wanted, key, value), key, value, State::End);
}

Hit ReaderCursor::seek_exact(ByteView wanted) {
    MDB_val key;
    MDB_val value;
    const int code = wanted.size() > kKeyBytesMax
                         ? MDB_NOTFOUND
                         : find_key(cursor_, to_stored(wanted), key, value);
    return absolute(code, key, value, State::Lost);
}

Hit ReaderCursor::seek_both_exact(ByteView wanted, ByteView wanted_value) {
    require_dup_sort();
    MDB_val key;
    MDB_val value;
    const bool possible = wanted.size() <= kKeyBytesMax && wanted_value.size() <= kDupValueBytesMax;
    const int code =
        possible ? find_pair(cursor_, to_stored(wanted), to_stored(wanted_value), key, value)
                 : MDB_NOTFOUND;
    return absolute(code, key, value, State::Lost);
}

Hit ReaderCursor::seek_both_range(ByteView wanted, ByteView from) {
    require_dup_sort();
    MDB_val key;
    MDB_val value;
    const int code = wanted.size() <= kKeyBytesMax
                         ? seek_dup(cursor_, to_stored(wanted), from, key, value)
                         : MDB_NOTFOUND;
    return absolute(code, key, value, State::Lost);
}

}  // namespace keel::db::lmdb
