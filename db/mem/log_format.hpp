#pragma once

// The bytes of a log segment, store-<commit>.log: a header of one page, then one record a commit,
// each with the changes of that commit as operations on tables. docs/store-format.md has the byte
// tables and says how the end of a log is told from damage.

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "core/bytes.hpp"
#include "core/endian.hpp"

namespace keel::db::mem {

using core::ByteView;

inline constexpr uint32_t kLogVersion = 1;
inline constexpr uint64_t kLogHeaderBytes = 4096;
inline constexpr size_t kLogRecordHeadBytes = 48;
inline constexpr size_t kLogOperationHeadBytes = 8;
inline constexpr size_t kLogProducerBytes = 160;
inline constexpr size_t kLogAlignment = 8;  // of records; the gap behind one is zero

/// What a segment says about itself; never changes.
struct LogHeader {
    uint64_t base_commit = 0;  // the commit that the first record follows
    uint64_t time_s = 0;       // since 1970
    std::array<uint8_t, 16> uid = {};
    uint64_t salt = 0;  // drawn for the segment; every record's first word is this plus its offset
    std::string producer;
};

/// What is known to be on disk. Two places, written in turn after a sync; the greater one counts.
struct LogMark {
    uint64_t synced_bytes = 0;
    bool sealed = false;  // the next segment goes on where this one ends
};
inline constexpr std::array<uint64_t, 2> kLogMarksAt = {1024, 2048};
inline constexpr size_t kLogMarkBytes = 24;

struct LogRecordHead {
    uint64_t commit_id = 0;
    uint64_t payload_bytes = 0;
    uint64_t synced_bytes = 0;  // of the segment, known to be on disk when the record was written
    uint64_t payload_checksum = 0;
};

enum class LogOp : uint8_t {
    Table = 1,    // the operations behind it call the table of this name (key) by this index
    Put,          // insert or replace; in a DupSort table add the pair
    Delete,       // the entry; in a DupSort table the pair
    DeleteGroup,  // all values of the key
    DeleteRange,  // from the key up to the value, which is a key too and not deleted
    DeleteFrom,   // from the key on
    Clear,
    Drop,
    Create,    // value: kind, flags
    Sequence,  // value: the sequence, 8 bytes
    Producer,  // key: who writes from here on
};
inline constexpr uint8_t kLogOps = 12;  // one behind the last

struct LogOperation {
    LogOp op = LogOp::Table;
    uint16_t table = 0;
    ByteView key;
    ByteView value;
};

void encode_log_header(const LogHeader& header, uint8_t* page) noexcept;
bool is_log_magic(const uint8_t* page) noexcept;
uint32_t log_version(const uint8_t* page) noexcept;
/// None: the checksum is wrong.
std::optional<LogHeader> decode_log_header(const uint8_t* page);
std::array<uint8_t, kLogMarkBytes> encode_log_mark(const LogMark& mark) noexcept;
std::optional<LogMark> decode_log_mark(const uint8_t* bytes) noexcept;
void encode_log_record_head(const LogRecordHead& head, uint64_t salt, uint64_t offset,
                            uint8_t* to) noexcept;
/// None: no record begins at this offset of this segment.
std::optional<LogRecordHead> decode_log_record_head(const uint8_t* from, uint64_t salt,
                                                    uint64_t offset) noexcept;
uint64_t log_checksum(ByteView bytes) noexcept;

inline constexpr uint64_t log_padded(uint64_t bytes) noexcept {
    return (bytes + kLogAlignment - 1) / kLogAlignment * kLogAlignment;
}

/// The 8 bytes before an operation's key and value.
inline uint64_t log_operation_head(LogOp op, uint16_t table, size_t key_bytes,
                                   size_t value_bytes) noexcept {
    return uint64_t{static_cast<uint8_t>(op)} << 60 | uint64_t{key_bytes} << 48 |
           uint64_t{table} << 32 | value_bytes;
}

/// Walks the operations of a payload.
class LogOperations {
  public:
    explicit LogOperations(ByteView payload) noexcept : left_(payload) {}
    /// None: the end, or bytes that are no operation; whole() tells which.
    std::optional<LogOperation> next() noexcept;
    bool whole() const noexcept { return left_.empty(); }

  private:
    ByteView left_;
};

std::string log_name(uint64_t base_commit);
/// None: not the name of a segment.
std::optional<uint64_t> parse_log_name(std::string_view name) noexcept;

}  // namespace keel::db::mem
