#include "db/mem/log_format.hpp"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace keel::db::mem {
namespace {

// Layout of the header page; docs/store-format.md.
constexpr std::string_view kMagic{"keel.log", 8};
constexpr size_t kVersionAt = 8;
constexpr size_t kHeaderBytesAt = 12;
constexpr size_t kBaseAt = 16;
constexpr size_t kTimeAt = 24;
constexpr size_t kUidAt = 32;
constexpr size_t kSaltAt = 48;
constexpr size_t kProducerAt = 96;
constexpr size_t kProducerBytes = kLogProducerBytes;
constexpr size_t kHeaderChecksumAt = 504;  // the first sector stands for itself
static_assert(kProducerAt + kProducerBytes <= kHeaderChecksumAt);
// Marks lie in sectors of their own: a torn write of one leaves the rest.
static_assert(kLogMarksAt[0] % 512 == 0 && kLogMarksAt[1] % 512 == 0);

constexpr uint64_t kSealed = 1;
constexpr size_t kMarkChecksumAt = 16;

constexpr size_t kRecordCommitAt = 8;
constexpr size_t kRecordPayloadBytesAt = 16;
constexpr size_t kRecordSyncedAt = 24;
constexpr size_t kRecordPayloadChecksumAt = 32;
constexpr size_t kRecordChecksumAt = 40;
static_assert(kRecordChecksumAt + 8 == kLogRecordHeadBytes);

constexpr std::string_view kNameBegin = "store-";
constexpr std::string_view kNameEnd = ".log";

}  // namespace

uint64_t log_checksum(ByteView bytes) noexcept {
    return XXH3_64bits(bytes.data(), bytes.size());
}

void encode_log_header(const LogHeader& header, uint8_t* page) noexcept {
    std::memset(page, 0, kLogHeaderBytes);
    std::memcpy(page, kMagic.data(), kMagic.size());
    core::store_le(page + kVersionAt, kLogVersion);
    core::store_le(page + kHeaderBytesAt, static_cast<uint32_t>(kLogHeaderBytes));
    core::store_le(page + kBaseAt, header.base_commit);
    core::store_le(page + kTimeAt, header.time_s);
    std::memcpy(page + kUidAt, header.uid.data(), header.uid.size());
    core::store_le(page + kSaltAt, header.salt);
    std::memcpy(page + kProducerAt, header.producer.data(),
                std::min(header.producer.size(), kProducerBytes));
    core::store_le(page + kHeaderChecksumAt, XXH3_64bits(page, kHeaderChecksumAt));
}

bool is_log_magic(const uint8_t* page) noexcept {
    return std::memcmp(page, kMagic.data(), kMagic.size()) == 0;
}

uint32_t log_version(const uint8_t* page) noexcept {
    return core::load_le<uint32_t>(page + kVersionAt);
}

std::optional<LogHeader> decode_log_header(const uint8_t* page) {
    if (core::load_le<uint64_t>(page + kHeaderChecksumAt) != XXH3_64bits(page, kHeaderChecksumAt) ||
        core::load_le<uint32_t>(page + kHeaderBytesAt) != kLogHeaderBytes)
        return std::nullopt;
    LogHeader header;
    header.base_commit = core::load_le<uint64_t>(page + kBaseAt);
    header.time_s = core::load_le<uint64_t>(page + kTimeAt);
    std::memcpy(header.uid.data(), page + kUidAt, header.uid.size());
    header.salt = core::load_le<uint64_t>(page + kSaltAt);
    const auto* const producer = reinterpret_cast<const char*>(page + kProducerAt);
    header.producer.assign(producer, strnlen(producer, kProducerBytes));
    return header;
}

std::array<uint8_t, kLogMarkBytes> encode_log_mark(const LogMark& mark) noexcept {
    std::array<uint8_t, kLogMarkBytes> bytes;
    core::store_le(bytes.data(), mark.synced_bytes);
    core::store_le(bytes.data() + 8, mark.sealed ? kSealed : uint64_t{0});
    core::store_le(bytes.data() + kMarkChecksumAt, XXH3_64bits(bytes.data(), kMarkChecksumAt));
    return bytes;
}

std::optional<LogMark> decode_log_mark(const uint8_t* bytes) noexcept {
    if (core::load_le<uint64_t>(bytes + kMarkChecksumAt) != XXH3_64bits(bytes, kMarkChecksumAt))
        return std::nullopt;
    return LogMark{core::load_le<uint64_t>(bytes), core::load_le<uint64_t>(bytes + 8) == kSealed};
}

void encode_log_record_head(const LogRecordHead& head, uint64_t salt, uint64_t offset,
                            uint8_t* to) noexcept {
    core::store_le(to, salt + offset);
    core::store_le(to + kRecordCommitAt, head.commit_id);
    core::store_le(to + kRecordPayloadBytesAt, head.payload_bytes);
    core::store_le(to + kRecordSyncedAt, head.synced_bytes);
    core::store_le(to + kRecordPayloadChecksumAt, head.payload_checksum);
    core::store_le(to + kRecordChecksumAt, XXH3_64bits(to, kRecordChecksumAt));
}

std::optional<LogRecordHead> decode_log_record_head(const uint8_t* from, uint64_t salt,
                                                    uint64_t offset) noexcept {
    if (core::load_le<uint64_t>(from) != salt + offset ||
        core::load_le<uint64_t>(from + kRecordChecksumAt) != XXH3_64bits(from, kRecordChecksumAt))
        return std::nullopt;
    return LogRecordHead{
        .commit_id = core::load_le<uint64_t>(from + kRecordCommitAt),
        .payload_bytes = core::load_le<uint64_t>(from + kRecordPayloadBytesAt),
        .synced_bytes = core::load_le<uint64_t>(from + kRecordSyncedAt),
        .payload_checksum = core::load_le<uint64_t>(from + kRecordPayloadChecksumAt)};
}

std::optional<LogOperation> LogOperations::next() noexcept {
    if (left_.size() < kLogOperationHeadBytes) return std::nullopt;
    const auto head = core::load_le<uint64_t>(left_.data());
    const auto op = static_cast<uint8_t>(head >> 60);
    const size_t key_bytes = head >> 48 & 0xfff;
    const size_t value_bytes = head & 0xffffffff;
    if (op == 0 || op >= kLogOps || left_.size() - kLogOperationHeadBytes < key_bytes + value_bytes)
        return std::nullopt;
    LogOperation operation;
    operation.op = static_cast<LogOp>(op);
    operation.table = static_cast<uint16_t>(head >> 32);
    operation.key = left_.sub(kLogOperationHeadBytes, key_bytes);
    operation.value = left_.sub(kLogOperationHeadBytes + key_bytes, value_bytes);
    left_ = left_.sub(kLogOperationHeadBytes + key_bytes + value_bytes);
    return operation;
}

std::string log_name(uint64_t base_commit) {
    return fmt::format("{}{}{}", kNameBegin, base_commit, kNameEnd);
}

std::optional<uint64_t> parse_log_name(std::string_view name) noexcept {
    if (!name.starts_with(kNameBegin) || !name.ends_with(kNameEnd) ||
        name.size() <= kNameBegin.size() + kNameEnd.size())
        return std::nullopt;
    name = name.substr(kNameBegin.size(), name.size() - kNameBegin.size() - kNameEnd.size());
    uint64_t base = 0;
    const auto parsed = std::from_chars(name.data(), name.data() + name.size(), base);
    if (parsed.ec != std::errc() || parsed.ptr != name.data() + name.size() ||
        (name.size() > 1 && name[0] == '0'))
        return std::nullopt;
    return base;
}

}  // namespace keel::db::mem
