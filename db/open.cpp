#include "db/open.hpp"

#include <fmt/format.h>

#include <utility>

#include "db/bulk_runs.hpp"
#include "db/lmdb/env.hpp"
#include "db/mem/store.hpp"
#include "db/view_guard.hpp"

namespace keel::db {

const char* to_string(Backend backend) noexcept {
    return backend == Backend::Mem ? "mem" : "lmdb";
}

const char* to_string(Durability durability) noexcept {
    switch (durability) {
        case Durability::Close:
            return "close";
        case Durability::Group:
            return "group";
        case Durability::Commit:
            return "commit";
    }
    return "?";
}

namespace {

Database to_database(std::shared_ptr<detail::StoreImpl> store) {
#ifdef KEEL_VIEW_GUARD
    store = guard_views(std::move(store));
#endif
    return Database(std::move(store));
}

}  // namespace

void note_if_suspect(const OpenOptions& options, const std::string& producer,
                     const std::filesystem::path& file, uint64_t first_commit,
                     uint64_t last_commit) {
    if (options.observer == nullptr || first_commit > last_commit) return;
    for (const std::string& suspect : options.suspect_producers)
        if (producer.starts_with(suspect))
            options.observer->note(
                "suspect_data",
                fmt::format("{}: commits {} to {} were written by {}, which is known to write "
                            "wrong data: make the directory anew from its blocks",
                            file.string(), first_commit, last_commit, producer));
}

Database open(Backend backend, const OpenOptions& options) {
    // It looks for what is left of bulk loads by itself, in the one listing of the directory.
    if (backend == Backend::Mem) return to_database(mem::open_store(options));
    std::shared_ptr<detail::StoreImpl> store = lmdb::open_store(options);
    if (options.access == Access::ReadWrite && !options.directory.empty()) {
        core::SystemFiles system_files;
        remove_left_runs(options.files != nullptr ? *options.files : system_files,
                         options.directory);
    }
    return to_database(std::move(store));
}

Database open_ephemeral(const Schema& schema, uint64_t reserve_bytes) {
    OpenOptions options;
    options.durability = Durability::Close;
    options.schema = schema;
    options.reserve_bytes = reserve_bytes;
    return to_database(mem::open_store(options));
}

}  // namespace keel::db
