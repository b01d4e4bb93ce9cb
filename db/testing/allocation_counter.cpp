// Replaces the global operator new of the test program by one that counts, so that K61 and K62 can
// say "no allocation". A sanitizer brings an operator new of its own, which clang's do not let go:
// there nothing is counted.

#include <cstdlib>
#include <new>

#include "db/testing/contract_fixture.hpp"

#if !defined(KEEL_TEST_ASAN) && !defined(KEEL_TEST_TSAN)

namespace {

constinit thread_local uint64_t allocations = 0;

void* counted(size_t bytes) {
    ++allocations;
    if (void* memory = std::malloc(bytes == 0 ? 1 : bytes)) return memory;
    throw std::bad_alloc();
}

void* counted(size_t bytes, std::align_val_t alignment) {
    ++allocations;
    const size_t align = static_cast<size_t>(alignment);
    const size_t rounded =
        (bytes + align - 1) / align * align;  // aligned_alloc asks for a multiple
    if (void* memory = std::aligned_alloc(align, rounded == 0 ? align : rounded)) return memory;
    throw std::bad_alloc();
}

}  // namespace

void* operator new(size_t bytes) {
    return counted(bytes);
}
void* operator new[](size_t bytes) {
    return counted(bytes);
}
void* operator new(size_t bytes, std::align_val_t alignment) {
    return counted(bytes, alignment);
}
void* operator new[](size_t bytes, std::align_val_t alignment) {
    return counted(bytes, alignment);
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete[](void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, size_t) noexcept {
    std::free(memory);
}
void operator delete[](void* memory, size_t) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
    std::free(memory);
}
void operator delete[](void* memory, std::align_val_t) noexcept {
    std::free(memory);
}
void operator delete(void* memory, size_t, std::align_val_t) noexcept {
    std::free(memory);
}
void operator delete[](void* memory, size_t, std::align_val_t) noexcept {
    std::free(memory);
}

namespace keel::db::testing {

uint64_t allocations_of_this_thread() noexcept {
    return allocations;
}

}  // namespace keel::db::testing

#else

namespace keel::db::testing {

uint64_t allocations_of_this_thread() noexcept {
    return 0;
}

}  // namespace keel::db::testing

#endif
