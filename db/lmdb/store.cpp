#include "db/lmdb/store.hpp"

#include <sys/types.h>
#include <unistd.h>

#include <cstring>
#include <ctime>

#include "db/lmdb/txn.hpp"

namespace keel::db::lmdb {
namespace {

constexpr auto kAttachedCheckEvery = std::chrono::milliseconds(50);
// A write that failed with less than this left on the disk failed for want of space: liblmdb says
// EIO for a short write.
constexpr uint64_t kFreeBytesMin = uint64_t{1} << 20;

struct ShardGuard {
    explicit ShardGuard(std::atomic_flag& flag) noexcept : locked(flag) {
        while (locked.test_and_set(std::memory_order_acquire))
            if (++turns % 64 == 0) std::this_thread::yield();
    }
    ~ShardGuard() { locked.clear(std::memory_order_release); }
    std::atomic_flag& locked;
    unsigned turns = 0;
};

ErrorCode code_of(int code) {
    switch (code) {
        case MDB_MAP_FULL:
        case MDB_TXN_FULL:
            return ErrorCode::MapFull;
        case MDB_READERS_FULL:
            return ErrorCode::TooManyReaders;
        case MDB_DBS_FULL:
            return ErrorCode::TooManyTables;
        case MDB_CORRUPTED:
        case MDB_PAGE_NOTFOUND:
        case MDB_INVALID:
        case MDB_PAGE_FULL:
        case MDB_CURSOR_FULL:
            return ErrorCode::Corrupt;
        case MDB_VERSION_MISMATCH:
            return ErrorCode::VersionMismatch;
        case MDB_INCOMPATIBLE:
            return ErrorCode::KindMismatch;
        case MDB_BAD_VALSIZE:
            return ErrorCode::BadKeySize;
        case ENOSPC:
        case EDQUOT:
        case EFBIG:
            return ErrorCode::DiskFull;
        default:
            return ErrorCode::Io;
    }
}

size_t shard_of(uint64_t thread) noexcept {
    return static_cast<size_t>((thread * 0x9e3779b97f4a7c15) >>
                               58);  // 2^64 / golden ratio; 64 shards
}

}  // namespace

uint64_t this_thread() noexcept {
    thread_local const uint64_t thread = static_cast<uint64_t>(::gettid());
    return thread;
}

uint64_t coarse_now_ns() noexcept {
    timespec now;
    ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

void Env::fail(ErrorCode code, std::string_view what, std::string_view table) const {
    std::string message = directory_.string();
    if (!table.empty()) message.append(", table ").append(table);
    message.append(": ").append(what);
    throw Error(code, message);
}

void Env::fail(int code, std::string_view operation, std::string_view table) {
    if (code == MDB_PANIC) throw_if_latched();
    ErrorCode meaning = code_of(code);
    if (code == EIO && !read_only_) {
        uint64_t free_bytes = 0;
        if (files_.free_space(directory_, free_bytes) == 0 && free_bytes < kFreeBytesMin)
            meaning = ErrorCode::DiskFull;
    }
    std::string message = (directory_ / "data.mdb").string() + ": " + std::string(operation);
    if (!table.empty()) message.append(" in table ").append(table);
    message.append(": ").append(mdb_strerror(code));
    message.append(" (code ").append(std::to_string(code)).append(")");
    if (meaning == ErrorCode::MapFull)
        message.append(", limit ").append(std::to_string(map_bytes_)).append(" bytes");
    const Error error(meaning, message);
    const bool of_the_disk = code > 0 && code != ENOMEM && code != EINVAL;
    if (of_the_disk && (meaning == ErrorCode::Io || meaning == ErrorCode::DiskFull)) latch(error);
    throw error;
}

void Env::latch(const Error& error) {
    const std::scoped_lock lock(latch_mutex_);
    if (!latched_) latched_ = error;
}

void Env::throw_if_latched() const {
    const std::scoped_lock lock(latch_mutex_);
    if (latched_) throw *latched_;
}

void Env::throw_if_forked() const {
    if (forked())
        fail(ErrorCode::Forked, "use in a child after fork of the process that opened it");
}

void Env::check_attached() {
    const auto now = std::chrono::steady_clock::now();
    if (now - attached_checked_ < kAttachedCheckEvery) return;
    attached_checked_ = now;
    core::FileInfo info;
    const int code = files_.info(directory_ / "data.mdb", info);
    if (code == 0 && info.device == data_file_.device && info.inode == data_file_.inode) return;
    fail(ErrorCode::Detached, "the directory was removed or replaced while it was open");
}

// Names.

Slot& Env::slot(Table table) {
    if (table.id >= slot_count()) [[unlikely]]
        fail(ErrorCode::NoSuchTable, "handle of no table: " + std::to_string(table.id));
    return slots_[table.id];
}

uint16_t Env::resolve(std::string_view name) {
    const std::scoped_lock lock(names_mutex_);
    const auto known = names_.find(name);
    if (known != names_.end()) return known->second;
    const size_t id = slot_count_.load(std::memory_order_relaxed);
    if (id == kSlotsMax)
        fail(ErrorCode::TooManyTables, "more than " + std::to_string(kSlotsMax) + " names used",
             name);
    slots_[id].name = name;
    slots_[id].places[0].stored_name = name;
    slots_[id].places[1].stored_name = std::string(name) + kSecondPlace;
    names_.emplace(name, static_cast<uint16_t>(id));
    slot_count_.store(id + 1, std::memory_order_release);
    return static_cast<uint16_t>(id);
}

Table Env::table(std::string_view name) {
    const uint16_t id = resolve(name);
    return {.id = id, .kind = slots_[id].place().kind.load(std::memory_order_relaxed)};
}

std::string Env::table_name(Table table) {
    return slot(table).name;
}

// Readers.

detail::TxnImpl* Env::begin_ro() {
    if (forked()) [[unlikely]]
        throw_if_forked();
    Reader* reader = take_idle(shards_[shard_of(this_thread())]);
    if (reader == nullptr) reader = make_reader();
    if (reader == nullptr) reader = steal_idle();
    if (reader == nullptr)
        fail(ErrorCode::TooManyReaders,
             "all " + std::to_string(kReaderSlots) + " reader slots are taken");
    try {
        reader->start();
        // A handle serves transactions that begin behind it: until no commit comes in between.
        while (read_only_ &&
               tables_checked_at_.load(std::memory_order_relaxed) < reader->view_id()) {
            mdb_txn_reset(reader->txn());
            tables_checked_at_.store(find_new_tables(), std::memory_order_relaxed);
            reader->start();
        }
    } catch (...) {
        give_back(*reader);
        throw;
    }
    return reader;
}

Reader* Env::take_idle(Shard& shard) {
    const ShardGuard guard(shard.locked);
    // Under the lock: the one that closes sets the flag first and drains the shards after.
    if (closing_.load(std::memory_order_relaxed)) fail(ErrorCode::Closed, "the store is closed");
    Reader* reader = shard.idle;
    if (reader != nullptr) shard.idle = reader->next_idle;
    return reader;
}

Reader* Env::make_reader() {
    const std::scoped_lock lock(readers_mutex_);
    if (closing_.load(std::memory_order_relaxed)) fail(ErrorCode::Closed, "the store is closed");
    Reader* reader = Reader::make(*this);
    if (reader == nullptr) return nullptr;
    readers_.push_back(reader);
    return reader;
}

Reader* Env::steal_idle() {
    for (Shard& shard : shards_)
        if (Reader* reader = take_idle(shard)) return reader;
    return nullptr;
}

void Env::give_back(Reader& reader) noexcept {
    Shard& shard = shards_[shard_of(this_thread())];
    {
        const ShardGuard guard(shard.locked);
        if (!closing_.load(std::memory_order_relaxed)) [[likely]] {
            reader.next_idle = shard.idle;
            shard.idle = &reader;
            return;
        }
    }
    retire(&reader);
}

/// The end of a reader in a store that closes; the last one ends the environment too.
void Env::retire(Reader* reader) noexcept {
    bool delete_this = false;
    {
        const std::scoped_lock lock(readers_mutex_);
        std::erase(readers_, reader);
        delete reader;
        if (readers_.empty() && saved_ && !queue_.held()) {
            close_environment();
            delete_this = disowned_;
        }
    }
    if (delete_this) delete this;
}

void Env::drain_idle() noexcept {
    for (Shard& shard : shards_) {
        Reader* idle = nullptr;
        {
            const ShardGuard guard(shard.locked);
            idle = std::exchange(shard.idle, nullptr);
        }
        while (idle != nullptr) {
            Reader* reader = idle;
            idle = idle->next_idle;
            std::erase(readers_, reader);
            delete reader;
        }
    }
}

// The writer.

core::Result<detail::TxnImpl*, Refused> Env::started_writer(WriterQueue::Turn turn) {
    switch (turn) {
        case WriterQueue::Turn::Busy:
            return core::unexpected(Refused::Busy);
        case WriterQueue::Turn::Cancelled:
            return core::unexpected(Refused::Cancelled);
        case WriterQueue::Turn::Closed:
            fail(ErrorCode::Closed, "the store is closed");
        case WriterQueue::Turn::Taken:
            break;
    }
    try {
        writer_->start(this_thread());
    } catch (...) {
        release_writer();
        throw;
    }
    return writer_.get();
}

core::Result<detail::TxnImpl*, Refused> Env::begin_rw(std::stop_token stop, Deadline deadline) {
    throw_if_forked();
    if (read_only_) fail(ErrorCode::ReadOnly, "begin_rw on a read-only handle");
    const uint64_t self = this_thread();
    if (queue_.abandoned_by(self)) writer_->abort_now();
    return started_writer(queue_.acquire(self, std::move(stop), deadline));
}

core::Result<detail::TxnImpl*, Refused> Env::begin_rw_try() {
    throw_if_forked();
    if (read_only_) fail(ErrorCode::ReadOnly, "begin_rw on a read-only handle");
    const uint64_t self = this_thread();
    if (queue_.abandoned_by(self)) writer_->abort_now();
    return started_writer(queue_.try_acquire(self));
}

void Env::release_writer() noexcept {
    if (!closing_.load(std::memory_order_relaxed)) [[likely]] {
        // A close that comes in now waits for this release, or finds the right to write free.
        queue_.release();
        return;
    }
    bool delete_this = false;
    {
        const std::scoped_lock lock(readers_mutex_);
        queue_.release();
        if (readers_.empty() && saved_) {
            close_environment();
            delete_this = disowned_;
        }
    }
    if (delete_this) delete this;
}

uint64_t Env::commit(MDB_txn* txn, bool handles_created) {
    const uint64_t id = mdb_txn_id(txn);
    // Before the meta page is written: Reader::start compares.
    marks_.committing.store(id, std::memory_order_seq_cst);
    if (handles_created) marks_.handle_epoch.fetch_add(1, std::memory_order_seq_cst);
    const int code = mdb_txn_commit(txn);
    if (handles_created) marks_.handle_epoch.fetch_add(1, std::memory_order_seq_cst);
    if (code != 0) fail(code, "commit");
    MDB_envinfo info;
    mdb_env_info(env_, &info);
    if (info.me_last_txnid != id) {
        counters_.empty_commits.fetch_add(1, std::memory_order_relaxed);
        return info.me_last_txnid;
    }
    counters_.commits.fetch_add(1, std::memory_order_relaxed);
    if (durability_ == Durability::Group) {
        const std::scoped_lock lock(watch_mutex_);
        if (!std::exchange(sync_wanted_, true)) watch_wake_.notify_one();
    }
    return id;
}

void Env::sync() {
    throw_if_forked();
    throw_if_latched();
    if (read_only_) return;
    if (closing_.load()) fail(ErrorCode::Closed, "sync of a closed store");
    if (const int code = mdb_env_sync(env_, 1); code != 0) fail(code, "sync");
}

// The end.

void Env::close() {
    throw_if_forked();
    const std::scoped_lock one_at_a_time(close_mutex_);
    if (close_called_) return;
    close_called_ = true;
    closing_.store(true);
    const uint64_t self = this_thread();
    if (queue_.abandoned_by(self)) writer_->abort_now();
    const Deadline grace =
        std::chrono::steady_clock::now() + std::chrono::milliseconds(close_grace_ms_);
    if (!queue_.close(self, grace)) writer_revoked_.store(true);
    watcher_.request_stop();
    if (watcher_.joinable()) watcher_.join();

    std::optional<Error> failed;
    try {
        throw_if_latched();
        if (!read_only_)
            if (const int code = mdb_env_sync(env_, 1); code != 0) fail(code, "sync at close");
    } catch (const Error& error) {
        failed = error;
    }
    size_t readers_left = 0;
    {
        const std::scoped_lock lock(readers_mutex_);
        drain_idle();
        saved_ = true;
        readers_left = readers_.size();
        if (readers_left == 0 && !queue_.held()) close_environment();
    }
    if (readers_left != 0 && observer_ != nullptr)
        for (const LongReader& reader : readers_older_than(0, false))
            observer_->note("close with an open reader",
                            "thread " + std::to_string(reader.thread_id) + ", view id " +
                                std::to_string(reader.view_id) + ", age " +
                                std::to_string(reader.age_ms) + " ms");
    if (failed) throw *failed;
}

void Env::close_environment() noexcept {
    if (env_ != nullptr) mdb_env_close(std::exchange(env_, nullptr));
}

void Env::disown(Env* env) noexcept {
    if (env->forked()) return;  // it belongs to the parent, whose threads are not here
    try {
        env->close();
    } catch (const Error&) {
        // A close that must be known to have worked is called by its name.
    }
    bool delete_env = false;
    {
        const std::scoped_lock lock(env->readers_mutex_);
        env->disowned_ = true;
        delete_env = env->readers_.empty() && !env->queue_.held();
    }
    if (delete_env) delete env;
}

Store::~Store() {
    Env::disown(env_);
}

}  // namespace keel::db::lmdb
