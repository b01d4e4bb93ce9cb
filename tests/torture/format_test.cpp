// A reader that knows only docs/store-format.md reads what the store has written.

#include <gtest/gtest.h>

#include <map>
#include <sstream>

#include "core/hex.hpp"
#include "node/open_database.hpp"
#include "tests/support/child_process.hpp"
#include "tests/torture/history.hpp"

namespace keel::tests {
namespace {

using db::Database;
using db::testing::TempDirectory;

std::string hex_or_dash(core::ByteView bytes) {
    return bytes.empty() ? "-" : core::to_hex(bytes);
}

/// What tests/torture/read_store.py prints of a store.
std::string text_of(const Database& store) {
    const db::ReadTxn txn = store.begin_ro();
    std::string text = fmt::format("commit {}\n", txn.view_id());
    for (const db::TableSpec& spec : txn.list_tables()) {
        const db::Table table = store.table(spec.name);
        text += fmt::format("table {} {} {} {}\n", spec.name,
                            spec.kind == db::Kind::DupSort ? "dupsort" : "plain",
                            txn.sequence(table), txn.count(table));
        db::Range range = txn.range(table);
        while (const db::Hit hit = range.next())
            text += fmt::format("{} {}\n", hex_or_dash(hit->key), hex_or_dash(hit->value));
    }
    return text;
}

/// A dump's lines in the form of what the reader prints behind its first line.
std::string rows_of_dump(const std::string& dump) {
    std::istringstream lines(dump);
    std::map<std::string, std::string> header;
    std::string text;
    std::string rows;
    uint64_t count = 0;
    const auto hex = [](const std::string& line) {
        return line.size() > 1 ? line.substr(1) : std::string("-");
    };
    for (std::string line; std::getline(lines, line);) {
        if (line == "DATA=END") {
            text += fmt::format("table {} {} {} {}\n", header["database"], header["keel_kind"],
                                header["keel_sequence"], count);
            text += rows;
            rows.clear();
            count = 0;
        } else if (line.starts_with(' ')) {
            std::string value;
            std::getline(lines, value);
            rows += hex(line) + " " + hex(value) + "\n";
            ++count;
        } else if (const size_t sign = line.find('='); sign != std::string::npos) {
            header[line.substr(0, sign)] = line.substr(sign + 1);
        }
    }
    return text;
}

TEST(StoreFormat, a_reader_that_knows_only_the_documentation_reads_image_and_log) {
    const TempDirectory root;
    node::Options options;
    options.directory = root.path() / "data";
    options.schema = history_schema();
    options.fold_bytes_min = 40'000;
    const auto read = [&] {
        ChildProcess reader({"/usr/bin/env", "python3",
                             KEEL_SOURCE_DIR "/tests/torture/read_store.py",
                             options.directory.string()});
        EXPECT_EQ(reader.wait(), 0) << reader.output();
        return reader.output();
    };
    const auto expect_dump = [&](const std::string& said) {
        ChildProcess dump({KEEL_PROGRAM, "db", "dump", "--datadir", options.directory.string()});
        EXPECT_EQ(dump.wait(), 0) << dump.output();
        EXPECT_EQ(said.substr(said.find('\n') + 1), rows_of_dump(dump.output()));
    };
    constexpr uint64_t kLogHeadBytes = 4096;  // records follow
    const auto has_log = [&] {
        for (const auto& entry : std::filesystem::directory_iterator(options.directory))
            if (entry.path().extension() == ".log" && entry.file_size() > kLogHeadBytes)
                return true;
        return false;
    };
    Database store = node::open_database(options);
    EXPECT_EQ(read(), text_of(store));
    store.update([&](db::WriteTxn& txn) {
        for (uint64_t row = 0; row < 2'000; ++row)
            txn.put(store.table("P"), db::testing::number_key(row * row), "of many pages");
    });
    uint64_t view = store.begin_ro().view_id();
    for (int round = 0; round < 4; ++round) {
        for (int commit = 0; commit < 12; ++commit) make_commit(store, ++view);
        EXPECT_EQ(read(), text_of(store)) << "beside the writer";
        const std::string text = text_of(store);
        expect_dump(text);
        store.close();
        EXPECT_EQ(read(), text);
        expect_dump(text);
        store = node::open_database(options);
        EXPECT_EQ(read(), text);
    }
    const std::string text = text_of(store);
    store.close();
    ChildProcess compact({KEEL_PROGRAM, "db", "compact", "--datadir", options.directory.string()});
    EXPECT_EQ(compact.wait(), 0) << compact.output();
    EXPECT_FALSE(has_log());
    EXPECT_EQ(read(), text);
    expect_dump(text);
    store = node::open_database(options);
    store.update([&](db::WriteTxn& txn) { txn.put(store.table("P"), "behind", "the image"); });
    EXPECT_TRUE(has_log());
    EXPECT_EQ(read(), text_of(store));
    expect_dump(text_of(store));
}

}  // namespace
}  // namespace keel::tests
