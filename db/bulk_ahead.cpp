#include "db/bulk_ahead.hpp"

#include <algorithm>

namespace keel::db {

BulkAhead::BulkAhead(WriteTxn& txn, Table table, const Begun& begun)
    : txn_(txn),
      table_(table),
      begun_(begun),
      last_(begun.last),
      at_(begun.entries.data()),
      end_(begun.entries.data() + begun.entries.size()) {
    loader_ = std::thread([this] {
        std::exception_ptr failure;
        try {
            txn_.load(table_, *this);
        } catch (...) {
            failure = std::current_exception();
        }
        const std::lock_guard guard(mutex_);
        failure_ = failure;
        failed_ = failure != nullptr;
        changed_.notify_all();
    });
}

BulkAhead::~BulkAhead() {
    end();
}

void BulkAhead::make_room(size_t bytes) {
    if (filling().used > 0) hand_over();
    Buffer& buffer = filling();
    if (buffer.room >= bytes) return;
    buffer.room = std::max(bytes, kBufferBytes);
    buffer.bytes = std::make_unique_for_overwrite<uint8_t[]>(buffer.room + kBulkSlackBytes);
}

void BulkAhead::hand_over() {
    std::unique_lock guard(mutex_);
    filled_ = ++handed_over_;
    changed_.notify_all();
    changed_.wait(guard, [this] { return failed_ || handed_over_ - emptied_ < kBuffers; });
    if (failed_) std::rethrow_exception(failure_);
    filling().used = 0;
}

void BulkAhead::end() noexcept {
    if (!loader_.joinable()) return;
    {
        const std::lock_guard guard(mutex_);
        ended_ = true;
    }
    changed_.notify_all();
    loader_.join();
}

void BulkAhead::finish() {
    if (loader_.joinable() && filling().used > 0) hand_over();
    end();
    if (failure_) std::rethrow_exception(failure_);
}

/// False: there is none.
bool BulkAhead::take_next() {
    std::unique_lock guard(mutex_);
    if (taken_ > emptied_) {
        emptied_ = taken_;
        changed_.notify_all();
    }
    changed_.wait(guard, [this] { return ended_ || taken_ < handed_over_; });
    if (taken_ == handed_over_) return false;
    const Buffer& buffer = buffers_[taken_ % kBuffers];
    ++taken_;
    at_ = buffer.bytes.get();
    end_ = at_ + buffer.used;
    return true;
}

bool BulkAhead::next(Entry& entry) {
    while (at_ == end_)
        if (!take_next()) return false;
    entry = {bulk_key(at_), bulk_value(at_)};
    at_ += bulk_bytes(at_);
    return true;
}

}  // namespace keel::db
