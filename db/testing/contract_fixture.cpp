#include "db/testing/contract_fixture.hpp"

#include <xxhash.h>

#include <cstdlib>

#include "core/endian.hpp"

namespace keel::db::testing {

TempDirectory::TempDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "keel-kv-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr)
        throw std::filesystem::filesystem_error("mkdtemp", pattern,
                                                std::error_code(errno, std::generic_category()));
    path_ = pattern;
}

TempDirectory::~TempDirectory() {
    std::error_code ignored;  // a test may have removed it
    std::filesystem::remove_all(path_, ignored);
}

uint64_t file_bytes(const std::filesystem::path& directory) {
    uint64_t sum = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory))
        if (entry.is_regular_file()) sum += entry.file_size();
    return sum;
}

uint64_t process_seed() {
    static const uint64_t kSeed = [] {
        if (const char* given = std::getenv("KEEL_SEED")) return uint64_t{std::stoull(given)};
        std::random_device device;
        return uint64_t{device()} << 32 | device();
    }();
    return kSeed;
}

Bytes Random::bytes(size_t size, ByteView alphabet) {
    Bytes bytes(size);
    for (uint8_t& byte : bytes) byte = alphabet[below(alphabet.size())];
    return bytes;
}

Bytes number_key(uint64_t number) {
    Bytes key(sizeof number);
    core::store_be(key.data(), number);
    return key;
}

uint64_t number_of(ByteView view) {
    if (view.size() != sizeof(uint64_t)) throw std::logic_error("not a number of 8 bytes");
    return core::load_be<uint64_t>(view.data());
}

namespace {

uint64_t hash_in(uint64_t hash, ByteView bytes) {
    return XXH3_64bits_withSeed(bytes.data(), bytes.size(), hash + bytes.size());
}

}  // namespace

uint64_t digest(const ReadTxn& txn, Table table) {
    uint64_t hash = 0;
    ReadCursor cursor = txn.cursor(table);
    for (Hit hit = cursor.first(); hit; hit = cursor.next())
        hash = hash_in(hash_in(hash, hit->key), hit->value);
    return hash;
}

uint64_t digest(const ModelTable& table) {
    uint64_t hash = 0;
    for (size_t index = 0; index < table.size(); ++index)
        hash = hash_in(hash_in(hash, table.row(index).key), table.row(index).value);
    return hash;
}

std::string digest_of_all(const Database& database) {
    const ReadTxn txn = database.begin_ro();
    std::string text;
    for (const TableSpec& spec : txn.list_tables()) {
        const Table table = database.table(spec.name);
        text += spec.name + (spec.kind == Kind::Plain ? " plain" : " dupsort") + " sequence " +
                std::to_string(txn.sequence(table)) + " entries " +
                std::to_string(txn.count(table)) + " digest " + std::to_string(digest(txn, table)) +
                "\n";
    }
    return text;
}

std::vector<Row> rows(const ReadTxn& txn, Table table) {
    std::vector<Row> all;
    ReadCursor cursor = txn.cursor(table);
    for (Hit hit = cursor.first(); hit; hit = cursor.next()) all.push_back(to_row(*hit));
    return all;
}

std::vector<Row> rows(Range range) {
    std::vector<Row> all;
    for (Hit hit = range.next(); hit; hit = range.next()) all.push_back(to_row(*hit));
    return all;
}

void RecordingObserver::long_reader(const LongReader& reader) {
    const std::scoped_lock lock(mutex_);
    long_readers_.push_back(reader);
    changed_.notify_all();
}

std::vector<LongReader> RecordingObserver::long_readers() const {
    const std::scoped_lock lock(mutex_);
    return long_readers_;
}

bool RecordingObserver::wait_for_long_readers(size_t count, std::chrono::milliseconds limit) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, limit, [&] { return long_readers_.size() >= count; });
}

}  // namespace keel::db::testing
