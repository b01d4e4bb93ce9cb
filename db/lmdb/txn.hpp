#pragma once

// Transactions on liblmdb. Reading is liblmdb's; what it lacks stands in Writer:
//  - cursors keep their position as an entry, not as a place in a page, so that no write moves them
//  (cursor.hpp);
//  - all cursors of a table share one liblmdb cursor, so that none is tracked through a write of
//  another.

#include <lmdb.h>

#include <array>
#include <atomic>
#include <vector>

#include "db/lmdb/store.hpp"
#include "db/lmdb/stored.hpp"

namespace keel::db::lmdb {

class ReaderCursor;
class WriterCursor;

/// What reader and writer do alike. A declared table that is not there reads as empty (R4).
class TxnBase : public detail::TxnImpl {
  public:
    explicit TxnBase(Env& env) noexcept : env_(env) {}
    Env& env() const noexcept { return env_; }
    MDB_txn* txn() const noexcept { return txn_; }

  protected:
    std::optional<ByteView> lookup(const Slot& slot, const Place& place, ByteView key);
    /// Throws NoSuchTable unless the table is declared.
    void absent(const Slot& slot) const;
    uint64_t entry_count(const Slot& slot, const Place& place);
    TableRecord record_of(const Slot& slot, const Place& place);
    /// `cursor`: on the table, moved; needed for a DupSort table.
    TableStat stat_of(const Slot& slot, const Place& place, MDB_cursor* cursor);

    Env& env_;
    MDB_txn* txn_ = nullptr;
};

/// A pooled read transaction. Used by one thread at a time.
class Reader final : public TxnBase {
  public:
    /// Takes a slot of liblmdb's reader table; nullptr when all are taken.
    static Reader* make(Env& env);
    ~Reader() override;

    /// Renews the snapshot.
    void start();

    uint64_t view_id() override { return view_id_.load(std::memory_order_relaxed); }
    std::optional<ByteView> get(Table table, ByteView key) override;
    void get_many(Table table, std::span<const ByteView> keys,
                  std::span<std::optional<ByteView>> out) override;
    std::unique_ptr<detail::CursorImpl> cursor(Table table) override;
    uint64_t count(Table table) override;
    uint64_t sequence(Table table) override;
    TableStat stat(Table table) override;
    bool exists(Table table) override;
    std::vector<TableSpec> list_tables() override;
    void end() noexcept override;

    // A read transaction is never asked these: db::ReadTxn has none of them.
    uint64_t commit() override;
    void put(Table, ByteView, ByteView) override;
    bool put_no_overwrite(Table, ByteView, ByteView) override;
    void append(Table, ByteView, ByteView) override;
    void append_dup(Table, ByteView, ByteView) override;
    bool del(Table, ByteView) override;
    bool del(Table, ByteView, ByteView) override;
    uint64_t del_range(Table, std::optional<ByteView>, std::optional<ByteView>) override;
    uint64_t increment(Table, uint64_t) override;
    void set_sequence(Table, uint64_t) override;
    void create_table(const TableSpec&) override;
    void clear_table(Table) override;
    bool drop_table(Table) override;

    // For cursors: liblmdb's are kept for the next cursor on the same table.
    MDB_cursor* take_cursor(MDB_dbi dbi);
    void keep_cursor(MDB_cursor* cursor, MDB_dbi dbi) noexcept;

    ReaderCursor* cursors = nullptr;  // open ones, doubly linked
    Reader* next_idle = nullptr;      // under the lock of the pool's shard

    // For the watcher; relaxed, since a figure that is a moment old is as good.
    uint64_t began_ns() const noexcept { return began_ns_.load(std::memory_order_relaxed); }
    uint64_t thread() const noexcept { return thread_.load(std::memory_order_relaxed); }
    uint64_t watched_began_ns = 0;  // watcher's own: the transaction that was reported
    uint64_t report_at_ms = 0;      // watcher's own: age of the next report

  private:
    explicit Reader(Env& env) noexcept : TxnBase(env) {}
    bool snapshot_is_whole(uint64_t epoch) const;
    const Place* find_place(const Slot& slot);
    bool stored_here(const Slot& slot, const Place& place);

    struct IdleCursor {
        MDB_cursor* cursor = nullptr;
        MDB_dbi dbi = 0;
    };
    std::array<IdleCursor, 8> idle_cursors_{};
    size_t replaced_ = 0;
    std::atomic<uint64_t> view_id_{0};
    std::atomic<uint64_t> began_ns_{0};  // 0: idle
    std::atomic<uint64_t> thread_{0};
};

/// The write transaction: one object a store, reused by whoever has the right to write.
class Writer final : public TxnBase {
  public:
    explicit Writer(Env& env);
    ~Writer() override;

    void start(uint64_t thread);
    /// Ends it wherever it is called; the right to write is given back.
    void abort_now() noexcept;
    uint64_t thread() const noexcept { return thread_; }

