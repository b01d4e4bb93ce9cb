#pragma once

// What the contract's tests of opening and ending stand on: a data directory of either backend,
// opened through node::open_database, and other processes that do the same
// (tests/support/store_child.cpp).

#include <filesystem>
#include <map>
#include <string>

#include "db/testing/contract_fixture.hpp"
#include "node/open_database.hpp"
#include "tests/support/child_process.hpp"

namespace keel::tests {

using db::Database;
using db::ErrorCode;
using db::testing::BackendNames;
using db::testing::BothBackends;
using db::testing::error_of;
using db::testing::TempDirectory;

/// Path below `directory` -> content of each regular file; directories have none. Nor have LOCK and
/// lock.mdb: they are about the processes that had the store open, not about its data.
inline std::map<std::string, std::string> contents_of(const std::filesystem::path& directory) {
    core::SystemFiles files;
    std::map<std::string, std::string> contents;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
        const std::string name = std::filesystem::relative(entry.path(), directory).string();
        contents[name] =
            entry.is_regular_file() && entry.path().filename() != "LOCK" &&
                    entry.path().filename() != "lock.mdb"
                ? std::string(core::ByteView(core::read_file(files, entry.path())).text())
                : "";
    }
    return contents;
}

template <class Tag>
class KvContract : public ::testing::Test {
  public:
    static constexpr db::Backend kBackend = Tag::kBackend;
    static constexpr bool kMem = Tag::kBackend == db::Backend::Mem;

    /// The data directory; made by the first open that writes.
    std::filesystem::path directory() const { return root_.path() / "data"; }
    /// The directory around it, of this test alone.
    const std::filesystem::path& root() const { return root_.path(); }

    node::Options options() const {
        node::Options options;
        options.directory = directory();
        options.backend = kBackend;
        options.durability = db::Durability::Close;
        options.schema = {{"T", db::Kind::Plain}};
        options.producer = "keel contract tests";
        return options;
    }
    Database open() const { return node::open_database(options()); }
    Database open_at(const std::filesystem::path& directory) const {
        node::Options other = options();
        other.directory = directory;
        return node::open_database(other);
    }
    Database open_read_only() const {
        node::Options reading = options();
        reading.access = db::Access::ReadOnly;
        reading.durability.reset();
        return node::open_database(reading);
    }
    static void put(const Database& store, core::ByteView key) {
        store.update([&](db::WriteTxn& txn) { txn.put(store.table("T"), key, "v"); });
    }
    static bool has(const Database& store, core::ByteView key) {
        return store.begin_ro().has(store.table("T"), key);
    }
    static uint64_t count(const Database& store) {
        return store.begin_ro().count(store.table("T"));
    }
    /// The arguments of a child that opens this test's directory.
    std::vector<std::string> child(const std::string& command, uint64_t rows = 0) const {
        return {KEEL_STORE_CHILD, directory().string(), Tag::kName, command, std::to_string(rows)};
    }

  private:
    TempDirectory root_;
};

}  // namespace keel::tests
