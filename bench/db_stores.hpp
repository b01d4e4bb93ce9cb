#pragma once

// The stores that are measured, in one shape: begin, get, put, cursors. No virtual call in a timed
// loop but those that a store has of its own.

#include <lmdb.h>
#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>
#include <sqlite3.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "bench/db_data.hpp"
#include "db/open.hpp"

namespace keel::bench {

enum TableIndex : size_t { kScratch, kMain, kDup, kTables };
constexpr uint64_t kMapBytes = uint64_t{32} << 30;

/// keel through its public interface.
struct Keel {
    static constexpr bool kHasDups = true;
    static constexpr bool kHasMany = true;
    static constexpr bool kReadsOwnWrites = true;
    db::Backend backend = db::Backend::Mem;
    db::Durability durability = db::Durability::Close;
    db::Database store = {};
    db::Table tables[kTables] = {};

    using Read = db::ReadTxn;
    using Write = db::WriteTxn;

    static const db::Schema& schema() {
        static const db::Schema made = {{"scratch", db::Kind::Plain, true},
                                        {"main", db::Kind::Plain},
                                        {"dup", db::Kind::DupSort}};
        return made;
    }
    void open(const std::filesystem::path& directory) {
        std::filesystem::create_directories(directory);
        db::OpenOptions options;
        options.directory = directory;
        options.durability = durability;
        options.schema = schema();
        store = db::open(backend, options);
        for (size_t i = 0; i < kTables; ++i) tables[i] = store.table(schema()[i].name);
    }
    void close() {
        store.close();
        store = {};
    }
    void sync() { store.sync(); }
    Read begin_read() { return store.begin_ro(); }
    static void end(Read& txn) { txn.end(); }
    Write begin_write() { return std::move(*store.begin_rw()); }
    static void commit(Write& txn) { txn.commit(); }
    static void abort(Write& txn) { txn.abort(); }
    template <class Txn>
    bool get(Txn& txn, size_t table, ByteView key, ByteView& value) {
        const std::optional<ByteView> found = txn.get(tables[table], key);
        if (found) value = *found;
        return found.has_value();
    }
    void put(Write& txn, size_t table, ByteView key, ByteView value) {
        txn.put(tables[table], key, value);
    }
    void append(Write& txn, size_t table, ByteView key, ByteView value) {
        txn.append(tables[table], key, value);
    }
    void clear(Write& txn, size_t table) { txn.clear_table(tables[table]); }

    template <class C>
    struct Moves {
        C cursor;
        ByteView found_key = {};
        ByteView found = {};
        bool take(const db::Hit& hit) {
            if (!hit) return false;
            found_key = hit->key;
            found = hit->value;
            return true;
        }
        bool first() { return take(cursor.first()); }
        bool next() { return take(cursor.next()); }
        bool seek(ByteView key) { return take(cursor.seek(key)); }
        bool both_range(ByteView key, ByteView value) {
            return take(cursor.seek_both_range(key, value));
        }
        bool next_dup() { return take(cursor.next_dup()); }
        bool next_nodup() { return take(cursor.next_nodup()); }
        bool last_dup() { return take(cursor.last_dup()); }
        void delete_current() { cursor.delete_current(); }
        ByteView key() const { return found_key; }
        ByteView value() const { return found; }
    };
    Moves<db::ReadCursor> cursor(Read& txn, size_t table) { return {txn.cursor(tables[table])}; }
    Moves<db::WriteCursor> cursor(Write& txn, size_t table) { return {txn.cursor(tables[table])}; }
};

/// liblmdb itself.
struct Lmdb {
    static constexpr bool kHasDups = true;
    static constexpr bool kHasMany = false;
    static constexpr bool kReadsOwnWrites = true;
    unsigned flags = MDB_NOSYNC;
    MDB_env* env = nullptr;
    MDB_dbi tables[kTables] = {};

    using Read = MDB_txn*;
    using Write = MDB_txn*;

