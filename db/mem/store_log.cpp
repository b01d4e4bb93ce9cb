// What a store does with its log: replay at open, a record a commit, folds, the close.

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "core/clock.hpp"
#include "core/hex.hpp"
#include "db/bulk_runs.hpp"
#include "db/mem/log.hpp"
#include "db/mem/log_reader.hpp"
#include "db/mem/store.hpp"

namespace keel::db::mem {
namespace {

// From the first commit of a group to its sync; with the sync itself that stays within the 50 ms
// that a loss of power may take (DESIGN.md 2.2).
constexpr std::chrono::milliseconds kGroupWait{25};

// A shorter log is read back in a millisecond: less than an image's rename takes to be durable.
constexpr uint64_t kCloseFoldBytesMin = uint64_t{1} << 20;

/// Is the fault about the operation itself, so that the log and not the store is wrong?
bool blames_the_log(ErrorCode code) {
    return code != ErrorCode::Corrupt && code != ErrorCode::MapFull && code != ErrorCode::Io &&
           code != ErrorCode::DiskFull;
}

}  // namespace

// Opening.

/// A reader's image must still be the one of the directory: a writer that folds replaces it and
/// takes away the log it belongs to.
bool Store::image_was_replaced() {
    const auto now = core::file_info(files_, options_.directory / kImageName);
    return !now || now->inode != image_info_.inode || now->device != image_info_.device;
}

void Store::replay_log() {
    try {
        replay_segments();
    } catch (const core::FileFault& fault) {
        const Error error = file_error(fault);
        if (read_only() && image_was_replaced()) throw TryAgain{error};
        throw Error(error);
    } catch (const Error& error) {
        if (read_only() && image_was_replaced()) throw TryAgain{error};
        throw;
    }
    if (read_only() && image_was_replaced())
        throw TryAgain{error(ErrorCode::Io, "", "a writer folds again and again")};
}

void Store::replay_segments() {
    uint64_t commit = saved_commit_;
    uint64_t older_bytes = 0;
    bool expected = image_has_log_;
    bool any = false;
    // Beside a writer there may be more when it is looked for.
    if (!read_only()) found_names_ = core::list_directory(files_, options_.directory);
    while (commit != 0) {
        const std::filesystem::path path = options_.directory / log_name(commit);
        if (!is_there(path.filename().string())) {
            if (expected)
                throw error(ErrorCode::Corrupt, "",
                            fmt::format("{} is missing, in which the commits behind {} are",
                                        path.filename().string(), commit));
            break;
        }
        LogReader reader(files_, path);
        if (reader.header().uid != uid_)
            reader.throw_damaged(32,
                                 fmt::format("it belongs to database {}",
                                             core::to_hex(core::ByteView(reader.header().uid))));
        if (!any) writer_.begin();
        any = true;
        replay_segment(reader, older_bytes);
        expected = reader.sealed();
        if (reader.last_commit() == commit) break;
        older_bytes += reader.end() - kLogHeaderBytes;
        commit = reader.last_commit();
    }
    check_segments_beyond(commit);
    if (any) writer_.publish_replayed(commit);
    saved_commit_ = commit;
    if (found_log_) found_log_bytes_ = found_log_->older_bytes + found_log_->end - kLogHeaderBytes;
}

void Store::replay_segment(LogReader& reader, uint64_t older_bytes) {
    std::string producer = reader.header().producer;
    uint64_t first = reader.header().base_commit + 1;
    LogReader::Tail tail;
    for (bool again = true; again;) {
        while (const std::optional<LogReader::Record> record = reader.next()) {
            const std::string before = producer;
            apply(reader, *record, producer);
            if (producer == before) continue;
            note_if_suspect(options_, before, reader.path(), first, record->commit_id - 1);
            first = record->commit_id;
        }
        tail = reader.tail();
        // Beside a writer the end moves: what was not whole when it was looked at may be now.
        const uint64_t end = reader.end();
        again = tail.damaged && read_only() && reader.next_is_whole();
        if (tail.damaged && !again)
            reader.throw_damaged(end, fmt::format("no whole record, although everything up to "
                                                  "offset {} was on disk",
                                                  reader.synced()));
    }
    note_if_suspect(options_, producer, reader.path(), first, reader.last_commit());
    found_log_ = FoundLog{.header = reader.header(),
                          .end = reader.end(),
                          .synced = reader.synced(),
                          .older_bytes = older_bytes,
                          .torn_bytes = tail.bytes,
                          .torn_records = tail.records,
                          .producer = producer};
}

void Store::apply(const LogReader& reader, const LogReader::Record& record, std::string& producer) {
    LogOperations operations(record.payload);
    std::vector<std::pair<std::string, Table>> tables;
    uint64_t offset = record.payload_at;
    const auto damaged = [&](const std::string& what) {
        reader.throw_damaged(offset, fmt::format("commit {}: {}", record.commit_id, what));
    };
    while (const std::optional<LogOperation> operation = operations.next()) {
        if (operation->op == LogOp::Table) {
            const std::string name(operation->key.text());
            if (operation->table != tables.size() || !valid_table_name(name))
                damaged("a table's name is wrong");
            tables.emplace_back(name, names_.resolve(name, Kind::Plain));
        } else if (operation->op == LogOp::Producer) {
            producer = operation->key.text();
        } else {
            if (operation->table >= tables.size()) damaged("an operation on no table");
            const auto& [name, table] = tables[operation->table];
            try {
                if (!writer_.replay(*operation, table, name))
                    damaged(fmt::format("an operation that does not fit table {}", name));
            } catch (const Error& error) {
                if (!blames_the_log(error.code())) throw;
                damaged(error.message());
            }
        }
        offset += kLogOperationHeadBytes + operation->key.size() + operation->value.size();
    }
    if (!operations.whole()) damaged("bytes that are no operation");
}

/// A segment is begun when everything before it is on disk, so one that has records proves that
/// its predecessor once went up to it. Without records it is what a large commit, which was to
/// become an image, has left behind.
void Store::check_segments_beyond(uint64_t commit_id) {
    if (read_only()) found_names_ = core::list_directory(files_, options_.directory);
    for (const std::string& name : found_names_) {
        const std::optional<uint64_t> base = parse_log_name(name);
        if (!base || *base <= commit_id) continue;
        LogReader reader(files_, options_.directory / name);
        if (!reader.next()) continue;
        const Error damage =
            error(ErrorCode::Corrupt, "",
                  saved_commit_ == 0
                      ? fmt::format("{} is missing, although there is {}", kImageName, name)
                      : fmt::format("the log ends with commit {}, although there is {}", commit_id,
                                    name));
        // Beside a writer the segment may have been begun since the one before it was read.
        if (read_only()) throw TryAgain{damage};
        throw Error(damage);
    }
}

void Store::begin_log() {
    const std::filesystem::path& directory = options_.directory;
    for (const std::string_view name : {std::string_view(kImageTemporaryName), kImageLoadName,
                                        std::string_view(kLogTemporaryName)})
        if (std::ranges::find(found_names_, name) != found_names_.end())
            files_.unlink(directory / name);
    if (!keeps_log()) return;
    log_ = std::make_unique<Log>(files_, directory,
                                 LogHeader{.uid = uid_, .producer = options_.producer},
                                 options_.durability == Durability::Commit);
    remove_leftovers();
    if (!found_log_) {
        log_->begin_segment(saved_commit_);
        return;
    }
    log_->resume(found_log_->header, found_log_->end, found_log_->synced, found_log_->older_bytes);
    const std::string producer = options_.producer.substr(0, kLogProducerBytes);
    if (found_log_->producer != producer) producer_to_log_ = producer;
    if (found_log_->torn_bytes > 0 && options_.observer != nullptr)
        options_.observer->note(
            "log_cut",
            fmt::format("{}: {} bytes behind offset {} were being written when the machine "
                        "stopped, and are cut off ({} commits that nothing waited for); the last "
                        "commit is {}",
                        (directory / log_name(found_log_->header.base_commit)).string(),
                        found_log_->torn_bytes, found_log_->end, found_log_->torn_records,
                        saved_commit_));
}

/// Is a file of the directory there? A writer's own is as it was listed.
bool Store::is_there(const std::string& name) {
    if (read_only()) return core::file_info(files_, options_.directory / name).has_value();
    return std::ranges::find(found_names_, name) != found_names_.end();
}

/// What bulk loads have left that were killed.
void Store::remove_left_runs() noexcept {
    for (const std::string& name : found_names_)
        if (is_left_run(name)) files_.unlink(options_.directory / name);
}

/// Segments of a fold or a large commit that was interrupted.
void Store::remove_leftovers() {
    try {
        for (const std::string& name : found_names_) {
            const std::optional<uint64_t> base = parse_log_name(name);
            if (base && (*base < image_commit_ || *base > saved_commit_))
                core::remove_file(files_, options_.directory / name);
        }
    } catch (const core::FileFault& fault) {
        throw file_error(fault);
    }
}

void Store::create_files() {
    remove_leftovers();
    try {
        if (keeps_log()) {
            log_ = std::make_unique<Log>(files_, options_.directory,
                                         LogHeader{.uid = uid_, .producer = options_.producer},
                                         options_.durability == Durability::Commit);
            log_->begin_segment(newest_.id());
        }
        save();
    } catch (...) {
        log_.reset();
        // The image first: without its log it would be damage.
        const int error_number = files_.unlink(options_.directory / kImageName);
        if (error_number == 0 || error_number == ENOENT)
            files_.unlink(options_.directory / log_name(newest_.id()));
        throw;
    }
}

// Commits.

void Store::commit(uint64_t commit_id, const Tree& catalogue, LogRecord& record, ImageLoad* load,
                   uint64_t puts, uint64_t deletes) {
    if (load != nullptr || record.given_up()) {
        commit_as_image(commit_id, catalogue, load, puts, deletes);
        producer_to_log_.clear();
        return;
    }
    if (log_ == nullptr) {
        publish(commit_id, catalogue, puts, deletes);
        return;
    }
    try {
        const std::lock_guard guard(log_->mutex());
        log_->append(record, commit_id);
        publish(commit_id, catalogue, puts, deletes);
    } catch (const Error& failed) {
        latch(failed);
        throw;
    }
    producer_to_log_.clear();
    const bool sync = log_->unsynced() && !sync_asked_.load(std::memory_order_relaxed);
    const bool fold = log_->bytes() > fold_bytes() && !folding_.load(std::memory_order_relaxed) &&
                      !fold_asked_.load(std::memory_order_relaxed);
    if (!sync && !fold) return;
    {
        const std::lock_guard guard(keeper_mutex_);
        if (sync) sync_asked_.store(true, std::memory_order_relaxed);
        if (fold) fold_asked_.store(true, std::memory_order_relaxed);
    }
    keeper_wake_.notify_one();
}

/// The rename of the image is the commit; its changes never go through the log.
void Store::commit_as_image(uint64_t commit_id, const Tree& catalogue, ImageLoad* load,
                            uint64_t puts, uint64_t deletes) {
    const std::lock_guard guard(save_mutex_);
    throw_latched();
    if (log_ == nullptr) {
        write_store_image(commit_id, catalogue, false, {}, load);
        publish(commit_id, catalogue, puts, deletes);
        return;
    }
    try {
        log_->sync();
        const std::lock_guard log_guard(log_->mutex());
        log_->begin_segment(commit_id);
    } catch (const Error& failed) {
        latch(failed);
        throw;
    }
    write_store_image(commit_id, catalogue, true, {}, load);
    {
        const std::lock_guard log_guard(log_->mutex());
        publish(commit_id, catalogue, puts, deletes);
    }
    try {
        log_->remove_older();
    } catch (const core::FileFault& fault) {
        latch(file_error(fault));  // the commit itself is done
    }
}

// Folding and closing.

void Store::fold() {
    const std::lock_guard guard(save_mutex_);
    throw_latched();
    Newest::View view;
    const OwnSlot own_slot{readers_};
    try {
        log_->sync();  // most of it before commits have to wait
        const std::lock_guard log_guard(log_->mutex());
        // A large transaction is under way; the next commit asks again.
        if (log_->has_parts() || newest_.id() == log_->base_commit()) return;
        log_->switch_segment(newest_.id());
        view = readers_.begin_own(newest_);
    } catch (const Error& failed) {
        latch(failed);
        throw;
    }
    write_store_image(view.id, view.catalogue(), true);
    try {
        log_->remove_older();
    } catch (const core::FileFault& fault) {
        const Error failed = file_error(fault);
        latch(failed);
        throw Error(failed);
    }
}

void Store::sync_log() {
    throw_latched();
    check_attached();
    try {
        log_->sync();
    } catch (const Error& failed) {
        latch(failed);
        throw;
    }
}

/// A log that is as long as the image becomes one, so that the next open maps it instead of reading
/// commits: at most two bytes are written for each one that was changed.
bool Store::folds_at_close() const noexcept {
    const uint64_t bytes = log_->bytes();
    return bytes > fold_bytes() ||
           bytes >= std::max(kCloseFoldBytesMin, image_bytes_.load(std::memory_order_relaxed));
}

/// The log is not synced: with the rename nothing of it is wanted any more.
void Store::close_as_image() {
    const std::lock_guard guard(save_mutex_);
    const Newest::View view = readers_.begin_own(newest_);
    const OwnSlot own_slot{readers_};
    try {
        write_store_image(view.id, view.catalogue(), false);
    } catch (const Error&) {
        log_->finish();  // what could not become an image is still here
        throw;
    }
    remove_logs_before(view.id);
}

void Store::close_log() {
    throw_latched();
    try {
        if (folds_at_close()) {
            close_as_image();
        } else {
            log_->finish();
        }
    } catch (const Error& failed) {
        latch(failed);
        throw;
    }
}

void Store::keep_log(const std::stop_token& stop) {
    const auto asked_fold = [this] {
        return fold_asked_.load(std::memory_order_relaxed) &&
               !folding_.load(std::memory_order_relaxed);
    };
    std::unique_lock guard(keeper_mutex_);
    while (true) {
        keeper_wake_.wait(guard, stop, [&] {
            return sync_asked_.load(std::memory_order_relaxed) || asked_fold();
        });
        if (stop.stop_requested()) return;
        if (asked_fold()) {
            fold_asked_.store(false, std::memory_order_relaxed);
            folding_.store(true, std::memory_order_relaxed);
            folder_ = std::jthread([this] {
                try {
                    fold();
                } catch (const core::Fault&) {
                    // Latched: the next commit and the close say it.
                }
                folding_.store(false, std::memory_order_relaxed);
            });
        }
        if (!sync_asked_.load(std::memory_order_relaxed)) continue;
        // More commits of the same group come in meanwhile.
        keeper_wake_.wait_for(guard, stop, kGroupWait, [] { return false; });
        if (stop.stop_requested()) return;
        sync_asked_.store(false, std::memory_order_relaxed);
        guard.unlock();
        try {
            log_->sync();
        } catch (const Error& failed) {
            latch(failed);  // the next commit says it
        }
        guard.lock();
    }
}

void Store::remove_logs_before(uint64_t commit_id) {
    try {
        for (const std::string& name : core::list_directory(files_, options_.directory)) {
            const std::optional<uint64_t> base = parse_log_name(name);
            if (base && *base < commit_id) core::remove_file(files_, options_.directory / name);
        }
    } catch (const core::FileFault& fault) {
        const Error failed = file_error(fault);
        latch(failed);
        throw Error(failed);
    }
}

}  // namespace keel::db::mem
