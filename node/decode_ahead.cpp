#include "node/decode_ahead.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include "chain/body_rules.hpp"
#include "core/base.hpp"

namespace keel::node {
namespace {

// A batch is small enough that nobody waits long for it, large enough that its locks cost nothing;
// the first ones are smaller, so that execution begins at once.
constexpr size_t kBlocksOfFirstBatch = 4;
constexpr size_t kBlocksMax = 64;
constexpr uint64_t kBatchBytes = uint64_t{128} * 1024;

size_t blocks_of_batch(uint64_t ordinal) noexcept {
    constexpr uint64_t kDoublings = 4;
    return std::min(kBlocksMax, kBlocksOfFirstBatch << std::min(ordinal, kDoublings));
}

FileEnd cannot_open(const core::FileFault& fault) {
    switch (fault.error_number()) {
        case ENOENT:
        case ENOTDIR:
        case EACCES:
        case EISDIR:
        case ELOOP:
        case ENAMETOOLONG:
            return {core::FaultKind::Usage, fault.message()};
        default:
            return {core::FaultKind::Io, fault.message()};
    }
}

}  // namespace

DecodeAhead::DecodeAhead(core::FileSystem& files, std::vector<std::string> names, DecodeRules rules,
                         unsigned threads, std::stop_token stop)
    : files_(files), names_(std::move(names)), rules_(std::move(rules)) {
    KEEL_ASSERT(threads > 0);
    bool all_known = true;
    for (const std::string& name : names_) {
        core::FileInfo info;
        const bool found = name != kStandardInputName && files_.info(name, info) == 0;
        waits_.push_back(name == kStandardInputName ||
                         (found && !info.is_regular && !info.is_directory));
        any_waits_ = any_waits_ || waits_.back();
        all_known = all_known && !waits_.back();
        input_bytes_ += info.is_regular ? info.size_bytes : 0;
    }
    if (!all_known) input_bytes_ = 0;
    threads_.reserve(threads);
    for (unsigned i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
    on_stop_.emplace(std::move(stop), [this] { this->stop(); });
}

DecodeAhead::~DecodeAhead() {
    on_stop_.reset();
    stop();
    for (std::thread& thread : threads_) thread.join();
}

void DecodeAhead::changed() {
    ++changes_;
    changed_.notify_all();
}

void DecodeAhead::stop() {
    stop_.request_stop();
    const std::scoped_lock lock(mutex_);
    stopped_ = true;
    changed();
}

void DecodeAhead::skip_file(size_t file) {
    skipped_end_.store(file + 1, std::memory_order_relaxed);
}

void DecodeAhead::close_file() {
    if (file_) input_done_ += file_->size_bytes();
    file_.reset();
    ++file_index_;
}

void DecodeAhead::open_next_file(BlockBatch& batch) {
    try {
        file_ = std::make_unique<BlockFile>(files_, names_[file_index_], stop_.get_token());
    } catch (const core::FileFault& fault) {
        batch.blocks.push_back({.file = file_index_, .sealed = {}, .end = cannot_open(fault)});
        close_file();
    }
}

/// Reads blocks until the batch is full, the files end, or it would have to wait. Under
/// source_mutex_.
void DecodeAhead::fill(BlockBatch& batch) {
    const size_t blocks_max = blocks_of_batch(batches_begun_++);
    while (batch.blocks.size() < blocks_max && batch.bytes < kBatchBytes &&
           file_index_ < names_.size() && !stop_.stop_requested()) {
        if (!file_) {
            if (waits_[file_index_] && !batch.blocks.empty()) break;
            open_next_file(batch);
            continue;
        }
        if (file_index_ < skipped_end_.load(std::memory_order_relaxed)) {
            close_file();
            continue;
        }
        if (!batch.blocks.empty() && !file_->has_whole_block()) break;
        DecodedBlock block{.file = file_index_, .sealed = {}, .end = {}};
        try {
            const auto next = file_->next();
            if (next && !*next) {
                close_file();
                continue;
            }
            if (next) {
                block.index = (*next)->index;
                block.offset = (*next)->offset;
                block.sealed.rlp = (*next)->rlp.to_bytes();
                batch.bytes += block.sealed.rlp.size();
            } else {
                block.end = FileEnd{core::FaultKind::Failed, next.error().text};
            }
        } catch (const core::Fault& fault) {
            block.end = FileEnd{fault.kind(), fault.message()};
        }
        const bool ends = block.end.has_value();
        batch.blocks.push_back(std::move(block));
        if (ends) close_file();
    }
    batch.input_position = input_done_ + (file_ ? file_->position() : 0);
}

/// Reads the next batch and puts it in the order; null: there is none. Under source_mutex_.
DecodeAhead::Batch* DecodeAhead::take() {
    std::unique_ptr<Batch> batch;
    {
        const std::scoped_lock lock(mutex_);
        if (stopped_ || source_ended_ || window_.size() >= kBatchesMax ||
            window_bytes_ >= kBytesMax)
            return nullptr;
        if (!spent_.empty()) {
            batch = std::move(spent_.back());
            spent_.pop_back();
        }
    }
    if (batch) {
        batch->ready = false;
        batch->content.blocks.clear();
        batch->content.bytes = 0;
    } else {
        batch = std::make_unique<Batch>();
    }
    fill(batch->content);
    const std::scoped_lock lock(mutex_);
    if (batch->content.blocks.empty()) {
        source_ended_ = true;
        changed();
        return nullptr;
    }
    window_bytes_ += batch->content.bytes;
    window_.push_back(std::move(batch));
    changed();
    return window_.back().get();
}

void DecodeAhead::decode(BlockBatch& batch) const {
    for (DecodedBlock& block : batch.blocks) {
        if (block.end) continue;
        auto sealed = crypto::seal(std::move(block.sealed.rlp));
        if (!sealed) {
            const chain::Rejection rejection =
                chain::reject_undecodable_block(block.sealed.rlp, sealed.error());
            block.end = FileEnd{
                core::FaultKind::Failed,
                fmt::format("at block {}: byte {}: {}", block.index, block.offset, rejection.text)};
            continue;
        }
        block.sealed = *std::move(sealed);
        const core::Header& header = block.sealed.block.header;
        if (rules_.is_known && rules_.is_known(header.number, block.sealed.hash)) continue;
        // A signature without a sender is found again, and named, where the block is judged.
        static_cast<void>(
            crypto::recover_senders(block.sealed, rules_.rules(header.number, header.timestamp)));
    }
}

void DecodeAhead::finish(Batch& batch) {
    const std::scoped_lock lock(mutex_);
    batch.ready = true;
    changed();
}

void DecodeAhead::run() {
    try {
        for (;;) {
            Batch* batch = nullptr;
            {
                const std::scoped_lock source_lock(source_mutex_);
                {
                    std::unique_lock lock(mutex_);
                    changed_.wait(lock, [&] {
                        return stopped_ || source_ended_ ||
                               (window_.size() < kBatchesMax && window_bytes_ < kBytesMax);
                    });
                    if (stopped_ || source_ended_) return;
                }
                batch = take();
            }
            if (batch == nullptr) continue;
            decode(batch->content);
            finish(*batch);
        }
    } catch (...) {
        const std::scoped_lock lock(mutex_);
        fault_ = std::current_exception();
        changed();
    }
}

/// Takes a batch if that needs no waiting; false: there was nothing to do.
bool DecodeAhead::help() {
    Batch* batch = nullptr;
    {
        const std::unique_lock source_lock(source_mutex_, std::try_to_lock);
        if (!source_lock) return false;
        batch = take();
    }
    if (batch == nullptr) return false;
    decode(batch->content);
    finish(*batch);
    return true;
}

DecodeAhead::Next DecodeAhead::next(uint64_t deadline_ns) {
    std::unique_lock lock(mutex_);
    if (current_) spent_.push_back(std::move(current_));
    for (;;) {
        if (fault_) std::rethrow_exception(fault_);
        if (stopped_) return Next::End;
        if (!window_.empty() && window_.front()->ready) {
            current_ = std::move(window_.front());
            window_.pop_front();
            window_bytes_ -= current_->content.bytes;
            changed();
            return Next::Batch;
        }
        if (window_.empty() && source_ended_) return Next::End;
        const uint64_t seen = changes_;
        if (!any_waits_ && !source_ended_) {
            lock.unlock();
            const bool helped = help();
            lock.lock();
            if (helped) continue;
        }
        const auto is_changed = [&] { return changes_ != seen; };
        if (deadline_ns == UINT64_MAX) {
            changed_.wait(lock, is_changed);
        } else {
            const std::chrono::steady_clock::time_point deadline{
                std::chrono::nanoseconds(deadline_ns)};
            if (!changed_.wait_until(lock, deadline, is_changed)) return Next::TimedOut;
        }
    }
}

}  // namespace keel::node
