#include "db/mem/writer.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "db/mem/cursor.hpp"
#include "db/mem/load.hpp"
#include "db/mem/snapshot.hpp"
#include "db/mem/store.hpp"

namespace keel::db::mem {

void Writer::start() {
    commit_id_ = store_.newest().id() + 1;
    ++epoch_;
    catalogue_ = store_.catalogue();
    table_count_ = catalogue_.entries;
    broken_ = false;
    dirty_ = false;
    puts_ = 0;
    deletes_ = 0;
    last_id_ = kNoTable;
    loads_into_image_ = false;
    store_.begin_record(record_);
    store_.pages().begin(commit_id_);
}

Error Writer::error(ErrorCode code, const OpenTable& table, const std::string& what) const {
    const TableNames::Info* const info = store_.names().find(table.id);
    return store_.error(code, info != nullptr ? info->name : "?", what);
}

void Writer::throw_trouble() const {
    if (broken_)
        throw store_.error(ErrorCode::TxnBroken, "",
                           "an earlier error lost part of this transaction; only abort is left");
    throw store_.error(ErrorCode::Closed, "", "closed while the transaction was open");
}

void Writer::rethrow_broken(const OpenTable* table) {
    broken_ = true;
    const TableNames::Info* const info =
        table != nullptr ? store_.names().find(table->id) : nullptr;
    const std::string_view name = info != nullptr ? std::string_view(info->name) : "";
    try {
        throw;
    } catch (const Error& error) {
        const Error named = store_.error(error.code(), name, error.message());
        // Of the log, into which large transactions are written ahead.
        if (error.code() == ErrorCode::Io || error.code() == ErrorCode::DiskFull)
            store_.latch(named);
        throw named;
    } catch (const core::FileFault& fault) {
        // Of the image that is being loaded.
        const Error failed = store_.file_error(fault);
        store_.latch(failed);
        throw failed;
    } catch (const std::bad_alloc&) {
        throw store_.error(ErrorCode::MapFull, name, "the system has no memory left");
    }
}

template <class F>
void Writer::each_cursor(const OpenTable& table, const Cursor* mover, F&& tell) {
    for (Cursor* cursor = cursors_; cursor != nullptr; cursor = cursor->next_open)
        if (cursor != mover && cursor->table() == &table) tell(*cursor);
}

template <class F>
decltype(auto) Writer::change(OpenTable& table, const Cursor* mover, F&& edit) {
    try {
        mark_changed(table);
        each_cursor(table, mover, [](Cursor& cursor) { cursor.save(); });
        ++table.writes;
        return edit();
    } catch (...) {
        rethrow_broken(&table);
    }
}

void Writer::log_or_break(LogOp op, OpenTable& table, ByteView key, ByteView value) {
    try {
        log(op, table, key, value);
    } catch (...) {
        rethrow_broken(&table);
    }
}

void Writer::mark_changed(OpenTable& table) {
    dirty_ = true;
    if (table.changed) return;
    changed_.push_back(&table);
    table.changed = true;
}

void Writer::name_in_record(OpenTable& table) {
    if (const std::string* const producer = store_.producer_to_log(); producer != nullptr)
        record_.add(LogOp::Producer, 0, *producer, {});
    table.logged_as = record_.add_table(store_.names().find(table.id)->name);
}

OpenTable& Writer::load(uint16_t id) {
    if (id >= tables_.size()) tables_.resize(size_t{id} + 1);
    OpenTable& table = tables_[id];
    if (table.epoch == epoch_) return table;
    const TableNames::Info* const info = store_.names().find(id);
    table.id = id;
    table.changed = false;
    table.logged_as = LogRecord::kNoTable;
    table.cursors = 0;
    table.writes = 0;
    table.finger_writes = UINT64_MAX;
    const std::optional<TableRow> row = find_row(space_, catalogue_, info->name);
    table.exists = row.has_value();
    table.row = row.value_or(TableRow{.tree = {.dup = info->kind.load() == Kind::DupSort}});
    table.epoch = epoch_;
    return table;
}

OpenTable& Writer::open(Table table) {
    const TableNames::Info* const info = store_.names().find(table.id);
    if (info == nullptr)
        throw store_.error(ErrorCode::NoSuchTable, "?", fmt::format("no handle {}", table.id));
    OpenTable& opened = load(table.id);
    if (!opened.exists && !info->declared)
        throw error(ErrorCode::NoSuchTable, opened, "neither stored nor declared");
    return opened;
}

OpenTable& Writer::open_existing_slowly(Table table) {
    OpenTable& opened = open(table);
    if (!opened.exists) throw error(ErrorCode::NoSuchTable, opened, "not stored");
    last_opened_ = &opened;
    last_id_ = table.id;
    return opened;
}

void Writer::attach(Cursor& cursor) {
    cursor.next_open = cursors_;
    if (cursors_ != nullptr) cursors_->prev_open = &cursor;
    cursors_ = &cursor;
    ++cursor.table()->cursors;
}

void Writer::detach(Cursor& cursor) noexcept {
    --cursor.table()->cursors;
    if (cursor.prev_open != nullptr) {
        cursor.prev_open->next_open = cursor.next_open;
    } else {
        cursors_ = cursor.next_open;
    }
    if (cursor.next_open != nullptr) cursor.next_open->prev_open = cursor.prev_open;
}

uint64_t Writer::view_id() {
    check();
    return commit_id_;
}

std::optional<ByteView> Writer::get(Table table, ByteView key) {
    check();
    const OpenTable& opened = table.id == last_id_ ? *last_opened_ : open(table);
    return tree_get(space_, opened.row.tree, key);
}

void Writer::get_many(Table table, std::span<const ByteView> keys,
                      std::span<std::optional<ByteView>> out) {
    check();
    tree_get_many(space_, open(table).row.tree, keys, out);
}

std::unique_ptr<detail::CursorImpl> Writer::cursor(Table table) {
    check();
    return std::make_unique<Cursor>(*this, open(table));
}

uint64_t Writer::count(Table table) {
    check();
    return open(table).row.tree.entries;
}

uint64_t Writer::sequence(Table table) {
    check();
    return open(table).row.sequence;
}

TableStat Writer::stat(Table table) {
    check();
    return to_stat(open(table).row);
}

bool Writer::exists(Table table) {
    check();
    return store_.names().find(table.id) != nullptr && load(table.id).exists;
}

std::vector<TableSpec> Writer::list_tables() {
    check();
    std::vector<TableSpec> tables = list_catalogue(space_, catalogue_);
    for (const OpenTable* const table : changed_) {
        const std::string& name = store_.names().find(table->id)->name;
        std::erase_if(tables, [&](const TableSpec& spec) { return spec.name == name; });
        if (table->exists)
            tables.push_back(
                {name, table->row.tree.dup ? Kind::DupSort : Kind::Plain, table->row.append_only});
    }
    std::ranges::sort(tables, {}, &TableSpec::name);
    return tables;
}

void Writer::refuse_entry(const OpenTable& table, ByteView key, ByteView value) const {
    if (key.size() > kKeyBytesMax)
        throw error(ErrorCode::BadKeySize, table,
                    fmt::format("key of {} bytes; at most {}", key.size(), kKeyBytesMax));
    const size_t value_bytes_max = table.row.tree.dup ? kDupValueBytesMax : kPlainValueBytesMax;
    throw error(ErrorCode::BadValueSize, table,
                fmt::format("value of {} bytes; at most {}", value.size(), value_bytes_max));
}

void Writer::check_dup(const OpenTable& table) const {
    if (!table.row.tree.dup)
        throw error(ErrorCode::KindMismatch, table, "operation on pairs of a plain table");
}

Writer::Stable Writer::stabilise(const OpenTable& table, ByteView key, ByteView value) {
    const auto copy = [this](ByteView view, uint8_t* buffer) {
        if (view.empty() || !space_.contains(view.data())) return view;
        std::memcpy(buffer, view.data(), view.size());
        return ByteView(buffer, view.size());
    };
    // A plain table's value may be long; the editor copies it where that is needed.
    return {copy(key, key_buffer_), table.row.tree.dup ? copy(value, value_buffer_) : value};
}

Writer::Placed Writer::place(OpenTable& table, Path& path, const Stable& entry,
                             const Cursor* mover) {
    const bool dup = table.row.tree.dup;
    const Target target = {entry.key, dup ? entry.value : ByteView()};
    return place_at(table, path, descend(space_, table.row.tree, target, path), entry, mover);
}

Writer::Placed Writer::place_at(OpenTable& table, Path& path, bool exact, const Stable& entry,
                                const Cursor* mover) {
    if (exact && table.row.tree.dup) return {false, true};
    if (exact) return {true, replace_at(table, path, entry, mover)};
    return {true, insert_at(table, path, entry, mover)};
}

void Writer::insert_in_place(OpenTable& table, const Path& path, ByteView key, ByteView value) {
    log_safely(LogOp::Put, table, key, value);
    ++puts_;
    ++table.writes;
    editor_.insert_in_place(table.row.tree, path, key, value);
}

bool Writer::insert_at(OpenTable& table, Path& path, const Stable& entry, const Cursor* mover) {
    if (changes_in_place(table, mover) && editor_.inserts_in_place(path, entry.key, entry.value)) {
        insert_in_place(table, path, entry.key, entry.value);
        return true;
    }
    ++puts_;
    return change(table, mover, [&] {
        log(LogOp::Put, table, entry.key, entry.value);
        return editor_.insert(table.row.tree, path, entry.key, entry.value);
    });
}

bool Writer::replace_at(OpenTable& table, Path& path, const Stable& entry, const Cursor* mover) {
    ++puts_;
    if (changes_in_place(table, mover) && editor_.replaces_in_place(path, entry.value)) [[likely]] {
        log_safely(LogOp::Put, table, entry.key, entry.value);
        ++table.writes;
        editor_.replace_in_place(table.row.tree, path, entry.value);
        return true;
    }
    return change(table, mover, [&] {
        log(LogOp::Put, table, entry.key, entry.value);
        return editor_.replace(table.row.tree, path, entry.value);
    });
}

const uint8_t* Writer::erase_in_place(OpenTable& table, const Path& path, const Cursor* mover) {
    if (!changes_in_place(table, mover)) return nullptr;
    const LeafRecord record = record_at(space_, path);
    if (!editor_.erases_in_place(table.row.tree, path, record)) return nullptr;
    log_safely(LogOp::Delete, table, record.key, table.row.tree.dup ? record.value : ByteView());
    ++deletes_;
    ++table.writes;
    editor_.erase_in_place(table.row.tree, path, record);
    return record.key.data() - kRecordHeadBytes;
}

bool Writer::erase_at(OpenTable& table, Path& path, const Stable& victim, const Cursor* mover) {
    if (erase_in_place(table, path, mover) != nullptr) return true;
    ++deletes_;
    const bool path_valid = change(table, mover, [&] {
        log(LogOp::Delete, table, victim.key, table.row.tree.dup ? victim.value : ByteView());
        return editor_.erase_one(table.row.tree, path);
    });
    each_cursor(table, mover, [&](Cursor& cursor) { cursor.on_erase_one(victim); });
    return path_valid;
}

uint64_t Writer::erase_group(OpenTable& table, ByteView key, const Cursor* mover) {
    const Target behind = {.key = key, .past_group = true};
    const uint64_t gone = change(table, mover, [&] {
        log(LogOp::DeleteGroup, table, key, {});
        return editor_.erase_range(table.row.tree, {key}, &behind);
    });
    deletes_ += gone;
    each_cursor(table, mover,
                [&](Cursor& cursor) { cursor.on_erase_one({key, cursor.saved_entry().value}); });
    return gone;
}

bool Writer::find_group(const OpenTable& table, ByteView key, Path& path) const {
    if (descend(space_, table.row.tree, {key}, path)) return true;
    return table.row.tree.dup && settle(space_, path) && key_at(space_, path) == key;
}

Writer::Append Writer::find_append(OpenTable& table, const Stable& entry) const {
    if (table.finger_writes != table.writes) {
        if (!descend_last(space_, table.row.tree, table.finger)) {
            table.finger.depth = 0;
            return Append::Insert;
        }
        table.finger_writes = table.writes;
    }
    if (is_behind(leaf_page(space_, table.finger), entry.key)) [[likely]] {
        ++table.finger.index[table.finger.leaf()];
        return Append::Insert;
    }
    const LeafRecord last = record_at(space_, table.finger);
    const auto order = entry.key <=> last.key;
    if (order < 0) return Append::OutOfOrder;
    if (order == 0) {
        if (!table.row.tree.dup) return Append::Replace;
        if (entry.value <= last.value) return Append::OutOfOrder;
    }
    ++table.finger.index[table.finger.leaf()];
    return Append::Insert;
}

bool Writer::append_at_finger(OpenTable& table, Append how, const Stable& entry,
                              const Cursor* mover) {
    const bool path_valid = how == Append::Replace ? replace_at(table, table.finger, entry, mover)
                                                   : insert_at(table, table.finger, entry, mover);
    table.finger_writes = path_valid ? table.writes : UINT64_MAX;
    return path_valid;
}

bool Writer::appends_to_group(const OpenTable& table, const Stable& entry) const {
    Path path;
    if (descend(space_, table.row.tree, {entry.key, entry.value}, path)) return false;
    return !settle(space_, path) || key_at(space_, path) != entry.key;
}

void Writer::load(Table table, SortedEntries& entries) {
    check();
    OpenTable& opened = open_existing(table);
    if (!builds_whole(opened.row.tree, entries.entries())) {
        TxnImpl::load(table, entries);
        return;
    }
    const bool into_image = loads_into_image(opened);
    // What is too large for a record is not written twice: the commit is an image.
    if (record_.on() && (into_image || !record_.has_room(entries.bytes()))) commit_as_image();
    /// Checks sizes and fills the record on the way.
    struct Checked final : SortedEntries {
        Checked(Writer& of, OpenTable& into, SortedEntries& from)
            : writer(of), table(into), source(from) {}
        bool next(Entry& entry) override {
            if (!source.next(entry)) return false;
            writer.check_entry(table, entry.key, entry.value);
            writer.log_put(table, entry.key, entry.value);
            return true;
        }
        uint64_t entries() const override { return source.entries(); }
        uint64_t bytes() const override { return source.bytes(); }
        Writer& writer;
        OpenTable& table;
        SortedEntries& source;
    };
    change(opened, nullptr, [&] {
        Checked checked(*this, opened, entries);
        if (into_image) {
            opened.row.tree = image_load_->build(store_.names().find(opened.id)->name, opened.row,
                                                 [&](TreeBuilder& builder) {
                                                     for (Entry entry; checked.next(entry); ++puts_)
                                                         builder.add(entry.key, entry.value);
                                                 });
        } else {
            puts_ += load_whole(store_.pages(), editor_, opened.row.tree, checked);
        }
    });
}

bool Writer::order_loads(std::span<Table> tables, uint64_t bytes) {
    check();
    loads_into_image_ = image_load_ != nullptr || store_.can_load_into_image(bytes);
    if (!loads_into_image_) return false;
    std::ranges::sort(tables, {}, [this](Table table) { return store_.table_name(table); });
    return true;
}

/// Can the table, which is about to be loaded, go straight into an image?
bool Writer::loads_into_image(const OpenTable& table) {
    const std::string& name = store_.names().find(table.id)->name;
    if (!loads_into_image_ || table.row.tree.root != kNoPage) return false;
    if (image_load_ != nullptr && !image_load_->takes(name)) return false;
    try {
        if (image_load_ == nullptr) image_load_ = store_.begin_image_load();
        return copy_into_image_before(name);
    } catch (...) {
        rethrow_broken(&table);
    }
}

/// False: a table that was to be copied may still be changed in place.
bool Writer::copy_into_image_before(const std::string& name) {
    std::map<std::string, TableRow> rows;
    each_row(space_, catalogue_,
             [&](std::string_view stored, const TableRow& row) { rows.emplace(stored, row); });
    for (const OpenTable* const table : changed_) {
        const std::string& changed = store_.names().find(table->id)->name;
        rows.erase(changed);
        if (table->exists) rows.emplace(changed, table->row);
    }
    for (const auto& [before, row] : rows) {
        if (before >= name) break;
        if (!image_load_->takes(before)) continue;
        if (row.tree.root != kNoPage && store_.pages().owned(row.tree.root)) return false;
        image_load_->copy(before, row);
    }
    return true;
}

void Writer::put(Table table, ByteView key, ByteView value) {
    check();
    OpenTable& opened = open_existing(table);
    check_entry(opened, key, value);
    Path path;
    const Target target = {key, opened.row.tree.dup ? value : ByteView()};
    const bool exact = descend(space_, opened.row.tree, target, path, commit_id_);
    // What is done in place moves nothing that the arguments may point to.
    if (!exact && changes_in_place(opened, nullptr) && editor_.inserts_in_place(path, key, value))
        [[likely]] {
        insert_in_place(opened, path, key, value);
        return;
    }
    place_at(opened, path, exact, stabilise(opened, key, value), nullptr);
}

bool Writer::put_no_overwrite(Table table, ByteView key, ByteView value) {
    check();
    OpenTable& opened = open_existing(table);
    check_entry(opened, key, value);
    Path path;
    if (find_group(opened, key, path)) return false;
    place(opened, path, stabilise(opened, key, value), nullptr);
    return true;
}

void Writer::append(Table table, ByteView key, ByteView value) {
    check();
    OpenTable& opened = open_existing(table);
    check_entry(opened, key, value);
    if (opened.finger_writes == opened.writes && changes_in_place(opened, nullptr) &&
        is_behind(leaf_page(space_, opened.finger), key)) {
        Path& finger = opened.finger;
        ++finger.index[finger.leaf()];
        // As in put().
        if (editor_.inserts_in_place(finger, key, value)) [[likely]] {
            insert_in_place(opened, finger, key, value);
            opened.finger_writes = opened.writes;
            prefetch_below_heap(leaf_page(space_, finger));
            return;
        }
        --finger.index[finger.leaf()];
    }
    const Stable entry = stabilise(opened, key, value);
    const Append how = find_append(opened, entry);
    if (how == Append::OutOfOrder)
        throw error(
            ErrorCode::KeyMismatch, opened,
            fmt::format("append of a key of {} bytes that is not behind the last one", key.size()));
    append_at_finger(opened, how, entry, nullptr);
}

void Writer::append_dup(Table table, ByteView key, ByteView value) {
    check();
    OpenTable& opened = open_existing(table);
    check_dup(opened);
    check_entry(opened, key, value);
    const Stable entry = stabilise(opened, key, value);
    if (!appends_to_group(opened, entry))
        throw error(ErrorCode::KeyMismatch, opened,
                    fmt::format("append_dup of a value of {} bytes that is not behind the last one",
                                value.size()));
    Path path;
    place(opened, path, entry, nullptr);
}

bool Writer::del(Table table, ByteView key) {
    check();
    OpenTable& opened = open_existing(table);
    Path path;
    if (!find_group(opened, key, path)) return false;
    const Stable stable = stabilise(opened, key, {});
    if (opened.row.tree.dup) {
        erase_group(opened, stable.key, nullptr);
    } else {
        erase_at(opened, path, stable, nullptr);
    }
    return true;
}

bool Writer::del(Table table, ByteView key, ByteView value) {
    check();
    OpenTable& opened = open_existing(table);
    check_dup(opened);
    Path path;
    if (!descend(space_, opened.row.tree, {key, value}, path)) return false;
    erase_at(opened, path, stabilise(opened, key, value), nullptr);
    return true;
}

uint64_t Writer::del_range(Table table, std::optional<ByteView> from, std::optional<ByteView> to) {
    check();
    OpenTable& opened = open_existing(table);
    if (from && to && *from >= *to) return 0;
    // The bounds may be views of what is deleted.
    const Bytes from_copy = from ? from->to_bytes() : Bytes();
    const Bytes to_copy = to ? to->to_bytes() : Bytes();
    Path path;
    descend(space_, opened.row.tree, {from_copy}, path);
    if (!settle(space_, path) || (to && key_at(space_, path) >= ByteView(to_copy))) return 0;
    const Target behind = {to_copy};
    const uint64_t gone = change(opened, nullptr, [&] {
        log(to ? LogOp::DeleteRange : LogOp::DeleteFrom, opened, from_copy, to_copy);
        return editor_.erase_range(opened.row.tree, {from_copy}, to ? &behind : nullptr);
    });
    deletes_ += gone;
    each_cursor(opened, nullptr, [&](Cursor& cursor) {
        cursor.on_erase_range(ByteView(from_copy),
                              to ? std::optional<ByteView>(to_copy) : std::nullopt);
    });
    return gone;
}

void Writer::change_sequence(OpenTable& table, uint64_t value) {
    try {
        mark_changed(table);
        std::array<uint8_t, sizeof value> bytes;
        core::store_le(bytes.data(), value);
        log(LogOp::Sequence, table, {}, ByteView(bytes));
        table.row.sequence = value;
    } catch (...) {
        rethrow_broken(&table);
    }
}

uint64_t Writer::increment(Table table, uint64_t by) {
    check();
    OpenTable& opened = by == 0 ? open(table) : open_existing(table);
    const uint64_t before = opened.row.sequence;
    if (by == 0) return before;
    if (by > UINT64_MAX - before)
        throw error(ErrorCode::SequenceOverflow, opened,
                    fmt::format("sequence {} plus {} passes 2^64 - 1", before, by));
    change_sequence(opened, before + by);
    return before;
}

void Writer::set_sequence(Table table, uint64_t value) {
    check();
    OpenTable& opened = open_existing(table);
    if (opened.row.sequence == value) return;
    change_sequence(opened, value);
}

void Writer::create_table(const TableSpec& spec) {
    check();
    if (!valid_table_name(spec.name))
        throw store_.error(ErrorCode::NoSuchTable, spec.name,
                           fmt::format("no table can have this name of {} bytes: 1 to {} of "
                                       "[A-Za-z0-9_.-], not starting with _keel",
                                       spec.name.size(), kTableNameBytesMax));
    const Table handle = store_.names().resolve(spec.name, spec.kind);
    OpenTable& table = load(handle.id);
    const bool dup = spec.kind == Kind::DupSort;
    if (table.exists) {
        if (table.row.tree.dup != dup)
            throw error(
                ErrorCode::KindMismatch, table,
                fmt::format("stored as {}, created as {}", table.row.tree.dup ? "DupSort" : "Plain",
                            dup ? "DupSort" : "Plain"));
        return;
    }
    if (table_count_ >= kTablesMax)
        throw error(
            ErrorCode::TooManyTables, table,
            fmt::format("there are {} tables already; at most {}", table_count_, kTablesMax));
    change(table, nullptr, [&] {
        const std::array<uint8_t, 2> kind = {static_cast<uint8_t>(dup ? 1 : 0),
                                             static_cast<uint8_t>(spec.append_only ? 1 : 0)};
        log(LogOp::Create, table, {}, ByteView(kind));
    });
    table.row = {.tree = {.dup = dup}, .append_only = spec.append_only};
    table.exists = true;
    ++table_count_;
    store_.names().set_kind(handle.id, spec.kind);
}

void Writer::clear_table(Table table) {
    check();
    OpenTable& opened = open_existing(table);
    if (opened.row.tree.entries > 0) {
        deletes_ += opened.row.tree.entries;
        change(opened, nullptr, [&] {
            log(LogOp::Clear, opened, {}, {});
            editor_.clear(opened.row.tree);
        });
    }
    each_cursor(opened, nullptr, [](Cursor& cursor) { cursor.on_clear(); });
}

bool Writer::drop_table(Table table) {
    check();
    if (store_.names().find(table.id) == nullptr) return false;
    OpenTable& dropped = load(table.id);
    if (!dropped.exists) return false;
    deletes_ += dropped.row.tree.entries;
    change(dropped, nullptr, [&] {
        log(LogOp::Drop, dropped, {}, {});
        editor_.clear(dropped.row.tree);
    });
    dropped.row = {.tree = {.dup = dropped.row.tree.dup}};
    dropped.exists = false;
    last_id_ = kNoTable;
    --table_count_;
    each_cursor(dropped, nullptr, [](Cursor& cursor) { cursor.on_drop(); });
    return true;
}

void Writer::write_catalogue() {
    Path path;
    for (const OpenTable* const table : changed_) {
        const ByteView name = store_.names().find(table->id)->name;
        const bool stored = descend(space_, catalogue_, {name}, path);
        if (!table->exists) {
            if (stored) editor_.erase_one(catalogue_, path);
            continue;
        }
        const std::array<uint8_t, kTableRowBytes> row = encode_row(table->row);
        if (stored) {
            editor_.replace(catalogue_, path, row);
        } else {
            editor_.insert(catalogue_, path, name, row);
        }
    }
}

bool Writer::replay(const LogOperation& operation, Table table, std::string_view name) {
    const ByteView key = operation.key;
    const ByteView value = operation.value;
    switch (operation.op) {
        case LogOp::Put:
            put(table, key, value);
            return true;
        case LogOp::Delete:
            return open_existing(table).row.tree.dup ? del(table, key, value) : del(table, key);
        case LogOp::DeleteGroup:
            return del(table, key);
        case LogOp::DeleteRange:
            return del_range(table, key, value) > 0;
        case LogOp::DeleteFrom:
            return del_range(table, key, std::nullopt) > 0;
        case LogOp::Clear:
            clear_table(table);
            return true;
        case LogOp::Drop:
            return drop_table(table);
        case LogOp::Create:
            if (value.size() != 2) return false;
            create_table(
                {std::string(name), value[0] == 1 ? Kind::DupSort : Kind::Plain, value[1] == 1});
            return true;
        case LogOp::Sequence:
            if (value.size() != sizeof(uint64_t)) return false;
            set_sequence(table, core::load_le<uint64_t>(value.data()));
            return true;
        case LogOp::Table:
        case LogOp::Producer:
            break;
    }
    return false;
}

void Writer::publish_replayed(uint64_t commit_id) {
    write_catalogue();
    store_.publish(commit_id, catalogue_, puts_, deletes_);
    changed_.clear();
    active_ = false;
}

bool Writer::begin_end(bool fence) noexcept {
    ending_.store(true, std::memory_order_relaxed);
    if (fence) {
        std::atomic_thread_fence(std::memory_order_seq_cst);
    } else {
        // The processor's barrier is close()'s business.
        std::atomic_signal_fence(std::memory_order_seq_cst);
    }
    return store_.closing() && store_.decide_doomed();
}

uint64_t Writer::commit() {
    if (dirty_ || cursors_ != nullptr || !usable() || !store_.writer_is_this_thread())
        return finish_commit();
    // As begin_end().
    ending_.store(true, std::memory_order_relaxed);
    std::atomic_signal_fence(std::memory_order_seq_cst);
    if (!store_.open_for_writing()) [[unlikely]]
        return finish_commit();
    store_.count_empty_commit();
    loads_into_image_ = false;
    stale_ = false;
    active_ = false;
    const uint64_t id = commit_id_ - 1;
    store_.give_lock_back();
    return id;
}

uint64_t Writer::finish_commit() {
    store_.check_fork();
    check();
    if (!store_.writer_is_this_thread())
        throw store_.error(
            ErrorCode::WrongThread, "",
            fmt::format("write transaction {} ended by another thread than began it", commit_id_));
    if (!dirty_) {
        const uint64_t id = commit_id_ - 1;
        const bool doomed = begin_end(false);
        store_.count_empty_commit();
        finish(doomed);
        return id;
    }
    store_.check_commit();
    try {
        write_catalogue();
    } catch (...) {
        rethrow_broken(nullptr);
    }
    if (begin_end(true)) throw_trouble();
    const uint64_t id = commit_id_;
    store_.commit(id, catalogue_, record_, image_load_.get(), puts_, deletes_);
    image_load_.reset();
    finish(false);
    return id;
}

void Writer::end() noexcept {
    if (!active_) return;
    const bool doomed = begin_end(false);
    record_.abandon();
    if (image_load_ != nullptr) {
        image_load_.reset();
        store_.space().unmap_loaded();
    }
    store_.pages().abort();
    store_.count_abort();
    finish(doomed);
}

void Writer::finish(bool doomed) noexcept {
    for (Cursor* cursor = cursors_; cursor != nullptr; cursor = cursor->next_open) cursor->on_end();
    cursors_ = nullptr;
    changed_.clear();
    active_ = false;
    store_.end_writer(doomed);
}

}  // namespace keel::db::mem
