#include <xxhash.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <string_view>

#include "core/endian.hpp"
#include "core/fault.hpp"
#include "db/open.hpp"
#include "db/testing/memory_files.hpp"
#include "fuzz/fuzz.hpp"

using namespace keel;

namespace {

constexpr size_t kPage = 4096;
constexpr uint64_t kPagesMax = 64;

/// Puts right what any damage breaks at once (checksums, numbers of pages, the size of the file),
/// so that what lies behind them is read. Places: docs/store-format.md.
void mend(core::Bytes& image) {
    const uint64_t pages = image.size() / kPage;
    for (uint64_t i = 0; i < 2; ++i) {
        uint8_t* const header = image.data() + i * kPage;
        std::memcpy(header, "keel.img", 8);
        core::store_le<uint32_t>(header + 8, 1);
        core::store_le<uint32_t>(header + 12, kPage);
        core::store_le<uint64_t>(header + 16, pages);
        if (core::load_le<uint64_t>(header + 24) == 0) core::store_le<uint64_t>(header + 24, 1);
        header[61] = 0;  // no log belongs to it
        core::store_le<uint64_t>(header + 4088, ::XXH3_64bits(header, 4088));
    }
    for (uint64_t i = 2; i < pages; ++i) {
        uint8_t* const page = image.data() + i * kPage;
        core::store_le<uint32_t>(page + 8, static_cast<uint32_t>(i));
        uint64_t count = 1;
        uint64_t end = kPage;
        if (page[12] == 3) {
            const uint64_t value = core::load_le<uint64_t>(page + 24);
            count = std::clamp<uint64_t>(core::load_le<uint32_t>(page + 16), 1, pages - i);
            end = std::min(32 + std::min(value, count * kPage), count * kPage);
        }
        core::store_le<uint64_t>(page, ::XXH3_64bits(page + 8, end - 8));
        i += count - 1;
    }
}

db::Schema schema() {
    return {{.name = "Plain"}, {.name = "Sets", .kind = db::Kind::DupSort}};
}

/// A small store with branches, long values and groups.
core::Bytes make_seed() {
    db::testing::MemoryFiles files;
    files.make_directory("/store");
    db::OpenOptions options;
    options.directory = "/store";
    options.durability = db::Durability::Close;
    options.files = &files;
    options.reserve_bytes = uint64_t{1} << 26;
    options.schema = schema();
    const db::Database database = db::open(db::Backend::Mem, options);
    database.update([&](db::WriteTxn& txn) {
        const db::Table plain = database.table("Plain"), sets = database.table("Sets");
        for (int i = 0; i < 300; ++i) {
            const std::string key = "key " + std::to_string(i * 7919 % 1000);
            txn.put(plain, key, core::Bytes(static_cast<size_t>(i % 40), 0x55));
            txn.put(sets, std::to_string(i % 5), key);
        }
        txn.put(plain, "long", core::Bytes(9000, 0x77));
    });
    database.close();
    return files.contents().at("/store/store.img");
}

void read_all(const db::Database& database) {
    const db::ReadTxn txn = database.begin_ro();
    for (const db::TableSpec& spec : txn.list_tables()) {
        const db::Table table = database.table(spec.name);
        uint64_t forth = 0, back = 0, bytes = 0;
        db::Range up = txn.range(table);
        while (const auto row = up.next()) {
            for (const uint8_t byte : row->key) bytes += byte;
            for (const uint8_t byte : row->value) bytes += byte;
            (void)txn.get(table, row->key);
            if (++forth > 100'000) break;
        }
        db::Range down = txn.range(table, {}, {}, db::Order::Desc);
        while (down.next() && back <= 100'000) ++back;
        fuzz::require(bytes != UINT64_MAX, "bytes can be read");
    }
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
    constexpr std::string_view kFlag = "--write-seed=";
    for (int i = 1; i < *argc; ++i) {
        const std::string_view argument = (*argv)[i];
        if (!argument.starts_with(kFlag)) continue;
        const core::Bytes image = make_seed();
        std::ofstream out(std::string(argument.substr(kFlag.size())), std::ios::binary);
        out.put(1);
        out.write(reinterpret_cast<const char*>(image.data()),
                  static_cast<std::streamsize>(image.size()));
        out.close();
        std::exit(out ? 0 : 1);
    }
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size < 1) return 0;
    const bool mended = data[0] != 0;
    core::Bytes image(data + 1, data + size);
    if (mended) {
        image.resize(std::clamp<uint64_t>(image.size() / kPage, 2, kPagesMax) * kPage);
        mend(image);
    }
    db::testing::MemoryFiles files;
    files.make_directory("/store");
    files.put("/store/store.img", std::move(image));
    db::OpenOptions options;
    options.directory = "/store";
    options.access = db::Access::ReadOnly;
    options.files = &files;
    options.reserve_bytes = uint64_t{1} << 26;
    options.schema = schema();
    try {
        const db::Database database = db::open(db::Backend::Mem, options);
        read_all(database);
        database.close();
    } catch (const db::Error& error) {
        // Damage is found, and told as such. A forged catalogue may also name a table of another
        // kind, or one where no search finds it.
        if (error.code() == db::ErrorCode::KindMismatch ||
            error.code() == db::ErrorCode::NoSuchTable) {
            return 0;
        }
        const core::Fault& fault = error;
        if (fault.kind() != core::FaultKind::Damaged && fault.kind() != core::FaultKind::Usage) {
            std::fprintf(stderr, "%s\n", fault.what());
        }
        fuzz::require(
            fault.kind() == core::FaultKind::Damaged || fault.kind() == core::FaultKind::Usage,
            "a bad image is damage");
    }
    return 0;
}
