#include "db/open.hpp"

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

}  // namespace keel::db
