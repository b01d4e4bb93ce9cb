#pragma once

// The only place that calls the operating system for files. A FileSystem is handed to whoever needs
// one, so that a test can put its own in between and fail, tear or count each call; SystemFiles is
// the real one.

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.hpp"
#include "core/fault.hpp"

namespace keel::core {

/// A call on a file that failed. `operation` is the call's name, `error_number` its errno.
class FileFault : public Fault {
  public:
    FileFault(std::filesystem::path file, std::string operation, int error_number);

    const std::filesystem::path& file() const noexcept { return file_; }
    const std::string& operation() const noexcept { return operation_; }
    int error_number() const noexcept { return error_number_; }
    /// No space, quota or file size left: says what to do rather than what broke.
    bool disk_full() const noexcept;

  private:
    std::filesystem::path file_;
    std::string operation_;
    int error_number_;
};

enum class OpenMode : uint8_t {
    Read,           // existing, read-only
    ReadWrite,      // existing
    Create,         // read-write, created when missing
    CreateNew,      // read-write, must not exist
    CreateEmptied,  // read-write, created or cut to nothing
    CreateSecret,   // as CreateNew, for nobody but its owner to read
};

struct FileInfo {
    uint64_t size_bytes = 0;
    uint64_t device = 0;
    uint64_t inode = 0;
    uint64_t link_count = 0;
    bool is_directory = false;
    bool is_regular = false;

    friend bool operator==(const FileInfo&, const FileInfo&) = default;
};

/// The calls. Each answers an errno (0: done), so that a test's layer returns one without throwing;
/// `got` tells how many bytes were moved where that may be fewer than asked. Descriptors are
/// close-on-exec. Any thread.
class FileSystem {
  public:
    virtual ~FileSystem() = default;

    /// `follow_links` false: a symbolic link as last component is refused (ELOOP).
    virtual int open(const std::filesystem::path& path, OpenMode mode, bool follow_links,
                     int& descriptor) = 0;
    virtual void close(int descriptor) noexcept = 0;
    virtual int read_at(int descriptor, void* to, size_t bytes, uint64_t offset, size_t& got) = 0;
    virtual int write_at(int descriptor, const void* from, size_t bytes, uint64_t offset,
                         size_t& got) = 0;
    virtual int sync(int descriptor) = 0;
    virtual int sync_data(int descriptor) = 0;
    /// Has what was written there begin its way to the disk; nobody waits for it, and a refusal is
    /// harmless. A sync that comes later finds less to do.
    virtual void start_writing_back(int descriptor, uint64_t offset, uint64_t bytes) noexcept;
    virtual int truncate(int descriptor, uint64_t bytes) = 0;
    virtual int info(int descriptor, FileInfo& out) = 0;
    virtual int info(const std::filesystem::path& path, FileInfo& out) = 0;
    virtual int rename(const std::filesystem::path& from, const std::filesystem::path& to) = 0;
    virtual int unlink(const std::filesystem::path& path) = 0;
    virtual int sync_directory(const std::filesystem::path& path) = 0;
    virtual int list(const std::filesystem::path& path, std::vector<std::string>& names) = 0;
    /// Maps [0, bytes) of the descriptor read-only and private; `at` non-null: exactly there,
    /// replacing what is mapped.
    virtual int map_read_only(int descriptor, size_t bytes, void* at, void*& out) = 0;
    virtual void unmap(void* at, size_t bytes) noexcept = 0;
    /// Open-file-description lock on the whole file: not dropped by closing another descriptor of
    /// it. EAGAIN: held.
    virtual int try_lock(int descriptor) = 0;
    virtual int free_space(const std::filesystem::path& path, uint64_t& bytes) = 0;
    virtual int is_network_file_system(const std::filesystem::path& path, bool& network) = 0;
};

class SystemFiles final : public FileSystem {
  public:
    int open(const std::filesystem::path& path, OpenMode mode, bool follow_links,
             int& descriptor) override;
    void close(int descriptor) noexcept override;
    int read_at(int descriptor, void* to, size_t bytes, uint64_t offset, size_t& got) override;
    int write_at(int descriptor, const void* from, size_t bytes, uint64_t offset,
                 size_t& got) override;
    int sync(int descriptor) override;
    int sync_data(int descriptor) override;
    void start_writing_back(int descriptor, uint64_t offset, uint64_t bytes) noexcept override;
    int truncate(int descriptor, uint64_t bytes) override;
    int info(int descriptor, FileInfo& out) override;
    int info(const std::filesystem::path& path, FileInfo& out) override;
    int rename(const std::filesystem::path& from, const std::filesystem::path& to) override;
    int unlink(const std::filesystem::path& path) override;
    int sync_directory(const std::filesystem::path& path) override;
    int list(const std::filesystem::path& path, std::vector<std::string>& names) override;
    int map_read_only(int descriptor, size_t bytes, void* at, void*& out) override;
    void unmap(void* at, size_t bytes) noexcept override;
    int try_lock(int descriptor) override;
    int free_space(const std::filesystem::path& path, uint64_t& bytes) override;
    int is_network_file_system(const std::filesystem::path& path, bool& network) override;
};

/// One open file. Closes at its end; every failure is a FileFault that names the file.
class File {
  public:
    File() = default;
    File(FileSystem& files, std::filesystem::path path, OpenMode mode, bool follow_links = true);
    File(File&& other) noexcept;
    File& operator=(File&& other) noexcept;
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    ~File();

    bool is_open() const noexcept { return descriptor_ >= 0; }
    void close() noexcept;
    int descriptor() const noexcept { return descriptor_; }
    const std::filesystem::path& path() const noexcept { return path_; }

