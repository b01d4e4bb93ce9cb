#include <fcntl.h>

#include <algorithm>
#include <random>

#include "db/lmdb/compact.hpp"
#include "db/lmdb/env.hpp"
#include "db/lmdb/file_check.hpp"
#include "db/lmdb/moves.hpp"
#include "db/lmdb/txn.hpp"

namespace keel::db::lmdb {
namespace {

constexpr uint64_t kReserveBytes = uint64_t{1} << 40;  // KV.md X29: only the disk can be full
constexpr uint64_t kReserveBytesMin =
    uint64_t{1} << 26;  // less address space than this is no machine for a store
constexpr mdb_mode_t kFileMode = 0644;
/// More shells of dropped tables than this are worth a commit of their own at open.
constexpr size_t kShellsKept = 32;
constexpr MDB_dbi kNoHandle = 0;
/// What liblmdb may say of a table of ours; anything else orders keys or values in a way that keel
/// does not.
constexpr unsigned kKnownFlags = MDB_DUPSORT;

std::string draw_uid() {
    std::random_device random;
    std::string uid;
    constexpr std::string_view kDigits = "0123456789abcdef";
    for (int i = 0; i < 32; ++i) uid += kDigits[random() % kDigits.size()];
    return uid;
}

unsigned mode_flags(Durability durability) {
    switch (durability) {
        case Durability::Close:
            return MDB_NOSYNC;
        case Durability::Group:
            // Data are flushed at each commit: unsynced ones may damage the file at power loss
            // (KV.md X36).
            return MDB_NOMETASYNC;
        case Durability::Commit:
            return 0;
    }
    return 0;
}

/// Ends a transaction that was not committed.
class OpenTxn {
  public:
    OpenTxn(Env& env, unsigned flags) : env_(env) {
        if (const int code = mdb_txn_begin(env.env(), nullptr, flags, &txn_); code != 0)
            env.fail(code, "beginning a transaction at open");
    }
    ~OpenTxn() {
        if (txn_ != nullptr) mdb_txn_abort(txn_);
    }
    OpenTxn(const OpenTxn&) = delete;
    OpenTxn& operator=(const OpenTxn&) = delete;
    MDB_txn* get() const noexcept { return txn_; }
    void commit() {
        if (const int code = mdb_txn_commit(std::exchange(txn_, nullptr)); code != 0)
            env_.fail(code, "commit at open");
    }

