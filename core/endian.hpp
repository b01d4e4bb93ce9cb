#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

namespace keel::core {

// Unaligned loads and stores: numbers inside views are never read by casting a pointer.

template <class T>
inline T load_le(const uint8_t* from) noexcept {
    T value;
    std::memcpy(&value, from, sizeof value);
    if constexpr (std::endian::native == std::endian::big) value = std::byteswap(value);
    return value;
}

template <class T>
inline T load_be(const uint8_t* from) noexcept {
    T value;
    std::memcpy(&value, from, sizeof value);
    if constexpr (std::endian::native == std::endian::little) value = std::byteswap(value);
    return value;
}

template <class T>
inline void store_le(uint8_t* to, T value) noexcept {
    if constexpr (std::endian::native == std::endian::big) value = std::byteswap(value);
    std::memcpy(to, &value, sizeof value);
}

template <class T>
inline void store_be(uint8_t* to, T value) noexcept {
    if constexpr (std::endian::native == std::endian::little) value = std::byteswap(value);
    std::memcpy(to, &value, sizeof value);
}

}  // namespace keel::core
