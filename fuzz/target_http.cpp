// The head and body of an HTTP request, in one piece and in pieces as a network may cut it.

#include "rpc/http_request.hpp"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <functional>
#include <string>

#include "fuzz/fuzz.hpp"

using namespace keel;

namespace {

namespace http = boost::beast::http;

constexpr uint64_t kBodyBytesMax = 4096;

enum class End : uint8_t { Waits, Done, Refused };

struct Read {
    End end = End::Waits;
    size_t bytes = 0;  // of the request; what is behind it stays
    rpc::RequestHead head;
    std::string body;
    bool keeps_alive = false;
};

/// Gives `text` piece by piece, what was not taken again with the next one. A piece of 0: the rest.
Read read(std::string_view text, const std::function<size_t()>& next_piece) {
    Read result;
    std::string collected;
    rpc::RequestParser parser(result.head, collected, kBodyBytesMax);
    size_t begin = 0, end = 0;
    while (true) {
        boost::beast::error_code error;
        const size_t before = begin;
        if (end > begin) {
            begin += parser.put(boost::asio::const_buffer(text.data() + begin, end - begin), error);
        }
        fuzz::require(begin <= end, "not more is taken than there is");
        result.bytes = begin;
        if (error && error != http::error::need_more) {
            result.end = End::Refused;
            return result;
        }
        if (parser.is_done()) {
            result.end = End::Done;
            result.body = parser.body();
            result.keeps_alive = parser.keep_alive();
            return result;
        }
        // After the head the body may stand in the same piece.
        if (begin != before && begin != end && !error) continue;
        if (end == text.size()) return result;
        const size_t piece = next_piece();
        end = piece == 0 ? text.size() : std::min(text.size(), end + piece);
    }
}

bool same(const rpc::RequestHead& a, const rpc::RequestHead& b) {
    return a.method == b.method && a.target == b.target && a.host == b.host &&
           a.origin == b.origin && a.authorization == b.authorization &&
           a.requested_method == b.requested_method && a.requested_headers == b.requested_headers &&
           a.websocket_key == b.websocket_key && a.websocket_version == b.websocket_version &&
           a.has_json_content_type == b.has_json_content_type && a.accepts_gzip == b.accepts_gzip &&
           a.expects_continue == b.expects_continue &&
           a.upgrades_to_websocket == b.upgrades_to_websocket;
}

}  // namespace

// Layout: number of piece lengths, piece lengths, the request.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size > 8192) return 0;
    fuzz::Input input(core::ByteView(data, size));
    const core::ByteView lengths = input.take(input.byte());
    const std::string_view text = input.rest().text();
    const Read whole = read(text, [] { return size_t{0}; });
    size_t at = 0;
    const Read pieces = read(
        text, [&] { return lengths.empty() ? size_t{1} : size_t{lengths[at++ % lengths.size()]}; });
    // What is not all there may be refused now or later.
    fuzz::require((whole.end == End::Done) == (pieces.end == End::Done),
                  "a request is taken in one piece and in several, or in neither");
    if (whole.end != End::Done) return 0;
    fuzz::require(whole.bytes == pieces.bytes, "a request is as long in one piece as in several");
    fuzz::require(same(whole.head, pieces.head) && whole.keeps_alive == pieces.keeps_alive,
                  "a head is the same in one piece and in several");
    fuzz::require(whole.body == pieces.body, "a body is the same in one piece and in several");
    fuzz::require(whole.body.size() <= kBodyBytesMax, "a body has a limit");
    return 0;
}
