#include "node/open_database.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "node/datadir.hpp"
#include "node/lock.hpp"
#include "node/registry.hpp"

namespace keel::node {
namespace {

using Path = std::filesystem::path;

constexpr std::chrono::milliseconds kWaitStep{10};

// Builds that are known to have written wrong data, as their producers begin. None so far.
constexpr std::array<std::string_view, 0> kSuspectProducers = {};

/// Directories that were made on the way; taken away again unless kept.
class MadeDirectories {
  public:
    MadeDirectories() = default;
    MadeDirectories(const MadeDirectories&) = delete;
    MadeDirectories& operator=(const MadeDirectories&) = delete;
    ~MadeDirectories() {
        std::error_code ignored;
        for (auto made = made_.rbegin(); made != made_.rend(); ++made)
            std::filesystem::remove(*made, ignored);
    }
    void make(const Path& path) {
        std::vector<Path> missing;
        for (Path at = path; !at.empty() && !std::filesystem::exists(at); at = at.parent_path()) {
            missing.push_back(at);
            if (at == at.parent_path()) break;
        }
        for (auto at = missing.rbegin(); at != missing.rend(); ++at) {
            std::error_code failed;
            if (std::filesystem::create_directory(*at, failed)) made_.push_back(*at);
            if (failed) throw core::FileFault(*at, "mkdir", failed.value());
        }
    }
    void keep() noexcept { made_.clear(); }

