#pragma once

namespace keel::crypto {

// What the machine has beyond x86-64-v2. Each is two loads and a branch that never changes: cheaper
// than a call through a pointer. With KEEL_CRYPTO_PORTABLE, which a second build of the tests
// defines, it has nothing.

#ifdef KEEL_CRYPTO_PORTABLE
inline constexpr bool kUseExtensions = false;
#else
inline constexpr bool kUseExtensions = true;
#endif

inline bool has_sha() noexcept {
    return kUseExtensions && __builtin_cpu_supports("sha") != 0;
}
inline bool has_bmi() noexcept {
    return kUseExtensions && __builtin_cpu_supports("bmi") != 0 &&
           __builtin_cpu_supports("bmi2") != 0;
}
/// mulx and the two carry chains.
inline bool has_adx() noexcept {
    return kUseExtensions && __builtin_cpu_supports("bmi2") != 0 &&
           __builtin_cpu_supports("adx") != 0;
}
inline bool has_avx2() noexcept {
    return kUseExtensions && __builtin_cpu_supports("avx2") != 0;
}
/// F, VL and BW.
inline bool has_avx512() noexcept {
    return kUseExtensions && __builtin_cpu_supports("avx512f") != 0 &&
           __builtin_cpu_supports("avx512vl") != 0 && __builtin_cpu_supports("avx512bw") != 0;
}

}  // namespace keel::crypto
