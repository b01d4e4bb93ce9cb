// Tables and sequences in a write transaction.

#include <algorithm>

#include "db/lmdb/cursor.hpp"
#include "db/lmdb/moves.hpp"

namespace keel::db::lmdb {

uint64_t Writer::count(Table table) {
    check();
    const Slot& slot = env_.slot(table);
    return slot.exists ? entry_count(slot) : 0;
}

uint64_t Writer::sequence(Table table) {
    check();
    const Slot& slot = env_.slot(table);
    return slot.exists ? record_of(slot).sequence : 0;
}

bool Writer::exists(Table table) {
    check();
    return env_.slot(table).exists;
}

TableStat Writer::stat(Table table) {
    check();
    const Slot& slot = env_.slot(table);
    MDB_cursor* cursor = nullptr;
    if (slot.exists && slot.dup_sort()) {
        cursor = shared_cursor(table.id);
        own_shared_cursor(table.id, nullptr);
    }
    return stat_of(slot, slot.exists, cursor);
}

std::vector<TableSpec> Writer::list_tables() {
    check();
    std::vector<TableSpec> tables;
    for (size_t id = 0; id < env_.slot_count(); ++id) {
        const Slot& slot = env_.slot_at(id);
        if (slot.exists)
            tables.push_back(
                {.name = slot.name, .kind = slot.kind.load(std::memory_order_relaxed)});
    }
    std::ranges::sort(tables, {}, &TableSpec::name);
    return tables;
}

void Writer::put_record(Slot& slot, const TableRecord& record) {
    save_cursors();
    const int code = write_table_record(txn_, env_.catalogue(), slot.stored_name, record);
    noted_first_ = noted_last_ = nullptr;
    if (code != 0) fail(code, "writing the catalogue", slot);
}

uint64_t Writer::increment(Table table, uint64_t by) {
    Slot& slot = env_.slot(table);
    prepare(slot);
    TableRecord record = record_of(slot);
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
    Slot& slot = env_.slot(table);
    prepare(slot);
    TableRecord record = record_of(slot);
    if (record.sequence == value) return;
    record.sequence = value;
    put_record(slot, record);
}

void Writer::remember(uint16_t slot_id, bool handle_opened) {
    undo_.push_back({.slot_id = slot_id,
                     .existed = env_.slot_at(slot_id).exists,
                     .handle_opened = handle_opened,
                     .name_was = std::nullopt});
}

void Writer::undo_tables() noexcept {
    for (size_t i = undo_.size(); i-- > 0;) {
        const Undo& undo = undo_[i];
        Slot& slot = env_.slot_at(undo.slot_id);
        slot.exists = undo.existed;
        if (undo.handle_opened) {
            // liblmdb closes the handle with the transaction that opened it.
            slot.dbi.store(0, std::memory_order_release);
            slot.kind_known = false;
        }
        if (undo.name_was) env_.point_name_at(slot.name, *undo.name_was);
    }
    undo_.clear();
}

/// Opens or makes liblmdb's table behind a slot. false: liblmdb has no more handles.
bool Writer::open_handle(Slot& slot, Kind kind) {
    MDB_dbi dbi = 0;
    const unsigned flags = MDB_CREATE | (kind == Kind::DupSort ? MDB_DUPSORT : 0U);
    const int code = mdb_dbi_open(txn_, slot.stored_name.c_str(), flags, &dbi);
    if (code == MDB_DBS_FULL) return false;
    if (code != 0) fail(code, "creating a table", slot);
    slot.kind.store(kind, std::memory_order_relaxed);
    slot.kind_known = true;
    slot.dbi.store(dbi, std::memory_order_release);
    handles_created_ = true;
    return true;
}

/// The slot that a table is created in: the one of its name, unless the shell of a dropped table of
/// the other kind holds that, which readers may still look at.
uint16_t Writer::slot_for_creation(const TableSpec& spec) {
    const uint16_t id = env_.resolve(spec.name);
    const Slot& slot = env_.slot_at(id);
    if (!slot.kind_known || slot.kind.load(std::memory_order_relaxed) == spec.kind) return id;
    const std::string other_name =
        spec.name + kKindMark + (spec.kind == Kind::DupSort ? "dupsort" : "plain");
    const bool has_mark = slot.stored_name != spec.name;
    const std::string& wanted = has_mark ? spec.name : other_name;
    for (size_t other = 0; other < env_.slot_count(); ++other)
        if (env_.slot_at(other).stored_name == wanted) return static_cast<uint16_t>(other);
    return env_.add_slot(spec.name, wanted);
}

void Writer::create_table(const TableSpec& spec) {
    check();
    if (!is_table_name(spec.name))
        env_.fail(ErrorCode::NoSuchTable, "'" + spec.name + "' is not a name for a table");
    const uint16_t named = env_.resolve(spec.name);
    const Slot& current = env_.slot_at(named);
    if (current.exists) {
        if (current.kind.load(std::memory_order_relaxed) == spec.kind) return;
        fail(ErrorCode::KindMismatch, "the table is there with the other kind", current);
    }
    size_t tables = 0;
    for (size_t id = 0; id < env_.slot_count(); ++id) tables += env_.slot_at(id).exists ? 1 : 0;
    if (tables >= kTablesMax)
        fail(ErrorCode::TooManyTables,
             std::to_string(tables) + " tables are there, the limit is " +
                 std::to_string(kTablesMax),
             current);
    save_cursors();
    const uint16_t id = slot_for_creation(spec);
    Slot& slot = env_.slot_at(id);
    const bool fresh = slot.dbi.load(std::memory_order_relaxed) == 0;
    if (fresh && !open_handle(slot, spec.kind))
        fail(ErrorCode::TooManyTables, "too many dropped tables until the store is opened again",
             slot);
    remember(id, fresh);
    if (id != named) {
        undo_.back().name_was = named;
        env_.point_name_at(spec.name, id);
    }
    if (!fresh) put_record(slot, {});
    slot.exists = true;
    noted_first_ = noted_last_ = nullptr;
    if (shared_.size() < env_.slot_count()) shared_.resize(env_.slot_count());
}

void Writer::clear_table(Table table) {
    Slot& slot = env_.slot(table);
    prepare(slot);
    if (entry_count(slot) != 0) {
        shared_cursor(table.id);
        const int code = mdb_drop(txn_, slot.dbi.load(std::memory_order_relaxed), 0);
        written(table.id);
        if (code != 0) fail(code, "clear_table", slot);
    }
    for (WriterCursor* open = cursors; open != nullptr; open = open->next_open)
        if (open->slot_id() == table.id) open->table_cleared();
}

bool Writer::drop_table(Table table) {
    check();
    Slot& slot = env_.slot(table);
    if (!slot.exists) return false;
    clear_table(table);
    remember(table.id);
    put_record(slot, {.dropped = true, .sequence = 0});
    slot.exists = false;
    for (WriterCursor* open = cursors; open != nullptr; open = open->next_open)
        if (open->slot_id() == table.id) open->table_dropped();
    return true;
}

}  // namespace keel::db::lmdb
