#pragma once

// The layout of a data directory and its marker, the file KEEL. The marker is written when the
// store's files are there, so a marker without them tells of loss, and files without a marker only
// of a crash during creation: they are adopted.

#include <filesystem>
#include <optional>
#include <string>

#include "core/files.hpp"
#include "db/open.hpp"

namespace keel::node {

inline constexpr const char* kMarkerName = "KEEL";
inline constexpr const char* kLockName = "LOCK";
inline constexpr const char* kImageName = "store.img";  // backend mem
inline constexpr uint32_t kDatadirFormat = 1;

struct Marker {
    db::Backend backend = db::Backend::Mem;
    uint32_t format = kDatadirFormat;
    std::string uid;       // 32 hex digits, the store's
    std::string producer;  // version and commit of the program that made the directory
    friend bool operator==(const Marker&, const Marker&) = default;
};

/// None: there is no marker. Throws Corrupt for one that cannot be read, VersionMismatch for a
/// newer one.
std::optional<Marker> read_marker(core::FileSystem& files, const std::filesystem::path& directory);
void write_marker(core::FileSystem& files, const std::filesystem::path& directory,
                  const Marker& marker);

/// Backend whose data file lies in the directory; none: neither. Throws Corrupt for both.
std::optional<db::Backend> find_data_file(core::FileSystem& files,
                                          const std::filesystem::path& directory);
/// Removes the files that a store of this backend makes, if they are there.
void remove_store_files(core::FileSystem& files, const std::filesystem::path& directory,
                        db::Backend backend) noexcept;

}  // namespace keel::node
