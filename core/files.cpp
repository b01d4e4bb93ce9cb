#include "core/files.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/membarrier.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/single_threaded.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <system_error>
#include <utility>

#include "core/base.hpp"

namespace keel::core {
namespace {

constexpr mode_t kFileMode = 0644;
constexpr mode_t kSecretMode = 0600;
constexpr const char* kTemporarySuffix = ".tmp";

int answer(int returned) noexcept {
    return returned < 0 ? errno : 0;
}

int open_flags(OpenMode mode) noexcept {
    switch (mode) {
        case OpenMode::Read:
            return O_RDONLY;
        case OpenMode::ReadWrite:
            return O_RDWR;
        case OpenMode::Create:
            return O_RDWR | O_CREAT;
        case OpenMode::CreateNew:
        case OpenMode::CreateSecret:
            return O_RDWR | O_CREAT | O_EXCL;
        case OpenMode::CreateEmptied:
            return O_RDWR | O_CREAT | O_TRUNC;
    }
    return O_RDONLY;
}

FileInfo to_info(const struct stat& from) noexcept {
    return {.size_bytes = static_cast<uint64_t>(from.st_size),
            .device = static_cast<uint64_t>(from.st_dev),
            .inode = static_cast<uint64_t>(from.st_ino),
            .link_count = static_cast<uint64_t>(from.st_nlink),
            .is_directory = S_ISDIR(from.st_mode),
            .is_regular = S_ISREG(from.st_mode)};
}

std::string fault_text(const std::filesystem::path& file, const std::string& operation,
                       int error_number) {
    return operation + " " + file.string() + ": " + std::generic_category().message(error_number);
}

void check(int error_number, const std::filesystem::path& path, const char* operation) {
    if (error_number != 0) throw FileFault(path, operation, error_number);
}

std::filesystem::path folder_of(const std::filesystem::path& path) {
    return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

}  // namespace

FileFault::FileFault(std::filesystem::path file, std::string operation, int error_number)
    : Fault(FaultKind::Io, fault_text(file, operation, error_number)),
      file_(std::move(file)),
      operation_(std::move(operation)),
      error_number_(error_number) {}

bool FileFault::disk_full() const noexcept {
    return error_number_ == ENOSPC || error_number_ == EDQUOT || error_number_ == EFBIG;
}

int SystemFiles::open(const std::filesystem::path& path, OpenMode mode, bool follow_links,
                      int& descriptor) {
    const int flags = open_flags(mode) | O_CLOEXEC | (follow_links ? 0 : O_NOFOLLOW);
    const mode_t created_with = mode == OpenMode::CreateSecret ? kSecretMode : kFileMode;
    do {
        descriptor = ::open(path.c_str(), flags, created_with);
    } while (descriptor < 0 && errno == EINTR);
    return answer(descriptor);
}

void SystemFiles::close(int descriptor) noexcept {
    ::close(descriptor);
}

int SystemFiles::read_at(int descriptor, void* to, size_t bytes, uint64_t offset, size_t& got) {
    ssize_t moved;
    do {
        moved = ::pread(descriptor, to, bytes, static_cast<off_t>(offset));
    } while (moved < 0 && errno == EINTR);
    got = moved < 0 ? 0 : static_cast<size_t>(moved);
    return moved < 0 ? errno : 0;
}

int SystemFiles::write_at(int descriptor, const void* from, size_t bytes, uint64_t offset,
                          size_t& got) {
    ssize_t moved;
    do {
        moved = ::pwrite(descriptor, from, bytes, static_cast<off_t>(offset));
    } while (moved < 0 && errno == EINTR);
    got = moved < 0 ? 0 : static_cast<size_t>(moved);
    return moved < 0 ? errno : 0;
}

int SystemFiles::sync(int descriptor) {
    return answer(::fsync(descriptor));
}

int SystemFiles::sync_data(int descriptor) {
    return answer(::fdatasync(descriptor));
}

void FileSystem::start_writing_back(int, uint64_t, uint64_t) noexcept {}

void SystemFiles::start_writing_back(int descriptor, uint64_t offset, uint64_t bytes) noexcept {
    ::sync_file_range(descriptor, static_cast<off_t>(offset), static_cast<off_t>(bytes),
                      SYNC_FILE_RANGE_WRITE);
}

int SystemFiles::truncate(int descriptor, uint64_t bytes) {
    return answer(::ftruncate(descriptor, static_cast<off_t>(bytes)));
}

int SystemFiles::info(int descriptor, FileInfo& out) {
    struct stat status;
    const int error_number = answer(::fstat(descriptor, &status));
    if (error_number == 0) out = to_info(status);
    return error_number;
}

int SystemFiles::info(const std::filesystem::path& path, FileInfo& out) {
    struct stat status;
    const int error_number = answer(::stat(path.c_str(), &status));
    if (error_number == 0) out = to_info(status);
    return error_number;
}

int SystemFiles::rename(const std::filesystem::path& from, const std::filesystem::path& to) {
    return answer(::rename(from.c_str(), to.c_str()));
}

int SystemFiles::unlink(const std::filesystem::path& path) {
    return answer(::unlink(path.c_str()));
}

int SystemFiles::sync_directory(const std::filesystem::path& path) {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return errno;
    const int error_number = answer(::fsync(descriptor));
    ::close(descriptor);
    return error_number;
}

int SystemFiles::list(const std::filesystem::path& path, std::vector<std::string>& names) {
    DIR* directory = ::opendir(path.c_str());
    if (directory == nullptr) return errno;
    names.clear();
    errno = 0;
    while (const dirent* item = ::readdir(directory)) {
        const std::string_view name = item->d_name;
        if (name != "." && name != "..") names.emplace_back(name);
    }
    const int error_number = errno;
    ::closedir(directory);
    std::ranges::sort(names);
    return error_number;
}

int SystemFiles::map_read_only(int descriptor, size_t bytes, void* at, void*& out) {
    const int flags = MAP_PRIVATE | (at != nullptr ? MAP_FIXED : 0);
    void* const mapped = ::mmap(at, bytes, PROT_READ, flags, descriptor, 0);
    if (mapped == MAP_FAILED) return errno;
    out = mapped;
    return 0;
}

void SystemFiles::unmap(void* at, size_t bytes) noexcept {
    ::munmap(at, bytes);
}

int SystemFiles::try_lock(int descriptor) {
    struct flock lock = {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    const int error_number = answer(::fcntl(descriptor, F_OFD_SETLK, &lock));
    return error_number == EACCES ? EAGAIN : error_number;
}

int SystemFiles::free_space(const std::filesystem::path& path, uint64_t& bytes) {
    struct statfs status;
    const int error_number = answer(::statfs(path.c_str(), &status));
    if (error_number == 0)
        bytes = static_cast<uint64_t>(status.f_bavail) * static_cast<uint64_t>(status.f_bsize);
    return error_number;
}

int SystemFiles::is_network_file_system(const std::filesystem::path& path, bool& network) {
    struct statfs status;
    const int error_number = answer(::statfs(path.c_str(), &status));
    if (error_number != 0) return error_number;
    // Magic numbers of statfs(2): NFS, SMB, CIFS, SMB2, 9P, AFS, Ceph, FUSE is local as often as
    // not and left out.
    constexpr uint32_t kNetworkTypes[] = {0x6969,     0x517b,     0xff534d42, 0xfe534d42,
                                          0x01021997, 0x5346414f, 0x00c36400};
    network = std::ranges::find(kNetworkTypes, static_cast<uint32_t>(status.f_type)) !=
              std::end(kNetworkTypes);
    return 0;
}

File::File(FileSystem& files, std::filesystem::path path, OpenMode mode, bool follow_links)
    : files_(&files), path_(std::move(path)) {
    check(files.open(path_, mode, follow_links, descriptor_), path_, "open");
}

File::File(File&& other) noexcept
    : files_(other.files_),
      path_(std::move(other.path_)),
      descriptor_(std::exchange(other.descriptor_, -1)) {}

File& File::operator=(File&& other) noexcept {
    std::swap(files_, other.files_);
    std::swap(path_, other.path_);
    std::swap(descriptor_, other.descriptor_);
    return *this;
}

File::~File() {
    close();
}

void File::close() noexcept {
    if (descriptor_ >= 0) files_->close(std::exchange(descriptor_, -1));
}

size_t File::read_at(void* to, size_t bytes, uint64_t offset) const {
    size_t done = 0;
    while (done < bytes) {
        size_t got = 0;
        check(files_->read_at(descriptor_, static_cast<uint8_t*>(to) + done, bytes - done,
                              offset + done, got),
              path_, "read");
        if (got == 0) break;
        done += got;
    }
    return done;
}

void File::write_at(ByteView from, uint64_t offset) {
    size_t done = 0;
    while (done < from.size()) {
        size_t got = 0;
        check(files_->write_at(descriptor_, from.data() + done, from.size() - done, offset + done,
                               got),
              path_, "write");
        // A write of nothing without a reason would turn for ever.
        if (got == 0) throw FileFault(path_, "write", ENOSPC);
        done += got;
    }
}

void File::sync() {
    check(files_->sync(descriptor_), path_, "fsync");
}

void File::sync_data() {
    check(files_->sync_data(descriptor_), path_, "fdatasync");
}

void File::truncate(uint64_t bytes) {
    check(files_->truncate(descriptor_, bytes), path_, "ftruncate");
}

FileInfo File::info() const {
    FileInfo info;
    check(files_->info(descriptor_, info), path_, "stat");
    return info;
}

bool File::try_lock() {
    const int error_number = files_->try_lock(descriptor_);
    if (error_number == EAGAIN) return false;
    check(error_number, path_, "lock");
    return true;
}

MappedFile::MappedFile(FileSystem& files, const File& file, size_t bytes)
    : files_(&files), size_(bytes) {
    if (bytes == 0) return;
    void* mapped = nullptr;
    check(files.map_read_only(file.descriptor(), bytes, nullptr, mapped), file.path(), "mmap");
    data_ = static_cast<uint8_t*>(mapped);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : files_(other.files_),
      data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
    std::swap(files_, other.files_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
}

MappedFile::~MappedFile() {
    if (data_ != nullptr) files_->unmap(data_, size_);
}

WakeUp::WakeUp() : descriptor_(::eventfd(0, EFD_CLOEXEC)) {
    if (descriptor_ < 0) throw FileFault("wake-up", "eventfd", errno);
}

WakeUp::~WakeUp() {
    ::close(descriptor_);
}

void WakeUp::wake() noexcept {
    const uint64_t one = 1;
    const ssize_t written = ::write(descriptor_, &one, sizeof one);
    KEEL_ASSERT(written == static_cast<ssize_t>(sizeof one), "a counter of 64 bits does not fill");
}

std::optional<size_t> read_stream(int descriptor, const char* name, void* to, size_t bytes,
                                  const WakeUp& wake_up) {
    for (;;) {
        std::array<pollfd, 2> polled = {pollfd{descriptor, POLLIN, 0},
                                        pollfd{wake_up.descriptor(), POLLIN, 0}};
        if (::poll(polled.data(), polled.size(), -1) < 0) {
            if (errno == EINTR) continue;
            throw FileFault(name, "poll", errno);
        }
        if (polled[1].revents != 0) return std::nullopt;
        const ssize_t got = ::read(descriptor, to, bytes);
        if (got >= 0) return static_cast<size_t>(got);
        if (errno != EINTR && errno != EAGAIN) throw FileFault(name, "read", errno);
    }
}

std::optional<FileInfo> file_info(FileSystem& files, const std::filesystem::path& path) {
    FileInfo info;
    const int error_number = files.info(path, info);
    if (error_number == ENOENT || error_number == ENOTDIR) return std::nullopt;
    check(error_number, path, "stat");
    return info;
}

Bytes read_file(FileSystem& files, const std::filesystem::path& path, uint64_t bytes_max) {
    const File file(files, path, OpenMode::Read);
    constexpr size_t kStepBytes = size_t{64} * 1024;
    // The size is a hint only: pipes and /proc have none, and a file may grow meanwhile.
    Bytes content(static_cast<size_t>(std::min<uint64_t>(file.info().size_bytes, bytes_max)) + 1);
    size_t done = 0;
    while (true) {
        const size_t got = file.read_at(content.data() + done, content.size() - done, done);
        done += got;
        if (done > bytes_max) throw FileFault(path, "read", EFBIG);
        if (done < content.size()) break;
        content.resize(content.size() + kStepBytes);
    }
    content.resize(done);
    return content;
}

std::vector<std::string> list_directory(FileSystem& files, const std::filesystem::path& path) {
    std::vector<std::string> names;
    check(files.list(path, names), path, "list");
    return names;
}

void remove_file(FileSystem& files, const std::filesystem::path& path) {
    check(files.unlink(path), path, "unlink");
}

void rename_durably(FileSystem& files, const std::filesystem::path& from,
                    const std::filesystem::path& to) {
    check(files.rename(from, to), to, "rename");
    check(files.sync_directory(folder_of(to)), folder_of(to), "fsync");
}

void write_file_atomically(FileSystem& files, const std::filesystem::path& path, ByteView content) {
    std::filesystem::path temporary = path;
    temporary += kTemporarySuffix;
    try {
        File file(files, temporary, OpenMode::CreateEmptied, false);
        file.write_at(content, 0);
        file.sync();
        file.close();
        rename_durably(files, temporary, path);
    } catch (...) {
        files.unlink(temporary);
        throw;
    }
}

AddressRange::AddressRange(uint64_t bytes, uint64_t bytes_min) {
    for (uint64_t size = bytes; size >= bytes_min && size > 0; size /= 2) {
        // Large ranges begin where a huge page can. What is left over stays mapped: address space
        // costs nothing, and giving it back two calls.
        const uint64_t slack = size >= kHugePageBytes ? kHugePageBytes : 0;
        void* const reserved = ::mmap(nullptr, size + slack, PROT_NONE,
                                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (reserved == MAP_FAILED) continue;
        if (slack != 0)
            before_ =
                (slack - reinterpret_cast<uintptr_t>(reserved) % kHugePageBytes) % kHugePageBytes;
        data_ = static_cast<uint8_t*>(reserved) + before_;
        size_ = size;
        mapped_bytes_ = size + slack;
        return;
    }
    throw FileFault("address space of " + std::to_string(bytes_min) + " bytes", "reserve", ENOMEM);
}

AddressRange AddressRange::committed(uint64_t bytes) {
    void* const mapped = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapped == MAP_FAILED)
        throw FileFault("memory of " + std::to_string(bytes) + " bytes", "mmap", ENOMEM);
    AddressRange range;
    range.data_ = static_cast<uint8_t*>(mapped);
    range.size_ = range.mapped_bytes_ = bytes;
    return range;
}

AddressRange::AddressRange(AddressRange&& other) noexcept {
    *this = std::move(other);
}

AddressRange& AddressRange::operator=(AddressRange&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(before_, other.before_);
    std::swap(mapped_bytes_, other.mapped_bytes_);
    return *this;
}

AddressRange::~AddressRange() {
    release();
}

bool AddressRange::commit(uint64_t offset, uint64_t bytes) noexcept {
    return ::mprotect(data_ + offset, bytes, PROT_READ | PROT_WRITE) == 0;
}

void AddressRange::populate(uint64_t offset, uint64_t bytes) noexcept {
    ::madvise(data_ + offset, bytes, MADV_POPULATE_WRITE);
}

void AddressRange::discard(uint64_t offset, uint64_t bytes) noexcept {
    ::madvise(data_ + offset, bytes, MADV_DONTNEED);
}

void AddressRange::protect_read_only(uint64_t offset, uint64_t bytes) noexcept {
    ::mprotect(data_ + offset, bytes, PROT_READ);
}

void AddressRange::withdraw(uint64_t offset, uint64_t bytes) noexcept {
    if (bytes == 0) return;
    ::mmap(data_ + offset, bytes, PROT_NONE,
           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
}

void AddressRange::wipe_on_fork(uint64_t bytes) noexcept {
    ::madvise(data_, bytes, MADV_WIPEONFORK);
}

void AddressRange::release() noexcept {
    if (data_ != nullptr) ::munmap(data_ - before_, mapped_bytes_);
    data_ = nullptr;
    size_ = before_ = mapped_bytes_ = 0;
}

uint64_t machine_memory_bytes() noexcept {
    const auto pages = static_cast<uint64_t>(std::max(::sysconf(_SC_PHYS_PAGES), 0L));
    const auto page_bytes = static_cast<uint64_t>(std::max(::sysconf(_SC_PAGESIZE), 0L));
    return std::max(uint64_t{1} << 30, pages * page_bytes);
}

void advise_huge_pages(void* data, size_t bytes) noexcept {
    const uint64_t before = -reinterpret_cast<uintptr_t>(data) % kHugePageBytes;
    if (bytes < before + kHugePageBytes) return;
    ::madvise(static_cast<uint8_t*>(data) + before, (bytes - before) & ~(kHugePageBytes - 1),
              MADV_HUGEPAGE);
}

namespace {

bool membarrier(int command) noexcept {
    return ::syscall(SYS_membarrier, command, 0, 0) == 0;
}

}  // namespace

bool process_memory_barrier() noexcept {
    // Refused while the process is not registered; registering again costs nothing.
    return membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) ||
           (membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) &&
            membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED));
}

bool memory_barrier_is_ready() noexcept {
    return membarrier(__libc_single_threaded != 0 ? MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED
                                                  : MEMBARRIER_CMD_PRIVATE_EXPEDITED);
}

void prepare_memory_barrier() noexcept {
    membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
}

}  // namespace keel::core
