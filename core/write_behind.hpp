#pragma once

// A file that is written from front to back: bytes are gathered, and once it is a large one,
// another thread hands them to the system and has them begin their way to the disk, so that whoever
// makes them goes on making them.

#include <array>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>

#include "core/files.hpp"

namespace keel::core {

/// One thread. A write that fails is thrown by a later call, and by every one after it.
class WriteBehind {
  public:
    static constexpr size_t kBufferBytes = size_t{1} << 20;

    /// `file` outlives this object, which writes from `offset` on.
    WriteBehind(File& file, uint64_t offset) noexcept : file_(file), offset_(offset) {}
    WriteBehind(const WriteBehind&) = delete;
    WriteBehind& operator=(const WriteBehind&) = delete;
    /// What was not flushed may be missing.
    ~WriteBehind();

    /// True: a buffer has become full.
    bool append(ByteView bytes);
    /// Returns when the file has everything. That it lasts is a sync's business.
    void flush();

  private:
    static constexpr size_t kBuffers = 4;
    // Shorter files are not worth a thread.
    static constexpr uint64_t kOwnThreadFrom = 8 * kBufferBytes;

    struct Buffer {
        std::unique_ptr<uint8_t[]> bytes;
        size_t used = 0;
        uint64_t offset = 0;
    };
    Buffer& filling() noexcept { return buffers_[filled_ % kBuffers]; }
    void hand_over();
    void write(const Buffer& buffer);
    void write_in_turn();

    File& file_;
    uint64_t offset_;
    std::array<Buffer, kBuffers> buffers_;
    uint64_t filled_ = 0;  // so far; the appending thread's

    std::mutex mutex_;  // guards what follows
    std::condition_variable changed_;
    uint64_t handed_over_ = 0;
    uint64_t written_ = 0;
    bool stopping_ = false;
    std::exception_ptr failed_;
    std::thread writer_;
};

}  // namespace keel::core
