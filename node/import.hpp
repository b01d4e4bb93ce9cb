#pragma once

// Block files into the chain (DESIGN.md 8).
//
// I1  Blocks are executed one after the other on the calling thread, in the order of the files;
//     decoding and sender recovery run ahead of it (node/decode_ahead.hpp).
// I2  A transaction holds whole blocks. It is committed after a second or 64 MiB of changes, and at
//     the end; what is committed is what a later run finds known.
// I3  A block that is refused ends its file, not the import.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "chain/chain.hpp"
#include "core/fault.hpp"
#include "core/files.hpp"
#include "db/database.hpp"
#include "node/progress.hpp"

namespace keel::node {

/// Hears of an import on its thread.
class ImportObserver {
  public:
    virtual ~ImportObserver() = default;
    /// A block is in the open transaction, or was known.
    virtual void block_done(const chain::Inserted& /*inserted*/) {}
};

/// What an import opens its database with (Options::fold_bytes_min). Nobody waits for one of its
/// commits, and there are many: what is more than a small store becomes its image at once, instead
/// of a log that close would make an image of; and a large image is written anew only when the log
/// is as long, not a quarter, since the import alone changes most of its pages.
uint64_t import_fold_bytes(core::FileSystem& files, const std::filesystem::path& directory);

struct ImportOptions {
    std::vector<std::string> files;  // "-": stdin
    std::string producer{};          // version and commit of the program
    bool verify_seal = false;
    bool state_roots = true;              // chain::Chain::Options
    std::stop_token stop{};               // ends it at a block boundary, after a commit
    std::shared_ptr<Console> progress{};  // null: none is shown
    uint64_t commit_after_ms = 1'000;
    uint64_t commit_after_bytes = uint64_t{64} << 20;  // of changes
    unsigned threads = 0;  // that decode; 0: one fewer than the machine has, at least one
    ImportObserver* observer = nullptr;        // lifetime: outlives the import
    core::FileSystem* files_system = nullptr;  // lifetime: outlives the import; null: the system's
};

/// Why a file was not imported to its end.
struct FailedFile {
    std::string file;
    core::FaultKind kind;  // Failed: a block was refused; Usage: cannot be opened; Io
    std::string reason;    // `invalid block N: …`, `at block I: …`, or the fault
    std::optional<chain::BlockId> block;  // the refused one
    std::string report = {};  // file that shows what a block with a wrong state root did
};

struct ImportReport {
    uint64_t imported = 0;  // blocks
    uint64_t known = 0;     // blocks that were there
    uint64_t gas_used = 0;
    uint64_t tx_count = 0;
    std::vector<FailedFile> failures;
    chain::BlockId head;
    bool stopped = false;  // files were not read to their ends
    uint64_t elapsed_ns = 0;
};

/// Imports, brings the indexes up to the head and waits for the disk. The database has the schema
/// of state::schema(). Throws Fault::Usage when it has no genesis, and faults of the store.
ImportReport import_files(const db::Database& database, const ImportOptions& options);

/// What a command that imported so ends with: the worst that happened.
int exit_code_of(const ImportReport& report) noexcept;

}  // namespace keel::node
