#pragma once

// One open LMDB environment and what keel adds to it. Invariants:
//  I1 An Env outlives its Store handle while transactions are open; the one that ends last unmaps
//  and deletes it. I2 liblmdb handles (dbi) are opened once, in an open or by create_table, and
//  never closed while a reader may use
//     them: drop_table empties the table and marks it in the catalogue; the next read-write open
//     removes the shell.
//  I3 Slots, dbi numbers and `exists` change only under the right to write; readers see dbi through
//  an atomic. I4 A reader never runs with the number of one commit and the pages of another: see
//  Reader::start.

#include <lmdb.h>

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/files.hpp"
#include "db/lmdb/catalogue.hpp"
#include "db/lmdb/writer_queue.hpp"
#include "db/open.hpp"

namespace keel::db::lmdb {

class Reader;
class Writer;

inline constexpr MDB_dbi kFreeDbi =
    0;  // liblmdb's table of free pages: txn number -> count, page numbers
inline constexpr MDB_dbi kMainDbi = 1;  // liblmdb's table of tables

/// A table as liblmdb knows it.
struct Place {
    std::atomic<uint32_t> dbi{0};  // 0: not stored
    std::atomic<Kind> kind{Kind::Plain};
    std::string stored_name;  // never changes

    bool dup_sort() const noexcept { return kind.load(std::memory_order_relaxed) == Kind::DupSort; }
};

/// A name that was ever resolved in this process. `id` of a Table is its index. The second place is
/// for a table that was dropped and made anew with the other kind, while readers may still look at
/// the first.
struct Slot {
    std::string name;  // never changes
    std::array<Place, 2> places;
    std::atomic<uint8_t> live{0};  // the writer's place
    std::atomic<bool> declared{
        false};  // in the schema given at open: reads as empty where it is not stored
    std::atomic<bool> ambiguous{false};  // a snapshot must be asked which place is its own, if any
    bool exists = false;                 // in the last commit; inside a write txn: for the writer

    Place& place() noexcept { return places[live.load(std::memory_order_relaxed)]; }
    const Place& place() const noexcept { return places[live.load(std::memory_order_relaxed)]; }
    bool dup_sort() const noexcept { return place().dup_sort(); }
    MDB_dbi dbi() const noexcept { return place().dbi.load(std::memory_order_relaxed); }
};

/// Number of the calling thread, never 0.
uint64_t this_thread() noexcept;
/// Nanoseconds of the coarse monotonic clock (some milliseconds fine, a tenth of the price).
uint64_t coarse_now_ns() noexcept;

class Env final {
  public:
    static constexpr size_t kSlotsMax = 1024;
    /// Tables, dropped ones whose shell still stands, and the catalogue.
    static constexpr unsigned kHandlesMax = 320;
    /// Contract limit plus what the store uses itself for statistics.
    static constexpr unsigned kReaderSlots = kReadersMax + 64;

    explicit Env(const OpenOptions& options);
    ~Env();
    Env(const Env&) = delete;
    Env& operator=(const Env&) = delete;

    // The StoreImpl calls.
    detail::TxnImpl* begin_ro();
    core::Result<detail::TxnImpl*, Refused> begin_rw(std::stop_token stop, Deadline deadline);
    core::Result<detail::TxnImpl*, Refused> begin_rw_try();
    Table table(std::string_view name);
    std::string table_name(Table table);
    void sync();
    void close();
    Stats stats();
    const std::string& uid() const noexcept { return uid_; }
    const std::filesystem::path& directory() const noexcept { return directory_; }
    bool read_only() const noexcept { return read_only_; }
    /// The Store handle is gone: deletes the Env now or when the last transaction ends.
    static void disown(Env* env) noexcept;

    // For transactions.
    MDB_env* env() const noexcept { return env_; }
    MDB_dbi catalogue() const noexcept { return catalogue_dbi_; }
    Slot& slot(Table table);
    Slot& slot_at(size_t id) noexcept { return slots_[id]; }
    size_t slot_count() const noexcept { return slot_count_.load(std::memory_order_acquire); }
    /// Id of the slot of `name`; makes one when there is none.
    uint16_t resolve(std::string_view name);
    void give_back(Reader& reader) noexcept;
    void release_writer() noexcept;
    void abandon_writer() noexcept { queue_.abandon(); }
    bool forked() const noexcept { return *fork_mark_.data() == 0; }
    bool writer_revoked() const noexcept { return writer_revoked_.load(std::memory_order_relaxed); }
    bool in_map(const uint8_t* data) const noexcept {
        return static_cast<size_t>(data - map_begin_) < map_bytes_;
    }
    /// Commits the writer's liblmdb transaction; throws on failure. Returns the newest commit's
    /// number.
    uint64_t commit(MDB_txn* txn, bool handles_created);

    /// Throws the first failed write or fsync again (R45).
    void throw_if_latched() const;
    /// At most once in 50 ms: throws Detached when the directory is not the one that was opened
    /// (R47).
    void check_attached();

