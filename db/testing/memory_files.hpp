#pragma once

// A file system in memory that knows what a loss of power may take: a test has a store write to it,
// and asks for what a crash would have left. Every changing call can be refused, too.

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/files.hpp"

namespace keel::db::testing {

using core::Bytes;
using core::ByteView;

/// A call that changes what is on disk, or makes it last.
struct FileCall {
    enum class Kind : uint8_t { Create, Write, Sync, Truncate, Rename, Unlink, SyncDirectory };
    Kind kind;
    std::string path;
    uint64_t offset = 0;  // of a write; new size of a truncation
    ByteView data{};
};
const char* to_string(FileCall::Kind kind) noexcept;

/// Any thread.
class MemoryFiles final : public core::FileSystem {
  public:
    using Path = std::filesystem::path;
    static constexpr size_t kSectorBytes = 512;

    MemoryFiles() = default;

    /// Asked before each changing call; an errno refuses it. It may ask for a crash.
    std::function<int(const FileCall&)> before;
    /// Told where a file has been mapped: what a test changes there is the disk's damage.
    std::function<void(void* at, size_t bytes)> mapped;
    /// Changing calls so far.
    uint64_t calls() const;
    void make_directory(const Path& path);
    /// What is there for a process that opens it now.
    std::map<std::string, Bytes> contents() const;
    void put(const std::string& path, Bytes content);

    /// What the disk may hold after a loss of power right now. Of what was not synced, each sector
    /// of each write, each truncation and each change of a name is there or not as `choose` says
    /// (asked in order). What is there at the same place keeps its order.
    std::unique_ptr<MemoryFiles> crash(const std::function<bool()>& choose) const;
    /// What another process finds: everything that was written.
    std::unique_ptr<MemoryFiles> copy() const;

    int open(const Path& path, core::OpenMode mode, bool follow_links, int& descriptor) override;
    void close(int descriptor) noexcept override;
    int read_at(int descriptor, void* to, size_t bytes, uint64_t offset, size_t& got) override;
    int write_at(int descriptor, const void* from, size_t bytes, uint64_t offset,
                 size_t& got) override;
    int sync(int descriptor) override;
    int sync_data(int descriptor) override { return sync(descriptor); }
    int truncate(int descriptor, uint64_t bytes) override;
    int info(int descriptor, core::FileInfo& out) override;
    int info(const Path& path, core::FileInfo& out) override;
    int rename(const Path& from, const Path& to) override;
    int unlink(const Path& path) override;
    int sync_directory(const Path& path) override;
    int list(const Path& path, std::vector<std::string>& names) override;
    int map_read_only(int descriptor, size_t bytes, void* at, void*& out) override;
    void unmap(void* at, size_t bytes) noexcept override;
    int try_lock(int descriptor) override;
    int free_space(const Path& path, uint64_t& bytes) override;
    int is_network_file_system(const Path& path, bool& network) override;

  private:
    struct Change {
        uint64_t offset;
        Bytes data;
        bool truncation;
    };
    struct Inode {
        uint64_t number = 0;
        bool directory = false;
        Bytes now;
        Bytes durable;
        std::vector<Change> pending;
    };
    using Names = std::map<std::string, std::shared_ptr<Inode>>;
    struct NameChange {
        std::string path;
        std::shared_ptr<Inode> inode;  // null: taken away
        std::string from;              // of a rename
    };
    int ask(FileCall::Kind kind, const std::string& path, uint64_t offset = 0, ByteView data = {});
    std::shared_ptr<Inode> find(const Path& path) const;
    static void apply(Bytes& content, const Change& change);
    static core::FileInfo info_of(const Inode& inode, bool linked);
    struct Open {
        std::shared_ptr<Inode> inode;
        std::string path;
    };

    mutable std::recursive_mutex mutex_;
    Names names_;
    Names durable_names_;
    std::vector<NameChange> name_changes_;
    std::map<int, Open> open_;
    int next_descriptor_ = 1000;  // no descriptor of the process
    uint64_t next_inode_ = 1;
    uint64_t calls_ = 0;
};

}  // namespace keel::db::testing
