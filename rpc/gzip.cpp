#include "rpc/gzip.hpp"

#include <zlib.h>

#include <memory>
#include <new>

#include "core/base.hpp"

namespace keel::rpc {
namespace {

constexpr int kWindowBits = 15 + 16;  // zlib: 16 asks for gzip's header
constexpr int kMemoryLevel = 8;       // zlib's default

}  // namespace

void gzip(JsonOut& out) {
    z_stream stream{};
    if (deflateInit2(&stream, 1, Z_DEFLATED, kWindowBits, kMemoryLevel, Z_DEFAULT_STRATEGY) !=
        Z_OK) {
        throw std::bad_alloc();
    }
    const std::string_view text = out.text();
    const uLong bound = deflateBound(&stream, text.size());
    const auto packed = std::make_unique_for_overwrite<char[]>(bound);
    stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(packed.get());
    stream.avail_out = static_cast<uInt>(bound);
    const int result = deflate(&stream, Z_FINISH);
    const size_t bytes = stream.total_out;
    deflateEnd(&stream);
    KEEL_ASSERT(result == Z_STREAM_END);  // deflateBound leaves room for all
    out.clear();
    out.raw({packed.get(), bytes});
}

}  // namespace keel::rpc
