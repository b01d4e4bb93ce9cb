#pragma once

// What is compiled for processors with AVX-512 beside the code for all: here the count of a page's
// heads, in a header, so that a whole descent has it inline.

#include <immintrin.h>

#include <bit>

#include "db/mem/page_search.hpp"

namespace keel::db::mem {

// What the store's AVX-512 code is compiled for; has_avx512() says whether the processor has it.
#define KEEL_TARGET_AVX512 [[gnu::target("avx512f,avx512bw,bmi2,popcnt")]]

inline bool has_avx512() noexcept {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("bmi2");
}

// A leaf has some thirty to forty entries: so many are compared without asking how many there are,
// since a branch on that would be guessed wrongly at every other page.
inline constexpr size_t kUsualHeads = 40;

KEEL_TARGET_AVX512 inline size_t heads_below_avx512(const uint64_t* from, size_t count,
                                                    uint64_t head) noexcept {
    constexpr size_t kLanes = 8;
    const __m512i wanted = _mm512_set1_epi64(static_cast<int64_t>(head));
    uint64_t below = 0;
#pragma GCC unroll 5
    for (size_t at = 0; at < kUsualHeads; at += kLanes) {
        const __mmask8 mask = _mm512_cmplt_epu64_mask(_mm512_loadu_si512(from + at), wanted);
        below |= static_cast<uint64_t>(mask) << at;
    }
    if (count > kUsualHeads) [[unlikely]] {
        for (size_t at = kUsualHeads; at < kHeadsAtOnce; at += kLanes) {
            const __mmask8 mask = _mm512_cmplt_epu64_mask(_mm512_loadu_si512(from + at), wanted);
            below |= static_cast<uint64_t>(mask) << at;
        }
    }
    return static_cast<size_t>(std::popcount(_bzhi_u64(below, static_cast<unsigned>(count))));
}

}  // namespace keel::db::mem
