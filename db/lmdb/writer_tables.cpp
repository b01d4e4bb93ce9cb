// Tables and sequences in a write transaction.

#include <algorithm>

#include "db/lmdb/cursor.hpp"
#include "db/lmdb/moves.hpp"

namespace keel::db::lmdb {

uint64_t Writer::count(Table table) {
    const Slot& slot = env_.slot(table);
    return readable(slot) ? entry_count(slot, slot.place()) : 0;
}

uint64_t Writer::sequence(Table table) {
    const Slot& slot = env_.slot(table);
    return readable(slot) ? record_of(slot, slot.place()).sequence : 0;
}

bool Writer::exists(Table table) {
    check();
    return env_.slot(table).exists;
}

TableStat Writer::stat(Table table) {
    const Slot& slot = env_.slot(table);
    if (!readable(slot)) return {.kind = slot.place().kind.load(std::memory_order_relaxed)};
    MDB_cursor* cursor = nullptr;
    if (slot.dup_sort()) {
        cursor = shared_cursor(table.id);
        own_shared_cursor(table.id, nullptr);
    }
    return stat_of(slot, slot.place(), cursor);
}

std::vector<TableSpec> Writer::list_tables() {
    check();
    std::vector<TableSpec> tables;
    for (size_t id = 0; id < env_.slot_count(); ++id) {
        const Slot& slot = env_.slot_at(id);
        if (slot.exists)
            tables.push_back(
                {.name = slot.name, .kind = slot.place().kind.load(std::memory_order_relaxed)});
    }
    std::ranges::sort(tables, {}, &TableSpec::name);
    return tables;
}

void Writer::put_record(const Slot& slot, const TableRecord& record) {
    save_cursors();
    const int code = write_table_record(txn_, env_.catalogue(), slot.place().stored_name, record);
    noted_first_ = noted_last_ = nullptr;
    if (code != 0) fail(code, "writing the catalogue", slot);
}

uint64_t Writer::increment(Table table, uint64_t by) {
    const Slot& slot = env_.slot(table);
    prepare(slot);
    TableRecord record = record_of(slot, slot.place());
    const uint64_t before = record.sequence;
    if (by > UINT64_MAX - before)
        fail(ErrorCode::SequenceOverflow,
             "increment of sequence " + std::to_string(before) + " by " + std::to_string(by), slot);
    if (by == 0) return before;
    record.sequence += by;
    put_record(slot, record);
    return before;
}

void Writer::set_sequence(Table table, uint64_t value) {
    const Slot& slot = env_.slot(table);
    prepare(slot);
    TableRecord record = record_of(slot, slot.place());
    if (record.sequence == value) return;
    record.sequence = value;
    put_record(slot, record);
}

void Writer::remember(uint16_t slot_id) {
    const Slot& slot = env_.slot_at(slot_id);
    undo_.push_back({.slot_id = slot_id,
                     .existed = slot.exists,
                     .live = slot.live.load(std::memory_order_relaxed),
                     .opened_place = std::nullopt});
}

void Writer::undo_tables() noexcept {
    for (size_t i = undo_.size(); i-- > 0;) {
        const Undo& undo = undo_[i];
        Slot& slot = env_.slot_at(undo.slot_id);
        slot.exists = undo.existed;
        slot.live.store(undo.live, std::memory_order_relaxed);
        // liblmdb closes the handle with the transaction that opened it.
        if (undo.opened_place) slot.places[*undo.opened_place].dbi.store(0);
    }
    undo_.clear();
}

/// Makes liblmdb's table. false: liblmdb has no more handles.
bool Writer::open_handle(const Slot& slot, Place& place, Kind kind) {
    MDB_dbi dbi = 0;
    const unsigned flags = MDB_CREATE | (kind == Kind::DupSort ? MDB_DUPSORT : 0U);
    const int code = mdb_dbi_open(txn_, place.stored_name.c_str(), flags, &dbi);
    if (code == MDB_DBS_FULL) return false;
    if (code != 0) fail(code, "creating a table", slot);
    place.kind.store(kind, std::memory_order_relaxed);
    place.dbi.store(dbi, std::memory_order_release);
    handles_created_ = true;
    return true;
}

void Writer::create_table(const TableSpec& spec) {
    check_writing();
    if (!is_table_name(spec.name))
        env_.fail(ErrorCode::NoSuchTable, "'" + spec.name + "' is not a name for a table");
    const uint16_t id = env_.resolve(spec.name);
    Slot& slot = env_.slot_at(id);
    if (slot.exists) {
        if (slot.place().kind.load(std::memory_order_relaxed) == spec.kind) return;
        fail(ErrorCode::KindMismatch, "the table is there with the other kind", slot);
    }
    size_t tables = 0;
    for (size_t other = 0; other < env_.slot_count(); ++other)
        tables += env_.slot_at(other).exists ? 1 : 0;
    if (tables >= kTablesMax)
        fail(ErrorCode::TooManyTables,
             std::to_string(tables) + " tables are there, the limit is " +
                 std::to_string(kTablesMax),
             slot);
    save_cursors();
    // The place of a dropped table is taken again if it has the right kind.
    const auto fits = [&](const Place& place) {
        return place.dbi.load(std::memory_order_relaxed) == 0 ||
               place.kind.load(std::memory_order_relaxed) == spec.kind;
    };
    const uint8_t live = fits(slot.places[0]) ? 0 : 1;
    Place& place = slot.places[live];
    const bool fresh = place.dbi.load(std::memory_order_relaxed) == 0;
    if (fresh && !open_handle(slot, place, spec.kind))
        fail(ErrorCode::TooManyTables, "too many dropped tables until the store is opened again",
             slot);
    remember(id);
    if (fresh) undo_.back().opened_place = live;
    if (live == 1) slot.ambiguous.store(true, std::memory_order_release);
    if (shared_.size() < env_.slot_count()) shared_.resize(env_.slot_count());
    // liblmdb's cursor may be one on the other place: it is freed with the transaction.
    if (live != slot.live.load(std::memory_order_relaxed)) shared_[id] = {};
    slot.live.store(live, std::memory_order_relaxed);
    slot.exists = true;
    if (!fresh) put_record(slot, {});
    noted_first_ = noted_last_ = nullptr;
}

void Writer::clear_table(Table table) {
    const Slot& slot = env_.slot(table);
    prepare(slot);
    if (entry_count(slot, slot.place()) != 0) {
        shared_cursor(table.id);
        const int code = mdb_drop(txn_, slot.dbi(), 0);
        written(table.id);
        if (code != 0) fail(code, "clear_table", slot);
    }
    for (WriterCursor* open = cursors; open != nullptr; open = open->next_open)
        if (open->slot_id() == table.id) open->table_cleared();
}

bool Writer::drop_table(Table table) {
    check_writing();
    Slot& slot = env_.slot(table);
    if (!slot.exists) return false;
    clear_table(table);
    remember(table.id);
    slot.ambiguous.store(true, std::memory_order_release);
    put_record(slot, {.dropped = true, .sequence = 0});
    slot.exists = false;
    for (WriterCursor* open = cursors; open != nullptr; open = open->next_open)
        if (open->slot_id() == table.id) open->table_dropped();
    return true;
}

}  // namespace keel::db::lmdb
