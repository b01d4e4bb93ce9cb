#pragma once

// Reads one segment from its header to its last whole record, and tells a torn tail from damage:
// bytes that were known to be on disk and are no record are damage; whatever lies behind the last
// record otherwise was being written when the power went.

#include <filesystem>
#include <memory>
#include <optional>

#include "core/files.hpp"
#include "db/mem/log_format.hpp"

namespace keel::db::mem {

class LogReader {
  public:
    /// Reads and checks the header. Corrupt, VersionMismatch; FileFault.
    LogReader(core::FileSystem& files, const std::filesystem::path& path);

    const LogHeader& header() const noexcept { return header_; }
    const std::filesystem::path& path() const noexcept { return file_.path(); }

    struct Record {
        uint64_t commit_id;
        uint64_t payload_at;  // offset in the file
        ByteView payload;     // valid until the next call
    };
    /// None: no whole record stands here (yet). Corrupt: one does, and its number is wrong.
    std::optional<Record> next();
    /// Would next() find one?
    bool next_is_whole();
    /// Offset behind the last whole record.
    uint64_t end() const noexcept { return at_; }
    uint64_t last_commit() const noexcept { return last_commit_; }
    /// How much of the file is known to be on disk, by what was read so far.
    uint64_t synced() const noexcept { return synced_; }
    bool sealed() const noexcept { return sealed_; }

    struct Tail {
        uint64_t bytes = 0;    // behind the last record, up to the last one that is not zero
        uint64_t records = 0;  // whole heads among them
        bool damaged = false;  // they were on disk once
    };
    /// After next() has found no more: what lies behind. Reads the file anew.
    Tail tail();
    [[noreturn]] void throw_damaged(uint64_t offset, const std::string& what) const;

  private:
    struct Whole {
        LogRecordHead head;
        ByteView payload;
    };
    /// The record at at_.
    std::optional<Whole> whole();
    /// At least `bytes` bytes from `offset` on in the buffer, or fewer where the file ends.
    ByteView fill(uint64_t offset, size_t bytes);

    core::File file_;
    LogHeader header_;
    uint64_t at_ = kLogHeaderBytes;
    uint64_t last_commit_ = 0;
    uint64_t synced_ = kLogHeaderBytes;  // before the file got its name
    bool sealed_ = false;
    std::unique_ptr<uint8_t[]> buffer_;  // not zeroed: a record may have many megabytes
    size_t buffer_size_ = 0;
    uint64_t buffer_at_ = 0;
    size_t buffer_bytes_ = 0;
};

}  // namespace keel::db::mem
