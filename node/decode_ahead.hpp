#pragma once

// Blocks of files, decoded, hashed and with their senders, ahead of whoever executes them.
//
// A1  Batches come out in the order of the files and of the blocks in them.
// A2  Work is taken batch by batch by whoever is free: the threads of this object, and the caller
// of
//     next() while its batch is not ready and no file can keep it waiting. So signatures are
//     recovered on all cores when execution is cheap, and on the others when it is not.
// A3  At most kBatchesMax batches and kBytesMax bytes of RLP lie ahead.
// A4  Files are read under source_mutex_, the order of batches is under mutex_; the first is taken
//     before the second. Nothing waits for a file under mutex_.

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "core/base.hpp"
#include "core/fault.hpp"
#include "core/files.hpp"
#include "core/types/fork.hpp"
#include "crypto/seal.hpp"
#include "node/block_file.hpp"

namespace keel::node {

/// Why a file gives no more blocks.
struct FileEnd {
    core::FaultKind kind;  // Failed: not a block; Usage: cannot be opened; Io: cannot be read
    std::string reason;
};

/// A block with its place, or the reason why its file ends here.
struct DecodedBlock {
    size_t file = 0;             // which of the names
    uint64_t index = 0;          // within the file
    uint64_t offset = 0;         // of the first byte, decompressed
    crypto::SealedBlock sealed;  // without senders if they cannot be recovered
    std::optional<FileEnd> end;  // set: there is no block
};

struct BlockBatch {
    std::vector<DecodedBlock> blocks;
    uint64_t bytes = 0;           // of RLP
    uint64_t input_position = 0;  // bytes of all files up to here, as they lie on the disk
};

/// What decoding must know of a chain. Called on any thread.
struct DecodeRules {
    /// Rules of a block, as far as signatures depend on them.
    std::function<core::ForkRules(uint64_t number, uint64_t timestamp)> rules;
    /// Blocks whose senders need not be recovered, because they will not be executed; may be empty.
    std::function<bool(uint64_t number, const core::Hash32& hash)> is_known;
};

/// One thread calls next() and skip_file().
class DecodeAhead {
  public:
    static constexpr size_t kBatchesMax = 32;
    static constexpr uint64_t kBytesMax = uint64_t{32} << 20;

    /// Starts `threads` threads, at least one, which read `names` in their order.
    DecodeAhead(core::FileSystem& files, std::vector<std::string> names, DecodeRules rules,
                unsigned threads, std::stop_token stop);
    DecodeAhead(const DecodeAhead&) = delete;
    DecodeAhead& operator=(const DecodeAhead&) = delete;
    ~DecodeAhead();

    enum class Next : uint8_t { Batch, End, TimedOut };
    /// Makes the next batch the current one. End: no more, or stopped. TimedOut: none was ready
    /// at `deadline_ns` of the monotonic clock. Throws what a thread threw.
    Next next(uint64_t deadline_ns = UINT64_MAX);
    /// The one that next() has made current.
    BlockBatch& batch() noexcept {
        KEEL_ASSERT(current_ != nullptr);
        return current_->content;
    }

    /// Gives up the rest of a file; blocks of it that are decoded already still come out.
    void skip_file(size_t file);

    /// Bytes of all files on the disk; 0: unknown.
    uint64_t input_bytes() const noexcept { return input_bytes_; }

  private:
    struct Batch {
        BlockBatch content;
        bool ready = false;  // under mutex_
    };

    void run();
    bool help();
    Batch* take();
    void fill(BlockBatch& batch);
    void open_next_file(BlockBatch& batch);
    void close_file();
    void decode(BlockBatch& batch) const;
    void finish(Batch& batch);
    void stop();
    void changed();  // under mutex_

    core::FileSystem& files_;
    const std::vector<std::string> names_;
    const DecodeRules rules_;
    std::vector<bool> waits_;  // by file: a reader of it may have to wait
    bool any_waits_ = false;
    uint64_t input_bytes_ = 0;
    std::stop_source stop_;  // of the threads and of waiting files

    // Reading.
    std::mutex source_mutex_;
    std::unique_ptr<BlockFile> file_;
    size_t file_index_ = 0;  // of file_, or of the next to open
    uint64_t input_done_ = 0;
    uint64_t batches_begun_ = 0;
    std::atomic<size_t> skipped_end_ = 0;  // files below it are given up

    // Order.
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::unique_ptr<Batch>> window_;
    std::vector<std::unique_ptr<Batch>> spent_;  // kept for their memory
    uint64_t window_bytes_ = 0;
    uint64_t changes_ = 0;
    bool source_ended_ = false;
    bool stopped_ = false;
    std::exception_ptr fault_;

    std::unique_ptr<Batch> current_;  // what next() gave last
    std::vector<std::thread> threads_;
    std::optional<std::stop_callback<std::function<void()>>> on_stop_;
};

}  // namespace keel::node
