#pragma once

#include <cstdint>
#include <cstring>

#include "core/bytes.hpp"
#include "core/u256.hpp"
#include "evm/gas.hpp"

namespace keel::evm {

/// The memory of one frame. Its buffer is kept for the next frame at the same depth; only bytes
/// that a frame reaches are zeroed.
class Memory {
  public:
    void reset() {
        size_ = 0;
        if (buffer_.capacity() > kKeep) buffer_ = core::Bytes();
    }
    uint64_t size() const noexcept { return size_; }
    uint8_t* at(uint64_t offset) noexcept { return buffer_.data() + offset; }
    core::ByteView view(uint64_t offset, uint64_t length) const noexcept {
        return length == 0 ? core::ByteView{} : core::ByteView(buffer_.data() + offset, length);
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
    static constexpr size_t kKeep = size_t{1} << 20;

    void grow(uint64_t size) {
        if (size > buffer_.size()) {
            buffer_.resize(size > 2 * buffer_.size() ? size : 2 * buffer_.size());
        }
        std::memset(buffer_.data() + size_, 0, size - size_);
        size_ = size;
    }

    core::Bytes buffer_;
    uint64_t size_ = 0;  // multiple of 32
};

}  // namespace keel::evm
