#include "db/open.hpp"

#include "db/mem/store.hpp"

#ifdef KEEL_DB_LMDB
#include "db/lmdb/env.hpp"
#endif

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

Database open(Backend backend, const OpenOptions& options) {
#ifdef KEEL_DB_LMDB
    if (backend == Backend::Lmdb) return Database(lmdb::open_store(options));
#endif
    if (backend != Backend::Mem)
        throw Error(ErrorCode::WrongBackend, "this build has no lmdb backend");
    return Database(mem::open_store(options));
}

Database open_ephemeral(const Schema& schema, uint64_t reserve_bytes) {
    OpenOptions options;
    options.durability = Durability::Close;
    options.schema = schema;
    options.reserve_bytes = reserve_bytes;
    return Database(mem::open_store(options));
}

}  // namespace keel::db
