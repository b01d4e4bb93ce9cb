// The store's background thread: timed sync, long readers, readers of dead processes.

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "core/endian.hpp"
#include "db/lmdb/moves.hpp"
#include "db/lmdb/txn.hpp"

namespace keel::db::lmdb {
namespace {

constexpr auto kSyncWithin = std::chrono::milliseconds(50);
constexpr auto kStaleCheckEvery = std::chrono::hours(1);
constexpr uint64_t kTickMsMax = 1'000;
constexpr uint64_t kTickMsMin = 10;

bool thread_is_gone(uint64_t thread) {
    return ::syscall(SYS_tgkill, ::getpid(), static_cast<pid_t>(thread), 0) != 0 && errno == ESRCH;
}

}  // namespace

void Env::watch(const std::stop_token& stop) {
    const auto tick =
        std::chrono::milliseconds(std::clamp(reader_warn_ms_ / 4, kTickMsMin, kTickMsMax));
    auto stale_checked = std::chrono::steady_clock::now();
    std::unique_lock lock(watch_mutex_);
    while (!stop.stop_requested()) {
        const bool sync_due =
            watch_wake_.wait_for(lock, stop, tick, [this] { return sync_wanted_; });
        if (stop.stop_requested()) return;
        if (sync_due) {
            // More commits of the same group come in meanwhile.
            watch_wake_.wait_for(lock, stop, kSyncWithin / 2, [] { return false; });
            if (stop.stop_requested()) return;
            sync_wanted_ = false;
        }
        lock.unlock();
        if (sync_due) sync_pending();
        rescue_writer();
        report_long_readers();
        if (const auto now = std::chrono::steady_clock::now();
            now - stale_checked > kStaleCheckEvery) {
            stale_checked = now;
            int stale_readers = 0;
            mdb_reader_check(env_, &stale_readers);
        }
        lock.lock();
    }
}

void Env::sync_pending() {
    const int code = mdb_env_sync(env_, 1);
    if (code == 0) return;
    try {
        fail(code, "timed sync");
    } catch (const Error& error) {
        latch(error);  // the next commit says it
    }
}

/// A write transaction whose handle went away on another thread waits for its own; when that has
/// ended nobody else would give the right to write back. liblmdb's lock is robust: the system has
/// released it with the thread.
void Env::rescue_writer() {
    const std::optional<uint64_t> thread = queue_.abandoned();
    if (thread && thread_is_gone(*thread)) writer_->abort_now();
}

void Env::report_long_readers() {
    if (observer_ == nullptr) return;
    for (const LongReader& reader : readers_older_than(reader_warn_ms_, true))
        observer_->long_reader(reader);
}

/// `only_due`: those whose age reached the warning age or a doubling of it since they were last
/// asked for; only the watching thread asks so.
std::vector<LongReader> Env::readers_older_than(uint64_t age_ms_min, bool only_due) {
    std::vector<LongReader> found;
    const uint64_t now_ns = coarse_now_ns();
    const std::scoped_lock lock(readers_mutex_);
    for (Reader* reader : readers_) {
        const uint64_t began_ns = reader->began_ns();
        if (began_ns == 0 || began_ns > now_ns) continue;
        const uint64_t age_ms = (now_ns - began_ns) / 1'000'000;
        if (age_ms < age_ms_min) continue;
        if (only_due) {
            if (reader->watched_began_ns != began_ns) {
                reader->watched_began_ns = began_ns;
                reader->report_at_ms = reader_warn_ms_;
            }
            if (age_ms < reader->report_at_ms) continue;
            while (reader->report_at_ms <= age_ms) reader->report_at_ms *= 2;
        }
        found.push_back({.thread_id = reader->thread(),
                         .view_id = reader->view_id(),
                         .age_ms = age_ms,
                         .bytes_pinned = 0});
    }
    if (found.empty() || env_ == nullptr) return found;
    MDB_txn* txn = nullptr;
    if (mdb_txn_begin(env_, nullptr, MDB_RDONLY, &txn) != 0) return found;
    for (LongReader& reader : found) reader.bytes_pinned = free_pages_since(txn, reader.view_id);
    mdb_txn_abort(txn);
    for (LongReader& reader : found) reader.bytes_pinned *= page_bytes_;
    return found;
}

/// Pages freed by commits behind `view_id`: a reader of it keeps them from being used again.
uint64_t Env::free_pages_since(MDB_txn* txn, uint64_t view_id) const {
    MDB_cursor* cursor = nullptr;
    if (mdb_cursor_open(txn, kFreeDbi, &cursor) != 0) return 0;
    uint64_t pages = 0;
    size_t first = view_id + 1;
    MDB_val key{sizeof first, &first};
    MDB_val value;
    int code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    for (; code == 0; code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT))
        pages += core::load_le<uint64_t>(static_cast<const uint8_t*>(value.mv_data));
    mdb_cursor_close(cursor);
    return pages;
}

Stats Env::stats() {
    throw_if_forked();
    Stats stats;
    stats.backend = to_string(Backend::Lmdb);
    stats.uid = uid_;
    stats.path = directory_.string();
    stats.mode = to_string(durability_);
    stats.commits = counters_.commits.load();
    stats.aborts = counters_.aborts.load();
    stats.empty_commits = counters_.empty_commits.load();
    stats.puts = counters_.puts.load();
    stats.deletes = counters_.deletes.load();
    {
        const std::scoped_lock lock(latch_mutex_);
        if (latched_) stats.last_error = latched_->message();
    }
    stats.long_readers = readers_older_than(reader_warn_ms_, false);
    const std::scoped_lock lock(readers_mutex_);
    if (env_ == nullptr) return stats;
    MDB_envinfo info;
    mdb_env_info(env_, &info);
    stats.view_id = stats.oldest_view_id = info.me_last_txnid;
    stats.image_bytes = (uint64_t{info.me_last_pgno} + 1) * page_bytes_;
    stats.readers_peak = readers_.size();
    for (const Reader* reader : readers_) {
        if (reader->began_ns() == 0) continue;
        ++stats.readers;
        stats.oldest_view_id =
            std::min(stats.oldest_view_id, const_cast<Reader*>(reader)->view_id());
    }
    MDB_txn* txn = nullptr;
    if (mdb_txn_begin(env_, nullptr, MDB_RDONLY, &txn) != 0) return stats;
    stats.free_bytes = free_pages_since(txn, 0) * page_bytes_;
    stats.pinned_bytes = free_pages_since(txn, stats.oldest_view_id) * page_bytes_;
    mdb_txn_abort(txn);
    return stats;
}

}  // namespace keel::db::lmdb
