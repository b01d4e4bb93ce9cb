#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "core/endian.hpp"
#include "db/open.hpp"
#include "db/tools/check.hpp"
#include "db/tools/checksum.hpp"
#include "db/tools/dump.hpp"
#include "db/tools/inspect.hpp"
#include "db/tools/load.hpp"

namespace keel::db::tools {
namespace {

constexpr std::array kBackends = {Backend::Mem, Backend::Lmdb};

/// A fresh directory that goes away with the object.
class TempDirectory {
  public:
    TempDirectory() {
        std::string pattern =
            (std::filesystem::temp_directory_path() / "keel-tools-XXXXXX").string();
        if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
        path_ = pattern;
    }
    ~TempDirectory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TempDirectory(const TempDirectory&) = delete;
    TempDirectory& operator=(const TempDirectory&) = delete;
    const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

/// A store of its own that is closed before its directory goes.
class TempStore {
  public:
    explicit TempStore(Backend backend, Schema schema = {}) {
        OpenOptions options;
        options.directory = directory_.path();
        options.durability = Durability::Close;
        options.schema = std::move(schema);
        options.reserve_bytes = uint64_t{16} << 30;
        store_ = open(backend, options);
    }
    ~TempStore() { store_.close(); }
    TempStore(const TempStore&) = delete;
    TempStore& operator=(const TempStore&) = delete;
    const Database& operator*() const { return store_; }
    const Database* operator->() const { return &store_; }
    const std::filesystem::path& directory() const { return directory_.path(); }

