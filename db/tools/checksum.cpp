#include "db/tools/checksum.hpp"

#include <xxhash.h>

#include <memory>

#include "core/endian.hpp"
#include "core/hex.hpp"
#include "db/tools/steps.hpp"

namespace keel::db::tools {
namespace {

class Hasher {
  public:
    Hasher() : state_(XXH3_createState(), XXH3_freeState) {
        if (state_ == nullptr) throw std::bad_alloc();
        XXH3_128bits_reset(state_.get());
    }
    void add(ByteView bytes) { XXH3_128bits_update(state_.get(), bytes.data(), bytes.size()); }
    void add(uint64_t number) {
        std::array<uint8_t, sizeof number> bytes;
        core::store_le(bytes.data(), number);
        add(ByteView(bytes));
    }
    void add_sized(ByteView bytes) {
        add(bytes.size());
        add(bytes);
    }
    Digest digest() const {
        XXH128_canonical_t canonical;
        XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(state_.get()));
        Digest digest;
        static_assert(sizeof canonical.digest == sizeof digest.bytes);
        std::memcpy(digest.bytes.data(), canonical.digest, sizeof canonical.digest);
        return digest;
    }

  private:
    std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> state_;
};

TableDigest digest_of(const Database& database, const ReadTxn& txn, const TableSpec& spec,
                      Steps& steps) {
    const Table table = database.table(spec.name);
    TableDigest result{.name = spec.name,
                       .kind = spec.kind,
                       .entries = 0,
                       .sequence = txn.sequence(table),
                       .entries_digest = {}};
    Hasher hasher;
    ReadCursor cursor = txn.cursor(table);
    for (Hit hit = cursor.first(); hit; hit = cursor.next()) {
        hasher.add_sized(hit->key);
        hasher.add_sized(hit->value);
        ++result.entries;
        steps.step();
    }
    result.entries_digest = hasher.digest();
    return result;
}

}  // namespace

std::string Digest::hex() const {
    return core::to_hex(bytes);
}

std::optional<TableDigest> checksum_table(const Database& database, const ReadTxn& txn,
                                          std::string_view name) {
    const Progress nobody;
    Steps steps(nobody, 0);
    for (const TableSpec& spec : txn.list_tables())
        if (spec.name == name) return digest_of(database, txn, spec, steps);
    return std::nullopt;
}

StoreDigest checksum(const Database& database, const ReadTxn& txn, const Progress& progress) {
    uint64_t all = 0;
    const std::vector<TableSpec> specs = txn.list_tables();
    for (const TableSpec& spec : specs) all += txn.count(database.table(spec.name));
    Steps steps(progress, all);
    StoreDigest result{.view_id = txn.view_id(), .tables = {}, .digest = {}};
    Hasher hasher;
    for (const TableSpec& spec : specs) {
        const TableDigest table = digest_of(database, txn, spec, steps);
        hasher.add_sized(table.name);
        hasher.add(ByteView(std::array{static_cast<uint8_t>(table.kind)}));
        hasher.add(table.entries);
        hasher.add(table.sequence);
        hasher.add(ByteView(table.entries_digest.bytes));
        result.tables.push_back(table);
    }
    result.digest = hasher.digest();
    return result;
}

StoreDigest checksum(const Database& database, const Progress& progress) {
    return checksum(database, database.begin_ro(), progress);
}

}  // namespace keel::db::tools
