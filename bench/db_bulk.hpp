#pragma once

// Bulk writing and paged reading: records with a primary key that arrives sorted and two indexes
// that do not. Each write is a process of its own, from before opening to after closing with all
// on disk; and once more in that process, warm.

#include <fcntl.h>
#include <rocksdb/sst_file_writer.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

#include "bench/db_rows.hpp"
#include "db/bulk_load.hpp"

namespace keel::bench {

/// Puts `count` records into a new store in the directory and closes it, all on disk.
using BulkWrite = std::function<void(const std::filesystem::path& directory, uint64_t count)>;

// Index keys of both kinds stand in one table, told apart by their first letter.

inline void bulk_lmdb(const std::filesystem::path& directory, uint64_t count, bool sorted) {
    Lmdb store{.flags = MDB_NOSYNC | MDB_WRITEMAP};
    store.open(directory);
    MDB_txn* txn = store.begin_write();
    Grant grant;
    std::string key;
    std::vector<std::string> keys;
    for (uint64_t i = 0; i < count; ++i) {
        grant_of(i, grant);
        store.append(txn, kMain, grant.primary, grant.record);
        for (const bool principal : {false, true}) {
            index_key((principal ? "p" : "e") + (principal ? grant.principal : grant.entitlement),
                      grant.primary, key);
            if (sorted) {
                keys.push_back(key);
            } else {
                store.put(txn, kScratch, key, "");
            }
        }
    }
    std::ranges::sort(keys);
    for (const std::string& each : keys) store.append(txn, kScratch, each, "");
    store.commit(txn);
    store.sync();
    store.close();
}

inline void sync_files(const std::filesystem::path& directory) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
        if (!entry.is_regular_file()) continue;
        const int descriptor = ::open(entry.path().c_str(), O_RDONLY);
        if (descriptor < 0) continue;
        ::fsync(descriptor);
        ::close(descriptor);
    }
}

inline void bulk_rocks(const std::filesystem::path& directory, uint64_t count, bool ingest) {
    Rocks store;
    store.open(directory);
    Grant grant;
    std::string key;
    const auto each_key = [&](auto&& use) {
        index_key("e" + grant.entitlement, grant.primary, key);
        use();
        index_key("p" + grant.principal, grant.primary, key);
        use();
    };
    if (ingest) {
        std::vector<std::string> keys;
        rocksdb::SstFileWriter records({}, Rocks::options(), store.tables[kMain]);
        Rocks::check(records.Open((directory / "records.sst").string()));
        for (uint64_t i = 0; i < count; ++i) {
            grant_of(i, grant);
            Rocks::check(records.Put(grant.primary, grant.record));
            each_key([&] { keys.push_back(key); });
        }
        Rocks::check(records.Finish());
        std::ranges::sort(keys);
        rocksdb::SstFileWriter index({}, Rocks::options(), store.tables[kScratch]);
        Rocks::check(index.Open((directory / "index.sst").string()));
        for (const std::string& sorted_key : keys) Rocks::check(index.Put(sorted_key, ""));
        Rocks::check(index.Finish());
        rocksdb::IngestExternalFileOptions how;
        how.move_files = true;
        const auto ingest_file = [&](size_t table, const char* name) {
            Rocks::check(store.store->IngestExternalFile(store.tables[table],
                                                         {(directory / name).string()}, how));
        };
        ingest_file(kMain, "records.sst");
        ingest_file(kScratch, "index.sst");
    } else {
        constexpr size_t kBatchBytes = 4 << 20;
        Rocks::Write txn = store.begin_write();
        for (uint64_t i = 0; i < count; ++i) {
            grant_of(i, grant);
            store.put(txn, kMain, grant.primary, grant.record);
            each_key([&] { store.put(txn, kScratch, key, ""); });
            if (txn.batch.GetDataSize() <= kBatchBytes) continue;
            store.commit(txn);
            txn = store.begin_write();
        }
        store.commit(txn);
    }
    store.close();
    sync_files(directory);
}

