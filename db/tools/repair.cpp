#include "db/tools/repair.hpp"

#include "db/lmdb/repair.hpp"
#include "db/mem/image.hpp"
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
    const std::filesystem::path data =
        directory / (backend == Backend::Mem ? mem::kImageName : std::string_view("data.mdb"));
    if (!core::file_info(files, data))
        throw Error(ErrorCode::Corrupt,
                    data.string() + " is missing, and nothing else says what was in it");
    try {
        return backend == Backend::Mem ? mem::repair(files, directory, change)
                                       : lmdb::repair(files, directory, change);
    } catch (const core::FileFault& fault) {
        throw Error(fault.disk_full() ? ErrorCode::DiskFull : ErrorCode::Io, fault.message());
    }
}

}  // namespace keel::db::tools
