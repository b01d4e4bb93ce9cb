#pragma once

// One open store: the page space, its writer, its readers, and what is on disk.
//
// S1  No call of a reader takes a lock, and none waits.
// S2  What close() and sync() save is a snapshot of their own; readers go on beside them.
// S3  In the modes `group` and `commit` a commit is in the log before anybody can read it; what is
// on disk is the image and the segments of the log that follow it, at every moment.
// S4  After close() the pages stay mapped until the last transaction has ended. Whoever ends it
// gives them back, and the
//     store itself too if its handle is gone.
// Locks: close_mutex_ before WriterLock before save_mutex_ before the log's before state_mutex_.

#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "core/files.hpp"
#include "db/mem/cursor.hpp"
#include "db/mem/image.hpp"
#include "db/mem/log.hpp"
#include "db/mem/log_reader.hpp"
#include "db/mem/owned_pages.hpp"
#include "db/mem/readers.hpp"
#include "db/mem/snapshot.hpp"
#include "db/mem/writer.hpp"
#include "db/mem/writer_lock.hpp"
#include "db/open.hpp"

namespace keel::db::mem {

/// The store of `options`; an empty directory: in memory alone. Throws Error; a failed open changes
/// nothing.
std::shared_ptr<detail::StoreImpl> open_store(const OpenOptions& options);

/// A reader opened the store while a writer replaced image or log; the new ones are whole.
struct TryAgain {
    Error why;
};

class Store {
  public:
    explicit Store(const OpenOptions& options);
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;

    // What the handle forwards. Any thread.
    [[gnu::always_inline]] detail::TxnImpl* begin_ro() {
        const uint64_t thread = thread_number();
        ReaderSlot& home = readers_.home(thread);
        if (home.is_bare_home_of(thread) && home.is_free()) [[likely]] {
            Newest::View view;
            if (Readers::take_bare(home, thread, newest_, view)) [[likely]] {
                // After the slot is taken: either close() sees the slot, or this thread sees that
                // it is closing.
                if ((gate() & kReads) != 0) [[likely]] {
                    home.snapshot->begin(view);
                    return home.snapshot;
                }
                refuse_reader(&home);
            }
            return begin_in(home, readers_.take_guarded(home, thread, newest_));
        }
        return begin_ro_slowly();
    }
    /// Null: begin_rw() is to answer.
    detail::TxnImpl* begin_rw_at_once() {
        if (!writer_lock_.take()) [[unlikely]]
            return nullptr;
        if (gate() != kReadsAndWrites) [[unlikely]] {
            writer_lock_.unlock();
            return nullptr;
        }
        writer_.begin();
        return &writer_;
    }
    core::Result<detail::TxnImpl*, Refused> begin_rw(std::stop_token&& stop, Deadline deadline,
                                                     bool wait);
    Table table(std::string_view name) { return names_.resolve(name, Kind::Plain); }
    std::string table_name(Table table) const;
    void sync();
    void close();
    /// Mode `close`: the newest commit as image, and no log behind it. Returns the commit.
    uint64_t compact(const tools::Progress& progress);
    Stats stats();
    std::string uid() const;
    std::string path() const { return options_.directory.string(); }
    bool read_only() const noexcept { return options_.access == Access::ReadOnly; }
    /// The handle is gone: deletes the store now, or leaves that to the last transaction.
    static void orphan(Store* store) noexcept;

