#pragma once

// The store's contract. Behaviour of every call: db/README.md; the two backends behind it: db/mem,
// db/lmdb.

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "core/base.hpp"
#include "db/backend.hpp"

namespace keel::db {

enum class Order : uint8_t { Asc, Desc };

class ReadTxn;
class WriteTxn;

/// A position in one table of one transaction; ends with it. Every move is right for keys of any
/// length. A returned entry becomes the position; a failed relative move never moves (KV.md A.5).
class ReadCursor {
  public:
    ReadCursor() = default;
    explicit ReadCursor(std::unique_ptr<detail::CursorImpl> impl) : impl_(std::move(impl)) {}

    Hit first() { return impl_->first(); }
    Hit last() { return impl_->last(); }
    Hit next() { return impl_->next(); }
    Hit prev() { return impl_->prev(); }
    Hit next_nodup() { return impl_->next_nodup(); }
    Hit prev_nodup() { return impl_->prev_nodup(); }
    Hit next_dup() { return impl_->next_dup(); }
    Hit prev_dup() { return impl_->prev_dup(); }
    Hit first_dup() { return impl_->first_dup(); }
    Hit last_dup() { return impl_->last_dup(); }
    Hit current() { return impl_->current(); }
    uint64_t count_dups() { return impl_->count_dups(); }
    Hit seek(ByteView key) { return impl_->seek(key); }
    Hit seek_exact(ByteView key) { return impl_->seek_exact(key); }
    Hit seek_both_exact(ByteView key, ByteView value) { return impl_->seek_both_exact(key, value); }
    /// First value of the same key that is not smaller than `value`.
    Hit seek_both_range(ByteView key, ByteView value) { return impl_->seek_both_range(key, value); }

  protected:
    std::unique_ptr<detail::CursorImpl> impl_;
};

class WriteCursor : public ReadCursor {
  public:
    using ReadCursor::ReadCursor;

    void put(ByteView key, ByteView value) { impl_->put(key, value); }
    bool put_no_overwrite(ByteView key, ByteView value) {
        return impl_->put_no_overwrite(key, value);
    }
    void put_no_dup(ByteView key, ByteView value) { impl_->put_no_dup(key, value); }
    void put_current(ByteView key, ByteView value) { impl_->put_current(key, value); }
    void append(ByteView key, ByteView value) { impl_->append(key, value); }
    void append_dup(ByteView key, ByteView value) { impl_->append_dup(key, value); }
    void delete_current() { impl_->delete_current(); }
    void delete_all_dups() { impl_->delete_all_dups(); }
    bool del(ByteView key) { return impl_->del(key); }
    bool delete_exact(ByteView key, ByteView value) { return impl_->delete_exact(key, value); }
};

/// A lazy walk over from <= key < to (Asc) or from >= key > to (Desc, starting at the last value of
/// the group). An absent bound is open; holds a cursor, collects nothing (R10).
class Range {
  public:
    Range(ReadCursor cursor, std::optional<ByteView> from, std::optional<ByteView> to, Order order,
          uint64_t limit);
    /// The next entry, or none for good.
    Hit next();

  private:
    ReadCursor cursor_;
    std::optional<Bytes> from_;
    std::optional<Bytes> to_;
    Order order_;
    uint64_t left_;
    bool started_ = false;
};

/// First key behind all keys that start with `prefix`; none when there is no such key (R9). For
/// prefix scans only, never a way to step to the next key.
std::optional<Bytes> next_prefix(ByteView prefix);

/// A view of the newest snapshot at its begin. Movable; may move between threads, used by one at a
/// time.
class ReadTxn {
  public:
    ReadTxn() = default;
    explicit ReadTxn(detail::TxnImpl* impl) noexcept : impl_(impl) {}
    ReadTxn(ReadTxn&& other) noexcept : impl_(std::exchange(other.impl_, nullptr)) {}
    ReadTxn& operator=(ReadTxn&& other) noexcept {
        std::swap(impl_, other.impl_);
        return *this;
    }
    ReadTxn(const ReadTxn&) = delete;
    ReadTxn& operator=(const ReadTxn&) = delete;
    ~ReadTxn() { end(); }

    /// Ends the transaction early; views die with it. Idempotent.
    void end() noexcept {
        if (impl_ != nullptr) std::exchange(impl_, nullptr)->end();
    }
    bool active() const noexcept { return impl_ != nullptr; }

    /// Number of the newest commit in the snapshot; a writer's is that plus one. Never 0 (R20).
    uint64_t view_id() const { return impl().view_id(); }
    /// The value of `key` (DupSort: the first of its group).
    std::optional<ByteView> get(Table table, ByteView key) const { return impl().get(table, key); }
    bool has(Table table, ByteView key) const { return impl().get(table, key).has_value(); }
    /// Values of many keys at once, in any order, duplicates allowed; out.size() == keys.size().
    void get_many(Table table, std::span<const ByteView> keys,
                  std::span<std::optional<ByteView>> out) const {
        impl().get_many(table, keys, out);
    }
    ReadCursor cursor(Table table) const { return ReadCursor(impl().cursor(table)); }
    Range range(Table table, std::optional<ByteView> from = {}, std::optional<ByteView> to = {},
                Order order = Order::Asc, uint64_t limit = UINT64_MAX) const {
        return Range(cursor(table), from, to, order, limit);
    }
    Range prefix(Table table, ByteView prefix) const;
    uint64_t count(Table table) const { return impl().count(table); }
    uint64_t sequence(Table table) const { return impl().sequence(table); }
    TableStat stat(Table table) const { return impl().stat(table); }
    bool exists(Table table) const { return impl().exists(table); }
    /// Stored tables, sorted by name, empty ones included.
    std::vector<TableSpec> list_tables() const { return impl().list_tables(); }

