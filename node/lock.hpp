#pragma once

// The writer's lock of a data directory: an open-file-description lock on its file LOCK. Whether it
// is held decides, not what it contains; the file stays in place afterwards (KV.md R36).

#include <sys/types.h>

#include <filesystem>
#include <string>

#include "core/files.hpp"
#include "db/error.hpp"

namespace keel::node {

/// Another process holds the directory.
class InUse : public db::Error {
  public:
    InUse(const std::filesystem::path& directory, uint64_t pid, std::string command,
          std::string since);
    uint64_t pid() const noexcept { return pid_; }  // 0: the holder has not written it yet
    const std::string& command() const noexcept { return command_; }
    const std::string& since() const noexcept { return since_; }

  private:
    uint64_t pid_;
    std::string command_;
    std::string since_;
};

/// Held from construction to release() or its end. One thread.
class DirectoryLock {
  public:
    DirectoryLock() = default;
    /// Throws InUse at once (at most 50 ms) when the lock is held. `command` empty: this process'
    /// command line.
    DirectoryLock(core::FileSystem& files, const std::filesystem::path& directory,
                  std::string command);

    bool held() const noexcept { return file_.is_open(); }
    void release() noexcept;
    /// For an open that failed: removes the file too if this object made it.
    void release_as_it_was(core::FileSystem& files) noexcept;

  private:
    core::File file_;
    bool created_ = false;
};

/// Words of this process' command line, parted by blanks.
std::string command_line(core::FileSystem& files);

}  // namespace keel::node
