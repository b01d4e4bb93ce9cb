#include "db/mem/log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "core/clock.hpp"
#include "core/random.hpp"
#include "db/error.hpp"

namespace keel::db::mem {
namespace {

// Zeros are written ahead in steps of a quarter of the segment, within these bounds.
constexpr uint64_t kAheadBytesMin = uint64_t{64} << 10;
constexpr uint64_t kAheadBytesMax = uint64_t{1} << 20;
constexpr size_t kZeroBytes = size_t{64} << 10;
constexpr uint8_t kZeros[kZeroBytes] = {};

}  // namespace

Error log_error(const core::FileFault& fault, uint64_t offset) {
    return {fault.disk_full() ? ErrorCode::DiskFull : ErrorCode::Io,
            fmt::format("{} (at offset {})", fault.message(), offset)};
}

Log::Log(core::FileSystem& files, std::filesystem::path directory, LogHeader like,
         bool wait_for_disk)
    : files_(files),
      directory_(std::move(directory)),
      like_(std::move(like)),
      wait_for_disk_(wait_for_disk) {}

Log::~Log() = default;

std::filesystem::path Log::path(uint64_t base_commit) const {
    return directory_ / log_name(base_commit);
}

void Log::write(Segment& segment, ByteView bytes, uint64_t offset) {
    try {
        segment.file.write_at(bytes, offset);
    } catch (const core::FileFault& fault) {
        cut(segment);
        throw log_error(fault, offset);
    }
    bytes_written_.fetch_add(bytes.size(), std::memory_order_relaxed);
}

/// Leaves nothing behind the last whole record, if the system lets it.
void Log::cut(Segment& segment) noexcept {
    const uint64_t end = segment.end.load(std::memory_order_relaxed);
    files_.truncate(segment.file.descriptor(), end);
    segment.file_end = end;
}

void Log::begin_segment(uint64_t base_commit) {
    auto segment = std::make_shared<Segment>();
    segment->header = like_;
    segment->header.base_commit = base_commit;
    segment->header.time_s = core::wall_clock_s();
    const auto salt = core::random_bytes<sizeof(uint64_t)>();
    segment->header.salt = core::load_le<uint64_t>(salt.data());
    std::vector<uint8_t> page(kLogHeaderBytes);
    encode_log_header(segment->header, page.data());
    const std::filesystem::path temporary = directory_ / kLogTemporaryName;
    try {
        core::File file(files_, temporary, core::OpenMode::CreateEmptied, false);
        file.write_at(ByteView(page), 0);
        file.sync();
        core::rename_durably(files_, temporary, path(base_commit));
        segment->file = core::File(files_, path(base_commit), core::OpenMode::ReadWrite, false);
    } catch (const core::FileFault& fault) {
        files_.unlink(temporary);
        throw log_error(fault, 0);
    }
    segment->synced = segment->marked = kLogHeaderBytes;
    if (const std::shared_ptr<Segment> before = current())
        older_bytes_ += before->end.load(std::memory_order_relaxed) - kLogHeaderBytes;
    bytes_.store(older_bytes_, std::memory_order_relaxed);
    const std::lock_guard guard(segment_mutex_);
    segment_ = std::move(segment);
}

void Log::resume(const LogHeader& header, uint64_t end, uint64_t synced, uint64_t older_bytes) {
    auto segment = std::make_shared<Segment>();
    segment->header = header;
    try {
        segment->file =
            core::File(files_, path(header.base_commit), core::OpenMode::ReadWrite, false);
        segment->end = end;
        segment->file_end = end;
        segment->synced = segment->marked = synced;
        if (segment->file.info().size_bytes > end) {
            // On disk before anything is written there: else a record of the torn tail could stand
            // behind a new one after a loss of power.
            segment->file.truncate(end);
            segment->file.sync();
            segment->synced = end;
        }
    } catch (const core::FileFault& fault) {
        throw log_error(fault, end);
    }
    older_bytes_ = older_bytes;
    bytes_.store(older_bytes + end - kLogHeaderBytes, std::memory_order_relaxed);
    unsynced_.store(segment->synced < end, std::memory_order_release);
    const std::lock_guard guard(segment_mutex_);
    segment_ = std::move(segment);
}

/// Zeros up to `bytes` and some more, so that the next syncs find space that has been written to.
void Log::extend(Segment& segment, uint64_t bytes) {
    const uint64_t ahead =
        std::clamp(segment.end.load(std::memory_order_relaxed) / 4, kAheadBytesMin, kAheadBytesMax);
    const uint64_t target = bytes + ahead;
    uint64_t at = bytes;  // the record itself fills what is before
    try {
        while (at < target) {
            const uint64_t step = std::min<uint64_t>(kZeroBytes, target - at);
            segment.file.write_at({kZeros, static_cast<size_t>(step)}, at);
            at += step;
        }
    } catch (const core::FileFault& fault) {
        cut(segment);
        if (!fault.disk_full()) throw log_error(fault, at);
        return;  // the record may still fit
    }
    segment.file_end = target;
}

void Log::append_part(ByteView part, uint64_t offset) {
    const std::lock_guard guard(mutex_);
    if (finished_) return;  // the store has closed over the transaction
    Segment& segment = *segment_;
    const uint64_t at = segment.end.load(std::memory_order_relaxed) + kLogRecordHeadBytes + offset;
    parts_ = true;
    write(segment, part, at);
    segment.file_end = std::max(segment.file_end, at + part.size());
}

void Log::abandon() noexcept {
    const std::lock_guard guard(mutex_);
    parts_ = false;
    if (!finished_) cut(*segment_);
}

void Log::append(LogRecord& record, uint64_t commit_id) {
    Segment& segment = *segment_;
    const uint64_t at = segment.end.load(std::memory_order_relaxed);
    const uint64_t spilled = record.spilled_bytes();
    const uint64_t end = at + kLogRecordHeadBytes + log_padded(record.payload_bytes());
    const ByteView bytes = record.unwritten();
    encode_log_record_head({.commit_id = commit_id,
                            .payload_bytes = record.payload_bytes(),
                            .synced_bytes = segment.synced.load(std::memory_order_relaxed),
                            .payload_checksum = record.payload_checksum()},
                           segment.header.salt, at, record.bytes());
    if (wait_for_disk_ && end > segment.file_end) extend(segment, end);
    if (spilled == 0) {
        write(segment, bytes, at);
    } else {
        write(segment, bytes.sub(kLogRecordHeadBytes), at + kLogRecordHeadBytes + spilled);
        write(segment, bytes.sub(0, kLogRecordHeadBytes), at);
    }
    if (wait_for_disk_) {
        try {
            segment.file.sync_data();
        } catch (const core::FileFault& fault) {
            cut(segment);
            throw log_error(fault, at);
        }
        segment.synced.store(end, std::memory_order_relaxed);
    }
    segment.file_end = std::max(segment.file_end, end);
    segment.end.store(end, std::memory_order_release);
    parts_ = false;
    bytes_.store(bytes_.load(std::memory_order_relaxed) + end - at, std::memory_order_relaxed);
    if (!wait_for_disk_) unsynced_.store(true, std::memory_order_release);
}

void Log::write_mark(Segment& segment, bool sealed) {
    const auto mark = encode_log_mark({segment.synced.load(std::memory_order_relaxed), sealed});
    const uint64_t at = kLogMarksAt[segment.marks++ % kLogMarksAt.size()];
    try {
        segment.file.write_at(ByteView(mark), at);
    } catch (const core::FileFault& fault) {
        throw log_error(fault, at);
    }
    segment.marked = segment.synced.load(std::memory_order_relaxed);
}

void Log::sync_segment(Segment& segment) {
    unsynced_.store(false, std::memory_order_release);
    const uint64_t end = segment.end.load(std::memory_order_acquire);
    const uint64_t synced = segment.synced.load(std::memory_order_relaxed);
    if (synced < end) {
        try {
            segment.file.sync_data();
        } catch (const core::FileFault& fault) {
            throw log_error(fault, synced);
        }
        segment.synced.store(end, std::memory_order_relaxed);
    }
    if (segment.marked < segment.synced.load(std::memory_order_relaxed)) write_mark(segment, false);
}

void Log::sync() {
    const std::lock_guard guard(sync_mutex_);
    if (const std::shared_ptr<Segment> segment = current()) sync_segment(*segment);
}

void Log::switch_segment(uint64_t commit_id) {
    const std::lock_guard guard(sync_mutex_);
    const std::shared_ptr<Segment> before = current();
    sync_segment(*before);
    if (before->file_end > before->end) cut(*before);
    begin_segment(commit_id);
    write_mark(*before, true);
}

void Log::remove_older() {
    const uint64_t base = base_commit();
    {
        const std::lock_guard guard(mutex_);
        older_bytes_ = 0;
        bytes_.store(current()->end.load(std::memory_order_relaxed) - kLogHeaderBytes,
                     std::memory_order_relaxed);
    }
    for (const std::string& name : core::list_directory(files_, directory_)) {
        const std::optional<uint64_t> other = parse_log_name(name);
        if (other && *other < base) core::remove_file(files_, directory_ / name);
    }
}

void Log::finish() {
    const std::lock_guard guard(mutex_);
    if (finished_) return;
    finished_ = true;
    const std::lock_guard sync_guard(sync_mutex_);
    const std::shared_ptr<Segment> segment = current();
    if (segment == nullptr) return;
    if (segment->file_end > segment->end) cut(*segment);
    sync_segment(*segment);
}

}  // namespace keel::db::mem
