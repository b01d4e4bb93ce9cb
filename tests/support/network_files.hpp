#pragma once

#include "core/files.hpp"

namespace keel::tests {

/// The system's files, for what differs from them in one call.
class ForwardedFiles : public core::FileSystem {
  public:
    using Path = std::filesystem::path;

    int open(const Path& path, core::OpenMode mode, bool follow_links, int& descriptor) override {
        return files_.open(path, mode, follow_links, descriptor);
    }
    void close(int descriptor) noexcept override { files_.close(descriptor); }
    int read_at(int descriptor, void* to, size_t bytes, uint64_t offset, size_t& got) override {
        return files_.read_at(descriptor, to, bytes, offset, got);
    }
    int write_at(int descriptor, const void* from, size_t bytes, uint64_t offset,
                 size_t& got) override {
        return files_.write_at(descriptor, from, bytes, offset, got);
    }
    int sync(int descriptor) override { return files_.sync(descriptor); }
    int sync_data(int descriptor) override { return files_.sync_data(descriptor); }
    int truncate(int descriptor, uint64_t bytes) override {
        return files_.truncate(descriptor, bytes);
    }
    int info(int descriptor, core::FileInfo& out) override { return files_.info(descriptor, out); }
    int info(const Path& path, core::FileInfo& out) override { return files_.info(path, out); }
    int rename(const Path& from, const Path& to) override { return files_.rename(from, to); }
    int unlink(const Path& path) override { return files_.unlink(path); }
    int sync_directory(const Path& path) override { return files_.sync_directory(path); }
    int list(const Path& path, std::vector<std::string>& names) override {
        return files_.list(path, names);
    }
    int map_read_only(int descriptor, size_t bytes, void* at, void*& out) override {
        return files_.map_read_only(descriptor, bytes, at, out);
    }
    void unmap(void* at, size_t bytes) noexcept override { files_.unmap(at, bytes); }
    int try_lock(int descriptor) override { return files_.try_lock(descriptor); }
    int free_space(const Path& path, uint64_t& bytes) override {
        return files_.free_space(path, bytes);
    }
    int is_network_file_system(const Path& path, bool& network) override {
        return files_.is_network_file_system(path, network);
    }

  private:
    core::SystemFiles files_;
};

/// On what they say is a network file system.
class NetworkFiles final : public ForwardedFiles {
  public:
    int is_network_file_system(const Path&, bool& network) override {
        network = true;
        return 0;
    }
};

}  // namespace keel::tests
