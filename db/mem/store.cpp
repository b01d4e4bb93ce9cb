#include "db/mem/store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <new>

#include "core/clock.hpp"
#include "core/hex.hpp"
#include "core/random.hpp"

namespace keel::db::mem {
namespace {

// How often a commit asks the file system whether the directory is still there (KV.md R47), and
// looks at readers' ages.
constexpr uint64_t kAttachedCheckMs = 50;
constexpr uint64_t kReadersCheckMs = 1000;
// A fold takes longer than an open; so many in a row are no coincidence.
constexpr int kOpenTriesMax = 50;

/// What db::Database holds. Its end closes the store and leaves it to the transactions that are
/// still open.
class Handle final : public detail::StoreImpl {
  public:
    explicit Handle(const OpenOptions& options) : store_(new Store(options)) {}
    ~Handle() override {
        try {
            store_->close();
        } catch (const core::Fault&) {
            // Whoever wants to hear of it calls close() first; the files are as they were.
        }
        Store::orphan(store_);
    }
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;

    detail::TxnImpl* begin_ro() override { return store_->begin_ro(); }
    detail::TxnImpl* begin_rw_at_once() override { return store_->begin_rw_at_once(); }
    core::Result<detail::TxnImpl*, Refused> begin_rw(std::stop_token stop,
                                                     Deadline deadline) override {
        return store_->begin_rw(std::move(stop), deadline, true);
    }
    core::Result<detail::TxnImpl*, Refused> begin_rw_try() override {
        return store_->begin_rw({}, kNever, false);
    }
    Table table(std::string_view name) override { return store_->table(name); }
    std::string table_name(Table table) override { return store_->table_name(table); }
    void sync() override { store_->sync(); }
    void close() override { store_->close(); }
    Stats stats() override { return store_->stats(); }
    std::string uid() override { return store_->uid(); }
    std::string path() override { return store_->path(); }
    bool read_only() override { return store_->read_only(); }

