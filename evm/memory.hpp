#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>

#include "core/bytes.hpp"
#include "core/u256.hpp"
#include "evm/gas.hpp"

namespace keel::evm {

/// The memory of one frame. Its buffer is kept for the next frame at the same depth; only bytes
/// that a frame reaches are zeroed.
class Memory {
  public:
    /// Keeps the buffer if it is not larger than `keep_bytes`.
    void reset(size_t keep_bytes) noexcept {
        size_ = 0;
        word_limit_ = 0;
        zeroed_ = 0;
        if (capacity_ <= keep_bytes) return;
        buffer_.reset();
        capacity_ = 0;
    }
    uint64_t size() const noexcept { return size_; }
    uint8_t* at(uint64_t offset) noexcept { return buffer_.get() + offset; }
    core::ByteView view(uint64_t offset, uint64_t length) const noexcept {
        return length == 0 ? core::ByteView{} : core::ByteView(buffer_.get() + offset, length);
    }

    /// Makes bytes [0, end) present and takes the price from `gas`; false if it is too high.
    bool expand(uint64_t end, int64_t& gas) {
        if (end <= size_) return true;
        const uint64_t words = words_of(end);
        gas -= memory_price(words) - memory_price(size_ / 32);
        if (gas < 0) return false;
        grow(words * 32);
        return true;
    }

    /// Whether the 32 bytes from `offset` on are present.
    bool has_word(uint64_t offset) const noexcept { return offset < word_limit_; }
    bool has_word(const core::U256& offset) const noexcept {
        return (offset.limbs[1] | offset.limbs[2] | offset.limbs[3]) == 0 &&
               offset.limbs[0] < word_limit_;
    }
    bool has_byte(const core::U256& offset) const noexcept {
        return offset.fits_uint64() && offset.low64() < size_;
    }
    [[gnu::noinline]] bool expand_for_word(const core::U256& offset, int64_t& gas) {
        if (!offset.fits_uint64() || offset.low64() > UINT32_MAX) return false;
        return expand(offset.low64() + 32, gas);
    }
    [[gnu::noinline]] bool expand_for_word(uint32_t offset, int64_t& gas) {
        return expand(uint64_t{offset} + 32, gas);
    }

    /// The same for a range; one of length 0 costs nothing wherever it is.
    bool expand(const core::U256& offset, const core::U256& length, int64_t& gas) {
        if (length.is_zero()) return true;
        uint64_t end = 0;
        return end_of(offset, length, end) && expand(end, gas);
    }

    /// Ranges that reach 2^33 are out of gas whatever the gas limit: false.
    static bool end_of(const core::U256& offset, const core::U256& length, uint64_t& end) noexcept {
        constexpr uint64_t kLimit = uint64_t{1} << 32;
        if (!offset.fits_uint64() || !length.fits_uint64()) return false;
        if (offset.low64() >= kLimit || length.low64() >= kLimit) return false;
        end = offset.low64() + length.low64();
        return true;
    }

  private:
    void grow(uint64_t size) {
        if (size > zeroed_) make_zeros(size);
        size_ = size;
        word_limit_ = size - 31;
    }

    /// A little more than is asked for: memory grows word by word mostly.
    [[gnu::noinline]] void make_zeros(uint64_t size) {
        if (size > capacity_) {
            const size_t wanted = std::max<size_t>(size + kZerosAhead, 2 * capacity_);
            auto larger = std::make_unique_for_overwrite<uint8_t[]>(wanted);
            if (size_ != 0) std::memcpy(larger.get(), buffer_.get(), size_);
            buffer_ = std::move(larger);
            capacity_ = wanted;
            zeroed_ = size_;
        }
        const size_t end = std::min<size_t>(size + kZerosAhead, capacity_);
        std::memset(buffer_.get() + zeroed_, 0, end - zeroed_);
        zeroed_ = end;
    }

    static constexpr size_t kZerosAhead = 512;
    std::unique_ptr<uint8_t[]> buffer_;
    size_t capacity_ = 0;
    uint64_t zeroed_ = 0;      // bytes from size_ up to here are zero
    uint64_t size_ = 0;        // multiple of 32
    uint64_t word_limit_ = 0;  // where a word can no longer begin
};

}  // namespace keel::evm
