#pragma once

// What a backend implements behind db/database.hpp: three abstract classes. The public classes
// check nothing that a backend can check cheaper; they forward. One virtual call an operation, none
// a byte.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "core/bytes.hpp"
#include "core/result.hpp"
#include "db/error.hpp"
#include "db/table.hpp"

namespace keel::db {

using core::Bytes;
using core::ByteView;

/// One entry; both views live as KV.md R1 says: until a read txn ends, in a write txn until its
/// next write.
struct Entry {
    ByteView key;
    ByteView value;
    friend bool operator==(const Entry&, const Entry&) = default;
};
/// nullopt: nothing there, never an error (R4).
using Hit = std::optional<Entry>;

/// Entries of one table in ascending order, none twice (DupSort: no pair twice).
class SortedEntries {
  public:
    virtual ~SortedEntries() = default;
    /// False: no more. The views live until the next call.
    virtual bool next(Entry& entry) = 0;
    // Of what is to come, at most.
    virtual uint64_t entries() const = 0;
    virtual uint64_t bytes() const = 0;
};

using Deadline = std::chrono::steady_clock::time_point;
inline constexpr Deadline kNever = Deadline::max();

struct TableStat {
    Kind kind = Kind::Plain;
    uint64_t entries = 0;
    uint64_t keys = 0;  // equals entries in a plain table
    uint32_t depth = 0;
    uint64_t branch_pages = 0;
    uint64_t leaf_pages = 0;
    uint64_t overflow_pages = 0;
    uint64_t bytes = 0;
    uint64_t sequence = 0;
};

/// A read transaction that is older than the warning age.
struct LongReader {
    uint64_t thread_id = 0;
    uint64_t view_id = 0;
    uint64_t age_ms = 0;
    uint64_t bytes_pinned = 0;
};

struct Stats {
    std::string backend;
    std::string uid;
    std::string path;
    std::string mode;
    uint64_t view_id = 0;
    uint64_t oldest_view_id = 0;  // of an open read txn; view_id when there is none
    uint64_t image_bytes = 0, log_bytes = 0, anonymous_bytes = 0, free_bytes = 0, pinned_bytes = 0;
    uint64_t commits = 0, aborts = 0, empty_commits = 0;
    uint64_t puts = 0, deletes = 0, pages_copied = 0, pages_written = 0, pages_allocated = 0;
    uint64_t readers = 0, readers_peak = 0;
    std::vector<LongReader> long_readers;
    std::string last_error;
};

namespace detail {

class TxnImpl;

class CursorImpl {
  public:
    virtual ~CursorImpl() = default;
    // Moves, KV.md A.5.
    virtual Hit first() = 0;
    virtual Hit last() = 0;
    virtual Hit next() = 0;
    virtual Hit prev() = 0;
    virtual Hit next_nodup() = 0;
    virtual Hit prev_nodup() = 0;
    virtual Hit next_dup() = 0;
    virtual Hit prev_dup() = 0;
    virtual Hit first_dup() = 0;
    virtual Hit last_dup() = 0;
    virtual Hit current() = 0;
    virtual uint64_t count_dups() = 0;
    virtual Hit seek(ByteView key) = 0;
    virtual Hit seek_exact(ByteView key) = 0;
    virtual Hit seek_both_exact(ByteView key, ByteView value) = 0;
    virtual Hit seek_both_range(ByteView key, ByteView value) = 0;
    // Writes; TxnEnded in a read txn is impossible: the public ReadCursor has none of these.
    virtual void put(ByteView key, ByteView value) = 0;
    virtual bool put_no_overwrite(ByteView key, ByteView value) = 0;
    virtual void put_no_dup(ByteView key, ByteView value) = 0;
    virtual void put_current(ByteView key, ByteView value) = 0;
    virtual void append(ByteView key, ByteView value) = 0;
    virtual void append_dup(ByteView key, ByteView value) = 0;
    virtual void delete_current() = 0;
    virtual void delete_all_dups() = 0;
    virtual bool del(ByteView key) = 0;
    virtual bool delete_exact(ByteView key, ByteView value) = 0;
};

class TxnImpl {
  public:
    virtual ~TxnImpl() = default;
    virtual uint64_t view_id() = 0;
    virtual std::optional<ByteView> get(Table table, ByteView key) = 0;
    virtual void get_many(Table table, std::span<const ByteView> keys,
                          std::span<std::optional<ByteView>> out) = 0;
    virtual std::unique_ptr<CursorImpl> cursor(Table table) = 0;
    virtual uint64_t count(Table table) = 0;
    virtual uint64_t sequence(Table table) = 0;
    virtual TableStat stat(Table table) = 0;
    virtual bool exists(Table table) = 0;
    virtual std::vector<TableSpec> list_tables() = 0;
    /// Ends a read txn, aborts a write txn, and gives the object back to its backend. Idempotent.
    virtual void end() noexcept = 0;

    virtual uint64_t commit() = 0;
    /// Tells of calls of load() to come, of `bytes` in all (UINT64_MAX: not known). True: `tables`
    /// now stand in the order in which loading them costs least.
    virtual bool order_loads(std::span<Table> /*tables*/, uint64_t /*bytes*/) { return false; }
    /// As if each entry were put. A backend that can build whole tables does.
    virtual void load(Table table, SortedEntries& entries);
    virtual void put(Table table, ByteView key, ByteView value) = 0;
    virtual bool put_no_overwrite(Table table, ByteView key, ByteView value) = 0;
    virtual void append(Table table, ByteView key, ByteView value) = 0;
    virtual void append_dup(Table table, ByteView key, ByteView value) = 0;
    virtual bool del(Table table, ByteView key) = 0;
    virtual bool del(Table table, ByteView key, ByteView value) = 0;
    virtual uint64_t del_range(Table table, std::optional<ByteView> from,
                               std::optional<ByteView> to) = 0;
    virtual uint64_t increment(Table table, uint64_t by) = 0;
    virtual void set_sequence(Table table, uint64_t value) = 0;
    virtual void create_table(const TableSpec& spec) = 0;
    virtual void clear_table(Table table) = 0;
    virtual bool drop_table(Table table) = 0;
};

class StoreImpl {
  public:
    virtual ~StoreImpl() = default;
    virtual TxnImpl* begin_ro() = 0;
    virtual core::Result<TxnImpl*, Refused> begin_rw(std::stop_token stop, Deadline deadline) = 0;
    /// For the plain case, where nobody else writes. Null: begin_rw() is to answer.
    virtual TxnImpl* begin_rw_at_once() { return nullptr; }
    virtual core::Result<TxnImpl*, Refused> begin_rw_try() = 0;
    /// Handle of a stored, declared or earlier resolved name. An unknown name gets a handle too
    /// (R24), whose use is NoSuchTable until the table is created.
    virtual Table table(std::string_view name) = 0;
    virtual std::string table_name(Table table) = 0;
    virtual void sync() = 0;
    virtual void close() = 0;
    virtual Stats stats() = 0;
    virtual std::string uid() = 0;
    virtual std::string path() = 0;
    virtual bool read_only() = 0;
};

}  // namespace detail
}  // namespace keel::db
