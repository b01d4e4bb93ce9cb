#pragma once

// Cursors with the positions of KV.md A.5 (db/README.md). liblmdb's relative moves are used only
// from an entry; End, Gap and Lost are left by absolute ones (moves.hpp).

#include <lmdb.h>

#include <array>

#include "db/hit.hpp"
#include "db/lmdb/stored.hpp"
#include "db/lmdb/txn.hpp"

namespace keel::db::lmdb {

/// In a read transaction pages do not move: the entry is a view, and a position is never lost by
/// anybody's write.
class ReaderCursor final : public detail::CursorImpl {
  public:
    ReaderCursor(Reader& reader, MDB_cursor* cursor, MDB_dbi dbi, bool dup_sort) noexcept;
    ~ReaderCursor() override;
    ReaderCursor(const ReaderCursor&) = delete;
    ReaderCursor& operator=(const ReaderCursor&) = delete;
    /// The transaction ends: gives the liblmdb cursor back and answers TxnEnded from now on.
    void detach() noexcept;

    Hit first() override;
    Hit last() override;
    Hit next() override;
    Hit prev() override;
    Hit next_nodup() override;
    Hit prev_nodup() override;
    Hit next_dup() override;
    Hit prev_dup() override;
    Hit first_dup() override;
    Hit last_dup() override;
    Hit current() override;
    uint64_t count_dups() override;
    Hit seek(ByteView key) override;
    Hit seek_exact(ByteView key) override;
    Hit seek_both_exact(ByteView key, ByteView value) override;
    Hit seek_both_range(ByteView key, ByteView value) override;

    void put(ByteView, ByteView) override { refuse_write(); }
    bool put_no_overwrite(ByteView, ByteView) override { refuse_write(); }
    void put_no_dup(ByteView, ByteView) override { refuse_write(); }
    void put_current(ByteView, ByteView) override { refuse_write(); }
    void append(ByteView, ByteView) override { refuse_write(); }
    void append_dup(ByteView, ByteView) override { refuse_write(); }
    void delete_current() override { refuse_write(); }
    void delete_all_dups() override { refuse_write(); }
    bool del(ByteView) override { refuse_write(); }
    bool delete_exact(ByteView, ByteView) override { refuse_write(); }

    ReaderCursor* previous_open = nullptr;
    ReaderCursor* next_open = nullptr;

  private:
    enum class State : uint8_t { Fresh, At, End, Lost, Ended };

    [[noreturn]] void refuse_write() const;
    void require_dup_sort() const;
    bool found(int code, State otherwise);
    Hit entry() const noexcept { return detail::hit_of(from_stored(key_), value_view()); }
    static constexpr uintptr_t kPageBytes = 4096;  // of another size: only hints are lost
    static uintptr_t page_of(const MDB_val& key) noexcept {
        return reinterpret_cast<uintptr_t>(key.mv_data) & ~(kPageBytes - 1);
    }
    Hit arrive() noexcept;
    void stray() noexcept {
        strayed_ = true;
        streaming_ = false;
    }
    ByteView value_view() const noexcept {
        return dup_sort_ ? from_stored(value_) : raw_view(value_);
    }
    Hit absolute(int code, const MDB_val& key, const MDB_val& value, State otherwise);
    Hit relative(MDB_cursor_op op);
    /// Behind a relative move.
    void follow() noexcept {
        const uintptr_t page = page_of(key_);
        if (page != page_) [[unlikely]]
            enter_page(page);
    }
    void enter_page(uintptr_t page) noexcept;
    Hit next_from_anywhere();
    Hit next_dup_from_anywhere();
    Hit not_found(int code);
    Hit relative_slowly(MDB_cursor_op op, bool from_end);
    void return_to_entry();

