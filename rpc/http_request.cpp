#include "rpc/http_request.hpp"

#include <boost/beast/core/string.hpp>

#include <algorithm>

#include "rpc/http_rules.hpp"

namespace keel::rpc {
namespace {

namespace http = boost::beast::http;

// Room for a collected body at first: a client that announces more must send it before more is
// taken.
constexpr size_t kHealthChecksMax = 16;
constexpr uint64_t kFirstBodyBytes = 1 << 20;

std::string_view plain(boost::beast::string_view text) noexcept {
    return {text.data(), text.size()};
}

}  // namespace

void RequestHead::clear() {
    method = HttpMethod::Other;
    target.clear();
    host.clear();
    origin.clear();
    authorization.clear();
    requested_method.clear();
    requested_headers.clear();
    websocket_key.clear();
    websocket_version.clear();
    health_checks.clear();
    takes_chunks = false;
    has_json_content_type = accepts_gzip = expects_continue = upgrades_to_websocket = false;
}

RequestParser::RequestParser(RequestHead& head, std::string& collected, uint64_t body_bytes_max)
    : head_(head), collected_(collected) {
    head_.clear();
    collected_.clear();
    header_limit(kHeaderBytesMax);
    body_limit(body_bytes_max);
}

void RequestParser::on_request_impl(http::verb method, StringView, StringView target, int version,
                                    ErrorCode&) {
    head_.takes_chunks = version >= 11;
    switch (method) {
        case http::verb::get:
            head_.method = HttpMethod::Get;
            break;
        case http::verb::post:
            head_.method = HttpMethod::Post;
            break;
        case http::verb::options:
            head_.method = HttpMethod::Options;
            break;
        default:
            head_.method = HttpMethod::Other;
            break;
    }
    head_.target = plain(target);
}

void RequestParser::on_field_impl(http::field field, StringView name, StringView value,
                                  ErrorCode&) {
    switch (field) {
        case http::field::content_type:
            head_.has_json_content_type = is_json_content_type(plain(value));
            break;
        case http::field::host:
            head_.host = plain(value);
            break;
        case http::field::origin:
            head_.origin = plain(value);
            break;
        case http::field::authorization:
            head_.authorization = plain(value);
            break;
        case http::field::accept_encoding:
            head_.accepts_gzip = rpc::accepts_gzip(plain(value));
            break;
        case http::field::access_control_request_method:
            head_.requested_method = plain(value);
            break;
        case http::field::access_control_request_headers:
            head_.requested_headers = plain(value);
            break;
        case http::field::expect:
            head_.expects_continue = boost::beast::iequals(value, "100-continue");
            break;
        case http::field::upgrade:
            head_.upgrades_to_websocket = boost::beast::iequals(value, "websocket");
            break;
        case http::field::sec_websocket_key:
            head_.websocket_key = plain(value);
            break;
        case http::field::sec_websocket_version:
            head_.websocket_version = plain(value);
            break;
        default:
            // Each is a store look-up: nobody needs many.
            if (head_.health_checks.size() < kHealthChecksMax &&
                boost::beast::iequals(name, "X-ERIGON-HEALTHCHECK")) {
                head_.health_checks.emplace_back(plain(value));
            }
            break;
    }
}

void RequestParser::on_body_init_impl(const boost::optional<std::uint64_t>& length, ErrorCode&) {
    if (length) content_length_ = *length;
}

std::size_t RequestParser::on_body_impl(StringView piece, ErrorCode&) {
    if (collected_.empty() && content_length_ == piece.size()) {
        whole_ = plain(piece);
        return piece.size();
    }
    if (collected_.empty()) {
        collected_.reserve(std::min(content_length_.value_or(0), kFirstBodyBytes));
    }
    collected_.append(piece.data(), piece.size());
    return piece.size();
}

std::size_t RequestParser::on_chunk_body_impl(std::uint64_t, StringView piece, ErrorCode&) {
    collected_.append(piece.data(), piece.size());
    return piece.size();
}

}  // namespace keel::rpc