  private:
    TempDirectory directory_;
    Database store_;
};

const Schema kSchema = {{"plain"}, {"groups", Kind::DupSort}, {"empty"}};

/// Every byte in keys and values, empty ones, zeros, groups of many values, one large value.
void fill(const Database& store) {
    const Table plain = store.table("plain");
    const Table groups = store.table("groups");
    store.update([&](WriteTxn& txn) {
        Bytes all(256);
        for (size_t byte = 0; byte < all.size(); ++byte) all[byte] = static_cast<uint8_t>(byte);
        txn.put(plain, all, all);
        txn.put(plain, "", "of the empty key");
        txn.put(plain, "empty value", "");
        txn.put(plain, "large", Bytes(100'000, 0x5c));
        txn.put(plain, "\\61 is no a", "\\");
        for (size_t zeros = 1; zeros < 5; ++zeros) {
            txn.put(plain, Bytes(zeros, 0), Bytes(zeros, 0));
            txn.put(groups, "zeros", Bytes(zeros, 0));
        }
        txn.put(groups, "zeros", "");
        txn.put(groups, "", "");
        std::mt19937_64 random(7);  // any seed: the content only has to be mixed
        for (int i = 0; i < 5'000; ++i) {
            Bytes key(2 + random() % 20);
            for (uint8_t& byte : key) byte = static_cast<uint8_t>(random());
            txn.put(plain, key, key);
            txn.put(groups, ByteView(key).sub(0, 1), key);
        }
        txn.set_sequence(groups, 41);
    });
}

std::string dump_text(const Database& store, const DumpOptions& options = {}) {
    std::string text;
    dump(store, options, [&](std::string_view piece) { text += piece; });
    return text;
}

/// Lines without those that may differ between programs.
std::string comparable(const std::string& text) {
    std::istringstream lines(text);
    std::string kept;
    for (std::string line; std::getline(lines, line);)
        if (!line.starts_with("mapsize=") && !line.starts_with("maxreaders=") &&
            !line.starts_with("keel_"))
            kept += line + "\n";
    return kept;
}

/// Output of a program; fails the test when it cannot run.
std::string run(const std::string& command) {
    std::FILE* pipe = popen(command.c_str(), "r");
    if (pipe == nullptr) {
        ADD_FAILURE() << "cannot run: " << command;
        return {};
    }
    std::string output;
    std::array<char, 65536> piece;
    while (const size_t size = std::fread(piece.data(), 1, piece.size(), pipe))
        output.append(piece.data(), size);
    EXPECT_EQ(pclose(pipe), 0) << command << " (mdb_dump and mdb_load are in lmdb-utils)";
    return output;
}

std::pair<uint64_t, uint64_t> place_of_error(const Database& store, std::string_view text) {
    try {
        load(store, text);
    } catch (const DumpError& error) {
        return {error.line(), error.column()};
    }
    return {0, 0};
}

TEST(Tools, a_dump_loaded_into_the_other_backend_dumps_the_same_bytes) {
    for (const TextFormat format : {TextFormat::ByteValue, TextFormat::Print}) {
        for (const Backend backend : kBackends) {
            TempStore from(backend, kSchema);
            fill(*from);
            const std::string text = dump_text(*from, {.format = format, .tables = {}});
            TempStore into(backend == Backend::Mem ? Backend::Lmdb : Backend::Mem);
            const LoadReport report = load(*into, text);
            EXPECT_EQ(report.tables.size(), kSchema.size());
            EXPECT_EQ(dump_text(*into, {.format = format, .tables = {}}), text);
            EXPECT_EQ(checksum(*into).digest, checksum(*from).digest);
            EXPECT_EQ(into->begin_ro().sequence(into->table("groups")), 41u);
        }
    }
}

TEST(Tools, mdb_load_and_mdb_dump_understand_a_dump_and_give_it_back) {
    // liblmdb has no empty keys: what it cannot hold is left out here.
    TempStore from(Backend::Mem, {{"plain"}, {"groups", Kind::DupSort}});
    from->update([&](WriteTxn& txn) {
        for (int byte = 0; byte < 256; ++byte) {
            // Behind a backslash neither an escape nor a hex digit: mdb_dump's print form would be
            // ambiguous.
            const Bytes key = {static_cast<uint8_t>(byte), 'x'};
            txn.put(from->table("plain"), key, Bytes(static_cast<size_t>(byte) * 40, 0x41));
            txn.put(from->table("groups"), "k", key);
            txn.put(from->table("groups"), "l", key);
        }
    });
    for (const TextFormat format : {TextFormat::ByteValue, TextFormat::Print}) {
        const std::string text = dump_text(*from, {.format = format, .tables = {}});
        TempDirectory directory;
        const std::string file = (directory.path() / "dump.txt").string();
        std::ofstream(file) << text;
        std::filesystem::create_directory(directory.path() / "env");
        const std::string env = (directory.path() / "env").string();
        run("mdb_load -f '" + file + "' '" + env + "' 2>/dev/null");
        const std::string dumped = run("mdb_dump -a '" + env + "'");
        EXPECT_EQ(comparable(dumped), comparable(dump_text(*from)));
        TempStore into(Backend::Mem);
        load(*into, dumped);
        EXPECT_EQ(checksum(*into).digest, checksum(*from).digest);
        // And mdb_dump's print form, whose backslashes are single.
        TempStore printed(Backend::Lmdb);
        load(*printed, run("mdb_dump -p -a '" + env + "'"));
        EXPECT_EQ(checksum(*printed).digest, checksum(*from).digest);
    }
}

TEST(Tools, mdb_dump_of_our_files_loads_without_the_tables_of_our_own) {
    TempStore from(Backend::Lmdb, {{"plain"}});
    from->update([&](WriteTxn& txn) { txn.put(from->table("plain"), "k", "v"); });
    const std::string text = run("mdb_dump -a '" + from.directory().string() + "'");
    TempStore into(Backend::Mem);
    const LoadReport report = load(*into, text);
    EXPECT_EQ(report.skipped, (std::vector<std::string>{"_keel_meta"}));
    EXPECT_EQ(checksum(*into).digest, checksum(*from).digest);
}

TEST(Tools, a_dump_says_where_it_cannot_be_read_and_changes_nothing) {
    TempStore store(Backend::Lmdb, {{"t"}});
    const std::string head = "VERSION=3\nformat=bytevalue\ndatabase=t\ntype=btree\n";
    const std::string body = head + "HEADER=END\n";
    struct Case {
        const char* what;
        std::string text;
        uint64_t line, column;
    };
    const std::vector<Case> cases = {
        {"no text", "", 1, 1},
        {"no dump", "hello\n", 1, 1},
        {"another version", "VERSION=2\n", 1, 1},
        {"another type", "VERSION=3\ntype=hash\n", 2, 6},
        {"another format", "VERSION=3\nformat=json\n", 2, 8},
        {"no name", "VERSION=3\nformat=print\nHEADER=END\n", 3, 1},
        {"no format", "VERSION=3\ndatabase=t\nHEADER=END\n", 3, 1},
        {"a bad sequence", head + "keel_sequence=12x\nHEADER=END\n", 5, 17},
        {"no end of the header", head, 5, 1},
        {"a digit that is none", body + " 6g\n 61\nDATA=END\n", 6, 3},
        {"half a byte", body + " 61\n 6\nDATA=END\n", 7, 3},
        {"no blank", body + "61\n 61\nDATA=END\n", 6, 1},
        {"no value", body + " 61\nDATA=END\n", 7, 1},
        {"no end", body + " 61\n 62\n", 8, 1},
        {"a key too long", body + " " + std::string(2 * 511, '6') + "\n 61\nDATA=END\n", 6, 1},
    };
    for (const Case& each : cases) {
        EXPECT_EQ(place_of_error(*store, each.text), std::pair(each.line, each.column))
            << each.what;
        EXPECT_EQ(store->begin_ro().count(store->table("t")), 0u) << each.what;
        EXPECT_EQ(store->begin_ro().view_id(), 1u) << each.what;
    }
}

TEST(Tools, a_load_takes_entries_in_any_order_and_ignores_what_it_does_not_know) {
    for (const Backend backend : kBackends) {
        TempStore store(backend);
        load(*store,
             "VERSION=3\nformat=print\ndatabase=d\ntype=btree\nfuture=7\nduplicates=1\n"
             "HEADER=END\n b\n 2\n a\n 1\n b\n 1\n \n \\\n \\5c\n \\\\\nDATA=END\n\n"
             "VERSION=3\nformat=bytevalue\ndatabase=p\nHEADER=END\n 62\n 31\n 61\n 32\n 62\n 33\n"
             "DATA=END");
        EXPECT_EQ(comparable(dump_text(*store, {.format = TextFormat::Print, .tables = {"d"}})),
                  "VERSION=3\nformat=print\ndatabase=d\ntype=btree\nduplicates=1\ndupsort=1\n"
                  "db_pagesize=4096\nHEADER=END\n \n \\\\\n \\\\\n \\\\\n a\n 1\n b\n 1\n b\n 2\n"
                  "DATA=END\n");
        EXPECT_EQ(get_values(*store, "p", "b"), std::vector<Bytes>{ByteView("3").to_bytes()});
    }
}

TEST(Tools, a_table_that_is_not_there_is_refused_before_anything_is_written) {
    TempStore store(Backend::Lmdb, {{"t"}});
    std::string text;
    EXPECT_THROW(dump(*store, {.format = TextFormat::Print, .tables = {"t", "u"}},
                      [&](std::string_view piece) { text += piece; }),
                 Error);
    EXPECT_EQ(text, "");
    EXPECT_THROW(get_values(*store, "u", "k"), Error);
    EXPECT_FALSE(checksum_table(*store, store->begin_ro(), "u"));
}

TEST(Tools, digests_depend_on_content_and_on_nothing_else) {
    TempStore mem(Backend::Mem, kSchema);
    TempStore lmdb(Backend::Lmdb, kSchema);
    fill(*mem);
    // The same content by another road.
    lmdb->update([&](WriteTxn& txn) { txn.put(lmdb->table("empty"), "k", "gone soon"); });
    fill(*lmdb);
    lmdb->update([&](WriteTxn& txn) { txn.clear_table(lmdb->table("empty")); });
    const StoreDigest a = checksum(*mem);
    const StoreDigest b = checksum(*lmdb);
    EXPECT_EQ(a.tables, b.tables);
    EXPECT_EQ(a.digest, b.digest);
    EXPECT_EQ(a.digest.hex().size(), 32u);
    EXPECT_EQ(checksum_table(*mem, mem->begin_ro(), "groups"), a.tables[1]);

    // Moving a byte from a key to its value, a sequence, an empty table: each shows.
    const auto changed = [&](const std::function<void(WriteTxn&)>& change) {
        const Digest before = checksum(*mem).digest;
        mem->update(change);
        return checksum(*mem).digest != before;
    };
    const Table plain = mem->table("plain");
    EXPECT_TRUE(changed([&](WriteTxn& txn) { txn.put(plain, "ab", "c"); }));
    EXPECT_TRUE(changed([&](WriteTxn& txn) {
        txn.del(plain, "ab");
        txn.put(plain, "a", "bc");
    }));
    EXPECT_TRUE(changed([&](WriteTxn& txn) { txn.increment(plain, 1); }));
    EXPECT_TRUE(changed([&](WriteTxn& txn) { txn.create_table({"another", Kind::Plain}); }));
    EXPECT_FALSE(changed([&](WriteTxn& txn) { txn.put(plain, "a", "bc"); }));
}

TEST(Tools, check_walks_every_table_of_a_sound_store) {
    for (const Backend backend : kBackends) {
        TempStore store(backend, kSchema);
        fill(*store);
        const CheckReport report = check(*store);
        EXPECT_TRUE(report.sound()) << report.issues.front().what;
        EXPECT_EQ(report.tables, 3u);
        uint64_t entries = 0;
        for (const TableCount& table : list_tables(*store)) entries += table.entries;
        EXPECT_EQ(report.entries, entries);
        EXPECT_GT(report.bytes, 100'000u);
    }
}

TEST(Tools, check_finds_an_entry_out_of_order_in_a_file_without_checksums) {
    TempStore store(Backend::Lmdb, {{"t"}});
    store->update([&](WriteTxn& txn) {
        for (const char* key : {"kkkkk1", "kkkkk2", "kkkkk3"}) txn.put(store->table("t"), key, "v");
    });
    store->close();
    // One flipped bit pair: kkkkk2 becomes kkkkk8.
    const std::filesystem::path file = store.directory() / "data.mdb";
    std::ifstream in(file, std::ios::binary);
    std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    const size_t at = bytes.find("kkkkk2");
    ASSERT_NE(at, std::string::npos);
    bytes[at + 5] = '8';
    std::ofstream(file, std::ios::binary) << bytes;
    OpenOptions options;
    options.directory = store.directory();
    options.reserve_bytes = uint64_t{16} << 30;
    const Database damaged = open(Backend::Lmdb, options);
    const CheckReport report = check(damaged);
    ASSERT_FALSE(report.sound());
    EXPECT_EQ(report.issues.front().table, "t");
    EXPECT_NE(report.issues.front().what.find("out of order"), std::string::npos);
    damaged.close();
}

TEST(Tools, statistics_name_every_table) {
    for (const Backend backend : kBackends) {
        TempStore store(backend, kSchema);
        fill(*store);
        const StoreReport report = collect_stats(*store);
        EXPECT_EQ(report.store.backend, to_string(backend));
        ASSERT_EQ(report.tables.size(), 3u);
        EXPECT_EQ(report.tables[0].name, "empty");
        EXPECT_EQ(report.tables[0].stat.entries, 0u);
        EXPECT_EQ(report.tables[1].stat.kind, Kind::DupSort);
        EXPECT_EQ(report.tables[1].stat.keys, 258u) << "256 first bytes, the empty key, zeros";
        EXPECT_GT(report.tables[1].stat.entries, 4'900u);
        EXPECT_EQ(report.tables[1].stat.sequence, 41u);
        EXPECT_GT(report.tables[2].stat.bytes, 100'000u);
    }
}

}  // namespace
}  // namespace keel::db::tools