    State state_ = State::Fresh;
    bool dup_sort_;
    bool strayed_ = false;  // liblmdb's cursor is not on the entry
    /// Both on an entry whose key is stored as it is: strings of zeros come
    /// before all others, so that every key behind is too, and next() needs no look at them.
    bool streaming_ = false;
    MDB_cursor* cursor_;  // nullptr: no such table in this snapshot
    MDB_val key_{};
    MDB_val value_{};
    uintptr_t page_ = 0;  // in which key_ stands
    Reader* reader_;
    MDB_dbi dbi_;
};

/// In a write transaction the position is an entry that this cursor remembers: as a view until the
/// next write of the transaction, then in its own memory.
class WriterCursor final : public detail::CursorImpl {
  public:
    WriterCursor(Writer& writer, size_t slot_id) noexcept;
    ~WriterCursor() override;
    WriterCursor(const WriterCursor&) = delete;
    WriterCursor& operator=(const WriterCursor&) = delete;

    // What the transaction tells its cursors.
    void detach() noexcept;
    void save() noexcept;
    void entry_gone(const MDB_val& key, const MDB_val* value) noexcept;  // no value: the group
    void range_gone(std::optional<ByteView> from, std::optional<ByteView> to) noexcept;
    void table_cleared() noexcept;
    void table_dropped() noexcept;
    size_t slot_id() const noexcept { return slot_id_; }

    Hit first() override;
    Hit last() override;
    Hit next() override;
    Hit prev() override;
    Hit next_nodup() override;
    Hit prev_nodup() override;
    Hit next_dup() override;
    Hit prev_dup() override;
    Hit first_dup() override;
    Hit last_dup() override;
    Hit current() override;
    uint64_t count_dups() override;
    Hit seek(ByteView key) override;
    Hit seek_exact(ByteView key) override;
    Hit seek_both_exact(ByteView key, ByteView value) override;
    Hit seek_both_range(ByteView key, ByteView value) override;

    void put(ByteView key, ByteView value) override;
    bool put_no_overwrite(ByteView key, ByteView value) override;
    void put_no_dup(ByteView key, ByteView value) override;
    void put_current(ByteView key, ByteView value) override;
    void append(ByteView key, ByteView value) override;
    void append_dup(ByteView key, ByteView value) override;
    void delete_current() override;
    void delete_all_dups() override;
    bool del(ByteView key) override;
    bool delete_exact(ByteView key, ByteView value) override;

    WriterCursor* previous_open = nullptr;
    WriterCursor* next_open = nullptr;
    WriterCursor* next_unsaved = nullptr;

  private:
    enum class State : uint8_t { Fresh, At, Gap, End, Lost, Dropped, Ended };
    /// A place found by liblmdb's cursor of the table.
    struct Found {
        int code = MDB_NOTFOUND;
        MDB_val key{};
        MDB_val value{};
    };

    MDB_cursor* begin();  // checks; the liblmdb cursor, wherever it stands
    void check_usable() const;
    MDB_cursor* at_entry();  // the liblmdb cursor, on this cursor's entry
    bool on_entry_or_gap() const noexcept { return state_ == State::At || state_ == State::Gap; }
    Hit land(const Found& found);
    Hit land_or(const Found& found, State otherwise);
    bool is_found(const Found& found);
    void set_entry(State state, const MDB_val& key, const MDB_val& value) noexcept;

    Found edge(MDB_cursor* cursor, MDB_cursor_op op);
    Found step(MDB_cursor_op op);
    Found successor(MDB_cursor* cursor);
    Found predecessor(MDB_cursor* cursor);
    Found landing(MDB_cursor* cursor);
    Found group_edge(MDB_cursor* cursor, const MDB_val& key, bool last);
    Found own_or_landing_group(bool last);
    Found find(ByteView wanted);
    Found find(ByteView wanted, ByteView wanted_value);
    void stray() noexcept;

    Writer* writer_;
    const Slot* slot_;
    size_t slot_id_;
    State state_ = State::Fresh;
    bool saved_ = false;   // key_ and value_ stand in the buffers
    bool listed_ = false;  // in the transaction's list of unsaved cursors
    MDB_val key_{};
    MDB_val value_{};  // plain tables: only while unsaved
    std::array<uint8_t, kStoredBytesMax> key_bytes_;
    std::array<uint8_t, kStoredBytesMax> value_bytes_;
};

}  // namespace keel::db::lmdb
