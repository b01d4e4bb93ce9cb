// Large blocks of memory come in large pages where the system has them: filling a new one costs a
// fifth of what its single pages would. Only the program does so; whoever links the libraries keeps
// his own operator new.

#include <cstdlib>
#include <new>

#include "core/files.hpp"

// Sanitizers bring their own pair of operators.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define KEEL_OWN_NEW 0
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define KEEL_OWN_NEW 0
#endif
#ifndef KEEL_OWN_NEW
#define KEEL_OWN_NEW 1
#endif

#if KEEL_OWN_NEW
void* operator new(std::size_t size) {
    constexpr std::size_t kLargeBytes = std::size_t{4} << 20;
    for (;;) {
        if (void* const memory = std::malloc(size == 0 ? 1 : size)) {
            if (size >= kLargeBytes) keel::core::advise_huge_pages(memory, size);
            return memory;
        }
        const std::new_handler handler = std::get_new_handler();
        if (handler == nullptr) throw std::bad_alloc();
        handler();
    }
}

void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}
#endif
