#include "db/testing/memory_files.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace keel::db::testing {

const char* to_string(FileCall::Kind kind) noexcept {
    switch (kind) {
        case FileCall::Kind::Create:
            return "create";
        case FileCall::Kind::Write:
            return "write";
        case FileCall::Kind::Sync:
            return "fsync";
        case FileCall::Kind::Truncate:
            return "truncate";
        case FileCall::Kind::Rename:
            return "rename";
        case FileCall::Kind::Unlink:
            return "unlink";
        case FileCall::Kind::SyncDirectory:
            return "fsync of the directory";
    }
    return "?";
}

uint64_t MemoryFiles::calls() const {
    const std::scoped_lock lock(mutex_);
    return calls_;
}

int MemoryFiles::ask(FileCall::Kind kind, const std::string& path, uint64_t offset, ByteView data) {
    ++calls_;
    return before ? before({kind, path, offset, data}) : 0;
}

std::shared_ptr<MemoryFiles::Inode> MemoryFiles::find(const Path& path) const {
    const auto found = names_.find(path.string());
    return found != names_.end() ? found->second : nullptr;
}

void MemoryFiles::apply(Bytes& content, const Change& change) {
    if (change.truncation) {
        content.resize(change.offset);
        return;
    }
    const size_t end = change.offset + change.data.size();
    if (content.size() < end) content.resize(end);
    std::ranges::copy(change.data, content.begin() + static_cast<std::ptrdiff_t>(change.offset));
}

void MemoryFiles::make_directory(const Path& path) {
    const std::scoped_lock lock(mutex_);
    auto inode = std::make_shared<Inode>();
    inode->number = next_inode_++;
    inode->directory = true;
    names_[path.string()] = inode;
    durable_names_[path.string()] = inode;
}

void MemoryFiles::put(const std::string& path, Bytes content) {
    const std::scoped_lock lock(mutex_);
    auto inode = std::make_shared<Inode>();
    inode->number = next_inode_++;
    inode->now = content;
    inode->durable = std::move(content);
    names_[path] = inode;
    durable_names_[path] = inode;
}

std::map<std::string, Bytes> MemoryFiles::contents() const {
    const std::scoped_lock lock(mutex_);
    std::map<std::string, Bytes> contents;
    for (const auto& [path, inode] : names_)
        if (!inode->directory) contents[path] = inode->now;
    return contents;
}

std::unique_ptr<MemoryFiles> MemoryFiles::copy() const {
    auto copy = std::make_unique<MemoryFiles>();
    const std::scoped_lock lock(mutex_);
    for (const auto& [path, inode] : names_) {
        if (inode->directory) {
            copy->make_directory(path);
        } else {
            copy->put(path, inode->now);
        }
    }
    return copy;
}

std::unique_ptr<MemoryFiles> MemoryFiles::crash(const std::function<bool()>& choose) const {
    auto after = std::make_unique<MemoryFiles>();
    const std::scoped_lock lock(mutex_);
    Names names = durable_names_;
    for (const NameChange& change : name_changes_) {
        if (!choose()) continue;
        if (change.inode != nullptr) {
            names[change.path] = change.inode;
            if (!change.from.empty()) names.erase(change.from);
        } else {
            names.erase(change.path);
        }
    }
    for (const auto& [path, inode] : names) {
        if (inode->directory) {
            after->make_directory(path);
            continue;
        }
        Bytes content = inode->durable;
        for (const Change& change : inode->pending) {
            if (change.truncation) {
                if (choose()) apply(content, change);
                continue;
            }
            for (size_t at = 0; at < change.data.size();) {
                // Up to the next boundary of a sector of the disk.
                const size_t in_sector = (change.offset + at) % kSectorBytes;
                const size_t bytes = std::min(kSectorBytes - in_sector, change.data.size() - at);
                if (choose()) {
                    const auto first = change.data.begin() + static_cast<std::ptrdiff_t>(at);
                    apply(content,
                          {change.offset + at,
                           Bytes(first, first + static_cast<std::ptrdiff_t>(bytes)), false});
                }
                at += bytes;
            }
        }
        after->put(path, std::move(content));
    }
    return after;
}

int MemoryFiles::open(const Path& path, core::OpenMode mode, bool, int& descriptor) {
    const std::scoped_lock lock(mutex_);
    std::shared_ptr<Inode> inode = find(path);
    const bool creates = mode == core::OpenMode::Create || mode == core::OpenMode::CreateNew ||
                         mode == core::OpenMode::CreateEmptied;
    if (inode == nullptr && !creates) return ENOENT;
    if (inode != nullptr && mode == core::OpenMode::CreateNew) return EEXIST;
    if (inode == nullptr) {
        if (const int code = ask(FileCall::Kind::Create, path.string())) return code;
        inode = std::make_shared<Inode>();
        inode->number = next_inode_++;
        names_[path.string()] = inode;
        name_changes_.push_back({path.string(), inode, {}});
    } else if (mode == core::OpenMode::CreateEmptied) {
        if (const int code = ask(FileCall::Kind::Truncate, path.string())) return code;
        inode->now.clear();
        inode->pending.push_back({0, {}, true});
    }
    descriptor = next_descriptor_++;
    open_[descriptor] = {inode, path.string()};
    return 0;
}

