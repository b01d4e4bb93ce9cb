#pragma once

#include <cstdint>
#include <string>

#include "core/fault.hpp"

namespace keel::db {

/// Rows of the store's error table. What each one means for the write transaction stands beside it.
enum class ErrorCode : uint8_t {
    KeyExists,          // put_no_dup on an existing pair; usable
    KeyMismatch,        // append out of order, put_current with another key; usable
    NotPositioned,      // delete_current, delete_all_dups, put_current without an entry; usable
    BadKeySize,         // usable
    BadValueSize,       // usable
    KindMismatch,       // declared or created kind differs, pair operation on a plain table; usable
    NoSuchTable,        // name neither stored nor declared, table dropped in this txn; usable
    TooManyTables,      // usable
    TooManyReaders,     // no txn begun
    SequenceOverflow,   // value unchanged; usable
    ReadOnly,           // begin_rw on a read-only handle
    InUse,              // another process holds the write lock
    Closed,             // begin on a closing or closed handle
    TxnEnded,           // use after commit or abort
    TxnBroken,          // use after an error that lost part of the work; only abort is left
    WrongThread,        // a write txn ended by another thread than it began on
    Forked,             // use in a child after fork
    DiskFull,           // broken, store latched
    Io,                 // broken, store latched
    MapFull,            // size limit reached: broken, store not latched
    Corrupt,            // checksum, structure, truncation: broken, reads elsewhere go on
    VersionMismatch,    // newer or foreign format
    Detached,           // the directory was removed or replaced under an open handle
    OptionsConflict,    // the same path opened twice in a process with other options
    WrongBackend,       // the directory remembers another backend
    NotFound,           // read-only open of a directory that holds no database
    NetworkFileSystem,  // writing on a network file system without the flag
};

/// Name of a code as tests and messages use it, e.g. "KeyExists".
const char* to_string(ErrorCode code) noexcept;
/// Exit code of a program that ends by this error.
core::FaultKind fault_kind(ErrorCode code) noexcept;

/// Thrown by every call of the store that cannot do what it says. The message carries the path, the
/// table where there is one, and the number that was wrong.
class Error : public core::Fault {
  public:
    Error(ErrorCode code, const std::string& message)
        : core::Fault(fault_kind(code), message), code_(code) {}
    ErrorCode code() const noexcept { return code_; }

  private:
    ErrorCode code_;
};

/// Why begin_rw gave no transaction: daily traffic, hence a value.
enum class Refused : uint8_t {
    Busy,  // begin_rw_try while held; the deadline passed; the thread holds the write txn already
    Cancelled,  // the stop token was triggered while waiting
};
const char* to_string(Refused refused) noexcept;

}  // namespace keel::db
