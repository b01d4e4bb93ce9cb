#pragma once

// The record of the running write transaction: its changes, encoded once, as they happen. It goes
// to the file in one write at commit; one that grows large is written ahead in parts, its head
// last, so that no transaction holds its changes twice in memory.

#include <algorithm>
#include <memory>
#include <string_view>

#include "db/mem/log_format.hpp"

struct XXH3_state_s;

namespace keel::db::mem {

class Log;

/// Writer strand only.
class LogRecord {
  public:
    static constexpr uint16_t kNoTable = UINT16_MAX;

    LogRecord();
    ~LogRecord();
    LogRecord(const LogRecord&) = delete;
    LogRecord& operator=(const LogRecord&) = delete;

    /// A new transaction. `log` null: nothing is kept. Beyond `bytes_max` the record is given up
    /// and the transaction is to be committed by writing an image.
    void begin(Log* log, uint64_t bytes_max) noexcept {
        log_ = log;
        on_ = log != nullptr;
        bytes_max_ = bytes_max;
        size_ = kLogRecordHeadBytes;
        spilled_bytes_ = 0;
        tables_ = 0;
    }
    /// Does the transaction keep a record (still)?
    bool on() const noexcept { return on_; }
    bool given_up() const noexcept { return log_ != nullptr && !on_; }

    /// The index that operations behind it call the table by; kNoTable: the record was given up.
    uint16_t add_table(std::string_view name);
    void add(LogOp op, uint16_t table, ByteView key, ByteView value) {
        const size_t bytes = kLogOperationHeadBytes + key.size() + value.size();
        if (size_ + bytes > capacity_) [[unlikely]] {
            add_slowly(op, table, key, value);
            return;
        }
        put(log_operation_head(op, table, key.size(), value.size()), key);
        std::copy_n(value.data(), value.size(), buffer_.get() + size_);  // may be empty
        size_ += value.size();
    }
    /// Would so many more bytes still be a record?
    bool has_room(uint64_t bytes) const noexcept { return payload_bytes() + bytes <= bytes_max_; }
    /// Forgets what was added, in the file too.
    void abandon() noexcept;
    /// No record any more: the transaction will be an image.
    void give_up() noexcept {
        abandon();
        on_ = false;
    }

    // For the log.
    uint64_t payload_bytes() const noexcept { return spilled_bytes_ + size_ - kLogRecordHeadBytes; }
    uint64_t spilled_bytes() const noexcept { return spilled_bytes_; }
    uint64_t payload_checksum() const noexcept;
    /// Room for a head, then the part of the payload that is not in the file yet, then zeros up to
    /// the alignment of records.
    uint8_t* bytes() noexcept { return buffer_.get(); }
    ByteView unwritten() noexcept;

  private:
    void put(uint64_t head, ByteView key) noexcept {
        core::store_le(buffer_.get() + size_, head);
        std::copy_n(key.data(), key.size(), buffer_.get() + size_ + kLogOperationHeadBytes);
        size_ += kLogOperationHeadBytes + key.size();
    }
    void add_slowly(LogOp op, uint16_t table, ByteView key, ByteView value);
    void reserve(size_t bytes);
    void spill(ByteView bytes);

    Log* log_ = nullptr;
    bool on_ = false;
    uint64_t bytes_max_ = 0;
    std::unique_ptr<uint8_t[]> buffer_;
    size_t size_ = kLogRecordHeadBytes;  // of the buffer, the head's room included
    size_t capacity_ = 0;                // the gap behind a record always has room beyond
    uint64_t spilled_bytes_ = 0;
    uint16_t tables_ = 0;
    std::unique_ptr<XXH3_state_s, void (*)(XXH3_state_s*)> hash_;  // of what was spilled
};

}  // namespace keel::db::mem
