// A large image costs what is read of it: opening, memory and reads from disk do not depend on its
// size. KEEL_IMAGE_MEBIBYTES: how large (1024 shows the figures that are asked for; 96 by default).

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iostream>

#include "core/clock.hpp"
#include "core/endian.hpp"
#include "db/bulk_load.hpp"
#include "db/testing/contract_fixture.hpp"

namespace keel::db::testing {
namespace {

constexpr uint64_t kRowBytes = 256;
constexpr size_t kReads = 1000;
constexpr uint64_t kMebibyte = uint64_t{1} << 20;

uint64_t image_mebibytes() {
    const char* const text = std::getenv("KEEL_IMAGE_MEBIBYTES");
    return text != nullptr ? std::strtoull(text, nullptr, 10) : 96;
}

/// A figure of this process: `name` as it stands in the file of /proc.
uint64_t process_figure(const char* file, std::string_view name) {
    std::ifstream from(file);
    std::string word;
    for (uint64_t value = 0; from >> word;) {
        if (word != name) continue;
        from >> value;
        return value;
    }
    return 0;
}
uint64_t anonymous_bytes() {
    return process_figure("/proc/self/status", "RssAnon:") * 1024;
}
uint64_t disk_bytes_read() {
    return process_figure("/proc/self/io", "read_bytes:");
}

std::array<uint8_t, 32> key_of(uint64_t index) {
    std::array<uint8_t, 32> key;
    for (size_t i = 0; i < 4; ++i) {
        uint64_t word = index * 4 + i;
        word = (word ^ (word >> 31)) * 0x9e3779b97f4a7c15;
        core::store_be(key.data() + 8 * i, (word ^ (word >> 29)) * 0xbf58476d1ce4e5b9);
    }
    return key;
}

struct Reading {
    double milliseconds;
    double processor_milliseconds;
    uint64_t anonymous_bytes;
    uint64_t disk_bytes;
};

/// Opens the store and reads rows at random.
Reading read_rows(const OpenOptions& options, uint64_t rows) {
    Random random(7);
    const uint64_t anonymous_before = anonymous_bytes();
    const uint64_t disk_before = disk_bytes_read();
    const uint64_t begin_ns = core::monotonic_ns();
    const uint64_t processor_begin_ns = core::clock_ns(CLOCK_THREAD_CPUTIME_ID);
    const Database store = open(Backend::Mem, options);
    const Table table = store.table("P");
    const ReadTxn txn = store.begin_ro();
    for (size_t i = 0; i < kReads; ++i) {
        const uint64_t row = random.below(rows);
        const std::optional<ByteView> value = txn.get(table, key_of(row));
        EXPECT_TRUE(value.has_value());
        EXPECT_EQ(core::load_be<uint64_t>(value->data()), row);
    }
    const double took = static_cast<double>(core::monotonic_ns() - begin_ns) / 1e6;
    const double processor =
        static_cast<double>(core::clock_ns(CLOCK_THREAD_CPUTIME_ID) - processor_begin_ns) / 1e6;
    return {took, processor, anonymous_bytes() - std::min(anonymous_before, anonymous_bytes()),
            disk_bytes_read() - disk_before};
}

TEST(ImageSize, a_large_image_costs_what_is_read_of_it) {
    const TempDirectory directory;
    OpenOptions options;
    options.directory = directory.path();
    options.durability = Durability::Close;
    options.schema = {{"P", Kind::Plain}};
    const uint64_t rows = image_mebibytes() * kMebibyte / kRowBytes;
    {
        const Database store = open(Backend::Mem, options);
        WriteTxn txn = std::move(*store.begin_rw());
        BulkLoad load;
        BulkLoad::Stream& stream = load.table(store.table("P"));
        Bytes value(kRowBytes - 32 - 16);
        for (uint64_t row = 0; row < rows; ++row) {
            core::store_be(value.data(), row);
            stream.add(key_of(row), value);
        }
        load.into(txn);
        txn.commit();
        store.close();
    }
    const std::filesystem::path image = directory.path() / "store.img";
    ASSERT_GT(std::filesystem::file_size(image), rows * (kRowBytes - 16));

    options.access = Access::ReadOnly;
    read_rows(options, rows);
    const Reading warm = read_rows(options, rows);
    // The image leaves the page cache; it is on disk already, so nothing keeps it there.
    const int descriptor = ::open(image.c_str(), O_RDONLY);
    ASSERT_GE(descriptor, 0);
    ::fsync(descriptor);
    ::posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED);
    ::close(descriptor);
    const Reading cold = read_rows(options, rows);
    std::cout << "image of " << std::filesystem::file_size(image) / kMebibyte << " MiB: open and "
              << kReads << " random rows warm " << warm.milliseconds << " ms ("
              << warm.processor_milliseconds << " of processor), cold " << cold.milliseconds
              << " ms; anonymous memory " << warm.anonymous_bytes / 1024
              << " KiB, read from disk cold " << cold.disk_bytes / 1024 << " KiB\n";
    EXPECT_LT(warm.anonymous_bytes, 8 * kMebibyte);
    EXPECT_LT(cold.anonymous_bytes, 8 * kMebibyte);
    EXPECT_LT(cold.disk_bytes, 32 * kMebibyte);
}

}  // namespace
}  // namespace keel::db::testing