inline void bulk_sqlite(const std::filesystem::path& directory, uint64_t count, bool late) {
    std::filesystem::create_directories(directory);
    Sqlite store;
    store.check(sqlite3_open((directory / "store.db").c_str(), &store.store));
    store.execute(
        "pragma journal_mode=wal; pragma synchronous=off; pragma cache_size=-1000000;"
        "create table g(id text primary key, ent text, prin text, r blob)");
    const char* const indexes = "create index ge on g(ent,id); create index gp on g(prin,id);";
    if (!late) store.execute(indexes);
    sqlite3_stmt* const insert = store.prepare("insert into g values(?,?,?,?)");
    store.execute("begin");
    Grant grant;
    for (uint64_t i = 0; i < count; ++i) {
        grant_of(i, grant);
        int at = 0;
        for (const std::string* const text :
             {&grant.primary, &grant.entitlement, &grant.principal, &grant.record})
            sqlite3_bind_text(insert, ++at, text->data(), static_cast<int>(text->size()),
                              SQLITE_STATIC);
        store.step(insert);
    }
    if (late) store.execute(indexes);
    store.execute("commit; pragma wal_checkpoint(truncate)");
    sqlite3_finalize(insert);
    store.check(sqlite3_close(store.store));
    sync_files(directory);
}

inline void bulk_keel(const std::filesystem::path& directory, uint64_t count, db::Backend backend,
                      db::Durability durability) {
    Keel store{.backend = backend, .durability = durability};
    store.open(directory);
    {
        db::WriteTxn txn = store.begin_write();
        db::BulkLoad load;
        db::BulkLoad::Stream& records = load.table(store.tables[kMain]);
        db::BulkLoad::Stream& index = load.index(store.tables[kScratch], records);
        load.begin(txn);
        Grant grant;
        std::string key;
        for (uint64_t i = 0; i < count; ++i) {
            grant_of(i, grant);
            records.add(grant.primary, grant.record);
            index_key("e" + grant.entitlement, grant.primary, key);
            index.add(key, "");
            index_key("p" + grant.principal, grant.primary, key);
            index.add(key, "");
        }
        load.into(txn);
        txn.commit();
    }
    store.close();
}

/// The floor: as many bytes as the records have, in one file.
inline void bulk_raw(const std::filesystem::path& directory, uint64_t count) {
    std::filesystem::create_directories(directory);
    core::SystemFiles files;
    core::File file(files, directory / "raw", core::OpenMode::CreateEmptied);
    std::vector<uint8_t> buffer;
    uint64_t written = 0;
    const auto flush = [&] {
        file.write_at(buffer, written);
        written += buffer.size();
        buffer.clear();
    };
    Grant grant;
    for (uint64_t i = 0; i < count; ++i) {
        grant_of(i, grant);
        for (const std::string* const text : {&grant.primary, &grant.record, &grant.entitlement,
                                              &grant.primary, &grant.principal, &grant.primary})
            core::append(buffer, *text);
        if (buffer.size() > (1 << 20)) flush();
    }
    flush();
    file.sync();
}

inline const std::vector<std::pair<std::string, BulkWrite>>& bulk_writes() {
    using std::filesystem::path;
    static const std::vector<std::pair<std::string, BulkWrite>> made = {
        {"raw write + fsync", [](const path& at, uint64_t n) { bulk_raw(at, n); }},
        {"mem", [](const path& at,
                   uint64_t n) { bulk_keel(at, n, db::Backend::Mem, db::Durability::Close); }},
        {"mem-group",
         [](const path& at, uint64_t n) {
             bulk_keel(at, n, db::Backend::Mem, db::Durability::Group);
         }},
        {"keel-lmdb",
         [](const path& at, uint64_t n) {
             bulk_keel(at, n, db::Backend::Lmdb, db::Durability::Group);
         }},
        {"lmdb put", [](const path& at, uint64_t n) { bulk_lmdb(at, n, false); }},
        {"lmdb sorted append", [](const path& at, uint64_t n) { bulk_lmdb(at, n, true); }},
        {"rocksdb batch", [](const path& at, uint64_t n) { bulk_rocks(at, n, false); }},
        {"rocksdb sst ingest", [](const path& at, uint64_t n) { bulk_rocks(at, n, true); }},
        {"sqlite indexes kept", [](const path& at, uint64_t n) { bulk_sqlite(at, n, false); }},
        {"sqlite indexes late", [](const path& at, uint64_t n) { bulk_sqlite(at, n, true); }},
    };
    return made;
}

