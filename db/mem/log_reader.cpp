#include "db/mem/log_reader.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "db/error.hpp"

namespace keel::db::mem {
namespace {

constexpr size_t kWindowBytes = size_t{1} << 20;

}  // namespace

LogReader::LogReader(core::FileSystem& files, const std::filesystem::path& path)
    : file_(files, path, core::OpenMode::Read, false) {
    uint8_t page[kLogHeaderBytes];
    const size_t got = file_.read_at(page, sizeof page, 0);
    if (got < sizeof page) throw_damaged(got, fmt::format("the file ends after {} bytes", got));
    if (!is_log_magic(page)) throw_damaged(0, "not a log of this program");
    if (log_version(page) != kLogVersion)
        throw Error(ErrorCode::VersionMismatch,
                    fmt::format("{} has format version {}; this program knows version {}",
                                path.string(), log_version(page), kLogVersion));
    const std::optional<LogHeader> header = decode_log_header(page);
    if (!header) throw_damaged(0, "the header's checksum is wrong");
    header_ = *header;
    last_commit_ = header_.base_commit;
    if (const std::optional<uint64_t> named = parse_log_name(path.filename().string());
        named && *named != header_.base_commit)
        throw_damaged(
            16, fmt::format("the header says that it follows commit {}", header_.base_commit));
    for (const uint64_t at : kLogMarksAt) {
        const std::optional<LogMark> mark = decode_log_mark(page + at);
        if (!mark) continue;
        synced_ = std::max(synced_, mark->synced_bytes);
        sealed_ = sealed_ || mark->sealed;
    }
}

void LogReader::throw_damaged(uint64_t offset, const std::string& what) const {
    throw Error(ErrorCode::Corrupt,
                fmt::format("{} is damaged at offset {}: {}", file_.path().string(), offset, what));
}

ByteView LogReader::fill(uint64_t offset, size_t bytes) {
    if (offset < buffer_at_ || offset + bytes > buffer_at_ + buffer_bytes_) {
        buffer_bytes_ = 0;  // in case the read fails
        if (const size_t wanted = std::max(bytes, kWindowBytes); wanted > buffer_size_) {
            buffer_.reset();
            buffer_size_ = 0;
            buffer_ = std::make_unique_for_overwrite<uint8_t[]>(wanted);
            buffer_size_ = wanted;
        }
        buffer_at_ = offset;
        buffer_bytes_ = file_.read_at(buffer_.get(), buffer_size_, offset);
    }
    return ByteView(buffer_.get(), buffer_bytes_).sub(static_cast<size_t>(offset - buffer_at_));
}

std::optional<LogReader::Whole> LogReader::whole() {
    ByteView bytes = fill(at_, kLogRecordHeadBytes);
    if (bytes.size() < kLogRecordHeadBytes) return std::nullopt;
    const std::optional<LogRecordHead> head =
        decode_log_record_head(bytes.data(), header_.salt, at_);
    if (!head) return std::nullopt;
    const uint64_t payload_at = at_ + kLogRecordHeadBytes;
    if (head->payload_bytes > kWindowBytes) {
        // Not more is asked of memory than the file has.
        const uint64_t file_bytes = file_.info().size_bytes;
        if (head->payload_bytes > file_bytes || payload_at > file_bytes - head->payload_bytes)
            return std::nullopt;
    }
    const auto payload_bytes = static_cast<size_t>(head->payload_bytes);
    const size_t record_bytes = kLogRecordHeadBytes + log_padded(payload_bytes);
    bytes = fill(at_, record_bytes);
    if (bytes.size() < record_bytes) return std::nullopt;
    const ByteView payload = bytes.sub(kLogRecordHeadBytes, payload_bytes);
    if (log_checksum(payload) != head->payload_checksum) return std::nullopt;
    return Whole{*head, payload};
}

bool LogReader::next_is_whole() {
    buffer_bytes_ = 0;
    return whole().has_value();
}

std::optional<LogReader::Record> LogReader::next() {
    const std::optional<Whole> found = whole();
    if (!found) return std::nullopt;
    const LogRecordHead* const head = &found->head;
    const uint64_t payload_at = at_ + kLogRecordHeadBytes;
    if (head->commit_id != last_commit_ + 1)
        throw_damaged(at_,
                      fmt::format("commit {} follows commit {}", head->commit_id, last_commit_));
    last_commit_ = head->commit_id;
    synced_ = std::max(synced_, head->synced_bytes);
    at_ = payload_at + log_padded(head->payload_bytes);
    return Record{head->commit_id, payload_at, found->payload};
}

LogReader::Tail LogReader::tail() {
    Tail tail;
    buffer_bytes_ = 0;  // a writer may be beside
    for (uint64_t at = at_;;) {
        const ByteView bytes = fill(at, kWindowBytes);
        if (bytes.empty()) break;
        for (size_t i = 0; i < bytes.size(); ++i)
            if (bytes[i] != 0) tail.bytes = at + i + 1 - at_;
        // Records begin at multiples of kLogAlignment, as `at` and `at_` are.
        for (size_t i = 0; i + kLogRecordHeadBytes <= bytes.size(); i += kLogAlignment) {
            const std::optional<LogRecordHead> head =
                decode_log_record_head(bytes.data() + i, header_.salt, at + i);
            if (!head) continue;
            ++tail.records;
            synced_ = std::max(synced_, head->synced_bytes);
        }
        if (bytes.size() < kWindowBytes) break;
        at += kWindowBytes - log_padded(kLogRecordHeadBytes);  // a head may lie across
    }
    tail.damaged = at_ < synced_;
    return tail;
}

}  // namespace keel::db::mem
