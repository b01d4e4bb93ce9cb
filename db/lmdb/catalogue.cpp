#include "db/lmdb/catalogue.hpp"

#include <algorithm>
#include <array>

#include "core/endian.hpp"
#include "db/lmdb/stored.hpp"

namespace keel::db::lmdb {
namespace {

constexpr size_t kUidDigits = 32;
constexpr size_t kFormatBytes = sizeof(uint32_t);
constexpr size_t kTableRecordBytes = 1 + sizeof(uint64_t);
constexpr uint8_t kDropped = 1;

}  // namespace

int read_store_record(MDB_txn* txn, MDB_dbi catalogue, StoreRecord& record) {
    MDB_val key = raw_val(kStoreKey);
    MDB_val value;
    if (const int rc = mdb_get(txn, catalogue, &key, &value); rc != 0) return rc;
    const ByteView view = raw_view(value);
    if (view.size() < kFormatBytes + kUidDigits) return MDB_CORRUPTED;
    record.format = core::load_le<uint32_t>(view.data());
    record.uid = view.sub(kFormatBytes, kUidDigits).text();
    record.producer = view.sub(kFormatBytes + kUidDigits).text();
    return 0;
}

int write_store_record(MDB_txn* txn, MDB_dbi catalogue, const StoreRecord& record) {
    core::Bytes bytes(kFormatBytes);
    core::store_le(bytes.data(), record.format);
    core::append(bytes, record.uid);
    core::append(bytes, record.producer);
    MDB_val key = raw_val(kStoreKey);
    MDB_val value = raw_val(bytes);
    return mdb_put(txn, catalogue, &key, &value, 0);
}

int read_table_record(MDB_txn* txn, MDB_dbi catalogue, std::string_view stored_name,
                      TableRecord& record) {
    record = {};
    if (catalogue == 0) return 0;  // a store that was not made by keel and is open read-only
    MDB_val key = raw_val(stored_name);
    MDB_val value;
    const int rc = mdb_get(txn, catalogue, &key, &value);
    if (rc == MDB_NOTFOUND) return 0;
    if (rc != 0) return rc;
    const ByteView view = raw_view(value);
    if (view.size() != kTableRecordBytes) return MDB_CORRUPTED;
    record.dropped = (view[0] & kDropped) != 0;
    record.sequence = core::load_le<uint64_t>(view.data() + 1);
    return 0;
}

int write_table_record(MDB_txn* txn, MDB_dbi catalogue, std::string_view stored_name,
                       const TableRecord& record) {
    MDB_val key = raw_val(stored_name);
    if (record == TableRecord{}) {
        const int rc = mdb_del(txn, catalogue, &key, nullptr);
        return rc == MDB_NOTFOUND ? 0 : rc;
    }
    std::array<uint8_t, kTableRecordBytes> bytes;
    bytes[0] = record.dropped ? kDropped : 0;
    core::store_le(bytes.data() + 1, record.sequence);
    MDB_val value = raw_val(bytes);
    return mdb_put(txn, catalogue, &key, &value, 0);
}

std::string_view logical_name(std::string_view stored_name) noexcept {
    if (stored_name.ends_with(kSecondPlace)) stored_name.remove_suffix(2);
    return stored_name;
}

bool is_own_name(std::string_view stored_name) noexcept {
    return stored_name.starts_with("_keel");
}

bool is_table_name(std::string_view name) noexcept {
    if (name.empty() || name.size() > kTableNameBytesMax || is_own_name(name)) return false;
    return std::ranges::all_of(name, [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '.' || c == '-';
    });
}

}  // namespace keel::db::lmdb
