#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <type_traits>

#include "core/base.hpp"
#include "core/files.hpp"

namespace keel::core {

/// An array whose elements stay where they are while it grows, so that another thread may read
/// those that it has been told of, by data() or []. Address space is reserved at the first element;
/// memory is taken step by step and never copied. One thread appends.
/// Of few elements, whose greatest number is known, it takes memory from the heap instead: the
/// system's work for a range costs as much as thousands of them.
template <class T>
class GrowingArray {
    static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);
    static_assert(alignof(T) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__);

  public:
    GrowingArray() = default;
    /// At most `count` will come.
    explicit GrowingArray(size_t count)
        : heap_(std::make_unique_for_overwrite<std::byte[]>(count * sizeof(T))),
          data_(reinterpret_cast<T*>(heap_.get())),
          room_(count) {}
    GrowingArray(const GrowingArray&) = delete;
    GrowingArray& operator=(const GrowingArray&) = delete;

    size_t size() const noexcept { return size_; }
    bool empty() const noexcept { return size_ == 0; }
    T* data() noexcept { return data_; }
    const T* data() const noexcept { return data_; }
    T& operator[](size_t index) noexcept { return data()[index]; }
    const T& operator[](size_t index) const noexcept { return data()[index]; }
    std::span<T> span() noexcept { return {data(), size_}; }
    std::span<const T> span() const noexcept { return {data(), size_}; }

    T& push_back(const T& value) {
        if (size_ == room_) [[unlikely]]
            grow();
        return *new (data() + size_++) T(value);
    }
    /// Elements from `size` on are forgotten.
    void shrink(size_t size) noexcept { size_ = std::min(size_, size); }

  private:
    static constexpr uint64_t kBytesMax = uint64_t{1} << 40;
    static constexpr uint64_t kBytesMin = uint64_t{1} << 30;
    static constexpr uint64_t kStepBytesMin = 64 << 10;
    static constexpr uint64_t kStepBytesMax = 64 << 20;

    void grow() {
        KEEL_ASSERT(heap_ == nullptr, "no more elements come than were announced");
        if (range_.data() == nullptr) range_ = AddressRange(kBytesMax, kBytesMin);
        const uint64_t step = std::clamp(committed_, kStepBytesMin, kStepBytesMax);
        if (committed_ + step > range_.size() || !range_.commit(committed_, step))
            throw std::bad_alloc();
        advise_huge_pages(range_.data() + committed_, step);
        data_ = reinterpret_cast<T*>(range_.data());
        committed_ += step;
        room_ = committed_ / sizeof(T);
    }

    std::unique_ptr<std::byte[]> heap_;  // null: range_
    AddressRange range_;
    T* data_ = nullptr;
    uint64_t committed_ = 0;  // bytes
    size_t size_ = 0;
    size_t room_ = 0;  // elements
};

}  // namespace keel::core
