#include "db/open.hpp"

#include <utility>

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

Database open(Backend backend, const OpenOptions& options) {
    return to_database(backend == Backend::Mem ? mem::open_store(options)
                                               : lmdb::open_store(options));
}

Database open_ephemeral(const Schema& schema, uint64_t reserve_bytes) {
    OpenOptions options;
    options.durability = Durability::Close;
    options.schema = schema;
    options.reserve_bytes = reserve_bytes;
    return to_database(mem::open_store(options));
}

}  // namespace keel::db
