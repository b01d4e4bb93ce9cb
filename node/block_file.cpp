#include "node/block_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "core/base.hpp"
#include "core/rlp.hpp"

namespace keel::node {
namespace {

constexpr size_t kBufferBytes = size_t{256} * 1024;
constexpr uint64_t kCheckEveryBytes = uint64_t{1} << 20;
// RLP (yellow paper, appendix B): a list with a length in its first byte, one with a longer length.
constexpr uint8_t kShortList = 0xc0;
constexpr uint8_t kLongList = 0xf7;
constexpr uint64_t kShortMax = 55;
constexpr size_t kListHeaderBytesMax = 9;
constexpr size_t kHeaderItemsBeforeNumber = 8;
constexpr size_t kItemsBeforeAccessList = 4;  // header, transactions, ommers, withdrawals

struct ListHeader {
    enum Kind : uint8_t { Whole, CutOff, NotAList, BadLength } kind;
    uint64_t item_bytes = 0;  // header and payload
};

ListHeader read_list_header(core::ByteView bytes) noexcept {
    const uint8_t first = bytes[0];
    if (first < kShortList) return {ListHeader::NotAList};
    if (first <= kLongList) return {ListHeader::Whole, uint64_t{1} + first - kShortList};
    const auto count = static_cast<size_t>(first - kLongList);
    if (bytes.size() < 1 + count) return {ListHeader::CutOff};
    uint64_t payload = 0;
    for (size_t i = 0; i < count; ++i) payload = (payload << 8) | bytes[1 + i];
    if (bytes[1] == 0 || payload <= kShortMax) return {ListHeader::BadLength};
    // Lengths near 2^64 stay beyond any limit.
    return {ListHeader::Whole, payload > kBlockBytesMax ? payload : 1 + count + payload};
}

/// Number of the block; none where it is not a block.
std::optional<uint64_t> number_of(core::ByteView block) {
    core::RlpReader outer(block);
    auto items = outer.list();
    if (!items) return std::nullopt;
    auto header = items->list();
    if (!header) return std::nullopt;
    for (size_t i = 0; i < kHeaderItemsBeforeNumber; ++i)
        if (!header->item()) return std::nullopt;
    const auto number = header->uint64();
    return number ? std::optional(*number) : std::nullopt;
}

/// Payload of the block without its fifth item; none: it has none, or is not a block.
std::optional<core::ByteView> payload_before_access_list(core::ByteView block) {
    auto items = core::rlp_outer_list(block);
    if (!items) return std::nullopt;
    const core::ByteView payload = items->rest();
    for (size_t i = 0; i < kItemsBeforeAccessList; ++i)
        if (items->at_end() || !items->item()) return std::nullopt;
    if (items->at_end()) return std::nullopt;
    const core::ByteView before = payload.sub(0, payload.size() - items->rest().size());
    if (!items->item() || !items->at_end()) return std::nullopt;
    return before;
}

}  // namespace

BlockFile::BlockFile(core::FileSystem& files, const std::string& name, std::stop_token stop)
    : files_(files), name_(name == kStandardInputName ? "stdin" : name) {
    std::unique_ptr<ByteSource> source;
    core::Bytes first(kMagicBytes);
    size_t got = 0;
    if (name == kStandardInputName) {
        waits_ = true;
        source = read_stream_source(core::kStandardInput, name_, std::move(stop));
    } else {
        file_ = core::File(files_, name, core::OpenMode::Read);
        const core::FileInfo info = file_.info();
        if (info.is_directory) throw core::FileFault(name_, "read", EISDIR);
        waits_ = !info.is_regular;  // a pipe with a name
        size_bytes_ = info.size_bytes;
        if (waits_)
            source = read_stream_source(file_.descriptor(), name_, std::move(stop));
        else
            got = file_.read_at(first.data(), first.size(), 0);
    }
    while (source && got < first.size()) {
        const auto more = source->read(first.data() + got, first.size() - got);
        if (!more || *more == 0) break;
        got += *more;
    }
    first.resize(got);
    const Compression compression = compression_of(first);
    if (source) {
        source = prepend(std::move(first), std::move(source));
    } else if (compression == Compression::None) {
        map_ = core::MappedFile(files_, file_, static_cast<size_t>(size_bytes_));
        return;
    } else {
        source = read_file_source(file_);
    }
    source_ = compression == Compression::None ? std::move(source)
                                               : decompress(std::move(source), compression);
}

BlockFile::~BlockFile() = default;

uint64_t BlockFile::position() const noexcept {
    return source_ ? source_->position() : offset_;
}

/// Reads on behind what is buffered; false: nothing more came.
bool BlockFile::refill() {
    if (source_ended_) return false;
    if (begin_ > 0) {
        std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
        end_ -= std::exchange(begin_, 0);
    }
    // Grows with what has really come, so a garbage length takes no memory.
    if (buffer_.size() - end_ < kBufferBytes / 2)
        buffer_.resize(std::max(kBufferBytes, buffer_.size() * 2));
    const auto got = source_->read(buffer_.data() + end_, buffer_.size() - end_);
    if (got && *got > 0) {
        end_ += *got;
        return true;
    }
    if (!got) source_damage_ = got.error();
    source_ended_ = true;
    return false;
}

/// The next `bytes` bytes, or what is left of them. Valid until it is called again.
core::ByteView BlockFile::ahead(size_t bytes) {
    if (!source_) return map_.bytes().sub(static_cast<size_t>(offset_), bytes);
    while (end_ - begin_ < bytes && refill()) {
    }
    return core::ByteView(buffer_).sub(begin_, std::min(bytes, end_ - begin_));
}

bool BlockFile::has_whole_block() const noexcept {
    if (!waits_ || ended_ || source_ended_) return true;
    const core::ByteView here = core::ByteView(buffer_).sub(begin_, end_ - begin_);
    if (here.empty()) return false;
    const ListHeader header = read_list_header(here);
    if (header.kind == ListHeader::CutOff) return false;
    return header.kind != ListHeader::Whole || header.item_bytes <= here.size();
}

/// A mapped file that has become shorter must not be read beyond its end (SIGBUS).
void BlockFile::check_unchanged(uint64_t end) {
    if (source_ || end <= checked_end_) return;
    if (file_.info().size_bytes < size_bytes_)
        throw core::Fault(core::FaultKind::Io,
                          fmt::format("{}: changed while being read: it had {} bytes, {} are left",
                                      name_, size_bytes_, file_.info().size_bytes));
    checked_end_ = std::min(size_bytes_, end + kCheckEveryBytes);
}

core::unexpected<BlockFileDamage> BlockFile::damage(const std::string& what) {
    ended_ = true;
    BlockFileDamage found{index_, offset_, {}};
    if (source_damage_) {
        found.offset = source_damage_->offset;
        found.text = fmt::format("at block {}: byte {} of the compressed file: {}", index_,
                                 source_damage_->offset, source_damage_->text);
    } else {
        found.text = fmt::format("at block {}: byte {}: {}", index_, offset_, what);
    }
    return core::unexpected(std::move(found));
}

core::Result<std::optional<RawBlock>, BlockFileDamage> BlockFile::next() {
    while (!ended_) {
        check_unchanged(offset_ + kListHeaderBytesMax);
        const core::ByteView start = ahead(kListHeaderBytesMax);
        if (start.empty()) {
            if (source_damage_) return damage({});
            ended_ = true;
            break;
        }
        const ListHeader header = read_list_header(start);
        if (header.kind == ListHeader::NotAList)
            return damage(fmt::format("not a block: it begins with 0x{:02x}, no RLP list does",
                                      static_cast<unsigned>(start[0])));
        if (header.kind == ListHeader::BadLength)
            return damage("not a block: the length of its list is not in the shortest form");
        if (header.kind == ListHeader::CutOff)
            return damage(
                fmt::format("cut off: the file ends {} bytes into the block", start.size()));
        if (header.item_bytes > kBlockBytesMax)
            return damage(fmt::format("not a block: it claims {} bytes", header.item_bytes));
        const auto item_bytes = static_cast<size_t>(header.item_bytes);
        check_unchanged(std::min(size_bytes_, offset_ + item_bytes));
        core::ByteView item = ahead(item_bytes);
        if (item.size() < item_bytes)
            return damage(fmt::format("cut off: the block has {} bytes, the file ends after {}",
                                      item_bytes, item.size()));
        const uint64_t offset = std::exchange(offset_, offset_ + item_bytes);
        const uint64_t index = index_++;
        if (source_) begin_ += item_bytes;
        if (number_of(item) == 0U) continue;
        if (const auto payload = payload_before_access_list(item)) {
            rebuilt_.clear();
            core::rlp_append_list_header(rebuilt_, payload->size());
            core::append(rebuilt_, *payload);
            item = rebuilt_;
        }
        return RawBlock{item, index, offset};
    }
    return std::nullopt;
}

}  // namespace keel::node
