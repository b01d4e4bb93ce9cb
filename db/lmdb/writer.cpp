#include <algorithm>

#include "db/lmdb/cursor.hpp"
#include "db/lmdb/moves.hpp"

namespace keel::db::lmdb {
namespace {

/// A value that was copied out of the way once keeps its memory up to this size.
constexpr size_t kValueCopyBytesKept = size_t{1} << 20;

}  // namespace

Writer::Writer(Env& env) : TxnBase(env) {}

Writer::~Writer() = default;

void Writer::start(uint64_t thread) {
    const int code = mdb_txn_begin(env_.env(), nullptr, 0, &txn_);
    if (code != 0) {
        txn_ = nullptr;
        env_.fail(code, "beginning a write transaction");
    }
    thread_ = thread;
    status_ = Status::Active;
}

void Writer::refuse() const {
    if (status_ == Status::Idle)
        throw Error(ErrorCode::TxnEnded, "use of a transaction that has ended");
    if (env_.writer_revoked()) env_.fail(ErrorCode::Closed, "write in a store that was closed");
    env_.fail(ErrorCode::TxnBroken,
              "use of a write transaction after an error that lost part of its work");
}

void Writer::fail(int code, std::string_view operation, const Slot& slot) {
    status_ = Status::Broken;
    env_.fail(code, operation, slot.name);
}

void Writer::fail(ErrorCode code, std::string_view what, const Slot& slot) const {
    env_.fail(code, what, slot.name);
}

void Writer::require_dup_sort(const Slot& slot) const {
    if (!slot.dup_sort())
        fail(ErrorCode::KindMismatch, "operation on pairs in a plain table", slot);
}

uint64_t Writer::view_id() {
    check();
    return mdb_txn_id(txn_);
}

void Writer::note(const MDB_val& val) noexcept {
    const auto* first = static_cast<const uint8_t*>(val.mv_data);
    // What lies in the map stays as it is until the transaction ends: changed pages are copied to
    // the heap.
    if (env_.in_map(first)) return;
    const uint8_t* last = first + val.mv_size;
    if (noted_last_ == nullptr) {
        noted_first_ = first;
        noted_last_ = last;
        return;
    }
    noted_first_ = std::min(noted_first_, first);
    noted_last_ = std::max(noted_last_, last);
}

bool Writer::may_move(ByteView view) const noexcept {
    return noted_last_ != nullptr && view.data() < noted_last_ && view.end() > noted_first_;
}

MDB_val Writer::stable_key(ByteView key) {
    if (!may_move(key)) return to_stored(key);
    std::ranges::copy(key, key_copy_.begin());
    return to_stored({key_copy_.data(), key.size()});
}

MDB_val Writer::stable_value(const Slot& slot, ByteView value) {
    if (may_move(value)) {
        value_copy_.assign(value.begin(), value.end());
        value = value_copy_;
    }
    return slot.dup_sort() ? to_stored(value) : raw_val(value);
}

MDB_cursor* Writer::shared_cursor(size_t slot_id) {
    if (slot_id >= shared_.size()) shared_.resize(env_.slot_count());
    const Slot& slot = env_.slot_at(slot_id);
    if (!slot.exists) return nullptr;
    Shared& shared = shared_[slot_id];
    if (shared.cursor == nullptr) {
        const int code = mdb_cursor_open(txn_, slot.dbi(), &shared.cursor);
        if (code != 0) fail(code, "opening a cursor", slot);
    }
    return shared.cursor;
}

void Writer::save_cursors() {
    for (WriterCursor* cursor = unsaved; cursor != nullptr; cursor = cursor->next_unsaved)
        cursor->save();
    unsaved = nullptr;
}

void Writer::check_writing() const {
    check();
    if (this_thread() != thread_)
        env_.fail(ErrorCode::WrongThread, "write by another thread than began the transaction");
}

bool Writer::readable(const Slot& slot) const {
    check();
    if (!slot.exists) absent(slot);
    return slot.exists;
}

void Writer::prepare(const Slot& slot) {
    check_writing();
    if (!slot.exists) fail(ErrorCode::NoSuchTable, "write to a table that is not there", slot);
    save_cursors();
}

Writer::Pair Writer::prepare(const Slot& slot, ByteView key, ByteView value) {
    check_writing();
    if (!slot.exists) fail(ErrorCode::NoSuchTable, "write to a table that is not there", slot);
    if (key.size() > kKeyBytesMax)
        fail(ErrorCode::BadKeySize,
             "key of " + std::to_string(key.size()) + " bytes, the limit is " +
                 std::to_string(kKeyBytesMax),
             slot);
    const size_t value_bytes_max = slot.dup_sort() ? kDupValueBytesMax : kPlainValueBytesMax;
    if (value.size() > value_bytes_max)
        fail(ErrorCode::BadValueSize,
             "value of " + std::to_string(value.size()) + " bytes, the limit is " +
                 std::to_string(value_bytes_max),
             slot);
    save_cursors();
    return {stable_key(key), stable_value(slot, value)};
}

/// After a write: no view is good any more, and the table's liblmdb cursor stands anywhere.
void Writer::written(size_t slot_id) noexcept {
    shared_[slot_id].owner = nullptr;
    noted_first_ = noted_last_ = nullptr;
}

void Writer::store(size_t slot_id, Pair pair) {
    const Slot& slot = env_.slot_at(slot_id);
    MDB_cursor* cursor = shared_cursor(slot_id);
    if (slot.dup_sort()) {
        store_new_pair(slot_id, pair);
        return;
    }
    const int code = mdb_cursor_put(cursor, &pair.key, &pair.value, 0);
    written(slot_id);
    if (code != 0) fail(code, "put", slot);
    env_.counters().puts.fetch_add(1, std::memory_order_relaxed);
}

bool Writer::store_new(size_t slot_id, Pair pair) {
    MDB_cursor* cursor = shared_cursor(slot_id);
    const int code = mdb_cursor_put(cursor, &pair.key, &pair.value, MDB_NOOVERWRITE);
    written(slot_id);
    if (code == MDB_KEYEXIST) return false;
    if (code != 0) fail(code, "put", env_.slot_at(slot_id));
    env_.counters().puts.fetch_add(1, std::memory_order_relaxed);
    return true;
}

bool Writer::store_new_pair(size_t slot_id, Pair pair) {
    MDB_cursor* cursor = shared_cursor(slot_id);
    MDB_val key;
    MDB_val value;
    // Asked first: liblmdb grows the group's page even for a pair that is there.
    int code = find_pair(cursor, pair.key, pair.value, key, value);
    if (code == MDB_NOTFOUND) {
        code = mdb_cursor_put(cursor, &pair.key, &pair.value, 0);
        written(slot_id);
        if (code != 0) fail(code, "put", env_.slot_at(slot_id));
        env_.counters().puts.fetch_add(1, std::memory_order_relaxed);
        return true;
    }
    written(slot_id);
    if (code != 0) fail(code, "put", env_.slot_at(slot_id));
    return false;
}

bool Writer::store_last(size_t slot_id, Pair pair) {
    const Slot& slot = env_.slot_at(slot_id);
    MDB_cursor* cursor = shared_cursor(slot_id);
    int code = mdb_cursor_put(cursor, &pair.key, &pair.value, MDB_APPEND);
    written(slot_id);
    if (code == MDB_KEYEXIST) {
        MDB_val key;
        MDB_val value;
        code = move(cursor, MDB_LAST, key, value);
        if (code != 0) fail(code, "append", slot);
        if (!same(key, pair.key)) return false;
        if (slot.dup_sort() && raw_view(pair.value) <= raw_view(value)) return false;
        code = mdb_cursor_put(cursor, &pair.key, &pair.value, slot.dup_sort() ? MDB_APPENDDUP : 0);
    }
    if (code != 0) fail(code, "append", slot);
    env_.counters().puts.fetch_add(1, std::memory_order_relaxed);
    return true;
}

bool Writer::store_last_dup(size_t slot_id, Pair pair) {
    const Slot& slot = env_.slot_at(slot_id);
    MDB_cursor* cursor = shared_cursor(slot_id);
    MDB_val key;
    MDB_val value;
    int code = find_last_dup(cursor, pair.key, key, value);
    const bool group_exists = code == 0;
    if (group_exists && raw_view(pair.value) <= raw_view(value)) {
        written(slot_id);
        return false;
    }
    if (group_exists || code == MDB_NOTFOUND)
        code = mdb_cursor_put(cursor, &pair.key, &pair.value, group_exists ? MDB_APPENDDUP : 0);
    written(slot_id);
    if (code != 0) fail(code, "append_dup", slot);
    env_.counters().puts.fetch_add(1, std::memory_order_relaxed);
    return true;
}

bool Writer::erase_entry(size_t slot_id, Pair pair) {
    const Slot& slot = env_.slot_at(slot_id);
    MDB_cursor* cursor = shared_cursor(slot_id);
    MDB_val key;
    MDB_val value;
    int code = slot.dup_sort() ? find_pair(cursor, pair.key, pair.value, key, value)
                               : find_key(cursor, pair.key, key, value);
    const bool there = code == 0;
    if (there) code = mdb_cursor_del(cursor, 0);
    written(slot_id);
    if (code == MDB_NOTFOUND && !there) return false;
    if (code != 0) fail(code, "delete", slot);
    for (WriterCursor* open = cursors; open != nullptr; open = open->next_open)
        if (open->slot_id() == slot_id) open->entry_gone(pair.key, &pair.value);
    env_.counters().deletes.fetch_add(1, std::memory_order_relaxed);
    return true;
}

bool Writer::erase_group(size_t slot_id, const MDB_val& wanted) {
    const Slot& slot = env_.slot_at(slot_id);
    MDB_cursor* cursor = shared_cursor(slot_id);
    MDB_val key;
    MDB_val value;
    int code = find_key(cursor, wanted, key, value);
    const bool there = code == 0;
    if (there) code = mdb_cursor_del(cursor, slot.dup_sort() ? MDB_NODUPDATA : 0);
    written(slot_id);
    if (code == MDB_NOTFOUND && !there) return false;
    if (code != 0) fail(code, "delete", slot);
    for (WriterCursor* open = cursors; open != nullptr; open = open->next_open)
        if (open->slot_id() == slot_id) open->entry_gone(wanted, nullptr);
    env_.counters().deletes.fetch_add(1, std::memory_order_relaxed);
    return true;
}

std::optional<ByteView> Writer::get(Table table, ByteView key) {
    const Slot& slot = env_.slot(table);
    if (!readable(slot)) return std::nullopt;
    const std::optional<ByteView> value = lookup(slot, slot.place(), key);
    if (value) note(raw_val(*value));
    return value;
}

void Writer::get_many(Table table, std::span<const ByteView> keys,
                      std::span<std::optional<ByteView>> out) {
    for (size_t i = 0; i < keys.size(); ++i) out[i] = get(table, keys[i]);
}

std::unique_ptr<detail::CursorImpl> Writer::cursor(Table table) {
    static_cast<void>(readable(env_.slot(table)));
    if (table.id >= shared_.size()) shared_.resize(env_.slot_count());
    return std::make_unique<WriterCursor>(*this, table.id);
}

void Writer::put(Table table, ByteView key, ByteView value) {
    store(table.id, prepare(env_.slot(table), key, value));
}

bool Writer::put_no_overwrite(Table table, ByteView key, ByteView value) {
    return store_new(table.id, prepare(env_.slot(table), key, value));
}

void Writer::append(Table table, ByteView key, ByteView value) {
    const Slot& slot = env_.slot(table);
    if (!store_last(table.id, prepare(slot, key, value)))
        fail(ErrorCode::KeyMismatch, "append of an entry that is not the greatest", slot);
}

void Writer::append_dup(Table table, ByteView key, ByteView value) {
    const Slot& slot = env_.slot(table);
    check();
    require_dup_sort(slot);
    if (!store_last_dup(table.id, prepare(slot, key, value)))
        fail(ErrorCode::KeyMismatch, "append_dup of a value that is not the greatest", slot);
}

bool Writer::del(Table table, ByteView key) {
    prepare(env_.slot(table));
    return key.size() <= kKeyBytesMax && erase_group(table.id, stable_key(key));
}

bool Writer::del(Table table, ByteView key, ByteView value) {
    const Slot& slot = env_.slot(table);
    check();
    require_dup_sort(slot);
    prepare(slot);
    if (key.size() > kKeyBytesMax || value.size() > kDupValueBytesMax) return false;
    return erase_entry(table.id, {stable_key(key), stable_value(slot, value)});
}

uint64_t Writer::del_range(Table table, std::optional<ByteView> from, std::optional<ByteView> to) {
    const Slot& slot = env_.slot(table);
    prepare(slot);
    const core::Bytes from_copy = from ? from->to_bytes() : core::Bytes{};
    const core::Bytes to_copy = to ? to->to_bytes() : core::Bytes{};
    if (from) from = ByteView(from_copy);
    if (to) to = ByteView(to_copy);

    MDB_cursor* cursor = shared_cursor(table.id);
    uint64_t deleted = 0;
    int code = 0;
    if (!from && !to) {
        deleted = entry_count(slot, slot.place());
        if (deleted != 0) code = mdb_drop(txn_, slot.dbi(), 0);
    } else {
        MDB_val key;
        MDB_val value;
        const auto seek = [&] {
            code = from ? seek_key(cursor, *from, key, value) : move(cursor, MDB_FIRST, key, value);
            return code == 0 && (!to || from_stored(key) < *to);
        };
        while (seek()) {
            size_t count = 1;
            if (slot.dup_sort()) code = mdb_cursor_count(cursor, &count);
            if (code == 0) code = mdb_cursor_del(cursor, slot.dup_sort() ? MDB_NODUPDATA : 0);
            if (code != 0) break;
            deleted += count;
        }
        if (code == MDB_NOTFOUND) code = 0;
    }
    written(table.id);
    if (code != 0) fail(code, "del_range", slot);
    if (deleted == 0) return 0;
    for (WriterCursor* open = cursors; open != nullptr; open = open->next_open)
        if (open->slot_id() == table.id) open->range_gone(from, to);
    env_.counters().deletes.fetch_add(deleted, std::memory_order_relaxed);
    return deleted;
}

uint64_t Writer::commit() {
    if (this_thread() != thread_)
        env_.fail(ErrorCode::WrongThread, "commit by another thread than began the transaction");
    check();
    env_.throw_if_latched();
    env_.check_attached();
    detach_cursors();
    // Freed by liblmdb, whatever it answers; until that is known the transaction counts as broken.
    MDB_txn* txn = std::exchange(txn_, nullptr);
    status_ = Status::Broken;
    const uint64_t view_id = env_.commit(txn, handles_created_);
    undo_.clear();
    finish();
    return view_id;
}

void Writer::end() noexcept {
    if (status_ == Status::Idle || env_.forked()) return;
    if (this_thread() != thread_) {
        // liblmdb's lock belongs to the thread that took it.
        env_.abandon_writer();
        return;
    }
    abort_now();
}

void Writer::abort_now() noexcept {
    detach_cursors();
    if (txn_ != nullptr) mdb_txn_abort(std::exchange(txn_, nullptr));
    undo_tables();
    env_.counters().aborts.fetch_add(1, std::memory_order_relaxed);
    finish();
}

void Writer::detach_cursors() noexcept {
    while (cursors != nullptr) cursors->detach();
    unsaved = nullptr;
    shared_.clear();  // liblmdb frees the cursors of a write transaction with it
}

void Writer::finish() noexcept {
    handles_created_ = false;
    noted_first_ = noted_last_ = nullptr;
    if (value_copy_.capacity() > kValueCopyBytesKept) core::Bytes().swap(value_copy_);
    status_ = Status::Idle;
    env_.release_writer();
}

}  // namespace keel::db::lmdb
