// The in-memory store's log: opened behind an image of two commits, replayed, compared with a model
// that applies the same operations, written on and opened once more. docs/store-format.md.

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/endian.hpp"
#include "core/fault.hpp"
#include "db/mem/catalogue.hpp"
#include "db/mem/log_format.hpp"
#include "db/open.hpp"
#include "db/testing/memory_files.hpp"
#include "db/testing/model_store.hpp"
#include "db/tools/check.hpp"
#include "db/tools/checksum.hpp"
#include "fuzz/fuzz.hpp"

using namespace keel;

namespace {

constexpr char kImagePath[] = "/store/store.img";
constexpr char kLogPath[] = "/store/store-2.log";
constexpr uint64_t kImageCommit = 2;
constexpr size_t kRecordHead = db::mem::kLogRecordHeadBytes;
constexpr size_t kOperationHead = db::mem::kLogOperationHeadBytes;

// The first byte of an input; behind it stand a whole log, or its records.
constexpr uint8_t kRecords = 1;     // heads and checksums are put right, a header is made
constexpr uint8_t kOperations = 2;  // operations and their lengths too
constexpr uint8_t kWritten = 4;     // opened to be written to

db::Schema schema() {
    return {{.name = "P"}, {.name = "D", .kind = db::Kind::DupSort}};
}

db::OpenOptions options_on(db::testing::MemoryFiles& files) {
    db::OpenOptions options;
    options.directory = "/store";
    options.files = &files;
    options.reserve_bytes = uint64_t{1} << 26;
    options.uid = "00112233445566778899aabbccddeeff";
    return options;
}

/// Commit 1 is the creation, commit 2 has some rows.
core::Bytes make_image() {
    db::testing::MemoryFiles files;
    files.make_directory("/store");
    db::OpenOptions options = options_on(files);
    options.durability = db::Durability::Close;
    options.schema = schema();
    const db::Database database = db::open(db::Backend::Mem, options);
    database.update([&](db::WriteTxn& txn) {
        for (const std::string key : {"a", "b", "c"}) {
            txn.put(database.table("P"), key, "old " + key);
            txn.put(database.table("D"), "group", key);
        }
    });
    database.close();
    return files.contents().at(kImagePath);
}

const core::Bytes& image() {
    static const core::Bytes bytes = make_image();
    return bytes;
}

/// Every operation at least once, in four commits.
core::Bytes make_log() {
    db::testing::MemoryFiles files;
    files.make_directory("/store");
    files.put(kImagePath, image());
    db::OpenOptions options = options_on(files);
    options.producer = "another";
    const db::Database database = db::open(db::Backend::Mem, options);
    const db::Table p = database.table("P"), d = database.table("D");
    database.update([&](db::WriteTxn& txn) {
        txn.put(p, "x", core::Bytes(5000, 0x11));
        txn.put(p, "a", "new");
        txn.del(p, "b");
        txn.put(d, "group", "d");
        txn.del(d, "group", "a");
        txn.set_sequence(p, 7);
    });
    database.update([&](db::WriteTxn& txn) {
        txn.create_table({.name = "More", .kind = db::Kind::DupSort});
        for (int i = 0; i < 40; ++i) txn.put(p, "row " + std::to_string(i), std::to_string(i));
        txn.del_range(p, core::ByteView("row 1"), core::ByteView("row 2"));
    });
    const db::Table more = database.table("More");
    database.update([&](db::WriteTxn& txn) {
        txn.put(more, "k", "v");
        txn.del(d, "group");
        txn.del_range(p, core::ByteView("row 3"), std::nullopt);
    });
    database.update([&](db::WriteTxn& txn) {
        txn.clear_table(d);
        txn.drop_table(more);
    });
    database.close();
    return files.contents().at(kLogPath);
}

/// Makes whole operations of any bytes; what is over stays away. The size that they then have.
size_t mend_operations(uint8_t* payload, size_t size) {
    size_t at = 0;
    while (size - at >= kOperationHead) {
        const auto head = core::load_le<uint64_t>(payload + at);
        const size_t left = size - at - kOperationHead;
        const uint64_t op = 1 + ((head >> 60) + db::mem::kLogOps - 2) % (db::mem::kLogOps - 1);
        const size_t key = std::min<size_t>(head >> 48 & 0xfff, left);
        const size_t value = std::min<size_t>(head & 0xffffffff, left - key);
        core::store_le<uint64_t>(payload + at, db::mem::log_operation_head(
                                                   static_cast<db::mem::LogOp>(op),
                                                   static_cast<uint16_t>(head >> 32), key, value));
        at += kOperationHead + key + value;
    }
    return at;
}

/// A segment of these records: their lengths are cut to what is there, the rest of their heads is
/// made anew.
core::Bytes mend(core::ByteView records, bool operations) {
    constexpr uint64_t kSalt = 0x5a5a5a5a00000000;
    const core::Bytes& made = image();
    db::mem::LogHeader header{.base_commit = kImageCommit, .salt = kSalt, .producer = {}};
    std::copy_n(made.data() + 40, header.uid.size(), header.uid.begin());
    core::Bytes log(db::mem::kLogHeaderBytes);
    db::mem::encode_log_header(header, log.data());
    for (uint64_t commit = kImageCommit + 1; records.size() > kRecordHead; ++commit) {
        const auto asked = core::load_le<uint64_t>(records.data() + 16);
        const auto bytes = static_cast<size_t>(
            std::min<uint64_t>(asked, static_cast<uint64_t>(records.size() - kRecordHead)));
        const size_t at = log.size();
        log.insert(log.end(), records.data(), records.data() + kRecordHead + bytes);
        size_t payload = bytes;
        if (operations) payload = mend_operations(log.data() + at + kRecordHead, bytes);
        log.resize(at + kRecordHead + db::mem::log_padded(payload));
        std::fill(log.begin() + static_cast<std::ptrdiff_t>(at + kRecordHead + payload), log.end(),
                  uint8_t{0});
        const core::ByteView written(log.data() + at + kRecordHead, payload);
        db::mem::encode_log_record_head({.commit_id = commit,
                                         .payload_bytes = payload,
                                         .synced_bytes = 0,
                                         .payload_checksum = db::mem::log_checksum(written)},
                                        kSalt, at, log.data() + at);
        records = records.sub(kRecordHead + static_cast<size_t>(db::mem::log_padded(bytes)));
    }
    return log;
}

/// What the format says of a log's operations, on tables that are sorted lists.
class Model {
  public:
    Model() {
        for (const db::TableSpec& spec : schema()) {
            tables_.emplace(spec.name, db::testing::ModelTable(spec.kind));
        }
        for (const std::string key : {"a", "b", "c"}) {
            tables_.at("P").put(core::ByteView(key), core::ByteView("old " + key));
            tables_.at("D").put(core::ByteView("group"), core::ByteView(key));
        }
    }
    /// False: one of them does not fit.
    bool replay(core::ByteView log) {
        for (size_t at = db::mem::kLogHeaderBytes; at + kRecordHead <= log.size();) {
            const auto bytes = static_cast<size_t>(core::load_le<uint64_t>(log.data() + at + 16));
            db::mem::LogOperations operations(log.sub(at + kRecordHead, bytes));
            std::vector<std::string> names;
            while (const auto operation = operations.next()) {
                if (!replay(*operation, names)) return false;
            }
            if (!operations.whole()) return false;
            at += kRecordHead + static_cast<size_t>(db::mem::log_padded(bytes));
        }
        return true;
    }
    bool equals(const db::Database& database) const {
        const db::ReadTxn txn = database.begin_ro();
        const auto specs = txn.list_tables();
        if (specs.size() != tables_.size()) return false;
        for (const auto& [name, model] : tables_) {
            const db::Table table = database.table(name);
            if (!txn.exists(table) || txn.stat(table).kind != model.kind() ||
                txn.sequence(table) != model.sequence() || txn.count(table) != model.size()) {
                return false;
            }
            db::Range range = txn.range(table);
            for (size_t i = 0; i < model.size(); ++i) {
                const auto row = range.next();
                if (!row || row->key != core::ByteView(model.row(i).key) ||
                    row->value != core::ByteView(model.row(i).value)) {
                    return false;
                }
            }
        }
        return true;
    }