struct BulkFigures {
    double wall_ns;
    double cpu_ns;
    double peak_mebibytes;
    double disk_mebibytes;
    double warm_ns;
};

/// In a child, so that its memory is its own: once in a new process, none of whose memory has been
/// touched, which is the cold figure and the one that is compared; and once more in the same
/// process into a new directory, which is the warm one. Neither form has anything to read.
inline BulkFigures bulk_in_child(const BulkWrite& write, const std::filesystem::path& directory,
                                 uint64_t count) {
    std::filesystem::remove_all(directory);
    int ends[2];
    if (::pipe(ends) != 0) throw std::runtime_error("no pipe");
    const double begin = wall_ns();
    const pid_t child = ::fork();
    if (child == 0) {
        try {
            write(directory, count);
            const double end = wall_ns();
            rusage used{};
            ::getrusage(RUSAGE_SELF, &used);
            const auto nanoseconds = [](const timeval& time) {
                return static_cast<double>(time.tv_sec) * 1e9 +
                       static_cast<double>(time.tv_usec) * 1e3;
            };
            BulkFigures figures{
                .wall_ns = end - begin,
                .cpu_ns = nanoseconds(used.ru_utime) + nanoseconds(used.ru_stime),
                .peak_mebibytes = static_cast<double>(used.ru_maxrss) / 1024,
                .disk_mebibytes = static_cast<double>(disk_bytes(directory)) / (1 << 20),
                .warm_ns = 0};
            std::filesystem::remove_all(directory);
            const double again = wall_ns();
            write(directory, count);
            figures.warm_ns = wall_ns() - again;
            if (::write(ends[1], &figures, sizeof figures) != ssize_t{sizeof figures}) ::_exit(1);
        } catch (const std::exception&) {
            ::_exit(1);
        }
        ::_exit(0);
    }
    ::close(ends[1]);
    BulkFigures figures{};
    const bool whole = ::read(ends[0], &figures, sizeof figures) == ssize_t{sizeof figures};
    ::close(ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    if (status != 0 || !whole) throw std::runtime_error("a bulk write failed");
    return figures;
}

/// Pages of `page` records, each a transaction of its own that seeks where the last one ended; by
/// primary key, or through an index with a look at each record. Nanoseconds a record.
template <class S>
double read_pages(S& store, uint64_t page, bool by_index, uint64_t& digest) {
    std::string from = by_index ? "e" : "g";
    uint64_t rows = 0;
    std::vector<ByteView> keys;
    std::vector<std::optional<ByteView>> found;
    const double begin = now_ns();
    for (bool more = true; more;) {
        auto txn = store.begin_read();
        uint64_t in_page = 0;
        {
            auto cursor = store.cursor(txn, by_index ? kScratch : kMain);
            keys.clear();
            bool there = cursor.seek(from);
            for (; there && in_page < page && (!by_index || cursor.key()[0] == 'e');
                 there = cursor.next(), ++in_page) {
                const ByteView key = cursor.key();
                if (in_page + 1 == page) {
                    from.assign(key.text());
                    from += '\0';
                }
                if (!by_index) {
                    digest += cursor.value().size() + cursor.value()[0];
                    continue;
                }
                const ByteView primary = key.sub(key.text().find('\0') + 1);
                if constexpr (S::kHasMany) {
                    keys.push_back(primary);
                } else {
                    ByteView value;
                    if (!store.get(txn, kMain, primary, value))
                        throw std::runtime_error("index entry without a record");
                    digest += value.size() + value[0];
                }
            }
            if constexpr (S::kHasMany) {
                if (by_index) {
                    found.resize(keys.size());
                    txn.get_many(store.tables[kMain], keys, found);
                    for (const std::optional<ByteView>& value : found)
                        digest += value.value().size() + (*value)[0];
                }
            }
        }
        store.end(txn);
        rows += in_page;
        more = in_page == page;
    }
    return (now_ns() - begin) / static_cast<double>(rows);
}

}  // namespace keel::bench