    /// Numbers of commits in flight; one cache line, written by the writer.
    struct alignas(64) CommitMarks {
        std::atomic<uint64_t> committing{0};    // newest commit whose meta page may be half written
        std::atomic<uint64_t> handle_epoch{0};  // odd: new handles are being published
    };
    const CommitMarks& marks() const noexcept { return marks_; }

    struct Counters {
        std::atomic<uint64_t> commits{0}, aborts{0}, empty_commits{0}, puts{0}, deletes{0};
    };
    Counters& counters() noexcept { return counters_; }

    /// Throws the contract's error for a liblmdb or system code; latches the store where R45 says
    /// so.
    [[noreturn]] void fail(int code, std::string_view operation, std::string_view table = {});
    [[noreturn]] void fail(ErrorCode code, std::string_view what,
                           std::string_view table = {}) const;

  private:
    /// Idle readers of the threads that hash here.
    struct alignas(64) Shard {
        std::atomic_flag locked;
        Reader* idle = nullptr;
    };
    static constexpr size_t kShards = 64;

    // Opening (open.cpp).
    void open_files(const OpenOptions& options);
    void map_environment(const OpenOptions& options);
    void load_tables(const OpenOptions& options);
    void read_tables(MDB_txn* txn);
    std::vector<std::string> stored_names(MDB_txn* txn);
    void add_stored_table(MDB_txn* txn, const std::string& stored_name);
    void open_place(MDB_txn* txn, Place& place);
    void create_missing(const OpenOptions& options);
    uint64_t find_new_tables();

    Reader* make_reader();
    Reader* take_idle(Shard& shard);
    Reader* steal_idle();
    void retire(Reader* reader) noexcept;
    void drain_idle() noexcept;
    void close_environment() noexcept;
    core::Result<detail::TxnImpl*, Refused> started_writer(WriterQueue::Turn turn);
    void latch(const Error& error);
    void throw_if_forked() const;

    // The background thread (watch.cpp).
    void watch(const std::stop_token& stop);
    void sync_pending();
    void report_long_readers();
    void rescue_writer();
    std::vector<LongReader> readers_older_than(uint64_t age_ms, bool only_due);
    uint64_t free_pages_since(MDB_txn* txn, uint64_t view_id) const;

    std::filesystem::path directory_;
    bool read_only_ = false;
    Durability durability_ = Durability::Group;
    Observer* observer_ = nullptr;
    uint64_t reader_warn_ms_;
    uint64_t close_grace_ms_;
    std::string uid_;
    core::SystemFiles files_;
    core::FileInfo data_file_;  // as opened, to notice a replaced directory
    core::AddressRange fork_mark_;

    MDB_env* env_ = nullptr;
    MDB_dbi catalogue_dbi_ = 0;
    const uint8_t* map_begin_ = nullptr;
    size_t map_bytes_ = 0;
    uint32_t page_bytes_ = 0;

    CommitMarks marks_;
    Counters counters_;

    std::mutex names_mutex_;  // before nothing; guards names_ and the making of slots
    std::map<std::string, uint16_t, std::less<>> names_;
    std::unique_ptr<Slot[]> slots_;
    std::atomic<size_t> slot_count_{0};
    std::atomic<uint64_t> tables_checked_at_{0};  // read-only: view id whose tables are all known

    std::array<Shard, kShards> shards_;
    std::atomic<bool> closing_{false};
    std::mutex readers_mutex_;  // before a shard's lock and the queue's; guards the list below
    std::vector<Reader*> readers_;
    bool disowned_ = false;

    WriterQueue queue_;
    std::unique_ptr<Writer> writer_;
    std::atomic<bool> writer_revoked_{false};
    std::chrono::steady_clock::time_point attached_checked_;  // by the holder of the right to write

    std::mutex close_mutex_;  // outermost: one close at a time
    bool close_called_ = false;
    bool saved_ = false;  // under readers_mutex_: what is still open may end the environment

    mutable std::mutex latch_mutex_;
    std::optional<Error> latched_;

    std::mutex watch_mutex_;
    std::condition_variable_any watch_wake_;
    bool sync_wanted_ = false;
    std::jthread watcher_;  // last: joined before anything it uses goes
};

/// The handle behind db::Database.
class Store final : public detail::StoreImpl {
  public:
    explicit Store(std::unique_ptr<Env> env) : env_(env.release()) {}
    ~Store() override;
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;

    detail::TxnImpl* begin_ro() override { return env_->begin_ro(); }
    core::Result<detail::TxnImpl*, Refused> begin_rw(std::stop_token stop,
                                                     Deadline deadline) override {
        return env_->begin_rw(std::move(stop), deadline);
    }
    core::Result<detail::TxnImpl*, Refused> begin_rw_try() override { return env_->begin_rw_try(); }
    Table table(std::string_view name) override { return env_->table(name); }
    std::string table_name(Table table) override { return env_->table_name(table); }
    void sync() override { env_->sync(); }
    void close() override { env_->close(); }
    Stats stats() override { return env_->stats(); }
    std::string uid() override { return env_->uid(); }
    std::string path() override { return env_->directory().string(); }
    bool read_only() override { return env_->read_only(); }

  private:
    Env* env_;
};

}  // namespace keel::db::lmdb
