#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "core/files.hpp"
#include "db/database.hpp"

namespace keel::db {

enum class Backend : uint8_t { Mem, Lmdb };
enum class Access : uint8_t { ReadWrite, ReadOnly };
/// When commit returns, and what a crash may take back (DESIGN.md 2.2).
enum class Durability : uint8_t { Close, Group, Commit };

const char* to_string(Backend backend) noexcept;
const char* to_string(Durability durability) noexcept;

/// Events the store tells its owner; it writes no log itself. Called on the thread where they
/// happen, under no lock.
class Observer {
  public:
    virtual ~Observer() = default;
    virtual void long_reader(const LongReader&) {}
    virtual void note(std::string_view /*event*/, std::string_view /*details*/) {}
};

struct OpenOptions {
    std::filesystem::path
        directory;  // exists; its lock and marker are the caller's business (node::open_database)
    Access access = Access::ReadWrite;
    Durability durability = Durability::Group;
    Schema schema;
    uint64_t size_max_bytes = 0;  // 0: as the disk; else MapFull beyond it
    uint64_t reserve_bytes =
        0;  // address space; 0: the backend's default (1 TiB, halved while refused)
    uint64_t reader_warn_ms = 60'000;  // R49
    uint64_t close_grace_ms = 5'000;   // R19: how long close waits for the writer
    std::string producer;              // version and commit of the program, kept in the file header
    std::string uid;                   // 32 hex digits; drawn when empty and the store is new
    bool expect_created =
        false;  // the directory's marker says the data file exists: missing or empty is Corrupt
    // mem: a log longer than this and than a quarter of the image is folded into a new image.
    uint64_t fold_bytes_min = uint64_t{64} << 20;
    // Beginnings of `producer` texts: data that one of these wrote is announced at open (R43).
    std::vector<std::string> suspect_producers;
    Observer* observer = nullptr;  // lifetime: outlives the store
    core::FileSystem* files =
        nullptr;  // lifetime: outlives the store; null: the system's (mem only)
};

/// For the backends: tells the observer if these commits of `file` are a suspect producer's.
void note_if_suspect(const OpenOptions& options, const std::string& producer,
                     const std::filesystem::path& file, uint64_t first_commit,
                     uint64_t last_commit);

/// Opens the store in `options.directory` (mem: store.img; lmdb: data.mdb, lock.mdb). Creates it in
/// a read-write open; creation is commit 1. Throws Error; a failed open changes nothing.
Database open(Backend backend, const OpenOptions& options);

/// The page tree alone: unregistered, nothing on disk. The runners use one a test, unit tests too.
Database open_ephemeral(const Schema& schema, uint64_t reserve_bytes = 0);

}  // namespace keel::db