    /// Fills `to` as far as the file goes; returns the bytes read.
    size_t read_at(void* to, size_t bytes, uint64_t offset) const;
    void write_at(ByteView from, uint64_t offset);
    void sync();
    void sync_data();
    void start_writing_back(uint64_t offset, uint64_t bytes) noexcept {
        files_->start_writing_back(descriptor_, offset, bytes);
    }
    void truncate(uint64_t bytes);
    FileInfo info() const;
    /// false: another description of this file holds it.
    bool try_lock();

  private:
    FileSystem* files_ = nullptr;
    std::filesystem::path path_;
    int descriptor_ = -1;
};

/// A read-only mapping of a whole file, made from a descriptor whose header the owner has checked.
/// Nothing is mapped for an empty file.
class MappedFile {
  public:
    MappedFile() = default;
    MappedFile(FileSystem& files, const File& file, size_t bytes);
    MappedFile(MappedFile&& other) noexcept;
    MappedFile& operator=(MappedFile&& other) noexcept;
    MappedFile(const MappedFile&) = delete;
    MappedFile& operator=(const MappedFile&) = delete;
    ~MappedFile();
    /// Valid as long as this object.
    ByteView bytes() const noexcept { return {data_, size_}; }

  private:
    FileSystem* files_ = nullptr;
    uint8_t* data_ = nullptr;
    size_t size_ = 0;
};

/// Ends a read_stream() of another thread, and every later one. Any thread.
class WakeUp {
  public:
    WakeUp();
    WakeUp(const WakeUp&) = delete;
    WakeUp& operator=(const WakeUp&) = delete;
    ~WakeUp();
    void wake() noexcept;
    int descriptor() const noexcept { return descriptor_; }

  private:
    int descriptor_ = -1;
};

inline constexpr int kStandardInput = 0;

/// What has come on a descriptor that has no offsets (stdin, a pipe), at least a byte; waits for
/// it. 0: its end. None: `wake_up` came first. `name` is for the fault.
std::optional<size_t> read_stream(int descriptor, const char* name, void* to, size_t bytes,
                                  const WakeUp& wake_up);

/// None: there is no such file.
std::optional<FileInfo> file_info(FileSystem& files, const std::filesystem::path& path);
/// Whole content; a file longer than `bytes_max` is EFBIG.
Bytes read_file(FileSystem& files, const std::filesystem::path& path,
                uint64_t bytes_max = UINT64_MAX);
std::vector<std::string> list_directory(FileSystem& files, const std::filesystem::path& path);
void remove_file(FileSystem& files, const std::filesystem::path& path);
/// Temporary file in the same directory, sync, rename, sync of the directory: a crash leaves the
/// old or the new file.
void write_file_atomically(FileSystem& files, const std::filesystem::path& path, ByteView content);
/// Renames and syncs the directory.
void rename_durably(FileSystem& files, const std::filesystem::path& from,
                    const std::filesystem::path& to);

inline constexpr uint64_t kHugePageBytes = uint64_t{2} << 20;

/// Address space without memory. commit() makes a part of it readable and writable; the rest
/// faults.
class AddressRange {
  public:
    AddressRange() = default;
    /// Reserves `bytes`, halving while the system refuses, down to `bytes_min`; FileFault ENOMEM
    /// below that.
    AddressRange(uint64_t bytes, uint64_t bytes_min);
    /// Committed from the start.
    static AddressRange committed(uint64_t bytes);
    AddressRange(AddressRange&& other) noexcept;
    AddressRange& operator=(AddressRange&& other) noexcept;
    AddressRange(const AddressRange&) = delete;
    AddressRange& operator=(const AddressRange&) = delete;
    ~AddressRange();

    uint8_t* data() const noexcept { return data_; }
    uint64_t size() const noexcept { return size_; }
    /// false: the system has no memory for it.
    bool commit(uint64_t offset, uint64_t bytes) noexcept;
    /// Faults the pages in ahead of use; a refusal is harmless.
    void populate(uint64_t offset, uint64_t bytes) noexcept;
    /// Gives the memory back; the range stays committed and reads as zero.
    void discard(uint64_t offset, uint64_t bytes) noexcept;
    void protect_read_only(uint64_t offset, uint64_t bytes) noexcept;
    /// As before the first commit(), whatever has been mapped there since.
    void withdraw(uint64_t offset, uint64_t bytes) noexcept;
    /// The range, or its first bytes, read as zero in a child after fork.
    void wipe_on_fork() noexcept { wipe_on_fork(size_); }
    void wipe_on_fork(uint64_t bytes) noexcept;
    void release() noexcept;

  private:
    uint8_t* data_ = nullptr;
    uint64_t size_ = 0;
    // What is mapped begins before, where a huge page would not fit.
    uint64_t before_ = 0;
    uint64_t mapped_bytes_ = 0;
};

/// Of the whole machine; at least 1 GiB.
uint64_t machine_memory_bytes() noexcept;

/// Memory that is about to be filled for the first time is taken in large pages where the system
/// has them: a fifth of the time of single faults. Below a few megabytes nothing happens.
void advise_huge_pages(void* data, size_t bytes) noexcept;

/// A full memory barrier on every running thread of this process, so that their side of a
/// store-load pair needs none. false: the system has no such call. 0.4 us, and 8 us where another
/// thread of the process is running.
bool process_memory_barrier() noexcept;
/// Does process_memory_barrier() work, without the wait of a first call? Where the process has one
/// thread that first call is made here.
bool memory_barrier_is_ready() noexcept;

/// Makes the first process_memory_barrier() cheap. To be called while the process has one thread:
/// later the kernel waits for all of its processors, 10 to 16 ms (membarrier(2), registration).
void prepare_memory_barrier() noexcept;

}  // namespace keel::core
