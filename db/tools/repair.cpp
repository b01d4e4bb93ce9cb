#include "db/tools/repair.hpp"

#include "db/lmdb/repair.hpp"
#include "db/mem/repair.hpp"

namespace keel::db::tools {

std::filesystem::path damaged_name(core::FileSystem& files, const std::filesystem::path& path) {
    std::filesystem::path name = path;
    name += ".damaged";
    for (int number = 2; core::file_info(files, name); ++number) {
        name = path;
        name += ".damaged-" + std::to_string(number);
    }
    return name;
}

RepairReport repair(Backend backend, core::FileSystem& files,
                    const std::filesystem::path& directory, bool change) {
    try {
        return backend == Backend::Mem ? mem::repair(files, directory, change)
                                       : lmdb::repair(files, directory, change);
    } catch (const core::FileFault& fault) {
        throw Error(fault.disk_full() ? ErrorCode::DiskFull : ErrorCode::Io, fault.message());
    }
}

}  // namespace keel::db::tools
