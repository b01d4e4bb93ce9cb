#pragma once

// The write transaction. There is one object a store, used by one transaction after the other.
//
// W1  Nothing is done at begin; a table's row is looked up at its first use. What transactions
// that change nothing have looked up stays.
// W2  Every change goes through change(): cursors of the table save where they are first, and what
// throws in between
//     breaks the transaction.
// W3  commit() writes the rows of changed tables into the catalogue, hands the record of all
// changes to the log, and publishes number and catalogue root together.
// W4  Every change is added to the record before it is made, while its arguments are whole.

#include <atomic>
#include <deque>

#include "db/mem/catalogue.hpp"
#include "db/mem/image_load.hpp"
#include "db/mem/log_record.hpp"
#include "db/mem/readers.hpp"

namespace keel::db::mem {

class Store;
class Cursor;

/// A table within the running write transaction.
struct OpenTable {
    uint64_t epoch = 0;  // of the transaction that loaded it; another: to be loaded anew
    uint16_t id = 0;
    bool exists = false;
    bool changed = false;
    uint16_t logged_as = LogRecord::kNoTable;  // index in the transaction's record
    TableRow row;
    uint32_t cursors = 0;        // open ones that look at it
    uint64_t writes = 0;         // changes so far; paths of cursors are good for one number only
    uint64_t finger_writes = 0;  // number for which `finger` is the path of the last append
    Path finger;
};

/// Writer strand only, but where said.
class Writer final : public detail::TxnImpl {
  public:
    Writer(Store& store, TreeEditor& editor) noexcept
        : store_(store), editor_(editor), space_(editor.space()) {}

    void begin() {
        if (stale_) start();
        stale_ = true;
        active_ = true;
        ending_.store(false, std::memory_order_relaxed);
    }
    /// close() gives up on the transaction: its next call says Closed. False: it is ending just
    /// now. With the store's state_mutex_ held.
    bool doom() noexcept {
        if (ending_.load(std::memory_order_relaxed)) return false;
        doomed_.store(true, std::memory_order_relaxed);
        return true;
    }
    bool doomed() const noexcept { return doomed_.load(std::memory_order_relaxed); }

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
    bool order_loads(std::span<Table> tables, uint64_t bytes) override;
    void load(Table table, SortedEntries& entries) override;
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

    // For cursors. A path is void after a call that answers false: the tree has been reshaped.
    /// Throws what stands in the way of any call: TxnBroken, Closed.
    void check() const {
        if (!usable()) [[unlikely]]
            throw_trouble();
    }
    bool usable() const noexcept { return !broken_ && !doomed(); }
    bool active() const noexcept { return active_; }
    /// The commit counts although no table changes: creation of the store.
    void mark_dirty() noexcept { dirty_ = true; }
    /// For the loading of whole tables: the record goes no further, and the commit is an image.
    void commit_as_image() noexcept { record_.give_up(); }
    /// For the loading of whole tables: an entry that comes into the tree by another way.
    void log_put(OpenTable& table, ByteView key, ByteView value) {
        log(LogOp::Put, table, key, value);
    }
    /// Makes a logged change again. False: it does not fit what is there. Reopening only.
    bool replay(const LogOperation& operation, Table table, std::string_view name);
    /// The replayed changes are the content of this commit; no transaction is open afterwards.
    void publish_replayed(uint64_t commit_id);
    OpenTable& open(Table table);
    void attach(Cursor& cursor);
    void detach(Cursor& cursor) noexcept;

    struct Placed {
        bool inserted;  // or replaced
        bool path_valid;
    };
    /// Copies of arguments that are views of the store, because a change may move what they point
    /// to.
    struct Stable {
        ByteView key;
        ByteView value;
    };
    Stable stabilise(const OpenTable& table, ByteView key, ByteView value);
    void check_entry(const OpenTable& table, ByteView key, ByteView value) const {
        const size_t value_bytes_max = table.row.tree.dup ? kDupValueBytesMax : kPlainValueBytesMax;
        if (key.size() > kKeyBytesMax || value.size() > value_bytes_max) [[unlikely]]
            refuse_entry(table, key, value);
    }
    void check_dup(const OpenTable& table) const;
    /// Arguments are stable in all of these. `mover`: the cursor that makes the change, or null.
    Placed place(OpenTable& table, Path& path, const Stable& entry, const Cursor* mover);
    /// place() behind descend(), which said `exact`.
    Placed place_at(OpenTable& table, Path& path, bool exact, const Stable& entry,
                    const Cursor* mover);
    bool insert_at(OpenTable& table, Path& path, const Stable& entry, const Cursor* mover);
    bool replace_at(OpenTable& table, Path& path, const Stable& entry, const Cursor* mover);
    bool erase_at(OpenTable& table, Path& path, const Stable& victim, const Cursor* mover);
    /// Takes out the entry at the path if that is done in its leaf alone, with no other cursor on
    /// the table. The path names the place of the next entry then. Where the record lay, and lies
    /// until the next change; null: not done.
    const uint8_t* erase_in_place(OpenTable& table, const Path& path, const Cursor* mover);
    uint64_t erase_group(OpenTable& table, ByteView key, const Cursor* mover);
    /// Path of the first entry of a key's group. False: there is no such key.
    bool find_group(const OpenTable& table, ByteView key, Path& path) const;
    enum class Append : uint8_t { Insert, Replace, OutOfOrder };
    /// Makes table.finger the place behind the last entry; or, unless the entry is to be inserted,
    /// that entry.
    Append find_append(OpenTable& table, const Stable& entry) const;
    /// Inserts or replaces at the finger. False: the tree has been reshaped.
    bool append_at_finger(OpenTable& table, Append how, const Stable& entry, const Cursor* mover);
    /// May the pair be appended to its group?
    bool appends_to_group(const OpenTable& table, const Stable& entry) const;
    const PageSpace& space() const noexcept { return space_; }
    Error error(ErrorCode code, const OpenTable& table, const std::string& what) const;

