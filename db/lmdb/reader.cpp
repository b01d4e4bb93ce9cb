#include <algorithm>
#include <thread>

#include "core/endian.hpp"
#include "db/lmdb/cursor.hpp"
#include "db/lmdb/moves.hpp"

namespace keel::db::lmdb {
namespace {

// Record of a table in it: u32 pad, u16 flags, ...
constexpr size_t kFlagsOffset = 4;

/// What a call means when the snapshot is older than the table, or the table is gone.
bool no_such_table(int code) {
    return code == MDB_NOTFOUND || code == EINVAL || code == MDB_BAD_DBI;
}

}  // namespace

std::optional<ByteView> TxnBase::lookup(const Slot& slot, const Place& place, ByteView key) {
    if (key.size() > kKeyBytesMax) [[unlikely]]
        return std::nullopt;
    MDB_val wanted = to_stored(key);
    MDB_val value;
    const int code = mdb_get(txn_, place.dbi.load(std::memory_order_relaxed), &wanted, &value);
    if (code == 0) [[likely]]
        return place.dup_sort() ? from_stored(value) : raw_view(value);
    if (code == MDB_NOTFOUND) return std::nullopt;
    if (!no_such_table(code)) env_.fail(code, "get", slot.name);
    absent(slot);
    return std::nullopt;
}

void TxnBase::absent(const Slot& slot) const {
    if (!slot.declared.load(std::memory_order_relaxed))
        env_.fail(ErrorCode::NoSuchTable, "the table is neither stored nor declared", slot.name);
}

uint64_t TxnBase::entry_count(const Slot& slot, const Place& place) {
    MDB_stat stat{};
    const int code = mdb_stat(txn_, place.dbi.load(std::memory_order_relaxed), &stat);
    if (code == 0) return stat.ms_entries;
    if (!no_such_table(code)) env_.fail(code, "count", slot.name);
    absent(slot);
    return 0;
}

TableRecord TxnBase::record_of(const Slot& slot, const Place& place) {
    TableRecord record;
    const int code = read_table_record(txn_, env_.catalogue(), place.stored_name, record);
    if (code != 0) env_.fail(code, "reading the catalogue", slot.name);
    return record;
}

TableStat TxnBase::stat_of(const Slot& slot, const Place& place, MDB_cursor* cursor) {
    TableStat result{.kind = place.kind.load(std::memory_order_relaxed)};
    MDB_stat stat{};
    const int code = mdb_stat(txn_, place.dbi.load(std::memory_order_relaxed), &stat);
    if (code != 0) env_.fail(code, "stat", slot.name);
    result.entries = result.keys = stat.ms_entries;
    result.depth = stat.ms_depth;
    result.branch_pages = stat.ms_branch_pages;
    result.leaf_pages = stat.ms_leaf_pages;
    result.overflow_pages = stat.ms_overflow_pages;
    result.bytes =
        (result.branch_pages + result.leaf_pages + result.overflow_pages) * stat.ms_psize;
    result.sequence = record_of(slot, place).sequence;
    if (!place.dup_sort()) return result;
    // liblmdb does not count keys.
    result.keys = 0;
    MDB_val key;
    MDB_val value;
    int found = move(cursor, MDB_FIRST, key, value);
    for (; found == 0; found = move(cursor, MDB_NEXT_NODUP, key, value)) ++result.keys;
    if (found != MDB_NOTFOUND) env_.fail(found, "counting keys", slot.name);
    return result;
}

Reader* Reader::make(Env& env) {
    std::unique_ptr<Reader> reader(new Reader(env));
    const int code = mdb_txn_begin(env.env(), nullptr, MDB_RDONLY, &reader->txn_);
    if (code == MDB_READERS_FULL) return nullptr;
    if (code != 0) env.fail(code, "beginning a read transaction");
    mdb_txn_reset(reader->txn_);
    return reader.release();
}

Reader::~Reader() {
    for (const IdleCursor& idle : idle_cursors_)
        if (idle.cursor != nullptr) mdb_cursor_close(idle.cursor);
    if (txn_ != nullptr) mdb_txn_abort(txn_);
}

/// liblmdb publishes the number of a snapshot to writers before it copies the roots from one of the
/// two meta pages; a reader that is held up in between can find there the roots of the next but one
/// commit, and handles of tables that are published after their commit. Both show in the marks.
bool Reader::snapshot_is_whole(uint64_t epoch) const {
    const uint64_t id = mdb_txn_id(txn_);
    if (env_.read_only()) {
        // The writer is another process: its meta pages are all there is to go by.
        MDB_envinfo info;
        return mdb_env_info(env_.env(), &info) == 0 && info.me_last_txnid <= id + 1;
    }
    // liblmdb's loads come first: x86-64 keeps loads in order, and this keeps the compiler from
    // moving them.
    std::atomic_signal_fence(std::memory_order_acquire);
    const Env::CommitMarks& marks = env_.marks();
    return marks.committing.load(std::memory_order_acquire) <= id + 1 &&
           marks.handle_epoch.load(std::memory_order_acquire) == epoch;
}

void Reader::start() {
    for (;;) {
        const uint64_t epoch = env_.marks().handle_epoch.load(std::memory_order_acquire);
        if (epoch % 2 != 0) {
            std::this_thread::yield();
            continue;
        }
        const int code = mdb_txn_renew(txn_);
        if (code != 0) env_.fail(code, "beginning a read transaction");
        if (snapshot_is_whole(epoch)) break;
        mdb_txn_reset(txn_);
    }
    view_id_.store(mdb_txn_id(txn_), std::memory_order_relaxed);
    thread_.store(this_thread(), std::memory_order_relaxed);
    began_ns_.store(coarse_now_ns(), std::memory_order_relaxed);
}

void Reader::end() noexcept {
    if (env_.forked()) return;
    while (cursors != nullptr) cursors->detach();
    began_ns_.store(0, std::memory_order_relaxed);
    mdb_txn_reset(txn_);
    env_.give_back(*this);
}

bool Reader::stored_here(const Slot& slot, const Place& place) {
    MDB_val key = raw_val(place.stored_name);
    MDB_val value;
    const int code = mdb_get(txn_, kMainDbi, &key, &value);
    if (code == MDB_NOTFOUND) return false;
    if (code != 0) env_.fail(code, "looking for a table", slot.name);
    return !record_of(slot, place).dropped;
}

/// Where this snapshot has the table; nullptr: nowhere, and it is declared.
const Place* Reader::find_place(const Slot& slot) {
    if (!slot.ambiguous.load(std::memory_order_acquire)) [[likely]] {
        const Place& place = slot.places[0];
        if (place.dbi.load(std::memory_order_acquire) != 0) [[likely]]
            return &place;
    } else {
        for (const Place& place : slot.places)
            if (place.dbi.load(std::memory_order_acquire) != 0 && stored_here(slot, place))
                return &place;
    }
    absent(slot);
    return nullptr;
}

std::optional<ByteView> Reader::get(Table table, ByteView key) {
    const Slot& slot = env_.slot(table);
    const Place* place = find_place(slot);
    return place != nullptr ? lookup(slot, *place, key) : std::nullopt;
}

void Reader::get_many(Table table, std::span<const ByteView> keys,
                      std::span<std::optional<ByteView>> out) {
    const Slot& slot = env_.slot(table);
    const Place* place = find_place(slot);
    for (size_t i = 0; i < keys.size(); ++i)
        out[i] = place != nullptr ? lookup(slot, *place, keys[i]) : std::nullopt;
}

MDB_cursor* Reader::take_cursor(MDB_dbi dbi) {
    if (dbi == 0) return nullptr;
    MDB_cursor* cursor = nullptr;
    for (IdleCursor& idle : idle_cursors_) {
        if (idle.cursor == nullptr || idle.dbi != dbi) continue;
        cursor = std::exchange(idle.cursor, nullptr);
        if (mdb_cursor_renew(txn_, cursor) == 0) return cursor;
        mdb_cursor_close(cursor);
        break;
    }
    const int code = mdb_cursor_open(txn_, dbi, &cursor);
    if (code == 0) return cursor;
    if (!no_such_table(code)) env_.fail(code, "opening a cursor");
    return nullptr;
}

void Reader::keep_cursor(MDB_cursor* cursor, MDB_dbi dbi) noexcept {
    for (IdleCursor& idle : idle_cursors_) {
        if (idle.cursor != nullptr) continue;
        idle = {cursor, dbi};
        return;
    }
    IdleCursor& oldest = idle_cursors_[replaced_++ % idle_cursors_.size()];
    mdb_cursor_close(oldest.cursor);
    oldest = {cursor, dbi};
}

std::unique_ptr<detail::CursorImpl> Reader::cursor(Table table) {
    const Slot& slot = env_.slot(table);
    const Place* place = find_place(slot);
    if (place == nullptr) return std::make_unique<ReaderCursor>(*this, nullptr, 0, slot.dup_sort());
    const MDB_dbi dbi = place->dbi.load(std::memory_order_relaxed);
    MDB_cursor* cursor = take_cursor(dbi);
    if (cursor == nullptr) absent(slot);
    return std::make_unique<ReaderCursor>(*this, cursor, dbi, place->dup_sort());
}

uint64_t Reader::count(Table table) {
    const Slot& slot = env_.slot(table);
    const Place* place = find_place(slot);
    return place != nullptr ? entry_count(slot, *place) : 0;
}

uint64_t Reader::sequence(Table table) {
    const Slot& slot = env_.slot(table);
    const Place* place = find_place(slot);
    return place != nullptr ? record_of(slot, *place).sequence : 0;
}

bool Reader::exists(Table table) {
    const Slot& slot = env_.slot(table);
    return std::ranges::any_of(slot.places, [&](const Place& place) {
        return place.dbi.load(std::memory_order_acquire) != 0 && stored_here(slot, place);
    });
}

TableStat Reader::stat(Table table) {
    const Slot& slot = env_.slot(table);
    const Place* place = find_place(slot);
    if (place == nullptr || !stored_here(slot, *place)) {
        absent(slot);
        return {.kind = slot.place().kind.load(std::memory_order_relaxed)};
    }
    const MDB_dbi dbi = place->dbi.load(std::memory_order_relaxed);
    MDB_cursor* cursor = place->dup_sort() ? take_cursor(dbi) : nullptr;
    const TableStat result = stat_of(slot, *place, cursor);
    if (cursor != nullptr) keep_cursor(cursor, dbi);
    return result;
}

std::vector<TableSpec> Reader::list_tables() {
    std::vector<TableSpec> tables;
    MDB_cursor* cursor = take_cursor(kMainDbi);
    MDB_val key;
    MDB_val value;
    int code = move(cursor, MDB_FIRST, key, value);
    for (; code == 0; code = move(cursor, MDB_NEXT, key, value)) {
        const std::string_view stored_name = raw_view(key).text();
        if (is_own_name(stored_name)) continue;
        TableRecord record;
        code = read_table_record(txn_, env_.catalogue(), stored_name, record);
        if (code != 0) break;
        if (record.dropped) continue;
        const auto flags =
            core::load_le<uint16_t>(static_cast<const uint8_t*>(value.mv_data) + kFlagsOffset);
        tables.push_back({.name = std::string(logical_name(stored_name)),
                          .kind = (flags & MDB_DUPSORT) != 0 ? Kind::DupSort : Kind::Plain});
    }
    if (cursor != nullptr) keep_cursor(cursor, kMainDbi);
    if (code != MDB_NOTFOUND) env_.fail(code, "listing tables");
    std::ranges::sort(tables, {}, &TableSpec::name);
    return tables;
}

namespace {

[[noreturn]] void refuse_write() {
    throw Error(ErrorCode::ReadOnly, "write in a read transaction");
}

}  // namespace

uint64_t Reader::commit() {
    refuse_write();
}
void Reader::put(Table, ByteView, ByteView) {
    refuse_write();
}
bool Reader::put_no_overwrite(Table, ByteView, ByteView) {
    refuse_write();
}
void Reader::append(Table, ByteView, ByteView) {
    refuse_write();
}
void Reader::append_dup(Table, ByteView, ByteView) {
    refuse_write();
}
bool Reader::del(Table, ByteView) {
    refuse_write();
}
bool Reader::del(Table, ByteView, ByteView) {
    refuse_write();
}
uint64_t Reader::del_range(Table, std::optional<ByteView>, std::optional<ByteView>) {
    refuse_write();
}
uint64_t Reader::increment(Table, uint64_t) {
    refuse_write();
}
void Reader::set_sequence(Table, uint64_t) {
    refuse_write();
}
void Reader::create_table(const TableSpec&) {
    refuse_write();
}
void Reader::clear_table(Table) {
    refuse_write();
}
bool Reader::drop_table(Table) {
    refuse_write();
}

}  // namespace keel::db::lmdb
