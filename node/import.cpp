#include "node/import.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <filesystem>
#include <thread>
#include <utility>

#include "chain/block_store.hpp"
#include "core/base.hpp"
#include "core/clock.hpp"
#include "core/hex.hpp"
#include "node/datadir.hpp"
#include "node/decode_ahead.hpp"
#include "node/registry.hpp"

namespace keel::node {
namespace {

constexpr uint64_t kNsPerMs = 1'000'000;
constexpr uint64_t kFoldBytesMin = uint64_t{4} << 20;
// Indexing a block is cheap; this many are a transaction of moderate size.
constexpr uint64_t kIndexBlocksPerCommit = 8'192;
constexpr unsigned kThreadsMax = 15;  // more would wait for the executing thread

unsigned decoding_threads(unsigned wanted) noexcept {
    if (wanted > 0) return wanted;
    const unsigned cores = std::thread::hardware_concurrency();
    return std::clamp(cores, 2U, kThreadsMax + 1) - 1;
}

std::string hash_text(const core::Hash32& hash) {
    return core::to_hex_prefixed(hash);
}

class Importer {
  public:
    Importer(const db::Database& database, const ImportOptions& options)
        : database_(database),
          options_(options),
          chain_(database, {.verify_seal = options.verify_seal,
                            .state_roots = options.state_roots,
                            .producer = options.producer}),
          began_ns_(core::monotonic_ns()),
          meter_(options.progress, began_ns_) {}

    ImportReport run();

  private:
    bool take_batch(DecodeAhead& ahead);
    void insert(DecodedBlock& block);
    std::string keep_evidence(const chain::BlockId& id, const chain::Rejection& rejection);
    void fail(size_t file, FailedFile failure);
    void begin();
    void commit();
    void commit_if_due();
    void index_up_to_head();
    DecodeRules decode_rules();

    const db::Database& database_;
    const ImportOptions& options_;
    chain::Chain chain_;
    const uint64_t began_ns_;
    ProgressMeter meter_;
    ImportReport report_;
    Progress progress_;
    size_t failed_end_ = 0;  // files below it are done with

