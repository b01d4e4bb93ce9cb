#pragma once

// The log that a store is writing: the segment behind the image, and the one before it while a fold
// is under way.
//
// L1  A record is whole in the file (handed to the system) before append() returns, on disk if the
// log waits for it; else sync() says when.
// L2  A segment begins when everything before it is on disk, and is there under its name, durably,
// before a record goes into it.
// L3  After a failed call the bytes behind the last whole record are cut off again where that is
// possible; nothing is tried again.
//
// Locks: mutex() before sync_mutex_ before segment_mutex_. The owner holds mutex() over append()
// and the publishing of the commit, so that whoever holds it sees the same newest commit in the log
// and in memory.

#include <atomic>
#include <filesystem>
#include <memory>
#include <mutex>

#include "core/files.hpp"
#include "db/error.hpp"
#include "db/mem/log_format.hpp"
#include "db/mem/log_record.hpp"

namespace keel::db::mem {

inline constexpr char kLogTemporaryName[] = "store.log.tmp";

class Log {
  public:
    /// `wait_for_disk`: append() returns when the record is on disk. `like`: uid and producer of
    /// new segments.
    Log(core::FileSystem& files, std::filesystem::path directory, LogHeader like,
        bool wait_for_disk);
    ~Log();
    Log(const Log&) = delete;
    Log& operator=(const Log&) = delete;

    std::mutex& mutex() noexcept { return mutex_; }

    /// Makes the segment that follows `base_commit` and goes on in it. With mutex() held, or before
    /// there are other threads.
    void begin_segment(uint64_t base_commit);
    /// Goes on in a segment that is there, behind its last whole record; what lies behind `end` is
    /// cut off. `synced`: how much of it is known to be on disk. `older_bytes`: of the segments
    /// between the image and this one.
    void resume(const LogHeader& header, uint64_t end, uint64_t synced, uint64_t older_bytes);
    /// Is there a segment to write to?
    bool begun() const noexcept { return current() != nullptr; }

    /// With mutex() held: the record of the next commit.
    void append(LogRecord& record, uint64_t commit_id);
    /// The running transaction's record is not in the file yet, but parts of it are. With mutex()
    /// held.
    bool has_parts() const noexcept { return parts_; }
    /// For LogRecord: a part of the payload, ahead of its commit.
    void append_part(ByteView part, uint64_t offset);
    void abandon() noexcept;

    /// Everything appended before the call is on disk.
    void sync();
    /// With mutex() held, no parts: ends the segment at `commit_id`, which is the last one in it,
    /// and begins the next.
    void switch_segment(uint64_t commit_id);
    /// The segments before the current one are not needed any more: removes their files.
    void remove_older();
    /// The last call: everything is on disk, and the file ends with its last record.
    void finish();

    /// Bytes that a reopening would read.
    uint64_t bytes() const noexcept { return bytes_.load(std::memory_order_relaxed); }
    uint64_t base_commit() const noexcept { return current()->header.base_commit; }
    bool unsynced() const noexcept { return unsynced_.load(std::memory_order_acquire); }
    uint64_t bytes_written() const noexcept {
        return bytes_written_.load(std::memory_order_relaxed);
    }

  private:
    struct Segment {
        core::File file;
        LogHeader header;
        std::atomic<uint64_t> end = kLogHeaderBytes;  // release: what is before it is written
        uint64_t file_end = kLogHeaderBytes;          // behind `end` the file is zero up to here
        std::atomic<uint64_t> synced = 0;             // relaxed: a lower bound for others
        uint64_t marks = 0;   // written by this process; under sync_mutex_, as the next
        uint64_t marked = 0;  // what the newest mark says
    };

    std::shared_ptr<Segment> current() const noexcept {
        const std::lock_guard guard(segment_mutex_);
        return segment_;
    }
    std::filesystem::path path(uint64_t base_commit) const;
    void write(Segment& segment, ByteView bytes, uint64_t offset);
    void extend(Segment& segment, uint64_t bytes);
    void cut(Segment& segment) noexcept;
    void sync_segment(Segment& segment);
    void write_mark(Segment& segment, bool sealed);

    core::FileSystem& files_;
    const std::filesystem::path directory_;
    const LogHeader like_;
    const bool wait_for_disk_;

    std::mutex mutex_;  // guards appending
    bool parts_ = false;
    bool finished_ = false;
    uint64_t older_bytes_ = 0;
    std::mutex sync_mutex_;  // one sync at a time
    mutable std::mutex segment_mutex_;
    std::shared_ptr<Segment> segment_;
    std::atomic<uint64_t> bytes_ = 0;
    std::atomic<uint64_t> bytes_written_ = 0;
    std::atomic<bool> unsynced_ = false;
};

/// What a failed call means to the store, with the place in the file where there is one.
Error log_error(const core::FileFault& fault, uint64_t offset);

}  // namespace keel::db::mem