  protected:
    detail::TxnImpl& impl() const {
        if (impl_ == nullptr) [[unlikely]]
            throw_ended();
        return *impl_;
    }
    [[noreturn]] static void throw_ended();

    detail::TxnImpl* impl_ = nullptr;
};

/// The one place where content changes; private until commit. Ends on the thread that began it.
class WriteTxn : public ReadTxn {
  public:
    using ReadTxn::ReadTxn;

    WriteCursor cursor(Table table) const { return WriteCursor(impl().cursor(table)); }
    /// Returns the new view id. Ends the transaction whatever happens.
    uint64_t commit() {
        detail::TxnImpl& txn = impl();
        try {
            const uint64_t view_id = txn.commit();
            impl_ = nullptr;
            return view_id;
        } catch (...) {
            end_failed();
            throw;
        }
    }
    void abort() noexcept { end(); }
    void put(Table table, ByteView key, ByteView value) { impl().put(table, key, value); }
    /// false: the key was there and nothing changed.
    bool put_no_overwrite(Table table, ByteView key, ByteView value) {
        return impl().put_no_overwrite(table, key, value);
    }
    void append(Table table, ByteView key, ByteView value) { impl().append(table, key, value); }
    /// Tells of calls of load() to come, of `bytes` in all (UINT64_MAX: not known): a backend may
    /// write them more directly. True: `tables` now stand in the order in which loading them costs
    /// least.
    bool order_loads(std::span<Table> tables, uint64_t bytes) {
        return impl().order_loads(tables, bytes);
    }
    /// As if each entry were put; many at once are built as whole pages (db/bulk_load.hpp).
    void load(Table table, SortedEntries& entries) { impl().load(table, entries); }
    void append_dup(Table table, ByteView key, ByteView value) {
        impl().append_dup(table, key, value);
    }
    /// Deletes the whole group; false: was not there.
    bool del(Table table, ByteView key) { return impl().del(table, key); }
    bool del(Table table, ByteView key, ByteView value) { return impl().del(table, key, value); }
    /// Deletes [from, to); returns the number of entries.
    uint64_t del_range(Table table, std::optional<ByteView> from, std::optional<ByteView> to) {
        return impl().del_range(table, from, to);
    }
    /// Returns the value before.
    uint64_t increment(Table table, uint64_t by) { return impl().increment(table, by); }
    void set_sequence(Table table, uint64_t value) { impl().set_sequence(table, value); }
    void create_table(const TableSpec& spec) { impl().create_table(spec); }
    void clear_table(Table table) { impl().clear_table(table); }
    /// false: was not there.
    bool drop_table(Table table) { return impl().drop_table(table); }

  private:
    /// While a commit's exception is handled.
    void end_failed();
};

/// Shared handle of one open store. Any thread. The last handle that closes saves and gives the
/// lock back.
class Database {
  public:
    Database() = default;
    explicit Database(std::shared_ptr<detail::StoreImpl> impl) : impl_(std::move(impl)) {}

    explicit operator bool() const noexcept { return impl_ != nullptr; }
    ReadTxn begin_ro() const { return ReadTxn(impl_->begin_ro()); }
    [[nodiscard]] core::Result<WriteTxn, Refused> begin_rw() const {
        if (detail::TxnImpl* const begun = impl_->begin_rw_at_once(); begun != nullptr) [[likely]]
            return WriteTxn(begun);
        return begin_rw(std::stop_token());
    }
    [[nodiscard]] core::Result<WriteTxn, Refused> begin_rw(std::stop_token stop,
                                                           Deadline deadline = kNever) const;
    [[nodiscard]] core::Result<WriteTxn, Refused> begin_rw_try() const;
    /// begin, call, commit; abort on exception. Waits without deadline; Busy on the holder's own
    /// thread is a bug of the caller and thrown as std::logic_error.
    uint64_t update(const std::function<void(WriteTxn&)>& change) const;
    void view(const std::function<void(const ReadTxn&)>& look) const;

    Table table(std::string_view name) const { return impl_->table(name); }
    std::string table_name(Table table) const { return impl_->table_name(table); }
    /// Returns when everything committed before is on disk.
    void sync() const { impl_->sync(); }
    /// Saves and closes; idempotent (R19). Other handles of the same store answer Closed
    /// afterwards.
    void close() const { impl_->close(); }
    Stats stats() const { return impl_->stats(); }
    std::string uid() const { return impl_->uid(); }
    std::string path() const { return impl_->path(); }
    bool read_only() const { return impl_->read_only(); }
    detail::StoreImpl& impl() const { return *impl_; }

  private:
    std::shared_ptr<detail::StoreImpl> impl_;
};

}  // namespace keel::db
