#include "db/lmdb/cursor.hpp"
#include "db/lmdb/moves.hpp"

namespace keel::db::lmdb {

WriterCursor::WriterCursor(Writer& writer, size_t slot_id) noexcept
    : writer_(&writer), slot_(&writer.env().slot_at(slot_id)), slot_id_(slot_id) {
    next_open = writer.cursors;
    if (next_open != nullptr) next_open->previous_open = this;
    writer.cursors = this;
}

WriterCursor::~WriterCursor() {
    if (state_ != State::Ended) detach();
}

void WriterCursor::detach() noexcept {
    stray();
    if (listed_) {
        WriterCursor** link = &writer_->unsaved;
        while (*link != this) link = &(*link)->next_unsaved;
        *link = next_unsaved;
        listed_ = false;
    }
    if (next_open != nullptr) next_open->previous_open = previous_open;
    (previous_open != nullptr ? previous_open->next_open : writer_->cursors) = next_open;
    state_ = State::Ended;
}

void WriterCursor::save() noexcept {
    listed_ = false;
    if (on_entry_or_gap() && !saved_) set_entry(state_, key_, value_);
}

void WriterCursor::entry_gone(const MDB_val& key, const MDB_val* value) noexcept {
    if (state_ != State::At || !same(key_, key)) return;
    if (value != nullptr && slot_->dup_sort() && !same(value_, *value)) return;
    state_ = State::Gap;
}

void WriterCursor::range_gone(std::optional<ByteView> from, std::optional<ByteView> to) noexcept {
    if (state_ != State::At) return;
    const ByteView key = from_stored(key_);
    if ((!from || key >= *from) && (!to || key < *to)) state_ = State::Gap;
}

void WriterCursor::table_cleared() noexcept {
    if (state_ != State::Dropped) state_ = State::Lost;
}

void WriterCursor::table_dropped() noexcept {
    state_ = State::Dropped;
}

void WriterCursor::check_usable() const {
    if (state_ == State::Ended)
        throw Error(ErrorCode::TxnEnded, "use of a cursor whose transaction has ended");
    writer_->check();
    if (state_ == State::Dropped)
        writer_->fail(ErrorCode::NoSuchTable, "cursor on a table that was dropped", *slot_);
}

MDB_cursor* WriterCursor::begin() {
    check_usable();
    MDB_cursor* cursor = writer_->shared_cursor(slot_id_);
    // It is about to move: whoever else stood there has to look for its entry again.
    if (!writer_->owns_shared_cursor(slot_id_, this)) writer_->own_shared_cursor(slot_id_, nullptr);
    return cursor;
}

/// liblmdb's cursor leaves this cursor's entry.
void WriterCursor::stray() noexcept {
    writer_->disown_shared_cursor(slot_id_, this);
}

bool WriterCursor::is_found(const Found& found) {
    if (found.code == 0) return true;
    stray();
    if (found.code != MDB_NOTFOUND) writer_->fail(found.code, "moving a cursor", *slot_);
    return false;
}

Hit WriterCursor::land_or(const Found& found, State otherwise) {
    if (!is_found(found)) {
        state_ = otherwise;
        return std::nullopt;
    }
    state_ = State::At;
    key_ = found.key;
    value_ = found.value;
    saved_ = false;
    if (!listed_) {
        listed_ = true;
        next_unsaved = writer_->unsaved;
        writer_->unsaved = this;
    }
    writer_->own_shared_cursor(slot_id_, this);
    writer_->note(key_);
    writer_->note(value_);
    return Entry{from_stored(key_), slot_->dup_sort() ? from_stored(value_) : raw_view(value_)};
}

Hit WriterCursor::land(const Found& found) {
    return land_or(found, state_);
}

/// The position, in this cursor's own memory. `key` and `value` may stand there already.
void WriterCursor::set_entry(State state, const MDB_val& key, const MDB_val& value) noexcept {
    state_ = state;
    std::memmove(key_bytes_.data(), key.mv_data, key.mv_size);
    key_ = {key.mv_size, key_bytes_.data()};
    if (slot_->dup_sort()) {
        std::memmove(value_bytes_.data(), value.mv_data, value.mv_size);
        value_ = {value.mv_size, value_bytes_.data()};
    }
    saved_ = true;
}

MDB_cursor* WriterCursor::at_entry() {
    MDB_cursor* cursor = writer_->shared_cursor(slot_id_);
    if (writer_->owns_shared_cursor(slot_id_, this)) return cursor;
    Found found;
    found.code = slot_->dup_sort() ? find_pair(cursor, key_, value_, found.key, found.value)
                                   : find_key(cursor, key_, found.key, found.value);
    // Whoever deletes an entry turns the cursors on it into Gap.
    if (found.code == MDB_NOTFOUND) found.code = MDB_CORRUPTED;
    if (is_found(found)) writer_->own_shared_cursor(slot_id_, this);
    return cursor;
}

WriterCursor::Found WriterCursor::edge(MDB_cursor* cursor, MDB_cursor_op op) {
    Found found;
    found.code = move(cursor, op, found.key, found.value);
    return found;
}

/// A relative move of liblmdb from this cursor's entry.
WriterCursor::Found WriterCursor::step(MDB_cursor_op op) {
    return edge(at_entry(), op);
}

/// First entry behind the deleted one.
WriterCursor::Found WriterCursor::successor(MDB_cursor* cursor) {
    Found found;
    if (slot_->dup_sort()) {
        found.code = find_dup_from(cursor, key_, value_, found.key, found.value);
        if (found.code == 0 && same(found.value, value_)) return edge(cursor, MDB_NEXT);
        if (found.code != MDB_NOTFOUND) return found;
    }
    found.code = find_behind(cursor, key_, found.key, found.value);
    return found;
}

/// Last entry up to the deleted one, which may have been put again.
WriterCursor::Found WriterCursor::predecessor(MDB_cursor* cursor) {
    Found found;
    if (slot_->dup_sort()) {
        found.code = find_dup_from(cursor, key_, value_, found.key, found.value);
        if (found.code == 0 && !same(found.value, value_)) return edge(cursor, MDB_PREV);
        if (found.code != MDB_NOTFOUND) return found;
        found.code = find_last_dup(cursor, key_, found.key, found.value);
    } else {
        found.code = find_key(cursor, key_, found.key, found.value);
    }
    if (found.code == MDB_NOTFOUND) found.code = find_before(cursor, key_, found.key, found.value);
    return found;
}

/// The entry that a gap stands for: the one behind it, unless the deleted entry's group goes on
/// before it only.
WriterCursor::Found WriterCursor::landing(MDB_cursor* cursor) {
    Found found = successor(cursor);
    if (found.code != 0 || !slot_->dup_sort() || same(found.key, key_)) return found;
    found.code = find_key(cursor, key_, found.key, found.value);
    if (found.code == 0) return Found{};
    if (found.code == MDB_NOTFOUND) found.code = find_behind(cursor, key_, found.key, found.value);
    return found;
}

WriterCursor::Found WriterCursor::group_edge(MDB_cursor* cursor, const MDB_val& key, bool last) {
    const MDB_val wanted = key;
    Found found;
    found.code = last && slot_->dup_sort() ? find_last_dup(cursor, wanted, found.key, found.value)
                                           : find_key(cursor, wanted, found.key, found.value);
    return found;
}

WriterCursor::Found WriterCursor::own_or_landing_group(bool last) {
    MDB_cursor* cursor = begin();
    if (!on_entry_or_gap()) return {};
    Found found = group_edge(cursor, key_, last);
    if (found.code != MDB_NOTFOUND) return found;
    found = landing(cursor);
    return found.code == 0 ? group_edge(cursor, found.key, last) : found;
}

Hit WriterCursor::first() {
    return land(edge(begin(), MDB_FIRST));
}

Hit WriterCursor::last() {
    return land(edge(begin(), MDB_LAST));
}

Hit WriterCursor::next() {
    MDB_cursor* cursor = begin();
    switch (state_) {
        case State::At:
            return land(step(MDB_NEXT));
        case State::Gap:
            return land(successor(cursor));
        case State::Fresh:
            return first();
        default:
            return std::nullopt;
    }
}

Hit WriterCursor::prev() {
    MDB_cursor* cursor = begin();
    switch (state_) {
        case State::At:
            return land(step(MDB_PREV));
        case State::Gap:
            return land(predecessor(cursor));
        case State::Fresh:
        case State::End:
            return last();
        default:
            return std::nullopt;
    }
}

Hit WriterCursor::next_nodup() {
    MDB_cursor* cursor = begin();
    if (state_ == State::At) return land(step(MDB_NEXT_NODUP));
    if (state_ == State::Fresh) return first();
    if (state_ != State::Gap) return std::nullopt;
    Found found;
    found.code = find_behind(cursor, key_, found.key, found.value);
    return land(found);
}

Hit WriterCursor::prev_nodup() {
    MDB_cursor* cursor = begin();
    if (state_ == State::At) return land(step(MDB_PREV_NODUP));
    if (state_ == State::Fresh || state_ == State::End) return last();
    if (state_ != State::Gap) return std::nullopt;
    Found found;
    found.code = find_before(cursor, key_, found.key, found.value);
    return land(found);
}

Hit WriterCursor::next_dup() {
    MDB_cursor* cursor = begin();
    if (state_ == State::Fresh) return first();
    if (!on_entry_or_gap()) return std::nullopt;
    if (state_ == State::At) return slot_->dup_sort() ? land(step(MDB_NEXT_DUP)) : std::nullopt;
    Found found = successor(cursor);
    if (found.code == 0 && !same(found.key, key_)) found.code = MDB_NOTFOUND;
    return land(found);
}

Hit WriterCursor::prev_dup() {
    MDB_cursor* cursor = begin();
    if (state_ == State::Fresh) return last();
    if (!on_entry_or_gap()) return std::nullopt;
    // PREV_DUP is not used: on a single value it answers as PREV does.
    if (state_ == State::At && !slot_->dup_sort()) return std::nullopt;
    Found found = state_ == State::At ? step(MDB_PREV) : predecessor(cursor);
    if (found.code == 0 && !same(found.key, key_)) found.code = MDB_NOTFOUND;
    return land(found);
}

Hit WriterCursor::first_dup() {
    return land(own_or_landing_group(false));
}

Hit WriterCursor::last_dup() {
    return land(own_or_landing_group(true));
}

Hit WriterCursor::current() {
    MDB_cursor* cursor = begin();
    if (state_ == State::Gap) return land(landing(cursor));
    if (state_ != State::At) return std::nullopt;
    return land(step(MDB_GET_CURRENT));
}

uint64_t WriterCursor::count_dups() {
    const Found found = own_or_landing_group(false);
    if (!is_found(found)) return 0;
    stray();
    if (!slot_->dup_sort()) return 1;
    size_t count = 0;
    const int code = mdb_cursor_count(writer_->shared_cursor(slot_id_), &count);
    if (code != 0) writer_->fail(code, "counting values", *slot_);
    return count;
}

Hit WriterCursor::seek(ByteView wanted) {
    MDB_cursor* cursor = begin();
    Found found;
    found.code = seek_key(cursor, wanted, found.key, found.value);
    return land_or(found, State::End);
}

WriterCursor::Found WriterCursor::find(ByteView wanted) {
    MDB_cursor* cursor = begin();
    Found found;
    if (wanted.size() <= kKeyBytesMax)
        found.code = find_key(cursor, to_stored(wanted), found.key, found.value);
    return found;
}

WriterCursor::Found WriterCursor::find(ByteView wanted, ByteView wanted_value) {
    MDB_cursor* cursor = begin();
    writer_->require_dup_sort(*slot_);
    Found found;
    if (wanted.size() <= kKeyBytesMax && wanted_value.size() <= kDupValueBytesMax)
        found.code =
            find_pair(cursor, to_stored(wanted), to_stored(wanted_value), found.key, found.value);
    return found;
}

Hit WriterCursor::seek_exact(ByteView wanted) {
    return land_or(find(wanted), State::Lost);
}

Hit WriterCursor::seek_both_exact(ByteView wanted, ByteView wanted_value) {
    return land_or(find(wanted, wanted_value), State::Lost);
}

Hit WriterCursor::seek_both_range(ByteView wanted, ByteView from) {
    MDB_cursor* cursor = begin();
    writer_->require_dup_sort(*slot_);
    Found found;
    if (wanted.size() <= kKeyBytesMax)
        found.code = seek_dup(cursor, to_stored(wanted), from, found.key, found.value);
    return land_or(found, State::Lost);
}

void WriterCursor::put(ByteView key, ByteView value) {
    check_usable();
    const Writer::Pair pair = writer_->prepare(*slot_, key, value);
    writer_->store(slot_id_, pair);
    set_entry(State::At, pair.key, pair.value);
}

bool WriterCursor::put_no_overwrite(ByteView key, ByteView value) {
    check_usable();
    const Writer::Pair pair = writer_->prepare(*slot_, key, value);
    if (!writer_->store_new(slot_id_, pair)) {
        land(group_edge(begin(), pair.key, false));
        return false;
    }
    set_entry(State::At, pair.key, pair.value);
    return true;
}

void WriterCursor::put_no_dup(ByteView key, ByteView value) {
    check_usable();
    writer_->require_dup_sort(*slot_);
    const Writer::Pair pair = writer_->prepare(*slot_, key, value);
    const bool stored = writer_->store_new_pair(slot_id_, pair);
    set_entry(State::At, pair.key, pair.value);
    if (!stored) writer_->fail(ErrorCode::KeyExists, "put_no_dup of a pair that is there", *slot_);
}

void WriterCursor::put_current(ByteView key, ByteView value) {
    check_usable();
    const Writer::Pair pair = writer_->prepare(*slot_, key, value);
    Found entry{.code = 0, .key = key_, .value = value_};
    if (state_ == State::Gap) {
        entry = landing(begin());
    } else if (state_ != State::At) {
        entry.code = MDB_NOTFOUND;
    }
    if (!is_found(entry))
        writer_->fail(ErrorCode::NotPositioned, "put_current without an entry", *slot_);
    if (!same(entry.key, pair.key))
        writer_->fail(ErrorCode::KeyMismatch, "put_current with another key", *slot_);
    set_entry(State::At, entry.key, entry.value);
    // liblmdb's own replacing in a group truncates values and breaks their order.
    if (slot_->dup_sort() && !same(value_, pair.value))
        writer_->erase_entry(slot_id_, {key_, value_});
    writer_->store(slot_id_, pair);
    set_entry(State::At, pair.key, pair.value);
}

void WriterCursor::append(ByteView key, ByteView value) {
    check_usable();
    const Writer::Pair pair = writer_->prepare(*slot_, key, value);
    if (!writer_->store_last(slot_id_, pair)) {
        land(edge(begin(), MDB_LAST));
        writer_->fail(ErrorCode::KeyMismatch, "append of an entry that is not the greatest",
                      *slot_);
    }
    set_entry(State::At, pair.key, pair.value);
}

void WriterCursor::append_dup(ByteView key, ByteView value) {
    check_usable();
    writer_->require_dup_sort(*slot_);
    const Writer::Pair pair = writer_->prepare(*slot_, key, value);
    if (!writer_->store_last_dup(slot_id_, pair)) {
        land(group_edge(begin(), pair.key, true));
        writer_->fail(ErrorCode::KeyMismatch, "append_dup of a value that is not the greatest",
                      *slot_);
    }
    set_entry(State::At, pair.key, pair.value);
}

void WriterCursor::delete_current() {
    MDB_cursor* cursor = begin();
    if (state_ == State::Gap) {
        const Found found = landing(cursor);
        if (is_found(found)) set_entry(State::At, found.key, found.value);
    }
    if (state_ != State::At)
        writer_->fail(ErrorCode::NotPositioned, "delete_current without an entry", *slot_);
    writer_->prepare(*slot_);
    writer_->erase_entry(slot_id_, {key_, value_});
}

void WriterCursor::delete_all_dups() {
    const Found found = own_or_landing_group(true);
    if (!is_found(found))
        writer_->fail(ErrorCode::NotPositioned, "delete_all_dups without an entry", *slot_);
    set_entry(State::At, found.key, found.value);
    writer_->prepare(*slot_);
    writer_->erase_group(slot_id_, key_);
}

bool WriterCursor::del(ByteView key) {
    check_usable();
    writer_->prepare(*slot_);
    Found found = find(key);
    if (found.code == 0) found = group_edge(begin(), found.key, true);
    if (!is_found(found)) {
        state_ = State::Lost;
        return false;
    }
    set_entry(State::At, found.key, found.value);
    writer_->erase_group(slot_id_, key_);
    return true;
}

bool WriterCursor::delete_exact(ByteView key, ByteView value) {
    check_usable();
    writer_->require_dup_sort(*slot_);
    writer_->prepare(*slot_);
    const Found found = find(key, value);
    if (!is_found(found)) {
        state_ = State::Lost;
        return false;
    }
    set_entry(State::At, found.key, found.value);
    writer_->erase_entry(slot_id_, {key_, value_});
    return true;
}

}  // namespace keel::db::lmdb
