#include "db/lmdb/compact.hpp"

#include <fmt/format.h>
#include <lmdb.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "db/error.hpp"
#include "db/lmdb/file_check.hpp"
#include "db/lmdb/stored.hpp"

namespace keel::db::lmdb {
namespace {

using Path = std::filesystem::path;

// How often the copy's size is looked at while liblmdb writes it.
constexpr std::chrono::milliseconds kLookEvery{100};
// Tables, shells of dropped ones, the catalogue (Env::kHandlesMax).
constexpr unsigned kTablesOpenMax = 512;

[[noreturn]] void fail(const Path& path, const char* operation, int code) {
    const ErrorCode meaning = code == ENOSPC || code == EDQUOT || code == EFBIG
                                  ? ErrorCode::DiskFull
                              : code < 0 ? ErrorCode::Corrupt
                                         : ErrorCode::Io;
    throw Error(meaning, fmt::format("{}: {}: {}", path.string(), operation, mdb_strerror(code)));
}

/// A data file without liblmdb's locks, to be read. The caller sees to it that nobody writes to it.
class DataReader {
  public:
    DataReader(const Path& path, uint64_t file_bytes) : path_(path) {
        check("opening", mdb_env_create(&env_));
        mdb_env_set_maxdbs(env_, kTablesOpenMax);
        mdb_env_set_mapsize(env_, file_bytes);
        const int code =
            mdb_env_open(env_, path.c_str(), MDB_NOSUBDIR | MDB_RDONLY | MDB_NOLOCK | MDB_NOTLS, 0);
        if (code != 0) {
            mdb_env_close(env_);
            fail(path, "opening", code);
        }
        if (const int begun = mdb_txn_begin(env_, nullptr, MDB_RDONLY, &txn_); begun != 0) {
            mdb_env_close(env_);
            fail(path, "reading", begun);
        }
    }
    ~DataReader() {
        mdb_txn_abort(txn_);
        mdb_env_close(env_);
    }
    DataReader(const DataReader&) = delete;
    DataReader& operator=(const DataReader&) = delete;

    MDB_env* env() const noexcept { return env_; }
    MDB_txn* txn() const noexcept { return txn_; }
    const Path& path() const noexcept { return path_; }
    void check(const char* operation, int code) const {
        if (code != 0) fail(path_, operation, code);
    }
    /// Of the table of tables, or of one of them.
    MDB_dbi table(const char* name) const {
        MDB_dbi dbi = 0;
        check("opening a table", mdb_dbi_open(txn_, name, 0, &dbi));
        return dbi;
    }

  private:
    const Path path_;
    MDB_env* env_ = nullptr;
    MDB_txn* txn_ = nullptr;
};

class Cursor {
  public:
    Cursor(const DataReader& reader, MDB_dbi dbi) : reader_(reader) {
        reader.check("reading", mdb_cursor_open(reader.txn(), dbi, &cursor_));
    }
    ~Cursor() { mdb_cursor_close(cursor_); }
    Cursor(const Cursor&) = delete;
    Cursor& operator=(const Cursor&) = delete;
    bool next(MDB_val& key, MDB_val& value) {
        const int code = mdb_cursor_get(cursor_, &key, &value, MDB_NEXT);  // first, at first
        if (code == MDB_NOTFOUND) return false;
        reader_.check("reading", code);
        return true;
    }

