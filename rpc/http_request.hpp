#pragma once

// <utility> stands first for g++ 12: Asio uses std::exchange without including it.
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace keel::rpc {

inline constexpr uint32_t kHeaderBytesMax = 16 * 1024;

enum class HttpMethod : uint8_t { Get, Post, Options, Other };

/// What the server wants to know of a request.
struct RequestHead {
    HttpMethod method = HttpMethod::Other;
    std::string target;
    std::string host;
    std::string origin;
    std::string authorization;
    std::string requested_method;   // Access-Control-Request-Method
    std::string requested_headers;  // Access-Control-Request-Headers
    std::string websocket_key;
    std::string websocket_version;
    std::vector<std::string> health_checks;  // X-ERIGON-HEALTHCHECK
    bool has_json_content_type = false;
    bool accepts_gzip = false;
    bool expects_continue = false;
    bool upgrades_to_websocket = false;
    bool takes_chunks = false;  // HTTP/1.1

    void clear();
};

/// Parses one request from pieces of any size. The body is a view of the piece that it came in if
/// that has all of it, else it is collected. Framing, chunks and refusals: Beast.
class RequestParser final : public boost::beast::http::basic_parser<true> {
  public:
    /// lifetime: both outlive the parser; `collected` is emptied.
    RequestParser(RequestHead& head, std::string& collected, uint64_t body_bytes_max);

    /// As Beast's, which asserts that 5 bytes are there when it looks at a last chunk again. No
    /// chunked message ends with fewer; a client that sends them one by one must not end the
    /// process.
    std::size_t put(const boost::asio::const_buffer& bytes, boost::beast::error_code& error) {
        constexpr std::size_t kLastChunkBytes = 5;  // 0, CRLF, CRLF
        if (is_header_done() && chunked() && bytes.size() < kLastChunkBytes) {
            error = boost::beast::http::error::need_more;
            return 0;
        }
        return basic_parser::put(bytes, error);
    }

    /// Of a request that is done; lives as the last piece does.
    std::string_view body() const noexcept { return whole_ ? *whole_ : collected_; }
    /// Whether the body stands in the last piece that was put.
    bool body_in_place() const noexcept { return whole_.has_value(); }

  private:
    using ErrorCode = boost::beast::error_code;
    using StringView = boost::beast::string_view;

    void on_request_impl(boost::beast::http::verb method, StringView method_text, StringView target,
                         int version, ErrorCode& error) override;
    void on_response_impl(int, StringView, int, ErrorCode&) override {}
    void on_field_impl(boost::beast::http::field field, StringView name, StringView value,
                       ErrorCode& error) override;
    void on_header_impl(ErrorCode&) override {}
    void on_body_init_impl(const boost::optional<std::uint64_t>& content_length,
                           ErrorCode& error) override;
    std::size_t on_body_impl(StringView piece, ErrorCode& error) override;
    void on_chunk_header_impl(std::uint64_t, StringView, ErrorCode&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t remaining, StringView piece,
                                   ErrorCode& error) override;
    void on_finish_impl(ErrorCode&) override {}

    RequestHead& head_;
    std::string& collected_;
    std::optional<uint64_t> content_length_;
    std::optional<std::string_view> whole_;
};

}  // namespace keel::rpc