    static void check(int code) {
        if (code != 0) throw std::runtime_error(std::string("lmdb: ") + mdb_strerror(code));
    }
    void open(const std::filesystem::path& directory) {
        std::filesystem::create_directories(directory);
        check(mdb_env_create(&env));
        check(mdb_env_set_mapsize(env, kMapBytes));
        check(mdb_env_set_maxdbs(env, 16));
        check(mdb_env_open(env, directory.c_str(), flags | MDB_NOTLS | MDB_NORDAHEAD, 0644));
        MDB_txn* txn = begin_write();
        for (size_t i = 0; i < kTables; ++i)
            check(mdb_dbi_open(txn, std::to_string(i).c_str(),
                               MDB_CREATE | (i == kDup ? unsigned{MDB_DUPSORT} : 0), &tables[i]));
        commit(txn);
    }
    void close() { mdb_env_close(std::exchange(env, nullptr)); }
    void sync() { check(mdb_env_sync(env, 1)); }
    Read begin_read() {
        MDB_txn* txn = nullptr;
        check(mdb_txn_begin(env, nullptr, MDB_RDONLY, &txn));
        return txn;
    }
    static void end(Read& txn) { mdb_txn_abort(txn); }
    Write begin_write() {
        MDB_txn* txn = nullptr;
        check(mdb_txn_begin(env, nullptr, 0, &txn));
        return txn;
    }
    static void commit(Write& txn) { check(mdb_txn_commit(txn)); }
    static void abort(Write& txn) { mdb_txn_abort(txn); }
    static MDB_val val(ByteView bytes) {
        return {bytes.size(), const_cast<uint8_t*>(bytes.data())};
    }
    static ByteView view(const MDB_val& val) {
        return {static_cast<const uint8_t*>(val.mv_data), val.mv_size};
    }
    bool get(MDB_txn* txn, size_t table, ByteView key, ByteView& value) {
        MDB_val wanted = val(key);
        MDB_val found;
        if (mdb_get(txn, tables[table], &wanted, &found) != 0) return false;
        value = view(found);
        return true;
    }
    void put(MDB_txn* txn, size_t table, ByteView key, ByteView value, unsigned how = 0) {
        MDB_val stored_key = val(key);
        MDB_val stored = val(value);
        check(mdb_put(txn, tables[table], &stored_key, &stored, how));
    }
    void append(MDB_txn* txn, size_t table, ByteView key, ByteView value) {
        put(txn, table, key, value, MDB_APPEND);
    }
    void clear(MDB_txn* txn, size_t table) { check(mdb_drop(txn, tables[table], 0)); }

    struct Moves {
        MDB_cursor* handle;
        MDB_val found_key{};
        MDB_val found{};
        explicit Moves(MDB_cursor* opened) : handle(opened) {}
        Moves(const Moves&) = delete;
        Moves& operator=(const Moves&) = delete;
        ~Moves() { mdb_cursor_close(handle); }
        bool move(MDB_cursor_op op) { return mdb_cursor_get(handle, &found_key, &found, op) == 0; }
        bool first() { return move(MDB_FIRST); }
        bool next() { return move(MDB_NEXT); }
        bool seek(ByteView key) {
            found_key = val(key);
            return move(MDB_SET_RANGE);
        }
        bool both_range(ByteView key, ByteView value) {
            found_key = val(key);
            found = val(value);
            return move(MDB_GET_BOTH_RANGE);
        }
        bool next_dup() { return move(MDB_NEXT_DUP); }
        bool next_nodup() { return move(MDB_NEXT_NODUP); }
        bool last_dup() { return move(MDB_LAST_DUP); }
        void delete_current() { check(mdb_cursor_del(handle, 0)); }
        ByteView key() const { return view(found_key); }
        ByteView value() const { return view(found); }
    };
    Moves cursor(MDB_txn* txn, size_t table) {
        MDB_cursor* handle = nullptr;
        check(mdb_cursor_open(txn, tables[table], &handle));
        return Moves(handle);
    }
};

/// RocksDB without log and compression, Bloom filters of 10 bits.
struct Rocks {
    static constexpr bool kHasDups = false;
    static constexpr bool kHasMany = false;
    static constexpr bool kReadsOwnWrites = false;
    rocksdb::DB* store = nullptr;
    std::vector<rocksdb::ColumnFamilyHandle*> tables = {};
    rocksdb::WriteOptions write_options = {};
    uint64_t cleared = 0;

    struct Read {
        const rocksdb::Snapshot* snapshot;
        rocksdb::PinnableSlice pin;
    };
    struct Write {
        rocksdb::WriteBatch batch;
        rocksdb::PinnableSlice pin;
    };

