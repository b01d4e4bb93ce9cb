#include "core/write_behind.hpp"

#include <algorithm>
#include <cstring>

namespace keel::core {

WriteBehind::~WriteBehind() {
    if (!writer_.joinable()) return;
    {
        const std::lock_guard guard(mutex_);
        stopping_ = true;
    }
    changed_.notify_all();
    writer_.join();
}

bool WriteBehind::append(ByteView bytes) {
    bool handed_over = false;
    while (!bytes.empty()) {
        Buffer& to = filling();
        if (!to.bytes) to.bytes = std::make_unique_for_overwrite<uint8_t[]>(kBufferBytes);
        const size_t now = std::min(bytes.size(), kBufferBytes - to.used);
        std::memcpy(to.bytes.get() + to.used, bytes.data(), now);
        to.used += now;
        bytes = bytes.sub(now);
        if (to.used < kBufferBytes) continue;
        hand_over();
        handed_over = true;
    }
    return handed_over;
}

void WriteBehind::write(const Buffer& buffer) {
    file_.write_at({buffer.bytes.get(), buffer.used}, buffer.offset);
}

void WriteBehind::hand_over() {
    Buffer& full = filling();
    full.offset = offset_;
    offset_ += full.used;
    if (!writer_.joinable()) {
        write(full);
        full.used = 0;
        if (offset_ >= kOwnThreadFrom) writer_ = std::thread([this] { write_in_turn(); });
        return;
    }
    std::unique_lock guard(mutex_);
    ++handed_over_;
    changed_.notify_all();
    changed_.wait(guard, [this] { return handed_over_ - written_ < kBuffers; });
    if (failed_) std::rethrow_exception(failed_);
    filled_ = handed_over_;
    filling().used = 0;
}

void WriteBehind::flush() {
    if (filling().used > 0) hand_over();
    if (!writer_.joinable()) return;
    std::unique_lock guard(mutex_);
    changed_.wait(guard, [this] { return written_ == handed_over_; });
    if (failed_) std::rethrow_exception(failed_);
}

void WriteBehind::write_in_turn() {
    std::unique_lock guard(mutex_);
    while (true) {
        changed_.wait(guard, [this] { return stopping_ || written_ < handed_over_; });
        if (stopping_) return;
        const Buffer& next = buffers_[written_ % kBuffers];
        if (!failed_) {
            guard.unlock();
            std::exception_ptr failed;
            try {
                write(next);
                file_.start_writing_back(next.offset, next.used);
            } catch (...) {
                failed = std::current_exception();
            }
            guard.lock();
            failed_ = failed;
        }
        ++written_;
        changed_.notify_all();
    }
}

}  // namespace keel::core
