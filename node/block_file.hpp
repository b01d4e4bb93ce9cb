#pragma once

// Files of blocks as every client exports them: RLP blocks one behind the other, without frame or
// count; plain, or compressed by gzip or zstd (known by their first bytes), or on stdin.

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "core/bytes.hpp"
#include "core/files.hpp"
#include "core/result.hpp"
#include "node/byte_source.hpp"

namespace keel::node {

inline constexpr const char* kStandardInputName = "-";
/// No chain has such a block; a length beyond it is garbage, not a reason to take memory.
inline constexpr uint64_t kBlockBytesMax = uint64_t{1} << 30;

/// One block as it stands in its file, of which a fifth item (geth's block access list) is left
/// out. lifetime: `rlp` until the next call of BlockFile::next.
struct RawBlock {
    core::ByteView rlp;
    uint64_t index = 0;   // within the file, from 0; blocks with number 0 count
    uint64_t offset = 0;  // of its first byte, in the decompressed content
};

/// Where a file of blocks stops being one.
struct BlockFileDamage {
    uint64_t index = 0;   // of the block that is not one
    uint64_t offset = 0;  // of its first byte; of a compressed file that is damaged: there
    std::string text;     // whole: `at block 3: byte 1234: …`
};

/// One thread at a time.
class BlockFile {
  public:
    /// `-` is stdin, whose waiting ends when `stop` is requested. Throws FileFault; one for a
    /// directory is EISDIR.
    BlockFile(core::FileSystem& files, const std::string& name, std::stop_token stop = {});
    ~BlockFile();

    /// The next block that has not the number 0; none: the end, or stopped. After damage the file
    /// is at its end. Throws FileFault for what the system cannot read, "changed while it was read"
    /// for a file that became shorter.
    [[nodiscard]] core::Result<std::optional<RawBlock>, BlockFileDamage> next();

    /// Whether next() may wait for whoever writes the other end.
    bool may_wait() const noexcept { return waits_; }
    /// Whether the next block is here already, as far as one can tell without waiting.
    bool has_whole_block() const noexcept;
    /// Bytes of the file; 0: unknown.
    uint64_t size_bytes() const noexcept { return size_bytes_; }
    /// Bytes of the file that have been read, compressed ones where it is compressed.
    uint64_t position() const noexcept;

  private:
    core::ByteView ahead(size_t bytes);
    bool refill();
    void check_unchanged(uint64_t end);
    core::unexpected<BlockFileDamage> damage(const std::string& what);

    core::FileSystem& files_;
    std::string name_;
    core::File file_;
    core::MappedFile map_;  // plain files
    uint64_t size_bytes_ = 0;
    uint64_t checked_end_ = 0;  // the file was seen to be at least that long
    bool waits_ = false;
    std::unique_ptr<ByteSource> source_;  // all others
    core::Bytes buffer_;                  // bytes of source_ that are not used up: [begin_, end_)
    size_t begin_ = 0;
    size_t end_ = 0;
    bool source_ended_ = false;
    std::optional<SourceDamage> source_damage_;  // met while reading ahead
    uint64_t offset_ = 0;                        // of the next block, decompressed
    uint64_t index_ = 0;
    bool ended_ = false;
    core::Bytes rebuilt_;  // a block without its fifth item
};

}  // namespace keel::node
