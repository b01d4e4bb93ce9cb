#include "db/tools/compact.hpp"

#include "db/lmdb/compact.hpp"
#include "db/mem/compact.hpp"
#include "db/mem/log_format.hpp"

namespace keel::db::tools {
namespace {

uint64_t data_bytes(core::FileSystem& files, const std::filesystem::path& directory) {
    uint64_t bytes = 0;
    for (const std::string& name : core::list_directory(files, directory)) {
        const bool counts =
            name == "store.img" || name == "data.mdb" || mem::parse_log_name(name).has_value();
        if (!counts) continue;
        if (const auto info = core::file_info(files, directory / name)) bytes += info->size_bytes;
    }
    return bytes;
}

}  // namespace

CompactReport compact(Backend backend, const OpenOptions& options, const Progress& progress) {
    core::SystemFiles system_files;
    core::FileSystem& files = options.files != nullptr ? *options.files : system_files;
    try {
        CompactReport report;
        report.bytes_before = data_bytes(files, options.directory);
        report.view_id = backend == Backend::Mem ? mem::compact(options, progress)
                                                 : lmdb::compact(options, progress);
        report.bytes_after = data_bytes(files, options.directory);
        return report;
    } catch (const core::FileFault& fault) {
        throw Error(fault.disk_full() ? ErrorCode::DiskFull : ErrorCode::Io, fault.message());
    }
}

}  // namespace keel::db::tools
