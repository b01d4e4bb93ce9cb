#include "db/mem/log_record.hpp"

#include <xxhash.h>

#include <algorithm>
#include <cstring>

#include "core/base.hpp"
#include "db/mem/log.hpp"

namespace keel::db::mem {
namespace {

constexpr size_t kFirstCapacity = size_t{16} << 10;
// What is kept in memory before it is written ahead; a longer value goes to the file directly.
constexpr size_t kCapacityMax = size_t{1} << 20;

}  // namespace

LogRecord::LogRecord()
    : hash_(nullptr, [](XXH3_state_s* state) {
          if (state != nullptr) XXH3_freeState(state);
      }) {}

LogRecord::~LogRecord() = default;

uint16_t LogRecord::add_table(std::string_view name) {
    if (!on_) return kNoTable;
    if (tables_ == kNoTable) {
        give_up();
        return kNoTable;
    }
    const uint16_t index = tables_++;
    add(LogOp::Table, index, name, {});
    return index;
}

void LogRecord::reserve(size_t bytes) {
    size_t capacity = std::max(capacity_, kFirstCapacity);
    while (capacity < bytes) capacity *= 2;
    if (capacity == capacity_) return;
    auto larger = std::make_unique_for_overwrite<uint8_t[]>(capacity + kLogAlignment);
    if (buffer_) std::memcpy(larger.get(), buffer_.get(), size_);
    buffer_ = std::move(larger);
    capacity_ = capacity;
}

void LogRecord::spill(ByteView bytes) {
    if (bytes.empty()) return;
    if (spilled_bytes_ == 0) {
        if (!hash_) hash_.reset(XXH3_createState());
        KEEL_ASSERT(hash_ != nullptr);
        XXH3_64bits_reset(hash_.get());
    }
    XXH3_64bits_update(hash_.get(), bytes.data(), bytes.size());
    log_->append_part(bytes, spilled_bytes_);
    spilled_bytes_ += bytes.size();
}

void LogRecord::add_slowly(LogOp op, uint16_t table, ByteView key, ByteView value) {
    if (!on_) return;
    const size_t bytes = kLogOperationHeadBytes + key.size() + value.size();
    if (payload_bytes() + bytes > bytes_max_) {
        give_up();
        return;
    }
    if (size_ + bytes <= kCapacityMax) {
        reserve(size_ + bytes);
        add(op, table, key, value);
        return;
    }
    reserve(kCapacityMax);
    spill({buffer_.get() + kLogRecordHeadBytes, size_ - kLogRecordHeadBytes});
    size_ = kLogRecordHeadBytes;
    if (size_ + bytes <= capacity_) {
        add(op, table, key, value);
        return;
    }
    put(log_operation_head(op, table, key.size(), value.size()), key);
    spill({buffer_.get() + kLogRecordHeadBytes, size_ - kLogRecordHeadBytes});
    size_ = kLogRecordHeadBytes;
    spill(value);
}

void LogRecord::abandon() noexcept {
    if (spilled_bytes_ > 0) log_->abandon();
    spilled_bytes_ = 0;
    size_ = kLogRecordHeadBytes;
}

uint64_t LogRecord::payload_checksum() const noexcept {
    const uint8_t* const rest = buffer_.get() + kLogRecordHeadBytes;
    const size_t rest_bytes = size_ - kLogRecordHeadBytes;
    if (spilled_bytes_ == 0) return XXH3_64bits(rest, rest_bytes);
    XXH3_64bits_update(hash_.get(), rest, rest_bytes);
    return XXH3_64bits_digest(hash_.get());
}

ByteView LogRecord::unwritten() noexcept {
    reserve(size_);
    const uint64_t payload = payload_bytes();
    const auto gap = static_cast<size_t>(log_padded(payload) - payload);
    std::memset(buffer_.get() + size_, 0, gap);
    return {buffer_.get(), size_ + gap};
}

}  // namespace keel::db::mem