  private:
    std::vector<Path> made_;
};

Path canonical_path(const Path& path) {
    std::error_code failed;
    Path found = std::filesystem::weakly_canonical(std::filesystem::absolute(path), failed);
    if (failed) throw core::FileFault(path, "realpath", failed.value());
    // "dir/" and "dir" are one.
    if (!found.has_filename() && found.has_parent_path() && found != found.root_path())
        found = found.parent_path();
    return found;
}

void refuse_network(core::FileSystem& files, Path at) {
    const Path directory = at;
    while (!core::file_info(files, at) && at != at.parent_path()) at = at.parent_path();
    bool network = false;
    if (const int code = files.is_network_file_system(at, network); code != 0)
        throw core::FileFault(at, "statfs", code);
    if (network)
        throw db::Error(db::ErrorCode::NetworkFileSystem,
                        fmt::format("{} is on a network file system, where locks and shared maps "
                                    "are unreliable: use a local disk, or --db.allow-nfs",
                                    directory.string()));
}

db::Error no_database(const Path& path) {
    return db::Error(
        db::ErrorCode::NotFound,
        fmt::format("{}: there is no database in it: keel init makes one", path.string()));
}

db::Backend choose_backend(const Options& options, const Path& directory,
                           std::optional<db::Backend> stored) {
    if (!stored) return options.backend.value_or(db::Backend::Mem);
    if (options.backend && *options.backend != *stored)
        throw db::Error(
            db::ErrorCode::WrongBackend,
            fmt::format("{} holds a database of backend {}, not {}: leave --db away, or copy it "
                        "with keel db convert",
                        directory.string(), db::to_string(*stored),
                        db::to_string(*options.backend)));
    return *stored;
}

db::Durability choose_durability(const Options& options) {
    if (options.access == db::Access::ReadOnly) return db::Durability::Close;
    return options.durability.value_or(db::Durability::Group);
}

/// Whether the open store is the one asked for; throws OptionsConflict when it is, with other
/// options.
bool is_same(const OpenStore& open, const Options& options, const core::FileInfo& directory) {
    if (open.identity.device != directory.device || open.identity.inode != directory.inode)
        return false;
    const auto conflict = [&](const char* option) {
        return db::Error(
            db::ErrorCode::OptionsConflict,
            fmt::format("{} is open in this process with another {}", open.path, option));
    };
    choose_backend(options, open.path, open.backend);
    if (options.access != open.access) throw conflict("access");
    if (options.durability && options.access == db::Access::ReadWrite &&
        *options.durability != open.durability)
        throw conflict("durability");
    const bool same_schema = std::ranges::equal(
        options.schema, open.schema, [](const db::TableSpec& a, const db::TableSpec& b) {
            return a.name == b.name && a.kind == b.kind && a.append_only == b.append_only;
        });
    if (!options.schema.empty() && !same_schema) throw conflict("schema");
    return true;
}

std::shared_ptr<OpenStore> open_store(const Options& options, const Path& path,
                                      core::FileSystem& files) {
    const bool writes = options.access == db::Access::ReadWrite;
    if (writes && !options.allow_network_file_system) refuse_network(files, path);
    MadeDirectories made;
    if (writes && options.create) made.make(path);
    const std::optional<core::FileInfo> info = core::file_info(files, path);
    if (!info || !info->is_directory)
        throw db::Error(db::ErrorCode::NotFound,
                        fmt::format("{}: {}: keel init makes a database", path.string(),
                                    info ? "not a directory" : "there is no such directory"));

    const auto store = std::make_shared<OpenStore>();
    store->path = path.string();
    store->directory = core::File(files, path, core::OpenMode::Read);
    store->identity = store->directory.info();
    store->access = options.access;
    store->schema = options.schema;
    if (writes) store->lock = DirectoryLock(files, path, options.command);
    bool creates = false;
    try {
        const std::optional<Marker> marker = read_marker(files, path);
        const std::optional<db::Backend> stored =
            marker ? std::optional(marker->backend) : find_data_file(files, path);
        if (!stored && !(writes && options.create)) throw no_database(path);
        store->backend = choose_backend(options, path, stored);
        store->durability = choose_durability(options);

        db::OpenOptions open;
        open.directory = path;
        open.access = options.access;
        open.durability = store->durability;
        open.schema = options.schema;
        open.size_max_bytes = options.size_max_bytes;
        open.reader_warn_ms = options.reader_warn_ms;
        open.producer = options.producer;
        open.fold_bytes_min = options.fold_bytes_min;
        open.suspect_producers = options.suspect_producers;
        open.suspect_producers.insert(open.suspect_producers.end(), kSuspectProducers.begin(),
                                      kSuspectProducers.end());
        open.uid = marker ? marker->uid : std::string();
        open.expect_created = marker.has_value();
        open.observer = options.observer;
        open.files = options.files;
        store->database = db::open(store->backend, open);
        creates = !stored;
        if (marker && store->database.uid() != marker->uid)
            throw db::Error(
                db::ErrorCode::Corrupt,
                fmt::format("{}: the store in it is database {}, {} says {}", path.string(),
                            store->database.uid(), kMarkerName, marker->uid));
        if (writes && !marker)
            write_marker(files, path,
                         {.backend = store->backend,
                          .uid = store->database.uid(),
                          .producer = options.producer});
    } catch (...) {
        store->database = db::Database();
        if (creates) remove_store_files(files, path, store->backend);
        store->lock.release_as_it_was(files);
        throw;
    }
    made.keep();
    return store;
}

}  // namespace

db::Database open_database(const Options& options) {
    if (options.directory.empty())
        throw core::Fault(core::FaultKind::Usage, "no data directory was named");
    std::unique_ptr<core::FileSystem> own_files;
    if (options.files == nullptr) own_files = std::make_unique<core::SystemFiles>();
    core::FileSystem& files = own_files ? *own_files : *options.files;
    const Path path = canonical_path(options.directory);
    const auto find = [&](const OpenStore& open) {
        const std::optional<core::FileInfo> info = core::file_info(files, path);
        return info && is_same(open, options, *info);
    };
    const auto open = [&] {
        std::shared_ptr<OpenStore> store = open_store(options, path, files);
        store->own_files = std::move(own_files);
        return store;
    };
    const auto give_up = std::chrono::steady_clock::now() + options.wait;
    while (true) {
        try {
            return Registry::process().acquire(find, open);
        } catch (const InUse&) {
            if (std::chrono::steady_clock::now() >= give_up) throw;
        }
        // Outside the registry: a signal must find its lock free.
        std::this_thread::sleep_for(kWaitStep);
    }
}

}  // namespace keel::node