  private:
    const DataReader& reader_;
    MDB_cursor* cursor_ = nullptr;
};

bool same_bytes(const MDB_val& a, const MDB_val& b) {
    return raw_view(a) == raw_view(b);
}

void compare_table(const DataReader& from, const DataReader& to, const std::string& name) {
    unsigned from_flags = 0;
    unsigned to_flags = 0;
    const MDB_dbi from_table = from.table(name.c_str());
    const MDB_dbi to_table = to.table(name.c_str());
    from.check("reading", mdb_dbi_flags(from.txn(), from_table, &from_flags));
    to.check("reading", mdb_dbi_flags(to.txn(), to_table, &to_flags));
    Cursor one(from, from_table);
    Cursor other(to, to_table);
    MDB_val key, value, copied_key, copied_value;
    uint64_t entries = 0;
    bool same = from_flags == to_flags;
    while (same && one.next(key, value)) {
        same = other.next(copied_key, copied_value) && same_bytes(key, copied_key) &&
               same_bytes(value, copied_value);
        ++entries;
    }
    if (!same || other.next(copied_key, copied_value))
        throw Error(ErrorCode::Corrupt, fmt::format("{}: the copy differs in table {} at entry {}",
                                                    from.path().string(), name, entries));
}

/// Every entry of every table.
void compare(const DataReader& from, const DataReader& to) {
    std::vector<std::string> names;
    for (const DataReader* const side : {&from, &to}) {
        std::vector<std::string> found;
        Cursor tables(*side, side->table(nullptr));
        MDB_val key, value;
        while (tables.next(key, value)) found.emplace_back(raw_view(key).text());
        if (side == &to && found != names)
            throw Error(ErrorCode::Corrupt,
                        fmt::format("{}: the copy has {} tables instead of {}",
                                    from.path().string(), found.size(), names.size()));
        names = std::move(found);
    }
    for (const std::string& name : names) compare_table(from, to, name);
}

/// liblmdb writes with one call that says nothing; what it has written is looked at meanwhile.
void copy(const DataReader& from, const core::File& to, uint64_t page_bytes,
          const tools::Progress& progress) {
    MDB_envinfo info;
    mdb_env_info(from.env(), &info);
    const uint64_t all = uint64_t{info.me_last_pgno} + 1;
    std::mutex mutex;
    std::condition_variable done;
    bool finished = false;
    int code = 0;
    {
        const std::jthread copier([&] {
            const int result = mdb_env_copyfd2(from.env(), to.descriptor(), MDB_CP_COMPACT);
            const std::lock_guard guard(mutex);
            code = result;
            finished = true;
            done.notify_one();
        });
        std::unique_lock guard(mutex);
        while (!done.wait_for(guard, kLookEvery, [&] { return finished; }))
            if (progress) progress(to.info().size_bytes / page_bytes, all);
    }
    if (code != 0) fail(to.path(), "copying", code);
}

/// liblmdb gives a compacted copy the number 1. Both header pages get the content of the copy's
/// newest: the one that this commit stands in by its number, and the one before.
void restore_commit(core::FileSystem& files, core::File& file, uint64_t commit) {
    const HeaderPages pages = read_header_pages(files, file.path());
    const size_t newest = pages.commit[0] > pages.commit[1] ? 0 : 1;
    if (pages.newest_commit() == 0)
        throw Error(ErrorCode::Corrupt, fmt::format("{}: the copy is empty", file.path().string()));
    for (const uint64_t number : {commit - 1, commit}) {
        const uint64_t place = number & 1;
        file.write_at(header_page(pages.content[newest], place, number), place * pages.page_bytes);
    }
}

/// No other process has it open, and none opens it before this ends: liblmdb waits for it.
core::File lock_readers(core::FileSystem& files, const Path& directory) {
    const Path path = directory / "lock.mdb";
    if (!core::file_info(files, path)) return {};
    core::File lock(files, path, core::OpenMode::ReadWrite, false);
    if (!lock.try_lock())
        throw Error(ErrorCode::InUse,
                    fmt::format("{} is being read by another process, which would go on in the old "
                                "file: end it first",
                                directory.string()));
    return lock;
}

}  // namespace

uint64_t compact(const OpenOptions& options, const tools::Progress& progress) {
    core::SystemFiles files;  // liblmdb makes its own calls
    const Path path = options.directory / "data.mdb";
    const Path temporary = options.directory / kCompactTemporaryName;
    const DataFile data = check_data_file(files, path);
    if (!data.exists)
        throw Error(ErrorCode::Corrupt,
                    fmt::format("{}, offset 0: the file is empty or missing", path.string()));
    const core::File lock = lock_readers(files, options.directory);
    const auto size_of = [&](const Path& file) {
        const auto info = core::file_info(files, file);
        return info ? info->size_bytes : 0;
    };
    uint64_t commit = 0;
    try {
        // Pages that were freed in the transaction that made them may lie behind the file's end.
        const DataReader from(path, size_of(path) + (uint64_t{1} << 30));
        commit = mdb_txn_id(from.txn());
        core::File to(files, temporary, core::OpenMode::CreateEmptied, false);
        copy(from, to, data.page_bytes, progress);
        restore_commit(files, to, commit);
        check_data_file(files, temporary);
        compare(from, DataReader(temporary, size_of(temporary) + (uint64_t{1} << 20)));
        to.sync();
        core::rename_durably(files, temporary, path);
    } catch (...) {
        files.unlink(temporary);
        throw;
    }
    return commit;
}

}  // namespace keel::db::lmdb
