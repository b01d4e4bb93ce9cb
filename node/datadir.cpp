#include "node/datadir.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <charconv>

#include "core/hex.hpp"
#include "db/bulk_runs.hpp"

namespace keel::node {
namespace {

constexpr const char* kImageLoadName = "store.img.load";
constexpr std::string_view kLogNameBegin = "store-";
constexpr std::string_view kLogNameEnd = ".log";
constexpr const char* kDataName = "data.mdb";
constexpr const char* kReadersName = "lock.mdb";
constexpr uint64_t kMarkerBytesMax = 4096;
constexpr size_t kUidDigits = 32;

db::Error corrupt(const std::filesystem::path& file, size_t offset, const std::string& what) {
    return {db::ErrorCode::Corrupt, fmt::format("{}, offset {}: {}", file.string(), offset, what)};
}

// One line `name=value`; moves `offset` behind it.
std::string take_line(std::string_view text, size_t& offset, std::string_view name,
                      const std::filesystem::path& file) {
    const size_t end = text.find('\n', offset);
    const std::string_view line =
        end == std::string_view::npos ? std::string_view() : text.substr(offset, end - offset);
    if (!line.starts_with(name) || line.size() == name.size() || line[name.size()] != '=')
        throw corrupt(file, offset, fmt::format("expected a line `{}=…`", name));
    offset = end + 1;
    return std::string(line.substr(name.size() + 1));
}

bool holds(core::FileSystem& files, const std::filesystem::path& file) {
    return core::file_info(files, file).has_value();
}

}  // namespace

std::optional<Marker> read_marker(core::FileSystem& files, const std::filesystem::path& directory) {
    const std::filesystem::path file = directory / kMarkerName;
    if (!holds(files, file)) return std::nullopt;
    const core::Bytes content = core::read_file(files, file, kMarkerBytesMax);
    const std::string text(content.begin(), content.end());
    Marker marker;
    size_t offset = 0;
    const std::string format = take_line(text, offset, "format", file);
    const auto parsed =
        std::from_chars(format.data(), format.data() + format.size(), marker.format);
    if (parsed.ec != std::errc() || parsed.ptr != format.data() + format.size())
        throw corrupt(file, 0, fmt::format("format `{}` is no number", format));
    // Before the rest: another format may have other lines.
    if (marker.format != kDatadirFormat)
        throw db::Error(db::ErrorCode::VersionMismatch,
                        fmt::format("{}: format {}, this program knows {}", file.string(),
                                    marker.format, kDatadirFormat));
    const size_t backend_offset = offset;
    const std::string backend = take_line(text, offset, "backend", file);
    if (backend == db::to_string(db::Backend::Lmdb)) {
        marker.backend = db::Backend::Lmdb;
    } else if (backend != db::to_string(db::Backend::Mem)) {
        throw corrupt(file, backend_offset, fmt::format("unknown backend `{}`", backend));
    }
    const size_t uid_offset = offset;
    marker.uid = take_line(text, offset, "uid", file);
    if (marker.uid.size() != kUidDigits || !core::from_hex(marker.uid))
        throw corrupt(file, uid_offset, fmt::format("uid `{}` is not 32 hex digits", marker.uid));
    marker.producer = take_line(text, offset, "producer", file);
    return marker;
}

void write_marker(core::FileSystem& files, const std::filesystem::path& directory,
                  const Marker& marker) {
    std::string producer = marker.producer;
    for (char& c : producer)
        if (c == '\n') c = ' ';
    const std::string text =
        fmt::format("format={}\nbackend={}\nuid={}\nproducer={}\n", marker.format,
                    db::to_string(marker.backend), marker.uid, producer);
    core::write_file_atomically(files, directory / kMarkerName, core::ByteView(text));
}

std::optional<db::Backend> find_data_file(core::FileSystem& files,
                                          const std::filesystem::path& directory) {
    const bool mem = holds(files, directory / kImageName);
    const bool lmdb = holds(files, directory / kDataName);
    if (mem && lmdb)
        throw corrupt(directory / kMarkerName, 0,
                      fmt::format("the file is missing, and both {} and {} are there", kImageName,
                                  kDataName));
    if (mem) return db::Backend::Mem;
    if (lmdb) return db::Backend::Lmdb;
    return std::nullopt;
}

void remove_store_files(core::FileSystem& files, const std::filesystem::path& directory,
                        db::Backend backend) noexcept {
    const auto take_away = [&](const char* name) {
        const int error_number = files.unlink(directory / name);
        return error_number == 0 || error_number == ENOENT;
    };
    // What says that something else is there goes first: the marker, then an image with a log.
    if (!take_away(kMarkerName)) return;
    if (backend == db::Backend::Mem) {
        if (!take_away(kImageName)) return;
        std::vector<std::string> names;
        if (files.list(directory, names) != 0) return;
        for (const std::string& name : names)
            if (name.starts_with(kLogNameBegin) && name.ends_with(kLogNameEnd))
                files.unlink(directory / name);
        files.unlink(directory / kImageLoadName);
    } else {
        files.unlink(directory / kDataName);
        files.unlink(directory / kReadersName);
    }
    db::remove_left_runs(files, directory);
}

}  // namespace keel::node
