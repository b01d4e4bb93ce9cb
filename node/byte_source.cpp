#include "node/byte_source.hpp"

#include <fmt/format.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <new>
#include <utility>

#include "core/base.hpp"

namespace keel::node {
namespace {

using ReadResult = core::Result<size_t, SourceDamage>;

constexpr size_t kInputBytes = size_t{128} * 1024;

class FileSource final : public ByteSource {
  public:
    explicit FileSource(const core::File& file) : file_(file) {}
    ReadResult read(uint8_t* to, size_t bytes) override {
        const size_t got = file_.read_at(to, bytes, position_);
        position_ += got;
        return got;
    }
    uint64_t position() const noexcept override { return position_; }

  private:
    const core::File& file_;  // lifetime: the BlockFile's
    uint64_t position_ = 0;
};

class StreamSource final : public ByteSource {
  public:
    StreamSource(int descriptor, std::string name, std::stop_token stop)
        : descriptor_(descriptor),
          name_(std::move(name)),
          on_stop_(std::move(stop), Wake{&wake_up_}) {}
    ReadResult read(uint8_t* to, size_t bytes) override {
        const size_t got =
            core::read_stream(descriptor_, name_.c_str(), to, bytes, wake_up_).value_or(0);
        position_ += got;
        return got;
    }
    uint64_t position() const noexcept override { return position_; }

  private:
    struct Wake {
        core::WakeUp* wake_up;
        void operator()() const noexcept { wake_up->wake(); }
    };

    const int descriptor_;
    const std::string name_;
    core::WakeUp wake_up_;
    const std::stop_callback<Wake> on_stop_;  // behind what it wakes
    uint64_t position_ = 0;
};

class PrependedSource final : public ByteSource {
  public:
    PrependedSource(core::Bytes first, std::unique_ptr<ByteSource> source)
        : first_(std::move(first)), source_(std::move(source)) {}
    ReadResult read(uint8_t* to, size_t bytes) override {
        if (used_ == first_.size()) return source_->read(to, bytes);
        const size_t count = std::min(bytes, first_.size() - used_);
        std::memcpy(to, first_.data() + used_, count);
        used_ += count;
        return count;
    }
    uint64_t position() const noexcept override {
        return source_->position() - (first_.size() - used_);
    }

  private:
    const core::Bytes first_;
    size_t used_ = 0;
    const std::unique_ptr<ByteSource> source_;
};

/// What both decompressors have in common: a buffer of compressed bytes.
class DecompressingSource : public ByteSource {
  public:
    explicit DecompressingSource(std::unique_ptr<ByteSource> source)
        : source_(std::move(source)), input_(kInputBytes) {}
    uint64_t position() const noexcept override {
        return source_->position() - (input_end_ - input_begin_);
    }

  protected:
    /// Refills an empty buffer; false: there is nothing more.
    core::Result<bool, SourceDamage> refill() {
        if (input_begin_ < input_end_) return true;
        const auto got = source_->read(input_.data(), input_.size());
        if (!got) return core::unexpected(got.error());
        input_begin_ = 0;
        input_end_ = *got;
        return *got > 0;
    }
    ReadResult damaged(std::string text) const {
        return core::unexpected(SourceDamage{position(), std::move(text)});
    }

    std::unique_ptr<ByteSource> source_;
    core::Bytes input_;
    size_t input_begin_ = 0;
    size_t input_end_ = 0;
};

class GzipSource final : public DecompressingSource {
  public:
    explicit GzipSource(std::unique_ptr<ByteSource> source)
        : DecompressingSource(std::move(source)) {
        constexpr int kGzipWindowBits = 15 + 16;  // zlib: + 16 takes gzip's header and nothing else
        if (::inflateInit2(&stream_, kGzipWindowBits) != Z_OK) throw std::bad_alloc();
    }
    GzipSource(const GzipSource&) = delete;
    GzipSource& operator=(const GzipSource&) = delete;
    ~GzipSource() override { ::inflateEnd(&stream_); }

