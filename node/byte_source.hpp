#pragma once

// Bytes one after the other, from a file, a pipe, or through a decompressor.

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>

#include "core/bytes.hpp"
#include "core/files.hpp"
#include "core/result.hpp"

namespace keel::node {

/// Compressed bytes that are damaged or end too early.
struct SourceDamage {
    uint64_t offset = 0;  // in the file, about
    std::string text;
};

/// Never goes back. One thread at a time.
class ByteSource {
  public:
    virtual ~ByteSource() = default;
    /// Up to `bytes` (at least 1) more; 0: the end, or stopped. Throws FileFault.
    [[nodiscard]] virtual core::Result<size_t, SourceDamage> read(uint8_t* to, size_t bytes) = 0;
    /// Bytes of the file that have been read, compressed ones where it is compressed.
    virtual uint64_t position() const noexcept = 0;
};

/// lifetime: `file` outlives the source.
std::unique_ptr<ByteSource> read_file_source(const core::File& file);
/// A descriptor without offsets; a request on `stop` ends the waiting as the end of the bytes
/// would.
std::unique_ptr<ByteSource> read_stream_source(int descriptor, std::string name,
                                               std::stop_token stop);

enum class Compression : uint8_t { None, Gzip, Zstd };
inline constexpr size_t kMagicBytes = 4;
/// By the first bytes. No RLP list begins like either of them.
Compression compression_of(core::ByteView first_bytes) noexcept;
/// Several members or frames one behind the other are read as one. `compression` is not None.
std::unique_ptr<ByteSource> decompress(std::unique_ptr<ByteSource> source, Compression compression);
/// `source` with `first` before it.
std::unique_ptr<ByteSource> prepend(core::Bytes first, std::unique_ptr<ByteSource> source);

}  // namespace keel::node
