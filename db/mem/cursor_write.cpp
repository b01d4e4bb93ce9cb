#include "db/mem/cursor.hpp"

namespace keel::db::mem {

void Cursor::refuse(ErrorCode code, const std::string& what) const {
    if (writer_ != nullptr) throw writer_->error(code, *table_, what);
    throw Error(code, what);
}

void Cursor::stand_on(const Writer::Stable& entry, const Path& path, bool path_valid) {
    if (path_valid) {
        arrive_at(path);
        return;
    }
    const bool found =
        descend(space_, tree(), {entry.key, dup() ? entry.value : ByteView()}, path_);
    KEEL_ASSERT(found, "the entry was put just now");
    arrive();
}

void Cursor::stand_in_gap(const Path& path, bool path_valid) noexcept {
    state_ = State::Gap;
    path_ = path;
    path_is_current();
    path_valid_ = path_valid;
}

void Cursor::put(ByteView key, ByteView value) {
    OpenTable& table = enter_write();
    writer_->check_entry(table, key, value);
    const Writer::Stable entry = writer_->stabilise(table, key, value);
    Path path;
    const Writer::Placed placed = writer_->place(table, path, entry, this);
    stand_on(entry, path, placed.path_valid);
}

bool Cursor::put_no_overwrite(ByteView key, ByteView value) {
    OpenTable& table = enter_write();
    writer_->check_entry(table, key, value);
    Path path;
    if (find_first(key, path)) {
        arrive_at(path);
        return false;
    }
    put(key, value);
    return true;
}

void Cursor::put_no_dup(ByteView key, ByteView value) {
    OpenTable& table = enter_write();
    writer_->check_dup(table);
    writer_->check_entry(table, key, value);
    const Writer::Stable entry = writer_->stabilise(table, key, value);
    Path path;
    const Writer::Placed placed = writer_->place(table, path, entry, this);
    stand_on(entry, path, placed.path_valid);
    if (!placed.inserted) refuse(ErrorCode::KeyExists, "put_no_dup of a pair that is there");
}

void Cursor::put_current(ByteView key, ByteView value) {
    OpenTable& table = enter_write();
    writer_->check_entry(table, key, value);
    Path path;
    if (!victim(path)) refuse(ErrorCode::NotPositioned, "put_current without an entry");
    const LeafRecord found = record_at(space_, path);
    const Entry old = {found.key, space_.value(found)};
    if (old.key != key) refuse(ErrorCode::KeyMismatch, "put_current with another key");
    const Writer::Stable entry = writer_->stabilise(table, key, value);
    if (!dup()) {
        const bool path_valid = writer_->replace_at(table, path, entry, this);
        stand_on(entry, path, path_valid);
        return;
    }
    if (old.value == value) {
        arrive_at(path);
        return;
    }
    save_entry(old.key, old.value);
    writer_->erase_at(table, path, saved_entry(), this);
    const Writer::Placed placed = writer_->place(table, path, entry, this);
    stand_on(entry, path, placed.path_valid);
}

void Cursor::append(ByteView key, ByteView value) {
    OpenTable& table = enter_write();
    writer_->check_entry(table, key, value);
    const Writer::Stable entry = writer_->stabilise(table, key, value);
    const Writer::Append how = writer_->find_append(table, entry);
    if (how == Writer::Append::OutOfOrder) {
        arrive_at(table.finger);
        refuse(ErrorCode::KeyMismatch, "append of an entry that is not behind the last one");
    }
    const bool path_valid = writer_->append_at_finger(table, how, entry, this);
    stand_on(entry, table.finger, path_valid);
}

void Cursor::append_dup(ByteView key, ByteView value) {
    OpenTable& table = enter_write();
    writer_->check_dup(table);
    writer_->check_entry(table, key, value);
    const Writer::Stable entry = writer_->stabilise(table, key, value);
    Path path;
    if (!writer_->appends_to_group(table, entry)) {
        find_last(entry.key, path);
        arrive_at(path);
        refuse(ErrorCode::KeyMismatch, "append_dup of a value that is not behind the last one");
    }
    const Writer::Placed placed = writer_->place(table, path, entry, this);
    stand_on(entry, path, placed.path_valid);
}

void Cursor::delete_current() {
    OpenTable& table = enter_write();
    if (state_ == State::At) {
        restore();
    } else {
        Path path;
        if (!victim(path)) refuse(ErrorCode::NotPositioned, "delete_current without an entry");
        path_ = path;
    }
    deleted_ = writer_->erase_in_place(table, path_, this);
    if (deleted_ != nullptr) [[likely]] {
        state_ = State::Gap;
        saved_ = false;
        path_is_current();
        return;
    }
    const LeafRecord record = record_at(space_, path_);
    save_entry(record.key, record.value);
    const bool path_valid = writer_->erase_at(table, path_, saved_entry(), this);
    state_ = State::Gap;
    path_is_current();
    path_valid_ = path_valid;
}

void Cursor::delete_all_dups() {
    enter_write();
    const std::optional<ByteView> key = group_key();
    if (!key) refuse(ErrorCode::NotPositioned, "delete_all_dups without an entry");
    const bool found = del(*key);
    KEEL_ASSERT(found);
}

bool Cursor::del(ByteView key) {
    OpenTable& table = enter_write();
    Path path;
    if (!find_last(key, path)) {
        fail(State::Lost);
        return false;
    }
    const LeafRecord record = record_at(space_, path);
    save_entry(record.key, record.value);
    writer_->erase_group(table, saved_entry().key, this);
    stand_in_gap(path, false);
    return true;
}

bool Cursor::delete_exact(ByteView key, ByteView value) {
    OpenTable& table = enter_write();
    writer_->check_dup(table);
    Path path;
    if (!descend(space_, tree(), {key, value}, path)) {
        fail(State::Lost);
        return false;
    }
    save_entry(key, value);
    const bool path_valid = writer_->erase_at(table, path, saved_entry(), this);
    stand_in_gap(path, path_valid);
    return true;
}

}  // namespace keel::db::mem
