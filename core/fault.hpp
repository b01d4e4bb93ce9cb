#pragma once

#include <cstdint>
#include <exception>
#include <string>
#include <utility>

namespace keel::core {

/// What a fault means to whoever started the program. The value is the exit code.
enum class FaultKind : uint8_t {
    Failed = 1,   // the work failed: bad block, failed test, mismatch
    Usage = 2,    // flag, missing or unreadable file
    InUse = 3,    // another process holds the data directory
    Damaged = 4,  // damaged data: checksum, structure, truncation, unknown version
    Io = 5,       // disk full or I/O error
};

/// The caller can do nothing but give up. Caught at four edges only: cmd/main.cpp, one RPC request,
/// the body of a thread (handed to its joiner), the signal loop. The message says what failed,
/// where, and what to do next.
class Fault : public std::exception {
  public:
    Fault(FaultKind kind, std::string message) : kind_(kind), message_(std::move(message)) {}

    FaultKind kind() const noexcept { return kind_; }
    int exit_code() const noexcept { return static_cast<int>(kind_); }
    const std::string& message() const noexcept { return message_; }
    const char* what() const noexcept override { return message_.c_str(); }

  private:
    FaultKind kind_;
    std::string message_;
};

}  // namespace keel::core