void MemoryFiles::close(int descriptor) noexcept {
    const std::scoped_lock lock(mutex_);
    open_.erase(descriptor);
}

int MemoryFiles::read_at(int descriptor, void* to, size_t bytes, uint64_t offset, size_t& got) {
    const std::scoped_lock lock(mutex_);
    const Bytes& content = open_.at(descriptor).inode->now;
    got = offset < content.size() ? std::min<size_t>(bytes, content.size() - offset) : 0;
    if (got > 0) std::memcpy(to, content.data() + offset, got);
    return 0;
}

int MemoryFiles::write_at(int descriptor, const void* from, size_t bytes, uint64_t offset,
                          size_t& got) {
    const std::scoped_lock lock(mutex_);
    got = 0;
    const Open& file = open_.at(descriptor);
    const ByteView data(static_cast<const uint8_t*>(from), bytes);
    if (const int code = ask(FileCall::Kind::Write, file.path, offset, data)) return code;
    const Change change = {offset, data.to_bytes(), false};
    apply(file.inode->now, change);
    file.inode->pending.push_back(change);
    got = bytes;
    return 0;
}

int MemoryFiles::sync(int descriptor) {
    const std::scoped_lock lock(mutex_);
    const Open& file = open_.at(descriptor);
    if (const int code = ask(FileCall::Kind::Sync, file.path)) return code;
    file.inode->durable = file.inode->now;
    file.inode->pending.clear();
    return 0;
}

int MemoryFiles::truncate(int descriptor, uint64_t bytes) {
    const std::scoped_lock lock(mutex_);
    const Open& file = open_.at(descriptor);
    if (const int code = ask(FileCall::Kind::Truncate, file.path, bytes)) return code;
    const Change change = {bytes, {}, true};
    apply(file.inode->now, change);
    file.inode->pending.push_back(change);
    return 0;
}

core::FileInfo MemoryFiles::info_of(const Inode& inode, bool linked) {
    return {.size_bytes = inode.now.size(),
            .device = 1,
            .inode = inode.number,
            .link_count = linked ? 1U : 0U,
            .is_directory = inode.directory,
            .is_regular = !inode.directory};
}

int MemoryFiles::info(int descriptor, core::FileInfo& out) {
    const std::scoped_lock lock(mutex_);
    out = info_of(*open_.at(descriptor).inode, true);
    return 0;
}

int MemoryFiles::info(const Path& path, core::FileInfo& out) {
    const std::scoped_lock lock(mutex_);
    const std::shared_ptr<Inode> inode = find(path);
    if (inode == nullptr) return ENOENT;
    out = info_of(*inode, true);
    return 0;
}

int MemoryFiles::rename(const Path& from, const Path& to) {
    const std::scoped_lock lock(mutex_);
    const std::shared_ptr<Inode> inode = find(from);
    if (inode == nullptr) return ENOENT;
    if (const int code = ask(FileCall::Kind::Rename, to.string())) return code;
    names_.erase(from.string());
    names_[to.string()] = inode;
    name_changes_.push_back({to.string(), inode, from.string()});
    return 0;
}

int MemoryFiles::unlink(const Path& path) {
    const std::scoped_lock lock(mutex_);
    if (find(path) == nullptr) return ENOENT;
    if (const int code = ask(FileCall::Kind::Unlink, path.string())) return code;
    names_.erase(path.string());
    name_changes_.push_back({path.string(), nullptr, {}});
    return 0;
}

int MemoryFiles::sync_directory(const Path& path) {
    const std::scoped_lock lock(mutex_);
    if (const int code = ask(FileCall::Kind::SyncDirectory, path.string())) return code;
    durable_names_ = names_;
    name_changes_.clear();
    return 0;
}

int MemoryFiles::list(const Path& path, std::vector<std::string>& names) {
    const std::scoped_lock lock(mutex_);
    names.clear();
    for (const auto& [name, inode] : names_)
        if (Path(name).parent_path() == path) names.push_back(Path(name).filename().string());
    return 0;
}

int MemoryFiles::map_read_only(int descriptor, size_t bytes, void* at, void*& out) {
    const std::scoped_lock lock(mutex_);
    const Bytes& content = open_.at(descriptor).inode->now;
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | (at != nullptr ? MAP_FIXED : 0);
    void* const at_memory = ::mmap(at, bytes, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (at_memory == MAP_FAILED) return errno;
    std::memcpy(at_memory, content.data(), std::min(bytes, content.size()));
    ::mprotect(at_memory, bytes, PROT_READ);
    if (mapped) mapped(at_memory, bytes);
    out = at_memory;
    return 0;
}

void MemoryFiles::unmap(void* at, size_t bytes) noexcept {
    ::munmap(at, bytes);
}

int MemoryFiles::try_lock(int) {
    return 0;
}

int MemoryFiles::free_space(const Path&, uint64_t& bytes) {
    bytes = uint64_t{1} << 40;
    return 0;
}

int MemoryFiles::is_network_file_system(const Path&, bool& network) {
    network = false;
    return 0;
}

}  // namespace keel::db::testing
