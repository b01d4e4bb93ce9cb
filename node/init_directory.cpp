#include "node/init_directory.hpp"

#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "db/error.hpp"
#include "node/datadir.hpp"
#include "node/lock.hpp"
#include "state/tables.hpp"

namespace keel::node {
namespace {

using Path = std::filesystem::path;

/// What a directory was before a database was made in it, and the way back there.
class Before {
  public:
    Before(core::FileSystem& files, Path directory)
        : files_(files), directory_(std::move(directory)) {
        std::error_code failed;
        for (Path at = std::filesystem::absolute(directory_, failed);
             !failed && !std::filesystem::exists(at, failed) && at != at.parent_path();
             at = at.parent_path())
            missing_.push_back(at);
        if (missing_.empty()) {
            had_lock_ = core::file_info(files_, directory_ / kLockName).has_value();
            had_store_ = core::file_info(files_, directory_ / kMarkerName).has_value() ||
                         find_data_file(files_, directory_).has_value();
        }
    }

    /// Takes away what was made since. The database is closed. Nothing is touched while another
    /// process has it.
    void restore() noexcept {
        if (had_store_) return;
        try {
            DirectoryLock lock(files_, directory_, {});
            for (const db::Backend backend : {db::Backend::Mem, db::Backend::Lmdb})
                remove_store_files(files_, directory_, backend);
            files_.unlink(directory_ / kMarkerName);
            if (!had_lock_) files_.unlink(directory_ / kLockName);
        } catch (const core::Fault&) {
            return;  // the fault that led here is what the user must hear of
        }
        std::error_code ignored;
        for (const Path& made : missing_) std::filesystem::remove(made, ignored);
    }

  private:
    core::FileSystem& files_;
    const Path directory_;
    std::vector<Path> missing_;  // innermost first
    bool had_store_ = false;
    bool had_lock_ = false;
};

}  // namespace

chain::GenesisWritten init_directory(Options options, const chain::Genesis& genesis,
                                     std::optional<uint64_t> network_id) {
    core::SystemFiles system_files;
    options.schema = state::schema();
    Before before(options.files != nullptr ? *options.files : system_files, options.directory);
    // Closes what it opened by itself when it fails.
    const db::Database database = open_database(options);
    try {
        const chain::GenesisWritten written = chain::write_genesis(database, genesis, network_id);
        database.close();
        return written;
    } catch (...) {
        try {
            database.close();
        } catch (const core::Fault&) {
            // The first fault is the one that tells.
        }
        before.restore();
        throw;
    }
}

}  // namespace keel::node
