// KV.md A.11, the text dump: K60.

#include <array>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "db/testing/contract_fixture.hpp"
#include "db/tools/checksum.hpp"
#include "db/tools/dump.hpp"
#include "db/tools/load.hpp"

namespace keel::db::testing {

namespace {

TYPED_TEST_SUITE(KvContract, BothBackends, BackendNames);

std::string dump_text(const Database& store, tools::TextFormat format) {
    std::string text;
    tools::dump(store, {.format = format, .tables = {}},
                [&](std::string_view piece) { text += piece; });
    return text;
}

/// Without the lines that R51 excepts and those that mdb_load ignores.
std::string comparable(const std::string& text) {
    std::istringstream lines(text);
    std::string kept;
    for (std::string line; std::getline(lines, line);)
        if (!line.starts_with("mapsize=") && !line.starts_with("maxreaders=") &&
            !line.starts_with("keel_"))
            kept += line + "\n";
    return kept;
}

/// What a program of lmdb-utils prints.
std::string output_of(const std::string& command) {
    std::FILE* pipe = popen(command.c_str(), "r");
    if (pipe == nullptr) throw std::runtime_error("cannot run: " + command);
    std::string output;
    std::array<char, 4096> piece{};
    while (const size_t size = std::fread(piece.data(), 1, piece.size(), pipe))
        output.append(piece.data(), size);
    EXPECT_EQ(pclose(pipe), 0) << command;
    return output;
}

/// Every byte value in keys and values; empty ones only where liblmdb's own programs need not hold
/// them.
void fill_with_every_byte(const Database& store, bool with_empty) {
    const Table p = store.table("P");
    const Table d = store.table("D");
    store.update([&](WriteTxn& txn) {
        Bytes all;
        for (int byte = 0; byte < 256; ++byte) all.push_back(static_cast<uint8_t>(byte));
        for (const uint8_t byte : all) {
            txn.put(p, Bytes{byte}, all);
            txn.put(p, Bytes{'k', byte}, Bytes(size_t{byte} * 40, byte));
            txn.put(d, "group", Bytes{byte});
            txn.put(d, Bytes{byte, byte}, Bytes{byte, 'v'});
        }
        txn.put(p, all, all);
        if (with_empty) {
            txn.put(p, "", "an empty key");
            txn.put(p, "an empty value", "");
            txn.put(d, "", "");
            txn.put(d, "group", "");
        }
        txn.set_sequence(d, 41);
    });
}

// K60 (R51, A.9): between the backends, in both forms of the text.
TYPED_TEST(KvContract, K60_a_dump_loaded_into_the_other_backend_dumps_the_same) {
    fill_with_every_byte(this->store(), true);
    const tools::Digest digest = tools::checksum(this->store()).digest;
    for (const tools::TextFormat format :
         {tools::TextFormat::ByteValue, tools::TextFormat::Print}) {
        const std::string text = dump_text(this->store(), format);
        const TempDirectory directory;
        OpenOptions options = this->options();
        options.directory = directory.path();
        options.schema.clear();  // the dump says which tables there are
        const Database other = db::open(TypeParam::kOther, options);
        tools::load(other, text);
        EXPECT_EQ(tools::checksum(other).digest, digest);
        EXPECT_EQ(dump_text(other, format), text);
        other.close();
    }
}

// K60 (A.9): with the programs of liblmdb.
TYPED_TEST(KvContract, K60_mdb_load_and_mdb_dump_give_a_dump_back) {
    fill_with_every_byte(this->store(), false);
    const std::string text = dump_text(this->store(), tools::TextFormat::ByteValue);
    const TempDirectory directory;
    const std::string file = (directory.path() / "dump.txt").string();
    const std::string environment = (directory.path() / "environment").string();
    std::ofstream(file) << text;
    std::filesystem::create_directory(environment);
    output_of("mdb_load -f '" + file + "' '" + environment + "' 2>/dev/null");
    const std::string theirs = output_of("mdb_dump -a '" + environment + "'");
    EXPECT_EQ(comparable(theirs), comparable(text));
    OpenOptions options = this->options();
    options.directory = directory.path() / "back";
    std::filesystem::create_directory(options.directory);
    const Database back = db::open(this->kBackend, options);
    tools::load(back, theirs);
    // liblmdb knows no sequences: all else is back.
    EXPECT_EQ(comparable(dump_text(back, tools::TextFormat::ByteValue)), comparable(text));
    back.close();
}

}  // namespace

}  // namespace keel::db::testing
