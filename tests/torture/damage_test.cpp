// Image and log with every bit flipped, one at a time, and cut at every length. What is opened then
// reads as before, or says what is damaged: file and offset.
//
// In the ordinary test run every so many-th case is taken; KEEL_TORTURE=full takes them all. Counts
// are printed.

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <map>

#include "db/mem/page.hpp"
#include "tests/torture/counts.hpp"
#include "tests/torture/memory_store.hpp"

namespace keel::tests {
namespace {

using db::Database;
using db::Durability;
using db::testing::digest_of_all;
using db::testing::MemoryFiles;
using db::testing::Random;
using Contents = std::map<std::string, core::Bytes>;

constexpr char kImage[] = "/data/store.img";
constexpr char kLog[] = "/data/store-2.log";
constexpr size_t kPageBytes = db::mem::kPageBytes;

/// The files of a closed store whose image has `image_bytes` at least and whose log has commits.
std::map<std::string, core::Bytes> closed_store(uint64_t image_bytes, std::string& digest) {
    MemoryFiles files;
    files.make_directory(kFolder);
    {
        const Database store =
            db::open(db::Backend::Mem, options_on(files, Durability::Close, uint64_t{64} << 20));
        const db::Table p = store.table("P");
        Random random(1);
        store.update([&](db::WriteTxn& txn) {
            for (uint64_t row = 0; row * 1'000 < image_bytes; ++row)
                txn.put(p, db::testing::number_key(row),
                        std::string(400 + random.below(1'000), static_cast<char>('a' + row % 26)));
            txn.put(p, "large", std::string(20'000, 'L'));
            for (int value = 0; value < 200; ++value)
                txn.put(store.table("D"), "group", std::to_string(value));
        });
        store.close();
    }
    {
        const Database store =
            db::open(db::Backend::Mem, options_on(files, Durability::Group, uint64_t{64} << 20));
        for (int commit = 0; commit < 3; ++commit)
            store.update([&](db::WriteTxn& txn) {
                txn.put(store.table("D"), "behind", std::to_string(commit));
            });
        digest = digest_of_all(store);
        store.close();
    }
    return files.contents();
}

std::unique_ptr<MemoryFiles> files_of(const Contents& contents) {
    auto files = std::make_unique<MemoryFiles>();
    files->make_directory(kFolder);
    for (const auto& [path, content] : contents) files->put(path, content);
    return files;
}

Database open_read_only(MemoryFiles& files) {
    db::OpenOptions options = options_on(files, Durability::Group, uint64_t{64} << 20);
    options.access = db::Access::ReadOnly;
    return db::open(db::Backend::Mem, options);
}

/// "right" if `read` finds what it must, "said" if it names the file and the damage; anything else
/// is a failure.
template <class Read>
void expect_right_or_said(Read&& read, const std::string& damaged, Counts& counts) {
    counts.take();
    try {
        if (read()) {
            counts.add("right");
            return;
        }
        counts.add("WRONG");
        ADD_FAILURE() << "wrong data";
    } catch (const core::Fault& fault) {
        counts.add("said");
        if (fault.kind() == core::FaultKind::Damaged &&
            fault.message().find(damaged) != std::string::npos)
            return;
        counts.add("UNCLEAR");
        ADD_FAILURE() << fault.message();
    }
}

/// The same for whole files: all is opened and all is read.
void expect_files_right_or_said(const Contents& contents, const std::string& digest,
                                const std::string& damaged, Counts& counts) {
    const std::unique_ptr<MemoryFiles> files = files_of(contents);
    expect_right_or_said([&] { return digest_of_all(open_read_only(*files)) == digest; }, damaged,
                         counts);
}

/// A closed store whose image is damaged while it is mapped: a page is looked at when it is first
/// read, so that one opening serves all bits of a page.
class MappedImage {
  public:
    explicit MappedImage(const Contents& contents) : files_(files_of(contents)) {
        files_->mapped = [this](void* at, size_t bytes) {
            EXPECT_EQ(::mprotect(at, bytes, PROT_READ | PROT_WRITE), 0);
            bytes_ = static_cast<uint8_t*>(at);
        };
        open();
    }
    /// Anew: no page has been looked at but those that an opening reads.
    void open() {
        store_ = Database();
        store_ = open_read_only(*files_);
    }
    uint8_t& byte(uint64_t at) { return bytes_[at]; }
    const Database& store() const { return store_; }

  private:
    std::unique_ptr<MemoryFiles> files_;
    uint8_t* bytes_ = nullptr;
    Database store_;
};

/// How one comes to a page: the step from an entry, or into a table.
struct Step {
    std::string table;
    std::optional<std::pair<core::Bytes, core::Bytes>> from = {};
};

/// Makes the step, and answers with what it finds.
std::optional<std::pair<core::Bytes, core::Bytes>> make(const Step& step, const Database& store) {
    const db::ReadTxn txn = store.begin_ro();
    const db::Table table = store.table(step.table);
    db::ReadCursor cursor = txn.cursor(table);
    db::Hit hit;
    if (!step.from) {
        hit = cursor.first();
    } else {
        const auto& [key, value] = *step.from;
        hit = table.kind == db::Kind::DupSort ? cursor.seek_both_exact(key, value)
                                              : cursor.seek_exact(key);
        EXPECT_TRUE(hit.has_value());
        hit = cursor.next();
    }
    if (!hit) return std::nullopt;
    return std::pair(hit->key.to_bytes(), hit->value.to_bytes());
}

/// The step at which a walk through everything meets the damage. None: it is met at the opening.
std::optional<Step> step_to_damage(const Database& store) {
    for (const db::TableSpec& spec : store.begin_ro().list_tables()) {
        Step step = {spec.name};
        try {
            const db::ReadTxn txn = store.begin_ro();
            db::ReadCursor cursor = txn.cursor(store.table(spec.name));
            for (db::Hit hit = cursor.first(); hit; hit = cursor.next())
                step.from = {hit->key.to_bytes(), hit->value.to_bytes()};
        } catch (const core::Fault&) {
            return step;
        }
    }
    return std::nullopt;
}

TEST(TortureDamage, every_flipped_bit_of_an_image_is_said_or_harmless) {
    std::string digest;
    Contents contents = closed_store(225'000, digest);
    core::Bytes& image = contents.at(kImage);
    ASSERT_GE(image.size(), 256u << 10);
    Counts counts(fmt::format("flipped, image of {} bytes", image.size()), "bits");
    const uint64_t step = full() ? 1 : 1'009;  // prime: all bits of a byte, all places of a page
    constexpr uint64_t kPageBits = kPageBytes * 8;
    const auto mask = [](uint64_t bit) { return static_cast<uint8_t>(1U << (bit % 8)); };
    uint64_t pages_at_opening = 0;
    uint64_t bit = 0;
    for (uint64_t page = 0; page * kPageBytes < image.size() && !HasFailure(); ++page) {
        MappedImage mapped(contents);
        // A byte that the page's checksum covers, in the middle of a run's value too.
        uint8_t& some = mapped.byte(page * kPageBytes + 100);
        some ^= 1;
        const std::optional<Step> way = step_to_damage(mapped.store());
        some ^= 1;
        if (!way) ++pages_at_opening;
        const auto expected = way ? make(*way, MappedImage(contents).store()) : std::nullopt;
        for (; bit < (page + 1) * kPageBits && !HasFailure(); bit += step) {
            SCOPED_TRACE(fmt::format("bit {} of byte {}", bit % 8, bit / 8));
            if (!way) {
                image[bit / 8] ^= mask(bit);
                expect_files_right_or_said(contents, digest, "store", counts);
                image[bit / 8] ^= mask(bit);
                continue;
            }
            const uint64_t right = counts.of("right");
            mapped.byte(bit / 8) ^= mask(bit);
            expect_right_or_said(
                [&] {
                    return make(*way, mapped.store()) == expected &&
                           digest_of_all(mapped.store()) == digest;
                },
                kImage, counts);
            mapped.byte(bit / 8) ^= mask(bit);
            // It has passed: no bit behind it would be seen.
            if (counts.of("right") != right) mapped.open();
        }
    }
    EXPECT_GT(counts.of("said"), 0u);
    EXPECT_EQ(pages_at_opening, 5u) << "headers, catalogue, and the way to what the log changes";
}

TEST(TortureDamage, every_flipped_bit_of_a_log_is_said_or_harmless) {
    std::string digest;
    Contents contents = closed_store(10'000, digest);
    core::Bytes& log = contents.at(kLog);
    Counts counts(fmt::format("flipped, log of {} bytes", log.size()), "bits");
    const uint64_t step = full() ? 1 : 7;
    for (uint64_t bit = 0; bit < log.size() * 8 && !HasFailure(); bit += step) {
        SCOPED_TRACE(fmt::format("bit {} of byte {}", bit % 8, bit / 8));
        const auto mask = static_cast<uint8_t>(1U << (bit % 8));
        log[bit / 8] ^= mask;
        expect_files_right_or_said(contents, digest, "store-2.log", counts);
        log[bit / 8] ^= mask;
    }
}

TEST(TortureDamage, image_and_log_cut_at_every_length_are_said) {
    std::string digest;
    const Contents whole = closed_store(225'000, digest);
    for (const char* const path : {kImage, kLog}) {
        const core::Bytes& bytes = whole.at(path);
        Counts counts(
            fmt::format("cut, {} of {} bytes", path == kImage ? "image" : "log", bytes.size()),
            "lengths");
        const std::unique_ptr<MemoryFiles> files = files_of(whole);
        const uint64_t step = step_of(bytes.size(), 2'000);
        for (uint64_t length = 0; length < bytes.size() && !HasFailure(); length += step) {
            SCOPED_TRACE(length);
            files->put(path, core::Bytes(bytes.begin(),
                                         bytes.begin() + static_cast<std::ptrdiff_t>(length)));
            expect_right_or_said([&] { return digest_of_all(open_read_only(*files)) == digest; },
                                 path, counts);
        }
        EXPECT_EQ(counts.of("right"), 0u) << "it was closed: nothing may be missing";
    }
}

}  // namespace
}  // namespace keel::tests
