#pragma once

// A table whose entries come in order is built while more of them come: another thread loads them
// into the transaction, out of a few buffers that are filled again and again.

#include <array>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>

#include "db/bulk_runs.hpp"
#include "db/database.hpp"

namespace keel::db {

/// One thread fills. What the loading fails with is thrown by a later call.
class BulkAhead final : private SortedEntries {
  public:
    struct Begun {
        ByteView entries;  // that came before; they stay where they are
        const uint8_t* last = nullptr;
        uint64_t count = 0;
    };
    /// The transaction is this object's until finish() or its end.
    BulkAhead(WriteTxn& txn, Table table, const Begun& begun);
    BulkAhead(const BulkAhead&) = delete;
    BulkAhead& operator=(const BulkAhead&) = delete;
    /// What has not been finished ends with the entries that have been handed over.
    ~BulkAhead() override;

    /// Where the next entry is to be written.
    uint8_t* room_for(size_t bytes) {
        if (filling().used + bytes > filling().room) [[unlikely]]
            make_room(bytes);
        return filling().bytes.get() + filling().used;
    }
    /// It is there.
    void keep(size_t bytes) noexcept {
        last_ = filling().bytes.get() + filling().used;
        filling().used += bytes;
    }
    const uint8_t* last() const noexcept { return last_; }
    /// Returns when the table has all that was kept.
    void finish();

  private:
    static constexpr size_t kBuffers = 4;
    static constexpr size_t kBufferBytes = size_t{1} << 20;

    struct Buffer {
        std::unique_ptr<uint8_t[]> bytes;
        size_t room = 0;
        size_t used = 0;
    };
    Buffer& filling() noexcept { return buffers_[filled_ % kBuffers]; }
    void make_room(size_t bytes);
    void hand_over();
    void end() noexcept;

    // The loading thread's.
    bool next(Entry& entry) override;
    uint64_t entries() const override { return begun_.count; }
    uint64_t bytes() const override { return begun_.entries.size(); }
    bool take_next();

    WriteTxn& txn_;
    const Table table_;
    const Begun begun_;
    const uint8_t* last_;
    std::array<Buffer, kBuffers> buffers_;
    uint64_t filled_ = 0;  // the filling thread's
    const uint8_t* at_;    // of the loading thread
    const uint8_t* end_;
    uint64_t taken_ = 0;

    std::mutex mutex_;  // guards what follows
    std::condition_variable changed_;
    uint64_t handed_over_ = 0;
    uint64_t emptied_ = 0;
    bool ended_ = false;  // nothing more comes
    bool failed_ = false;
    std::exception_ptr failure_;
    std::thread loader_;
};

}  // namespace keel::db
