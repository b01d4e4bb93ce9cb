#include "node/new_directory.hpp"

#include <fmt/format.h>

#include <system_error>

#include "core/fault.hpp"
#include "node/datadir.hpp"

namespace keel::node {
namespace {

constexpr const char* kSuffix = ".partial";

core::Fault in_the_way(const std::filesystem::path& path) {
    return core::Fault(core::FaultKind::Usage, fmt::format("{} is not empty", path.string()));
}

bool is_empty_or_missing(const std::filesystem::path& path) {
    std::error_code failed;
    const std::filesystem::file_status status = std::filesystem::status(path, failed);
    if (status.type() == std::filesystem::file_type::not_found) return true;
    return status.type() == std::filesystem::file_type::directory &&
           std::filesystem::is_empty(path, failed) && !failed;
}

}  // namespace

NewDirectory::NewDirectory(core::FileSystem& files, const std::filesystem::path& target)
    : files_(files), target_(std::filesystem::absolute(target).lexically_normal()) {
    if (!target_.has_filename()) target_ = target_.parent_path();
    path_ = target_;
    path_ += kSuffix;
    if (!is_empty_or_missing(target_)) throw in_the_way(target_);
    remove_files();
    if (!is_empty_or_missing(path_)) throw in_the_way(path_);
}

NewDirectory::~NewDirectory() {
    if (kept_) return;
    remove_files();
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
}

void NewDirectory::remove_files() noexcept {
    for (const db::Backend backend : {db::Backend::Mem, db::Backend::Lmdb})
        remove_store_files(files_, path_, backend);
    for (const char* const name : {kMarkerName, kLockName}) files_.unlink(path_ / name);
    // Temporaries of one that was killed.
    for (const char* const name : {"KEEL.tmp", "store.img.tmp", "store.log.tmp", "data.mdb.tmp"})
        files_.unlink(path_ / name);
}

void NewDirectory::keep() {
    core::rename_durably(files_, path_, target_);
    kept_ = true;
}

}  // namespace keel::node
