// A library to be preloaded: the n-th call that changes a file below a folder ends the process or
// fails. Both backends are tortured by it, liblmdb too, which makes its own calls.
//
//   KEEL_FAULT_UNDER=DIR   files below it count
//   KEEL_FAULT_AT=N        the call, from 1 on; 0: none
//   KEEL_FAULT=kill        the process is gone before the call
//              tear        half of a write is done, then the process is gone
//              once:ERRNO  the call fails with this number, the ones behind it work
//              all:ERRNO   so do all behind it
//   KEEL_FAULT_COUNT=FILE  gets the number of calls when the process ends

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

struct Plan {
    const char* under = std::getenv("KEEL_FAULT_UNDER");
    const char* how = std::getenv("KEEL_FAULT");
    const char* count_file = std::getenv("KEEL_FAULT_COUNT");
    long at = 0;
    Plan() {
        if (const char* const text = std::getenv("KEEL_FAULT_AT")) at = std::atol(text);
    }
};

const Plan& plan() {
    static const Plan kPlan;
    return kPlan;
}

std::atomic<long> calls = 0;

template <class F>
F next(const char* name) {
    return reinterpret_cast<F>(::dlsym(RTLD_NEXT, name));
}

bool is_below(const char* path) {
    const char* const under = plan().under;
    return under != nullptr && path != nullptr &&
           std::strncmp(path, under, std::strlen(under)) == 0;
}

bool is_below(int descriptor) {
    if (plan().under == nullptr) return false;
    char name[64];
    std::snprintf(name, sizeof name, "/proc/self/fd/%d", descriptor);
    char path[PATH_MAX + 1];
    const ssize_t length = ::readlink(name, path, PATH_MAX);
    if (length <= 0) return false;
    path[length] = 0;
    return is_below(path);
}

[[noreturn]] void die() {
    ::kill(::getpid(), SIGKILL);
    for (;;) ::pause();
}

enum class Fate { Go, Fail, Tear };

Fate fate_of_call() {
    const long number = ++calls;
    const Plan& wanted = plan();
    if (wanted.at == 0 || wanted.how == nullptr || number < wanted.at) return Fate::Go;
    if (std::strncmp(wanted.how, "all:", 4) == 0) {
        errno = std::atoi(wanted.how + 4);
        return Fate::Fail;
    }
    if (number > wanted.at) return Fate::Go;
    if (std::strcmp(wanted.how, "kill") == 0) die();
    if (std::strcmp(wanted.how, "tear") == 0) return Fate::Tear;
    if (std::strncmp(wanted.how, "once:", 5) == 0) {
        errno = std::atoi(wanted.how + 5);
        return Fate::Fail;
    }
    return Fate::Go;
}

struct CountAtExit {
    ~CountAtExit() {
        if (plan().count_file == nullptr) return;
        const int file = ::open(plan().count_file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        if (file < 0) return;
        ::dprintf(file, "%ld\n", calls.load());
        ::close(file);
    }
};
const CountAtExit count_at_exit;

/// `write_part(bytes)` makes the call with so many bytes.
template <class F>
ssize_t write_call(int descriptor, size_t bytes, F&& write_part) {
    if (is_below(descriptor)) {
        switch (fate_of_call()) {
            case Fate::Fail:
                return -1;
            case Fate::Tear:
                write_part(bytes / 2);
                die();
            case Fate::Go:
                break;
        }
    }
    return write_part(bytes);
}

template <class F>
int plain_call(bool counts, F&& call) {
    if (counts) {
        switch (fate_of_call()) {
            case Fate::Fail:
                return -1;
            case Fate::Tear:
                die();
            case Fate::Go:
                break;
        }
    }
    return call();
}

size_t bytes_of(const iovec* parts, int count) {
    size_t bytes = 0;
    for (int i = 0; i < count; ++i) bytes += parts[i].iov_len;
    return bytes;
}

}  // namespace

extern "C" {

ssize_t write(int descriptor, const void* from, size_t bytes) {
    static const auto real = next<ssize_t (*)(int, const void*, size_t)>("write");
    return write_call(descriptor, bytes, [&](size_t n) { return real(descriptor, from, n); });
}

ssize_t pwrite64(int descriptor, const void* from, size_t bytes, off64_t offset) {
    static const auto real = next<ssize_t (*)(int, const void*, size_t, off64_t)>("pwrite64");
    return write_call(descriptor, bytes,
                      [&](size_t n) { return real(descriptor, from, n, offset); });
}

ssize_t pwrite(int descriptor, const void* from, size_t bytes, off_t offset) {
    return pwrite64(descriptor, from, bytes, offset);
}

ssize_t pwritev64(int descriptor, const iovec* parts, int count, off64_t offset) {
    static const auto real = next<ssize_t (*)(int, const iovec*, int, off64_t)>("pwritev64");
    return write_call(descriptor, bytes_of(parts, count), [&](size_t n) {
        return real(descriptor, parts, n == bytes_of(parts, count) ? count : count / 2, offset);
    });
}

ssize_t pwritev(int descriptor, const iovec* parts, int count, off_t offset) {
    return pwritev64(descriptor, parts, count, offset);
}

ssize_t writev(int descriptor, const iovec* parts, int count) {
    static const auto real = next<ssize_t (*)(int, const iovec*, int)>("writev");
    return write_call(descriptor, bytes_of(parts, count), [&](size_t n) {
        return real(descriptor, parts, n == bytes_of(parts, count) ? count : count / 2);
    });
}

int fsync(int descriptor) {
    static const auto real = next<int (*)(int)>("fsync");
    return plain_call(is_below(descriptor), [&] { return real(descriptor); });
}

int fdatasync(int descriptor) {
    static const auto real = next<int (*)(int)>("fdatasync");
    return plain_call(is_below(descriptor), [&] { return real(descriptor); });
}

int ftruncate64(int descriptor, off64_t bytes) {
    static const auto real = next<int (*)(int, off64_t)>("ftruncate64");
    return plain_call(is_below(descriptor), [&] { return real(descriptor, bytes); });
}

int ftruncate(int descriptor, off_t bytes) {
    return ftruncate64(descriptor, bytes);
}

int rename(const char* from, const char* to) {
    static const auto real = next<int (*)(const char*, const char*)>("rename");
    return plain_call(is_below(to), [&] { return real(from, to); });
}

int unlink(const char* path) {
    static const auto real = next<int (*)(const char*)>("unlink");
    return plain_call(is_below(path), [&] { return real(path); });
}

}  // extern "C"
