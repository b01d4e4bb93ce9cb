#pragma once

// A data directory that appears whole or not at all: it is filled under another name beside its
// place, which it takes by rename.

#include <filesystem>

#include "core/files.hpp"

namespace keel::node {

class NewDirectory {
  public:
    /// `target` does not exist, or is an empty directory; a fault of kind Usage otherwise. What an
    /// interrupted one has left of a database is taken away first.
    NewDirectory(core::FileSystem& files, const std::filesystem::path& target);
    /// Takes away what was filled, unless kept.
    ~NewDirectory();
    NewDirectory(const NewDirectory&) = delete;
    NewDirectory& operator=(const NewDirectory&) = delete;

    /// Where to fill it.
    const std::filesystem::path& path() const noexcept { return path_; }
    /// Nothing in it is open any more, and all of it is on disk.
    void keep();

  private:
    void remove_files() noexcept;

    core::FileSystem& files_;
    std::filesystem::path target_;
    std::filesystem::path path_;
    bool kept_ = false;
};

}  // namespace keel::node
