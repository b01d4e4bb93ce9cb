#pragma once

// Answers of cursors, stored as callers load them.

#include <emmintrin.h>

#include "db/backend.hpp"

namespace keel::db::detail {

/// Both words of the view by one store.
inline void store_view(ByteView view, ByteView& to) noexcept {
    static_assert(sizeof(ByteView) == sizeof(__m128i));
    const auto data = static_cast<int64_t>(reinterpret_cast<uintptr_t>(view.data()));
    const __m128i words = _mm_set_epi64x(static_cast<int64_t>(view.size()), data);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(&to), words);
}

// Callers copy views by loads of 16 bytes; behind two stores of 8 such a load has to wait until
// both have left for the cache.

/// The entry as a cursor's answer.
inline Hit hit_of(ByteView key, ByteView value) noexcept {
    Hit hit(std::in_place);
    store_view(key, hit->key);
    store_view(value, hit->value);
    return hit;
}

}  // namespace keel::db::detail
