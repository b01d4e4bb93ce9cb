#pragma once

// Digests of content: equal for equal content, whatever backend holds it and however it came about.

#include <array>
#include <string>
#include <vector>

#include "db/database.hpp"
#include "db/tools/progress.hpp"

namespace keel::db::tools {

/// XXH3-128, most significant byte first.
struct Digest {
    std::array<uint8_t, 16> bytes{};
    std::string hex() const;
    friend bool operator==(const Digest&, const Digest&) = default;
};

struct TableDigest {
    std::string name;
    Kind kind = Kind::Plain;
    uint64_t entries = 0;
    uint64_t sequence = 0;
    /// Over each entry in order: key length u64, key, value length u64, value (little-endian).
    Digest entries_digest;
    friend bool operator==(const TableDigest&, const TableDigest&) = default;
};

struct StoreDigest {
    uint64_t view_id = 0;             // not part of the digest
    std::vector<TableDigest> tables;  // by name
    /// Over each table by name: name length u64, name, kind u8, entries u64, sequence u64, digest.
    Digest digest;
};

/// One table as `txn` sees it; none: it is not there.
std::optional<TableDigest> checksum_table(const Database& database, const ReadTxn& txn,
                                          std::string_view name);
/// All tables of the newest snapshot. Progress counts entries.
StoreDigest checksum(const Database& database, const Progress& progress = {});
StoreDigest checksum(const Database& database, const ReadTxn& txn, const Progress& progress = {});

}  // namespace keel::db::tools