    // For the transactions.
    PageSpace& space() noexcept { return space_; }
    OwnedPages& pages() noexcept { return pages_; }
    TreeEditor& editor() noexcept { return editor_; }
    TableNames& names() noexcept { return names_; }
    const Newest& newest() const noexcept { return newest_; }
    const Tree& catalogue() const noexcept { return catalogue_; }
    void end_snapshot(ReaderSlot& slot) noexcept {
        slot.ending();
        // close() shuts the gate, then has every thread pass a memory barrier: whoever still finds
        // it open here touches nothing of the store behind the next line, and close() waits while a
        // slot is ending.
        if (gate() == kClosing) [[unlikely]] {
            leave(&slot);
            return;
        }
        slot.end();
    }
    /// Before a commit changes anything for good: throws what forbids it.
    void check_commit();
    /// Opens the record of a write transaction, where the store keeps a log.
    void begin_record(LogRecord& record) noexcept {
        record.begin(log_.get(), log_ != nullptr ? fold_bytes() : 0);
    }
    /// Text that the next record has to begin with; null: none.
    const std::string* producer_to_log() const noexcept {
        return producer_to_log_.empty() ? nullptr : &producer_to_log_;
    }
    /// Logs the transaction and publishes it. Throws, and latches, when it cannot be kept.
    /// `load`: what it has loaded; null: nothing.
    void commit(uint64_t commit_id, const Tree& catalogue, LogRecord& record, ImageLoad* load,
                uint64_t puts, uint64_t deletes);
    /// Can a load of so many bytes be written into the image that its transaction becomes? Only
    /// where none is mapped: in the process that made the store.
    bool can_load_into_image(uint64_t bytes) const noexcept;
    std::unique_ptr<ImageLoad> begin_image_load();
    Error file_error(const core::FileFault& fault) const;
    void latch(const Error& error);
    /// Makes the transaction's catalogue the newest and frees what nobody sees.
    void publish(uint64_t commit_id, const Tree& catalogue, uint64_t puts, uint64_t deletes);
    // By the writer alone.
    void count_empty_commit() noexcept { count_one(empty_commits_); }
    void give_lock_back() { writer_lock_.unlock(); }
    void count_abort() noexcept { count_one(aborts_); }
    /// The write transaction has ended; `doomed`: after close() had given up on it.
    void end_writer(bool doomed) noexcept;
    Error error(ErrorCode code, std::string_view table, const std::string& what) const;
    void check_fork() const {
        if (gate() == kForked) [[unlikely]]
            throw_forked();
    }
    /// For a writer that ends: has close() given up on it? Decided under the lock that close()
    /// takes to do so.
    bool decide_doomed();
    bool closing() const noexcept { return gate() == kClosing; }
    /// Neither closing nor forked nor read-only.
    bool open_for_writing() const noexcept { return gate() == kReadsAndWrites; }
    bool writer_is_this_thread() const noexcept { return writer_lock_.held_by_this_thread(); }

  private:
    // What may begin. It stands on a page that reads as zero in a forked child.
    static constexpr uint32_t kForked = 0;
    static constexpr uint32_t kReads = 1;
    static constexpr uint32_t kReadsAndWrites = 3;
    static constexpr uint32_t kClosing = 4;
    static constexpr size_t kSlotsAt = kPageBytes;
    static constexpr size_t kSnapshotsAt =
        (kSlotsAt + Readers::kBytes + kPageBytes - 1) / kPageBytes * kPageBytes;
    static constexpr size_t kMemoryBytes = kSnapshotsAt + Readers::kSlots * Snapshot::kBytes;
    detail::TxnImpl* begin_ro_slowly();
    detail::TxnImpl* begin_in(ReaderSlot& slot, const Newest::View& view);
    uint32_t gate() const noexcept { return gate_.load(std::memory_order_seq_cst); }
    [[noreturn]] void refuse_reader(ReaderSlot* slot);