  private:
    Store* const store_;  // deletes itself: orphan()
};

core::AddressRange make_memory(size_t bytes) {
    core::AddressRange memory = core::AddressRange::committed(bytes);
    memory.wipe_on_fork(kPageBytes);
    return memory;
}

}  // namespace

std::shared_ptr<detail::StoreImpl> open_store(const OpenOptions& options) {
    for (int tries = 1;; ++tries) {
        try {
            return std::make_shared<Handle>(options);
        } catch (const TryAgain& again) {
            if (tries >= kOpenTriesMax) throw Error(again.why);
        }
    }
}

Store::Store(const OpenOptions& options)
    : options_(options),
      files_(options.files != nullptr ? *options.files : system_files_),
      memory_(make_memory(kMemoryBytes)),
      gate_(*::new(static_cast<void*>(memory_.data())) std::atomic<uint32_t>(
          options.access == Access::ReadOnly ? kReads : kReadsAndWrites)),
      barrier_(core::memory_barrier_is_ready()),
      space_(options.reserve_bytes),
      pages_(space_, options.size_max_bytes),
      editor_(pages_),
      readers_(memory_.data() + kSlotsAt, barrier_),
      writer_lock_(barrier_),
      writer_(*this, editor_) {
    for (const TableSpec& spec : options_.schema) {
        if (!valid_table_name(spec.name))
            throw error(ErrorCode::NoSuchTable, spec.name, "no table can have this name");
        names_.declare(spec);
    }
    if (options_.schema.size() > kTablesMax)
        throw error(
            ErrorCode::TooManyTables, "",
            fmt::format("{} tables declared; at most {}", options_.schema.size(), kTablesMax));
    if (options_.directory.empty()) {
        uid_ = core::random_bytes<16>();
    } else {
        open_files();
    }
    pages_.start();
    newest_.publish(saved_commit_, catalogue_);
    if (!options_.directory.empty()) replay_log();
    check_kinds();
    if (!read_only()) {
        const bool is_new = saved_commit_ == 0;
        if (!is_new && !options_.directory.empty()) begin_log();
        create_tables();
        if (is_new && !options_.directory.empty()) create_files();
        remove_left_runs();
    }
    if (log_ != nullptr)
        keeper_ = std::jthread([this](const std::stop_token& stop) { keep_log(stop); });
    if (options_.observer != nullptr) {
        warned_.resize(Readers::kSlots);
        watch_ = std::jthread([this](const std::stop_token& stop) { watch(stop); });
    }
}

void Store::check_kinds() const {
    const TreeView catalogue = catalogue_;
    for (const TableSpec& spec : options_.schema) {
        const auto row = find_row(space_, catalogue, spec.name);
        if (row && row->tree.dup != (spec.kind == Kind::DupSort))
            throw error(ErrorCode::KindMismatch, spec.name,
                        fmt::format("declared as {}, stored as {}",
                                    spec.kind == Kind::DupSort ? "DupSort" : "Plain",
                                    row->tree.dup ? "DupSort" : "Plain"));
    }
}

void Store::create_tables() {
    const bool is_new = newest_.id() == 0;
    const auto missing = [this](const TableSpec& spec) {
        return !find_row(space_, catalogue_, spec.name).has_value();
    };
    if (!is_new && std::ranges::none_of(options_.schema, missing)) return;
    const auto begun = begin_rw({}, kNever, true);
    KEEL_ASSERT(begun.has_value(), "nobody else has the store yet");
    for (const TableSpec& spec : options_.schema)
        if (missing(spec)) writer_.create_table(spec);
    // Creation is commit 1, with or without tables.
    if (is_new) writer_.mark_dirty();
    writer_.commit();
}

Error Store::error(ErrorCode code, std::string_view table, const std::string& what) const {
    std::string text =
        options_.directory.empty() ? std::string("store in memory") : options_.directory.string();
    if (!table.empty()) text += fmt::format(", table {}", table);
    return {code, fmt::format("{}: {}: {}", text, to_string(code), what)};
}

void Store::throw_forked() const {
    throw error(ErrorCode::Forked, "", "use by a child process of the one that opened it");
}

bool Store::decide_doomed() {
    const std::lock_guard guard(state_mutex_);
    return writer_.doomed();
}

std::string Store::table_name(Table table) const {
    const TableNames::Info* const info = names_.find(table.id);
    return info != nullptr ? info->name : std::string();
}

std::string Store::uid() const {
    return core::to_hex(core::ByteView(uid_));
}

void Store::refuse_reader(ReaderSlot* slot) {
    check_fork();
    if (slot == nullptr)
        throw error(ErrorCode::TooManyReaders, "",
                    fmt::format("{} read transactions are open", Readers::kShared));
    leave(slot);
    throw error(ErrorCode::Closed, "", "begin on a closed store");
}

detail::TxnImpl* Store::begin_ro_slowly() {
    const auto [slot, view] = readers_.begin(newest_);
    if (slot == nullptr) refuse_reader(nullptr);
    if (slot->snapshot == nullptr)
        slot->snapshot = ::new (static_cast<void*>(memory_.data() + kSnapshotsAt +
                                                   readers_.number_of(*slot) * Snapshot::kBytes))
            Snapshot(*this, *slot);
    return begin_in(*slot, view);
}

detail::TxnImpl* Store::begin_in(ReaderSlot& slot, const Newest::View& view) {
    // As in begin_ro().
    if ((gate() & kReads) == 0) [[unlikely]]
        refuse_reader(&slot);
    slot.snapshot->begin(view);
    return slot.snapshot;
}

core::Result<detail::TxnImpl*, Refused> Store::begin_rw(std::stop_token&& stop, Deadline deadline,
                                                        bool wait) {
    check_fork();
    if (read_only())
        throw error(ErrorCode::ReadOnly, "", "write transaction on a store opened read-only");
    if (closing()) throw error(ErrorCode::Closed, "", "begin on a closed store");
    if (!writer_lock_.take()) [[unlikely]] {
        const std::optional<Refused> refused =
            wait ? writer_lock_.lock(std::move(stop), deadline) : writer_lock_.try_lock();
        if (refused) return core::unexpected(*refused);
    }
    if (closing()) {
        writer_lock_.unlock();
        throw error(ErrorCode::Closed, "", "begin on a closed store");
    }
    writer_.begin();
    return &writer_;
}

void Store::end_writer(bool doomed) noexcept {
    if (doomed) {
        // close() went on without it, and has given its lock away.
        leave(nullptr);
        return;
    }
    writer_lock_.unlock();
}

void Store::check_commit() {
    throw_latched();
    if (!options_.directory.empty()) {
        const uint64_t now_ms = core::monotonic_coarse_ms();
        if (now_ms - attached_checked_ms_ >= kAttachedCheckMs) {
            attached_checked_ms_ = now_ms;
            check_attached();
        }
    }
}

void Store::publish(uint64_t commit_id, const Tree& catalogue, uint64_t puts, uint64_t deletes) {
    catalogue_ = catalogue;
    newest_.publish(commit_id, catalogue);
    readers_.live_views(live_views_);
    pages_.commit(live_views_);
    commits_.store(commits_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    puts_.store(puts_.load(std::memory_order_relaxed) + puts, std::memory_order_relaxed);
    deletes_.store(deletes_.load(std::memory_order_relaxed) + deletes, std::memory_order_relaxed);
    figures_.free_bytes.store(pages_.free_bytes(), std::memory_order_relaxed);
    figures_.pinned_bytes.store(pages_.pinned_bytes(), std::memory_order_relaxed);
    figures_.anonymous_bytes.store(pages_.anonymous_bytes(), std::memory_order_relaxed);
    figures_.copied.store(pages_.counters().copied, std::memory_order_relaxed);
    figures_.allocated.store(pages_.counters().allocated, std::memory_order_relaxed);
}

std::vector<LongReader> Store::long_readers() const {
    std::vector<LongReader> long_readers;
    const uint64_t now_ms = core::monotonic_coarse_ms();
    for (const ReaderInfo& reader : readers_.live()) {
        const uint64_t age_ms = now_ms - std::min(now_ms, reader.since_ms);
        if (age_ms >= options_.reader_warn_ms)
            long_readers.push_back(
                {reader.thread, reader.view, age_ms, pages_.pinned_bytes_by(reader.view)});
    }
    return long_readers;
}

void Store::report_long_readers() {
    const uint64_t now_ms = core::monotonic_coarse_ms();
    for (const ReaderInfo& reader : readers_.live()) {
        const uint64_t age_ms = now_ms - std::min(now_ms, reader.since_ms);
        Warned& warned = warned_[reader.slot];
        if (warned.serial != reader.serial) warned = {reader.serial, options_.reader_warn_ms};
        if (age_ms < warned.next_age_ms) continue;
        while (warned.next_age_ms <= age_ms)
            warned.next_age_ms = std::max<uint64_t>(2 * warned.next_age_ms, 1);
        options_.observer->long_reader(
            {reader.thread, reader.view, age_ms, pages_.pinned_bytes_by(reader.view)});
    }
}

void Store::watch(const std::stop_token& stop) {
    const std::chrono::milliseconds step(
        std::min(kReadersCheckMs, options_.reader_warn_ms / 4 + 1));
    std::mutex mutex;
    std::condition_variable_any stopped;
    std::unique_lock guard(mutex);
    while (!stopped.wait_for(guard, stop, step, [&stop] { return stop.stop_requested(); }))
        report_long_readers();
}

void Store::sync() {
    check_fork();
    if (closing()) throw error(ErrorCode::Closed, "", "sync of a closed store");
    if (options_.directory.empty() || read_only()) return;
    if (log_ != nullptr) {
        sync_log();
    } else {
        save();
    }
}

void Store::close() {
    check_fork();
    const std::lock_guard guard(close_mutex_);
    if (closed_) return;
    closed_ = true;
    watch_ = std::jthread();
    gate_.store(kClosing, std::memory_order_seq_cst);
    // From here on a transaction that ends takes state_mutex_; without the barrier one that is
    // ending might not see it.
    const bool exact = core::process_memory_barrier();
    bool writer_left = false;
    if (!read_only()) {
        const auto grace = std::chrono::milliseconds(options_.close_grace_ms);
        if (writer_lock_.lock({}, std::chrono::steady_clock::now() + grace)) {
            {
                const std::lock_guard state_guard(state_mutex_);
                writer_left = writer_.doom();
                writer_open_ = writer_left;
            }
            // It is ending just now: that takes no time.
            if (!writer_left) writer_lock_.lock({}, kNever);
        }
    }
    keeper_ = std::jthread();
    folder_ = std::jthread();
    std::optional<Error> failed;
    try {
        if (log_ != nullptr) {
            close_log();
        } else if (!options_.directory.empty() && !read_only()) {
            save();
        }
    } catch (const Error& error) {
        failed = error;
    }
    // Who waits to write is let through one after the other, and told that the store is closed. A
    // writer that was given up on publishes nothing any more, so its lock goes too.
    if (!read_only()) writer_lock_.unlock();
    while (readers_.any_ending()) std::this_thread::yield();
    {
        const std::lock_guard state_guard(state_mutex_);
        // Without the barrier it is not known who will see the flag: the pages stay mapped.
        unused_matters_ = exact;
        release_if_unused();
    }
    if (failed) throw *failed;
}

bool Store::release_if_unused() noexcept {
    if (!unused_matters_ || writer_open_ || readers_.count() > 0) return false;
    if (!released_) {
        released_ = true;
        space_.release();
    }
    return orphaned_;
}

void Store::leave(ReaderSlot* slot) noexcept {
    bool last;
    {
        const std::lock_guard guard(state_mutex_);
        if (slot == nullptr) {
            writer_open_ = false;
        } else {
            slot->end();
        }
        last = release_if_unused();
    }
    if (last) delete this;
}

void Store::orphan(Store* store) noexcept {
    bool last;
    {
        const std::lock_guard guard(store->state_mutex_);
        store->orphaned_ = true;
        last = store->release_if_unused();
    }
    if (last) delete store;
}

Stats Store::stats() {
    Stats stats;
    stats.backend = "mem";
    stats.uid = uid();
    stats.path = path();
    stats.mode = options_.directory.empty() ? "memory" : to_string(options_.durability);
    stats.view_id = newest_.id();
    stats.oldest_view_id = stats.view_id;
    const std::vector<ReaderInfo> readers = readers_.live();
    for (const ReaderInfo& reader : readers)
        stats.oldest_view_id = std::min(stats.oldest_view_id, reader.view);
    stats.long_readers = long_readers();
    stats.readers = readers.size();
    uint64_t peak = readers_peak_.load(std::memory_order_relaxed);
    while (peak < readers.size() && !readers_peak_.compare_exchange_weak(peak, readers.size())) {
    }
    stats.readers_peak = std::max<uint64_t>(peak, readers.size());
    stats.free_bytes = figures_.free_bytes.load(std::memory_order_relaxed);
    stats.pinned_bytes = figures_.pinned_bytes.load(std::memory_order_relaxed);
    stats.anonymous_bytes = figures_.anonymous_bytes.load(std::memory_order_relaxed);
    stats.pages_copied = figures_.copied.load(std::memory_order_relaxed);
    stats.pages_allocated = figures_.allocated.load(std::memory_order_relaxed);
    stats.pages_written = pages_written_.load(std::memory_order_relaxed);
    stats.commits = commits_.load(std::memory_order_relaxed);
    stats.aborts = aborts_.load(std::memory_order_relaxed);
    stats.empty_commits = empty_commits_.load(std::memory_order_relaxed);
    stats.puts = puts_.load(std::memory_order_relaxed);
    stats.deletes = deletes_.load(std::memory_order_relaxed);
    stats.image_bytes = image_bytes_.load(std::memory_order_relaxed);
    stats.log_bytes = log_ != nullptr ? log_->bytes() : found_log_bytes_.load();
    const std::lock_guard guard(state_mutex_);
    if (latched_) stats.last_error = latched_->message();
    return stats;
}

}  // namespace keel::db::mem
