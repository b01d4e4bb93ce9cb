#include "db/mem/repair.hpp"

#include <fmt/format.h>

#include "core/random.hpp"
#include "db/mem/image.hpp"
#include "db/mem/log.hpp"
#include "db/mem/log_reader.hpp"

namespace keel::db::mem {
namespace {

using tools::RepairReport;

constexpr uint64_t kCopyBytes = uint64_t{1} << 20;

/// One repair of one directory.
class Repair {
  public:
    Repair(core::FileSystem& files, const std::filesystem::path& directory, bool change)
        : files_(files), directory_(directory), change_(change) {}

    RepairReport run() {
        const core::File image(files_, directory_ / kImageName, core::OpenMode::Read, false);
        const ImageHeader header = read_image_header(image);
        uid_ = header.uid;
        report_.commit_id = header.commit_id;
        bool expected = header.has_log;
        while (follow(expected)) {
        }
        take_away_beyond();
        return std::move(report_);
    }

  private:
    std::filesystem::path path(uint64_t base) const { return directory_ / log_name(base); }

    /// The segment behind the newest whole commit. True: another may follow.
    bool follow(bool& expected) {
        const uint64_t base = report_.commit_id;
        const std::filesystem::path file = path(base);
        if (!core::file_info(files_, file)) {
            if (!expected) return false;
            report_.found.push_back(
                fmt::format("{} is missing: the commits behind {} are lost", file.string(), base));
            if (change_) write_segment(base, nullptr, kLogHeaderBytes);
            return false;
        }
        try {
            LogReader reader(files_, file);
            if (reader.header().uid != uid_) reader.throw_damaged(32, "of another database");
            const bool whole = read(reader);
            report_.commit_id = reader.last_commit();
            if (!whole) {
                if (change_) cut(reader);
                return false;
            }
            expected = reader.sealed();
            return reader.last_commit() != base;
        } catch (const Error& error) {
            if (error.code() != ErrorCode::Corrupt) throw;
            report_.found.push_back(error.message());
            if (change_) {
                keep(file);
                write_segment(base, nullptr, kLogHeaderBytes);
            }
            return false;
        }
    }

    bool read(LogReader& reader) {
        try {
            while (reader.next()) {
            }
        } catch (const Error& error) {
            report_.found.push_back(error.message());  // a number out of turn
            return false;
        }
        const LogReader::Tail tail = reader.tail();
        if (!tail.damaged) return true;  // a torn tail is cut at the next opening
        report_.found.push_back(fmt::format(
            "{} is damaged at offset {}: the commits behind {} are lost, {} of them at least",
            reader.path().string(), reader.end(), reader.last_commit(), tail.records));
        return false;
    }

    void cut(const LogReader& reader) {
        keep(reader.path());
        const core::File damaged(files_, report_.kept.back(), core::OpenMode::Read, false);
        write_segment(reader.header().base_commit, &damaged, reader.end());
    }

    /// The file goes on under another name.
    void keep(const std::filesystem::path& file) {
        const std::filesystem::path kept = tools::damaged_name(files_, file);
        core::rename_durably(files_, file, kept);
        report_.kept.push_back(kept.string());
    }

    /// A segment with the first bytes of another (none: an empty one), and without its marks, which
    /// spoke of more than there is now.
    void write_segment(uint64_t base, const core::File* from, uint64_t bytes) {
        std::vector<uint8_t> page(kLogHeaderBytes);
        if (from == nullptr) {
            LogHeader header;
            header.base_commit = base;
            header.uid = uid_;
            const auto salt = core::random_bytes<sizeof(uint64_t)>();
            header.salt = core::load_le<uint64_t>(salt.data());
            encode_log_header(header, page.data());
        } else {
            from->read_at(page.data(), page.size(), 0);
            for (const uint64_t at : kLogMarksAt)
                std::fill_n(page.begin() + static_cast<std::ptrdiff_t>(at), kLogMarkBytes,
                            uint8_t{0});
        }
        const std::filesystem::path temporary = directory_ / kLogTemporaryName;
        core::File file(files_, temporary, core::OpenMode::CreateEmptied, false);
        file.write_at(ByteView(page), 0);
        std::vector<uint8_t> buffer;
        for (uint64_t at = kLogHeaderBytes; at < bytes; at += buffer.size()) {
            buffer.resize(static_cast<size_t>(std::min(kCopyBytes, bytes - at)));
            from->read_at(buffer.data(), buffer.size(), at);
            file.write_at(ByteView(buffer), at);
        }
        file.sync();
        core::rename_durably(files_, temporary, path(base));
    }

    /// Segments with commits that the whole ones do not lead to.
    void take_away_beyond() {
        for (const std::string& name : core::list_directory(files_, directory_)) {
            const std::optional<uint64_t> base = parse_log_name(name);
            if (!base || *base <= report_.commit_id) continue;
            report_.found.push_back(fmt::format("{} goes on behind commit {}, which is not there",
                                                (directory_ / name).string(), *base));
            if (change_) keep(directory_ / name);
        }
    }

    core::FileSystem& files_;
    const std::filesystem::path directory_;
    const bool change_;
    std::array<uint8_t, 16> uid_ = {};
    RepairReport report_;
};

}  // namespace

RepairReport repair(core::FileSystem& files, const std::filesystem::path& directory, bool change) {
    return Repair(files, directory, change).run();
}

}  // namespace keel::db::mem