  private:
    void log(LogOp op, OpenTable& table, ByteView key, ByteView value) {
        if (!record_.on()) return;
        if (table.logged_as == LogRecord::kNoTable) [[unlikely]]
            name_in_record(table);
        record_.add(op, table.logged_as, key, value);
    }
    /// log() outside change().
    void log_safely(LogOp op, OpenTable& table, ByteView key, ByteView value) {
        if (record_.on()) log_or_break(op, table, key, value);
    }
    void log_or_break(LogOp op, OpenTable& table, ByteView key, ByteView value);
    void name_in_record(OpenTable& table);
    template <class F>
    decltype(auto) change(OpenTable& table, const Cursor* mover, F&& edit);
    /// A table that a call changes: it must exist.
    OpenTable& open_existing(Table table) {
        if (table.id == last_id_) [[likely]]
            return *last_opened_;
        return open_existing_slowly(table);
    }
    OpenTable& open_existing_slowly(Table table);
    OpenTable& load(uint16_t id);
    void mark_changed(OpenTable& table);
    bool loads_into_image(const OpenTable& table);
    bool copy_into_image_before(const std::string& name);
    void change_sequence(OpenTable& table, uint64_t value);
    void start();
    /// commit() but for the usual end of a transaction that has changed nothing.
    uint64_t finish_commit();
    void write_catalogue();
    bool begin_end(bool fence) noexcept;
    void finish(bool doomed) noexcept;
    template <class F>
    void each_cursor(const OpenTable& table, const Cursor* mover, F&& tell);
    /// Is a change that the leaf takes in place all there is to do? Then no other cursor looks at
    /// the table, and it has been changed before.
    static bool changes_in_place(const OpenTable& table, const Cursor* mover) noexcept {
        return table.changed && table.cursors == (mover != nullptr ? 1 : 0);
    }
    /// Where the editor inserts_in_place().
    void insert_in_place(OpenTable& table, const Path& path, ByteView key, ByteView value);
    [[noreturn]] void refuse_entry(const OpenTable& table, ByteView key, ByteView value) const;
    [[noreturn]] void throw_trouble() const;
    [[noreturn]] void rethrow_broken(const OpenTable* table);

    Store& store_;
    TreeEditor& editor_;
    const PageSpace& space_;
    // Is what a transaction starts from to be set up? It stands as it was behind a commit that had
    // changed nothing.
    bool stale_ = true;
    bool active_ = false;
    bool dirty_ = false;
    bool broken_ = false;
    // Of a transaction that ends and of a close() that gives up on it, each writes its own and
    // looks at the other's: ending_, then closing_ here; closing_, a barrier for all threads, then
    // ending_ there.
    std::atomic<bool> ending_ = false;
    std::atomic<bool> doomed_ = false;
    uint64_t commit_id_ = 0;
    uint64_t epoch_ = 0;  // one a start(); commit numbers come again after an abort
    Tree catalogue_;
    uint64_t table_count_ = 0;
    std::deque<OpenTable> tables_;  // by table id; addresses stay
    /// The existing table that was changed last; kNoTable: none in this transaction.
    static constexpr uint32_t kNoTable = UINT32_MAX;
    uint32_t last_id_ = kNoTable;
    OpenTable* last_opened_ = nullptr;
    std::vector<OpenTable*> changed_;
    LogRecord record_;
    bool loads_into_image_ = false;          // what has been announced is to go there
    std::unique_ptr<ImageLoad> image_load_;  // once something has
    Cursor* cursors_ = nullptr;              // open cursors of the transaction
    uint64_t puts_ = 0;
    uint64_t deletes_ = 0;
    uint8_t key_buffer_[kKeyBytesMax];
    uint8_t value_buffer_[kDupValueBytesMax];
};

}  // namespace keel::db::mem