    db::WriteTxn txn_;         // active from the first block on
    uint64_t changed_ms_ = 0;  // when the transaction got its first change; 0: it has none
    uint64_t blocks_in_txn_ = 0;
    bool whole_ = true;  // the transaction holds whole blocks
    std::optional<chain::BlockId> last_in_txn_;
    // Last: while it lives, std::exit finds all of the above.
    Registry::OpenWork open_work_{Registry::process(), [this] {
                                      if (whole_) commit();
                                  }};
};

/// Blocks that are stored at the start need no senders; newer ones are not looked for.
DecodeRules Importer::decode_rules() {
    const db::ReadTxn txn = database_.begin_ro();
    uint64_t stored_max = 0;
    if (const auto last = txn.cursor(chain_.tables().header).last(); last && last->key.size() >= 8)
        for (size_t i = 0; i < 8; ++i) stored_max = (stored_max << 8) | last->key[i];
    return {
        .rules =
            [this](uint64_t number, uint64_t timestamp) {
                // Signatures do not depend on the merge.
                return chain_.schedule().at(number, timestamp, false).rules;
            },
        .is_known =
            [this, stored_max](uint64_t number, const core::Hash32& hash) {
                if (number > stored_max) return false;
                const db::ReadTxn reading = database_.begin_ro();
                return reading.has(chain_.tables().header_number, hash);
            },
    };
}

void Importer::begin() {
    if (txn_.active()) return;
    auto begun = database_.begin_rw();
    KEEL_ASSERT(begun.has_value(),
                "the writer lock of the directory is ours, and so is its writer");
    txn_ = *std::move(begun);
}

void Importer::commit() {
    if (changed_ms_ == 0) return;
    whole_ = false;
    txn_.commit();
    txn_ = db::WriteTxn();
    chain_.on_commit();
    whole_ = true;
    changed_ms_ = 0;
    if (last_in_txn_)
        spdlog::debug("batch_committed number={} hash={} blocks={}", last_in_txn_->number,
                      hash_text(last_in_txn_->hash), blocks_in_txn_);
    blocks_in_txn_ = 0;
    last_in_txn_.reset();
}

void Importer::commit_if_due() {
    if (changed_ms_ == 0) return;
    if (core::monotonic_coarse_ms() - changed_ms_ >= options_.commit_after_ms ||
        chain_.pending_bytes() >= options_.commit_after_bytes)
        commit();
}

void Importer::fail(size_t file, FailedFile failure) {
    failed_end_ = file + 1;
    spdlog::error("Import error file={} reason={}{}{}", log_value(failure.file),
                  log_value(failure.reason),
                  failure.block ? fmt::format(" hash={}", hash_text(failure.block->hash)) : "",
                  failure.report.empty() ? std::string()
                                         : fmt::format(" report={}", log_value(failure.report)));
    report_.failures.push_back(std::move(failure));
}

/// Writes what the refusal has to show into the data directory; where. Empty: nothing.
std::string Importer::keep_evidence(const chain::BlockId& id, const chain::Rejection& rejection) {
    if (rejection.evidence.empty() || database_.path().empty()) return {};
    constexpr size_t kHashDigits = 16;
    const std::filesystem::path path = std::filesystem::path(database_.path()) /
                                       fmt::format("wrong-root-{}-{}.json", id.number,
                                                   core::to_hex(id.hash).substr(0, kHashDigits));
    try {
        core::SystemFiles system_files;
        core::write_file_atomically(
            options_.files_system != nullptr ? *options_.files_system : system_files, path,
            rejection.evidence);
    } catch (const core::Fault& fault) {
        spdlog::error("report_not_written file={} reason={}", log_value(path.string()),
                      log_value(fault.message()));
        return {};
    }
    return path.string();
}

void Importer::insert(DecodedBlock& block) {
    const std::string& file = options_.files[block.file];
    if (block.end) {
        fail(block.file, {file, block.end->kind, block.end->reason, std::nullopt});
        return;
    }
    begin();
    const chain::BlockId id{block.sealed.block.header.number, block.sealed.hash};
    whole_ = false;
    const auto inserted = chain_.insert_block(txn_, block.sealed, chain::HeadRule::Import);
    whole_ = true;
    const bool changed = !inserted || !inserted->known;  // a refused block may be marked
    if (changed && changed_ms_ == 0)
        changed_ms_ = std::max<uint64_t>(1, core::monotonic_coarse_ms());
    if (!inserted) {
        const chain::Rejection& rejection = inserted.error();
        fail(block.file, {.file = file,
                          .kind = core::FaultKind::Failed,
                          .reason = fmt::format("invalid block {}: {}", id.number, rejection.text),
                          .block = id,
                          .report = keep_evidence(id, rejection)});
        return;
    }
    if (inserted->known) {
        ++report_.known;
    } else {
        ++report_.imported;
        ++blocks_in_txn_;
        last_in_txn_ = id;
        report_.gas_used += inserted->gas_used;
        report_.tx_count += inserted->tx_count;
        progress_.gas = report_.gas_used;
    }
    ++progress_.blocks;
    progress_.number = id.number;
    if (options_.observer != nullptr) options_.observer->block_done(*inserted);
}

/// false: the files are done with.
bool Importer::take_batch(DecodeAhead& ahead) {
    // Whoever feeds a pipe slowly still finds his blocks committed within the second.
    const uint64_t deadline_ns =
        changed_ms_ == 0 ? UINT64_MAX : (changed_ms_ + options_.commit_after_ms + 1) * kNsPerMs;
    const DecodeAhead::Next next = ahead.next(deadline_ns);
    if (next == DecodeAhead::Next::End) return false;
    if (next == DecodeAhead::Next::TimedOut) {
        commit();
        return true;
    }
    for (DecodedBlock& block : ahead.batch().blocks) {
        if (options_.stop.stop_requested()) return false;
        if (block.file < failed_end_) continue;
        insert(block);
        if (block.file < failed_end_) ahead.skip_file(block.file);
        commit_if_due();
    }
    progress_.input_done = ahead.batch().input_position;
    meter_.update(progress_, core::monotonic_ns());
    return true;
}

void Importer::index_up_to_head() {
    bool done = false;
    while (!done && !options_.stop.stop_requested()) {
        begin();
        done = chain_.index(txn_, kIndexBlocksPerCommit);
        changed_ms_ = std::max<uint64_t>(1, changed_ms_);
        commit();
    }
}

ImportReport Importer::run() {
    {
        core::SystemFiles system_files;
        DecodeAhead ahead(options_.files_system != nullptr ? *options_.files_system : system_files,
                          options_.files, decode_rules(), decoding_threads(options_.threads),
                          options_.stop);
        progress_.input_total = ahead.input_bytes();
        try {
            while (take_batch(ahead)) {
            }
        } catch (...) {
            if (whole_) commit();
            throw;
        }
    }
    report_.stopped = options_.stop.stop_requested();
    if (!report_.stopped) index_up_to_head();
    commit();
    txn_ = db::WriteTxn();
    database_.sync();
    const db::ReadTxn reading = database_.begin_ro();
    report_.head = chain::BlockReader(reading, chain_.tables()).head().value_or(chain::BlockId{});
    report_.elapsed_ns = core::monotonic_ns() - began_ns_;
    return std::move(report_);
}

}  // namespace

uint64_t import_fold_bytes(core::FileSystem& files, const std::filesystem::path& directory) {
    const auto image = core::file_info(files, directory / kImageName);
    return std::max(kFoldBytesMin, image ? image->size_bytes : 0);
}

ImportReport import_files(const db::Database& database, const ImportOptions& options) {
    return Importer(database, options).run();
}

int exit_code_of(const ImportReport& report) noexcept {
    int code = 0;
    for (const FailedFile& failure : report.failures) {
        // I/O errors before refused blocks before names of files that are not there.
        if (failure.kind == core::FaultKind::Io) return static_cast<int>(core::FaultKind::Io);
        if (failure.kind == core::FaultKind::Failed || code == 0)
            code = static_cast<int>(failure.kind);
    }
    return code;
}

}  // namespace keel::node