    uint64_t view_id() override;
    std::optional<ByteView> get(Table table, ByteView key) override;
    void get_many(Table table, std::span<const ByteView> keys,
                  std::span<std::optional<ByteView>> out) override;
    std::unique_ptr<detail::CursorImpl> cursor(Table table) override;
    uint64_t count(Table table) override;
    uint64_t sequence(Table table) override;
    TableStat stat(Table table) override;
    bool exists(Table table) override;
    std::vector<TableSpec> list_tables() override;
    void end() noexcept override;

    uint64_t commit() override;
    void put(Table table, ByteView key, ByteView value) override;
    bool put_no_overwrite(Table table, ByteView key, ByteView value) override;
    void append(Table table, ByteView key, ByteView value) override;
    void append_dup(Table table, ByteView key, ByteView value) override;
    bool del(Table table, ByteView key) override;
    bool del(Table table, ByteView key, ByteView value) override;
    uint64_t del_range(Table table, std::optional<ByteView> from,
                       std::optional<ByteView> to) override;
    uint64_t increment(Table table, uint64_t by) override;
    void set_sequence(Table table, uint64_t value) override;
    void create_table(const TableSpec& spec) override;
    void clear_table(Table table) override;
    bool drop_table(Table table) override;

    // For cursors. Keys and values that are MDB_val are in stored form.

    /// Throws when the transaction cannot be used any more.
    void check() const {
        if (status_ != Status::Active || env_.writer_revoked()) refuse();
    }
    /// The liblmdb cursor of a table; nullptr when the table is not there.
    MDB_cursor* shared_cursor(size_t slot_id);
    // That cursor stands on the entry of one cursor of ours, its owner, or anywhere. A write leaves
    // it without one.
    void own_shared_cursor(size_t slot_id, WriterCursor* owner) noexcept {
        shared_[slot_id].owner = owner;
    }
    bool owns_shared_cursor(size_t slot_id, const WriterCursor* owner) const noexcept {
        return shared_[slot_id].owner == owner;
    }
    void disown_shared_cursor(size_t slot_id, const WriterCursor* owner) noexcept {
        if (slot_id < shared_.size() && shared_[slot_id].owner == owner)
            shared_[slot_id].owner = nullptr;
    }
    /// A view was handed out: remembered if the next write may move what it shows.
    void note(const MDB_val& val) noexcept;

    /// Arguments that a write may use until its end, wherever they came from (R2).
    struct Pair {
        MDB_val key;
        MDB_val value;
    };
    /// Checks state, thread, table and sizes; then every cursor has its entry in its own memory.
    Pair prepare(const Slot& slot, ByteView key, ByteView value);
    void prepare(const Slot& slot);
    void require_dup_sort(const Slot& slot) const;

    // The writes themselves, after prepare().
    void store(size_t slot_id, Pair pair);
    bool store_new(size_t slot_id, Pair pair);       // false: the key is there
    bool store_new_pair(size_t slot_id, Pair pair);  // false: the pair is there
    bool store_last(size_t slot_id, Pair pair);      // false: out of order
    bool store_last_dup(size_t slot_id, Pair pair);  // false: out of order
    bool erase_entry(size_t slot_id, Pair pair);     // plain: by key
    bool erase_group(size_t slot_id, const MDB_val& key);

    [[noreturn]] void fail(int code, std::string_view operation, const Slot& slot);
    [[noreturn]] void fail(ErrorCode code, std::string_view what, const Slot& slot) const;

    WriterCursor* cursors = nullptr;  // open ones, doubly linked
    WriterCursor* unsaved = nullptr;  // those whose entry is still a view

  private:
    enum class Status : uint8_t { Idle, Active, Broken };
    struct Shared {
        MDB_cursor* cursor = nullptr;
        WriterCursor* owner = nullptr;
    };
    /// What to put back when the transaction does not commit.
    struct Undo {
        uint16_t slot_id;
        bool existed;
        uint8_t live;
        std::optional<uint8_t> opened_place;
    };

    [[noreturn]] void refuse() const;
    /// Throws when this thread cannot write in the transaction.
    void check_writing() const;
    /// false: not stored but declared, and read as empty.
    bool readable(const Slot& slot) const;
    void save_cursors();
    void written(size_t slot_id) noexcept;
    void detach_cursors() noexcept;
    void undo_tables() noexcept;
    void finish() noexcept;
    void put_record(const Slot& slot, const TableRecord& record);
    MDB_val stable_key(ByteView key);
    MDB_val stable_value(const Slot& slot, ByteView value);
    bool may_move(ByteView view) const noexcept;
    bool open_handle(const Slot& slot, Place& place, Kind kind);
    void remember(uint16_t slot_id);

    Status status_ = Status::Idle;
    uint64_t thread_ = 0;
    std::vector<Shared> shared_;
    std::vector<Undo> undo_;
    bool handles_created_ = false;
    // Range of the heap that holds every view handed out since the last write.
    const uint8_t* noted_first_ = nullptr;
    const uint8_t* noted_last_ = nullptr;
    std::array<uint8_t, kKeyBytesMax> key_copy_{};
    core::Bytes value_copy_;
};

}  // namespace keel::db::lmdb