  private:
    bool replay(const db::mem::LogOperation& operation, std::vector<std::string>& names) {
        using db::mem::LogOp;
        if (operation.op == LogOp::Table) {
            names.emplace_back(operation.key.text());
            return operation.table + size_t{1} == names.size() &&
                   db::mem::valid_table_name(names.back());
        }
        if (operation.op == LogOp::Producer) return true;
        if (operation.table >= names.size()) return false;
        const std::string& name = names[operation.table];
        const auto found = tables_.find(name);
        if (operation.op == LogOp::Create) {
            if (operation.value.size() != 2) return false;
            const auto kind = operation.value[0] == 1 ? db::Kind::DupSort : db::Kind::Plain;
            if (found != tables_.end()) return found->second.kind() == kind;
            tables_.emplace(name, db::testing::ModelTable(kind));
            return true;
        }
        if (found == tables_.end()) return false;
        if (operation.op == LogOp::Drop) {
            tables_.erase(found);
            return true;
        }
        return replay(operation, found->second);
    }
    static bool replay(const db::mem::LogOperation& operation, db::testing::ModelTable& table) {
        using db::mem::LogOp;
        switch (operation.op) {
            case LogOp::Put:
                table.put(operation.key, operation.value);
                return true;
            case LogOp::Delete:
                return table.kind() == db::Kind::DupSort ? table.del(operation.key, operation.value)
                                                         : table.del(operation.key);
            case LogOp::DeleteGroup:
                return table.del(operation.key);
            case LogOp::DeleteRange:
                return table.del_range(operation.key, operation.value) > 0;
            case LogOp::DeleteFrom:
                return table.del_range(operation.key, std::nullopt) > 0;
            case LogOp::Clear:
                table.clear();
                return true;
            case LogOp::Sequence:
                if (operation.value.size() != sizeof(uint64_t)) return false;
                table.set_sequence(core::load_le<uint64_t>(operation.value.data()));
                return true;
            default:
                return false;
        }
    }