    static void check(const rocksdb::Status& status) {
        if (!status.ok()) throw std::runtime_error("rocksdb: " + status.ToString());
    }
    static rocksdb::Options options() {
        rocksdb::Options made;
        made.create_if_missing = true;
        made.create_missing_column_families = true;
        made.compression = rocksdb::kNoCompression;
        made.write_buffer_size = 64 << 20;
        made.max_background_jobs = 2;
        rocksdb::BlockBasedTableOptions table;
        table.block_cache = rocksdb::NewLRUCache(size_t{2} << 30);
        table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10, false));
        made.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
        return made;
    }
    void open(const std::filesystem::path& directory) {
        std::filesystem::create_directories(directory);
        write_options.disableWAL = true;
        std::vector<rocksdb::ColumnFamilyDescriptor> families;
        for (const char* const name : {"scratch", "main", "default"})
            families.emplace_back(name, options());
        check(rocksdb::DB::Open(options(), directory.string(), families, &tables, &store));
    }
    void close() {
        sync();
        for (rocksdb::ColumnFamilyHandle* const table : tables)
            check(store->DestroyColumnFamilyHandle(table));
        check(store->Close());
        delete std::exchange(store, nullptr);
        tables.clear();
    }
    void sync() {
        for (rocksdb::ColumnFamilyHandle* const table : tables) check(store->Flush({}, table));
    }
    Read begin_read() { return {store->GetSnapshot(), {}}; }
    void end(Read& txn) {
        txn.pin.Reset();
        store->ReleaseSnapshot(txn.snapshot);
    }
    Write begin_write() { return {rocksdb::WriteBatch(), {}}; }
    void commit(Write& txn) {
        txn.pin.Reset();
        check(store->Write(write_options, &txn.batch));
    }
    void abort(Write& txn) { txn.pin.Reset(); }
    static rocksdb::Slice slice(ByteView bytes) {
        return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    }
    static ByteView view(const rocksdb::Slice& slice) {
        return {reinterpret_cast<const uint8_t*>(slice.data()), slice.size()};
    }
    template <class Txn>
    bool get(Txn& txn, size_t table, ByteView key, ByteView& value) {
        rocksdb::ReadOptions read_options;
        if constexpr (std::is_same_v<Txn, Read>) read_options.snapshot = txn.snapshot;
        txn.pin.Reset();
        if (!store->Get(read_options, tables[table], slice(key), &txn.pin).ok()) return false;
        value = view(txn.pin);
        return true;
    }
    void put(Write& txn, size_t table, ByteView key, ByteView value) {
        check(txn.batch.Put(tables[table], slice(key), slice(value)));
    }
    void append(Write& txn, size_t table, ByteView key, ByteView value) {
        put(txn, table, key, value);
    }
    void clear(Write&, size_t table) {
        check(store->DropColumnFamily(tables[table]));
        check(store->DestroyColumnFamilyHandle(tables[table]));
        check(store->CreateColumnFamily(options(), "cleared" + std::to_string(cleared++),
                                        &tables[table]));
    }
    struct Moves {
        std::unique_ptr<rocksdb::Iterator> iterator;
        bool first() { return iterator->SeekToFirst(), iterator->Valid(); }
        bool next() { return iterator->Next(), iterator->Valid(); }
        bool seek(ByteView key) { return iterator->Seek(slice(key)), iterator->Valid(); }
        ByteView key() const { return view(iterator->key()); }
        ByteView value() const { return view(iterator->value()); }
    };
    Moves cursor(Read& txn, size_t table) {
        rocksdb::ReadOptions read_options;
        read_options.snapshot = txn.snapshot;
        return {
            std::unique_ptr<rocksdb::Iterator>(store->NewIterator(read_options, tables[table]))};
    }
};

/// SQLite with its log, synchronous=OFF, prepared statements.
struct Sqlite {
    static constexpr bool kHasDups = false;
    static constexpr bool kHasMany = false;
    static constexpr bool kReadsOwnWrites = true;
    sqlite3* store = nullptr;
    struct Statements {
        sqlite3_stmt* get;
        sqlite3_stmt* put;
    };
    Statements statements[2] = {};
    sqlite3_stmt* begin_statement = nullptr;
    sqlite3_stmt* commit_statement = nullptr;
    sqlite3_stmt* rollback_statement = nullptr;

    struct Read {};
    struct Write {};

