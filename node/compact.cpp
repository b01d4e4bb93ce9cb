#include "node/compact.hpp"

#include <fmt/format.h>

#include <thread>

#include "node/datadir.hpp"
#include "node/lock.hpp"

namespace keel::node {
namespace {

constexpr std::chrono::milliseconds kWaitStep{10};

DirectoryLock wait_for_lock(core::FileSystem& files, const Options& options) {
    const auto give_up = std::chrono::steady_clock::now() + options.wait;
    while (true) {
        try {
            return DirectoryLock(files, options.directory, options.command);
        } catch (const InUse&) {
            if (std::chrono::steady_clock::now() >= give_up) throw;
        }
        std::this_thread::sleep_for(kWaitStep);
    }
}

}  // namespace

db::tools::CompactReport compact_directory(const Options& options,
                                           const db::tools::Progress& progress) {
    core::SystemFiles system_files;
    core::FileSystem& files = options.files != nullptr ? *options.files : system_files;
    const auto none = [&](const char* what) {
        return db::Error(db::ErrorCode::NotFound,
                         fmt::format("{}: {}", options.directory.string(), what));
    };
    const std::optional<core::FileInfo> folder = core::file_info(files, options.directory);
    if (!folder || !folder->is_directory) throw none("there is no such directory");
    // Before the lock, so that a directory without a database stays as it is.
    if (!read_marker(files, options.directory) && !find_data_file(files, options.directory))
        throw none("there is no database in it");
    const DirectoryLock lock = wait_for_lock(files, options);
    const std::optional<Marker> marker = read_marker(files, options.directory);
    const std::optional<db::Backend> stored =
        marker ? std::optional(marker->backend) : find_data_file(files, options.directory);
    if (!stored) throw none("there is no database in it");
    if (options.backend && *options.backend != *stored)
        throw db::Error(db::ErrorCode::WrongBackend,
                        fmt::format("{} holds a database of backend {}, not {}: leave --db away",
                                    options.directory.string(), db::to_string(*stored),
                                    db::to_string(*options.backend)));
    db::OpenOptions open;
    open.directory = options.directory;
    open.producer = options.producer;
    open.uid = marker ? marker->uid : std::string();
    open.expect_created = true;
    open.observer = options.observer;
    open.files = options.files;
    return db::tools::compact(*stored, open, progress);
}

}  // namespace keel::node