    std::map<std::string, db::testing::ModelTable> tables_;
};

void write_file(const std::string& path, uint8_t flags, core::ByteView bytes) {
    std::ofstream out(path, std::ios::binary);
    out.put(static_cast<char>(flags));
    out.write(reinterpret_cast<const char*>(bytes.data()),
              static_cast<std::streamsize>(bytes.size()));
    out.close();
    if (!out) std::exit(1);
}

/// One more commit behind the log, which a second opening finds.
void write_on(const db::Database& database, db::testing::MemoryFiles& files) {
    database.update([&](db::WriteTxn& txn) {
        const db::Table table = database.table("P");
        if (txn.exists(table) && txn.stat(table).kind == db::Kind::Plain) {
            txn.put(table, "behind", "the log");
        }
    });
    const auto before = db::tools::checksum(database);
    const uint64_t view = database.begin_ro().view_id();
    database.close();
    db::OpenOptions options = options_on(files);
    options.access = db::Access::ReadOnly;
    const db::Database again = db::open(db::Backend::Mem, options);
    fuzz::require(
        again.begin_ro().view_id() == view && db::tools::checksum(again).digest == before.digest,
        "what was written behind a log is there");
    again.close();
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
    constexpr std::string_view kFlag = "--write-seed=";
    for (int i = 1; i < *argc; ++i) {
        const std::string_view argument = (*argv)[i];
        if (!argument.starts_with(kFlag)) continue;
        const std::string path(argument.substr(kFlag.size()));
        const core::Bytes log = make_log();
        write_file(path + "-whole", 0, log);
        write_file(path + "-whole-written", kWritten, log);
        const core::ByteView records = core::ByteView(log).sub(db::mem::kLogHeaderBytes);
        write_file(path + "-records", kRecords, records);
        write_file(path + "-operations", kRecords | kOperations, records);
        write_file(path + "-operations-written", kRecords | kOperations | kWritten, records);
        std::exit(0);
    }
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size < 1) return 0;
    const uint8_t flags = data[0];
    const bool records = (flags & kRecords) != 0;
    const core::ByteView rest(data + 1, size - 1);
    const core::Bytes log = records ? mend(rest, (flags & kOperations) != 0) : rest.to_bytes();
    db::testing::MemoryFiles files;
    files.make_directory("/store");
    files.put(kImagePath, image());
    files.put(kLogPath, log);
    const auto before = files.contents();
    const bool written = (flags & kWritten) != 0;
    db::OpenOptions options = options_on(files);
    options.access = written ? db::Access::ReadWrite : db::Access::ReadOnly;
    options.durability = db::Durability::Commit;
    Model model;
    bool fits = false;
    if (records) {
        try {
            fits = model.replay(log);
        } catch (const db::Error&) {
            // Too long for its table.
        }
    }
    db::Database database;
    try {
        database = db::open(db::Backend::Mem, options);
    } catch (const db::Error& error) {
        const core::Fault& fault = error;
        if (fault.kind() != core::FaultKind::Damaged) std::fprintf(stderr, "%s\n", fault.what());
        fuzz::require(fault.kind() == core::FaultKind::Damaged ||
                          error.code() == db::ErrorCode::VersionMismatch ||
                          error.code() == db::ErrorCode::MapFull,
                      "a bad log is damage");
        fuzz::require(!fits, "a log whose operations fit is replayed");
        fuzz::require(files.contents() == before, "a failed opening changes nothing");
        return 0;
    }
    fuzz::require(db::tools::check(database).sound(), "what a log leaves is sound");
    if (records) {
        fuzz::require(fits, "a log whose operations do not fit is damage");
        fuzz::require(model.equals(database), "a log leaves what its operations say");
    }
    if (written) {
        write_on(database, files);
    } else {
        database.close();
        fuzz::require(files.contents() == before, "a reader changes nothing");
    }
    return 0;
}