    void check(int code) const {
        if (code != SQLITE_OK && code != SQLITE_DONE && code != SQLITE_ROW)
            throw std::runtime_error(std::string("sqlite: ") + sqlite3_errmsg(store));
    }
    void execute(const char* text) { check(sqlite3_exec(store, text, nullptr, nullptr, nullptr)); }
    sqlite3_stmt* prepare(const std::string& text) {
        sqlite3_stmt* made = nullptr;
        check(
            sqlite3_prepare_v3(store, text.c_str(), -1, SQLITE_PREPARE_PERSISTENT, &made, nullptr));
        return made;
    }
    void open(const std::filesystem::path& directory) {
        std::filesystem::create_directories(directory);
        check(sqlite3_open((directory / "store.db").c_str(), &store));
        execute(
            "pragma journal_mode=wal; pragma synchronous=off; pragma cache_size=-2000000;"
            "pragma mmap_size=34359738368;"
            "create table if not exists t0(k blob primary key, v blob) without rowid;"
            "create table if not exists t1(k blob primary key, v blob) without rowid;");
        for (size_t i = 0; i < 2; ++i) {
            const std::string table = "t" + std::to_string(i);
            statements[i] = {prepare("select v from " + table + " where k=?"),
                             prepare("insert or replace into " + table + " values(?,?)")};
        }
        begin_statement = prepare("begin");
        commit_statement = prepare("commit");
        rollback_statement = prepare("rollback");
    }
    void close() {
        for (const Statements& of_table : statements) {
            sqlite3_finalize(of_table.get);
            sqlite3_finalize(of_table.put);
        }
        for (sqlite3_stmt* const statement :
             {begin_statement, commit_statement, rollback_statement})
            sqlite3_finalize(statement);
        check(sqlite3_close(std::exchange(store, nullptr)));
    }
    void sync() { execute("pragma wal_checkpoint(truncate)"); }
    void step(sqlite3_stmt* statement) {
        check(sqlite3_step(statement));
        sqlite3_reset(statement);
    }
    Read begin_read() {
        step(begin_statement);
        return {};
    }
    void end(Read&) {
        let_go();
        step(rollback_statement);
    }
    Write begin_write() {
        step(begin_statement);
        return {};
    }
    void commit(Write&) {
        let_go();
        step(commit_statement);
    }
    void abort(Write&) {
        let_go();
        step(rollback_statement);
    }
    static void bind(sqlite3_stmt* statement, int at, ByteView bytes) {
        sqlite3_bind_blob(statement, at, bytes.data(), static_cast<int>(bytes.size()),
                          SQLITE_STATIC);
    }
    static ByteView column(sqlite3_stmt* statement, int at) {
        return {static_cast<const uint8_t*>(sqlite3_column_blob(statement, at)),
                static_cast<size_t>(sqlite3_column_bytes(statement, at))};
    }
    template <class Txn>
    bool get(Txn&, size_t table, ByteView key, ByteView& value) {
        sqlite3_stmt* const statement = statements[table].get;
        sqlite3_reset(statement);
        bind(statement, 1, key);
        if (sqlite3_step(statement) != SQLITE_ROW) {
            sqlite3_reset(statement);
            return false;
        }
        value = column(statement, 0);  // until the next get, or the transaction's end
        held = statement;
        return true;
    }
    /// Lets go of the last value.
    void let_go() {
        if (held != nullptr) sqlite3_reset(std::exchange(held, nullptr));
    }
    sqlite3_stmt* held = nullptr;
    void put(Write&, size_t table, ByteView key, ByteView value) {
        sqlite3_stmt* const statement = statements[table].put;
        bind(statement, 1, key);
        bind(statement, 2, value);
        step(statement);
    }
    void append(Write& txn, size_t table, ByteView key, ByteView value) {
        put(txn, table, key, value);
    }
    void clear(Write&, size_t table) {
        execute(table == kScratch ? "delete from t0" : "delete from t1");
    }
    struct Moves {
        sqlite3_stmt* statement;
        explicit Moves(sqlite3_stmt* prepared) : statement(prepared) {}
        Moves(const Moves&) = delete;
        Moves& operator=(const Moves&) = delete;
        ~Moves() { sqlite3_finalize(statement); }
        bool first() {
            sqlite3_reset(statement);
            return next();
        }
        bool next() { return sqlite3_step(statement) == SQLITE_ROW; }
        ByteView key() const { return column(statement, 0); }
        ByteView value() const { return column(statement, 1); }
    };
    Moves cursor(Read&, size_t table) {
        return Moves(prepare("select k,v from t" + std::to_string(table) + " order by k"));
    }
};

}  // namespace keel::bench