  private:
    Env& env_;
    MDB_txn* txn_ = nullptr;
};

}  // namespace

std::shared_ptr<detail::StoreImpl> open_store(const OpenOptions& options) {
    return std::make_shared<Store>(std::make_unique<Env>(options));
}

Env::Env(const OpenOptions& options)
    : directory_(std::filesystem::absolute(options.directory)),
      read_only_(options.access == Access::ReadOnly),
      durability_(options.durability),
      observer_(options.observer),
      reader_warn_ms_(options.reader_warn_ms),
      close_grace_ms_(options.close_grace_ms),
      fork_mark_(4096, 4096),
      slots_(std::make_unique<Slot[]>(kSlotsMax)) {
    if (!fork_mark_.commit(0, 4096)) fail(ENOMEM, "reserving memory");
    fork_mark_.wipe_on_fork();
    *fork_mark_.data() = 1;
    open_files(options);
}

Env::~Env() {
    if (forked()) {
        if (watcher_.joinable()) watcher_.detach();  // it runs in the parent only
        static_cast<void>(writer_.release());
        return;
    }
    watcher_.request_stop();
    if (watcher_.joinable()) watcher_.join();
    drain_idle();
    close_environment();
}

void Env::open_files(const OpenOptions& options) {
    const std::filesystem::path data_path = directory_ / "data.mdb";
    const std::filesystem::path lock_path = directory_ / "lock.mdb";
    const std::optional<core::FileInfo> directory = core::file_info(files_, directory_);
    if (!directory || !directory->is_directory)
        fail(ErrorCode::NotFound, "there is no such directory");
    const bool data_was_there = core::file_info(files_, data_path).has_value();
    const bool lock_was_there = core::file_info(files_, lock_path).has_value();
    const DataFile data = check_data_file(files_, data_path);
    if (!data.exists) {
        if (options.expect_created)
            fail(ErrorCode::Corrupt, std::string("data.mdb, offset 0: the file is ") +
                                         (data_was_there ? "empty" : "missing") +
                                         ", but the directory says that it was created");
        if (read_only_) fail(ErrorCode::NotFound, "there is no database (data.mdb) in it");
        if (data_was_there) core::File(files_, data_path, core::OpenMode::ReadWrite).truncate(0);
    }
    if (!read_only_) files_.unlink(directory_ / kCompactTemporaryName);
    try {
        map_environment(options);
        load_tables(options);
        writer_ = std::make_unique<Writer>(*this);
        watcher_ = std::jthread([this](const std::stop_token& stop) { watch(stop); });
    } catch (...) {
        // A failed open leaves everything as it was.
        close_environment();
        if (!data_was_there && core::file_info(files_, data_path))
            core::remove_file(files_, data_path);
        if (!lock_was_there && core::file_info(files_, lock_path))
            core::remove_file(files_, lock_path);
        throw;
    }
}

void Env::map_environment(const OpenOptions& options) {
    uint64_t bytes = options.size_max_bytes != 0  ? options.size_max_bytes
                     : options.reserve_bytes != 0 ? options.reserve_bytes
                                                  : kReserveBytes;
    const unsigned flags =
        MDB_NOTLS | (read_only_ ? unsigned{MDB_RDONLY} : mode_flags(durability_));
    for (;;) {
        if (const int code = mdb_env_create(&env_); code != 0) fail(code, "opening");
        mdb_env_set_maxreaders(env_, kReaderSlots);
        mdb_env_set_maxdbs(env_, kHandlesMax);
        mdb_env_set_mapsize(env_, bytes);
        const int code = mdb_env_open(env_, directory_.c_str(), flags, kFileMode);
        if (code == 0) break;
        close_environment();
        const bool no_room = code == ENOMEM && options.size_max_bytes == 0;
        if (!no_room || bytes / 2 < kReserveBytesMin) fail(code, "opening");
        bytes /= 2;
    }
    mdb_filehandle_t descriptor = -1;
    mdb_env_get_fd(env_, &descriptor);
    ::fcntl(descriptor, F_SETFD, FD_CLOEXEC);  // liblmdb leaves this one open over exec
    if (const int code = files_.info(descriptor, data_file_); code != 0) fail(code, "opening");
    // A reader may have waited for a compaction (compact.cpp) with the old file open.
    const std::optional<core::FileInfo> now = core::file_info(files_, directory_ / "data.mdb");
    if (now && (now->inode != data_file_.inode || now->device != data_file_.device)) {
        close_environment();
        return map_environment(options);
    }
    MDB_envinfo info;
    mdb_env_info(env_, &info);
    map_begin_ = static_cast<const uint8_t*>(info.me_mapaddr);
    map_bytes_ = info.me_mapsize;
    MDB_stat stat;
    mdb_env_stat(env_, &stat);
    page_bytes_ = stat.ms_psize;
    // Readers of killed processes would keep pages from being reused for ever.
    int stale_readers = 0;
    mdb_reader_check(env_, &stale_readers);
}

void Env::load_tables(const OpenOptions& options) {
    if (options.schema.size() > kTablesMax)
        fail(ErrorCode::TooManyTables, std::to_string(options.schema.size()) +
                                           " tables are declared, the limit is " +
                                           std::to_string(kTablesMax));
    for (const TableSpec& spec : options.schema) {
        if (!is_table_name(spec.name))
            fail(ErrorCode::NoSuchTable, "'" + spec.name + "' is not a name for a table");
        Slot& slot = slots_[resolve(spec.name)];
        slot.declared.store(true);
        slot.places[0].kind.store(spec.kind);
    }
    StoreRecord record;
    {
        OpenTxn txn(*this, MDB_RDONLY);
        if (mdb_txn_id(txn.get()) == 0 && read_only_)
            fail(ErrorCode::NotFound, "the database in it was never finished");
        read_tables(txn.get());
        if (catalogue_dbi_ != kNoHandle) {
            const int code = read_store_record(txn.get(), catalogue_dbi_, record);
            if (code != 0) fail(code, "reading the catalogue");
            if (record.format != kFormat)
                fail(ErrorCode::VersionMismatch, "format " + std::to_string(record.format) +
                                                     ", known is " + std::to_string(kFormat));
            uid_ = record.uid;
            note_if_suspect(options, record.producer, directory_ / "data.mdb", 1,
                            mdb_txn_id(txn.get()));
        }
        txn.commit();  // keeps the handles
    }
    bool missing = catalogue_dbi_ == kNoHandle;
    for (const TableSpec& spec : options.schema) {
        const Slot& slot = slots_[resolve(spec.name)];
        if (!slot.exists) {
            missing = true;
        } else if (slot.place().kind.load() != spec.kind) {
            fail(ErrorCode::KindMismatch, "the stored table has the other kind", spec.name);
        }
    }
    size_t shells = 0;
    for (size_t id = 0; id < slot_count(); ++id) {
        const Slot& slot = slots_[id];
        for (const Place& place : slot.places) shells += place.dbi.load() != kNoHandle ? 1 : 0;
        shells -= slot.exists ? 1 : 0;
    }
    if (!read_only_ && (missing || shells > kShellsKept)) create_missing(options);
}

/// Resolves every stored table; shells of dropped ones too.
void Env::read_tables(MDB_txn* txn) {
    MDB_dbi main = 0;  // always kMainDbi; liblmdb sets its order here
    if (const int code = mdb_dbi_open(txn, nullptr, 0, &main); code != 0) fail(code, "opening");
    const std::vector<std::string> names = stored_names(txn);
    const auto catalogue = std::ranges::find(names, kCatalogueName);
    if (catalogue != names.end()) {
        const int code = mdb_dbi_open(txn, kCatalogueName, 0, &catalogue_dbi_);
        if (code != 0) fail(code, "opening the catalogue");
    }
    for (const std::string& name : names)
        if (!is_own_name(name)) add_stored_table(txn, name);
}

/// Of all tables, those of the store itself among them.
std::vector<std::string> Env::stored_names(MDB_txn* txn) {
    MDB_cursor* opened = nullptr;
    if (const int code = mdb_cursor_open(txn, kMainDbi, &opened); code != 0) fail(code, "opening");
    const std::unique_ptr<MDB_cursor, decltype(&mdb_cursor_close)> cursor(opened, mdb_cursor_close);
    std::vector<std::string> names;
    MDB_val key;
    MDB_val value;
    int code = move(opened, MDB_FIRST, key, value);
    for (; code == 0; code = move(opened, MDB_NEXT, key, value))
        names.emplace_back(raw_view(key).text());
    if (code != MDB_NOTFOUND) fail(code, "reading the list of tables");
    return names;
}

void Env::add_stored_table(MDB_txn* txn, const std::string& stored_name) {
    TableRecord record;
    const int code = read_table_record(txn, catalogue_dbi_, stored_name, record);
    if (code != 0) fail(code, "reading the catalogue", stored_name);
    const std::string name(logical_name(stored_name));
    if (!is_table_name(name))
        fail(ErrorCode::VersionMismatch, "'" + stored_name + "' is not a name for a table of keel");
    Slot& slot = slots_[resolve(name)];
    const uint8_t index = stored_name == name ? 0 : 1;
    open_place(txn, slot.places[index]);
    if (index == 1 || record.dropped) slot.ambiguous.store(true);
    if (record.dropped) return;
    slot.live.store(index);
    slot.exists = true;
}

void Env::open_place(MDB_txn* txn, Place& place) {
    MDB_dbi dbi = kNoHandle;
    unsigned flags = 0;
    int code = mdb_dbi_open(txn, place.stored_name.c_str(), 0, &dbi);
    if (code == 0) code = mdb_dbi_flags(txn, dbi, &flags);
    if (code != 0) fail(code, "opening", place.stored_name);
    if ((flags & ~kKnownFlags) != 0)
        fail(ErrorCode::VersionMismatch, "a table with flags " + std::to_string(flags),
             place.stored_name);
    place.kind.store((flags & MDB_DUPSORT) != 0 ? Kind::DupSort : Kind::Plain);
    place.dbi.store(dbi, std::memory_order_release);
}

/// One commit with all that an open has to change: commit 1 of a new store.
void Env::create_missing(const OpenOptions& options) {
    OpenTxn txn(*this, 0);
    unsigned flags = MDB_CREATE;
    int code = 0;
    if (catalogue_dbi_ == kNoHandle) {
        code = mdb_dbi_open(txn.get(), kCatalogueName, flags, &catalogue_dbi_);
        if (code != 0) fail(code, "creating the catalogue");
        uid_ = options.uid.empty() ? draw_uid() : options.uid;
        code = write_store_record(txn.get(), catalogue_dbi_,
                                  {.format = kFormat, .uid = uid_, .producer = options.producer});
        if (code != 0) fail(code, "writing the catalogue");
    }
    // Nobody reads yet: shells of dropped tables can go for good.
    for (size_t id = 0; id < slot_count(); ++id) {
        Slot& slot = slots_[id];
        for (Place& place : slot.places) {
            if (place.dbi.load() == kNoHandle || (slot.exists && &place == &slot.place())) continue;
            code = mdb_drop(txn.get(), place.dbi.load(), 1);
            if (code == 0)
                code = write_table_record(txn.get(), catalogue_dbi_, place.stored_name, {});
            if (code != 0) fail(code, "removing a dropped table", place.stored_name);
            place.dbi.store(kNoHandle);
        }
    }
    for (const TableSpec& spec : options.schema) {
        Slot& slot = slots_[resolve(spec.name)];
        if (slot.exists) continue;
        Place& place = slot.places[0];
        flags = MDB_CREATE | (spec.kind == Kind::DupSort ? MDB_DUPSORT : 0U);
        MDB_dbi dbi = kNoHandle;
        code = mdb_dbi_open(txn.get(), spec.name.c_str(), flags, &dbi);
        if (code != 0) fail(code, "creating a table", spec.name);
        place.kind.store(spec.kind);
        place.dbi.store(dbi, std::memory_order_release);
        slot.live.store(0);
        slot.exists = true;
    }
    txn.commit();
}

/// Read-only: tables that the writing process has made or dropped since, whatever their names.
/// Returns the view id that was looked at.
uint64_t Env::find_new_tables() {
    const std::scoped_lock lock(readers_mutex_);
    OpenTxn txn(*this, MDB_RDONLY);
    const uint64_t view_id = mdb_txn_id(txn.get());
    for (const std::string& stored_name : stored_names(txn.get())) {
        const std::string name(logical_name(stored_name));
        if (is_own_name(stored_name) || !is_table_name(name)) continue;
        TableRecord record;
        const int code = read_table_record(txn.get(), catalogue_dbi_, stored_name, record);
        if (code != 0) fail(code, "reading the catalogue", stored_name);
        Slot& slot = slots_[resolve(name)];
        const uint8_t index = stored_name == name ? 0 : 1;
        if (slot.places[index].dbi.load() == kNoHandle) open_place(txn.get(), slot.places[index]);
        if (index == 1 || record.dropped) slot.ambiguous.store(true);
    }
    txn.commit();
    return view_id;
}

}  // namespace keel::db::lmdb