    static void count_one(std::atomic<uint64_t>& figure) noexcept {
        figure.store(figure.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    }
    void open_files();
    void create_tables();
    void check_kinds() const;
    /// Mode `close`: the newest commit as image.
    void save();
    /// `has_log`: commits behind it may stand in a log.
    void write_store_image(uint64_t commit_id, const TreeView& catalogue, bool has_log,
                           const tools::Progress& progress = {}, ImageLoad* load = nullptr);
    // store_log.cpp
    void replay_log();
    void replay_segments();
    void replay_segment(LogReader& reader, uint64_t older_bytes);
    void apply(const LogReader& reader, const LogReader::Record& record, std::string& producer);
    void check_segments_beyond(uint64_t commit_id);
    void begin_log();
    void remove_leftovers();
    void remove_left_runs() noexcept;
    bool is_there(const std::string& name);
    void create_files();
    void commit_as_image(uint64_t commit_id, const Tree& catalogue, ImageLoad* load, uint64_t puts,
                         uint64_t deletes);
    void fold();
    void sync_log();
    void close_log();
    bool folds_at_close() const noexcept;
    void close_as_image();
    void keep_log(const std::stop_token& stop);
    void remove_logs_before(uint64_t commit_id);
    bool image_was_replaced();
    bool keeps_log() const noexcept {
        return !read_only() && !options_.directory.empty() &&
               options_.durability != Durability::Close;
    }
    uint64_t fold_bytes() const noexcept {
        return std::max(options_.fold_bytes_min, image_bytes_.load(std::memory_order_relaxed) / 4);
    }
    std::array<uint8_t, 16> parse_uid(const std::string& text) const;
    [[noreturn]] void throw_forked() const;
    void throw_latched() const;
    void check_attached();
    std::vector<LongReader> long_readers() const;
    void report_long_readers();
    void watch(const std::stop_token& stop);
    /// With state_mutex_ held: gives the pages back when nobody is left. True: delete the store.
    bool release_if_unused() noexcept;
    /// `slot` null: the writer's transaction.
    void leave(ReaderSlot* slot) noexcept;

    /// The store's own reader slot, given back.
    struct OwnSlot {
        Readers& readers;
        ~OwnSlot() { readers.end_own(); }
    };

    OpenOptions options_;
    core::SystemFiles system_files_;
    core::FileSystem& files_;
    core::AddressRange memory_;  // the gate's page, the readers' slots, a Snapshot for each
    std::atomic<uint32_t>& gate_;
    const bool barrier_;  // does core::process_memory_barrier() work?
    PageSpace space_;
    OwnedPages pages_;
    TreeEditor editor_;
    TableNames names_;
    Newest newest_;
    Readers readers_;
    WriterLock writer_lock_;
    Writer writer_;
    Tree catalogue_;  // of the newest commit; the writer's
    std::vector<uint64_t> live_views_;
    std::array<uint8_t, 16> uid_ = {};

    std::mutex close_mutex_;
    bool closed_ = false;  // guarded by close_mutex_

    std::mutex save_mutex_;  // guards the image on disk and the next two
    uint64_t image_commit_ = 0;
    uint64_t saved_commit_ = 0;  // by image, in mode `close` with the log found; 0: nothing yet
    bool image_has_log_ = false;
    std::atomic<uint64_t> image_bytes_ = 0;
    core::FileInfo image_info_;  // of a reader's image
    /// What replay found behind the image; for begin_log().
    struct FoundLog {
        LogHeader header;
        uint64_t end = 0;
        uint64_t synced = 0;
        uint64_t older_bytes = 0;
        uint64_t torn_bytes = 0;
        uint64_t torn_records = 0;
        std::string producer;  // of the last record
    };
    std::optional<FoundLog> found_log_;
    std::vector<std::string> found_names_;  // in the directory when the log was replayed
    std::atomic<uint64_t> found_log_bytes_ = 0;
    std::unique_ptr<Log> log_;  // none: no directory, read-only, mode `close`
    std::string producer_to_log_;
    core::File directory_;              // held open, so that its inode is not given to another
    uint64_t attached_checked_ms_ = 0;  // writer's

    mutable std::mutex state_mutex_;  // innermost; guards the rest
    std::optional<Error> latched_;
    std::atomic<bool> has_latched_ = false;
    bool unused_matters_ = false;  // the store is closed: the last one out frees
    bool released_ = false;
    bool orphaned_ = false;
    bool writer_open_ = false;  // a doomed write transaction that has not ended yet

    // The watch's: it exists where there is an observer to tell.
    struct Warned {
        uint64_t serial = 0;
        uint64_t next_age_ms = 0;
    };
    std::vector<Warned> warned_;  // by slot

    // Figures; relaxed: each by itself.
    std::atomic<uint64_t> readers_peak_ = 0;
    std::atomic<uint64_t> commits_ = 0;
    std::atomic<uint64_t> aborts_ = 0;
    std::atomic<uint64_t> empty_commits_ = 0;
    std::atomic<uint64_t> puts_ = 0;
    std::atomic<uint64_t> deletes_ = 0;
    std::atomic<uint64_t> pages_written_ = 0;
    struct Figures {
        std::atomic<uint64_t> free_bytes = 0;
        std::atomic<uint64_t> pinned_bytes = 0;
        std::atomic<uint64_t> anonymous_bytes = 0;
        std::atomic<uint64_t> copied = 0;
        std::atomic<uint64_t> allocated = 0;
    };
    Figures figures_;  // the writer's, as of its last commit

    std::jthread watch_;
    // The log's keeper syncs groups of commits and starts folds.
    std::mutex keeper_mutex_;
    std::condition_variable_any keeper_wake_;
    std::atomic<bool> sync_asked_ = false;
    std::atomic<bool> fold_asked_ = false;
    std::atomic<bool> folding_ = false;
    std::jthread folder_;
    std::jthread keeper_;  // ends first
};

}  // namespace keel::db::mem
