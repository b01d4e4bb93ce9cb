// What a store does with its directory: opening and writing the image. The log: store_log.cpp.

#include <fmt/format.h>

#include <cerrno>

#include "core/clock.hpp"
#include "core/hex.hpp"
#include "core/random.hpp"
#include "db/mem/image.hpp"
#include "db/mem/store.hpp"

namespace keel::db::mem {
namespace {

// Smaller loads of a new store are records of its log, or wait for its close.
constexpr uint64_t kImageLoadBytesMin = uint64_t{1} << 20;
// A load of unknown size is begun where at least so much has room.
constexpr uint64_t kImageLoadBytesUnknown = uint64_t{1} << 30;

}  // namespace

void Store::open_files() {
    const std::filesystem::path& directory = options_.directory;
    const std::optional<core::FileInfo> folder = core::file_info(files_, directory);
    if (!folder || !folder->is_directory)
        throw error(ErrorCode::NotFound, "", "there is no such directory");
    const std::filesystem::path path = directory / kImageName;
    core::File file;
    try {
        directory_ = core::File(files_, directory, core::OpenMode::Read);
        file = core::File(files_, path, core::OpenMode::Read, false);
    } catch (const core::FileFault& fault) {
        if (fault.error_number() != ENOENT || !directory_.is_open()) throw file_error(fault);
    }
    if (!file.is_open()) {
        if (options_.expect_created)
            throw error(ErrorCode::Corrupt, "",
                        fmt::format("{} is missing, although the directory says that it was made",
                                    kImageName));
        if (read_only())
            throw error(ErrorCode::NotFound, "", fmt::format("there is no {}", kImageName));
        // The lower half is for what the first load may bring.
        space_.leave_free(space_.pages_max() / 2);
        if (options_.uid.empty()) {
            uid_ = core::random_bytes<16>();
        } else {
            uid_ = parse_uid(options_.uid);
        }
        return;
    }
    try {
        image_info_ = file.info();
        const ImageHeader header = read_image_header(file, image_info_.size_bytes);
        if (!options_.uid.empty() && parse_uid(options_.uid) != header.uid)
            throw error(ErrorCode::Corrupt, "",
                        fmt::format("{} belongs to database {}, the directory to {}", kImageName,
                                    core::to_hex(core::ByteView(header.uid)), options_.uid));
        space_.map_image(files_, file, static_cast<PageNo>(header.page_count));
        check_image_catalogue(space_, header, path);
        uid_ = header.uid;
        catalogue_ = header.catalogue;
        saved_commit_ = image_commit_ = header.commit_id;
        image_has_log_ = header.has_log;
        image_bytes_ = header.page_count * kPageBytes;
        note_if_suspect(options_, header.producer, path, 1, header.commit_id);
        for (const TableSpec& spec : list_catalogue(space_, catalogue_))
            names_.resolve(spec.name, spec.kind);
    } catch (const core::FileFault& fault) {
        throw file_error(fault);
    }
}

std::array<uint8_t, 16> Store::parse_uid(const std::string& text) const {
    const std::optional<core::Bytes> bytes = core::from_hex(text);
    std::array<uint8_t, 16> uid;
    if (!bytes || bytes->size() != uid.size())
        throw error(ErrorCode::Corrupt, "", fmt::format("uid {} is not 32 hex digits", text));
    std::copy(bytes->begin(), bytes->end(), uid.begin());
    return uid;
}

Error Store::file_error(const core::FileFault& fault) const {
    return {fault.disk_full() ? ErrorCode::DiskFull : ErrorCode::Io, fault.message()};
}

void Store::check_attached() {
    const core::FileInfo ours = directory_.info();
    const std::optional<core::FileInfo> folder = core::file_info(files_, options_.directory);
    if (!folder || folder->device != ours.device || folder->inode != ours.inode)
        throw error(ErrorCode::Detached, "",
                    "the directory was removed or replaced while the store was open");
}

void Store::latch(const Error& error) {
    const std::lock_guard guard(state_mutex_);
    if (!latched_) latched_ = error;
    has_latched_.store(true, std::memory_order_relaxed);
}

void Store::throw_latched() const {
    if (!has_latched_.load(std::memory_order_relaxed)) return;
    const std::lock_guard guard(state_mutex_);
    throw Error(*latched_);
}

void Store::write_store_image(uint64_t commit_id, const TreeView& catalogue, bool has_log,
                              const tools::Progress& progress, ImageLoad* load) {
    check_attached();
    std::filesystem::path temporary = options_.directory / kImageTemporaryName;
    ImageHeader header;
    header.commit_id = commit_id;
    header.time_s = core::wall_clock_s();
    header.uid = uid_;
    header.has_log = has_log;
    header.producer = options_.producer;
    try {
        if (load != nullptr && load->finish(catalogue, header)) {
            temporary = load->path();
        } else {
            write_image(files_, temporary, space_, catalogue, header, progress);
        }
        core::rename_durably(files_, temporary, options_.directory / kImageName);
    } catch (const core::FileFault& fault) {
        files_.unlink(temporary);
        const Error failed = file_error(fault);
        // Not tried again: what a failed fsync has left behind is not known (KV.md R45).
        latch(failed);
        throw failed;
    } catch (...) {
        files_.unlink(temporary);
        throw;
    }
    saved_commit_ = image_commit_ = commit_id;
    image_has_log_ = header.has_log;
    image_bytes_ = header.page_count * kPageBytes;
    pages_written_.fetch_add(header.page_count, std::memory_order_relaxed);
}

bool Store::can_load_into_image(uint64_t bytes) const noexcept {
    if (bytes == UINT64_MAX) bytes = kImageLoadBytesUnknown;
    return !options_.directory.empty() && options_.size_max_bytes == 0 &&
           bytes >= kImageLoadBytesMin && space_.takes_load(bytes / kPageBytes * 2);
}

std::unique_ptr<ImageLoad> Store::begin_image_load() {
    check_commit();
    // Whoever has the directory now may be loading, too.
    check_attached();
    return std::make_unique<ImageLoad>(files_, options_.directory / kImageLoadName, space_);
}

void Store::save() {
    const std::lock_guard guard(save_mutex_);
    throw_latched();
    // Even if nothing is left to be written: what was saved before is gone.
    check_attached();
    const Newest::View view = readers_.begin_own(newest_);
    const OwnSlot own_slot{readers_};
    if (view.id == saved_commit_) return;
    write_store_image(view.id, view.catalogue(), log_ != nullptr);
    found_log_bytes_ = 0;
    remove_logs_before(view.id);
}

}  // namespace keel::db::mem