    ReadResult read(uint8_t* to, size_t bytes) override {
        for (;;) {
            const auto more = refill();
            if (!more) return core::unexpected(more.error());
            if (!*more) {
                if (between_members_) return size_t{0};
                return damaged("the gzip data end too early");
            }
            if (between_members_ && ::inflateReset(&stream_) != Z_OK) throw std::bad_alloc();
            between_members_ = false;
            const size_t room = std::min<size_t>(bytes, std::numeric_limits<uInt>::max());
            stream_.next_in = input_.data() + input_begin_;
            stream_.avail_in = static_cast<uInt>(input_end_ - input_begin_);
            stream_.next_out = to;
            stream_.avail_out = static_cast<uInt>(room);
            const int answer = ::inflate(&stream_, Z_NO_FLUSH);
            input_begin_ = input_end_ - stream_.avail_in;
            const size_t got = room - stream_.avail_out;
            if (answer == Z_STREAM_END) {
                between_members_ = true;
            } else if (answer == Z_MEM_ERROR) {
                throw std::bad_alloc();
            } else if (answer != Z_OK && answer != Z_BUF_ERROR) {
                return damaged(fmt::format(
                    "damaged gzip data: {}",
                    stream_.msg != nullptr ? stream_.msg : "a preset dictionary is asked for"));
            }
            if (got > 0) return got;
        }
    }

  private:
    z_stream stream_{};
    bool between_members_ = true;
};

class ZstdSource final : public DecompressingSource {
  public:
    explicit ZstdSource(std::unique_ptr<ByteSource> source)
        : DecompressingSource(std::move(source)), stream_(::ZSTD_createDStream()) {
        if (stream_ == nullptr) throw std::bad_alloc();
    }
    ZstdSource(const ZstdSource&) = delete;
    ZstdSource& operator=(const ZstdSource&) = delete;
    ~ZstdSource() override { ::ZSTD_freeDStream(stream_); }

    ReadResult read(uint8_t* to, size_t bytes) override {
        for (;;) {
            const auto more = refill();
            if (!more) return core::unexpected(more.error());
            // Without input it may still hold what it has decompressed.
            ZSTD_inBuffer in = {input_.data(), input_end_, input_begin_};
            ZSTD_outBuffer out = {to, bytes, 0};
            if (!*more && between_frames_) return size_t{0};
            const size_t answer = ::ZSTD_decompressStream(stream_, &out, &in);
            input_begin_ = in.pos;
            if (::ZSTD_isError(answer) != 0)
                return damaged(fmt::format("damaged zstd data: {}", ::ZSTD_getErrorName(answer)));
            between_frames_ = answer == 0;
            if (out.pos > 0) return out.pos;
            if (!*more && !between_frames_) return damaged("the zstd data end too early");
        }
    }

  private:
    ZSTD_DStream* const stream_;
    bool between_frames_ = true;
};

}  // namespace

std::unique_ptr<ByteSource> read_file_source(const core::File& file) {
    return std::make_unique<FileSource>(file);
}

std::unique_ptr<ByteSource> read_stream_source(int descriptor, std::string name,
                                               std::stop_token stop) {
    return std::make_unique<StreamSource>(descriptor, std::move(name), std::move(stop));
}

Compression compression_of(core::ByteView first_bytes) noexcept {
    constexpr uint8_t kGzip[] = {0x1f, 0x8b};              // RFC 1952
    constexpr uint8_t kZstd[] = {0x28, 0xb5, 0x2f, 0xfd};  // RFC 8878
    if (first_bytes.starts_with(core::ByteView(kGzip, sizeof kGzip))) return Compression::Gzip;
    if (first_bytes.starts_with(core::ByteView(kZstd, sizeof kZstd))) return Compression::Zstd;
    return Compression::None;
}

std::unique_ptr<ByteSource> decompress(std::unique_ptr<ByteSource> source,
                                       Compression compression) {
    KEEL_ASSERT(compression != Compression::None);
    if (compression == Compression::Gzip) return std::make_unique<GzipSource>(std::move(source));
    return std::make_unique<ZstdSource>(std::move(source));
}

std::unique_ptr<ByteSource> prepend(core::Bytes first, std::unique_ptr<ByteSource> source) {
    return std::make_unique<PrependedSource>(std::move(first), std::move(source));
}

}  // namespace keel::node
