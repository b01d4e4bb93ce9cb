#include "node/repair.hpp"

#include <fmt/format.h>

#include "node/datadir.hpp"
#include "node/lock.hpp"

namespace keel::node {

db::tools::RepairReport repair_directory(const Options& options, bool change) {
    core::SystemFiles system_files;
    core::FileSystem& files = options.files != nullptr ? *options.files : system_files;
    const std::optional<core::FileInfo> folder = core::file_info(files, options.directory);
    if (!folder || !folder->is_directory)
        throw db::Error(db::ErrorCode::NotFound,
                        fmt::format("{}: there is no such directory", options.directory.string()));
    db::tools::RepairReport report;
    {
        const DirectoryLock lock(files, options.directory, options.command);
        const std::optional<Marker> marker = read_marker(files, options.directory);
        const std::optional<db::Backend> backend =
            marker ? std::optional(marker->backend) : find_data_file(files, options.directory);
        if (!backend)
            throw db::Error(db::ErrorCode::NotFound, fmt::format("{}: there is no database in it",
                                                                 options.directory.string()));
        report = db::tools::repair(*backend, files, options.directory, change);
    }
    if (!change || report.found.empty()) return report;
    Options opening = options;
    opening.create = false;
    opening.schema.clear();
    const db::Database database = open_database(opening);
    report.commit_id = database.begin_ro().view_id();
    database.close();
    return report;
}

}  // namespace keel::node
