#include "db/error.hpp"

#include <utility>

namespace keel::db {

const char* to_string(ErrorCode code) noexcept {
    switch (code) {
        case ErrorCode::KeyExists:
            return "KeyExists";
        case ErrorCode::KeyMismatch:
            return "KeyMismatch";
        case ErrorCode::NotPositioned:
            return "NotPositioned";
        case ErrorCode::BadKeySize:
            return "BadKeySize";
        case ErrorCode::BadValueSize:
            return "BadValueSize";
        case ErrorCode::KindMismatch:
            return "KindMismatch";
        case ErrorCode::NoSuchTable:
            return "NoSuchTable";
        case ErrorCode::TooManyTables:
            return "TooManyTables";
        case ErrorCode::TooManyReaders:
            return "TooManyReaders";
        case ErrorCode::SequenceOverflow:
            return "SequenceOverflow";
        case ErrorCode::ReadOnly:
            return "ReadOnly";
        case ErrorCode::InUse:
            return "InUse";
        case ErrorCode::Closed:
            return "Closed";
        case ErrorCode::TxnEnded:
            return "TxnEnded";
        case ErrorCode::TxnBroken:
            return "TxnBroken";
        case ErrorCode::WrongThread:
            return "WrongThread";
        case ErrorCode::Forked:
            return "Forked";
        case ErrorCode::DiskFull:
            return "DiskFull";
        case ErrorCode::Io:
            return "Io";
        case ErrorCode::MapFull:
            return "MapFull";
        case ErrorCode::Corrupt:
            return "Corrupt";
        case ErrorCode::VersionMismatch:
            return "VersionMismatch";
        case ErrorCode::Detached:
            return "Detached";
        case ErrorCode::OptionsConflict:
            return "OptionsConflict";
        case ErrorCode::WrongBackend:
            return "WrongBackend";
        case ErrorCode::NotFound:
            return "NotFound";
        case ErrorCode::NetworkFileSystem:
            return "NetworkFileSystem";
    }
    std::unreachable();
}

core::FaultKind fault_kind(ErrorCode code) noexcept {
    switch (code) {
        case ErrorCode::InUse:
            return core::FaultKind::InUse;
        case ErrorCode::Corrupt:
        case ErrorCode::VersionMismatch:
            return core::FaultKind::Damaged;
        case ErrorCode::DiskFull:
        case ErrorCode::Io:
        case ErrorCode::MapFull:
        case ErrorCode::Detached:
            return core::FaultKind::Io;
        case ErrorCode::NotFound:
            return core::FaultKind::Usage;
        default:
            return core::FaultKind::Failed;
    }
}

const char* to_string(Refused refused) noexcept {
    return refused == Refused::Busy ? "Busy" : "Cancelled";
}

}  // namespace keel::db
